//! The app is killed with -9 while a session and a terminal are open; the next start says what it cleaned (P14).

use crate::lines::Lines;
use crate::sudden_death::restless;
use anyhow::{Context, Result, bail};
use sallyport_app::{App, AppError, Dirs, Host, Keyring, Options};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, until, walk};
use sallyport_ipc::{CleanupProof, Event, SessionState, TerminalSize, Way};
use sallyport_testkit::browser::{FormBrowser, Person};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How long a start may take to know what there is, on a machine that is busy with other stories.
const INVENTORY: Duration = Duration::from_secs(60);

/// The argument that makes this program a desktop to be killed.
pub(crate) const CHILD: &str = "desktop-to-be-killed";

/// Starts a desktop of dana's in a process of its own that opens `profile` in `home`, with the keyring at a bus address or
/// none.
pub(crate) async fn spawn(fleet: &Fleet, home: &Path, profile: &str, keyring: &str) -> Result<Child> {
    spawn_for(fleet, "dana", home, profile, keyring).await
}

/// The same for somebody else.
pub(crate) async fn spawn_for(
    fleet: &Fleet,
    sub: &str,
    home: &Path,
    profile: &str,
    keyring: &str,
) -> Result<Child> {
    std::fs::write(home.join("workspace.json"), fleet.workspace_file())?;
    let account = fleet.idp.account(sub);
    Ok(Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .env("STORY_HOME", home)
        .env("STORY_CA", fleet.idp.ca_pem())
        .env("STORY_USER", &account.email)
        .env("STORY_PASSWORD", &account.password)
        .env("STORY_CODE", fleet.idp.spare_code(sub).await?)
        .env("STORY_CLUSTER", fleet.target().spec.name)
        .env("STORY_PROFILE", profile)
        .env("STORY_KEYRING", keyring)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?)
}

/// What the child says after `word`, once it says it.
pub(crate) async fn hears(child: &mut Child, word: &'static str) -> Result<String> {
    let stdout = child.stdout.take().context("its output is piped")?;
    let said = tokio::task::spawn_blocking(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).find(|line| line.starts_with(word))
    });
    match tokio::time::timeout(Duration::from_secs(60), said).await {
        Ok(Ok(Some(line))) => Ok(line.trim_start_matches(word).trim().to_owned()),
        _ => {
            child.kill()?;
            bail!("the desktop never said {word}")
        }
    }
}

pub(crate) async fn killed(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut child = spawn(fleet, home.path(), "view", "").await?;
    let shell = hears(&mut child, "open").await?;
    let left: Vec<PathBuf> = walk(&home.path().join("run"))?;
    lines.seen("a desktop is open with a terminal", format!("shell {shell}, {} private files", left.len()));
    child.kill()?;
    child.wait()?;
    until("the shell's end", Duration::from_secs(30), async || {
        (!Path::new(&format!("/proc/{shell}")).exists()).then_some(())
    })
    .await?;
    lines.seen("killed with -9; the shell in its terminal ended with it", "");
    let next = Desktop::at(fleet, "dana", home).await?;
    let files = walk(&next.home.path().join("run"))?;
    lines.check("the next start removed the private files", files.is_empty(), format!("{files:?}"));
    let state = next.app.app_state().await?;
    lines.check(
        "and says so",
        state.cleanup.iter().any(|c| c.what.contains("kubeconfig")),
        format!("{} lines", state.cleanup.len()),
    );
    next.app.sign_in(None).await?;
    let proven = until("the cleanup", Duration::from_secs(60), async || {
        let state = next.app.app_state().await.ok()?;
        state
            .cleanup
            .iter()
            .find(|c| c.what.contains("was left open") && c.proof == CleanupProof::ByBroker)
            .map(|c| c.what.clone())
    })
    .await?;
    lines.seen("the session was withdrawn and proven by the broker", proven);
    let gap = next
        .app
        .audit_page(sallyport_ipc::AuditFilter { action: Some("gap".into()), ..Default::default() }, None, 10)
        .await?;
    lines.check(
        "the unclean stop is a gap entry (P19)",
        !gap.entries.is_empty(),
        gap.entries.first().map(|e| e.sentence.clone()).unwrap_or_default(),
    );
    next.app.shut_down().await;
    Ok(())
}

/// A desktop in a process of its own: joins, signs in, opens, opens a terminal, says so, and waits to be killed.
pub(crate) fn child() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
    match runtime.block_on(open_and_wait()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

struct Alone(Arc<FormBrowser>);

impl Host for Alone {
    fn open_browser(&self, url: &str) -> Result<(), AppError> {
        let (browser, url) = (self.0.clone(), url.to_owned());
        tokio::spawn(async move { browser.sign_in(&url).await });
        Ok(())
    }
    fn tell(&self, _: Event) {}
    fn exit(&self) {}
}

async fn open_and_wait() -> Result<()> {
    sallyport_testkit::plane::install_crypto();
    let var = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let code = var("STORY_CODE")?;
    let person = Person::new(&var("STORY_USER")?, &var("STORY_PASSWORD")?, move || {
        let code = code.clone();
        Box::pin(async move { Ok(code) })
    });
    let host = Arc::new(Alone(Arc::new(FormBrowser::new(&var("STORY_CA")?, person)?)));
    let home = PathBuf::from(var("STORY_HOME")?);
    let keyring = var("STORY_KEYRING")?;
    let keyring = if keyring.is_empty() { Keyring::Off } else { Keyring::Bus(keyring) };
    let options = Options { keyring, shell: Some("/bin/bash".into()), ..Options::default() };
    let app = App::start(Dirs::under(&home), options, host).await?;
    // Whoever was signed in before is again by themself, where the keyring has kept it.
    let again = || async { app.app_state().await.ok()?.user.map(drop) };
    if app.app_state().await?.workspace.is_none() {
        app.workspace_join(std::fs::read_to_string(home.join("workspace.json"))?).await?;
        app.sign_in(None).await?;
    } else if until("the sign-in of before", Duration::from_secs(10), again).await.is_err()
        && let Err(error) = app.sign_in(None).await
        && again().await.is_none()
    {
        // Where it was only late, it may have come meanwhile.
        return Err(error.into());
    }
    let cluster = var("STORY_CLUSTER")?;
    let listed = || async {
        let view = app.clusters_list().await.ok()?;
        view.clusters
            .iter()
            .any(|c| c.name == cluster && matches!(c.way, Way::OneClick { .. } | Way::Ask { .. }))
            .then_some(())
    };
    until("the inventory", INVENTORY, listed).await?;
    let profile = var("STORY_PROFILE")?;
    match profile.as_str() {
        restless::ASKS => return restless::asks(app, &cluster).await,
        restless::APPROVES => return restless::approves(app).await,
        _ => {}
    }
    let session = app.session_open(sallyport_fleet::headless::input(&cluster, &profile)).await?;
    if profile == "operate" {
        let waits = || async {
            let all = app.sessions_list().await.ok()?;
            all.iter().find_map(|s| s.waiting_for.clone())
        };
        println!("waits {}", until("the wait", Duration::from_secs(60), waits).await?);
        // Closing its input is how it is told to quit.
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
        app.shut_down().await;
        return Ok(());
    }
    let open = || async {
        let all = app.sessions_list().await.ok()?;
        all.iter().any(|s| s.id == session.id && s.state == SessionState::Open).then_some(())
    };
    until("the session", Duration::from_secs(60), open).await?;
    let (send, mut shells) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
    let output = Box::new(move |bytes: Vec<u8>| send.send(bytes).is_ok());
    let terminal = app.terminal_open(session.id, TerminalSize { cols: 80, rows: 24 }, output).await?;
    app.terminal_write(terminal.id, "echo pid:$$:\n".into()).await?;
    let mut text = String::new();
    while let Some(bytes) = shells.recv().await {
        text.push_str(&String::from_utf8_lossy(&bytes));
        let pid = text
            .split("pid:")
            .filter_map(|part| part.split(':').next())
            .find(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        if let Some(pid) = pid {
            println!("open {pid}");
            tokio::time::sleep(Duration::from_secs(120)).await;
        }
    }
    Ok(())
}
