mod admission;
mod grants;
mod hostile;
mod known;
mod less;
mod people;
mod server;

use super::*;
use crate::snapshot::{Authorizers, Coverage, Snapshot};
use crate::tests::{Cluster, account, group, named, rule, user};
use proptest::prelude::*;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";

/// A check, rules, and how bad it is of whoever holds them everywhere and of whoever does in one namespace.
type Case = (&'static str, Vec<Value>, Option<Severity>, Option<Severity>);

fn all() -> Value {
    rule(&["*"], &["*"], &["*"])
}

fn judged(report: &Report, id: &str) -> Judged {
    report.checks.iter().find(|one| one.check.id == id).cloned().expect("the check is there")
}

/// Verdict, and subject or object with severity of each finding.
fn told(snapshot: &Snapshot, id: &str) -> (Verdict, Vec<(String, Severity)>) {
    let report = Ground::new(snapshot).report();
    let one = judged(&report, id);
    let name = |found: &Finding| {
        let object = found.object.as_ref().map(|object| object.name.clone());
        found.subject.as_ref().map(|subject| subject.name().to_owned()).or(object).unwrap_or_default()
    };
    (one.verdict, one.findings.iter().map(|found| (name(found), found.severity)).collect())
}

/// ana holds `rules` everywhere, ben in payments.
fn held(rules: &[Value]) -> Snapshot {
    Cluster::default()
        .namespace("payments", Some("restricted"))
        .namespace("kube-system", None)
        .cluster_role("r", rules)
        .bind(None, "r", &[user("ana")])
        .bind(Some("payments"), "r", &[user("ben")])
        .read()
}

#[test]
fn each_check_has_an_id_of_its_own_and_says_what_to_do() {
    let mut ids: Vec<&str> = catalogue().iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), catalogue().len());
    assert!(catalogue().iter().all(|check| !check.fix.is_empty()));
    // Whoever reads no kind looks at what an API server tells beside its objects.
    assert!(catalogue().iter().all(|check| check.area != Area::Rights || !check.reads.is_empty()));
    // Every way is found by a check that is there.
    for technique in crate::graph::TECHNIQUES {
        assert!(ids.contains(&technique.check), "{}", technique.check);
    }
}

/// What each check finds of somebody who holds a rule everywhere (ana) and in one namespace (ben).
#[test]
fn p22_each_way_is_found_where_it_is_and_not_where_it_is_not() {
    use Severity::*;
    let certificates = "certificates.k8s.io";
    let cases: &[Case] = &[
        ("RB-01", vec![all()], Some(Critical), None),
        ("RB-02", vec![all()], None, Some(Medium)),
        ("RB-04", vec![rule(&["escalate", "update"], &[RBAC], &["clusterroles"])], Some(Critical), None),
        ("RB-04", vec![rule(&["escalate"], &[RBAC], &["clusterroles"])], None, None),
        ("RB-04", vec![rule(&["escalate", "create"], &[RBAC], &["clusterroles"])], Some(High), None),
        // A POST names nothing: the API server asks for `escalate` without a name.
        (
            "RB-04",
            vec![
                named(rule(&["escalate"], &[RBAC], &["clusterroles"]), &["r"]),
                rule(&["create"], &[RBAC], &["clusterroles"]),
            ],
            None,
            None,
        ),
        ("RB-04", vec![rule(&["escalate", "create"], &[RBAC], &["roles"])], Some(Medium), Some(Low)),
        (
            "RB-05",
            vec![rule(&["bind", "create"], &[RBAC], &["clusterroles", "clusterrolebindings"])],
            Some(Critical),
            None,
        ),
        (
            "RB-05",
            vec![
                named(rule(&["bind"], &[RBAC], &["clusterroles"]), &["view"]),
                rule(&["create"], &[RBAC], &["rolebindings"]),
            ],
            Some(Low),
            Some(Low),
        ),
        ("RB-05", vec![rule(&["bind", "create"], &[RBAC], &["rolebindings"])], None, None),
        ("RB-06", vec![rule(&["create"], &[RBAC], &["rolebindings"])], Some(Low), Some(Low)),
        ("RB-07", vec![rule(&["impersonate"], &[""], &["users", "groups"])], Some(Critical), None),
        ("RB-07", vec![rule(&["impersonate"], &[""], &["groups"])], None, None),
        ("RB-07", vec![named(rule(&["impersonate"], &[""], &["users"]), &["nobody"])], Some(Medium), None),
        (
            "RB-08",
            vec![rule(&["impersonate:user-info"], &["authentication.k8s.io"], &["users"])],
            Some(Medium),
            None,
        ),
        ("RB-09", vec![rule(&["create"], &[""], &["*/token"])], Some(High), Some(Medium)),
        (
            "RB-09",
            vec![named(rule(&["create"], &[""], &["serviceaccounts/token"]), &["x"])],
            Some(Medium),
            Some(Medium),
        ),
        ("RB-10", vec![rule(&["create", "get"], &[""], &["secrets"])], Some(High), Some(High)),
        ("RB-10", vec![rule(&["create"], &[""], &["secrets"])], None, None),
        ("RB-11", vec![rule(&["list"], &[""], &["secrets"])], Some(High), Some(Medium)),
        ("RB-11", vec![rule(&["get"], &["apps"], &["secrets"])], None, None),
        ("RB-12", vec![rule(&["patch"], &["apps"], &["deployments"])], Some(High), Some(Medium)),
        ("RB-13", vec![rule(&["create"], &[""], &["pods/exec"])], Some(High), Some(Medium)),
        // Another image, and the pod runs one's own code.
        ("RB-13", vec![rule(&["patch"], &[""], &["pods"])], Some(High), Some(Medium)),
        ("RB-13", vec![rule(&["delete"], &[""], &["pods"])], None, None),
        ("RB-13", vec![rule(&["*"], &[""], &["pods/*"])], None, None),
        // Enough on an older server.
        ("RB-13", vec![rule(&["get"], &[""], &["pods/exec"])], None, None),
        ("RB-14", vec![rule(&["patch"], &[""], &["pods/ephemeralcontainers"])], Some(High), Some(Medium)),
        ("RB-15", vec![rule(&["get"], &[""], &["nodes/proxy"])], Some(Critical), None),
        ("RB-15", vec![rule(&["*"], &[""], &["nodes/*", "nodes"])], None, None),
        (
            "RB-16",
            vec![
                rule(&["patch"], &[certificates], &["certificatesigningrequests/approval"]),
                rule(&["approve"], &[certificates], &["signers"]),
            ],
            Some(High),
            None,
        ),
        // Nameless or of the kubelets' signer: whoever is a node has its pods' Secrets, and its root.
        (
            "RB-16",
            vec![
                rule(
                    &["create", "update"],
                    &[certificates],
                    &["certificatesigningrequests", "certificatesigningrequests/approval"],
                ),
                named(
                    rule(&["approve"], &[certificates], &["signers"]),
                    &["kubernetes.io/kube-apiserver-client-kubelet"],
                ),
            ],
            Some(Critical),
            None,
        ),
        (
            "RB-16",
            vec![
                rule(
                    &["create", "update"],
                    &[certificates],
                    &["certificatesigningrequests", "certificatesigningrequests/approval"],
                ),
                named(rule(&["approve"], &[certificates], &["signers"]), &["kubernetes.io/kubelet-serving"]),
            ],
            Some(Low),
            None,
        ),
        (
            "RB-17",
            vec![rule(
                &["sign", "update"],
                &[certificates],
                &["signers", "certificatesigningrequests/status"],
            )],
            Some(High),
            None,
        ),
        (
            "RB-18",
            vec![rule(&["patch"], &["admissionregistration.k8s.io"], &["mutatingwebhookconfigurations"])],
            Some(Critical),
            None,
        ),
        // One that is there is asked about whatever whoever changes it says.
        (
            "RB-18",
            vec![named(
                rule(&["update"], &["admissionregistration.k8s.io"], &["mutatingwebhookconfigurations"]),
                &["injector"],
            )],
            Some(Critical),
            None,
        ),
        (
            "RB-18",
            vec![rule(&["delete"], &["admissionregistration.k8s.io"], &["validatingadmissionpolicies"])],
            Some(High),
            None,
        ),
        ("RB-19", vec![rule(&["update"], &["apiregistration.k8s.io"], &["apiservices"])], Some(Medium), None),
        ("RB-20", vec![rule(&["create"], &[""], &["persistentvolumes"])], Some(High), None),
        ("RB-21", vec![rule(&["patch"], &[""], &["namespaces"])], Some(Medium), Some(Low)),
        ("RB-24", vec![rule(&["create"], &[""], &["pods/binding"])], Some(Medium), Some(Low)),
        ("RB-39", vec![rule(&["deletecollection"], &[""], &["events"])], Some(Low), Some(Low)),
    ];
    for (id, rules, everywhere, local) in cases {
        let (verdict, findings) = told(&held(rules), id);
        let of = |name: &str| findings.iter().find(|(who, _)| who == name).map(|(_, severity)| *severity);
        assert_eq!((of("ana"), of("ben")), (*everywhere, *local), "{id} {rules:?}: {findings:?}");
        let fails = everywhere.is_some() || local.is_some();
        assert_eq!(verdict == Verdict::Fail, fails, "{id}: {verdict:?}");
    }
    let mut older = held(&[rule(&["get"], &[""], &["pods/exec"])]);
    older.server = Some((1, 34));
    assert_eq!(
        told(&older, "RB-13").1,
        [("ana".to_owned(), Severity::High), ("ben".to_owned(), Severity::Medium)]
    );
    older.server = None;
    assert_eq!(told(&older, "RB-13").0, Verdict::Fail);
}

#[test]
fn p21_a_grant_without_effect_is_inert_and_told() {
    let snapshot = Cluster::default()
        .cluster_role("nodes", &[rule(&["get"], &[""], &["nodes/proxy"])])
        .bind(Some("payments"), "nodes", &[user("ben")])
        .bind(Some("payments"), "admin-like", &[user("ben")])
        .cluster_role("admin-like", &[all()])
        .read();
    let report = Ground::new(&snapshot).report();
    let one = judged(&report, "RB-15");
    assert_eq!(one.verdict, Verdict::Inert);
    assert_eq!((one.findings.len(), one.findings[0].severity), (1, Severity::Info));
    assert!(one.findings[0].said.contains("a RoleBinding never gives that"), "{}", one.findings[0].said);
    // A role of wildcards gives the rest.
    assert_eq!(judged(&report, "RB-07").verdict, Verdict::Pass);
}

#[test]
fn p21_what_was_not_read_is_unknown_and_never_fine() {
    let whole = || {
        Cluster::default().cluster_role("r", &[rule(&["get"], &[""], &["pods"])]).bind(
            None,
            "r",
            &[group("devs")],
        )
    };
    // What its metrics tell of client certificates can find, and never shows that there is nothing to find; and of the
    // others no reading of a cluster tells.
    let never_passes = |id: &str| ["AD-02", "AN-07", "AN-09", "AU-05"].contains(&id);
    for one in Ground::new(&whole().read()).report().checks {
        let fine =
            matches!(one.verdict, Verdict::Pass | Verdict::NotApplicable(_)) || never_passes(one.check.id);
        assert!(fine, "{}: {:?} {:?}", one.check.id, one.verdict, one.findings);
    }
    // Any one kind that was not read makes unknown what depends on it, and nothing passes on it.
    for kind in crate::snapshot::Kind::ALL {
        for coverage in [Coverage::Forbidden("list it".into()), Coverage::Cut("410".into())] {
            let mut snapshot = whole().read();
            snapshot.asked(*kind, coverage);
            let report = Ground::new(&snapshot).report();
            for one in &report.checks {
                let unknown = matches!(one.verdict, Verdict::Unknown(_));
                assert_eq!(
                    unknown,
                    one.check.reads.contains(kind) || never_passes(one.check.id),
                    "{kind}: {} is {:?}",
                    one.check.id,
                    one.verdict
                );
            }
            assert!(report.covered.0 < report.covered.1);
        }
    }
    // What was found is found, and the rest is not known.
    let mut snapshot = held(&[all()]);
    snapshot.asked(crate::snapshot::Kind::Role, Coverage::Forbidden("list roles".into()));
    let one = judged(&Ground::new(&snapshot).report(), "RB-01");
    assert_eq!((one.verdict, one.gaps.len()), (Verdict::Fail, 1));
    // Somebody else decides too: that nobody can is not known.
    let mut snapshot = whole().read();
    snapshot.authorizers = Authorizers::Others("the API server asks a webhook".into());
    let report = Ground::new(&snapshot).report();
    assert!(matches!(judged(&report, "RB-01").verdict, Verdict::Unknown(why) if why.contains("webhook")));
    assert_eq!(judged(&report, "RB-32").verdict, Verdict::Pass);
    let nothing = Snapshot::default();
    for one in Ground::new(&nothing).report().checks {
        // There is no kubeconfig that it could be about.
        let of_a_kubeconfig = one.check.area == Area::Credential || one.check.id == "SA-07";
        let none = of_a_kubeconfig && matches!(one.verdict, Verdict::NotApplicable(_));
        assert!(matches!(one.verdict, Verdict::Unknown(_)) || none, "{}: {:?}", one.check.id, one.verdict);
    }
}

#[test]
fn bindings_are_judged_by_whom_they_name() {
    let pods = [rule(&["get"], &[""], &["pods"])];
    let mut snapshot = Cluster::default()
        .namespace("a", Some("baseline"))
        .cluster_role("pods", &pods)
        .cluster_role("info", &[json!({"verbs": ["get"], "nonResourceURLs": ["/version"]})])
        .account("a", "here")
        .bind(None, "pods", &[group("system:masters")])
        .bind(None, "pods", &[user("system:anonymous")])
        .bind(None, "info", &[group("system:unauthenticated")])
        .bind(Some("a"), "pods", &[group("system:authenticated")])
        .bind(None, "pods", &[group("system:serviceaccounts")])
        .bind(Some("a"), "pods", &[group("system:serviceaccounts:a")])
        .bind(Some("a"), "gone", &[user("ana")])
        .bind(Some("a"), "pods", &[account("a", "here"), account("a", "away")])
        .bind(Some("a"), "pods", &[user("ana "), json!({"kind": "Robot", "name": "x"})])
        .bind(None, "pods", &[account("a", "default")])
        .bind(Some("a"), "pods", &[account("b", "x")])
        .read();
    use Severity::*;
    for (id, wanted) in [
        ("RB-26", vec![("system:masters", High)]),
        ("RB-27", vec![("system:anonymous", Critical), ("system:unauthenticated", High)]),
        ("RB-28", vec![("system:authenticated", High)]),
        ("RB-29", vec![("system:serviceaccounts", High), ("system:serviceaccounts:a", Medium)]),
        ("RB-30", vec![("a-10-gone", Low)]),
        ("RB-33", vec![("system:serviceaccount:a:default", High)]),
        ("RB-34", vec![("system:serviceaccount:b:x", Low)]),
        ("RB-35", vec![("ana ", Low)]),
    ] {
        let (verdict, findings) = told(&snapshot, id);
        let findings: Vec<(&str, Severity)> =
            findings.iter().map(|(who, severity)| (who.as_str(), *severity)).collect();
        assert_eq!((verdict, findings), (Verdict::Fail, wanted), "{id}");
    }
    assert_eq!(told(&snapshot, "RB-31").1.len(), 3);
    let evidence = judged(&Ground::new(&snapshot).report(), "RB-26").findings.remove(0).evidence.remove(0);
    assert_eq!((evidence.role.name.as_str(), evidence.role.uid.as_deref()), ("pods", Some("uid-pods")));
    assert_eq!(told(&snapshot, "RB-32").1.len(), 2);
    // Without a list of accounts nobody can say that one is away.
    snapshot.asked(crate::snapshot::Kind::ServiceAccount, Coverage::Forbidden("list serviceaccounts".into()));
    assert!(matches!(told(&snapshot, "RB-31"), (Verdict::Unknown(_), findings) if findings.is_empty()));
}

#[test]
fn tokens_pods_and_admission_are_judged() {
    let webhook = |name: &str, policy: &str, resources: &[&str]| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [{"name": "w", "failurePolicy": policy,
                "rules": [{"apiGroups": [""], "resources": resources}]}]})
    };
    let policy = |name: &str, fails: &str| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name}, "spec": {"failurePolicy": fails}})
    };
    let bound = |policy: &str, action: &str| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": format!("{policy}-bound")}, "spec": {"policyName": policy, "validationActions": [action]}})
    };
    let token = |name: &str, labels: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": name, "namespace": "a", "labels": labels}})
    };
    let snapshot = Cluster::default()
        .namespace("open", None)
        .namespace("privileged", Some("privileged"))
        .namespace("fine", Some("restricted"))
        .cluster_role("run", &[rule(&["create"], &[""], &["pods"])])
        .bind(Some("open"), "run", &[group("dev"), account("open", "bot")])
        .pod("open", "p", "bot")
        .pod("open", "q", "other")
        .object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata":
            {"name": "kube-apiserver-legacy-service-account-token-tracking", "namespace": "kube-system"}}))
        .object(token("used", json!({"kubernetes.io/legacy-token-last-used": "2026-01-01"})))
        .object(token("unused", json!({})))
        .object(webhook("open", "Ignore", &["pods"]))
        .object(webhook("shut", "Fail", &["pods"]))
        .object(webhook("elsewhere", "Ignore", &["endpoints"]))
        .object(policy("unbound", "Fail"))
        .object(policy("warns", "Fail"))
        .object(bound("warns", "Warn"))
        .object(policy("denies", "Fail"))
        .object(bound("denies", "Deny"))
        .object(bound("gone", "Deny"))
        .read();
    use Severity::*;
    for (id, wanted) in [
        ("SA-01", vec![("unused", Medium), ("used", Medium)]),
        ("SA-02", vec![("unused", Medium)]),
        ("SA-03", vec![("system:serviceaccount:open:bot", Low)]),
        ("AD-01", vec![("open", High), ("privileged", Medium)]),
        ("AD-03", vec![("open", Medium)]),
        ("AD-05", vec![("unbound", Low), ("warns", Low), ("gone-bound", Low)]),
        ("AD-07", vec![("open", Low)]),
    ] {
        let findings = told(&snapshot, id).1;
        let findings: Vec<(&str, Severity)> =
            findings.iter().map(|(who, severity)| (who.as_str(), *severity)).collect();
        assert_eq!(findings, wanted, "{id}");
    }
}

/// A pod whose account only its group's bindings reach has a token that is worth something.
#[test]
fn a_mounted_token_is_worth_what_the_groups_of_its_account_hold() {
    let pods = |of: &str, rules: Value| {
        let cluster = Cluster::default().cluster_role("r", &[rules]).bind(None, "r", &[group(of)]);
        told(&cluster.pod("a", "p", "bot").pod("a", "q", "bot").read(), "SA-03").1
    };
    let bot = |severity| vec![("system:serviceaccount:a:bot".to_owned(), severity)];
    let small = || rule(&["get"], &[""], &["pods"]);
    assert_eq!(pods("system:serviceaccounts:a", small()), bot(Severity::Low));
    assert_eq!(pods("system:serviceaccounts", all()), bot(Severity::Medium));
    assert_eq!(pods("system:authenticated", small()), bot(Severity::Low));
    assert_eq!(pods("system:serviceaccounts:b", all()), []);
}

/// A harmless wildcard before a bad one hides nothing.
#[test]
fn a_role_is_as_bad_as_the_worst_of_its_wildcards() {
    let reads = rule(&["get"], &["*"], &["pods"]);
    let writes = rule(&["*"], &["apps"], &["deployments"]);
    for rules in [[reads.clone(), writes.clone()], [writes, reads]] {
        let report = Ground::new(&held(&rules)).report();
        let found = judged(&report, "RB-03").findings.remove(0);
        let worst = rules[0]["verbs"][0] != "*";
        assert_eq!((found.severity, found.evidence[0].rule), (Severity::High, Some(usize::from(worst))));
    }
}

#[test]
fn a_finding_carries_what_proves_it() {
    let snapshot = held(&[rule(&["get"], &[""], &["pods"]), rule(&["list"], &[""], &["secrets"])]);
    let report = Ground::new(&snapshot).report();
    let found = judged(&report, "RB-11").findings.remove(0);
    let evidence = &found.evidence[0];
    let binding = evidence.binding.as_ref().expect("a binding");
    assert_eq!(
        (binding.kind, evidence.role.name.as_str(), evidence.rule),
        ("ClusterRoleBinding", "r", Some(1))
    );
    assert!(binding.uid.as_deref().is_some_and(|uid| uid.starts_with("uid-")));
    assert_eq!(binding.resource_version.as_deref(), Some("5"));
    assert_eq!(found.said, "User ana can read Secrets everywhere.");
    assert_eq!(judged(&report, "RB-11").findings[1].said, "User ben can read Secrets in payments.");
}

#[test]
fn p21_what_a_cloud_decides_is_its_own_answer() {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}});
    let base = || Cluster::default().cluster_role("eks:x", &[rule(&["patch"], &[""], &["configmaps"])]);
    assert!(matches!(told(&base().read(), "RB-22").0, Verdict::NotApplicable(_)));
    let eks = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "eks:x"},
        "roleRef": {"kind": "ClusterRole", "name": "gone"}, "subjects": []});
    assert!(
        matches!(told(&base().object(eks).read(), "RB-22").0, Verdict::Provider(way) if way.contains("list-access-entries"))
    );
    let (verdict, findings) =
        told(&base().object(config).bind(Some("kube-system"), "eks:x", &[user("ana")]).read(), "RB-22");
    assert_eq!((verdict, findings), (Verdict::Fail, vec![("ana".to_owned(), Severity::Critical)]));
    // Where there is no such ConfigMap, whoever may change ConfigMaps says nothing by it.
    let without =
        base().bind(Some("kube-system"), "eks:x", &[user("ana")]).bind(None, "eks:x", &[user("ben")]);
    assert_eq!(told(&without.read(), "RB-22").1, []);
    let mut older = base().read();
    older.server = Some((1, 30));
    assert!(matches!(told(&older, "RB-08").0, Verdict::NotApplicable(_)));
}

/// 50,000 bindings, one group in all of them.
#[test]
fn fifty_thousand_bindings_are_judged_in_seconds() {
    let mut cluster = Cluster::default()
        .cluster_role(
            "edit",
            &[rule(&["create", "get"], &["", "apps"], &["pods", "pods/exec", "deployments", "secrets"])],
        )
        .cluster_role("nodes", &[rule(&["get"], &[""], &["nodes/proxy"])]);
    for at in 0..50_000 {
        let namespace = format!("n{}", at % 2_000);
        let role = if at % 3 == 0 { "nodes" } else { "edit" };
        cluster = cluster.bind(
            Some(&namespace),
            role,
            &[group("all"), account(&namespace, &format!("a{}", at % 11))],
        );
    }
    let snapshot = cluster.read();
    let began = std::time::Instant::now();
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let found = judged(&report, "RB-11").findings;
    let all = found
        .iter()
        .find(|one| one.subject.as_ref().is_some_and(|who| who.name() == "all"))
        .expect("the group");
    assert_eq!(all.namespaces.as_ref().map(Vec::len), Some(2_000));
    assert!(all.evidence.len() <= 40);
    assert_eq!(judged(&report, "RB-15").verdict, Verdict::Inert);
    assert!(began.elapsed() < std::time::Duration::from_secs(90), "{:?}", began.elapsed());
}

proptest! {
    /// Names from outside are shown harmlessly, whatever they are.
    #[test]
    fn p24_no_name_hides_anything_in_a_sentence(name in "[a-z\u{202e}\u{200b}\u{1b}\n]{1,20}") {
        let snapshot = Cluster::default()
            .cluster_role("r", &[all(), rule(&["get"], &[""], &["nodes/proxy"])])
            .bind(None, "r", &[user(&name), account("a", &name), json!({"kind": name, "name": name})])
            .bind(Some(&format!("n{name}")), "r", &[group(&name)])
            .bind(None, &name, &[group(&name)])
            .read();
        for found in Ground::new(&snapshot).report().checks.iter().flat_map(|one| &one.findings) {
            let hidden = |c: char| c.is_control() || c == '\u{202e}' || c == '\u{200b}';
            prop_assert!(!found.said.contains(hidden), "{:?}", found.said);
        }
    }
}
