//! What is asked for in the person's teams, and their word on it. Kept by watches of what is not closed while somebody is
//! signed in; what was closed is read when somebody looks at one request, and of what they ended themselves at once. Whoever
//! decides, the hub's API server has the last word: what is said here about rights decides what a window shows and never what
//! is allowed.

mod ask;
mod before;
mod closed;
mod closing;
mod decide;
mod hub_side;
mod keep;
mod less;
mod narrower;
mod offer;
mod ports;
mod telling;
mod untold;
mod view;

pub(crate) use ask::{Ask, Asks};

use crate::desk::{AppError, Desk};
use crate::history::Recorder;
use crate::holds::Holds;
use crate::inventory::{Inventory, KnownFor};
use crate::person::{Person, Signed, WorkspaceId};
use closed::Closed;
use jiff::Timestamp;
use keep::Open;
use narrower::Looked;
use offer::Beside;
use ports::{HeldOn, HubOf, HubSide};
use sallyport_api::AccessRequest;
use sallyport_ipc::{Decide, Event, RequestsView, Shown};
use sallyport_model::{ErrorCode, Phase, ProfileRevision};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use untold::Untold;

/// Between two hints that they changed.
const HINTS: Duration = Duration::from_millis(300);

/// The requests of the person's teams.
pub(crate) struct Approvals {
    desk: Arc<Desk>,
    history: Recorder,
    person: Arc<Person>,
    inventory: Arc<Inventory>,
    hub_of: Box<HubOf>,
    held_on: Box<HeldOn>,
    held_moves: watch::Receiver<u64>,
    /// For each workspace where somebody is signed in.
    open: Mutex<BTreeMap<WorkspaceId, Open>>,
    /// What was ended from here and is closed since, for each of them.
    closed: Mutex<BTreeMap<WorkspaceId, Closed>>,
    /// What was ended from here and the hub has not heard, for each of them.
    untold: Mutex<BTreeMap<WorkspaceId, Untold>>,
    /// Something is kept that was not.
    kept: Notify,
    /// Offers whose digest was worked out, by the request's UID.
    checks: Mutex<BTreeMap<String, Check>>,
    /// The next narrower profile of what was looked at last.
    looked: Mutex<Looked>,
    changed: Notify,
    /// Counts the hints, for the part above.
    moved: watch::Sender<u64>,
}

/// An offer's digest, the revision of the profile that it was compared with, and why it can't be what it says.
type Check = (String, Option<ProfileRevision>, Option<String>);

/// The cluster and the profile that a request names.
type Asked<'a> = (&'a str, &'a str);

fn asked_of(object: &AccessRequest) -> Asked<'_> {
    (&object.spec.cluster, &object.spec.profile)
}

impl Approvals {
    /// Empty, until [`Approvals::follow`] has heard of a sign-in.
    pub(crate) fn new(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
        holds: Arc<Holds>,
    ) -> Self {
        let moves = holds.moves();
        let held_on =
            move |workspace: &WorkspaceId, user: &str, cluster: &str| holds.on(workspace, user, cluster);
        let hub_of = Box::new(|signed: &Signed| Arc::new(signed.hub.clone()) as Arc<dyn HubSide>);
        Self::asking(desk, history, person, inventory, hub_of, (Box::new(held_on), moves))
    }

    /// The same, of other hubs than the product's.
    fn asking(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
        hub_of: Box<HubOf>,
        (held_on, held_moves): (Box<HeldOn>, watch::Receiver<u64>),
    ) -> Self {
        let (open, closed, untold, checks, looked) = Default::default();
        let (kept, changed, moved) = (Notify::new(), Notify::new(), watch::Sender::new(0));
        Self {
            desk,
            history,
            person,
            inventory,
            hub_of,
            held_on,
            held_moves,
            open,
            closed,
            untold,
            kept,
            checks,
            looked,
            changed,
            moved,
        }
    }

    /// The hub as whoever is signed in decides there.
    fn hub(&self, signed: &Signed) -> Arc<dyn HubSide> {
        (self.hub_of)(signed)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hints at once, then a few times a second at most. Who may decide, and how many have to, is the inventory's: it may
    /// learn that after the requests have come.
    pub(crate) async fn hint(self: Arc<Self>) {
        let mut inventory = self.inventory.moves();
        let mut held = self.held_moves.clone();
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                Ok(()) = inventory.changed() => {}
                Ok(()) = held.changed() => {}
                () = self.desk.stop.cancelled() => return,
            }
            self.desk.host.tell(Event::RequestsChanged);
            self.moved.send_modify(|count| *count += 1);
            // How many wait for this person is known with them.
            self.desk.changed();
            tokio::time::sleep(HINTS).await;
        }
    }

    /// For those who say something about them: each hint from now on.
    pub(crate) fn moves(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Nobody is signed in there any more.
    pub(crate) fn clear(&self, workspace: &WorkspaceId) {
        self.open().remove(workspace);
        self.closed().remove(workspace);
        self.untold().remove(workspace);
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.looked() = Looked::default();
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
        let open: Vec<Arc<AccessRequest>> =
            self.look(&signed.workspace, |open| open.all().cloned().collect());
        let known = self.known_of(&signed.workspace, &open);
        let waits = |object: &&Arc<AccessRequest>| {
            let known = &known[&asked_of(object)];
            view::decide(object, &signed.who, known, self.checked(object, known).is_none()) == Decide::Yes
        };
        let waiting = open.iter().filter(waits).count();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    /// Looks at what is open in a workspace: nothing, while nobody is signed in there.
    fn look<T: Default>(&self, workspace: &WorkspaceId, look: impl FnOnce(&Open) -> T) -> T {
        self.open().get(workspace).map(look).unwrap_or_default()
    }

    /// What is known of where and under what they ask: worked out once for all that ask for the same.
    fn known_of<'a>(
        &self,
        workspace: &WorkspaceId,
        open: &'a [Arc<AccessRequest>],
    ) -> BTreeMap<Asked<'a>, KnownFor> {
        let mut known = BTreeMap::new();
        for object in open {
            known.entry(asked_of(object)).or_insert_with(|| self.inventory.known_for(workspace, object));
        }
        known
    }

    fn view(&self) -> RequestsView {
        let Some(signed) = self.person.is_signed_in() else { return RequestsView::default() };
        // What the watches write to is held for as short as possible; the words are made of what it gave.
        let (mut view, open) = self.look(&signed.workspace, |open| {
            let view = RequestsView {
                requests: Vec::new(),
                closed: Vec::new(),
                as_of: open.as_of().map(|at| at.as_millisecond()),
                none_to_read: open.none_to_read,
                problems: open.problems(Timestamp::now()).iter().map(Shown::from).collect(),
            };
            (view, open.all().cloned().collect::<Vec<_>>())
        });
        // By who asks, so that thousands take no longer than they must.
        let mut active: BTreeMap<&str, Vec<&AccessRequest>> = BTreeMap::new();
        for object in open.iter().filter(|object| object.phase() == Phase::Active) {
            active.entry(&object.spec.user).or_default().push(object);
        }
        let now = self.person.hub_now(&signed.workspace);
        let known = self.known_of(&signed.workspace, &open);
        view.requests = open
            .iter()
            .map(|object| {
                let known = &known[&asked_of(object)];
                let beside = active.get(object.spec.user.as_str()).map_or(&[][..], Vec::as_slice);
                let problem = self.checked(object, known);
                let narrower = self.narrower(object);
                let hold = (self.held_on)(&signed.workspace, &object.spec.user, &object.spec.cluster);
                let beside = Beside { active: beside, problem, narrower, now };
                let mut view = view::of(object, &signed.who, known, hold.as_ref(), &beside);
                // Where the hub has anybody's word on it, that is what becomes of it.
                if view.closing.is_none() {
                    view.closing = self.untold_view(&signed.workspace, object);
                }
                view
            })
            .collect();
        view.closed = self.closed_view(&signed, now);
        view.requests.sort_by(|a, b| (a.asked_at, &a.id).cmp(&(b.asked_at, &b.id)));
        self.forget_checks(&open);
        view
    }

    /// Why an offer can't be what its digest says: worked out once for each, since neither changes.
    fn checked(&self, object: &AccessRequest, known: &KnownFor) -> Option<String> {
        let (offer, profile) = (object.offer()?, known.profile.as_ref());
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let against = profile.map(|profile| profile.revision.clone());
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((digest, at, problem)) = checks.get(&uid)
            && (digest, at) == (&offer.digest, &against)
        {
            return problem.clone();
        }
        let problem = offer::problem(object, offer, profile);
        checks.insert(uid, (offer.digest.clone(), against, problem.clone()));
        problem
    }

    fn forget_checks(&self, open: &[Arc<AccessRequest>]) {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.len() > open.len() {
            let uids: BTreeSet<&str> = open.iter().filter_map(|o| o.metadata.uid.as_deref()).collect();
            checks.retain(|uid, _| uids.contains(uid.as_str()));
        }
    }

    /// A request by its UID, with the sign-in it is decided on with.
    fn one(&self, uid: &str) -> Result<(Arc<Signed>, Arc<AccessRequest>), AppError> {
        let signed = self.person.signed()?;
        let found = self.look(&signed.workspace, |open| open.one(uid).cloned());
        let found = found.ok_or_else(|| {
            AppError::new(ErrorCode::BadInput, "this request is not open any more").hint(
                "Somebody decided on it, or it was taken back; its end is in the history of whoever asked.",
            )
        })?;
        Ok((signed, found))
    }
}

#[cfg(test)]
mod tests;
