//! Where ways lead by what else is known of the cluster.

use super::*;

/// A role that is made with any rights is worth what a binding gives it to.
#[test]
fn a_new_role_leads_to_whom_it_is_bound() {
    let on = |verbs: &[&str], resource: &str| rule(verbs, &[RBAC], &[resource]);
    let base = |rules: &[Value]| {
        Cluster::default()
            .namespace("a", Some("restricted"))
            .cluster_role("makes", rules)
            .bind(None, "makes", &[user("zoe")])
            .cluster_role("small", &[rule(&["get"], &[""], &["pods"])])
    };
    let zoe = Subject::User("zoe".into());
    let admin = |cluster: Cluster| steps(&cluster.read(), &Goal::ClusterAdmin, &zoe).map(|steps| steps.len());
    let makes = || vec![on(&["escalate", "create"], "clusterroles")];
    let remakes = || vec![on(&["escalate", "create", "delete"], "clusterroles")];
    // The one they hold gives them the right itself: without it they could not make it again.
    assert_eq!(admin(base(&remakes())), None);
    assert_eq!(admin(base(&makes()).bind(None, "small", &[user("zoe")])), None);
    assert_eq!(admin(base(&remakes()).bind(None, "small", &[user("zoe")])), Some(1));
    assert_eq!(admin(base(&remakes()).bind(None, "small", &[group("system:authenticated")])), Some(1));
    let only = vec![
        on(&["escalate", "create"], "clusterroles"),
        named(on(&["delete"], "clusterroles"), &["another"]),
    ];
    assert_eq!(admin(base(&only).bind(None, "small", &[user("zoe")])), None);
    // A binding that waits for a role.
    assert_eq!(admin(base(&makes()).bind(None, "gone", &[user("zoe")])), Some(1));
    assert_eq!(admin(base(&makes()).bind(None, "gone", &[user("yan")])), None);
    assert_eq!(admin(base(&makes()).bind(Some("a"), "gone", &[user("zoe")])), None);
    let a = Goal::SecretsOf("a".into());
    let there = base(&makes()).bind(Some("a"), "gone", &[user("zoe")]).read();
    assert_eq!(steps(&there, &a, &zoe).unwrap(), ["user zoe -> everything in a (RB-04)"]);
    let roles = base(&[on(&["escalate", "create"], "roles")]);
    let there = roles.bind(Some("a"), "Role/gone", &[user("zoe")]).read();
    assert_eq!(steps(&there, &a, &zoe).unwrap(), ["user zoe -> everything in a (RB-04)"]);
    // One that takes in what is labelled so.
    let aggregated = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "sum"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"into": "sum"}}]}});
    let sums = |who: &str| base(&makes()).object(aggregated.clone()).bind(None, "sum", &[user(who)]);
    assert_eq!((admin(sums("zoe")), admin(sums("yan"))), (Some(1), None));
}

/// An account that no binding names has what all of its namespace have.
#[test]
fn an_account_that_nobody_bound_leads_to_its_groups() {
    let base = |of: &str| {
        Cluster::default()
            .namespace("a", Some("restricted"))
            .cluster_role("all", &[all()])
            .cluster_role("tokens", &[named(tokens(), &["bot"])])
            .cluster_role("exec", &[rule(&["create"], &[""], &["pods/exec"])])
            .cluster_role("acts", &[named(rule(&["impersonate"], &[""], &["serviceaccounts"]), &["bot"])])
            .bind(None, "all", &[group(of)])
    };
    let lone = "system:serviceaccounts:a";
    for of in [lone, "system:serviceaccounts"] {
        let wanted = Some(2);
        let steps = |cluster: Cluster| {
            let steps = steps(&cluster.read(), &Goal::ClusterAdmin, &ana())?;
            Some(steps.len())
        };
        let minted = || base(of).bind(Some("a"), "tokens", &[user("ana")]);
        assert_eq!(steps(minted().account("a", "bot")), wanted, "{of}");
        // There is no token of whoever is not there; of somebody's name one can act all the same.
        assert_eq!(steps(minted().account("a", "other")), None, "{of}");
        assert_eq!(steps(base(of).bind(Some("a"), "acts", &[user("ana")])), wanted, "{of}");
        let exec = || base(of).bind(Some("a"), "exec", &[user("ana")]);
        assert_eq!(steps(exec().pod("a", "p", "bot")), wanted, "{of}");
        assert_eq!(steps(exec()), None, "{of}");
    }
    let mut unread = base(lone).bind(None, "tokens", &[user("ana")]).read();
    unread.asked(Kind::ServiceAccount, Coverage::Forbidden("list serviceaccounts".into()));
    let ground = Ground::new(&unread);
    let path = ground.paths(&Goal::ClusterAdmin).unwrap().of(&ana()).unwrap();
    assert!(!path.hops[0].certain, "whether it is there was not read");
}

/// What was not read closes no way: the way is not certain, and why is said.
#[test]
fn p21_ways_that_depend_on_what_was_not_read_are_drawn_and_not_certain() {
    let base = || {
        Cluster::default()
            .namespace("a", Some("restricted"))
            .namespace("kube-system", Some("restricted"))
            .cluster_role("run", &[rule(&["create"], &[""], &["pods"])])
            .cluster_role("configs", &[rule(&["patch"], &[""], &["configmaps"])])
            .bind(Some("a"), "run", &[user("ana")])
            .bind(Some("kube-system"), "configs", &[user("zoe")])
            .read()
    };
    let zoe = Subject::User("zoe".into());
    let whole = base();
    let ground = Ground::new(&whole);
    assert!(
        ground.paths(&Goal::NodeRoot).unwrap().is_empty()
            && ground.paths(&Goal::ClusterAdmin).unwrap().is_empty()
    );
    assert!(ground.paths(&Goal::NodeRoot).unwrap().gaps().is_empty());
    for (kind, goal, who, check) in [
        (Kind::Namespace, Goal::NodeRoot, ana(), "RB-12"),
        (Kind::ConfigMap, Goal::ClusterAdmin, zoe, "RB-22"),
    ] {
        let mut snapshot = base();
        snapshot.asked(kind, Coverage::Forbidden("list it".into()));
        let ground = Ground::new(&snapshot);
        let paths = ground.paths(&goal).unwrap();
        let path = paths.of(&who).unwrap();
        assert_eq!((path.hops.len(), path.hops[0].check, path.hops[0].certain), (1, check, false));
        assert_eq!(paths.gaps(), snapshot.gaps(&[kind]));
        let cut = paths.cut().unwrap();
        assert_eq!((cut.closes, cut.gaps.as_slice()), (1, paths.gaps()));
        // No finding claims what only may be, and nothing is worse for it.
        let report = ground.report();
        let findings = report.checks.iter().flat_map(|one| &one.findings);
        assert!(findings.clone().all(|one| one.severity < crate::Severity::Critical && one.check != "RB-22"));
        assert!(findings.clone().all(|one| !one.said.contains("no pod security level")));
    }
    // Where no namespace is known there may be one, and pods say of theirs.
    let mut unread = Cluster::default()
        .cluster_role("run", &[rule(&["create"], &[""], &["pods"])])
        .cluster_role("exec", &[rule(&["create"], &[""], &["pods/exec"])])
        .cluster_role("all", &[all()])
        .bind(None, "run", &[user("ana")])
        .bind(None, "exec", &[user("zoe")])
        .bind(None, "all", &[group("system:serviceaccounts:x")])
        .pod("x", "p", "bot")
        .read();
    unread.asked(Kind::Namespace, Coverage::Forbidden("list namespaces".into()));
    assert!(steps(&unread, &Goal::NodeRoot, &ana()).is_some());
    assert_eq!(steps(&unread, &Goal::ClusterAdmin, &Subject::User("zoe".into())).unwrap().len(), 2);
    let mut others = base();
    others.authorizers = crate::snapshot::Authorizers::Others("a webhook".into());
    assert_eq!(Ground::new(&others).paths(&Goal::NodeRoot).unwrap().gaps().len(), 1);
}

/// Acting as somebody for some requests leads where both halves and the other's own rights do (KEP-5284).
#[test]
fn p22_what_is_lent_for_some_requests_leads_where_both_halves_do() {
    let who = || named(rule(&["impersonate:user-info"], &["authentication.k8s.io"], &["users"]), &["ana"]);
    let on = |verb: &str, group: &str, resource: &str| {
        rule(&[&format!("impersonate-on:user-info:{verb}")], &[group], &[resource])
    };
    let base = |halves: &[Value], anas: &[Value], place: Option<&str>| {
        Cluster::default()
            .namespace("a", Some("restricted"))
            .namespace("b", Some("restricted"))
            .cluster_role("all", &[all()])
            .cluster_role("agents", halves)
            .cluster_role("anas", anas)
            .bind(None, "agents", &[user("agent")])
            .bind(place, "anas", &[user("ana")])
    };
    let agent = Subject::User("agent".into());
    let secrets = || rule(&["list"], &[""], &["secrets"]);
    let of = |place: &str| Goal::SecretsOf(place.into());
    let whole = || base(&[who(), on("list", "", "secrets")], &[secrets()], Some("a")).read();
    assert_eq!(steps(&whole(), &of("a"), &agent).unwrap(), ["user agent -> the Secrets of a (RB-08)"]);
    assert_eq!(steps(&whole(), &of("b"), &agent), None, "ana has nothing there");
    let none = |halves: &[Value], anas: &[Value]| {
        assert_eq!(steps(&base(halves, anas, None).read(), &of("a"), &agent), None, "{halves:?} {anas:?}");
    };
    none(&[who()], &[secrets()]);
    none(&[on("list", "", "secrets")], &[secrets()]);
    none(&[who(), on("watch", "", "secrets")], &[secrets()]);
    none(&[who(), on("list", "", "secrets")], &[rule(&["list"], &[""], &["pods"])]);
    none(&[who(), on("list", "", "secrets")], &[named(secrets(), &["one"])]);
    let mut older = whole();
    older.server = Some((1, 34));
    assert_eq!(steps(&older, &of("a"), &agent), None, "there was no such thing");
    // What passes on is asked of ana alone.
    let writes = || rule(&["create"], &[RBAC], &["clusterrolebindings"]);
    let binds = rule(&["bind"], &[RBAC], &["clusterroles"]);
    let halves = [who(), on("create", RBAC, "clusterrolebindings")];
    let may = base(&halves, &[writes(), binds], None).read();
    assert_eq!(steps(&may, &Goal::ClusterAdmin, &agent).unwrap().len(), 1);
    let may_not = base(&halves, &[writes()], None).read();
    assert_eq!(steps(&may_not, &Goal::ClusterAdmin, &agent), None);
    // A group, by whoever may be named; and the tokens that its members may make.
    let groups = || rule(&["impersonate:user-info"], &["authentication.k8s.io"], &["groups"]);
    let tokens = rule(&["create"], &[""], &["serviceaccounts/token"]);
    let team = |halves: &[Value]| {
        base(halves, &[], None)
            .cluster_role("tokens", std::slice::from_ref(&tokens))
            .bind(Some("a"), "tokens", &[group("devs")])
            .bind(Some("a"), "all", &[account("a", "operator")])
            .read()
    };
    let mint = on("create", "", "serviceaccounts/token");
    assert_eq!(steps(&team(&[who(), groups(), mint.clone()]), &of("a"), &agent).unwrap().len(), 2);
    assert_eq!(steps(&team(&[who(), mint]), &of("a"), &agent), None);
}
