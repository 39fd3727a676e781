mod around;

use super::*;
use crate::ground::Ground;
use crate::snapshot::{Coverage, Kind, Snapshot};
use crate::tests::{Cluster, account, group, named, rule, user};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const RBAC: &str = "rbac.authorization.k8s.io";

fn all() -> Value {
    rule(&["*"], &["*"], &["*"])
}

fn tokens() -> Value {
    rule(&["create"], &[""], &["serviceaccounts/token"])
}

/// Each step as `whose -> what is reached`.
fn steps(snapshot: &Snapshot, goal: &Goal, who: &Subject) -> Option<Vec<String>> {
    let ground = Ground::new(snapshot);
    let path = ground.paths(goal)?.of(who)?;
    Some(path.hops.iter().map(|hop| format!("{} -> {} ({})", hop.from, hop.to, hop.check)).collect())
}

fn ana() -> Subject {
    Subject::User("ana".into())
}

/// ana mints a token of ci's builder, which makes pods in kube-system, where operator does everything.
fn three_steps() -> Cluster {
    Cluster::default()
        .namespace("ci", Some("restricted"))
        .namespace("kube-system", Some("restricted"))
        .cluster_role("tokens", &[tokens()])
        .cluster_role("pods", &[rule(&["create"], &[""], &["pods"])])
        .cluster_role("all", &[all()])
        .bind(Some("ci"), "tokens", &[user("ana"), group("devs")])
        .bind(Some("kube-system"), "pods", &[account("ci", "builder")])
        .bind(None, "all", &[account("kube-system", "operator")])
}

#[test]
fn a_way_of_several_steps_is_found_with_its_proofs() {
    let snapshot = three_steps().read();
    assert_eq!(
        steps(&snapshot, &Goal::ClusterAdmin, &ana()).unwrap(),
        [
            "user ana -> every service account of ci (RB-09)",
            "service account builder of ci -> every service account of kube-system (RB-12)",
            "service account operator of kube-system -> everything (RB-01)",
        ]
    );
    let ground = Ground::new(&snapshot);
    let paths = ground.paths(&Goal::ClusterAdmin).unwrap();
    // operator, builder, ana, devs: the shortest first.
    let order: Vec<(String, usize)> =
        paths.iter().map(|path| (path.subject.name().to_owned(), path.hops.len())).collect();
    assert_eq!(order[0], ("system:serviceaccount:kube-system:operator".to_owned(), 1));
    assert_eq!((order.len(), order[3].1), (4, 3));
    let path = paths.of(&ana()).unwrap();
    let review = &path.hops[0].reviews[0];
    assert_eq!(
        (review.verb.as_str(), review.resource.as_str(), review.subresource.as_str()),
        ("create", "serviceaccounts", "token")
    );
    assert_eq!((review.namespace.as_deref(), review.caller.user.as_str()), (Some("ci"), "ana"));
    let own = &path.hops[1].reviews[0].caller;
    assert!(own.groups.contains(&"system:serviceaccounts:ci".to_owned()));
    assert!(path.hops.iter().all(|hop| hop.certain && hop.evidence.len() == 1));
    assert_eq!(path.origin, Origin::Own);
    // Whatever the proof says, the index says too.
    for hop in paths.iter().flat_map(|path| path.hops) {
        for review in &hop.reviews {
            let ask = sallyport_rbac::Ask::Resource {
                verb: &review.verb,
                group: &review.group,
                resource: &review.resource,
                subresource: &review.subresource,
                name: &review.name,
            };
            assert!(ground.rbac().allows(&review.caller, ask, review.namespace.as_deref()), "{review:?}");
        }
    }
}

#[test]
fn the_binding_to_cut_closes_most() {
    let snapshot = three_steps().read();
    let ground = Ground::new(&snapshot);
    let cut = ground.paths(&Goal::ClusterAdmin).unwrap().cut().unwrap();
    assert_eq!((cut.binding.as_str(), cut.closes, cut.of), ("all-7-all", 4, 4));
    // A way around a binding is not closed by its end.
    let around =
        three_steps().bind(None, "all", &[user("ana"), group("devs"), account("ci", "builder")]).read();
    let ground = Ground::new(&around);
    let cut = ground.paths(&Goal::ClusterAdmin).unwrap().cut().unwrap();
    // The one of whoever has no other: operator. The others need either.
    assert_eq!((cut.closes, cut.binding.as_str()), (1, "all-7-all"), "{cut:?}");
    // Anybody can name a binding as a vendor does: it is counted, and can be cut.
    let named = Cluster::default()
        .cluster_role("eks:all", &[all()])
        .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "eks:mine"}, "subjects": [user("mallory")],
            "roleRef": {"kind": "ClusterRole", "name": "eks:all"}}))
        .read();
    let ground = Ground::new(&named);
    let paths = ground.paths(&Goal::ClusterAdmin).unwrap();
    assert_eq!(paths.iter().map(|path| path.origin).collect::<Vec<_>>(), [Origin::Vendor]);
    let cut = paths.cut().unwrap();
    assert_eq!((cut.binding.as_str(), cut.closes, cut.of), ("eks:mine", 1, 1));
    let none = Cluster::default().cluster_role("r", &[]).bind(None, "r", &[group("system:masters")]).read();
    assert!(Ground::new(&none).paths(&Goal::ClusterAdmin).unwrap().cut().is_none());
}

#[test]
fn ways_lead_where_names_let_them() {
    let base = || {
        Cluster::default()
            .namespace("a", Some("restricted"))
            .cluster_role("all", &[all()])
            .cluster_role("view", &[rule(&["get"], &[""], &["pods"])])
            .cluster_role("secrets", &[rule(&["get"], &[""], &["secrets"])])
            .bind(None, "all", &[account("a", "strong"), user("root"), group("admins")])
            .bind(Some("a"), "view", &[account("a", "weak")])
    };
    let leads = |rules: &[Value], namespace: Option<&str>| {
        let snapshot = base().cluster_role("anas", rules).bind(namespace, "anas", &[user("ana")]).read();
        steps(&snapshot, &Goal::ClusterAdmin, &ana()).map(|steps| steps.len())
    };
    let bind = |names: &[&str]| named(rule(&["bind"], &[RBAC], &["clusterroles"]), names);
    let binds = || rule(&["create"], &[RBAC], &["clusterrolebindings", "rolebindings"]);
    let users = || rule(&["impersonate"], &[""], &["users"]);
    for (rules, namespace, wanted) in [
        (vec![tokens()], Some("a"), Some(2)),
        (vec![named(tokens(), &["strong"])], Some("a"), Some(2)),
        (vec![named(tokens(), &["weak"])], Some("a"), None),
        (vec![tokens()], Some("b"), None),
        (vec![bind(&[]), binds()], None, Some(1)),
        (vec![bind(&["all"]), binds()], None, Some(1)),
        (vec![bind(&["view"]), binds()], None, None),
        (vec![bind(&[]), binds()], Some("a"), Some(2)),
        (vec![bind(&["all"])], None, None),
        (vec![binds()], None, None),
        (vec![users()], None, Some(2)),
        (vec![named(users(), &["root"])], None, Some(2)),
        (vec![named(users(), &["other"])], None, None),
        (vec![users()], Some("a"), None),
        // A user right does not reach an account.
        (vec![named(users(), &["system:serviceaccount:a:strong"])], None, None),
        (vec![rule(&["impersonate"], &[""], &["serviceaccounts"])], Some("a"), Some(2)),
        (vec![rule(&["impersonate"], &[""], &["groups"])], None, None),
        (
            vec![named(rule(&["impersonate"], &[""], &["groups"]), &["admins"]), named(users(), &["x"])],
            None,
            Some(2),
        ),
        (
            vec![
                named(rule(&["impersonate"], &[""], &["groups"]), &["system:masters"]),
                named(users(), &["x"]),
            ],
            None,
            Some(1),
        ),
        // The old verb asks for no more than the two rights: any group is `system:masters` too.
        (vec![rule(&["impersonate"], &[""], &["groups"]), named(users(), &["x"])], None, Some(1)),
        (vec![rule(&["impersonate"], &[""], &["groups", "serviceaccounts"])], None, Some(1)),
        // By the name of an account no user is meant, and accounts are not granted.
        (
            vec![
                rule(&["impersonate"], &[""], &["groups"]),
                named(users(), &["system:serviceaccount:a:weak"]),
            ],
            None,
            None,
        ),
        (vec![rule(&["escalate", "patch"], &[RBAC], &["clusterroles"])], None, Some(1)),
        (vec![named(rule(&["escalate", "patch"], &[RBAC], &["clusterroles"]), &["anas"])], None, Some(1)),
        (vec![named(rule(&["escalate", "patch"], &[RBAC], &["clusterroles"]), &["view"])], None, None),
        (vec![rule(&["create", "get"], &[""], &["secrets"])], Some("a"), Some(2)),
        (vec![rule(&["create"], &["batch"], &["jobs"])], Some("a"), Some(2)),
        // Both accounts of `a` are there, and no pod runs as either.
        (vec![rule(&["create"], &[""], &["pods/exec"])], Some("a"), None),
        (vec![rule(&["get"], &[""], &["pods"])], None, None),
    ] {
        assert_eq!(leads(&rules, namespace), wanted, "{rules:?} in {namespace:?}");
    }
    // Who acts as an account by a RoleBinding asks for groups by a ClusterRoleBinding.
    let both = |groups: Value| {
        base()
            .cluster_role("groups", &[groups])
            .cluster_role(
                "accounts",
                &[named(rule(&["impersonate"], &[""], &["serviceaccounts"]), &["weak"])],
            )
            .bind(None, "groups", &[user("ana")])
            .bind(Some("a"), "accounts", &[user("ana")])
            .read()
    };
    let groups = || rule(&["impersonate"], &[""], &["groups"]);
    let snapshot = both(groups());
    let ground = Ground::new(&snapshot);
    let path = ground.paths(&Goal::ClusterAdmin).unwrap().of(&ana()).unwrap();
    assert_eq!((path.hops.len(), path.hops[0].evidence.len()), (1, 2));
    let asked: Vec<_> =
        path.hops[0].reviews.iter().map(|one| (one.resource.as_str(), one.namespace.as_deref())).collect();
    assert_eq!(asked, [("serviceaccounts", Some("a")), ("groups", None)]);
    assert_eq!(steps(&both(named(groups(), &["admins"])), &Goal::ClusterAdmin, &ana()).unwrap().len(), 2);
    assert!(steps(&both(named(groups(), &["others"])), &Goal::ClusterAdmin, &ana()).is_none());
    // With a pod that runs as the strong one there is a way by exec.
    let exec = |pod: &str| {
        base().pod("a", "p", pod).cluster_role("anas", &[rule(&["create"], &[""], &["pods/exec"])]).bind(
            Some("a"),
            "anas",
            &[user("ana")],
        )
    };
    assert_eq!(steps(&exec("strong").read(), &Goal::ClusterAdmin, &ana()).unwrap().len(), 2);
    assert!(steps(&exec("weak").read(), &Goal::ClusterAdmin, &ana()).is_none());
    let image = |pod: &str| {
        base().pod("a", "p", pod).cluster_role("anas", &[rule(&["patch"], &[""], &["pods"])]).bind(
            Some("a"),
            "anas",
            &[user("ana")],
        )
    };
    assert_eq!(steps(&image("strong").read(), &Goal::ClusterAdmin, &ana()).unwrap().len(), 2);
    assert!(steps(&image("weak").read(), &Goal::ClusterAdmin, &ana()).is_none());
    // Where pods were not read, there may be one: the step says that it is not certain.
    let mut unread = exec("weak").read();
    unread.asked(crate::snapshot::Kind::Pod, Coverage::Forbidden("list pods".into()));
    let ground = Ground::new(&unread);
    assert!(!ground.paths(&Goal::ClusterAdmin).unwrap().of(&ana()).unwrap().hops[0].certain);
}

#[test]
fn goals_below_everything_are_reached_too() {
    let snapshot = three_steps()
        .namespace("vault", Some("restricted"))
        .cluster_role("read", &[rule(&["list"], &[""], &["secrets"])])
        .bind(Some("vault"), "read", &[user("zoe")])
        .read();
    let zoe = Subject::User("zoe".into());
    let vault = Goal::SecretsOf("vault".into());
    assert_eq!(steps(&snapshot, &vault, &zoe).unwrap(), ["user zoe -> the Secrets of vault (RB-11)"]);
    // Who has everything has them.
    assert_eq!(steps(&snapshot, &vault, &ana()).unwrap().len(), 3);
    assert!(steps(&snapshot, &Goal::KubeSystem, &zoe).is_none());
    assert!(Ground::new(&snapshot).paths(&Goal::SecretsOf("nowhere".into())).is_none());
    // Pods in a namespace without a level reach a node, unless something unread keeps them from it.
    let open = three_steps().namespace("open", None).bind(Some("open"), "pods", &[user("zoe")]).read();
    let ground = Ground::new(&open);
    let path = ground.paths(&Goal::NodeRoot).unwrap().of(&zoe).unwrap();
    assert_eq!((path.hops.len(), path.hops[0].certain), (1, false));
    assert!(ground.paths(&Goal::NodeRoot).unwrap().of(&ana()).unwrap().hops.last().unwrap().certain);
}

#[test]
fn roles_of_a_namespace_lead_to_what_they_give() {
    let escalate = rule(&["escalate", "update"], &[RBAC], &["roles"]);
    let bind = rule(&["bind", "create"], &[RBAC], &["roles", "rolebindings"]);
    let base =
        || three_steps().namespace("a", Some("restricted")).role("a", "own", std::slice::from_ref(&escalate));
    let a = Goal::SecretsOf("a".into());
    let own = base().bind(Some("a"), "Role/own", &[user("zoe")]).read();
    let zoe = Subject::User("zoe".into());
    assert_eq!(steps(&own, &a, &zoe).unwrap(), ["user zoe -> everything in a (RB-04)"]);
    // By a ClusterRole one holds no Role whose rights could grow.
    let foreign = base()
        .cluster_role("escalate", std::slice::from_ref(&escalate))
        .bind(Some("a"), "escalate", &[user("zoe")])
        .read();
    assert!(steps(&foreign, &a, &zoe).is_none());
    let binds = three_steps()
        .role("kube-system", "runner", &[rule(&["create"], &[""], &["pods"])])
        .cluster_role("bind", &[bind])
        .bind(Some("kube-system"), "bind", &[user("zoe")])
        .read();
    assert_eq!(
        steps(&binds, &Goal::ClusterAdmin, &zoe).unwrap(),
        [
            "user zoe -> the role runner in kube-system (RB-05)",
            "the role runner in kube-system -> every service account of kube-system (RB-12)",
            "service account operator of kube-system -> everything (RB-01)",
        ]
    );
}

/// What comes by a group that everybody is in is that group's, and told once.
#[test]
fn rights_of_everybody_are_a_step_of_the_group() {
    let snapshot = three_steps().bind(Some("kube-system"), "pods", &[group("system:serviceaccounts")]).read();
    let ground = Ground::new(&snapshot);
    let paths = ground.paths(&Goal::ClusterAdmin).unwrap();
    let everybody = Subject::Group("system:serviceaccounts".into());
    assert_eq!(paths.of(&everybody).unwrap().hops.len(), 2);
    let lone = Subject::account("ci", "builder");
    assert_eq!(paths.of(&lone).unwrap().hops.len(), 2);
}

/// A ring of accounts that each mint tokens of the next, and one at its end who has everything.
#[test]
fn thousands_in_a_ring_end() {
    let mut cluster = Cluster::default().cluster_role("tokens", &[tokens()]).cluster_role("all", &[all()]);
    for at in 0..1_500 {
        let next = format!("n{}", (at + 1) % 1_500);
        cluster = cluster.bind(Some(&next), "tokens", &[account(&format!("n{at}"), "x")]);
    }
    let snapshot = cluster.bind(None, "all", &[account("n700", "boss")]).read();
    let began = Instant::now();
    let ground = Ground::new(&snapshot);
    let paths = ground.paths(&Goal::ClusterAdmin).unwrap();
    assert_eq!(paths.len(), 1_501);
    // Round the ring to whoever mints a token of n700's accounts.
    assert_eq!(paths.of(&Subject::account("n700", "x")).unwrap().hops.len(), 1_501);
    assert_eq!(paths.cut().unwrap().closes, 1_501);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

/// The roles of random clusters: each a way, or a part of one.
fn roles() -> Vec<Vec<Value>> {
    let on = |verbs: &[&str], resources: &[&str]| vec![rule(verbs, &["", RBAC, "apps"], resources)];
    vec![
        vec![all()],
        on(&["create"], &["serviceaccounts/token"]),
        vec![named(tokens(), &["x"])],
        on(&["create"], &["pods"]),
        on(&["create", "get"], &["secrets"]),
        on(&["create"], &["pods/exec"]),
        on(&["impersonate"], &["users"]),
        on(&["impersonate"], &["groups"]),
        on(&["impersonate"], &["serviceaccounts"]),
        on(&["bind"], &["clusterroles", "roles"]),
        vec![named(rule(&["bind"], &[RBAC], &["clusterroles"]), &["r1", "r3"])],
        on(&["create"], &["rolebindings", "clusterrolebindings"]),
        on(&["escalate", "patch"], &["clusterroles", "roles"]),
        on(&["get"], &["nodes/proxy"]),
        on(&["get", "list"], &["configmaps"]),
        on(&["escalate", "create", "delete"], &["clusterroles", "roles"]),
        on(&["patch"], &["pods"]),
    ]
}

type Bound = (Option<&'static str>, usize, usize);

/// Random bindings of them, some by a Role of the namespace.
fn random(bound: &[Bound]) -> Snapshot {
    let subjects = [
        user("ana"),
        user("ben"),
        group("devs"),
        account("a", "x"),
        account("b", "y"),
        group("system:serviceaccounts:a"),
        group("system:authenticated"),
    ];
    let mut cluster = Cluster::default()
        .namespace("a", Some("restricted"))
        .namespace("b", None)
        .namespace("kube-system", Some("restricted"))
        .pod("a", "p", "x")
        .pod("b", "p", "y");
    for (at, rules) in roles().iter().enumerate() {
        cluster = cluster.cluster_role(&format!("r{at}"), rules).role("a", &format!("r{at}"), rules);
    }
    for (namespace, role, subject) in bound {
        let local = *namespace == Some("a") && role % 2 == 0;
        let role = format!("{}r{role}", if local { "Role/" } else { "" });
        cluster = cluster.bind(*namespace, &role, &subjects[*subject % subjects.len()..][..1]);
    }
    cluster.read()
}

fn goals() -> [Goal; 4] {
    [Goal::ClusterAdmin, Goal::NodeRoot, Goal::KubeSystem, Goal::SecretsOf("b".into())]
}

fn reaching(snapshot: &Snapshot, goal: &Goal) -> Vec<Subject> {
    let ground = Ground::new(snapshot);
    ground.paths(goal).map_or(Vec::new(), |paths| paths.iter().map(|path| path.subject).collect())
}

proptest! {
    /// Whatever a path says can be asked again, and a cut closes for as many as it says.
    #[test]
    fn p22_each_step_is_allowed_and_a_cut_does_what_it_says(
        bound in prop::collection::vec(
            (prop::option::of(prop::sample::select(vec!["a", "b", "kube-system"])), 0usize..17, 0usize..7), 1..9),
    ) {
        let snapshot = random(&bound);
        let ground = Ground::new(&snapshot);
        for goal in goals() {
            let Some(paths) = ground.paths(&goal) else { continue };
            let mut longest = 0;
            for path in paths.iter() {
                prop_assert!(!path.hops.is_empty() && path.hops.len() >= longest);
                longest = path.hops.len();
                for review in path.hops.iter().flat_map(|hop| &hop.reviews) {
                    let ask = sallyport_rbac::Ask::Resource {
                        verb: &review.verb,
                        group: &review.group,
                        resource: &review.resource,
                        subresource: &review.subresource,
                        name: &review.name,
                    };
                    let allowed = ground.rbac().allows(&review.caller, ask, review.namespace.as_deref());
                    prop_assert!(allowed, "{:?}: {:?}", goal, review);
                }
            }
            if let Some(cut) = paths.cut() {
                let mut without = snapshot.clone();
                without.bindings.retain(|one| one.binding.name != cut.binding);
                let left = reaching(&without, &goal).len();
                prop_assert_eq!(left + cut.closes, paths.len(), "{:?}: {:?}", goal, cut);
            }
        }
    }

    /// Another binding never closes a way.
    #[test]
    fn p22_more_rights_never_close_a_way(
        bound in prop::collection::vec(
            (prop::option::of(prop::sample::select(vec!["a", "b", "kube-system"])), 0usize..17, 0usize..7), 1..9),
    ) {
        let (less, more) = (random(&bound[1..]), random(&bound));
        for goal in goals() {
            let (before, after) = (reaching(&less, &goal), reaching(&more, &goal));
            prop_assert!(before.iter().all(|who| after.contains(who)), "{:?}: {:?} {:?}", goal, before, after);
        }
    }
}
