//! Who sits here: a seat for each workspace that was joined, with the sign-in, what was learned of it and how the hub is.
//! What may follow what in a seat is [`seat::Seat`]'s, which is pure. What lives as long as a sign-in begins with
//! [`Person::each_sign_in`]; nobody above is called by name.

pub(crate) mod faults;
mod hub_link;
mod hub_side;
mod join;
mod notes;
mod ports;
mod provider_side;
mod refresh_token;
mod seat;
mod sign_in;
mod sign_out;
mod signed;
mod vouch;
mod workspace;

pub(crate) use signed::{SignIns, Signed, SignedInAs, how_signed_in};
pub(crate) use workspace::WorkspaceId;
pub use workspace::{Workspace, Workspaces};

use crate::desk::{AppError, Desk, now_ms};
use crate::history::Recorder;
use hub_side::ApiServers;
use notes::notes;
use ports::Ports;
use provider_side::OpenIdConnect;
use sallyport_ipc::{Demo, HubLink, HubState, Phase, Shown, SignIn, User, WorkspaceView};
use sallyport_model::ErrorCode;
use sallyport_oidc::second_factor;
use seat::Seat;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The person of this desktop: a seat in each workspace that was joined in this run or the last, and the one in front of
/// the window.
pub(crate) struct Person {
    desk: Arc<Desk>,
    history: Recorder,
    ports: Ports,
    workspaces: Workspaces,
    seats: Mutex<Seats>,
    /// Counts the times that somebody sat down or got up.
    sat: watch::Sender<u64>,
}

/// The seats. Without one in front no team was joined yet.
#[derive(Default)]
struct Seats {
    front: Option<WorkspaceId>,
    all: BTreeMap<WorkspaceId, Seat<Signed>>,
}

impl Seats {
    fn front(&self) -> Option<&Seat<Signed>> {
        self.all.get(self.front.as_ref()?)
    }

    /// Puts a workspace in front; who sits there goes on.
    fn put_in_front(&mut self, workspace: &Workspace) -> &mut Seat<Signed> {
        let id = workspace.id();
        self.front = Some(id.clone());
        let seat = self.all.entry(id).or_insert_with(|| Seat::new(workspace.clone(), now_ms()));
        seat.workspace = workspace.clone();
        seat
    }
}

/// What the profiles of a team want of a sign-in.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Every `acr` that one of them asks for.
    pub(crate) strong: Vec<String>,
    /// The names of those that want a recent sign-in.
    pub(crate) aging: Vec<String>,
    /// The names of those that want the provider's word again and again.
    pub(crate) vouching: Vec<String>,
}

/// The person as the window shows them.
pub(crate) struct PersonView {
    pub(crate) phase: Phase,
    pub(crate) workspace: Option<WorkspaceView>,
    pub(crate) user: Option<User>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) hub: HubState,
    pub(crate) notes: Vec<Shown>,
    pub(crate) clock_skew_ms: Option<i64>,
    pub(crate) demo: Demo,
}

impl Person {
    /// Nobody is signed in yet; [`Person::resume`] goes on with a stored sign-in.
    pub(crate) fn new(desk: Arc<Desk>, history: Recorder) -> Self {
        let ports = Ports {
            providers: Arc::new(OpenIdConnect),
            hubs: Arc::new(ApiServers(desk.options.deadline)),
            vault: desk.vault.clone(),
        };
        Self::asking(desk, history, ports)
    }

    /// The same, with other providers and hubs than the product's.
    fn asking(desk: Arc<Desk>, history: Recorder, ports: Ports) -> Self {
        let workspaces = Workspaces::new(&desk.dirs.config);
        let workspace = workspaces.current().unwrap_or_else(|error| {
            tracing::error!("{}", error.chain());
            None
        });
        let mut seats = Seats::default();
        if let Some(workspace) = workspace {
            seats.put_in_front(&workspace).is_demo = join::is_demo(&desk, &workspace);
        }
        Self { desk, history, ports, workspaces, seats: Mutex::new(seats), sat: watch::Sender::new(0) }
    }

    /// The seats, for as short as possible and never across an await.
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the seat of a workspace, or changes it; `None` where there is none.
    fn at<T>(&self, workspace: &WorkspaceId, then: impl FnOnce(&mut Seat<Signed>) -> T) -> Option<T> {
        self.seats().all.get_mut(workspace).map(then)
    }

    /// The workspace in front, as its file says.
    fn workspace(&self) -> Option<Workspace> {
        self.seats().front().map(|seat| seat.workspace.clone())
    }

    /// The workspace that the window shows.
    pub(crate) fn in_front(&self) -> Option<WorkspaceId> {
        self.seats().front.clone()
    }

    /// A workspace's name, as its file says.
    pub(crate) fn name_of(&self, workspace: &WorkspaceId) -> Option<String> {
        self.seats().all.get(workspace).map(|seat| seat.workspace.name.clone())
    }

    /// Tells those who begin and end with a sign-in.
    fn has_sat(&self) {
        self.sat.send_modify(|count| *count += 1);
    }

    /// Begins something with each sign-in, until the app ends. A step-up is no other sign-in.
    pub(crate) async fn each_sign_in(&self, begin: impl Fn(Arc<Signed>)) {
        let mut sat = self.sat.subscribe();
        let mut begun: HashMap<WorkspaceId, u64> = HashMap::new();
        loop {
            sat.mark_unchanged();
            let sits: Vec<_> = self.seats().all.values().filter_map(|seat| seat.signed().cloned()).collect();
            for signed in sits {
                if begun.insert(signed.workspace.clone(), signed.number) != Some(signed.number) {
                    begin(signed);
                }
            }
            tokio::select! {
                changed = sat.changed() => if changed.is_err() { return },
                () = self.desk.stop.cancelled() => return,
            }
        }
    }

    /// Each sign-in at a workspace that ended, for those who wait for a stronger one.
    pub(crate) fn sign_ins(&self, workspace: &WorkspaceId) -> watch::Receiver<SignIns> {
        // A workspace without a seat has no sign-ins, and nobody tells of any.
        self.at(workspace, |seat| seat.sign_ins())
            .unwrap_or_else(|| watch::Sender::new(SignIns::default()).subscribe())
    }

    /// The sign-in at the workspace in front, if there is one.
    pub(crate) fn is_signed_in(&self) -> Option<Arc<Signed>> {
        self.seats().front().and_then(Seat::signed).cloned()
    }

    /// The sign-in at a workspace, if there is one.
    pub(crate) fn is_signed_in_at(&self, workspace: &WorkspaceId) -> Option<Arc<Signed>> {
        self.seats().all.get(workspace).and_then(Seat::signed).cloned()
    }

    /// The sign-in at the workspace in front, or the error that asks for one.
    pub(crate) fn signed(&self) -> Result<Arc<Signed>, AppError> {
        self.is_signed_in().ok_or_else(not_signed_in)
    }

    /// Whether the last sign-in did not say when it was, though it was asked to.
    pub(crate) fn has_no_auth_time(&self) -> bool {
        self.seats().front().is_some_and(|seat| seat.learned.no_auth_time)
    }

    /// The view; `wishes` are those of the team's profiles.
    pub(crate) fn view(&self, wishes: &Wishes) -> PersonView {
        let is_offered = self.desk.options.demo.is_some();
        let seats = self.seats();
        let Some(seat) = seats.front() else {
            return PersonView {
                phase: Phase::FirstRun,
                workspace: None,
                user: None,
                sign_in: None,
                hub: seat::hub_state(HubLink::Idle, None, now_ms()),
                notes: Vec::new(),
                clock_skew_ms: None,
                demo: if is_offered { Demo::Offered } else { Demo::None },
            };
        };
        let signed = seat.signed();
        let over = signed.is_some_and(|s| s.tokens.over().is_some());
        let drift = signed.map(|s| s.tokens.drift()).unwrap_or_default();
        PersonView {
            phase: if signed.is_some() { Phase::Ready } else { Phase::SignedOut },
            workspace: Some(workspace_view(&seat.workspace, &seat.learned)),
            user: signed.map(|s| user_view(s, &wishes.strong)),
            sign_in: seat.shown().cloned(),
            hub: HubState { sign_in: over, ..seat.hub.clone() },
            notes: notes(&seat.learned, &drift, wishes, signed.map(|signed| signed.who.says_issued))
                .iter()
                .map(Shown::from)
                .collect(),
            clock_skew_ms: seat.hub_ahead.map(|s| -s * 1000),
            demo: match (is_offered, seat.is_demo) {
                (false, _) => Demo::None,
                (true, true) => Demo::Running,
                (true, false) => Demo::Offered,
            },
        }
    }
}

/// Asks for a sign-in.
pub(crate) fn not_signed_in() -> AppError {
    AppError::new(ErrorCode::SignInNeeded, "you are not signed in").hint("Sign in to go on.")
}

fn user_view(signed: &Signed, strong: &[String]) -> User {
    let who = &signed.who;
    let acr = who.acr.first().map(String::as_str);
    let at = who.auth_time.filter(|t| *t > 0).filter(|_| second_factor(&who.amr, acr, strong));
    User {
        name: Shown::from(who.user.as_str()),
        email: signed.email.as_deref().map(Shown::from),
        groups: who.groups.iter().map(Shown::from).collect(),
        mfa_at: at.map(|t| t.saturating_mul(1000)),
        acr: acr.map(Shown::from),
        amr: who.amr.iter().map(Shown::from).collect(),
    }
}

fn workspace_view(workspace: &Workspace, learned: &notes::Learned) -> WorkspaceView {
    WorkspaceView {
        signs_in_at: learned.other_host.as_deref().map(Shown::from),
        code_goes_to: learned.code_host.as_deref().map(Shown::from),
        name: Shown::from(&workspace.name),
        hub_host: Shown::from(&workspace.hub_host()),
        issuer: Shown::from(&workspace.oidc.issuer),
    }
}

#[cfg(test)]
pub(crate) mod tests;
