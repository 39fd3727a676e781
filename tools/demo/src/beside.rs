//! The people at one display: each has a window with data, runtime directory, keyring and browser of its own.

use crate::PEOPLE;
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sallyport_fleet::Fleet;
use sallyport_fleet::window::{self, Secrets};
use sallyport_testkit::browser::Profile;
use sallyport_testkit::process::Scratch;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long an app that is asked to end may take for what it has open: the first proof, and some more.
const FLUSH: Duration = Duration::from_secs(10);

/// Whoever has sat down, in this order. Dropping it ends every window, and its terminals and browsers.
pub(crate) struct Beside {
    desks: Vec<Desk>,
    workspace: PathBuf,
    kubectl: PathBuf,
    ca_pem: String,
    scratch: Scratch,
}

/// What is one person's alone; it stays when their window is closed, so that the next one finds it again.
struct Desk {
    name: &'static str,
    app: Option<Child>,
    profile: Profile,
    secrets: Secrets,
    folder: PathBuf,
}

/// The names that may be typed.
pub(crate) fn names() -> String {
    PEOPLE.map(|(name, _)| name).join(", ")
}

impl Beside {
    /// Nobody yet.
    pub(crate) fn new(fleet: &Fleet, scratch: Scratch) -> Result<Self> {
        let workspace = scratch.write("workspace.json", fleet.workspace_file())?;
        let kubectl = fleet.target().plane.assets().kubectl().parent().context("kubectl is in a folder")?;
        let (kubectl, ca_pem) = (kubectl.to_owned(), fleet.idp.ca_pem().to_owned());
        Ok(Self { desks: Vec::new(), workspace, kubectl, ca_pem, scratch })
    }

    /// Does what was typed, and says what that was.
    pub(crate) async fn asked(&mut self, typed: &str) -> Result<String> {
        if typed.is_empty() {
            return Ok("The codes of now:".to_owned());
        }
        let Some((name, _)) = PEOPLE.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(typed)) else {
            return Ok(format!("Nobody here goes by that name. A window opens for {}.", names()));
        };
        if self.desks.iter().any(|desk| desk.name == name && desk.app.is_some()) {
            return Ok(format!("{name}'s window is open already."));
        }
        self.open(name).await?;
        Ok(format!("A window for {name} opens: choose “Try the demo” and sign in as {name}."))
    }

    /// Opens somebody's window.
    pub(crate) async fn open(&mut self, name: &'static str) -> Result<()> {
        let at = match self.desks.iter().position(|desk| desk.name == name) {
            Some(at) => at,
            None => {
                self.desks.push(Desk::of(name, self.scratch.path(), &self.ca_pem).await?);
                self.desks.len() - 1
            }
        };
        let app = self.desks[at].start(&self.workspace, &self.kubectl)?;
        self.desks[at].app = Some(app);
        Ok(())
    }

    /// Whether a window is open.
    pub(crate) fn any(&self) -> bool {
        self.desks.iter().any(|desk| desk.app.is_some())
    }

    /// Whose windows were closed since it was asked last; an error when one ended otherwise.
    pub(crate) fn closed(&mut self) -> Result<Vec<&'static str>> {
        let mut closed = Vec::new();
        for desk in &mut self.desks {
            let Some(app) = &mut desk.app else { continue };
            if let Some(ended) = app.try_wait()? {
                desk.app = None;
                ensure!(ended.success(), "the app of {} ended with {ended}", desk.name);
                closed.push(desk.name);
            }
        }
        Ok(closed)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // All of them first, so that they flush beside each other.
        for desk in &self.desks {
            desk.ask_to_end();
        }
        let began = Instant::now();
        for desk in &mut self.desks {
            desk.wait_until(began + FLUSH);
        }
    }
}

impl Desk {
    async fn of(name: &'static str, scratch: &Path, ca_pem: &str) -> Result<Self> {
        let folder = scratch.join(name);
        std::fs::create_dir(&folder)?;
        let secrets = Secrets::start(&folder).await?;
        Ok(Self { name, app: None, profile: Profile::new(ca_pem)?, secrets, folder })
    }

    /// The app, in a process group of its own: Ctrl+C asks us, and we end it, with its terminals and its browser.
    fn start(&self, workspace: &Path, kubectl: &Path) -> Result<Child> {
        Command::new(window::binary()?)
            .env("SALLYPORT_HOME", self.folder.join("sallyport"))
            .env("SALLYPORT_DEMO", workspace)
            .env("SALLYPORT_KUBECTL_DIR", kubectl)
            // Not the person's own: what the demo puts there is nothing for later.
            .env("SALLYPORT_KEYRING", self.secrets.bus_address())
            .env("TMPDIR", &self.folder)
            .env("BROWSER", self.profile.write_launcher()?)
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start the app for {}", self.name))
    }

    fn pid(&self) -> Option<Pid> {
        self.app.as_ref().and_then(Child::id).and_then(|id| Pid::from_raw(id.cast_signed()))
    }

    fn ask_to_end(&self) {
        if let Some(pid) = self.pid() {
            // Gone already is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// What has not ended by then is killed.
    fn wait_until(&mut self, deadline: Instant) {
        let group = self.pid();
        while let Some(app) = &mut self.app
            && matches!(app.try_wait(), Ok(None))
            && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.profile.wait_until_unused();
    }
}
