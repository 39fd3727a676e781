//! The app's state and how it starts and ends. Use cases are in the files beside this one, one per noun.

use crate::dirs::Dirs;
use crate::error::AppError;
use crate::history::Recorder;
use crate::host::Host;
use crate::inventory::{Inventory, SignedInAs};
use crate::notes::Learned;
use crate::options::Options;
use crate::secrets;
use crate::session::Session;
use crate::workspace::{Workspace, Workspaces};
use jiff::Timestamp;
use sallyport_audit::ChainKey;
use sallyport_gateway::{Call, Gateway, GatewayOptions};
use sallyport_hub::{Hub, Team};
use sallyport_ipc::{Cleanup, ErrorView, Event, HubLink, HubState, SignIn, Theme, VerifyView};
use sallyport_model::SessionId;
use sallyport_oidc::TokenSource;
use sallyport_store::{History, InstanceLock, Prefs, StoreError};
use sallyport_vault::Vault;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Everything the desktop does. Cheap to clone; all clones are the same app.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Core>);

/// What all use cases share.
pub(crate) struct Core {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) options: Options,
    pub(crate) dirs: Dirs,
    pub(crate) workspaces: Workspaces,
    pub(crate) recorder: Recorder,
    pub(crate) prefs: Prefs,
    pub(crate) vault: Arc<Vault>,
    pub(crate) gateway: Gateway,
    pub(crate) calls: mpsc::Sender<Call>,
    pub(crate) inventory: RwLock<Inventory>,
    pub(crate) sessions: Mutex<BTreeMap<SessionId, Arc<Session>>>,
    /// Wakes whoever waits for a stronger sign-in.
    pub(crate) signed_in_again: Notify,
    /// Wakes the task that hints at changes of the inventory.
    pub(crate) clusters_changed: Notify,
    /// Ends every background task.
    pub(crate) stop: CancellationToken,
    shared: Mutex<Shared>,
    _lock: InstanceLock,
}

/// What changes while the app runs.
pub(crate) struct Shared {
    pub(crate) workspace: Option<Workspace>,
    pub(crate) signed: Option<Signed>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) cancel_sign_in: Option<CancellationToken>,
    pub(crate) hub: HubState,
    /// The hub's clock minus ours, seconds, from its `Date`.
    pub(crate) hub_ahead: Option<i64>,
    pub(crate) theme: Theme,
    pub(crate) verified: Option<VerifyView>,
    pub(crate) cleanup: Vec<Cleanup>,
    pub(crate) demo_joined: bool,
    /// What was learned of the provider and the sign-in.
    pub(crate) learned: Learned,
    /// Step-ups that succeeded in this run.
    pub(crate) step_ups: u64,
    /// Why the last step-up failed for good: waiting for another one is in vain.
    pub(crate) no_step_up: Option<ErrorView>,
    /// Somebody else than last time, who was named and may sign in when they do it again (`sub`).
    pub(crate) expected: Option<String>,
}

/// One person's sign-in and what hangs on it.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) tokens: TokenSource,
    pub(crate) hub: Hub,
    /// The hub's address.
    pub(crate) hub_url: String,
    pub(crate) who: SignedInAs,
    pub(crate) email: Option<String>,
    pub(crate) teams: Vec<Team>,
    /// Ends the watches of this sign-in.
    pub(crate) stop: CancellationToken,
}

impl App {
    /// Takes the data directory, opens history, preferences and vault, starts the gateway, cleans up what an earlier
    /// run left, and goes on with a stored sign-in in the background. Contacts no cluster (promise P6).
    ///
    /// # Errors
    /// When another instance has the directory, or one of the parts can't be opened.
    pub async fn start(dirs: Dirs, options: Options, host: Arc<dyn Host>) -> Result<Self, AppError> {
        dirs.create()?;
        let lock = InstanceLock::take(&dirs.data).map_err(in_use)?;
        let vault = Arc::new(secrets::open(&dirs, options.keyring.clone()).await?);
        let key = secrets::history_key(&vault).await.map(|bytes| ChainKey::new(*bytes.expose()));
        let history = History::open(&dirs.data, key).await.map_err(no_store("history"))?;
        let prefs = Prefs::open(&dirs.data).await.map_err(no_store("preferences"))?;
        let options_of_gateway =
            GatewayOptions { connect_within: options.deadline, ..GatewayOptions::default() };
        let gateway = Gateway::start(options_of_gateway).await.map_err(|e| {
            AppError::failed("the gateway could not be started").hint("Start Sallyport again.").because(e)
        })?;
        let theme = prefs.theme().await.map(theme_view).unwrap_or(Theme::System);
        let workspaces = Workspaces::new(&dirs.config);
        let workspace = workspaces.current().unwrap_or_else(|error| {
            tracing::error!("{}", error.chain());
            None
        });
        let (calls, received) = mpsc::channel(1024);
        let shared = Shared {
            demo_joined: false,
            learned: Learned::default(),
            step_ups: 0,
            no_step_up: None,
            expected: None,
            workspace,
            signed: None,
            sign_in: None,
            cancel_sign_in: None,
            hub: HubState {
                link: HubLink::Idle,
                since: now_ms(),
                message: None,
                retry_at: None,
                sign_in: false,
            },
            hub_ahead: None,
            theme,
            verified: None,
            cleanup: Vec::new(),
        };
        let core = Arc::new(Core {
            host,
            options,
            workspaces,
            recorder: Recorder::new(history),
            prefs,
            vault,
            gateway,
            calls,
            inventory: RwLock::default(),
            sessions: Mutex::default(),
            signed_in_again: Notify::new(),
            clusters_changed: Notify::new(),
            stop: CancellationToken::new(),
            shared: Mutex::new(shared),
            dirs,
            _lock: lock,
        });
        core.shared().demo_joined = core.is_demo();
        let app = Self(core);
        app.sweep_at_start().await;
        app.spawn_background(received);
        app.resume();
        Ok(app)
    }

    fn spawn_background(&self, received: mpsc::Receiver<Call>) {
        tokio::spawn(crate::session::take_calls(self.clone(), received));
        tokio::spawn(hint_at_clusters(self.0.clone()));
        tokio::spawn(hint_at_history(self.0.clone()));
    }

    /// Ends every session (3 s for the first proof), then gateway, watches and history. What could not be proven
    /// stays noted and is finished at the next start.
    pub async fn shut_down(&self) {
        self.close_all(sallyport_gateway::CutReason::Quit, Duration::from_secs(3)).await;
        self.0.stop.cancel();
        self.0.gateway.shutdown().await;
        self.0.recorder.close(Duration::from_secs(3)).await;
    }
}

impl Core {
    /// The changing part, for as short as possible and never across an await.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sign-in, or the error that asks for one.
    pub(crate) fn signed(&self) -> Result<Signed, AppError> {
        self.shared().signed.clone().ok_or_else(|| {
            AppError::new(sallyport_model::ErrorCode::SignInNeeded, "you are not signed in")
                .hint("Sign in to go on.")
        })
    }

    /// Now by the hub's clock, Unix seconds.
    pub(crate) fn hub_now(&self) -> i64 {
        Timestamp::now().as_second() + self.shared().hub_ahead.unwrap_or_default()
    }

    /// Tells the window everything around the views.
    pub(crate) fn tell_state(&self) {
        self.host.tell(Event::State { state: Box::new(self.state()) });
    }

    /// Whether the joined workspace is the demo's.
    pub(crate) fn is_demo(&self) -> bool {
        let Some(path) = &self.options.demo else { return false };
        let demo = std::fs::read_to_string(path).ok().and_then(|text| Workspace::parse(&text).ok());
        demo.is_some() && demo == self.shared().workspace
    }
}

pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn theme_view(theme: sallyport_store::Theme) -> Theme {
    match theme {
        sallyport_store::Theme::Dark => Theme::Dark,
        sallyport_store::Theme::Light => Theme::Light,
        sallyport_store::Theme::System => Theme::System,
    }
}

fn in_use(error: StoreError) -> AppError {
    let message = match &error {
        StoreError::Locked { pid: Some(pid), .. } => {
            format!("Sallyport is already running here (process {pid})")
        }
        StoreError::Locked { .. } => "Sallyport is already running here".to_owned(),
        _ => "the data directory can't be used".to_owned(),
    };
    AppError::failed(message)
        .hint("Use the window that is open, or set SALLYPORT_HOME to another directory.")
        .because(error)
}

fn no_store(what: &'static str) -> impl FnOnce(StoreError) -> AppError {
    move |e| {
        AppError::failed(format!("the {what} can't be opened"))
            .hint("Check the disk and the directory's owner; the log has the details.")
            .because(e)
    }
}

/// Hints at once, then at most once a second.
async fn hint_at_clusters(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = core.clusters_changed.notified() => {
                core.host.tell(Event::ClustersChanged);
                // Which profiles are out of reach is known with them.
                if core.shared().learned.no_auth_time {
                    core.tell_state();
                }
            }
            () = core.stop.cancelled() => return,
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn hint_at_history(core: Arc<Core>) {
    let mut tip = core.recorder.history().subscribe();
    loop {
        tokio::select! {
            changed = tip.changed() => if changed.is_err() { return },
            () = core.stop.cancelled() => return,
        }
        let sequence = i64::try_from(tip.borrow_and_update().sequence).unwrap_or(i64::MAX);
        core.host.tell(Event::HistoryGrew { position: sallyport_ipc::AuditPosition { sequence } });
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
