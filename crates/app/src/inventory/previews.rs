//! What each profile allows on the cluster that is looked at: read when it is, kept as long as the cluster's broker names no
//! other and not too many others were read since.

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
        // Whoever signed in somewhere looks there.
        let workspace = signed.map(|signed| signed.workspace.clone()).or_else(|| self.person.in_front());
        let looked = workspace.and_then(|workspace| {
            self.known(&workspace, |known| {
                let wanted = known.wants(cluster)?;
                let at_hand = known.previews.of(cluster).filter(|one| one.digest == wanted).cloned();
                Some(at_hand)
            })
        });
        let Some(at_hand) = looked else {
            return Err("its broker has not reported what this profile allows here".to_owned());
        };
        let away = || {
            Err("what it allows here is on the hub, which can't be reached; it is read when the hub is back"
                .to_owned())
        };
        let Some(signed) = signed.filter(|signed| !self.person.hub_is_down(&signed.workspace)) else {
            return at_hand.map_or_else(away, Ok);
        };
        let reading = async {
            if at_hand.is_some() {
                return Ok(None);
            }
            self.hub(signed).preview(cluster).await.and_then(|found| found.ok_or(Fault::NotFound)).map(Some)
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
        let read = Arc::new(read);
        let is_named = self.learn(&signed.workspace, |known| {
            known.previews.keep(cluster, read.clone());
            known.wants(cluster).is_some_and(|wanted| wanted == read.digest)
        });
        // The broker writes the preview first: the change of its report, and with it another look, is on its way.
        if is_named == Some(true) {
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
