use super::*;
use crate::change::tests::touched;
use crate::snapshot::Snapshot;
use crate::tests::worlds::world;
use crate::tests::{Cluster, account, group, named, rule, user};
use proptest::prelude::*;
use sallyport_rbac::who::Subject;

const RBAC: &str = "rbac.authorization.k8s.io";

/// The finding of a check that is about a subject of this name.
fn found(ground: &Ground<'_>, check: &str, name: &str) -> Finding {
    let report = ground.report();
    let judged = report.checks.iter().find(|one| one.check.id == check).expect("a check");
    let about = |one: &&Finding| {
        one.subject.as_ref().is_some_and(|own| own.name() == name)
            || one.object.as_ref().is_some_and(|own| own.name == name)
    };
    judged
        .findings
        .iter()
        .find(about)
        .unwrap_or_else(|| panic!("{check} of {name}: {:?}", judged.findings))
        .clone()
}

fn proposed(snapshot: &Snapshot, check: &str, name: &str) -> Proposed {
    let ground = Ground::new(snapshot);
    propose(&ground, &found(&ground, check, name), None, None)
}

/// devs may mint tokens in ci, where deployer may bind any role.
fn planted() -> Cluster {
    Cluster::default()
        .namespace("ci", Some("restricted"))
        .account("ci", "deployer")
        .cluster_role(
            "ci-tokens",
            &[rule(&["get", "list"], &[""], &["pods"]), rule(&["create"], &[""], &["serviceaccounts/token"])],
        )
        .cluster_role(
            "binder",
            &[
                rule(&["bind", "get"], &[RBAC], &["clusterroles"]),
                rule(&["create"], &[RBAC], &["clusterrolebindings"]),
            ],
        )
        .cluster_role("cluster-admin", &[rule(&["*"], &["*"], &["*"])])
        .bind(Some("ci"), "ci-tokens", &[group("devs"), user("ana")])
        .bind(None, "binder", &[account("ci", "deployer")])
}

#[test]
fn the_least_change_comes_first_and_says_what_it_takes() {
    let snapshot = planted().read();
    let proposed = proposed(&snapshot, "RB-09", "devs");
    let titles: Vec<&str> = proposed.fixes.iter().map(|fix| fix.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            // One right, of two subjects.
            "Narrow ClusterRole ci-tokens: without create on serviceaccounts/token",
            // Three rights of one.
            "Take group devs out of RoleBinding ci/ci-5-ci-tokens",
            // The way further on is closed, and the finding is less.
            "Remove ClusterRoleBinding all-6-binder",
        ],
        "{:?}",
        proposed.notes
    );
    let narrow = &proposed.fixes[0];
    assert_eq!(narrow.effect.outcome, Some(Outcome::Gone));
    assert_eq!(narrow.effect.losses.len(), 2, "ana loses it too");
    assert_eq!(narrow.effect.losses[0].said, ["Mint tokens, in ci (create serviceaccounts/token)"]);
    let admin = narrow.effect.closes.iter().find(|one| one.goal == crate::path::Goal::ClusterAdmin).unwrap();
    assert_eq!((admin.before, admin.after), (2, None));
    assert_eq!(
        narrow.patches[0].yaml,
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: ci-tokens\n  uid: uid-ci-tokens\n  \
         resourceVersion: \"5\"\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get, list]\n"
    );
    let leave = &proposed.fixes[1];
    assert!(
        leave.patches[0]
            .yaml
            .ends_with("subjects:\n- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: ana\n")
    );
    assert!(leave.undo[0].contains("name: devs"), "{}", leave.undo[0]);
    assert!(leave.request.body.contains("`Group devs` loses 2 rights"), "{}", leave.request.body);
    let cut = &proposed.fixes[2];
    assert_eq!(
        cut.patches[0].dry_run("fix.yaml"),
        "kubectl delete --wait=false --dry-run=server -f fix.yaml"
    );
}

#[test]
fn what_comes_with_kubernetes_is_never_changed() {
    let object = |kind: &str, rest: serde_json::Value| {
        let mut object = serde_json::json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": {
            "name": "cluster-admin", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    let all = serde_json::json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}]);
    let role_ref = serde_json::json!({"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"});
    let with = |subjects: serde_json::Value| {
        Cluster::default()
            .object(object("ClusterRole", serde_json::json!({"rules": all})))
            .object(object(
                "ClusterRoleBinding",
                serde_json::json!({"roleRef": role_ref, "subjects": subjects}),
            ))
            .read()
    };
    let masters = group("system:masters");
    // Somebody added ana: she can leave, and the group and the binding stay.
    let added = proposed(&with(serde_json::json!([masters, user("ana")])), "RB-01", "ana");
    let [fix] = added.fixes.as_slice() else { panic!("{added:?}") };
    assert_eq!(fix.title, "Take user ana out of ClusterRoleBinding cluster-admin");
    assert!(fix.patches[0].yaml.contains("system:masters"), "{}", fix.patches[0].yaml);
    assert!(
        fix.effect.warnings.iter().any(|one| one.starts_with("Nobody but system:masters")),
        "{:?}",
        fix.effect.warnings
    );
    // The group itself is not proposed to leave.
    let whole = proposed(&with(serde_json::json!([masters, user("ana")])), "RB-26", "system:masters");
    assert_eq!(whole.fixes, []);
    assert!(whole.notes.iter().any(|note| note.contains("is how Kubernetes ships it")), "{:?}", whole.notes);
    // Nor by hand.
    let snapshot = with(serde_json::json!([masters]));
    let binding = Ground::new(&snapshot).object(0).unwrap().as_ref().clone();
    let mut copy = snapshot.clone();
    let delete = Change::DeleteBinding { binding: binding.clone() };
    assert!(matches!(delete.apply(&mut copy), Err(crate::change::Refusal::Shipped(_))));
    let leave = Change::RemoveSubject { binding, subject: Subject::Group("system:masters".into()) };
    assert!(matches!(leave.apply(&mut copy), Err(crate::change::Refusal::Shipped(_))));
}

#[test]
fn more_bindings_than_a_finding_tells_are_left_too() {
    let mut cluster = Cluster::default().cluster_role("exec", &[rule(&["create"], &[""], &["pods/exec"])]);
    for number in 0..60 {
        cluster = cluster.bind(Some(&format!("n{number}")), "exec", &[user("ana")]);
    }
    let snapshot = cluster.read();
    let proposed = proposed(&snapshot, "RB-13", "ana");
    let leave = proposed.fixes.iter().find(|fix| fix.changes.len() > 1).expect("leaving them all");
    assert_eq!(leave.changes.len(), 60, "evidence is kept of 40");
    assert_eq!(leave.effect.outcome, Some(Outcome::Gone));
}

#[test]
fn accounts_namespaces_and_dangling_bindings_have_fixes_of_their_own() {
    let snapshot = planted()
        .pod("ci", "web", "deployer")
        .namespace("open", None)
        .bind(Some("ci"), "gone", &[user("ana")])
        .bind(Some("ci"), "ci-tokens", &[account("ci", "left")])
        .read();
    for (check, name, title) in [
        ("SA-03", "web", "Mount the token of ServiceAccount ci/deployer only where a pod asks for it"),
        ("AD-01", "open", "Have Namespace open enforce the pod security level baseline"),
        ("RB-30", "ci-9-gone", "Remove RoleBinding ci/ci-9-gone"),
        ("RB-31", "ci-10-ci-tokens", "Remove RoleBinding ci/ci-10-ci-tokens"),
    ] {
        let ground = Ground::new(&snapshot);
        let report = ground.report();
        let judged = report.checks.iter().find(|one| one.check.id == check).expect("a check");
        let finding =
            judged.findings.iter().find(|one| one.object.as_ref().is_some_and(|own| own.name == name));
        let names: Vec<_> =
            judged.findings.iter().map(|one| one.object.as_ref().map(|own| &own.name)).collect();
        let finding = finding.unwrap_or_else(|| panic!("{check} {name}: {names:?}"));
        let proposed = propose(&ground, finding, None, None);
        assert_eq!(proposed.fixes.first().map(|fix| fix.title.as_str()), Some(title), "{:?}", proposed.notes);
        assert_eq!(proposed.fixes[0].effect.outcome, Some(Outcome::Gone), "{title}");
    }
}

#[test]
fn a_webhook_that_lets_pass_is_closed_by_its_name_alone() {
    let webhook = |name: &str, policy: &str, resource: &str| {
        serde_json::json!({"name": name, "failurePolicy": policy, "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"name": "guard", "namespace": "ci"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["*"], "operations": ["*"], "resources": [resource]}]})
    };
    let configuration = serde_json::json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "guard", "uid": "u", "resourceVersion": "7"},
        "webhooks": [webhook("a.guard.test", "Ignore", "pods"), webhook("b.guard.test", "Fail", "pods")]});
    let proposed = proposed(&Cluster::default().object(configuration).read(), "AD-03", "guard");
    let [fix] = proposed.fixes.as_slice() else { panic!("{proposed:?}") };
    assert_eq!(fix.effect.outcome, Some(Outcome::Gone));
    assert!(fix.effect.losses.is_empty() && !fix.effect.warnings.is_empty());
    assert!(
        fix.patches[0]
            .yaml
            .ends_with("  resourceVersion: \"7\"\nwebhooks:\n- name: a.guard.test\n  failurePolicy: Fail\n"),
        "{}",
        fix.patches[0].yaml
    );
}

#[test]
fn who_used_it_lately_is_told_or_not_known() {
    let snapshot = planted().read();
    let ground = Ground::new(&snapshot);
    let finding = found(&ground, "RB-09", "devs");
    let lately = |uses: Option<&Uses>| {
        let proposed = propose(&ground, &finding, uses, None);
        proposed.fixes[0]
            .effect
            .losses
            .iter()
            .map(|one| (one.loss.subject.name().to_owned(), one.lately.clone()))
            .collect::<Vec<_>>()
    };
    use crate::effect::{Lately, Source, Use};
    use sallyport_rbac::who::Caller;
    use std::sync::Arc;
    assert!(lately(None).iter().all(|(_, one)| *one == Lately::NotKnown));
    let caller = |user: &str, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Arc::new(Caller { user: user.into(), groups })
    };
    let minted = |by: &Arc<Caller>, last: i64, namespace: &str| Use {
        by: by.clone(),
        last,
        times: 2,
        verb: "create".into(),
        group: String::new(),
        resource: "serviceaccounts".into(),
        subresource: "token".into(),
        name: "deployer".into(),
        namespace: Some(namespace.into()),
    };
    let (dana, lee, ana) = (caller("dana", &["devs"]), caller("lee", &["devs"]), caller("ana", &[]));
    let source = Source::History;
    let told = |of: Option<Vec<Arc<Caller>>>, all: Vec<Use>, who: &str| {
        let told = lately(Some(&Uses { source, since: 100, of, all }));
        told.into_iter().find(|(name, _)| name == who).expect("they lose something").1
    };
    let not_since = |only: &[&str]| Lately::NotSince {
        since: 100,
        source,
        only: only.iter().map(|one| (*one).to_owned()).collect(),
    };
    let all = || vec![minted(&dana, 600, "ci"), minted(&lee, 700, "ci"), minted(&ana, 800, "other")];
    let both = Lately::At { by: "lee".into(), at: 700, times: 4, source };
    assert_eq!(told(None, all(), "devs"), both, "whoever is of the group used what the group has");
    assert_eq!(told(None, all(), "ana"), not_since(&[]), "elsewhere it is not hers to lose");
    assert_eq!(told(None, vec![], "devs"), Lately::NotKnown, "no name says who is of it");
    // A history that keeps dana's calls alone says nothing of ana, and of the others of her group neither.
    assert_eq!(told(Some(vec![dana.clone()]), vec![], "ana"), Lately::NotKnown);
    assert_eq!(told(Some(vec![dana.clone()]), vec![], "devs"), not_since(&["dana"]));
    assert_eq!(told(Some(vec![ana.clone()]), vec![], "ana"), not_since(&[]));
}

#[test]
fn what_opened_a_stream_is_a_use_of_either_right_to_it() {
    use crate::effect::{Lately, Source, Use};
    use sallyport_rbac::who::Caller;
    let snapshot = Cluster::default()
        .cluster_role("shell", &[rule(&["create"], &[""], &["pods/exec"])])
        .bind(Some("ci"), "shell", &[user("dana")])
        .read();
    let ground = Ground::new(&snapshot);
    let finding = found(&ground, "RB-13", "dana");
    let by = std::sync::Arc::new(Caller { user: "dana".into(), groups: Vec::new() });
    let exec = Use {
        by,
        last: 700,
        times: 1,
        verb: "get".into(),
        group: String::new(),
        resource: "pods".into(),
        subresource: "exec".into(),
        name: "web-0".into(),
        namespace: Some("ci".into()),
    };
    let uses = Uses { source: Source::AuditLog, since: 100, of: None, all: vec![exec] };
    let proposed = propose(&ground, &finding, Some(&uses), None);
    let lately = &proposed.fixes[0].effect.losses[0].lately;
    assert!(matches!(lately, Lately::At { at: 700, times: 1, .. }), "{lately:?}");
}

#[test]
fn p24_a_hostile_name_neither_ends_the_yaml_nor_hides_in_it() {
    let hostile = "x\"\n  uid: 1\u{202e}`rm -rf`$(id)</script>";
    let snapshot = Cluster::default()
        .cluster_role("all", &[rule(&["*"], &["*"], &["*"])])
        .bind(None, "all", &[group(hostile), user("ben")])
        .read();
    let proposed = proposed(&snapshot, "RB-01", "ben");
    let fix = proposed.fixes.first().expect("a fix");
    let yaml = &fix.patches[0].yaml;
    assert!(yaml.is_ascii() && yaml.lines().count() == 14, "{yaml}");
    assert!(yaml.contains(r#"name: "x\"\n  uid: 1\u202e`rm -rf`$(id)</script>""#), "{yaml}");
    let own = self::proposed(&snapshot, "RB-01", hostile);
    let fix = own.fixes.first().expect("a fix");
    assert_eq!(fix.patches[0].command("fix.yaml").lines().count(), 1);
    assert!(!fix.patches[0].command("fix.yaml").contains("rm"), "no name stands in a command");
    assert!(!fix.request.body.contains('\u{202e}'), "{}", fix.request.body);
    assert!(
        fix.request.body.contains("``Group x"),
        "a name with backticks has a longer fence: {}",
        fix.request.body
    );
}

#[test]
fn one_of_two_needs_is_enough_and_names_that_lead_nowhere_limit_the_rest() {
    let snapshot = planted()
        .cluster_role("app-edit", &[rule(&["get"], &["apps"], &["deployments"])])
        .bind(Some("ci"), "app-edit", &[user("eve")])
        .read();
    let ground = Ground::new(&snapshot);
    let deployer = Subject::account("ci", "deployer");
    let proposed = propose(&ground, &found(&ground, "RB-05", deployer.name()), None, None);
    let titles: Vec<&str> = proposed.fixes.iter().map(|fix| fix.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Narrow ClusterRole binder: without bind on clusterroles",
            "Narrow ClusterRole binder: without create on clusterrolebindings",
            "Remove ClusterRoleBinding all-6-binder",
            "Narrow ClusterRole binder: by names that lead nowhere, bind on clusterroles",
        ]
    );
    let first = &proposed.fixes[0];
    assert!(
        first.patches[0].yaml.contains("resources: [clusterroles]\n  verbs: [get]\n"),
        "{}",
        first.patches[0].yaml
    );
    assert_eq!(first.effect.losses[0].loss.weight(), 1, "what else the rule gives stays");
    let limited = &proposed.fixes[3];
    assert!(
        limited.patches[0].yaml.contains("resourceNames: [app-edit]\n  verbs: [bind]\n"),
        "{}",
        limited.patches[0].yaml
    );
    assert!(matches!(limited.effect.outcome, Some(Outcome::Lesser(_))), "{:?}", limited.effect.outcome);
    assert!(limited.effect.closes.iter().all(|one| one.after.is_none()), "{:?}", limited.effect.closes);
}

#[test]
fn limits_by_name_stay_what_they_are() {
    let limited = named(rule(&["create"], &[""], &["serviceaccounts/token", "pods"]), &["a"]);
    let snapshot = Cluster::default()
        .namespace("ci", Some("restricted"))
        .cluster_role("r", &[limited])
        .bind(Some("ci"), "r", &[user("ana")])
        .read();
    let proposed = proposed(&snapshot, "RB-09", "ana");
    let narrow = proposed.fixes.iter().find(|fix| fix.title.starts_with("Narrow")).expect("a narrower role");
    assert!(
        narrow.patches[0].yaml.contains("resources: [pods]\n  resourceNames: [a]\n"),
        "{}",
        narrow.patches[0].yaml
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// A fix that says that the finding is gone, or a way closed, is one: seen by a new look at what it leaves.
    #[test]
    fn a_fix_does_what_it_says(snapshot in world()) {
        let ground = Ground::new(&snapshot);
        let report = ground.report();
        let findings = report.checks.iter().flat_map(|one| &one.findings).filter(|one| crate::area::counts(one));
        for finding in findings.take(6) {
            for fix in propose(&ground, finding, None, None).fixes {
                let mut changed = snapshot.clone();
                for change in &fix.changes {
                    prop_assert_eq!(change.apply(&mut changed), Ok(()));
                }
                let after = Ground::new(&changed);
                let report = after.report();
                let judged = report.checks.iter().find(|one| one.check.id == finding.check).expect("its check");
                let still = same(&judged.findings, finding).cloned();
                prop_assert_eq!(fix.effect.outcome == Some(Outcome::Gone), still.is_none(), "{} {:?}", fix.title, still);
                prop_assert!(fix.effect.gains.is_empty());
                for closes in &fix.effect.closes {
                    let subject = closes.subject.as_ref().expect("somebody");
                    let path = after.paths(&closes.goal).and_then(|paths| paths.of(subject));
                    prop_assert_eq!(path.map(|path| path.hops.len()), closes.after);
                }
                // Everything that is not said to be lost is held still.
                for loss in crate::difference::losses(ground.rbac(), after.rbac()) {
                    prop_assert!(fix.effect.losses.iter().any(|one| one.loss == loss), "{:?}", loss);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// One trial for many findings proposes what a trial for each does: nothing of one is left for the next. And to ask one
    /// check finds what asking all of them finds.
    #[test]
    fn a_trial_leaves_nothing_behind(snapshot in world()) {
        let ground = Ground::new(&snapshot);
        let report = ground.report();
        for judged in &report.checks {
            prop_assert_eq!(&ground.found_by(judged.check.id), &judged.findings, "{}", judged.check.id);
        }
        let mut trial = Trial::of(&ground, &report);
        let findings = report.checks.iter().flat_map(|one| &one.findings).filter(|one| crate::area::counts(one));
        for finding in findings.take(8) {
            prop_assert_eq!(trial.propose(finding, None, None), propose(&ground, finding, None, None));
            trial.snapshot.put_back(&snapshot);
            prop_assert_eq!(touched(&trial.snapshot), touched(&snapshot));
        }
    }
}
