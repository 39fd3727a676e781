//! Rights that lead nowhere by themselves, what is left over, and what Kubernetes ships.

use super::*;
use crate::tests::NOW;

const DNS: &str = "coredns";

fn config(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-system"}})
}

fn names(snapshot: &Snapshot, id: &str) -> Vec<String> {
    told(snapshot, id).1.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn who_changes_where_names_lead_is_found_beyond_the_system() {
    let change = || named(rule(&["patch"], &[""], &["configmaps"]), &[DNS]);
    let cluster = |of: &str| {
        Cluster::default()
            .object(config(of))
            .cluster_role("dns", &[change()])
            .cluster_role("other", &[named(rule(&["update"], &[""], &["configmaps"]), &["other"])])
            .cluster_role(
                "anew",
                &[
                    named(rule(&["delete"], &[""], &["configmaps"]), &[DNS]),
                    rule(&["create"], &[""], &["configmaps"]),
                ],
            )
            .cluster_role("half", &[rule(&["create"], &[""], &["configmaps"])])
            .cluster_role("all", &[all()])
            .bind(None, "dns", &[user("ana"), user("system:kube-controller-manager")])
            .bind(Some("kube-system"), "dns", &[group("dns"), account("kube-system", "addons")])
            .bind(Some("kube-system"), "dns", &[account("ci", "bot"), group("system:authenticated")])
            .bind(Some("payments"), "dns", &[user("elsewhere")])
            .bind(None, "other", &[user("of another")])
            .bind(None, "anew", &[user("anew")])
            .bind(None, "half", &[user("half")])
            .bind(None, "all", &[user("everything")])
    };
    let mut found = names(&cluster(DNS).read(), "RB-23");
    found.sort();
    assert_eq!(found, ["ana", "anew", "dns", "system:authenticated", "system:serviceaccount:ci:bot"]);
    let (verdict, findings) = told(&cluster("other").read(), "RB-23");
    assert!(matches!(verdict, Verdict::NotApplicable(_)) && findings.is_empty(), "{verdict:?}");
    // Without a look at ConfigMaps nobody knows whether it is there.
    let mut unread = cluster("other").read();
    unread.asked(crate::Kind::ConfigMap, Coverage::Forbidden("get it".into()));
    assert!(matches!(told(&unread, "RB-23").0, Verdict::Unknown(_)));
}

#[test]
fn who_reads_all_logs_or_all_config_maps_is_found() {
    let snapshot = Cluster::default()
        .cluster_role("logs", &[rule(&["get"], &[""], &["pods/log"])])
        .cluster_role("both", &[rule(&["get", "list"], &[""], &["pods/log", "configmaps"])])
        .cluster_role("named", &[named(rule(&["get"], &[""], &["configmaps"]), &["one"])])
        .cluster_role("pods", &[rule(&["get"], &[""], &["pods"])])
        .cluster_role("all", &[all()])
        .bind(None, "logs", &[group("logs")])
        .bind(None, "both", &[group("both"), group("logs")])
        .bind(Some("a"), "both", &[group("local")])
        .bind(None, "named", &[group("named")])
        .bind(None, "pods", &[group("pods")])
        .bind(None, "all", &[group("all"), group("system:masters")])
        .read();
    let report = Ground::new(&snapshot).report();
    let one = judged(&report, "RB-40");
    let said: Vec<&str> = one.findings.iter().map(|one| one.said.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("Group both can read the logs of all pods and all ConfigMaps"), "{said:?}");
    assert!(said[1].starts_with("Group logs can read the logs of all pods and all ConfigMaps"), "{said:?}");
    assert_eq!((one.verdict, one.findings[1].evidence.len()), (Verdict::Fail, 2));
    assert!(one.findings.iter().all(|one| one.severity == Severity::Low));
}

#[test]
fn what_gives_nobody_anything_is_told_once_and_takes_nothing_with_it() {
    let pods = || rule(&["get", "list"], &[""], &["pods"]);
    let label = |name: &str, labels: Value, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "labels": labels},
            "rules": rules})
    };
    let snapshot = Cluster::default()
        .cluster_role("pods", &[pods()])
        .cluster_role("less", &[rule(&["get"], &[""], &["pods"])])
        .cluster_role("free", &[pods()])
        .cluster_role("strong", &[rule(&["get"], &[""], &["secrets"])])
        .cluster_role("given", &[pods()])
        .cluster_role("binder", &[named(rule(&["bind"], &[RBAC], &["clusterroles"]), &["given"])])
        .cluster_role("system:mine", &[pods()])
        .role("a", "local", &[pods()])
        .object(label("adds", json!({"rbac.example/aggregate-to-view": "true"}), json!([])))
        .object(label("taken", json!({"team": "x"}), json!([])))
        .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "takes"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"team": "x"}}]}, "rules": [pods()]}))
        .bind(None, "takes", &[group("x")])
        .bind(None, "binder", &[group("x")])
        // 0 covers 1 (in a namespace), 2 (fewer subjects), 3 (a role that gives less) and 4 (the same again).
        .bind(None, "pods", &[group("devs"), user("ana")])
        .bind(Some("a"), "pods", &[group("devs")])
        .bind(None, "pods", &[user("ana")])
        .bind(Some("a"), "less", &[user("ana")])
        .bind(None, "pods", &[user("ana"), group("devs")])
        // Not these: somebody else, more, nobody.
        .bind(Some("a"), "pods", &[group("devs"), user("ben")])
        .bind(Some("a"), "strong", &[user("ana")])
        .bind(Some("a"), "less", &[])
        .read();
    let report = Ground::new(&snapshot).report();
    let one = judged(&report, "RB-36");
    let of = |severity| {
        let all = one.findings.iter().filter(|one| one.severity == severity);
        let mut all: Vec<&str> = all.map(|one| one.object.as_ref().unwrap().name.as_str()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(of(Severity::Low), Vec::<&str>::new(), "strong is bound");
    let covered = ["a-14-pods", "a-16-less", "all-15-pods", "all-17-pods"];
    assert_eq!(of(Severity::Info), [&covered[..], &["free", "local"]].concat(), "{:?}", one.findings);
    // Taking away all that is told as covered takes nothing from anybody.
    let mut less = snapshot.clone();
    less.bindings.retain(|one| !covered.contains(&one.binding.name.as_str()));
    assert!(names(&less, "RB-36").iter().all(|name| ["free", "local"].contains(&name.as_str())));
    assert_eq!(crate::difference::losses(&snapshot.rbac().0, &less.rbac().0), []);
    // A list that ended in the middle may hold whoever is bound.
    for kind in crate::Kind::RBAC {
        let mut cut = snapshot.clone();
        cut.asked(*kind, Coverage::Cut("410".into()));
        let (verdict, found) = told(&cut, "RB-36");
        assert!(matches!(verdict, Verdict::Unknown(_)) && found.is_empty(), "{kind}");
    }
}

/// 7,000 roles and bindings, half of them of no use.
#[test]
fn leftovers_of_thousands_are_told_at_once() {
    let mut cluster = Cluster::default();
    for at in 0..2_000 {
        let rules: Vec<Value> =
            (0..4).map(|more| rule(&["get", "list"], &[&format!("g{at}")], &[&format!("r{more}")])).collect();
        cluster = cluster.cluster_role(&format!("r{at}"), &rules);
    }
    for at in 0..5_000 {
        let subjects = [group(&format!("t{}", at % 700)), group("all")];
        cluster = cluster.bind(Some(&format!("n{}", at % 40)), &format!("r{}", at % 1_000), &subjects);
    }
    let snapshot = cluster.read();
    let ground = Ground::new(&snapshot);
    let began = std::time::Instant::now();
    let found = super::super::unused::looks(&ground, "RB-36");
    let took = began.elapsed();
    assert!(found.len() >= 1_000, "{}", found.len());
    // A few milliseconds where it is compiled for speed; what would take each with each takes minutes.
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}

fn shipped(name: &str, rules: Value, more: Value) -> Value {
    let mut meta = json!({"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}});
    meta.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules})
}

/// `system:basic-user` as every version ships it.
fn basic() -> Value {
    json!([
        {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
        {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}
    ])
}

#[test]
fn what_kubernetes_ships_and_somebody_changed_is_found() {
    let of = |object: Value, server| {
        let mut snapshot = Cluster::default().object(object).read();
        snapshot.server = server;
        told(&snapshot, "RB-38")
    };
    let known = Some((1, 37));
    let left = json!({"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}});
    assert_eq!(of(shipped("system:basic-user", basic(), json!({})), known), (Verdict::Pass, vec![]));
    let found = |severity| (Verdict::Fail, vec![("system:basic-user".to_owned(), severity)]);
    assert_eq!(of(shipped("system:basic-user", basic(), left.clone()), known), found(Severity::Low));
    let changed = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
    assert_eq!(of(shipped("system:basic-user", changed.clone(), json!({})), known), found(Severity::Medium));
    assert_eq!(of(shipped("system:basic-user", changed.clone(), left), known), found(Severity::Medium));
    // Without its label it is Kubernetes' own all the same: it is found by its name.
    let bare = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "system:basic-user"}, "rules": changed});
    assert_eq!(of(bare, known), found(Severity::Medium));
    assert_eq!(of(shipped("team", changed.clone(), json!({})), known).0, Verdict::Pass);
    // One that takes others in, and did not: what it is to say is not what it says yet.
    let mut takes = shipped("system:basic-user", basic(), json!({}));
    takes["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"team": "x"}}]});
    assert_eq!(of(takes, known), found(Severity::Medium));
    // view is for reading what is no secret.
    let secrets = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]);
    assert_eq!(of(shipped("view", secrets, json!({})), known).1, [("view".to_owned(), Severity::High)]);
    // What another version ships is not known, and nothing is said of it.
    for server in [None, Some((1, 12)), Some((2, 0))] {
        let (verdict, findings) = of(shipped("system:basic-user", changed.clone(), json!({})), server);
        assert!(matches!(verdict, Verdict::Unknown(_)) && findings.is_empty(), "{server:?}: {verdict:?}");
    }
    // A binding that names somebody else.
    let binding = |whom: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:basic-user", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "roleRef": {"kind": "ClusterRole", "name": "system:basic-user"}, "subjects": whom})
    };
    assert_eq!(of(binding(json!([group("system:authenticated")])), known).0, Verdict::Pass);
    assert_eq!(of(binding(json!([group("system:unauthenticated")])), known), found(Severity::Medium));
    let more = json!([group("system:authenticated"), {"kind": "Robot", "name": "x"}]);
    assert_eq!(of(binding(more), known), found(Severity::Medium));
}

/// `system:controller:expand-controller` as 1.36 and 1.37 ship it.
fn expands() -> Value {
    json!([
        {"verbs": ["get", "list", "patch", "update", "watch"], "apiGroups": [""], "resources": ["persistentvolumes"]},
        {"verbs": ["patch", "update"], "apiGroups": [""], "resources": ["persistentvolumeclaims/status"]},
        {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["persistentvolumeclaims"]},
        {"verbs": ["create", "patch", "update"], "apiGroups": ["", "events.k8s.io"], "resources": ["events"]}
    ])
}

/// An upgrade adds what is missing by rules of its own, and takes nothing away.
#[test]
fn what_an_upgrade_makes_of_a_shipped_role_is_no_change() {
    let of = |name: &str, rules: Value, server| {
        let mut snapshot = Cluster::default().object(shipped(name, rules, json!({}))).read();
        snapshot.server = Some(server);
        told(&snapshot, "RB-38")
    };
    let name = "system:controller:expand-controller";
    let more = |rule: Value| {
        let mut all = expands();
        all.as_array_mut().unwrap().push(rule);
        all
    };
    let pass = (Verdict::Pass, vec![]);
    let low = (Verdict::Fail, vec![(name.to_owned(), Severity::Low)]);
    assert_eq!(of(name, expands(), (1, 37)), pass);
    // The same by other rules; and with one of them away.
    let mut apart = expands();
    apart[0] = json!({"verbs": ["list", "get"], "apiGroups": [""], "resources": ["persistentvolumes"]});
    assert_eq!(of(name, apart.clone(), (1, 37)), low);
    apart.as_array_mut().unwrap().push(
        json!({"verbs": ["watch", "update", "patch"], "apiGroups": [""], "resources": ["persistentvolumes"]}),
    );
    assert_eq!(of(name, apart, (1, 37)), pass);
    // What 1.34 shipped beside it stays, and what no version did is a change.
    let services = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["services"]});
    assert_eq!(of(name, more(services), (1, 37)), pass);
    assert_eq!(
        of(name, more(json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]})), (1, 37)),
        low
    );
    // As a later version has it, where it is an older one's.
    let (verdict, found) = of(name, expands(), (1, 34));
    assert_eq!((verdict, found.len()), (Verdict::Fail, 1));
    // Whoever writes lists without end is not waited for.
    let names: Vec<String> = (0..400).map(|at| format!("n{at}")).collect();
    let endless = json!([{"verbs": names, "apiGroups": names, "resources": names, "resourceNames": names}]);
    assert_eq!(of(name, endless, (1, 37)), low);
}

#[test]
fn a_role_that_widens_a_shipped_one_is_found_by_what_it_adds() {
    let of = |to: &str, rules: &[Value], bound: bool| {
        let view = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": to}, "rules": [rule(&["get"], &[""], &["pods"])],
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {format!("rbac.authorization.k8s.io/aggregate-to-{to}"): "true"}}]}});
        let adds = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": rules,
            "metadata": {"name": "adds", "labels": {format!("rbac.authorization.k8s.io/aggregate-to-{to}"): "true"}}});
        let source = rule(&["get"], &[""], &["pods"]);
        let mut cluster =
            Cluster::default().object(view).object(adds).cluster_role("system:aggregate-to-view", &[source]);
        if bound {
            cluster = cluster.bind(Some("a"), to, &[group("devs")]);
        }
        let mut snapshot = cluster.read();
        snapshot.server = Some((1, 37));
        let report = Ground::new(&snapshot).report();
        let all = judged(&report, "RB-38").findings.into_iter().filter(|one| one.said.contains(" adds "));
        all.map(|one| (one.said, one.severity)).collect::<Vec<_>>()
    };
    let secrets =
        [rule(&["get", "list"], &["example.com"], &["things"]), rule(&["get"], &[""], &["secrets"])];
    let found = of("view", &secrets, true);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("get secrets (rule 2)") && found[0].1 == Severity::High, "{found:?}");
    assert_eq!(of("view", &secrets, false)[0].1, Severity::Medium);
    assert_eq!(of("view", &secrets[..1], true), []);
    assert!(of("view", &[rule(&["create"], &[""], &["pods/exec"])], true)[0].0.contains("create pods/exec"));
    assert_eq!(of("view", &[all()], true)[0].1, Severity::High);
    assert_eq!(of("edit", &secrets, true)[0].1, Severity::Medium);
    assert_eq!(of("reports", &secrets, true), []);
}

#[test]
fn a_grant_past_its_end_is_found_and_one_that_ends_later_is_not() {
    let end = |at: i64| account("sallyport-sessions", &format!("s-abcdefghijklmnop-{at}"));
    let binding = |name: &str, whom: Value, meta: Value| {
        let mut own = json!({"name": name, "namespace": "a"});
        own.as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": own,
            "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [whom]})
    };
    let labelled = || json!({"labels": {"access.sallyport.dev/grant": "g-abc"}});
    let of = |objects: Vec<Value>| {
        let cluster = Cluster::default().cluster_role("r", &[rule(&["get"], &[""], &["pods"])]);
        objects.into_iter().fold(cluster, Cluster::object).read()
    };
    let snapshot = of(vec![
        binding("over", end(NOW - 301), labelled()),
        binding("unlabelled", end(NOW - 100_000), json!({})),
        binding("just", end(NOW - 299), labelled()),
        binding("open", end(NOW + 60), labelled()),
        binding("forged", user("ana"), labelled()),
        binding("elsewhere", account("ci", &format!("s-abcdefghijklmnop-{}", NOW - 9_000)), json!({})),
        binding("far", end(NOW * 2), labelled()),
    ]);
    let report = Ground::new(&snapshot).report();
    let one = judged(&report, "RB-42");
    let mut found: Vec<&str> =
        one.findings.iter().map(|one| one.object.as_ref().unwrap().name.as_str()).collect();
    found.sort_unstable();
    assert_eq!((one.verdict, found), (Verdict::Fail, vec!["forged", "over", "unlabelled"]));
    assert_eq!(told(&of(vec![binding("open", end(NOW + 60), labelled())]), "RB-42").0, Verdict::Pass);
    let mut undated = of(vec![binding("over", end(NOW - 301), labelled())]);
    undated.taken = None;
    assert!(matches!(told(&undated, "RB-42"), (Verdict::Unknown(_), found) if found.is_empty()));
    // Another's grant for a time says when it ends where nothing here looks.
    for (key, open) in [
        ("janitor/ttl", true),
        ("example.com/expires-at", true),
        ("jit.example/grant-expiry", true),
        ("example.com/turtle", false),
    ] {
        let timed = of(vec![binding("timed", user("ana"), json!({"annotations": {key: "2026-01-01"}}))]);
        let verdict = told(&timed, "RB-42").0;
        assert_eq!(
            matches!(&verdict, Verdict::Unknown(why) if why.contains(key)),
            open,
            "{key}: {verdict:?}"
        );
    }
}

#[test]
fn p21_what_no_reading_tells_is_unknown_with_what_would() {
    let of = |whom: Value| {
        let cluster = Cluster::default().cluster_role("r", &[rule(&["get"], &[""], &["pods"])]);
        cluster.bind(None, "r", &[whom]).read()
    };
    let why = |snapshot: &Snapshot, id: &str| match told(snapshot, id).0 {
        Verdict::Unknown(why) => why,
        other => panic!("{id} is {other:?}"),
    };
    let people = of(user("ana\u{202e}"));
    let said = why(&people, "AN-08");
    assert!(said.contains("1 by name: ana⟨U+202E⟩") && said.contains("identity provider"), "{said}");
    for nobody in [group("devs"), user("system:kube-scheduler"), account("ci", "bot")] {
        assert!(matches!(told(&of(nobody), "AN-08").0, Verdict::NotApplicable(_)));
    }
    assert!(why(&people, "AN-09").contains("sallyport posture report"));
    assert!(why(&people, "AU-05").contains("look whether its policy"));
    let mut off = of(user("ana"));
    super::server::flag(&mut off, "audit-policy-file", "");
    super::server::drop_series(&mut off, "apiserver_audit_level");
    assert!(matches!(told(&off, "AU-05").0, Verdict::NotApplicable(_)));
}
