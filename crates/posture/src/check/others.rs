//! Service accounts and their tokens, and what admission keeps out.

use super::{Finding, admission};
use crate::evidence::Object;
use crate::ground::{Ground, Origin};
use crate::severity::Severity;
use crate::snapshot::{Kind, Meta};
use sallyport_model::{clip, visible};
use std::collections::HashSet;

pub(super) fn shown(text: &str) -> String {
    clip(&visible(text), 80)
}

pub(super) fn finding(
    check: &'static str,
    kind: &'static str,
    meta: &Meta,
    severity: Severity,
    said: String,
) -> Finding {
    Finding {
        check,
        inert: false,
        severity,
        subject: None,
        object: Some(Object {
            kind,
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
        }),
        namespaces: meta.namespace.clone().map(|own| vec![own]),
        evidence: Vec::new(),
        said,
        origin: Origin::Own,
    }
}

pub(super) fn place(meta: &Meta) -> String {
    shown(meta.namespace.as_deref().unwrap_or_default())
}

const TOKEN: &str = "kubernetes.io/service-account-token";

/// SA-01.
pub(super) fn kept_tokens(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let tokens = ground.snapshot.secrets.iter().filter(|secret| secret.kind == TOKEN);
    let told = |meta: &Meta| {
        format!(
            "Secret {} in {} holds a token of a service account that never ends.",
            shown(&meta.name),
            place(meta)
        )
    };
    tokens
        .map(|secret| finding(check, "Secret", &secret.meta, Severity::Medium, told(&secret.meta)))
        .collect()
}

/// SA-02 (KEP-2799).
pub(super) fn unused_tokens(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let tracked = ground.snapshot.configs.iter().any(|one| {
        one.name == "kube-apiserver-legacy-service-account-token-tracking"
            && one.namespace.as_deref() == Some("kube-system")
    });
    if !tracked {
        return Vec::new();
    }
    let unused = ground.snapshot.secrets.iter().filter(|secret| {
        let has = |key: &str| secret.meta.labels.contains_key(key);
        secret.kind == TOKEN
            && !has("kubernetes.io/legacy-token-last-used")
            && !has("kubernetes.io/legacy-token-invalid-since")
    });
    let told = |meta: &Meta| {
        format!(
            "Secret {} in {} holds a token that nobody has used since the API server takes note of it.",
            shown(&meta.name),
            place(meta)
        )
    };
    unused
        .map(|secret| finding(check, "Secret", &secret.meta, Severity::Medium, told(&secret.meta)))
        .collect()
}

/// Namespaces whose pods may need what pod security keeps out.
const SYSTEM: [&str; 3] = ["kube-system", "kube-node-lease", "kube-public"];

/// AD-01.
pub(super) fn pod_security(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for namespace in ground.snapshot.namespaces.iter().filter(|one| !SYSTEM.contains(&one.name.as_str())) {
        let what = match namespace.labels.get("pod-security.kubernetes.io/enforce").map(String::as_str) {
            Some("baseline" | "restricted") => continue,
            Some("privileged") => "enforces the pod security level privileged, which keeps nothing out",
            Some(_) => "has a pod security level that does not exist",
            // One for the whole API server is not seen from here.
            None => "has no pod security level of its own",
        };
        let somebody =
            ground.rights.place(&namespace.name).is_some_and(|place| ground.makers.contains(&place));
        let severity = if somebody { Severity::High } else { Severity::Medium };
        let makers =
            if somebody { ", and people or programs other than the system can make pods there" } else { "" };
        let sentence = format!("Namespace {} {what}{makers}.", shown(&namespace.name));
        let mut found = finding(check, "Namespace", namespace, severity, sentence);
        found.namespaces = Some(vec![namespace.name.clone()]);
        findings.push(found);
    }
    findings
}

/// AD-03.
pub(super) fn failing_open(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in ground.snapshot.webhooks.iter().filter(|one| one.ignores_failure && admission::guards(one)) {
        let kind =
            if one.mutating { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" };
        let severity = if one.mutating { Severity::Low } else { Severity::Medium };
        let sentence = format!(
            "{kind} {} lets requests pass when its webhook {} cannot be asked.",
            shown(&one.meta.name),
            shown(&one.name)
        );
        findings.push(finding(check, kind, &one.meta, severity, sentence));
    }
    findings
}

/// AD-05.
pub(super) fn policies(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in &ground.snapshot.policies {
        let bound: Vec<_> =
            ground.snapshot.policy_bindings.iter().filter(|one| one.policy == policy.meta.name).collect();
        let denies = bound.iter().any(|one| one.actions.iter().any(|action| action == "Deny"));
        let (severity, what) = if bound.is_empty() {
            (Severity::Low, "is bound nowhere, and refuses nothing")
        } else if !denies {
            (Severity::Low, "is bound to warn or record, and refuses nothing")
        } else if policy.ignores_failure {
            (Severity::Medium, "lets requests pass when it cannot be evaluated")
        } else {
            continue;
        };
        let sentence = format!("ValidatingAdmissionPolicy {} {what}.", shown(&policy.meta.name));
        findings.push(finding(check, "ValidatingAdmissionPolicy", &policy.meta, severity, sentence));
    }
    for binding in &ground.snapshot.policy_bindings {
        if !ground.snapshot.policies.iter().any(|policy| policy.meta.name == binding.policy) {
            let sentence = format!(
                "ValidatingAdmissionPolicyBinding {} names the policy {}, which is not there.",
                shown(&binding.meta.name),
                shown(&binding.policy)
            );
            let kind = "ValidatingAdmissionPolicyBinding";
            findings.push(finding(check, kind, &binding.meta, Severity::Low, sentence));
        }
    }
    findings
}

/// AD-07.
pub(super) fn quotas(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    if !ground.snapshot.has_all(Kind::ResourceQuota) || !ground.snapshot.has_all(Kind::LimitRange) {
        return Vec::new();
    }
    let bounded: HashSet<&str> = ground
        .snapshot
        .quotas
        .iter()
        .chain(&ground.snapshot.limits)
        .filter_map(|one| one.namespace.as_deref())
        .collect();
    let mut findings = Vec::new();
    for namespace in &ground.snapshot.namespaces {
        let somebody =
            ground.rights.place(&namespace.name).is_some_and(|place| ground.makers.contains(&place));
        if somebody
            && !bounded.contains(namespace.name.as_str())
            && !SYSTEM.contains(&namespace.name.as_str())
        {
            let sentence = format!(
                "Namespace {} has neither a ResourceQuota nor a LimitRange, and pods can be made there without end.",
                shown(&namespace.name)
            );
            let mut found = finding(check, "Namespace", namespace, Severity::Low, sentence);
            found.namespaces = Some(vec![namespace.name.clone()]);
            findings.push(found);
        }
    }
    findings
}
