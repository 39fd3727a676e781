//! The sessions of this desktop. Each has one owner, a task that holds what there is of it by value and lives its life in
//! one straight line ([`life`]): ask → follow → unseal → serve → watch → close → prove → until over. Everybody else sees a
//! [`Session`] and can ask it to end.

mod ask;
mod calls;
mod close;
mod end;
mod extend;
mod follow;
mod ground;
mod hub_side;
mod leftovers;
mod life;
mod note;
mod owner;
mod ports;
mod proof;
mod record;
mod request_key;
mod rights;
mod serve;
mod session;
mod standing;
mod tell;
mod terminal;
mod terminals;
mod traffic;
mod vouch;
mod vouched;
mod way_in;
mod word;

pub(crate) use end::End;
pub(crate) use ground::GatewayAndTargets;
pub(crate) use hub_side::HubOf;
pub(crate) use leftovers::Leftovers;
pub(crate) use record::Record;
pub(crate) use session::Session;
pub(crate) use standing::Standing;
pub(crate) use way_in::WayIn;

use crate::desk::{AppError, Desk};
use crate::history::Recorder;
use crate::inventory::Choice;
use crate::person::WorkspaceId;
use crate::recordings::Recordings;
use owner::{Begun, HandOver, Owner};
use ports::{Ground, HubSide};
use sallyport_gateway::Call;
use sallyport_hub::seal::KeyPair;
use sallyport_ipc::{Event, SessionView};
use sallyport_model::{ClusterName, ErrorCode, Hold, RequestUid, SessionId, SessionState, UserName};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// All of them, and what their owners work with.
pub(crate) struct Sessions {
    desk: Arc<Desk>,
    history: Recorder,
    recordings: Arc<Recordings>,
    ground: Arc<dyn Ground>,
    all: Mutex<BTreeMap<SessionId, Arc<Session>>>,
    /// Whether the app ends: nothing is begun any more.
    is_quitting: AtomicBool,
    /// Where an extension of each brings what it got.
    hand_overs: Mutex<BTreeMap<SessionId, mpsc::Sender<HandOver>>>,
    remembered: Notify,
    /// Counts the changes of all of them, for the parts above.
    moved: watch::Sender<u64>,
}

impl Sessions {
    /// None yet.
    pub(crate) fn new(
        desk: Arc<Desk>,
        history: Recorder,
        recordings: Arc<Recordings>,
        ground: Arc<dyn Ground>,
    ) -> Arc<Self> {
        Arc::new(Self {
            desk,
            history,
            recordings,
            ground,
            all: Mutex::default(),
            is_quitting: AtomicBool::new(false),
            hand_overs: Mutex::default(),
            remembered: Notify::new(),
            moved: watch::Sender::new(0),
        })
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<SessionId, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_owners(&self) -> MutexGuard<'_, BTreeMap<SessionId, mpsc::Sender<HandOver>>> {
        self.hand_overs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes every call into the history and shows it, until the gateway is gone.
    pub(crate) async fn take_calls(
        self: Arc<Self>,
        gateway: sallyport_gateway::Gateway,
        received: mpsc::Receiver<Call>,
    ) {
        traffic::take(self, gateway, received).await;
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.map().values().cloned().collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is no such session.
    pub(crate) fn get(&self, id: &str) -> Result<Arc<Session>, AppError> {
        self.map().get(&SessionId::new(id)).cloned().ok_or_else(|| {
            AppError::new(ErrorCode::Failed, "there is no such session")
                .hint("It may have been closed already.")
        })
    }

    /// The one that opens or is open on a cluster.
    pub(crate) fn open_on(&self, workspace: &WorkspaceId, cluster: &ClusterName) -> Option<Arc<Session>> {
        self.map().values().find(|session| session.is_open_on(workspace, cluster, None)).cloned()
    }

    /// Ends those that are held, by who asked for them and where.
    pub(crate) fn end_held(&self, held: impl Fn(&WorkspaceId, &str, &str) -> Option<Hold>) {
        for session in self.all() {
            let (user, cluster) = session.read(|record| {
                let terms = &record.choice.terms;
                (terms.user.clone(), terms.cluster.clone())
            });
            if let Some(hold) = held(session.hub.workspace(), user.as_str(), cluster.as_str()) {
                session.end(End::held(&hold));
            }
        }
    }

    /// Whether any is not over.
    pub(crate) fn any_open(&self) -> bool {
        self.all().iter().any(|s| !matches!(s.state(), SessionState::Closed(_)))
    }

    /// For those who say something about them: each change from now on.
    pub(crate) fn moves(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// How each stands, for those who say something about it. What scans have open is no news to anybody.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let of_people = |session: &&Arc<Session>| !session.read(|record| record.choice.is_scan);
        self.all().iter().filter(of_people).map(|session| session.read(Standing::of)).collect()
    }

    /// Waits until how a cluster was opened is remembered anew.
    pub(crate) async fn until_remembered(&self) {
        self.remembered.notified().await;
    }

    /// Opens a cluster: its owner begins to ask. What is open or opening there under the same profile is shown instead.
    ///
    /// # Errors
    /// When the sign-in has ended in between.
    pub(crate) fn open(
        self: &Arc<Self>,
        hub: Arc<dyn HubSide>,
        choice: Choice,
    ) -> Result<Arc<Session>, AppError> {
        let begun = Begun::Click { keys: KeyPair::generate(), read_by: None };
        let record = Record::new(SessionId::new(uuid::Uuid::now_v7().to_string()), choice);
        let (cluster, profile) = (record.choice.terms.cluster.clone(), record.choice.terms.profile.clone());
        let workspace = hub.workspace().clone();
        let same = |s: &Session| s.is_open_on(&workspace, &cluster, Some(&profile));
        self.begin(hub, record, begun, same).ok_or_else(over)
    }

    /// Opens a cluster for a scan: once it is open, whoever waits for it may call through the gateway. It has no terminals
    /// and no kubeconfig, and its end is proven as any other's.
    ///
    /// # Errors
    /// When the sign-in has ended in between.
    pub(crate) fn scan(
        self: &Arc<Self>,
        hub: Arc<dyn HubSide>,
        choice: Choice,
    ) -> Result<(Arc<Session>, oneshot::Receiver<WayIn>), AppError> {
        let (read_by, way_in) = oneshot::channel();
        let begun = Begun::Click { keys: KeyPair::generate(), read_by: Some(read_by) };
        let record = Record::new(SessionId::new(uuid::Uuid::now_v7().to_string()), choice);
        let session = self.begin(hub, record, begun, |_| false).ok_or_else(over)?;
        Ok((session, way_in))
    }

    /// A person's sessions that are open on a cluster of a workspace, those of scans not among them.
    pub(crate) fn open_for(
        &self,
        workspace: &WorkspaceId,
        user: &UserName,
        cluster: &ClusterName,
    ) -> Vec<Arc<Session>> {
        let is_open = |session: &Arc<Session>| {
            session.state() == SessionState::Open
                && session.hub.user() == user
                && session.is_open_on(workspace, cluster, None)
        };
        self.all().into_iter().filter(is_open).collect()
    }

    /// Goes on with a request of an earlier run.
    fn take_up(self: &Arc<Self>, hub: Arc<dyn HubSide>, record: Record, begun: Begun) {
        let uid: Option<RequestUid> = record.request.clone();
        self.begin(hub, record, begun, |s| s.read(|record| record.request == uid));
    }

    /// Gives a session to its owner, unless there is the `same` one; `None` once its sign-in is over or the app ends, or the
    /// session it is to extend is not open.
    /// Whoever ends one of them marks that first and then ends all sessions, so that none begins in between and outlives it.
    fn begin(
        self: &Arc<Self>,
        hub: Arc<dyn HubSide>,
        record: Record,
        begun: Begun,
        same: impl Fn(&Session) -> bool,
    ) -> Option<Arc<Session>> {
        let (session, hand_overs) = {
            let mut all = self.map();
            if hub.is_over() || self.is_quitting.load(Ordering::Relaxed) {
                return None;
            }
            // One that begins to close marks that first, and then ends those that were to extend it.
            if let Some(of) = &record.extends
                && all.get(of).is_none_or(|of| of.state() != SessionState::Open)
            {
                return None;
            }
            if let Some(same) = all.values().find(|session| same(session)) {
                return Some(same.clone());
            }
            let (desk, ground) = (self.desk.clone(), self.ground.clone());
            let session = Session::new(record, hub, desk, ground, self.moved.clone());
            let session = Arc::new(session);
            all.insert(session.id.clone(), session.clone());
            let (to, hand_overs) = mpsc::channel(1);
            self.to_owners().insert(session.id.clone(), to);
            (session, hand_overs)
        };
        session.tell();
        tokio::spawn(life::live(
            Owner { sessions: self.clone(), session: session.clone() },
            begun,
            hand_overs,
        ));
        Some(session)
    }

    /// Ends every session; returns when each has its first proof and its hub was told once, or after `within`.
    pub(crate) async fn end_all(&self, end: End, within: Duration) {
        if end == End::quit() {
            let _all = self.map();
            self.is_quitting.store(true, Ordering::Relaxed);
        }
        let sessions = self.all();
        sessions.iter().for_each(|session| session.end(end.clone()));
        let shown = sessions.iter().map(|session| session.until(Record::first_stage_over));
        if tokio::time::timeout(within, futures::future::join_all(shown)).await.is_err() {
            tracing::warn!(
                "not every session's end was proven within {} s; the next start finishes it",
                within.as_secs()
            );
        }
    }

    /// What they may leave on hub and targets: where, and until when.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        self.all().iter().filter_map(|session| session.read(Record::left_behind)).collect()
    }

    /// All of them, for the window.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn list(&self) -> Result<Vec<SessionView>, AppError> {
        Ok(self.all().iter().map(|session| session.view()).collect())
    }

    /// Leaves one, or gives up one that is opening.
    ///
    /// # Errors
    /// When there is no such session.
    pub(crate) async fn leave(&self, id: String) -> Result<(), AppError> {
        self.get(&id)?.end(End::left());
        Ok(())
    }

    /// Forgets a session that is over: its closing report was read.
    ///
    /// # Errors
    /// While it is not over.
    pub(crate) async fn dismiss(&self, id: String) -> Result<(), AppError> {
        let session = self.get(&id)?;
        if !matches!(session.state(), SessionState::Closed(_)) {
            return Err(AppError::failed("this session is not over yet").hint("Leave it first."));
        }
        session.dismiss();
        self.map().remove(&session.id);
        self.desk.host.tell(Event::SessionGone { id });
        Ok(())
    }
}

/// Nothing can be begun any more.
fn over() -> AppError {
    AppError::new(ErrorCode::SignInNeeded, "you are signed out, or Sallyport is ending")
        .hint("Sign in to go on.")
}
