//! Service accounts and their tokens.

use super::Finding;
use crate::evidence::Object;
use crate::ground::{Ground, Origin};
use crate::severity::Severity;
use crate::snapshot::Meta;
use sallyport_model::{clip, visible};

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
