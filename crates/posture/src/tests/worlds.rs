//! Random clusters, small enough that all questions can be put to them.

use crate::snapshot::Snapshot;
use crate::tests::{Cluster, account, group, rule, user};
use proptest::prelude::*;
use sallyport_rbac::Ask;
use serde_json::Value;

pub(crate) const NAMESPACES: [&str; 3] = ["ci", "payments", "kube-system"];

/// What bindings name.
fn somebody() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop::sample::select(vec!["ana", "ben"]).prop_map(user),
        3 => prop::sample::select(vec!["devs", "ops"]).prop_map(group),
        1 => prop::sample::select(vec!["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:ci", "system:masters"])
            .prop_map(group),
        3 => prop::sample::select(vec![("ci", "builder"), ("kube-system", "operator"), ("payments", "default")])
            .prop_map(|(namespace, name)| account(namespace, name)),
    ]
}

fn some(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(words), 1..4)
}

fn any_rule() -> impl Strategy<Value = Value> {
    let dangerous = prop::sample::select(vec![
        (vec!["create"], vec![""], vec!["serviceaccounts/token"]),
        (vec!["create"], vec![""], vec!["pods"]),
        (vec!["create", "get"], vec![""], vec!["pods/exec", "pods/log"]),
        (vec!["get", "list"], vec![""], vec!["secrets", "configmaps"]),
        (vec!["*"], vec!["*"], vec!["*"]),
        (vec!["bind", "get"], vec!["rbac.authorization.k8s.io"], vec!["clusterroles"]),
        (vec!["create"], vec!["rbac.authorization.k8s.io"], vec!["rolebindings", "clusterrolebindings"]),
        (vec!["impersonate"], vec![""], vec!["users", "groups"]),
    ])
    .prop_map(|(verbs, groups, resources)| rule(&verbs, &groups, &resources));
    let plain = (
        some(&["get", "list", "create", "delete", "*"]),
        some(&["", "apps", "*"]),
        some(&["pods", "pods/exec", "deployments", "*/scale", "secrets", "*"]),
        prop_oneof![3 => Just(Vec::new()), 1 => some(&["a", "b"])],
    )
        .prop_map(|(verbs, groups, resources, names)| {
            let mut rule = rule(&verbs, &groups, &resources);
            if !names.is_empty() {
                rule["resourceNames"] = serde_json::json!(names);
            }
            rule
        });
    let paths = some(&["/metrics", "/logs/*", "*"])
        .prop_map(|urls| serde_json::json!({"verbs": ["get"], "nonResourceURLs": urls}));
    prop_oneof![3 => dangerous, 4 => plain, 1 => paths]
}

/// Roles 0 to 5, the first three of the whole cluster; bindings of them anywhere.
pub(crate) fn world() -> impl Strategy<Value = Snapshot> {
    let roles = prop::collection::vec(prop::collection::vec(any_rule(), 0..3), 6);
    let place = prop::option::of(prop::sample::select(NAMESPACES.to_vec()));
    let bound = (place, 0..6_usize, prop::collection::vec(somebody(), 0..3));
    (roles, prop::collection::vec(bound, 0..9)).prop_map(|(roles, bindings)| {
        let mut cluster = Cluster::default()
            .namespace("ci", None)
            .namespace("payments", Some("restricted"))
            .namespace("kube-system", None)
            .account("ci", "builder")
            .account("kube-system", "operator");
        for (number, rules) in roles.iter().enumerate() {
            let name = format!("r{number}");
            cluster = match number {
                0..3 => cluster.cluster_role(&name, rules),
                _ => cluster.role(NAMESPACES[number - 3], &name, rules),
            };
        }
        for (place, role, subjects) in bindings {
            let (place, role) = match role {
                0..3 => (place, format!("r{role}")),
                _ => (Some(NAMESPACES[role - 3]), format!("Role/r{role}")),
            };
            cluster = cluster.bind(place, &role, &subjects);
        }
        cluster.read()
    })
}

/// Every question that tells two of these worlds apart, and in which namespace to ask it.
pub(crate) fn questions() -> Vec<(Ask<'static>, Option<&'static str>)> {
    let mut all = Vec::new();
    for path in ["/metrics", "/logs/x", "/other"] {
        all.push((Ask::Path { verb: "get", path }, None));
    }
    for verb in ["get", "list", "create", "delete", "bind", "impersonate", "escalate"] {
        for (group, resource, subresource) in [
            ("", "pods", ""),
            ("", "pods", "exec"),
            ("", "pods", "log"),
            ("", "secrets", ""),
            ("", "users", ""),
            ("", "serviceaccounts", "token"),
            ("apps", "deployments", ""),
            ("apps", "deployments", "scale"),
            ("batch", "jobs", ""),
            ("rbac.authorization.k8s.io", "clusterroles", ""),
            ("rbac.authorization.k8s.io", "rolebindings", ""),
        ] {
            for name in ["", "a", "c"] {
                for namespace in [None, Some("ci"), Some("payments"), Some("kube-system")] {
                    all.push((Ask::Resource { verb, group, resource, subresource, name }, namespace));
                }
            }
        }
    }
    all
}
