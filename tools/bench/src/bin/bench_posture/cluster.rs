//! The cluster: teams with a namespace or two, people in groups, operators with kinds of their own, and a few grants that
//! somebody made in a hurry.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";
const NAMESPACES: usize = 420;
const ROLE_BINDINGS: usize = 4491;
const CLUSTER_ROLE_BINDINGS: usize = 676;
const ROLES: usize = 1374;
const CLUSTER_ROLES: usize = 721;
const PODS: usize = 6000;

/// Each kind as an API server lists it.
pub(crate) fn lists(seed: u64) -> Vec<Vec<u8>> {
    let mut dice = StdRng::seed_from_u64(seed);
    let roles: Vec<(usize, String)> =
        (0..ROLES).map(|at| (dice.random_range(0..NAMESPACES), format!("role-{at}"))).collect();
    let rbac = |kind: &str, items: Vec<Value>| list(&format!("{RBAC}/v1"), kind, items);
    let core = |kind: &str, items: Vec<Value>| list("v1", kind, items);
    let meta = |name: String, namespace: Option<usize>| {
        let mut meta = json!({"name": name, "uid": format!("0a1b2c3d-{name}"), "resourceVersion": "123456",
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app.kubernetes.io/managed-by": "Helm"}});
        if let Some(namespace) = namespace {
            meta["namespace"] = json!(team(namespace));
        }
        meta
    };
    let cluster_roles = (0..CLUSTER_ROLES)
        .map(|at| json!({"metadata": meta(format!("cluster-role-{at}"), None), "rules": cluster_rules(at, &mut dice)}))
        .collect();
    let local_roles = roles
        .iter()
        .map(|(namespace, name)| json!({"metadata": meta(name.clone(), Some(*namespace)), "rules": local_rules(&mut dice)}))
        .collect();
    let everywhere = (0..CLUSTER_ROLE_BINDINGS)
        .map(|at| {
            // The first ones are the hurried: a handful holds what matters.
            let role = if at < 12 { at } else { dice.random_range(12..CLUSTER_ROLES) };
            json!({"metadata": meta(format!("everywhere-{at}"), None), "roleRef": role_ref("ClusterRole", format!("cluster-role-{role}")),
                "subjects": subjects(&mut dice, None)})
        })
        .collect();
    let local = (0..ROLE_BINDINGS)
        .map(|at| {
            let (namespace, role) = if at % 3 == 0 {
                let (namespace, name) = roles.choose(&mut dice).expect("roles");
                (*namespace, role_ref("Role", name.clone()))
            } else {
                let role = dice.random_range(12..CLUSTER_ROLES);
                (dice.random_range(0..NAMESPACES), role_ref("ClusterRole", format!("cluster-role-{role}")))
            };
            json!({"metadata": meta(format!("local-{at}"), Some(namespace)), "roleRef": role,
                "subjects": subjects(&mut dice, Some(namespace))})
        })
        .collect();
    let namespaces = (0..NAMESPACES)
        .map(|at| {
            let mut meta = meta(team(at), None);
            if at % 3 > 0 {
                meta["labels"]["pod-security.kubernetes.io/enforce"] = json!("baseline");
            }
            json!({"metadata": meta})
        })
        .collect();
    let accounts = (0..NAMESPACES)
        .flat_map(|namespace| (0..7).map(move |at| (namespace, at)))
        .map(|(namespace, at)| json!({"metadata": meta(format!("app-{at}"), Some(namespace))}))
        .collect();
    let pods = (0..PODS)
        .map(|at| {
            json!({"metadata": meta(format!("pod-{at}"), Some(at % NAMESPACES)),
                "spec": {"serviceAccountName": format!("app-{}", at % 7)}})
        })
        .collect();
    vec![
        rbac("ClusterRoleList", cluster_roles),
        rbac("RoleList", local_roles),
        rbac("ClusterRoleBindingList", everywhere),
        rbac("RoleBindingList", local),
        core("NamespaceList", namespaces),
        core("ServiceAccountList", accounts),
        core("PodList", pods),
    ]
}

fn team(at: usize) -> String {
    if at == 0 { "kube-system".to_owned() } else { format!("team-{at}") }
}

fn list(version: &str, kind: &str, items: Vec<Value>) -> Vec<u8> {
    json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": "1"}, "items": items})
        .to_string()
        .into_bytes()
}

fn role_ref(kind: &str, name: String) -> Value {
    json!({"apiGroup": RBAC, "kind": kind, "name": name})
}

fn subjects(dice: &mut StdRng, namespace: Option<usize>) -> Vec<Value> {
    let count = [1, 1, 1, 2, 3][dice.random_range(0..5)];
    (0..count)
        .map(|_| match dice.random_range(0..10) {
            0..5 => {
                let own = namespace.filter(|_| dice.random_range(0..8) > 0);
                let namespace = own.unwrap_or_else(|| dice.random_range(0..NAMESPACES));
                json!({"kind": "ServiceAccount", "name": format!("app-{}", dice.random_range(0..7)), "namespace": team(namespace)})
            }
            5..9 => json!({"kind": "Group", "apiGroup": RBAC, "name": format!("oidc:team-{}", dice.random_range(0..300))}),
            _ => json!({"kind": "User", "apiGroup": RBAC, "name": format!("oidc:person-{}@example.test", dice.random_range(0..500))}),
        })
        .collect()
}

fn rule(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Value {
    json!({"verbs": verbs, "apiGroups": groups, "resources": resources})
}

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];

/// What reads most kinds, as `view`.
fn view() -> Vec<Value> {
    vec![
        rule(
            READ,
            &[""],
            &[
                "configmaps",
                "endpoints",
                "persistentvolumeclaims",
                "pods",
                "replicationcontrollers",
                "services",
            ],
        ),
        rule(
            READ,
            &[""],
            &[
                "bindings",
                "events",
                "limitranges",
                "namespaces/status",
                "pods/log",
                "pods/status",
                "resourcequotas",
            ],
        ),
        rule(
            READ,
            &["apps"],
            &[
                "controllerrevisions",
                "daemonsets",
                "deployments",
                "deployments/scale",
                "replicasets",
                "statefulsets",
            ],
        ),
        rule(READ, &["batch"], &["cronjobs", "cronjobs/status", "jobs", "jobs/status"]),
        rule(READ, &["networking.k8s.io"], &["ingresses", "ingresses/status", "networkpolicies"]),
        rule(READ, &["policy"], &["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    ]
}

/// What an operator needs for kinds of its own.
fn operator(at: usize) -> Vec<Value> {
    let (group, kind) = (format!("example{at}.test"), format!("widgets{at}"));
    let all: Vec<&str> = READ.iter().chain(WRITE).copied().collect();
    vec![
        json!({"verbs": all, "apiGroups": [group], "resources": [kind, format!("{kind}/status"), format!("{kind}/finalizers")]}),
        rule(READ, &[""], &["nodes", "namespaces", "pods", "services", "endpoints"]),
        rule(&["create", "patch"], &["", "events.k8s.io"], &["events"]),
        rule(&["get", "create", "update"], &["coordination.k8s.io"], &["leases"]),
        rule(READ, &["apiextensions.k8s.io"], &["customresourcedefinitions"]),
    ]
}

fn local_rules(dice: &mut StdRng) -> Vec<Value> {
    let mut rules = match dice.random_range(0..6) {
        0 => operator(dice.random_range(0..400)),
        1 => vec![rule(&["get", "create", "update"], &["coordination.k8s.io"], &["leases"])],
        2 => vec![rule(READ, &[""], &["configmaps"]), rule(WRITE, &[""], &["configmaps"])],
        _ => view(),
    };
    match dice.random_range(0..12) {
        0 => rules.push(rule(READ, &[""], &["secrets"])),
        1 => rules.push(json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["tls", "config"]})),
        2 => rules.push(rule(WRITE, &["apps"], &["deployments", "statefulsets"])),
        3 => rules.push(rule(&["create"], &[""], &["pods/exec", "pods/portforward"])),
        _ => {}
    }
    rules
}

fn cluster_rules(at: usize, dice: &mut StdRng) -> Vec<Value> {
    match at {
        0..4 => vec![rule(&["*"], &["*"], &["*"]), json!({"verbs": ["*"], "nonResourceURLs": ["*"]})],
        4 => vec![rule(&["impersonate"], &[""], &["users", "groups", "serviceaccounts"])],
        5 => vec![rule(&["get"], &[""], &["nodes/proxy", "nodes/metrics"])],
        6 => vec![rule(
            &["bind", "escalate", "create", "patch", "update"],
            &[RBAC],
            &["clusterroles", "clusterrolebindings"],
        )],
        7 => vec![rule(&["create"], &[""], &["serviceaccounts/token"])],
        8 => vec![rule(READ, &[""], &["secrets"])],
        9 => vec![rule(WRITE, &["admissionregistration.k8s.io"], &["mutatingwebhookconfigurations"])],
        10 => vec![rule(WRITE, &["apps"], &["deployments", "daemonsets"])],
        11 => vec![rule(&["*"], &["apps", "batch"], &["*"])],
        _ if at.is_multiple_of(9) => {
            // As `edit`.
            let mut rules = view();
            rules.push(rule(
                WRITE,
                &["", "apps", "batch"],
                &["pods", "deployments", "statefulsets", "jobs", "cronjobs", "configmaps"],
            ));
            rules.push(rule(
                &["create"],
                &[""],
                &["pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token"],
            ));
            rules.push(rule(&["get", "list", "watch", "create", "update", "patch"], &[""], &["secrets"]));
            rules
        }
        _ if at.is_multiple_of(3) => view(),
        _ => {
            let mut rules = operator(at);
            if dice.random_range(0..10) == 0 {
                rules.push(rule(&["get", "list", "watch", "create", "update"], &[""], &["secrets"]));
            }
            rules
        }
    }
}
