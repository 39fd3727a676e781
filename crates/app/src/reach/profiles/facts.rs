//! What is read to say what a changed profile would change: each part by itself, so that a right that is missing hides that
//! part and no other.

use super::standing::Standing;
use crate::person::Signed;
use crate::reach::ports::HubSide;
use futures::{FutureExt as _, StreamExt as _, stream};
use sallyport_api::{AccessCluster, AccessPreviewSpec, AccessRequest};
use sallyport_client::Fault;
use sallyport_hub::{StoredRbac, Unread};
use sallyport_model::{NamespaceName, Profile, ProfileName};
use std::collections::BTreeMap;

/// Calls at the same time: each takes a connection while it runs.
const AT_ONCE: usize = 4;

/// What could be read, and why the rest could not.
pub(super) struct Facts {
    pub(super) clusters: Result<Vec<AccessCluster>, String>,
    /// By cluster.
    pub(super) previews: Result<BTreeMap<String, AccessPreviewSpec>, String>,
    /// Those that make sense.
    pub(super) profiles: Result<Vec<Profile>, String>,
    pub(super) rbac: Result<StoredRbac, String>,
    pub(super) teams: Vec<NamespaceName>,
    pub(super) standing: Standing,
}

/// Reads it all.
pub(super) async fn read(hub: &dyn HubSide, signed: &Signed, name: &ProfileName) -> Facts {
    let teams: Vec<NamespaceName> = signed.teams.iter().map(|team| team.name.clone()).collect();
    let (clusters, previews, profiles, rbac, standing) = futures::join!(
        hub.clusters(),
        hub.previews(),
        hub.profiles(),
        hub.stored_rbac(&teams),
        standing(hub, signed, name),
    );
    let words = |fault: Fault| fault.to_string();
    let previews = previews.map_err(words).map(|all| {
        all.into_iter().filter_map(|preview| Some((preview.metadata.name?, preview.spec))).collect()
    });
    let profiles = profiles
        .map_err(words)
        .map(|listed| listed.objects.iter().filter_map(|object| Profile::try_from(object).ok()).collect());
    Facts {
        clusters: clusters.map(|listed| listed.objects).map_err(words),
        previews,
        profiles,
        rbac: rbac.map_err(|unread| match unread {
            Unread::Forbidden(what) => format!("you may not list {}", what.join(", ")),
            Unread::Fault(fault) => fault.to_string(),
        }),
        teams,
        standing,
    }
}

/// What waits and is open under it, in the teams that may be read.
async fn standing(hub: &dyn HubSide, signed: &Signed, name: &ProfileName) -> Standing {
    let (read, unread): (Vec<_>, Vec<_>) = signed.teams.iter().partition(|team| team.may_read);
    let mut standing =
        Standing { unread: unread.iter().map(|team| team.name.clone()).collect(), ..Standing::default() };
    let each: Vec<_> = read.into_iter().map(|team| of_team(hub, &team.name, name).boxed()).collect();
    for (team, requests) in stream::iter(each).buffered(AT_ONCE).collect::<Vec<_>>().await {
        match requests {
            Ok(requests) => standing.requests.extend(requests),
            Err(_) => standing.unread.push(team.clone()),
        }
    }
    standing
}

/// What one team has under it.
async fn of_team<'t>(
    hub: &dyn HubSide,
    team: &'t NamespaceName,
    name: &ProfileName,
) -> (&'t NamespaceName, Result<Vec<AccessRequest>, Fault>) {
    (team, hub.open_under(team, name).await)
}
