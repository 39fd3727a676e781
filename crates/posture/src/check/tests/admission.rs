//! What is refused or bounded, and what passes by it: one thing after another is wrong, and everything else is well.

use super::server::{Case, Comes, add, drop_series, eks, flag, no_flags, no_metrics, object, webhook, well};
use super::*;
use crate::snapshot::{CameTo, Tried};
use Comes::*;
use Severity::*;

const ADMISSION: &str = "admissionregistration.k8s.io/v1";

pub(super) fn namespace(snapshot: &mut Snapshot, name: &str, level: &str) {
    let labels = json!({"pod-security.kubernetes.io/enforce": level});
    object(
        snapshot,
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}),
    );
}

fn policy(snapshot: &mut Snapshot, kind: &str, spec: Value) {
    object(snapshot, json!({"apiVersion": ADMISSION, "kind": kind, "metadata": {"name": "p"}, "spec": spec}));
}

fn bound(snapshot: &mut Snapshot, kind: &str, more: Value) {
    let mut spec = json!({"policyName": "p"});
    if kind.starts_with("Validating") {
        spec["validationActions"] = json!(["Deny"]);
    }
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object(snapshot, json!({"apiVersion": ADMISSION, "kind": kind, "metadata": {"name": "b"}, "spec": spec}));
}

/// A policy that denies, with what its spec and its binding's say more.
fn denies(snapshot: &mut Snapshot, spec: Value, binding: Value) {
    policy(snapshot, "ValidatingAdmissionPolicy", spec);
    bound(snapshot, "ValidatingAdmissionPolicyBinding", binding);
}

fn flow(snapshot: &mut Snapshot, level: &str, precedence: i64, subject: Value, rules: Value) {
    let mut rule = rules;
    rule["subjects"] = json!([subject]);
    object(
        snapshot,
        json!({"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "f"},
            "spec": {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence, "rules": [rule]}}),
    );
}

fn of_group(name: &str) -> Value {
    json!({"kind": "Group", "group": {"name": name}})
}

fn everything() -> Value {
    json!({"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"],
        "clusterScope": true}]})
}

fn probes() -> Value {
    json!({"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]})
}

fn tries(snapshot: &mut Snapshot, came_to: &[CameTo]) {
    for number in 0..came_to.len() {
        namespace(snapshot, &format!("n{number}"), "restricted");
    }
    let tried = |(at, one): (usize, &CameTo)| Tried { namespace: format!("n{at}"), came_to: one.clone() };
    snapshot.tried = Some(came_to.iter().enumerate().map(tried).collect());
}

fn rules(operations: &[&str], groups: &[&str], resources: &[&str], scope: &str) -> Value {
    json!({"rules": [{"operations": operations, "apiGroups": groups, "resources": resources, "scope": scope}]})
}

fn refused() -> CameTo {
    CameTo::Refused("violates PodSecurity \"restricted:latest\"".to_owned())
}

pub(super) const CASES: &[Case] = &[
    // Levels do something where the plugin looks at them, and spares nobody.
    ("AD-01", Passes, |s| namespace(s, "a", "restricted")),
    ("AD-01", Fails(Medium), |s| namespace(s, "a", "none")),
    ("AD-01", Fails(Medium), |s| {
        namespace(s, "a", "baseline");
        flag(s, "disable-admission-plugins", "[PodSecurity]")
    }),
    ("AD-01", Fails(Medium), |s| {
        namespace(s, "a", "baseline");
        no_flags(s);
        s.told.metrics.found.retain(|one| one.label("name") != "PodSecurity");
        add(
            s,
            "apiserver_admission_controller_admission_duration_seconds_count",
            &[("name", "ResourceQuota")],
            2.0,
        )
    }),
    ("AD-01", Passes, |s| {
        namespace(s, "a", "baseline");
        no_flags(s)
    }),
    // On a server where nothing was written, and on one that tells nothing, nobody knows.
    ("AD-01", Unknown, |s| {
        namespace(s, "a", "baseline");
        no_flags(s);
        drop_series(s, "apiserver_admission_controller")
    }),
    ("AD-01", Unknown, |s| {
        namespace(s, "a", "baseline");
        no_flags(s);
        no_metrics(s)
    }),
    ("AD-01", Provider, |s| {
        namespace(s, "a", "baseline");
        no_flags(s);
        no_metrics(s);
        eks(s)
    }),
    ("AD-01", Unknown, |s| {
        namespace(s, "a", "baseline");
        flag(s, "admission-control-config-file", "admission.yaml")
    }),
    ("AD-01", Unknown, |s| {
        namespace(s, "a", "baseline");
        drop(s.told.flags.found.remove("admission-control-config-file"));
        no_metrics(s)
    }),
    ("AD-01", Fails(Medium), |s| {
        namespace(s, "a", "baseline");
        add(s, "pod_security_exemptions_total", &[], 3.0)
    }),
    ("AD-01", Passes, |s| {
        namespace(s, "a", "baseline");
        add(s, "pod_security_exemptions_total", &[], 0.0)
    }),
    // Nothing here has a level that could be spared from.
    ("AD-01", Passes, |s| flag(s, "disable-admission-plugins", "[PodSecurity]")),
    // A try.
    ("AD-02", Unknown, |_| {}),
    ("AD-02", Nothing, |s| s.tried = Some(Vec::new())),
    ("AD-02", Passes, |s| tries(s, &[refused(), CameTo::Disarmed])),
    ("AD-02", Fails(Medium), |s| tries(s, &[refused(), CameTo::Taken])),
    ("AD-02", Unknown, |s| tries(s, &[refused(), CameTo::Unknown("no right".to_owned())])),
    ("AD-02", Unknown, |s| {
        tries(s, &[refused()]);
        namespace(s, "later", "restricted")
    }),
    // Webhooks that pass over some.
    ("AD-04", Fails(Medium), |s| {
        webhook(
            s,
            json!({"objectSelector": {"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]}}),
        )
    }),
    ("AD-04", Fails(Low), |s| {
        webhook(s, json!({"matchConditions": [{"name": "no-leases", "expression": "true"}]}))
    }),
    ("AD-04", Fails(Medium), |s| webhook(s, rules(&["CREATE"], &[""], &["pods"], "*"))),
    ("AD-04", Passes, |s| webhook(s, rules(&["CREATE", "UPDATE"], &[""], &["pods"], "*"))),
    ("AD-04", Passes, |s| webhook(s, rules(&["*"], &["*"], &["*"], "*"))),
    // One that hears only of removals guards against those.
    ("AD-04", Passes, |s| webhook(s, rules(&["DELETE"], &[""], &["pods"], "*"))),
    ("AD-04", Fails(Low), |s| webhook(s, rules(&["*"], &[""], &["pods"], "Cluster"))),
    ("AD-04", Fails(Low), |s| webhook(s, rules(&["*"], &["*"], &["*"], "Namespaced"))),
    ("AD-04", Passes, |s| webhook(s, rules(&["*"], &[""], &["pods", "secrets"], "Namespaced"))),
    ("AD-04", Passes, |s| webhook(s, rules(&["CREATE"], &["cert-manager.io"], &["certificates"], "*"))),
    // Policies.
    ("AD-05", Passes, |s| denies(s, json!({"failurePolicy": "Fail"}), json!({}))),
    ("AD-05", Fails(Medium), |s| denies(s, json!({"failurePolicy": "Ignore"}), json!({}))),
    ("AD-05", Fails(Low), |s| {
        denies(s, json!({"matchConstraints": {"objectSelector": {"matchLabels": {"a": "b"}}}}), json!({}))
    }),
    ("AD-05", Fails(Low), |s| {
        denies(s, json!({"matchConstraints": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}), json!({}))
    }),
    ("AD-05", Fails(Low), |s| {
        denies(
            s,
            json!({}),
            json!({"matchResources": {"namespaceSelector": {"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]}}}),
        )
    }),
    ("AD-05", Passes, |s| {
        denies(
            s,
            json!({}),
            json!({"matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "a"}}}}),
        )
    }),
    // Another binding of it passes over nothing.
    ("AD-05", Passes, |s| {
        denies(s, json!({}), json!({"matchResources": {"objectSelector": {"matchLabels": {"a": "b"}}}}));
        object(
            s,
            json!({"apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "c"},
            "spec": {"policyName": "p", "validationActions": ["Deny"]}}),
        )
    }),
    ("AD-05", Fails(Low), |s| {
        denies(
            s,
            json!({"paramKind": {"apiVersion": "rules.example/v1", "kind": "Limit"}}),
            json!({"paramRef": {"name": "x", "parameterNotFoundAction": "Deny"}}),
        )
    }),
    ("AD-05", Fails(Medium), |s| {
        denies(
            s,
            json!({"failurePolicy": "Ignore", "paramKind": {"apiVersion": "rules.example/v1", "kind": "Limit"}}),
            json!({"paramRef": {"name": "x"}}),
        )
    }),
    ("AD-05", Passes, |s| {
        object(
            s,
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "limits.rules.example"}}),
        );
        denies(
            s,
            json!({"paramKind": {"apiVersion": "rules.example/v1", "kind": "Limit"}}),
            json!({"paramRef": {"name": "x", "parameterNotFoundAction": "Deny"}}),
        )
    }),
    ("AD-05", Unknown, |s| {
        denies(
            s,
            json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}),
            json!({"paramRef": {"name": "x", "namespace": "a", "parameterNotFoundAction": "Allow"}}),
        )
    }),
    ("AD-05", Passes, |s| {
        denies(
            s,
            json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}),
            json!({"paramRef": {"name": "x", "namespace": "a", "parameterNotFoundAction": "Deny"}}),
        )
    }),
    ("AD-05", Passes, |s| {
        denies(
            s,
            json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}),
            json!({"paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}}),
        )
    }),
    ("AD-05", Fails(Low), |s| policy(s, "MutatingAdmissionPolicy", json!({}))),
    ("AD-05", Passes, |s| {
        policy(s, "MutatingAdmissionPolicy", json!({}));
        bound(s, "MutatingAdmissionPolicyBinding", json!({}))
    }),
    // A binding of the other kind puts nothing in force.
    ("AD-05", Fails(Low), |s| {
        policy(s, "ValidatingAdmissionPolicy", json!({}));
        bound(s, "MutatingAdmissionPolicyBinding", json!({}))
    }),
    ("AD-05", Fails(Low), |s| {
        policy(s, "MutatingAdmissionPolicy", json!({"failurePolicy": "Ignore"}));
        bound(s, "MutatingAdmissionPolicyBinding", json!({}))
    }),
    // Files.
    ("AD-10", Nothing, |_| {}),
    ("AD-10", Nothing, |s| s.server = Some((1, 35))),
    ("AD-10", Nothing, |s| flag(s, "admission-control-config-file", "a.yaml")),
    ("AD-10", Unknown, |s| {
        flag(s, "admission-control-config-file", "a.yaml");
        no_metrics(s)
    }),
    ("AD-10", Fails(Info), |s| {
        add(
            s,
            "apiserver_manifest_admission_config_controller_last_config_info",
            &[("plugin", "ValidatingAdmissionPolicy")],
            1.0,
        )
    }),
    // Who waits for whom.
    ("AP-12", Passes, |s| flow(s, "exempt", 1, of_group("system:masters"), everything())),
    ("AP-12", Passes, |s| flow(s, "exempt", 2, of_group("system:unauthenticated"), probes())),
    ("AP-12", Fails(High), |s| flow(s, "exempt", 2, of_group("system:unauthenticated"), everything())),
    ("AP-12", Fails(High), |s| flow(s, "exempt", 2, of_group("*"), everything())),
    ("AP-12", Fails(Medium), |s| flow(s, "exempt", 5000, of_group("system:authenticated"), everything())),
    ("AP-12", Fails(Low), |s| flow(s, "exempt", 500, of_group("devs"), everything())),
    ("AP-12", Fails(Low), |s| {
        flow(
            s,
            "exempt",
            2,
            of_group("devs"),
            json!({"nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}),
        )
    }),
    ("AP-12", Fails(Low), |s| {
        flow(
            s,
            "exempt",
            5,
            json!({"kind": "ServiceAccount", "serviceAccount": {"namespace": "ci", "name": "*"}}),
            everything(),
        )
    }),
    ("AP-12", Passes, |s| {
        flow(
            s,
            "exempt",
            5,
            json!({"kind": "ServiceAccount", "serviceAccount": {"namespace": "kube-system", "name": "x"}}),
            everything(),
        )
    }),
    ("AP-12", Passes, |s| {
        flow(s, "exempt", 5, json!({"kind": "User", "user": {"name": "system:kube-scheduler"}}), everything())
    }),
    ("AP-12", Fails(Medium), |s| {
        flow(s, "workload-low", 899, of_group("system:authenticated"), everything())
    }),
    ("AP-12", Passes, |s| flow(s, "workload-low", 900, of_group("system:authenticated"), everything())),
    ("AP-12", Passes, |s| flow(s, "workload-low", 5, of_group("devs"), everything())),
    ("AP-12", Passes, |s| flow(s, "workload-low", 5, of_group("system:authenticated"), probes())),
];

#[test]
fn p21_what_guards_and_passes_over_some_is_found() {
    super::server::hold(CASES, &[]);
}

/// Where people can make pods, a level that nobody enforces is as bad as none.
#[test]
fn a_level_that_nobody_enforces_is_as_bad_as_none() {
    let mut snapshot = Cluster::default()
        .namespace("a", Some("restricted"))
        .cluster_role("run", &[rule(&["create"], &[""], &["pods"])])
        .bind(Some("a"), "run", &[group("devs")])
        .read();
    assert_eq!(told(&snapshot, "AD-01").0, Verdict::Pass);
    flag(&mut snapshot, "disable-admission-plugins", "[PodSecurity]");
    assert_eq!(told(&snapshot, "AD-01"), (Verdict::Fail, vec![("PodSecurity".to_owned(), High)]));
    snapshot.tried = Some(vec![Tried { namespace: "a".to_owned(), came_to: CameTo::Taken }]);
    assert_eq!(told(&snapshot, "AD-02"), (Verdict::Fail, vec![("a".to_owned(), High)]));
}

/// A pass of a try says who refused, and a hostile guard's words are text.
#[test]
fn p24_who_refused_a_try_is_told_in_their_own_words() {
    let mut snapshot = well();
    let words = "pods \"sallyport-try-1\" is forbidden: violates\u{202e} PodSecurity";
    tries(&mut snapshot, &[CameTo::Refused(words.to_owned()), CameTo::Refused(words.replace("-1", "-2"))]);
    let notes = Ground::new(&snapshot).report().notes;
    let note = notes.iter().find(|note| note.contains("refused")).expect("a note");
    assert!(
        note.contains("2 namespaces (n0, n1)") && note.contains("violates⟨U+202E⟩ PodSecurity"),
        "{note}"
    );
}

/// What bounds a namespace bounds what every pod takes.
#[test]
fn a_quota_bounds_what_every_pod_takes_or_it_bounds_nothing() {
    let quota = |hard: Value, scopes: Value| {
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": format!("q{}", scopes.to_string().len()), "namespace": "a"},
            "spec": {"hard": hard, "scopes": scopes}})
    };
    let range = |limits: Value| {
        json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": "a"},
            "spec": {"limits": limits}})
    };
    let of = |objects: Vec<Value>| {
        let cluster = Cluster::default()
            .namespace("a", Some("restricted"))
            .cluster_role("run", &[rule(&["create"], &[""], &["pods"])])
            .bind(Some("a"), "run", &[group("devs")]);
        told(&objects.into_iter().fold(cluster, Cluster::object).read(), "AD-07").0
    };
    for (objects, passes) in [
        (vec![], false),
        (vec![quota(json!({}), json!([]))], false),
        (vec![quota(json!({"pods": "9"}), json!([]))], true),
        (vec![quota(json!({"limits.cpu": "9"}), json!([]))], true),
        (vec![quota(json!({"services.loadbalancers": "1"}), json!([]))], false),
        (vec![quota(json!({"pods": "9"}), json!(["BestEffort"]))], false),
        (
            vec![
                quota(json!({"pods": "9"}), json!(["BestEffort"])),
                quota(json!({"pods": "9"}), json!(["NotBestEffort"])),
            ],
            true,
        ),
        (vec![range(json!([]))], false),
        (
            vec![range(
                json!([{"type": "Container", "min": {"cpu": "1m"}, "defaultRequest": {"cpu": "1m"}}]),
            )],
            false,
        ),
        (vec![range(json!([{"type": "Container", "default": {"cpu": "1"}}]))], true),
        (vec![range(json!([{"type": "Container", "max": {"cpu": "1"}}]))], true),
    ] {
        assert_eq!(of(objects.clone()) == Verdict::Pass, passes, "{objects:?}");
    }
    // One that was kept before anybody looked at what quotas bound.
    let kept =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "a"}});
    assert!(matches!(of(vec![kept]), Verdict::Unknown(_)));
}
