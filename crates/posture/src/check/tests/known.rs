//! What is not known of a cluster, and what comes with it.

use super::*;
use crate::Kind;

/// A dump of a managed cluster, of which nobody asked who else decides, never passes.
#[test]
fn p21_another_authorizer_that_nobody_asked_about_is_unknown() {
    let whole = || Cluster::default().cluster_role("r", &[rule(&["get"], &[""], &["pods"])]);
    let mut plain = whole().bind(None, "r", &[group("devs")]).read();
    plain.authorizers = Authorizers::NotAsked;
    assert!(Ground::new(&plain).nobody_can_gaps().is_empty());
    assert_eq!(told(&plain, "RB-01").0, Verdict::Pass);
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}});
    let labelled = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "x", "labels": {"kubernetes.azure.com/managedby": "aks"}},
        "roleRef": {"kind": "ClusterRole", "name": "gone"}, "subjects": []});
    let clouds = [
        (whole().cluster_role("eks:a", &[]).bind(None, "eks:a", &[user("eks:a")]), "EKS"),
        (whole().cluster_role("gce:a", &[]).bind(Some("n"), "gce:a", &[user("a")]), "GKE"),
        (whole().object(config), "EKS"),
        (whole().object(labelled), "AKS"),
    ];
    for (cluster, cloud) in clouds {
        let mut snapshot = cluster.read();
        assert_eq!(told(&snapshot, "RB-01").0, Verdict::Pass, "the API server said that roles are all");
        snapshot.authorizers = Authorizers::NotAsked;
        let ground = Ground::new(&snapshot);
        let report = ground.report();
        let verdict = judged(&report, "RB-01").verdict;
        assert!(matches!(&verdict, Verdict::Unknown(why) if why.contains(cloud)), "{cloud}: {verdict:?}");
        assert_eq!(ground.nobody_can_gaps().len(), 1);
        assert!(report.notes.contains(&ground.nobody_can_gaps()[0]));
        let unknown = report.checks.iter().filter(|one| matches!(one.verdict, Verdict::Unknown(_))).count();
        assert_eq!(report.covered, (report.checks.len() - unknown, report.checks.len()));
        assert!(unknown > 0);
    }
}

#[test]
fn p21_a_role_whose_rules_are_not_known_lets_nothing_pass() {
    let ground_of = |left: &[&str]| {
        let snapshot = Cluster::default()
            .cluster_role("r", &[rule(&["get"], &[""], &["pods"])])
            .bind(None, "r", &[group("devs")])
            .read();
        let mut ground = Ground::new(Box::leak(Box::new(snapshot)));
        ground.aggregated.left = left.iter().map(|name| (*name).to_owned()).collect();
        ground
    };
    assert_eq!(judged(&ground_of(&[]).report(), "RB-01").verdict, Verdict::Pass);
    let report = ground_of(&["endless"]).report();
    assert!(matches!(judged(&report, "RB-01").verdict, Verdict::Unknown(why) if why.contains("endless")));
    // Who a binding names is known all the same.
    assert_eq!(judged(&report, "RB-30").verdict, Verdict::Pass);
    assert!(report.covered.0 < report.covered.1);
}

/// Whoever writes the label on their own object does not make it Kubernetes'.
#[test]
fn p21_a_label_alone_makes_nothing_a_default() {
    let snapshot = Cluster::default()
        .cluster_role("system:node-proxier", &[all()])
        .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:node-proxier", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "roleRef": {"kind": "ClusterRole", "name": "system:node-proxier"}, "subjects": [user("mallory")]}))
        .read();
    let (verdict, findings) = told(&snapshot, "RB-01");
    assert_eq!((verdict, findings), (Verdict::Fail, vec![("mallory".to_owned(), Severity::Critical)]));
}

/// A role as Kubernetes ships it, with other rules than any version that is known.
fn changed(role: &str, whom: &[Value]) -> Snapshot {
    Cluster::default()
        .cluster_role(role, &[rule(&["get"], &[""], &["nodes/proxy"])])
        .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": role, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": whom}))
        .read()
}

/// Another minor version may ship other rules: that alone is no alarm, and the report says that they are not known.
#[test]
fn p21_what_a_version_ships_that_is_not_known_is_said_and_no_alarm() {
    let proxier = || changed("system:node-proxier", &[user("system:kube-proxy")]);
    let not_known = |snapshot: &Snapshot| {
        let notes = Ground::new(snapshot).report().notes;
        notes.iter().filter(|note| note.contains("are not known here")).count()
    };
    let mut snapshot = proxier();
    snapshot.server = Some((1, 99));
    let low = vec![("system:kube-proxy".to_owned(), Severity::Low)];
    assert_eq!((told(&snapshot, "RB-15").1, not_known(&snapshot)), (low, 1));
    // Of a version that is known it is a change.
    snapshot.server = Some((1, 37));
    let changed_there = (Verdict::Fail, vec![("system:kube-proxy".to_owned(), Severity::Critical)]);
    assert_eq!((told(&snapshot, "RB-15"), not_known(&snapshot)), (changed_there, 0));
    // Bound to somebody else, or to everybody, it is nobody's default.
    for (role, whom) in [
        ("system:node-proxier", user("mallory")),
        ("system:basic-user", group("system:authenticated")),
        ("system:mine", user("system:kube-proxy")),
    ] {
        let mut snapshot = changed(role, &[whom]);
        snapshot.server = Some((1, 99));
        assert_eq!(told(&snapshot, "RB-15").0, Verdict::Fail, "{role}");
    }
}

/// What kubeadm gives everybody is told by what it says.
#[test]
fn what_kubeadm_lets_nodes_read_is_no_alarm() {
    let name = "kubeadm:bootstrap-signer-clusterinfo";
    let cluster = |rules: Value, whom: Value| {
        Cluster::default()
            .role("kube-public", name, &[rules])
            .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": {"name": name, "namespace": "kube-public"},
                "roleRef": {"kind": "Role", "name": name}, "subjects": [whom]}))
            .read()
    };
    let reads = |names: &[&str]| named(rule(&["get"], &[""], &["configmaps"]), names);
    let anonymous = || user("system:anonymous");
    let (verdict, findings) = told(&cluster(reads(&["cluster-info"]), anonymous()), "RB-27");
    assert_eq!((verdict, findings.len(), findings[0].1), (Verdict::Pass, 1, Severity::Low));
    for other in [
        cluster(reads(&["cluster-info", "more"]), anonymous()),
        cluster(reads(&[]), anonymous()),
        cluster(rule(&["get"], &[""], &["secrets"]), anonymous()),
    ] {
        assert!(matches!(told(&other, "RB-27"), (Verdict::Fail, found) if found[0].1 == Severity::Critical));
    }
}

/// What was not seen in a list that ended in the middle is not said to be missing.
#[test]
fn p21_what_may_be_there_is_not_told_as_absent() {
    let pods = rule(&["create"], &[""], &["pods"]);
    let cluster = Cluster::default()
        .namespace("open", None)
        .cluster_role("r", &[pods])
        .bind(Some("open"), "r", &[user("ana")])
        .bind(None, "gone", &[user("ana")]);
    let mut snapshot = cluster.read();
    for (id, kind) in [("RB-30", Kind::ClusterRole), ("AD-07", Kind::LimitRange)] {
        assert_eq!(told(&snapshot, id).1.len(), 1, "{id}");
        snapshot.asked(kind, Coverage::Cut("410".into()));
        let (verdict, found) = told(&snapshot, id);
        assert!(matches!(verdict, Verdict::Unknown(_)) && found.is_empty(), "{id}: {verdict:?} {found:?}");
    }
}
