//! Which brokers are alive: their signs of life are listed every two minutes and read for the cluster that is looked at. They
//! are not watched: each renewal would go to every desktop.

use super::Inventory;
use super::known::Seen;
use crate::desk::now_ms;
use crate::person::{Signed, WorkspaceId};
use sallyport_client::Fault;
use sallyport_hub::{Beat, spread, until_next_look};
use sallyport_ipc::HubLink;
use sallyport_model::ClusterName;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often it is looked whether the hub went away meanwhile.
const GLANCE: Duration = Duration::from_secs(5);
/// No desktop waits longer for the next look at a hub that is away.
const LONGEST: Duration = Duration::from_secs(30);
/// When the sign of life of a broker that has just come (back) is read, on average.
const SOON: Duration = Duration::from_secs(1);

impl Inventory {
    /// Lists the signs of life for as long as it is polled. `listened` turns true with the first answer.
    pub(super) async fn listen(&self, signed: &Signed, listened: &watch::Sender<bool>) {
        let hub = self.hub(signed);
        loop {
            match hub.beats().await {
                Ok(beats) => self.heard(&signed.workspace, beats),
                Err(fault) => self.unheard(&signed.workspace, &fault),
            }
            listened.send_replace(true);
            let next = Instant::now() + until_next_look();
            while Instant::now() < next && !self.person.hub_is_down(&signed.workspace) {
                tokio::time::sleep(GLANCE.min(next - Instant::now())).await;
            }
            if self.person.hub_is_down(&signed.workspace) {
                let wait = self.learn(&signed.workspace, |known| known.troubles.until_again());
                tokio::time::sleep(spread(wait.unwrap_or(GLANCE)).min(LONGEST)).await;
            }
        }
    }

    /// Takes the whole list: whoever is not on it gives no sign any more.
    fn heard(&self, workspace: &WorkspaceId, beats: Vec<Beat>) {
        let now = now_ms();
        let is_back = self.learn(workspace, |known| {
            known.seen = Some(beats.into_iter().map(|beat| seen(beat, now)).collect());
            known.unheard = None;
            // Where the hub answers this and refuses a watch, the watch's word stands.
            !known.refused && known.troubles.clear(Instant::now())
        });
        if is_back == Some(true) {
            self.person.hub_is(workspace, HubLink::Live, None);
        }
        self.changed();
    }

    /// What was known goes on being so: that nothing was heard says nothing about the brokers.
    fn unheard(&self, workspace: &WorkspaceId, fault: &Fault) {
        tracing::warn!("the brokers' signs of life could not be listed: {fault}");
        let said = (!fault.may_pass()).then(|| {
            format!("which brokers are alive could not be read: {fault}; an admin of the hub can bind the Role sallyport:hub-user in sallyport-brokers")
        });
        let news = self.learn(workspace, |known| std::mem::replace(&mut known.unheard, said.clone()) != said);
        if news == Some(true) {
            self.changed();
        }
    }

    /// Reads one broker's sign of life; a failure leaves what is known.
    pub(super) async fn look_for(&self, signed: &Signed, cluster: &ClusterName) {
        let Ok(beat) = self.hub(signed).beat_of(cluster).await else { return };
        if signed.stop.is_cancelled() {
            return;
        }
        let beat = beat.map(|beat| seen(beat, now_ms()).1);
        if self.learn(&signed.workspace, |known| known.saw(cluster.as_str(), beat)) == Some(true) {
            self.changed();
        }
    }

    /// A broker has reported that was not there or silent: its sign of life is read soon, and not by all desktops at once.
    /// However often it reports meanwhile, it is read once: `looks` has those that are about to be.
    pub(super) fn look_soon(
        self: &Arc<Self>,
        signed: &Arc<Signed>,
        looks: &Arc<Looks>,
        cluster: ClusterName,
    ) {
        if !looks.begin(&cluster) {
            return;
        }
        let (inventory, signed, looks) = (self.clone(), signed.clone(), looks.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = async { tokio::time::sleep(spread(SOON)).await; inventory.look_for(&signed, &cluster).await } => {}
                () = signed.stop.cancelled() => {}
            }
            looks.end(&cluster);
        });
    }
}

/// The clusters whose sign of life is about to be read, for one sign-in.
#[derive(Default)]
pub(super) struct Looks(Mutex<BTreeSet<ClusterName>>);

impl Looks {
    /// True for the first who asks, until [`Looks::end`].
    fn begin(&self, cluster: &ClusterName) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.clone())
    }

    fn end(&self, cluster: &ClusterName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
    }
}

/// A sign of life by this machine's clock: as long ago as it was by the hub's.
fn seen(beat: Beat, now_ms: i64) -> (String, Seen) {
    let age = i64::try_from(beat.age.as_millis()).unwrap_or(i64::MAX);
    let silent = beat.is_silent();
    (beat.cluster, Seen { at: now_ms.saturating_sub(age), silent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_reports_again_and_again_is_looked_for_once_at_a_time() {
        let looks = Looks::default();
        let (eu, us) = ("pay-eu".parse().unwrap(), "pay-us".parse().unwrap());
        assert!(looks.begin(&eu));
        assert!(!looks.begin(&eu));
        assert!(looks.begin(&us));
        looks.end(&eu);
        assert!(looks.begin(&eu));
        assert!(!looks.begin(&us));
    }
}
