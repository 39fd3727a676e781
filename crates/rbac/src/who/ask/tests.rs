use super::*;
use crate::rule::tests::{any_rule, every_ask, named, paths, rule};
use crate::who::RoleRef;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn role(namespace: Option<&str>, name: &str, rules: Vec<Rule>) -> Role {
    Role { namespace: namespace.map(str::to_owned), name: name.into(), rules }
}

fn bound(namespace: Option<&str>, name: &str, role: RoleRef, subjects: &[Subject]) -> Binding {
    Binding { namespace: namespace.map(str::to_owned), name: name.into(), role, subjects: subjects.to_vec() }
}

fn cluster_role(name: &str) -> RoleRef {
    RoleRef::ClusterRole(name.into())
}

fn group(name: &str) -> Subject {
    Subject::Group(name.into())
}

fn exec(verb: &str) -> Ask<'_> {
    Ask::Resource { verb, group: "", resource: "pods", subresource: "exec", name: "" }
}

#[test]
fn p22_who_can_and_why_name_binding_role_and_rule() {
    let rules = || vec![rule(&["get"], &[""], &["pods"]), rule(&["create"], &[""], &["*/exec"])];
    let rbac = Rbac::all(
        vec![
            role(None, "debug", rules()),
            role(Some("a"), "debug", rules()),
            role(Some("b"), "debug", vec![rule(&["get"], &[""], &["pods"])]),
            role(None, "metrics", vec![paths(&["get"], &["/metrics"])]),
        ],
        vec![
            bound(Some("a"), "z-local", RoleRef::Role("debug".into()), &[group("dev")]),
            bound(Some("b"), "local", RoleRef::Role("debug".into()), &[group("dev")]),
            bound(Some("a"), "wide", cluster_role("debug"), &[group("dev"), Subject::account("a", "bot")]),
            bound(None, "all", cluster_role("debug"), &[group("sre"), group("sre")]),
            bound(None, "metrics", cluster_role("metrics"), &[group("sre")]),
            bound(Some("a"), "metrics", cluster_role("metrics"), &[group("dev")]),
        ],
    );
    let told = |namespace| {
        let mut told: Vec<String> = rbac
            .who_can(exec("create"), namespace)
            .iter()
            .map(|given| format!("{} by {} rule {}", given.subject.name(), given.binding.name, given.rule))
            .collect();
        told.sort();
        told.dedup();
        told
    };
    assert_eq!(
        told(Some("a")),
        [
            "dev by wide rule 1",
            "dev by z-local rule 1",
            "sre by all rule 1",
            "system:serviceaccount:a:bot by wide rule 1"
        ]
    );
    assert_eq!(told(Some("b")), ["sre by all rule 1"]);
    assert_eq!(told(None), ["sre by all rule 1"]);
    assert!(rbac.who_can(exec("get"), Some("a")).is_empty());
    let metrics = Ask::Path { verb: "get", path: "/metrics" };
    assert_eq!(rbac.who_can(metrics, None).len(), 1);
    let dev = group("dev").caller();
    let why = rbac.why(&dev, exec("create"), Some("a"));
    assert_eq!(why.len(), 2);
    assert!(why[0].is_by(Some("a"), "wide") && why[1].is_by(Some("a"), "z-local"));
    assert!(rbac.why(&dev, exec("create"), Some("b")).is_empty());
    assert_eq!(rbac.why(&group(MASTERS).caller(), exec("create"), None), [Why::Masters]);
    assert_eq!(rbac.held_anywhere(&dev).len(), 4);
    assert_eq!(rbac.held(&dev, Some("b")).len(), 1);
    assert!(rbac.held(&dev, None).is_empty());
}

/// One user who is in many groups and bound by each, and 50,000 bindings of others.
#[test]
fn fifty_thousand_bindings_are_taken_in_and_asked_at_once() {
    let mut roles: Vec<Role> = (0..2_000)
        .map(|n| role(None, &format!("r{n}"), vec![named(rule(&["get"], &["x.io"], &["widgets"]), &["a"])]))
        .collect();
    roles.extend(
        (0..2_000).map(|n| role(Some(&format!("ns{n}")), "dev", vec![rule(&["*"], &[""], &["pods/exec"])])),
    );
    let bindings: Vec<Binding> = (0..50_000)
        .map(|n| {
            let subjects = [group(&format!("g{}", n % 997)), Subject::account("ns1", &format!("sa{n}"))];
            match n % 2 {
                0 => bound(None, &format!("b{n}"), cluster_role(&format!("r{}", n % 2_000)), &subjects),
                _ => bound(Some(&format!("ns{}", n % 2_000)), "dev", RoleRef::Role("dev".into()), &subjects),
            }
        })
        .collect();
    let began = Instant::now();
    let rbac = Rbac::all(roles, bindings);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let began = Instant::now();
    let mut given = 0;
    for n in 0..100 {
        given += rbac.who_can(exec("create"), Some(&format!("ns{}", n * 2 + 1))).len();
    }
    assert_eq!(given, 100 * 25 * 2);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

fn any_role() -> impl Strategy<Value = Role> {
    let rules = prop::collection::vec(any_rule(), 0..3);
    (prop::option::of(prop::sample::select(vec!["n1", "n2"])), prop::sample::select(vec!["r0", "r1"]), rules)
        .prop_map(|(namespace, name, rules)| role(namespace, name, rules))
}

fn any_binding() -> impl Strategy<Value = Binding> {
    let subject = prop::sample::select(vec![
        group("g1"),
        group("u1"),
        group("system:authenticated"),
        group("system:serviceaccounts:n1"),
        Subject::User("u1".into()),
        Subject::account("n1", "bot"),
    ]);
    let namespace = prop::option::of(prop::sample::select(vec!["n1", "n2"]));
    let role = (any::<bool>(), prop::sample::select(vec!["r0", "r1", "gone"]));
    (namespace, role, prop::collection::vec(subject, 0..3)).prop_map(
        |(namespace, (local, name), subjects)| {
            let role = if local { RoleRef::Role(name.into()) } else { cluster_role(name) };
            bound(namespace, name, role, &subjects)
        },
    )
}

proptest! {
    /// Asked from either end, and each binding by itself: the same answer.
    #[test]
    fn p22_who_can_why_and_may_say_the_same(
        roles in prop::collection::vec(any_role(), 0..6),
        bindings in prop::collection::vec(any_binding(), 0..8),
        namespace in prop::option::of(prop::sample::select(vec!["n1", "n2", "n3"])),
    ) {
        let rbac = Rbac::all(roles, bindings.clone());
        let subjects: Vec<Subject> = bindings.iter().flat_map(|binding| binding.subjects.clone()).collect();
        for ask in every_ask() {
            let given = rbac.who_can(ask, namespace);
            for given in &given {
                prop_assert!(given.role.rules[given.rule].allows(ask));
                prop_assert!(given.binding.holds_in(namespace));
                prop_assert!(rbac.allows(&given.subject.caller(), ask, namespace));
            }
            for subject in &subjects {
                let caller = subject.caller();
                let named = given.iter().any(|given| match given.subject {
                    Subject::User(name) => *name == caller.user,
                    Subject::Group(name) => caller.groups.contains(name),
                });
                let allowed = rbac.allows(&caller, ask, namespace);
                prop_assert_eq!(allowed, named, "{:?} {:?}", subject, ask);
                prop_assert_eq!(allowed, !rbac.why(&caller, ask, namespace).is_empty());
                prop_assert_eq!(allowed, crate::allows(&rbac.rules_for(&caller, namespace), ask));
            }
        }
    }
}
