//! What others wrote is shown as text, whichever check tells of it.

use super::server::{add, flag};
use super::*;
use crate::snapshot::{CameTo, Tried};

/// All that can be called by somebody else in what the checks of admission, of order and of what is shipped look at.
fn called(name: &str) -> Snapshot {
    let admission = "admissionregistration.k8s.io/v1";
    let labels = json!({"matchLabels": {name: "a"}});
    let meta = |namespace: Option<&str>| json!({"name": name, "namespace": namespace});
    let of = |version: &str, kind: &str, namespace: Option<&str>, spec: Value| json!({"apiVersion": version, "kind": kind, "metadata": meta(namespace), "spec": spec});
    let policy = json!({"failurePolicy": "Ignore", "paramKind": {"apiVersion": format!("x.{name}/v1"), "kind": name},
        "matchConstraints": {"objectSelector": labels}});
    let bound = |policy: &str| {
        json!({"policyName": policy, "validationActions": ["Deny"],
        "paramRef": {"name": name, "namespace": name, "parameterNotFoundAction": "Allow"}})
    };
    let hook = json!({"name": name, "failurePolicy": "Ignore", "namespaceSelector": labels, "objectSelector": labels,
        "matchConditions": [{"name": name}], "clientConfig": {"url": format!("https://a@{name}")},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"], "scope": "Cluster"}]});
    let flow = json!({"priorityLevelConfiguration": {"name": "exempt"},
        "rules": [{"subjects": [{"kind": "User", "user": {"name": name}}], "nonResourceRules": [{"nonResourceURLs": ["*"]}]}]});
    let adds = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": format!("adds-{name}"), "labels": {"to": "view"}}, "rules": [rule(&["get"], &[""], &["secrets"])]});
    let view = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "view"},
        "rules": [], "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "view"}}]}});
    let ended = account("sallyport-sessions", "s-abcdefghijklmnop-1700000000");
    let over = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": name, "annotations": {format!("{name}/ttl"): "1h"}},
        "roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [ended]});
    let run = [
        rule(&["create"], &[""], &["pods"]),
        rule(&["get"], &[""], &["pods/log"]),
        rule(&["patch"], &[""], &["configmaps"]),
    ];
    let mut snapshot = Cluster::default()
        .namespace(name, Some(name))
        .cluster_role(name, &run)
        .cluster_role(&format!("left-{name}"), &run)
        .cluster_role("system:aggregate-to-view", &[rule(&["get"], &[""], &["pods"])])
        .role(name, name, &run)
        .object(view)
        .object(adds)
        .object(over)
        .object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"}}))
        .object(of("v1", "ResourceQuota", Some(name), json!({"hard": {}})))
        .object(of("v1", "LimitRange", Some(name), json!({"limits": []})))
        .object(of("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", None, flow))
        .object(of(admission, "ValidatingAdmissionPolicy", None, policy.clone()))
        .object(of(admission, "ValidatingAdmissionPolicyBinding", None, bound(name)))
        .object(of(admission, "MutatingAdmissionPolicy", None, policy))
        .object(of(admission, "MutatingAdmissionPolicyBinding", None, bound(&format!("no-{name}"))))
        .object(json!({"apiVersion": admission, "kind": "ValidatingWebhookConfiguration", "metadata": meta(None), "webhooks": [hook]}))
        .bind(None, name, &[user(name), user(&format!("{name} too"))])
        .bind(None, name, &[user(name)])
        .read();
    flag(&mut snapshot, "admission-control-config-file", name);
    add(
        &mut snapshot,
        "apiserver_manifest_admission_config_controller_last_config_info",
        &[("plugin", name)],
        1.0,
    );
    let tried = |came_to| Tried { namespace: name.to_owned(), came_to };
    snapshot.tried = Some(vec![
        tried(CameTo::Taken),
        tried(CameTo::Refused(name.to_owned())),
        tried(CameTo::Refused(format!("pods \"x\" is forbidden: {name}"))),
        tried(CameTo::Unknown(name.to_owned())),
    ]);
    snapshot
}

fn reasons(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Unknown(why) | Verdict::Provider(why) | Verdict::NotApplicable(why) => why,
        Verdict::Pass | Verdict::Fail | Verdict::Inert => "",
    }
}

fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2066}')
}

/// Everything that one of these checks says, with nothing hidden in it and none of it without end.
fn hold(name: &str) -> Vec<&'static str> {
    let snapshot = called(name);
    let report = Ground::new(&snapshot).report();
    let mut told = Vec::new();
    for judged in &report.checks {
        let said = judged.findings.iter().map(|one| one.said.as_str());
        let all = said.chain([reasons(&judged.verdict)]).chain(judged.gaps.iter().map(String::as_str));
        for text in all {
            assert!(!text.contains(is_hidden), "{}: {text:?}", judged.check.id);
            assert!(text.chars().count() < 2_000, "{}: {} characters", judged.check.id, text.len());
        }
        if judged.verdict == Verdict::Fail {
            told.push(judged.check.id);
        }
    }
    for note in &report.notes {
        assert!(!note.contains(is_hidden), "{note:?}");
    }
    told
}

#[test]
fn p24_a_hostile_name_is_text_in_every_new_check() {
    let long = "x".repeat(100_000);
    for name in ["a\u{202e}b", "a\u{1b}[2Jb\n", "\u{2066}x\u{200b}", &long, "a\": {\"b", "*"] {
        let told = hold(name);
        for id in [
            "AD-01", "AD-02", "AD-03", "AD-04", "AD-05", "AD-07", "AD-10", "AP-12", "RB-23", "RB-36",
            "RB-38", "RB-40", "RB-42",
        ] {
            assert!(told.contains(&id), "{id} tells nothing of {:?}: {told:?}", name.get(..5));
        }
    }
}

/// Where it is not found it may still be told of, as why nothing is known.
#[test]
fn p24_a_hostile_name_is_text_in_what_is_not_known() {
    let name = "a\u{202e}\nb";
    let mut snapshot = called(name);
    // Nothing of what fails: what is left is open.
    snapshot.policies.retain(|one| !one.mutating);
    snapshot.policy_bindings.retain(|one| !one.mutating);
    for one in &mut snapshot.policies {
        (one.ignores_failure, one.parameters) = (false, None);
        one.spares = crate::snapshot::Spared::default();
    }
    snapshot.bindings.iter_mut().for_each(|one| {
        let own = std::sync::Arc::make_mut(&mut one.binding);
        own.subjects.retain(|subject| subject.as_account().is_none());
    });
    snapshot.tried.iter_mut().flatten().for_each(|one| one.came_to = CameTo::Unknown(name.to_owned()));
    let report = Ground::new(&snapshot).report();
    for id in ["AD-02", "AD-05", "RB-42", "AN-08"] {
        let verdict = judged(&report, id).verdict;
        let why = reasons(&verdict);
        assert!(matches!(verdict, Verdict::Unknown(_)) && why.contains("⟨U+202E⟩"), "{id}: {verdict:?}");
        assert!(!why.contains(is_hidden), "{id}: {why:?}");
    }
}
