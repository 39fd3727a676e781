//! Subresources that nobody here knows. A `get` on one may be a console, a shell or a proxy: KubeVirt's
//! `virtualmachineinstances/console` is, and `pods/exec` was a GET before it was anything else (kubernetes#78741).

use crate::Rule;

/// Groups whose subresources are all known: those that the API server serves itself, and metrics.
const BUILT_IN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "metrics.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Theirs, besides `status` and `scale`. Which of them are dangerous is said where dangers are.
const KNOWN: &[&str] = &[
    "pods/attach",
    "pods/binding",
    "pods/ephemeralcontainers",
    "pods/eviction",
    "pods/exec",
    "pods/log",
    "pods/portforward",
    "pods/proxy",
    "pods/resize",
    "nodes/proxy",
    "services/proxy",
    "serviceaccounts/token",
    "namespaces/finalize",
    "certificatesigningrequests/approval",
];

/// Whether an entry of a rule names subresources that are not known, or all of a group's where some are not.
pub(crate) fn may_be_a_way_in(group: &str, resource: &str) -> bool {
    let built_in = BUILT_IN.contains(&group);
    let Some((kind, sub)) = resource.split_once('/') else {
        return resource == "*" && !built_in;
    };
    match sub {
        // Every CRD may have these two and no others; `pods/*` is no wildcard and allows nothing.
        "status" | "scale" | "*" | "" => false,
        _ if !built_in => true,
        _ => !KNOWN.iter().any(|known| {
            known.split_once('/').is_some_and(|(own, own_sub)| own_sub == sub && (kind == "*" || own == kind))
        }),
    }
}

/// The first such entry of a rule that allows something, with its group.
pub(crate) fn way_in(rule: &Rule) -> Option<(&str, &str)> {
    if rule.verbs.is_empty() {
        return None;
    }
    rule.api_groups.iter().find_map(|group| {
        let found = rule.resources.iter().find(|resource| may_be_a_way_in(group, resource))?;
        Some((group.as_str(), found.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_a9_p11_an_unknown_subresource_may_be_a_way_in() {
        for (group, resource, is) in [
            ("subresources.kubevirt.io", "virtualmachineinstances/console", true),
            ("subresources.kubevirt.io", "*", true),
            ("example.test", "widgets/connect", true),
            ("example.test", "*/connect", true),
            ("example.test", "widgets/status", false),
            ("example.test", "widgets/scale", false),
            ("example.test", "widgets", false),
            ("*", "widgets/connect", true),
            ("*", "*", true),
            // A later Kubernetes may add some, and an aggregated API may serve any.
            ("", "pods/console", true),
            ("", "pods/exec", false),
            ("", "services/exec", true),
            ("", "*/exec", false),
            ("", "*/shell", true),
            ("", "pods/*", false),
            ("", "*", false),
            ("apps", "*", false),
            ("apps", "deployments/rollback", true),
        ] {
            assert_eq!(may_be_a_way_in(group, resource), is, "{resource} of {group:?}");
        }
    }
}
