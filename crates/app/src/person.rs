//! Who sits here: the team that was joined, the sign-in and what was learned of it, and how the hub is. What lives as
//! long as a sign-in begins with [`Person::each_sign_in`]; nobody above is called by name.

pub(crate) mod faults;
mod hub_link;
mod join;
mod notes;
mod refresh_token;
mod sign_in;
mod sign_out;
mod signed;
mod workspace;

pub(crate) use signed::{SignIns, Signed, SignedInAs, how_signed_in};
pub use workspace::{Workspace, Workspaces};

use crate::desk::{AppError, Desk};
use crate::history::Recorder;
use notes::{Learned, notes};
use sallyport_ipc::{Demo, HubLink, HubState, Phase, SignIn, User, WorkspaceView};
use sallyport_model::{ErrorCode, visible};
use sallyport_oidc::second_factor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The person of this desktop.
pub(crate) struct Person {
    desk: Arc<Desk>,
    history: Recorder,
    workspaces: Workspaces,
    now: Mutex<Now>,
    signed: watch::Sender<Option<Arc<Signed>>>,
    sign_ins: watch::Sender<SignIns>,
}

/// What changes while the app runs.
struct Now {
    workspace: Option<Workspace>,
    /// The sign-in that is under way, or failed, as the window shows it.
    sign_in: Option<SignIn>,
    /// Ends the one that is under way.
    cancel: Option<CancellationToken>,
    hub: HubState,
    /// The hub's clock minus ours, seconds, from its `Date`.
    hub_ahead: Option<i64>,
    demo_joined: bool,
    learned: Learned,
    /// Somebody else than last time, who was named and may sign in when they do it again (`sub`).
    expected: Option<String>,
}

/// What the profiles of a team want of a sign-in.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Every `acr` that one of them asks for.
    pub(crate) strong: Vec<String>,
    /// The names of those that want a recent sign-in.
    pub(crate) aging: Vec<String>,
}

/// The person as the window shows them.
pub(crate) struct PersonView {
    pub(crate) phase: Phase,
    pub(crate) workspace: Option<WorkspaceView>,
    pub(crate) user: Option<User>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) hub: HubState,
    pub(crate) notes: Vec<String>,
    pub(crate) clock_skew_ms: Option<i64>,
    pub(crate) demo: Demo,
}

impl Person {
    /// Nobody is signed in yet; [`Person::resume`] goes on with a stored sign-in.
    pub(crate) fn new(desk: Arc<Desk>, history: Recorder) -> Self {
        let workspaces = Workspaces::new(&desk.dirs.config);
        let workspace = workspaces.current().unwrap_or_else(|error| {
            tracing::error!("{}", error.chain());
            None
        });
        let now = Now {
            workspace,
            sign_in: None,
            cancel: None,
            hub: hub_link::state(HubLink::Idle, None, crate::desk::now_ms()),
            hub_ahead: None,
            demo_joined: false,
            learned: Learned::default(),
            expected: None,
        };
        let person = Self {
            desk,
            history,
            workspaces,
            now: Mutex::new(now),
            signed: watch::Sender::new(None),
            sign_ins: watch::Sender::new(SignIns::default()),
        };
        let demo = person.is_demo();
        person.now().demo_joined = demo;
        person
    }

    /// The changing part, for as short as possible and never across an await.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins something with each sign-in, until the app ends. A step-up is no other sign-in.
    pub(crate) async fn each_sign_in(&self, begin: impl Fn(Arc<Signed>)) {
        let mut signed_in = self.signed.subscribe();
        let mut number = None;
        loop {
            let signed = signed_in.borrow_and_update().clone();
            if let Some(signed) = signed.filter(|signed| number != Some(signed.number)) {
                number = Some(signed.number);
                begin(signed);
            }
            tokio::select! {
                changed = signed_in.changed() => if changed.is_err() { return },
                () = self.desk.stop.cancelled() => return,
            }
        }
    }

    /// Each sign-in that ended, for those who wait for a stronger one.
    pub(crate) fn sign_ins(&self) -> watch::Receiver<SignIns> {
        self.sign_ins.subscribe()
    }

    /// The sign-in, if there is one.
    pub(crate) fn is_signed_in(&self) -> Option<Arc<Signed>> {
        self.signed.borrow().clone()
    }

    /// The sign-in, or the error that asks for one.
    pub(crate) fn signed(&self) -> Result<Arc<Signed>, AppError> {
        self.is_signed_in().ok_or_else(|| {
            AppError::new(ErrorCode::SignInNeeded, "you are not signed in").hint("Sign in to go on.")
        })
    }

    /// Whether the last sign-in did not say when it was, though it was asked to.
    pub(crate) fn has_no_auth_time(&self) -> bool {
        self.now().learned.no_auth_time
    }

    /// Whether the joined workspace is the demo's.
    fn is_demo(&self) -> bool {
        let Some(path) = &self.desk.options.demo else { return false };
        let demo = std::fs::read_to_string(path).ok().and_then(|text| Workspace::parse(&text).ok());
        demo.is_some() && demo == self.now().workspace
    }

    /// The view; `wishes` are those of the team's profiles.
    pub(crate) fn view(&self, wishes: &Wishes) -> PersonView {
        let signed = self.is_signed_in();
        let now = self.now();
        let over = signed.as_ref().is_some_and(|s| s.tokens.over().is_some());
        let drift = signed.as_ref().map(|s| s.tokens.drift()).unwrap_or_default();
        PersonView {
            phase: match (&now.workspace, &signed) {
                (None, _) => Phase::FirstRun,
                (Some(_), None) => Phase::SignedOut,
                (Some(_), Some(_)) => Phase::Ready,
            },
            workspace: now.workspace.as_ref().map(|w| workspace_view(w, &now.learned)),
            user: signed.as_ref().map(|s| user_view(s, &wishes.strong)),
            sign_in: now.sign_in.clone(),
            hub: HubState { sign_in: over, ..now.hub.clone() },
            notes: notes(&now.learned, &drift, &wishes.aging, signed.is_some())
                .iter()
                .map(|note| visible(note))
                .collect(),
            clock_skew_ms: now.hub_ahead.map(|s| -s * 1000),
            demo: match (&self.desk.options.demo, now.demo_joined) {
                (None, _) => Demo::None,
                (Some(_), true) => Demo::Running,
                (Some(_), false) => Demo::Offered,
            },
        }
    }
}

fn user_view(signed: &Signed, strong: &[String]) -> User {
    let who = &signed.who;
    let acr = who.acr.first().map(String::as_str);
    let at = who.auth_time.filter(|t| *t > 0).filter(|_| second_factor(&who.amr, acr, strong));
    User {
        name: visible(who.user.as_str()),
        email: signed.email.as_deref().map(visible),
        groups: who.groups.iter().map(|g| visible(g)).collect(),
        mfa_at: at.map(|t| t.saturating_mul(1000)),
        acr: acr.map(visible),
        amr: who.amr.iter().map(|a| visible(a)).collect(),
    }
}

fn workspace_view(workspace: &Workspace, learned: &Learned) -> WorkspaceView {
    WorkspaceView {
        signs_in_at: learned.other_host.as_deref().map(visible),
        code_goes_to: learned.code_host.as_deref().map(visible),
        name: visible(&workspace.name),
        hub_host: visible(&workspace.hub_host()),
        issuer: visible(&workspace.oidc.issuer),
    }
}
