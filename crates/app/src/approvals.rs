//! What is asked for in the person's teams, and their word on it. Kept by watches of what is not closed while somebody is
//! signed in; what was closed is read when somebody looks at one request. Whoever decides, the hub's API server has the last
//! word: what is said here about rights decides what a window shows and never what is allowed.

mod before;
mod decide;
mod keep;
mod view;

use crate::desk::{AppError, Desk};
use crate::history::Recorder;
use crate::inventory::Inventory;
use crate::person::{Person, Signed, WorkspaceId};
use jiff::Timestamp;
use sallyport_api::AccessRequest;
use sallyport_ipc::{Decide, Event, RequestsView, Shown};
use sallyport_model::{ErrorCode, NamespaceName, Phase};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Between two hints that they changed.
const HINTS: Duration = Duration::from_millis(300);

/// The requests of the person's teams.
pub(crate) struct Approvals {
    desk: Arc<Desk>,
    history: Recorder,
    person: Arc<Person>,
    inventory: Arc<Inventory>,
    /// For each workspace where somebody is signed in.
    open: Mutex<BTreeMap<WorkspaceId, Open>>,
    changed: Notify,
}

/// What is not closed in one workspace, by team and UID.
#[derive(Default)]
struct Open {
    teams: BTreeMap<NamespaceName, BTreeMap<String, AccessRequest>>,
    problems: BTreeMap<NamespaceName, Vec<String>>,
    as_of: Option<Timestamp>,
    none_to_read: bool,
}

impl Open {
    fn all(&self) -> impl Iterator<Item = &AccessRequest> {
        self.teams.values().flat_map(BTreeMap::values)
    }
}

impl Approvals {
    /// Empty, until [`Approvals::follow`] has heard of a sign-in.
    pub(crate) fn new(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
    ) -> Self {
        Self { desk, history, person, inventory, open: Mutex::default(), changed: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hints at once, then a few times a second at most. Who may decide, and how many have to, is the inventory's: it may
    /// learn that after the requests have come.
    pub(crate) async fn hint(self: Arc<Self>) {
        let mut inventory = self.inventory.moves();
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                Ok(()) = inventory.changed() => {}
                () = self.desk.stop.cancelled() => return,
            }
            self.desk.host.tell(Event::RequestsChanged);
            // How many wait for this person is known with them.
            self.desk.changed();
            tokio::time::sleep(HINTS).await;
        }
    }

    /// Nobody is signed in there any more.
    pub(crate) fn clear(&self, workspace: &WorkspaceId) {
        self.open().remove(workspace);
        self.changed.notify_one();
    }

    /// What is not closed, the one that waits longest first.
    ///
    /// # Errors
    /// None; before the hub's first answer it is empty and says so.
    pub(crate) async fn list(&self) -> Result<RequestsView, AppError> {
        Ok(self.view())
    }

    /// How many wait for this person's word.
    pub(crate) fn to_decide(&self) -> u32 {
        let Some(signed) = self.person.is_signed_in() else { return 0 };
        let all = self.open();
        let waits = |object: &&AccessRequest| {
            let known = self.inventory.known_for(&signed.workspace, object);
            view::decide(object, &signed.who, &known) == Decide::Yes
        };
        let waiting = all.get(&signed.workspace).map_or(0, |open| open.all().filter(waits).count());
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    fn view(&self) -> RequestsView {
        let Some(signed) = self.person.is_signed_in() else { return RequestsView::default() };
        let all = self.open();
        let Some(open) = all.get(&signed.workspace) else { return RequestsView::default() };
        // By who asks, so that thousands take no longer than they must.
        let mut active: BTreeMap<&str, Vec<&AccessRequest>> = BTreeMap::new();
        for object in open.all().filter(|object| object.phase() == Phase::Active) {
            active.entry(&object.spec.user).or_default().push(object);
        }
        let mut requests: Vec<_> = open
            .all()
            .map(|object| {
                let known = self.inventory.known_for(&signed.workspace, object);
                let beside = active.get(object.spec.user.as_str()).map_or(&[][..], Vec::as_slice);
                view::of(object, &signed.who, &known, beside)
            })
            .collect();
        requests.sort_by(|a, b| (a.asked_at, &a.id).cmp(&(b.asked_at, &b.id)));
        RequestsView {
            requests,
            as_of: open.as_of.map(|at| at.as_millisecond()),
            none_to_read: open.none_to_read,
            problems: open.problems.values().flatten().map(Shown::from).collect(),
        }
    }

    /// A request by its UID, with the sign-in it is decided on with.
    fn one(&self, uid: &str) -> Result<(Arc<Signed>, AccessRequest), AppError> {
        let signed = self.person.signed()?;
        let all = self.open();
        let found = all
            .get(&signed.workspace)
            .and_then(|open| open.all().find(|object| object.metadata.uid.as_deref() == Some(uid)).cloned());
        let found = found.ok_or_else(|| {
            AppError::new(ErrorCode::BadInput, "this request is not open any more").hint(
                "Somebody decided on it, or it was taken back; its end is in the history of whoever asked.",
            )
        })?;
        Ok((signed, found))
    }
}
