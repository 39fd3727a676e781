//! Mounting no token into the pods of a workload: the one field, where each kind of workload has it, and what can't be
//! changed.

use super::{Refusal, named};
use crate::evidence::Object;
use crate::snapshot::{Kind, SYSTEM_NAMESPACES, Snapshot, Workload};
use crate::workload;
use crate::yaml::{Yaml, document};

/// How namespaces of Sallyport's own begin.
const OURS: &str = "sallyport-";

pub(super) fn apply(snapshot: &mut Snapshot, object: &Object) -> Result<(), Refusal> {
    if object.kind == "Pod" {
        let why = format!(
            "{}: a pod's spec can't be changed once it is there. Say automountServiceAccountToken: false where it is written, \
             and make it anew.",
            named(object)
        );
        return Err(Refusal::Fixed(why));
    }
    let at = workload::find(snapshot, object).ok_or_else(|| Refusal::Gone(named(object)))?;
    let pods = workload::pods_of(snapshot, at);
    let one = snapshot.workloads.get_mut(at).ok_or_else(|| Refusal::Gone(named(object)))?;
    may_change(one, object)?;
    if one.automount == Some(false) {
        return Err(Refusal::Nothing);
    }
    one.automount = Some(false);
    // They are made anew: the effect says when.
    for pod in pods {
        if let Some(pod) = snapshot.pods.get_mut(pod) {
            pod.automount = Some(false);
        }
    }
    Ok(())
}

fn may_change(one: &Workload, object: &Object) -> Result<(), Refusal> {
    let what = named(object);
    if let Some(maker) = &one.controller {
        return Err(Refusal::Fixed(format!(
            "{what} is made by {} {}, which puts it back: change that.",
            crate::said::shown(&maker.kind),
            crate::said::shown(&maker.name)
        )));
    }
    if one.kind == Kind::Job {
        return Err(Refusal::Fixed(format!(
            "{what}: a Job's pods can't be changed once it is there. Say automountServiceAccountToken: false where it is \
             written, and make it anew."
        )));
    }
    may_be_without(object)
}

/// Whether what is there may be without a token, as far as its namespace tells.
pub(super) fn may_be_without(object: &Object) -> Result<(), Refusal> {
    let what = named(object);
    let place = object.namespace.as_deref().unwrap_or_default();
    if SYSTEM_NAMESPACES.contains(&place) {
        return Err(Refusal::Fixed(format!(
            "{what} is where the cluster's own parts are, which call the API server: without a token they would stop \
             working."
        )));
    }
    if place.starts_with(OURS) {
        return Err(Refusal::Fixed(format!(
            "{what} is Sallyport's own and signs in with its token: without it nothing opens here, and nothing is closed."
        )));
    }
    Ok(())
}

/// The API group and version of each kind whose template can be changed.
fn api_version(kind: &str) -> &'static str {
    if kind == "CronJob" { "batch/v1" } else { "apps/v1" }
}

/// The object with this one field, as for server-side apply.
pub(super) fn yaml(object: &Object, meta: Vec<(&'static str, Yaml)>, mounted: bool) -> String {
    let pod = vec![("spec", Yaml::Map(vec![("automountServiceAccountToken", Yaml::Is(mounted))]))];
    let template = vec![("template", Yaml::Map(pod))];
    let spec = match object.kind {
        "CronJob" => vec![("jobTemplate", Yaml::Map(vec![("spec", Yaml::Map(template))]))],
        _ => template,
    };
    document(&[
        ("apiVersion", api_version(object.kind).into()),
        ("kind", object.kind.into()),
        ("metadata", Yaml::Map(meta)),
        ("spec", Yaml::Map(spec)),
    ])
}

/// What the field says in effect before: what is not said there, the account says.
pub(super) fn was(before: &Snapshot, object: &Object) -> Option<bool> {
    let one = before.workloads.get(workload::find(before, object)?)?;
    let own = before
        .accounts
        .iter()
        .find(|account| account.meta.name == one.account && account.meta.namespace == one.meta.namespace);
    Some(one.automount.or(own.and_then(|own| own.automount)).unwrap_or(true))
}

/// What to know before it is made.
pub(crate) fn warnings(object: &Object) -> Vec<String> {
    let when = match object.kind {
        "Deployment" => {
            "Its pods restart: the Deployment rolls at once, and one that is Recreate has none for a while. A roll-back to \
             an earlier revision brings the token back."
        }
        "StatefulSet" | "DaemonSet" => {
            "Its pods restart one after the other; where its updateStrategy is OnDelete they keep their token until somebody \
             deletes them."
        }
        "ReplicaSet" => "Pods that run keep their token until somebody deletes them.",
        _ => "It holds from the next Job on; what runs now keeps its token until it ends.",
    };
    let needs = "If a program in them calls the API server, it is refused from then on; whether one does cannot be read here.";
    vec![when.to_owned(), needs.to_owned()]
}
