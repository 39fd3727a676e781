//! What each profile allows on the cluster that is looked at: read when it is, kept as long as the cluster's broker names no
//! other.

use super::Inventory;
use super::known::{Known, Previewed};
use crate::person::Signed;
use sallyport_api::AccessPreviewSpec;
use sallyport_client::Fault;
use sallyport_model::ClusterName;
use std::sync::Arc;
use std::time::Duration;

/// The longest that somebody who looks at a cluster waits for it.
const WAITED: Duration = Duration::from_secs(3);

impl Inventory {
    /// Reads what the cluster's detail needs beside what is watched: the preview, unless the one at hand is the one the
    /// broker names, and the broker's sign of life. Both at once, and neither for longer than [`WAITED`].
    pub(super) async fn look_at(&self, signed: Option<&Signed>, cluster: &ClusterName) -> Previewed {
        let Some(wanted) = self.known().wants(cluster) else {
            return Err("its broker has not reported what this profile allows here".to_owned());
        };
        let at_hand = self.known().previews.get(cluster.as_str()).filter(|one| one.digest == wanted).cloned();
        let away = || {
            Err("what it allows here is on the hub, which can't be reached; it is read when the hub is back"
                .to_owned())
        };
        let Some(signed) = signed.filter(|_| !self.person.hub_is_down()) else {
            return at_hand.map_or_else(away, Ok);
        };
        let reading = async {
            if at_hand.is_some() {
                return Ok(None);
            }
            signed.hub.preview(cluster).await.and_then(|found| found.ok_or(Fault::NotFound)).map(Some)
        };
        let both = async { tokio::join!(reading, self.look_for(signed, cluster)).0 };
        let read = tokio::time::timeout(WAITED, both).await.unwrap_or(Err(Fault::TimedOut));
        match (at_hand, read) {
            (Some(kept), _) => Ok(kept),
            (None, Ok(found)) => self.take_preview(signed, cluster, found.unwrap_or_default()),
            (None, Err(fault)) => Err(format!(
                "what it allows here could not be read from the hub: {fault}; select the cluster again to try again"
            )),
        }
    }

    /// Keeps what was read, and gives it out where it is the one that the broker names by now.
    fn take_preview(&self, signed: &Signed, cluster: &ClusterName, read: AccessPreviewSpec) -> Previewed {
        let (read, mut known) = (Arc::new(read), self.known_mut());
        if !signed.stop.is_cancelled() {
            known.previews.insert(cluster.to_string(), read.clone());
        }
        // The broker writes the preview first: the change of its report, and with it another look, is on its way.
        if known.wants(cluster).is_some_and(|wanted| wanted == read.digest) {
            Ok(read)
        } else {
            Err("its broker is just reporting something else; this shows it in a moment".to_owned())
        }
    }
}

impl Known {
    /// The digest of the preview that goes with what the broker reported.
    fn wants(&self, cluster: &ClusterName) -> Option<String> {
        self.clusters.get(cluster.as_str())?.status.as_ref()?.preview.clone()
    }
}
