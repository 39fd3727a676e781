//! The app is killed with -9 while a session and a terminal are open; the next start says what it cleaned (P14).

use crate::lines::Lines;
use anyhow::{Context, Result, bail};
use sallyport_app::{App, AppError, Dirs, Host, Options};
use sallyport_ipc::{CleanupProof, Event, SessionState, TerminalSize};
use sallyport_testkit::browser::{FormBrowser, Person};
use sallyport_testkit::fleet::Fleet;
use sallyport_testkit::headless::{Desktop, until, walk};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The argument that makes this program a desktop to be killed.
pub(crate) const CHILD: &str = "desktop-to-be-killed";

pub(crate) async fn killed(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let home = tempfile::tempdir()?;
    let workspace = home.path().join("workspace.json");
    std::fs::write(&workspace, fleet.workspace_file())?;
    let account = fleet.idp.account("dana");
    let mut child = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .env("STORY_HOME", home.path())
        .env("STORY_CA", fleet.idp.ca_pem())
        .env("STORY_USER", &account.email)
        .env("STORY_PASSWORD", &account.password)
        .env("STORY_CODE", fleet.idp.spare_code("dana").await?)
        .env("STORY_CLUSTER", fleet.target().spec.name)
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().context("its output is piped")?;
    let ready = tokio::task::spawn_blocking(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).find(|line| line.starts_with("open "))
    });
    let ready = tokio::time::timeout(Duration::from_secs(60), ready).await??;
    let Some(shell) = ready.and_then(|l| l.trim_start_matches("open ").parse::<u32>().ok()) else {
        child.kill()?;
        bail!("the desktop did not get as far as a terminal");
    };
    let left: Vec<PathBuf> = walk(&home.path().join("run"))?;
    lines.seen("a desktop is open with a terminal", format!("shell {shell}, {} private files", left.len()));
    child.kill()?;
    child.wait()?;
    until("the shell's end", Duration::from_secs(5), async || {
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
    let proven = until("the cleanup", Duration::from_secs(30), async || {
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
    let options = Options { keyring: false, shell: Some("/bin/bash".into()), ..Options::default() };
    let app = App::start(Dirs::under(&home), options, host).await?;
    app.workspace_join(std::fs::read_to_string(home.join("workspace.json"))?).await?;
    app.sign_in(None).await?;
    let cluster = var("STORY_CLUSTER")?;
    let listed = || async {
        let view = app.clusters_list().await.ok()?;
        view.clusters
            .iter()
            .any(|c| c.name == cluster && matches!(c.way, sallyport_ipc::Way::OneClick { .. }))
            .then_some(())
    };
    until("the inventory", Duration::from_secs(10), listed).await?;
    let session = app.session_open(sallyport_testkit::headless::input(&cluster, "view")).await?;
    let open = || async {
        let all = app.sessions_list().await.ok()?;
        all.iter().any(|s| s.id == session.id && s.state == SessionState::Open).then_some(())
    };
    until("the session", Duration::from_secs(20), open).await?;
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
