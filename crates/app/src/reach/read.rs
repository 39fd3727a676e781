//! All that is read of a hub, a few calls at a time: each has its own deadline, and each takes a connection while it runs.

use super::ports::HubSide;
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessProfile};
use sallyport_client::Fault;
use sallyport_hub::{Beat, Listed, OwnGuardrails, StoredRbac, Unread};
use sallyport_model::NamespaceName;
use std::collections::BTreeMap;

/// The ClusterRole that gives what is read here (`deploy/hub/rbac.yaml`).
pub(super) const AUDITOR: &str = "sallyport:hub-auditor";
/// The ClusterRole that gives what changing a profile takes.
pub(super) const EDITOR: &str = "sallyport:profile-editor";
/// Problems and names that are told.
pub(super) const TOLD: usize = 20;

/// What was read, and of what is not needed for the rest, why it was not.
pub(super) struct Read {
    pub(super) stored: StoredRbac,
    pub(super) teams: Vec<NamespaceName>,
    pub(super) profiles: Listed<AccessProfile>,
    pub(super) clusters: Listed<AccessCluster>,
    /// The brokers' signs of life.
    pub(super) beats: Result<Vec<Beat>, Fault>,
    /// What profiles allow, by cluster.
    pub(super) previews: Result<BTreeMap<String, AccessPreviewSpec>, Fault>,
    /// Whether the hub's own policies are as shipped.
    pub(super) own: Result<OwnGuardrails, Fault>,
    /// Whether something beside RBAC decides.
    pub(super) others: Result<bool, Fault>,
}

/// Why nothing can be said.
pub(super) enum Lacks {
    /// These resources may not be listed.
    Rights(Vec<&'static str>),
    /// The hub did not answer.
    Answer(Fault),
}

impl From<Unread> for Lacks {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Forbidden(what) => Self::Rights(what),
            Unread::Fault(fault) => Self::Answer(fault),
        }
    }
}

/// Reads it all.
pub(super) async fn read(hub: &dyn HubSide) -> Result<Read, Lacks> {
    let (teams, profiles, clusters) = futures::join!(hub.team_names(), hub.profiles(), hub.clusters());
    let (teams, profiles, clusters) = (
        needed(teams, "namespaces")?,
        needed(profiles, "accessprofiles.access.sallyport.dev")?,
        needed(clusters, "accessclusters.access.sallyport.dev")?,
    );
    // No team's, and yet somebody may ask there: for scans, which nobody has to see.
    let teams: Vec<_> = teams.into_iter().chain([NamespaceName::of_scans()]).collect();
    let stored = hub.stored_rbac(&teams).await?;
    let (beats, previews, own, others) =
        futures::join!(hub.beats(), hub.previews(), hub.own_guardrails(), hub.others_authorize());
    let previews = previews.map(|all| {
        all.into_iter().filter_map(|preview| Some((preview.metadata.name?, preview.spec))).collect()
    });
    Ok(Read { stored, teams, profiles, clusters, beats, previews, own, others })
}

fn needed<T>(answer: Result<T, Fault>, what: &'static str) -> Result<T, Lacks> {
    answer.map_err(|fault| match fault {
        Fault::Forbidden(_) => Lacks::Rights(vec![what]),
        fault => Lacks::Answer(fault),
    })
}
