//! What there is of a person's access on hub, target and this machine.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
use kube::api::{ListParams, ObjectMeta};
use kube::{Api, Resource, ResourceExt};
use sallyport_api::{AccessGrant, AccessRequest};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::walk;
use sallyport_model::{Phase, SessionAccount};
use std::path::Path;

/// Of grants alone.
const OF_GRANTS: &str = "access.sallyport.dev/grant";

/// Requests that are not closed, what belongs to grants, and private kubeconfigs.
pub(super) async fn left(fleet: &Fleet, home: &Path) -> Result<Vec<String>> {
    let (hub, target) = (fleet.hub.admin()?, fleet.target().plane.admin()?);
    let all = ListParams::default();
    let mut left = Vec::new();
    let requests = Api::<AccessRequest>::all(hub).list(&all).await?;
    let open = requests.iter().filter(|one| one.phase() != Phase::Closed);
    left.extend(open.map(|one| format!("request {} is {:?}", one.name_any(), one.phase())));
    let grants = Api::<AccessGrant>::all(target).list(&all).await?;
    left.extend(grants.iter().map(|one| format!("grant {}", one.name_any())));
    left.extend(made(fleet).await?.iter().map(|(kind, made)| format!("{kind} {}", name(made))));
    let private = walk(&home.join("run")).unwrap_or_default().into_iter();
    let private = private
        .filter(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("client-key-data")));
    left.extend(private.map(|file| format!("file {}", file.display())));
    Ok(left)
}

/// What of it would outlast its end with everybody dead: an account whose name has none, or a later one than was asked for
/// (Unix seconds); and what no grant owns, since its removal would leave that behind. How much there is, and that.
pub(super) async fn unbounded(fleet: &Fleet, latest: i64) -> Result<(usize, Vec<String>)> {
    let made = made(fleet).await?;
    let wrong = made.iter().filter(|(kind, made)| {
        let owned = made.owner_references.iter().flatten().any(|owner| owner.kind == "AccessGrant");
        let end = name(made).parse::<SessionAccount>().map(|account| account.end());
        !owned || (*kind == "account" && !end.is_ok_and(|end| end <= latest))
    });
    let wrong = wrong.map(|(kind, made)| format!("{kind} {}", name(made))).collect();
    Ok((made.len(), wrong))
}

fn name(made: &ObjectMeta) -> &str {
    made.name.as_deref().unwrap_or_default()
}

/// The accounts of sessions, and what is bound for them.
async fn made(fleet: &Fleet) -> Result<Vec<(&'static str, ObjectMeta)>> {
    let target = fleet.target().plane.admin()?;
    let of_grants = ListParams::default().labels(OF_GRANTS);
    let accounts: Api<ServiceAccount> = Api::namespaced(target.clone(), "sallyport-sessions");
    let accounts = accounts.list(&ListParams::default()).await?;
    let ours = accounts.items.into_iter().filter(|one| one.name_any().starts_with("s-"));
    let mut made: Vec<_> = ours.map(|one| ("account", one.metadata)).collect();
    made.extend(metas::<RoleBinding>("binding", Api::all(target.clone()).list(&of_grants).await?.items));
    made.extend(metas::<ClusterRoleBinding>("binding", Api::all(target).list(&of_grants).await?.items));
    Ok(made)
}

fn metas<K: Resource>(kind: &'static str, of: Vec<K>) -> impl Iterator<Item = (&'static str, ObjectMeta)> {
    of.into_iter().map(move |mut one| (kind, std::mem::take(one.meta_mut())))
}

/// A request by its UID, closed or not.
pub(super) async fn request(fleet: &Fleet, uid: &str) -> Result<AccessRequest> {
    let all = Api::<AccessRequest>::all(fleet.hub.admin()?).list(&ListParams::default()).await?;
    all.items
        .into_iter()
        .find(|one| one.metadata.uid.as_deref() == Some(uid))
        .with_context(|| format!("request {uid} is on the hub"))
}
