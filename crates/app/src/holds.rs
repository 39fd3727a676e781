//! What is held on each hub where somebody is signed in, kept by a watch, and the two acts about it. Whatever is said here of
//! rights decides what a window shows: the hub's API server has the last word, brokers close what is held, and the desktop
//! cuts its own sessions on seeing a hold, without waiting for either.

mod hub_side;
mod keep;
mod ports;
mod view;

use crate::desk::{AppError, Desk};
use crate::history::Recorder;
use crate::inventory::Inventory;
use crate::person::faults::{of_hub, of_refused};
use crate::person::{Person, Signed, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use ports::{HubOf, HubSide};
use sallyport_api::AccessHold;
use sallyport_audit::{Action, Draft};
use sallyport_hub::Refused;
use sallyport_ipc::{HeldKind, HoldInput, HoldView};
use sallyport_model::{ErrorCode, Held, Hold, check_reason};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The holds of each workspace.
pub(crate) struct Holds {
    desk: Arc<Desk>,
    history: Recorder,
    person: Arc<Person>,
    inventory: Arc<Inventory>,
    hub_of: Box<HubOf>,
    /// The holds of each workspace where somebody is signed in, by UID.
    kept: Mutex<BTreeMap<WorkspaceId, BTreeMap<String, AccessHold>>>,
    /// Counts the changes, for the parts above.
    moved: watch::Sender<u64>,
}

impl Holds {
    /// None, until [`Holds::follow`] has heard of a sign-in.
    pub(crate) fn new(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
    ) -> Self {
        Self::asking(desk, history, person, inventory, Box::new(|signed| Arc::new(signed.hub.clone())))
    }

    /// The same, of other hubs than the product's.
    fn asking(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
        hub_of: Box<HubOf>,
    ) -> Self {
        let (kept, moved) = (Mutex::default(), watch::Sender::new(0));
        Self { desk, history, person, inventory, hub_of, kept, moved }
    }

    /// The hub as whoever is signed in holds there.
    fn hub(&self, signed: &Signed) -> Arc<dyn HubSide> {
        (self.hub_of)(signed)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, BTreeMap<String, AccessHold>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each change from now on, for those who act by what is held.
    pub(crate) fn moves(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    fn changed(&self) {
        self.moved.send_modify(|count| *count += 1);
        self.desk.changed();
    }

    /// Nobody is signed in there any more.
    pub(crate) fn clear(&self, workspace: &WorkspaceId) {
        self.kept().remove(workspace);
        self.changed();
    }

    /// The hold that stands on what somebody does on a cluster, as far as the hub has told.
    pub(crate) fn on(&self, workspace: &WorkspaceId, user: &str, cluster: &str) -> Option<Hold> {
        let now = self.person.hub_now(workspace);
        let all = self.kept();
        let holds = all.get(workspace)?.values().map(Hold::from);
        // The one that stands longest: what is told of it is true for as long as anything is held.
        holds.filter(|hold| hold.is_on(user, cluster, now)).max_by_key(|hold| hold.until)
    }

    /// Those that stand, the newest first, and whether this person may hold.
    pub(crate) fn view(&self) -> (Vec<HoldView>, bool) {
        let Some(signed) = self.person.is_signed_in() else { return (Vec::new(), false) };
        let now = self.person.hub_now(&signed.workspace);
        let all = self.kept();
        let Some(kept) = all.get(&signed.workspace) else { return (Vec::new(), false) };
        let rights = self.inventory.may_hold(&signed.workspace);
        (view::of(kept.values(), &signed.who.user, rights, now), rights.make)
    }

    /// Holds a person, a cluster or everything from now on.
    ///
    /// # Errors
    /// Without a name or a reason, for longer than a week, and when the hub says no.
    pub(crate) async fn create(&self, hold: HoldInput) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let held = held(&hold)?;
        let reason = hold.reason.trim().to_owned();
        check_reason(&reason, true).map_err(|wrong| bad(wrong.to_string(), "Say why in a few words."))?;
        let seconds = i64::from(hold.minutes) * 60;
        if !(60..=Hold::LONGEST).contains(&seconds) {
            return Err(bad(
                "a hold stands for a minute at least and 7 days at most".into(),
                "Choose another time.",
            ));
        }
        let hub = self.hub(&signed);
        let me = hub.whoami().await.map_err(of_hub)?;
        let now = Timestamp::from_second(self.person.hub_now(&signed.workspace))
            .unwrap_or_else(|_| Timestamp::now());
        let until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        let made = said(hub.hold(&held, &me, until, &reason).await)?;
        let draft = Draft::new(Action::Hold).user(&signed.who.user).detail("until", until.to_string());
        self.history.note(about(draft, &Hold::from(&made)).detail("why", reason)).await;
        // The watch will say the same; what this person did is seen at once.
        self.learn(&signed, made);
        Ok(())
    }

    /// Ends a hold before its time.
    ///
    /// # Errors
    /// When it is gone, when it is on this person themself, and when the hub says no.
    pub(crate) async fn remove(&self, hold: String) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let found = self.kept().get(&signed.workspace).and_then(|kept| kept.get(&hold).cloned());
        let found = found
            .ok_or_else(|| bad("this hold does not stand any more".into(), "Nothing is left to remove."))?;
        let name = found.metadata.name.clone().unwrap_or_default();
        said(self.hub(&signed).unhold(&name, &hold).await)?;
        let draft = about(Draft::new(Action::HoldRemoved).user(&signed.who.user), &Hold::from(&found));
        self.history.note(draft).await;
        if let Some(kept) = self.kept().get_mut(&signed.workspace) {
            kept.remove(&hold);
        }
        self.changed();
        Ok(())
    }

    fn learn(&self, signed: &Signed, hold: AccessHold) {
        let uid = hold.metadata.uid.clone().unwrap_or_default();
        if let Some(kept) = self.kept().get_mut(&signed.workspace) {
            kept.insert(uid, hold);
        }
        self.changed();
    }
}

fn bad(what: String, next: &str) -> AppError {
    AppError::new(ErrorCode::BadInput, what).hint(next)
}

/// What is to be held.
fn held(hold: &HoldInput) -> Result<Held, AppError> {
    let name = hold.name.trim();
    let named = |what: &str| {
        if name.is_empty() {
            Err(bad(format!("the {what} to hold has no name"), "Name it as the hub does."))
        } else {
            Ok(name.to_owned())
        }
    };
    match hold.on {
        HeldKind::User => named("person").map(Held::User),
        HeldKind::Cluster => {
            let name = named("cluster")?;
            let known: Result<sallyport_model::ClusterName, _> = name.parse();
            known.map_err(|e| bad(e.to_string(), "Name it as the hub does."))?;
            Ok(Held::Cluster(name))
        }
        HeldKind::Everything => Ok(Held::Everything),
    }
}

/// What an entry says of a hold.
fn about(draft: Draft, hold: &Hold) -> Draft {
    match &hold.held {
        Held::User(name) => draft.detail("for", name),
        Held::Cluster(name) => match name.parse() {
            Ok(cluster) => draft.cluster(&cluster),
            Err(_) => draft.detail("for", name),
        },
        Held::Everything => draft.detail("for", "everything"),
    }
}

/// What the hub answered, in words for who holds.
fn said<T>(answer: Result<T, Refused>) -> Result<T, AppError> {
    answer.map_err(|refused| match refused {
        Refused::Forbidden { message } => AppError::new(ErrorCode::Forbidden, message)
            .hint("Nothing was changed. The ClusterRole sallyport:responder on the hub lets a group hold and end holds."),
        other => of_refused(other),
    })
}

#[cfg(test)]
mod tests;
