//! Who can ask for what: read from the hub when somebody looks, with their own rights, and compared with what they saw last.
//! Nothing of it is read at the start and nothing is watched: it is for those who look after a hub, and large. And how a
//! profile is changed (`profiles`).

mod drift;
mod held;
mod hub_side;
mod ports;
mod profiles;
mod proof;
mod read;
mod view;

use crate::desk::{AppError, Desk, now_ms};
use crate::history::Recorder;
use crate::person::{Person, Signed, WorkspaceId};
use drift::Snapshot;
use jiff::Timestamp;
use ports::{HubOf, HubSide};
use profiles::Draft;
use read::Lacks;
use sallyport_ipc::WhoCanView;
use sallyport_model::{ErrorCode, clip};
use sallyport_store::Look;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was looked at, until it is said to be seen.
pub(crate) struct Reach {
    desk: Arc<Desk>,
    history: Recorder,
    person: Arc<Person>,
    hub_of: Box<HubOf>,
    /// Counts what was asked: an answer never takes the place of one to a later question.
    turns: AtomicU64,
    /// For each workspace where somebody is signed in and has looked, with the question's turn.
    looked: Mutex<BTreeMap<WorkspaceId, (u64, Look)>>,
    /// The profile that is being changed at each.
    drafts: Mutex<BTreeMap<WorkspaceId, Draft>>,
}

impl Reach {
    pub(crate) fn new(desk: Arc<Desk>, history: Recorder, person: Arc<Person>) -> Self {
        Self::asking(desk, history, person, Box::new(|signed| Arc::new(signed.hub.clone())))
    }

    /// The same, of other hubs than the product's.
    fn asking(desk: Arc<Desk>, history: Recorder, person: Arc<Person>, hub_of: Box<HubOf>) -> Self {
        let (looked, drafts) = (Mutex::default(), Mutex::default());
        Self { desk, history, person, hub_of, turns: AtomicU64::new(0), looked, drafts }
    }

    /// The hub as whoever is signed in looks after it.
    fn hub(&self, signed: &Signed) -> Arc<dyn HubSide> {
        (self.hub_of)(signed)
    }

    /// The next question's.
    fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn looked(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, (u64, Look)>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is signed in there any more.
    pub(crate) fn clear(&self, workspace: &WorkspaceId) {
        self.looked().remove(workspace);
        self.drafts().remove(workspace);
    }

    /// Reads it. Whoever may not is told what they lack and what would give it to them.
    ///
    /// # Errors
    /// When nobody is signed in, or the hub does not answer.
    pub(crate) async fn list(&self) -> Result<WhoCanView, AppError> {
        let signed = self.person.signed()?;
        let turn = self.turn();
        let read = match read::read(&*self.hub(&signed)).await {
            Ok(read) => read,
            Err(Lacks::Rights(missing)) => return Ok(view::lacking(missing, now_ms())),
            Err(Lacks::Answer(fault)) => return Err(crate::person::faults::of_hub(fault)),
        };
        let before = self.before(&signed).await;
        let (mut view, snapshot) = view::of(&read, now_ms());
        let snapshot = match &before {
            Some((_, seen)) => snapshot.with_what_is_unknown_from(seen),
            None => snapshot,
        };
        let look = look(&snapshot)?;
        view.digest = look.digest.as_str().into();
        view.drift = before.map(|(last, seen)| {
            let none = last.digest == look.digest;
            drift::between(if none { &snapshot } else { &seen }, &snapshot, last.at.saturating_mul(1000))
        });
        let mut looked = self.looked();
        let is_last = looked.get(&signed.workspace).is_none_or(|(later, _)| *later < turn);
        // Signed out meanwhile: nothing of it is kept.
        if is_last && !signed.stop.is_cancelled() {
            looked.insert(signed.workspace.clone(), (turn, look));
        }
        Ok(view)
    }

    /// Remembers that what was read last, with this digest, was seen.
    ///
    /// # Errors
    /// When something else was read meanwhile, and when it can't be remembered.
    pub(crate) async fn seen(&self, digest: String) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let look = self.looked().get(&signed.workspace).map(|(_, look)| look.clone());
        let look = look.filter(|look| look.digest == digest).ok_or_else(|| {
            AppError::new(ErrorCode::BadInput, "this is not what was read last, so it was not marked as seen")
                .hint("Look again, then mark what you see.")
        })?;
        let look = Look { at: Timestamp::now().as_second(), ..look };
        let (hub, user) = (signed.workspace.as_str(), signed.who.user.as_str());
        self.desk.prefs.remember_look(hub, user, look).await.map_err(|e| {
            AppError::failed("what you saw could not be remembered")
                .hint("Check that the disk is not full, then mark it again.")
                .because(e)
        })
    }

    /// What this person saw last at this hub. What can't be read was never seen.
    async fn before(&self, signed: &Signed) -> Option<(Look, Snapshot)> {
        let found = self.desk.prefs.last_look(signed.workspace.as_str(), signed.who.user.as_str()).await;
        let look = found.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what was seen last could not be read");
            None
        })?;
        match serde_json::from_str(&look.snapshot) {
            Ok(seen) => Some((look, seen)),
            Err(error) => {
                tracing::warn!("what was seen last makes no sense: {}", clip(&error.to_string(), 200));
                None
            }
        }
    }
}

/// What would be remembered of it.
fn look(snapshot: &Snapshot) -> Result<Look, AppError> {
    let text = serde_json::to_string(snapshot)
        .map_err(|e| AppError::failed("what was read could not be written down").because(e))?;
    let digest = sallyport_model::Digest::of(text.as_bytes()).to_string();
    Ok(Look { digest, snapshot: text, at: 0 })
}

#[cfg(test)]
mod tests;
