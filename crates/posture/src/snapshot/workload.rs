//! Taking in pods and what makes them: which account they run as, and which tokens they have.

use super::shape::{group_of, parse};
use super::{Controller, Kind, Meta, Pod, TokenVolume, Workload, shape};
use serde_json::Value;

/// How the volume is named by which the API server itself mounts an account's token (`ServiceAccountVolumeName` of
/// Kubernetes' admission plugin): whether it does is told by `automountServiceAccountToken`.
const INJECTED: &str = "kube-api-access-";
/// What a token lives that does not say how long, in seconds.
const USUAL: i64 = 3_600;

pub(super) fn pod(meta: Meta, item: Value) -> Result<Pod, String> {
    let controller = controller(&item)?;
    let shape::Pod { spec } = parse(item)?;
    let (account, automount, tokens) = kept(spec);
    Ok(Pod { meta, controller, account, automount, tokens })
}

pub(super) fn workload(kind: Kind, meta: Meta, item: Value) -> Result<Workload, String> {
    let controller = controller(&item)?;
    let shape::Workload { spec } = parse(item)?;
    let template = if kind == Kind::CronJob { spec.job_template.spec.template } else { spec.template };
    let (account, automount, tokens) = kept(template.spec);
    Ok(Workload { meta, kind, controller, account, automount, tokens })
}

fn kept(spec: shape::PodSpec) -> (String, Option<bool>, Vec<TokenVolume>) {
    let account = Some(spec.service_account_name).filter(|name| !name.is_empty());
    let own = spec.volumes.into_iter().filter(|volume| !volume.name.starts_with(INJECTED));
    let sources = own.flat_map(|volume| volume.projected.sources);
    let tokens = sources.filter_map(|source| source.service_account_token).map(|token| TokenVolume {
        seconds: token.expiration_seconds.unwrap_or(USUAL),
        audience: token.audience,
    });
    (account.unwrap_or_else(|| "default".to_owned()), spec.automount_service_account_token, tokens.collect())
}

/// The one owner that is its controller; an API server takes no second.
fn controller(item: &Value) -> Result<Option<Controller>, String> {
    let Some(metadata) = item.get("metadata") else { return Ok(None) };
    let shape::Owned { owner_references } = parse(metadata.clone())?;
    let own = owner_references.into_iter().find(|one| one.controller);
    Ok(own.map(|one| Controller {
        group: group_of(&one.api_version),
        kind: one.kind,
        name: one.name,
        uid: Some(one.uid).filter(|uid| !uid.is_empty()),
    }))
}
