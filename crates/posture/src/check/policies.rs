//! AD-05: policies that refuse or change nothing where they should, whoever asks.

use super::others::{finding, shown};
use super::{Finding, Verdict};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Kind, Parameters, Policy, PolicyBinding, Spared};

fn kind(mutating: bool) -> &'static str {
    if mutating { "MutatingAdmissionPolicy" } else { "ValidatingAdmissionPolicy" }
}

fn binding_kind(mutating: bool) -> &'static str {
    if mutating { "MutatingAdmissionPolicyBinding" } else { "ValidatingAdmissionPolicyBinding" }
}

/// The bindings that put a policy in force: those of one that refuses have to deny.
fn in_force<'g>(ground: &'g Ground<'_>, policy: &Policy) -> Vec<&'g PolicyBinding> {
    bound(ground, policy).into_iter().filter(|one| one.mutating || denies(one)).collect()
}

fn bound<'g>(ground: &'g Ground<'_>, policy: &Policy) -> Vec<&'g PolicyBinding> {
    let of = |one: &&PolicyBinding| one.mutating == policy.mutating && one.policy == policy.meta.name;
    ground.snapshot.policy_bindings.iter().filter(of).collect()
}

fn denies(binding: &PolicyBinding) -> bool {
    binding.actions.iter().any(|action| action == "Deny")
}

/// AD-05.
pub(super) fn looks(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    // Of bindings or policies that were not all read, one that was not seen may be there.
    let has = |kinds: [Kind; 2]| kinds.into_iter().all(|kind| ground.snapshot.has_all(kind));
    let bindings = has([Kind::ValidatingAdmissionPolicyBinding, Kind::MutatingAdmissionPolicyBinding]);
    let policies = has([Kind::ValidatingAdmissionPolicy, Kind::MutatingAdmissionPolicy]);
    let mut findings = Vec::new();
    for policy in &ground.snapshot.policies {
        let mut tell = |severity, what: &str| {
            let of = kind(policy.mutating);
            let sentence = format!("{of} {} {what}.", shown(&policy.meta.name));
            findings.push(finding(check, of, &policy.meta, severity, sentence));
        };
        if bindings && bound(ground, policy).is_empty() {
            tell(Severity::Low, "is bound nowhere, and does nothing");
            continue;
        }
        let in_force = in_force(ground, policy);
        if in_force.is_empty() {
            if bindings {
                tell(Severity::Low, "is bound to warn or record, and refuses nothing");
            }
            continue;
        }
        if let Some((version, of)) = &policy.parameters
            && is_gone(ground, version)
        {
            let (severity, what) = match policy.ignores_failure {
                true => (Severity::Medium, "everything passes"),
                false => (Severity::Low, "what it is about is refused"),
            };
            let of =
                format!("takes parameters of {} {}, which is not there: {what}", shown(version), shown(of));
            tell(severity, &of);
        }
        if policy.ignores_failure {
            let severity = if policy.mutating { Severity::Low } else { Severity::Medium };
            tell(severity, "lets requests pass when it cannot be evaluated");
        } else if !policy.mutating
            && let Some(what) = passes_over(policy, &in_force)
        {
            tell(Severity::Low, &what);
        }
    }
    for binding in ground.snapshot.policy_bindings.iter().filter(|_| policies) {
        let is_there =
            |policy: &Policy| policy.mutating == binding.mutating && policy.meta.name == binding.policy;
        if !ground.snapshot.policies.iter().any(is_there) {
            let of = binding_kind(binding.mutating);
            let sentence = format!(
                "{of} {} names the policy {}, which is not there.",
                shown(&binding.meta.name),
                shown(&binding.policy)
            );
            findings.push(finding(check, of, &binding.meta, Severity::Low, sentence));
        }
    }
    findings
}

/// What a policy passes over by labels: by its own constraints, or by those of each binding that puts it in force.
fn passes_over(policy: &Policy, in_force: &[&PolicyBinding]) -> Option<String> {
    let all = |labels: fn(&Spared) -> &Vec<String>| {
        let own = labels(&policy.spares);
        let theirs: Vec<_> = in_force.iter().map(|one| labels(&one.spares)).collect();
        match theirs.iter().all(|one| !one.is_empty()) {
            true => own.iter().chain(theirs.into_iter().flatten()).cloned().collect::<Vec<_>>(),
            // One binding passes over nothing.
            false => own.clone(),
        }
    };
    let (objects, namespaces) = (all(|one| &one.objects), all(|one| &one.namespaces));
    let told = |labels: Vec<String>| shown(&labels.join(", "));
    if !objects.is_empty() {
        return Some(format!(
            "passes over objects by their labels ({}), and whoever writes an object writes those",
            told(objects)
        ));
    }
    (!namespaces.is_empty()).then(|| {
        format!(
            "passes over namespaces by their labels ({}): whoever may set those is passed over",
            told(namespaces)
        )
    })
}

/// The group that parameters of this API version are of, where only the cluster itself can define it.
fn own_group(version: &str) -> Option<&str> {
    let (group, _) = version.split_once('/')?;
    (group.contains('.') && !group.ends_with(".k8s.io")).then_some(group)
}

const DEFINED_BY: [Kind; 2] = [Kind::CustomResourceDefinition, Kind::APIService];

/// Whether nothing serves the API that parameters are of.
fn is_gone(ground: &Ground<'_>, version: &str) -> bool {
    let Some(group) = own_group(version) else { return false };
    let end = format!(".{group}");
    let snapshot = ground.snapshot;
    DEFINED_BY.into_iter().all(|kind| snapshot.has_all(kind))
        && !snapshot.definitions.iter().any(|one| one.name.ends_with(&end))
        && !snapshot.api_services.iter().any(|one| one.meta.name.ends_with(&end))
}

/// What AD-05 comes to where nothing was found: a parameter without which requests pass may be away, and parameters are
/// not read. A selector that finds none passes by what it says.
pub(super) fn about(ground: &Ground<'_>) -> Option<Verdict> {
    let takes =
        |one: &Policy| one.parameters.as_ref().is_some_and(|(version, _)| own_group(version).is_some());
    let gaps = ground.snapshot.gaps(&DEFINED_BY);
    if !gaps.is_empty() && ground.snapshot.policies.iter().any(takes) {
        return Some(Verdict::Unknown(gaps.join("; ")));
    }
    let known =
        |one: &Parameters| {
            ground.snapshot.configs.iter().any(|own| {
                own.name == one.name && own.namespace.as_deref().unwrap_or_default() == one.namespace
            })
        };
    let open = ground.snapshot.policy_bindings.iter().find(|one| {
        let parameters = one.parameters.as_ref();
        !one.mutating
            && denies(one)
            && parameters.is_some_and(|own| own.allows_without && !own.name.is_empty() && !known(own))
    })?;
    Some(Verdict::Unknown(format!(
        "{} {} lets requests pass where its parameter {} is not there (parameterNotFoundAction: Allow), and parameters are \
         not read",
        binding_kind(open.mutating),
        shown(&open.meta.name),
        shown(&open.parameters.as_ref().map(|own| own.name.clone()).unwrap_or_default())
    )))
}
