//! The watch, and the end of holds by time.

use super::Holds;
use crate::person::{Signed, WorkspaceId};
use futures::StreamExt as _;
use sallyport_api::AccessHold;
use sallyport_hub::Change;
use sallyport_model::Hold;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long nothing may be looked at: a machine that slept has another idea of the time.
const LOOK: Duration = Duration::from_secs(60);

impl Holds {
    /// Keeps the holds of whoever is signed in, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>) {
        let person = self.person.clone();
        person.each_sign_in(|signed| drop(tokio::spawn(self.clone().keep(signed)))).await;
    }

    /// Tells when one has ended by time.
    pub(crate) async fn tell_ends(self: Arc<Self>) {
        let mut moved = self.moves();
        loop {
            let next = self.next_end().map_or(LOOK, |left| left.min(LOOK));
            tokio::select! {
                () = tokio::time::sleep(next) => self.desk.changed(),
                Ok(()) = moved.changed() => {}
                () = self.desk.stop.cancelled() => return,
            }
        }
    }

    /// Until the first of those that stand ends.
    fn next_end(&self) -> Option<Duration> {
        let signed = self.person.is_signed_in()?;
        let now = self.person.hub_now(&signed.workspace);
        let all = self.kept();
        let ends = all.get(&signed.workspace)?.values().map(|hold| Hold::from(hold).until - now);
        let left = ends.filter(|left| *left > 0).min()?;
        // Its end is not in it, and the clock has whole seconds.
        Some(Duration::from_secs(u64::try_from(left).unwrap_or_default()) + Duration::from_millis(100))
    }

    /// Begins to keep a sign-in's. False where it is over: whoever clears it has been here, or is still to come.
    fn begin(&self, signed: &Signed) -> bool {
        let mut all = self.kept();
        let goes_on = !signed.stop.is_cancelled();
        if goes_on {
            all.insert(signed.workspace.clone(), BTreeMap::default());
        }
        goes_on
    }

    pub(super) async fn keep(self: Arc<Self>, signed: Arc<Signed>) {
        if !self.begin(&signed) {
            return;
        }
        let mut changes = self.hub(&signed).watch_holds();
        let keeping = async {
            while let Some(change) = changes.next().await {
                self.take(&signed.workspace, change);
            }
        };
        tokio::select! {
            () = keeping => {}
            () = signed.stop.cancelled() => {}
        }
    }

    pub(super) fn take(&self, workspace: &WorkspaceId, change: Change<AccessHold>) {
        let uid = |hold: &AccessHold| hold.metadata.uid.clone().unwrap_or_default();
        {
            let mut all = self.kept();
            // Signed out meanwhile.
            let Some(kept) = all.get_mut(workspace) else { return };
            match change {
                Change::All { objects, malformed } => {
                    for what in &malformed {
                        tracing::error!("a hold can't be read: {what}");
                    }
                    *kept = objects.into_iter().map(|hold| (uid(&hold), hold)).collect();
                }
                Change::Put(hold) => {
                    kept.insert(uid(&hold), hold);
                }
                Change::Deleted(gone) | Change::Left(gone) => {
                    kept.remove(&gone.uid);
                }
                // What was known of it stood then, and its spec can't change.
                Change::Malformed(what, _) => {
                    tracing::error!("a hold can't be read: {what}");
                    return;
                }
                // What was held stays held here; that the hub is away, the inventory tells.
                Change::Trouble(fault) => {
                    tracing::debug!("holds can't be watched: {fault}");
                    return;
                }
            }
        }
        self.changed();
    }
}
