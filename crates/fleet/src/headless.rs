//! A desktop without a window: the app, a person's browser, and what the window would have been told.
//! Stories and benches drive it; [`crate::fleet::Fleet`] is what it talks to.

use crate::fleet::Fleet;
use anyhow::{Context, Result, bail};
use sallyport_app::{App, AppError, Dirs, Host, Keyring, LogTail, Options};
use sallyport_ipc::{Event, OpenInput, ProofKind, ProofState, SessionState, SessionView, StepUp};
use sallyport_oidc::{Ask, Provider, ProviderConfig};
use sallyport_testkit::browser::FormBrowser;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long an ask without an answer is looked for in stories.
pub const MAY_COME_IN: Duration = Duration::from_secs(12);
/// The deadline of one network call in stories.
pub const DEADLINE: Duration = Duration::from_secs(4);

/// What a window would be.
struct Headless {
    browser: Arc<FormBrowser>,
    opened: Mutex<u32>,
    told: Mutex<Vec<Event>>,
}

impl Host for Headless {
    fn open_browser(&self, url: &str) -> Result<(), AppError> {
        *self.opened.lock().expect("nobody panics here") += 1;
        let (browser, url) = (self.browser.clone(), url.to_owned());
        tokio::spawn(async move {
            if let Err(error) = browser.sign_in(&url).await {
                eprintln!("the browser: {error:#}");
            }
        });
        Ok(())
    }

    fn tell(&self, event: Event) {
        self.told.lock().expect("nobody panics here").push(event);
    }

    fn exit(&self) {}
}

/// One person's desktop in a directory of its own.
pub struct Desktop {
    pub app: App,
    pub home: tempfile::TempDir,
    host: Arc<Headless>,
}

/// The options of a story's app.
pub fn options(fleet: &Fleet) -> Options {
    Options {
        deadline: DEADLINE,
        may_come_in: MAY_COME_IN,
        broker: Duration::from_secs(10),
        keyring: Keyring::Off,
        demo: None,
        kubectl_dir: fleet.target().plane.assets().kubectl().parent().map(PathBuf::from),
        shell: Some("/bin/bash".into()),
        log: LogTail::default(),
    }
}

impl Desktop {
    /// A fresh desktop of `sub` that has joined the fleet and is not signed in.
    pub async fn joined(fleet: &Fleet, sub: &str) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let desktop = Self::at(fleet, sub, home).await?;
        desktop.app.workspace_join(fleet.workspace_file()).await?;
        Ok(desktop)
    }

    /// A desktop of `sub` in an existing directory.
    pub async fn at(fleet: &Fleet, sub: &str, home: tempfile::TempDir) -> Result<Self> {
        Self::with(fleet, sub, home, options(fleet)).await
    }

    /// The same with other options.
    pub async fn with(fleet: &Fleet, sub: &str, home: tempfile::TempDir, options: Options) -> Result<Self> {
        Self::by(FormBrowser::of(&fleet.idp, sub)?, home, options).await
    }

    /// A desktop whose person uses this browser.
    pub async fn by(browser: FormBrowser, home: tempfile::TempDir, options: Options) -> Result<Self> {
        let browser = Arc::new(browser);
        let host = Arc::new(Headless { browser, opened: Mutex::new(0), told: Mutex::default() });
        let app = App::start(Dirs::under(home.path()), options, host.clone()).await?;
        Ok(Self { app, home, host })
    }

    /// A desktop that is signed in and has its inventory.
    pub async fn signed_in(fleet: &Fleet, sub: &str) -> Result<Self> {
        let desktop = Self::joined(fleet, sub).await?;
        desktop.app.sign_in(None).await?;
        desktop.until_listed(fleet).await?;
        Ok(desktop)
    }

    /// Waits until the list shows what may be opened.
    pub async fn until_listed(&self, fleet: &Fleet) -> Result<()> {
        let name = fleet.target().spec.name;
        until("the inventory", Duration::from_secs(30), async || {
            let view = self.app.clusters_list().await.ok()?;
            let cluster = view.clusters.into_iter().find(|c| c.name == name)?;
            (!matches!(cluster.way, sallyport_ipc::Way::Unknown)).then_some(())
        })
        .await
    }

    /// How often a browser was opened.
    pub fn browsers_opened(&self) -> u32 {
        *self.host.opened.lock().expect("nobody panics here")
    }

    /// Everything the window was told, as JSON.
    pub fn everything_told(&self) -> String {
        serde_json::to_string(&*self.host.told.lock().expect("nobody panics here")).expect("events serialise")
    }

    /// Opens and waits until it is open.
    ///
    /// # Errors
    /// With the session's own error when it fails to open.
    pub async fn open(&self, cluster: &str, profile: &str) -> Result<SessionView> {
        let started = self.app.session_open(input(cluster, profile)).await?;
        let view = self.until(&started.id, |v| v.state != SessionState::Opening).await?;
        match (view.state, &view.error) {
            (SessionState::Open, _) => Ok(view),
            (_, Some(error)) => bail!("{}: {}", serde_json::to_string(&error.code)?, error.message),
            (state, None) => bail!("the session is {state:?}"),
        }
    }

    /// A session as it is now.
    pub async fn session(&self, id: &str) -> Result<SessionView> {
        self.app.sessions_list().await?.into_iter().find(|s| s.id == id).context("there is no such session")
    }

    /// Waits until a session is as wanted.
    pub async fn until(&self, id: &str, wanted: impl Fn(&SessionView) -> bool) -> Result<SessionView> {
        self.until_within(id, Duration::from_secs(40), wanted).await
    }

    /// Waits so long at most until a session is as wanted.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn until_within(
        &self,
        id: &str,
        within: Duration,
        wanted: impl Fn(&SessionView) -> bool,
    ) -> Result<SessionView> {
        let found = until("the session", within, async || self.session(id).await.ok().filter(&wanted)).await;
        match found {
            Ok(view) => Ok(view),
            Err(error) => Err(error.context(serde_json::to_string(&self.session(id).await?)?)),
        }
    }

    /// The path of a session's private kubeconfig.
    pub fn kubeconfig(&self) -> Result<PathBuf> {
        let run = self.home.path().join("run");
        let mut found = Vec::new();
        for entry in walk(&run)? {
            if std::fs::read_to_string(&entry).is_ok_and(|text| text.contains("client-key-data")) {
                found.push(entry);
            }
        }
        found.pop().context("no private kubeconfig in the runtime directory")
    }
}

/// Every file below a directory.
pub fn walk(dir: &std::path::Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(walk(&entry.path())?)
        } else {
            files.push(entry.path())
        }
    }
    Ok(files)
}

/// What a click asks for, with a reason.
pub fn input(cluster: &str, profile: &str) -> OpenInput {
    OpenInput {
        cluster: cluster.to_owned(),
        profile: Some(profile.to_owned()),
        reason: Some("INC-4312 p99 latency after deploy".to_owned()),
        ..OpenInput::default()
    }
}

/// How a line of the proof stands.
pub fn proof(view: &SessionView, kind: ProofKind) -> (Option<ProofState>, u32, String) {
    let line = view.proof.iter().find(|p| p.kind == kind);
    (
        line.map(|l| l.state),
        line.and_then(|l| l.ms).unwrap_or_default(),
        line.map(|l| l.detail.to_string()).unwrap_or_default(),
    )
}

/// What a step-up must reach, as the refusal said.
pub fn step_up(view: &SessionView) -> Option<StepUp> {
    view.error.as_ref().and_then(|e| e.step_up.clone())
}

/// Polls until there is something.
pub async fn until<T>(what: &str, within: Duration, ask: impl AsyncFn() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return Ok(found);
        }
        if started.elapsed() > within {
            bail!("{what} was not as wanted within {} s", within.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What is read as soon as it fits; where it does not within that time, what was read last.
///
/// # Errors
/// When the last read failed.
pub async fn at_last<T>(
    within: Duration,
    read: impl AsyncFn() -> Result<T>,
    fits: impl Fn(&T) -> bool,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let found = read().await;
        if found.as_ref().is_ok_and(&fits) || started.elapsed() > within {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An ID token for the hub, by a sign-in of its own.
///
/// # Errors
/// When the sign-in fails.
pub async fn id_token(fleet: &Fleet, sub: &str) -> Result<String> {
    let config = ProviderConfig {
        scopes: vec!["email".into(), "profile".into(), "groups".into()],
        extra_ca_pem: Some(fleet.idp.ca_pem().to_owned()),
        timeout: DEADLINE,
        ..ProviderConfig::of(fleet.idp.issuer(), fleet.idp.client_id())
    };
    let pending = Provider::discover(&config).await?.begin(Ask::default()).await?;
    let (url, browser) = (pending.authorization_url().to_string(), FormBrowser::of(&fleet.idp, sub)?);
    let (signed_in, _) =
        tokio::join!(pending.finish(Duration::from_secs(20), std::future::pending()), browser.sign_in(&url));
    Ok(signed_in?.id_token.expose().clone())
}
