//! Ways of fixing: for a finding the changes that might end it. Whether they do is worked out by whoever asks.

mod narrow;

use crate::change::Change;
use crate::check::Finding;
use crate::evidence::Object;
use crate::ground::{Ground, Origin};
use crate::path::Goal;
use sallyport_rbac::who::{Binding, MASTERS, Subject};
use std::collections::BTreeSet;

/// From a finding to changes, or why none is proposed; no changes: it does not apply.
pub(super) type Way = fn(&Ground<'_>, &Finding) -> Result<Vec<Change>, String>;

/// All of them.
pub(super) const WAYS: &[Way] = &[narrow::limit, narrow::first, narrow::second, leave, cut, workload, object];

/// The binding of the index that an object is, and where it comes from.
fn binding<'g>(ground: &'g Ground<'_>, object: &Object) -> Option<(&'g Binding, Origin)> {
    let mut all = ground.rights.rbac.bindings().iter().enumerate();
    let (at, (binding, _)) =
        all.find(|(_, (one, _))| one.namespace == object.namespace && one.name == object.name)?;
    Some((binding, ground.origin(at)))
}

/// Takes whom it is about out of each binding that proves it.
fn leave(ground: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    let Some(subject) = &finding.subject else { return Ok(Vec::new()) };
    let objects: BTreeSet<&Object> =
        finding.evidence.iter().filter_map(|evidence| evidence.binding.as_deref()).collect();
    let mut changes = Vec::new();
    let mut shipped = None;
    for object in objects {
        let Some((binding, origin)) = binding(ground, object) else { continue };
        if origin == Origin::Default {
            shipped = Some(object);
            continue;
        }
        // By a group that everybody is in, that group is who leaves.
        let groups: Vec<Subject> = subject.caller().groups.into_iter().map(Subject::Group).collect();
        let named = binding.subjects.iter().find(|own| *own == subject);
        let named = named.or_else(|| binding.subjects.iter().find(|own| groups.contains(own)));
        if let Some(named) = named {
            changes.push(take_out(binding, object, named));
        }
    }
    if changes.is_empty()
        && let Some(object) = shipped
    {
        return Err(format!(
            "{} comes with Kubernetes and is not changed: the API server would put it back.",
            crate::change::named(object)
        ));
    }
    Ok(changes)
}

fn take_out(binding: &Binding, object: &Object, subject: &Subject) -> Change {
    match binding.subjects.iter().all(|own| own == subject) {
        true => Change::DeleteBinding { binding: object.clone() },
        false => Change::RemoveSubject { binding: object.clone(), subject: subject.clone() },
    }
}

/// Removes the binding further on whose end closes the way to everything for most.
fn cut(ground: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    let Some(subject) = &finding.subject else { return Ok(Vec::new()) };
    for goal in [Goal::ClusterAdmin, Goal::NodeRoot, Goal::KubeSystem] {
        let Some(paths) = ground.paths(&goal) else { continue };
        let Some(path) = paths.of(subject) else { continue };
        // The first step is its own, and another way's.
        if path.hops.len() < 2 {
            return Ok(Vec::new());
        }
        let Some(cut) = paths.cut() else { return Ok(Vec::new()) };
        let on_the_way = path.hops.iter().skip(1).flat_map(|hop| &hop.evidence).find_map(|evidence| {
            let object = evidence.binding.as_deref()?;
            (object.name == cut.binding && object.namespace == cut.namespace).then_some(object)
        });
        return Ok(on_the_way
            .map(|object| Change::DeleteBinding { binding: object.clone() })
            .into_iter()
            .collect());
    }
    Ok(Vec::new())
}

/// Mounts no token into the pods of a workload.
fn workload(_: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    Ok(match (&finding.object, finding.check) {
        (Some(object), "SA-03" | "SA-04" | "SA-08") => vec![Change::UnmountPods { workload: object.clone() }],
        _ => Vec::new(),
    })
}

/// What is about an object by itself.
fn object(ground: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    let Some(object) = &finding.object else { return Ok(Vec::new()) };
    let own = object.clone();
    Ok(match (finding.check, object.kind) {
        (_, "ClusterRoleBinding" | "RoleBinding") => {
            let mut bindings = ground.snapshot.bindings.iter();
            let Some(one) = bindings
                .find(|one| one.binding.namespace == object.namespace && one.binding.name == object.name)
            else {
                return Ok(Vec::new());
            };
            match (&finding.subject, finding.check) {
                (None, "RB-30") => vec![Change::DeleteBinding { binding: own }],
                (Some(subject), _) if one.binding.subjects.contains(subject) => {
                    if *subject == Subject::Group(MASTERS.to_owned()) && one.binding.name == "cluster-admin" {
                        return Err(
                            "ClusterRoleBinding cluster-admin is how Kubernetes ships it for system:masters."
                                .to_owned(),
                        );
                    }
                    vec![take_out(&one.binding, object, subject)]
                }
                _ => Vec::new(),
            }
        }
        // What nobody changes by itself, its account does, for all that run as it.
        ("SA-03" | "SA-04", _) => match finding.subject.as_ref().and_then(Subject::as_account) {
            Some((namespace, name)) => {
                let of = |meta: &crate::snapshot::Meta| {
                    meta.name == name && meta.namespace.as_deref() == Some(namespace)
                };
                let known = ground.snapshot.accounts.iter().find(|one| of(&one.meta));
                known
                    .map(|one| Change::Unmount {
                        account: crate::ground::object(
                            "ServiceAccount",
                            one.meta.namespace.clone(),
                            &one.meta.name,
                            Some(&one.meta),
                        ),
                    })
                    .into_iter()
                    .collect()
            }
            None => Vec::new(),
        },
        ("AD-01", "Namespace") => vec![Change::Enforce { namespace: own }],
        ("AD-03", kind) => {
            let mutating = kind.starts_with("Mutating");
            let of = |one: &&crate::snapshot::Webhook| {
                one.mutating == mutating && one.meta.name == own.name && one.ignores_failure
            };
            let webhooks = ground.snapshot.webhooks.iter().filter(of).map(|one| one.name.clone()).collect();
            vec![Change::FailClosed { configuration: own, webhooks }]
        }
        ("SA-01" | "SA-02", "Secret") => vec![Change::DeleteSecret { secret: own }],
        _ => Vec::new(),
    })
}

/// Where one after the other leaves a binding until nobody is left in it, the binding goes at once.
pub(super) fn whole(ground: &Ground<'_>, changes: Vec<Change>) -> Vec<Change> {
    let mut out: Vec<Change> = Vec::new();
    for change in changes {
        let object = change.object().clone();
        let leavers: Vec<Subject> = out
            .iter()
            .chain([&change])
            .filter_map(|one| match one {
                Change::RemoveSubject { binding, subject } if *binding == object => Some(subject.clone()),
                _ => None,
            })
            .collect();
        let empty = !leavers.is_empty()
            && binding(ground, &object)
                .is_some_and(|(binding, _)| binding.subjects.iter().all(|own| leavers.contains(own)));
        let of_it = |one: &Change| matches!(one, Change::RemoveSubject { binding, .. } if *binding == object);
        match change {
            Change::DeleteBinding { .. } => {
                out.retain(|one| !of_it(one));
                out.push(change);
            }
            _ if empty => {
                out.retain(|one| !of_it(one));
                out.push(Change::DeleteBinding { binding: object });
            }
            _ => out.push(change),
        }
    }
    out
}
