//! Service accounts and their tokens.

use super::Finding;
use crate::evidence::Object;
use crate::graph::Node;
use crate::ground::{Ground, Origin, said};
use crate::severity::Severity;
use crate::snapshot::Meta;
use sallyport_model::{clip, visible};
use sallyport_rbac::who::Subject;
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

/// Whether a ServiceAccount, or a group that it is in, leads to everything.
fn is_strong(ground: &Ground<'_>, account: &Subject) -> bool {
    let groups = account.caller().groups.into_iter().map(Subject::Group);
    groups
        .chain([account.clone()])
        .filter_map(|subject| ground.graph.at(Node::Subject(ground.rights.subject(&subject)?)))
        .any(|node| ground.reach.is_critical(node))
}

/// Whether a binding names a ServiceAccount, or gives the groups that it is in more than Kubernetes gives everybody.
fn holds_something(ground: &Ground<'_>, account: &Subject) -> bool {
    let mut bindings = ground.rights.rbac.places_of(&account.caller()).into_iter();
    ground.rights.subject(account).is_some() || bindings.any(|at| ground.origin(at) != Origin::Default)
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

/// SA-03.
pub(super) fn mounted(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let unmounted: HashSet<(&str, &str)> = ground
        .snapshot
        .accounts
        .iter()
        .filter(|one| one.automount == Some(false))
        .map(|one| (one.meta.namespace.as_deref().unwrap_or_default(), one.meta.name.as_str()))
        .collect();
    let mut told: HashSet<(&str, &str)> = HashSet::new();
    let mut findings = Vec::new();
    for pod in &ground.snapshot.pods {
        let namespace = pod.meta.namespace.as_deref().unwrap_or_default();
        let key = (namespace, pod.account.as_str());
        let mounts = pod.automount.unwrap_or(!unmounted.contains(&key));
        if !mounts || !told.insert(key) {
            continue;
        }
        let account = Subject::account(namespace, &pod.account);
        // Whoever holds nothing has nothing to lose.
        if !holds_something(ground, &account) {
            continue;
        }
        let severity = if is_strong(ground, &account) { Severity::Medium } else { Severity::Low };
        let sentence = format!(
            "Pod {} in {} has the token of {} in it, whose rights whoever gets into it has too.",
            shown(&pod.meta.name),
            place(&pod.meta),
            said(&account)
        );
        findings
            .push(Finding { subject: Some(account), ..finding(check, "Pod", &pod.meta, severity, sentence) });
    }
    findings
}
