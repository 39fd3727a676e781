use super::*;
use crate::rule::tests::{named, rule};
use proptest::prelude::*;

const OURS: &str = "access.sallyport.dev";

fn profile<'a>(verb: &'a str, name: &'a str) -> Ask<'a> {
    Ask::Resource { verb, group: OURS, resource: "accessprofiles", subresource: "", name }
}

fn create() -> Ask<'static> {
    Ask::Resource { verb: "create", group: OURS, resource: "accessrequests", subresource: "", name: "" }
}

fn cluster_role(name: &str, rules: Vec<Rule>) -> Role {
    Role { namespace: None, name: name.into(), rules }
}

fn bound(namespace: Option<&str>, role: RoleRef, subjects: &[Subject]) -> Binding {
    Binding {
        namespace: namespace.map(str::to_owned),
        name: format!("{}-{}", namespace.unwrap_or("all"), role.name()),
        role,
        subjects: subjects.to_vec(),
    }
}

fn everywhere(role: &str, subjects: &[Subject]) -> Binding {
    bound(None, RoleRef::ClusterRole(role.into()), subjects)
}

fn group(name: &str) -> Subject {
    Subject::Group(name.into())
}

fn user(name: &str) -> Subject {
    Subject::User(name.into())
}

fn on(verbs: &[&str]) -> Rule {
    rule(verbs, &[OURS], &["accessprofiles"])
}

/// One role, bound cluster-wide to `g`: what it gives.
fn gives(rules: Vec<Rule>, ask: Ask<'_>) -> bool {
    let rbac = Rbac::about(&[OURS], vec![cluster_role("r", rules)], vec![everywhere("r", &[group("g")])]);
    rbac.allows(&group("g").caller(), ask, None)
}

#[test]
fn p22_a_rule_gives_what_kubernetes_says_it_gives() {
    let operate = |verb| profile(verb, "operate");
    for (rules, verb, fits) in [
        (vec![on(&["request"])], "request", true),
        (vec![on(&["request"])], "approve", false),
        (vec![on(&["*"])], "revoke", true),
        (vec![on(&["get", "list", "watch", "create", "update", "patch", "delete"])], "request", false),
        (vec![rule(&["request"], &["*"], &["accessprofiles"])], "request", true),
        (vec![rule(&["request"], &[OURS], &["*"])], "request", true),
        (vec![rule(&["*"], &["*"], &["*"])], "approve", true),
        (vec![rule(&["request"], &[""], &["accessprofiles"])], "request", false),
        (vec![rule(&["request"], &[OURS], &["accessrequests"])], "request", false),
        // A subresource of theirs is another thing, and `x/*` no wildcard.
        (vec![rule(&["request"], &[OURS], &["accessprofiles/status", "accessprofiles/*"])], "request", false),
        (vec![rule(&["request"], &[OURS], &["accessprofile"])], "request", false),
        (vec![named(on(&["request"]), &["operate"])], "request", true),
        (vec![named(on(&["request"]), &["view", "operate"])], "request", true),
        (vec![named(on(&["request"]), &["oper*"])], "request", false),
        (vec![named(on(&["request"]), &["*"])], "request", false),
        // No names at all are all names.
        (vec![named(on(&["request"]), &[])], "request", true),
        (vec![], "request", false),
        (vec![rule(&[], &[OURS], &["accessprofiles"])], "request", false),
        (vec![on(&["request"]), named(on(&["approve"]), &["operate"])], "approve", true),
    ] {
        assert_eq!(gives(rules.clone(), operate(verb)), fits, "{verb}: {rules:?}");
    }
    // A name does not let anybody create: an object that is made has none yet.
    let one = named(rule(&["create"], &[OURS], &["accessrequests"]), &["ask-1"]);
    assert!(!gives(vec![one], create()));
}

#[test]
fn p22_a_binding_in_a_namespace_gives_no_profile_and_its_own_namespace_alone() {
    let rules = || vec![on(&["request"]), rule(&["create"], &[OURS], &["accessrequests"])];
    let rbac = Rbac::about(
        &[OURS],
        vec![
            cluster_role("all", rules()),
            Role { namespace: Some("team".into()), name: "local".into(), rules: rules() },
            Role { namespace: Some("other".into()), name: "all".into(), rules: rules() },
        ],
        vec![
            bound(Some("team"), RoleRef::ClusterRole("all".into()), &[group("a")]),
            bound(Some("team"), RoleRef::Role("local".into()), &[group("b")]),
            // A Role of another namespace, and a Role from a ClusterRoleBinding, are none.
            bound(Some("elsewhere"), RoleRef::Role("local".into()), &[group("c")]),
            bound(None, RoleRef::Role("local".into()), &[group("c")]),
            bound(None, RoleRef::Other("all".into()), &[group("c")]),
            everywhere("all", &[group("d")]),
        ],
    );
    let may = |who: &str, ask, namespace| rbac.allows(&group(who).caller(), ask, namespace);
    for who in ["a", "b"] {
        assert!(!may(who, profile("request", "x"), None), "{who}");
        assert!(may(who, create(), Some("team")), "{who}");
        assert!(!may(who, create(), Some("other")) && !may(who, create(), None), "{who}");
    }
    for namespace in [None, Some("team"), Some("elsewhere")] {
        assert!(!may("c", create(), namespace) && !may("c", profile("request", "x"), namespace));
    }
    assert!(may("d", profile("request", "x"), None) && may("d", create(), Some("any")));
    assert_eq!(rbac.dangling().len(), 3);
    assert!(rbac.subjects().all(|subject| *subject != group("c")));
}

#[test]
fn p22_a_subject_is_whom_the_api_server_takes_for_it() {
    let to = |subject: Subject| {
        Rbac::about(
            &[OURS],
            vec![cluster_role("r", vec![on(&["request"])])],
            vec![everywhere("r", &[subject])],
        )
    };
    let asks = |rbac: &Rbac, user: &str, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        rbac.allows(&Caller { user: user.into(), groups }, profile("request", "x"), None)
    };
    let one = to(user("oidc:ana"));
    assert!(asks(&one, "oidc:ana", &[]) && !asks(&one, "oidc:an", &["oidc:ana"]));
    let some = to(group("oidc:dev"));
    assert!(asks(&some, "x", &["a", "oidc:dev"]) && !asks(&some, "oidc:dev", &["oidc:de", "oidc:devs"]));
    let account = to(Subject::account("ci", "bot"));
    assert!(asks(&account, "system:serviceaccount:ci:bot", &[]));
    assert!(!asks(&account, "system:serviceaccount:ci:bots", &[]));
    assert!(!asks(&account, "system:serviceaccount:c:i:bot", &[]) && !asks(&account, "bot", &[]));
    assert_eq!(Subject::account("ci", "bot").as_account(), Some(("ci", "bot")));
    assert!(asks(&to(user("system:serviceaccount:ci:bot")), "system:serviceaccount:ci:bot", &[]));
    // Whoever is meant by a name is in the groups that everybody of their kind is in.
    let in_all = |rbac: &Rbac, who: &Subject| rbac.allows(&who.caller(), profile("request", "x"), None);
    let all = to(group(AUTHENTICATED));
    for who in [group("oidc:dev"), user("oidc:ana"), Subject::account("ci", "bot")] {
        assert!(in_all(&all, &who), "{who:?}");
    }
    assert!(!in_all(&all, &group(UNAUTHENTICATED)) && !in_all(&all, &user("system:anonymous")));
    assert!(in_all(&to(group("system:serviceaccounts:ci")), &Subject::account("ci", "bot")));
    assert!(!in_all(&to(group("system:serviceaccounts:ci")), &Subject::account("cd", "bot")));
    assert!(in_all(&to(group("system:serviceaccounts")), &Subject::account("cd", "bot")));
    assert!(in_all(&to(group(UNAUTHENTICATED)), &user("system:anonymous")));
    // Nobody bound it anything, and it passes.
    assert!(asks(&Rbac::default(), "x", &[MASTERS]));
}

#[test]
fn a_role_that_is_not_there_gives_nothing_and_is_named() {
    let rbac = Rbac::about(&[OURS], vec![], vec![everywhere("gone", &[group("g")])]);
    assert!(!rbac.allows(&group("g").caller(), profile("request", "x"), None));
    assert_eq!(rbac.dangling()[0].role.name(), "gone");
}

#[test]
fn what_is_about_something_else_is_left_out() {
    let roles = vec![
        cluster_role("pods", vec![rule(&["*"], &["", "apps"], &["*"])]),
        cluster_role("admin", vec![rule(&["*"], &["*"], &["*"])]),
    ];
    let rbac = Rbac::about(
        &[OURS],
        roles,
        vec![everywhere("pods", &[group("a")]), everywhere("admin", &[group("b")])],
    );
    assert_eq!(rbac.subjects().collect::<Vec<_>>(), [&group("b")]);
    assert!(rbac.dangling().is_empty(), "a role about something else is there");
}

/// 400 groups, 50 profiles, and thousands of bindings about something else.
#[test]
fn hundreds_of_groups_and_thousands_of_bindings_take_no_time() {
    let names: Vec<String> = (0..50).map(|i| format!("profile-{i}")).collect();
    let mut roles: Vec<Role> = (0..400)
        .map(|i| {
            let own: Vec<&str> = (0..5).map(|k| names[(i + k * 7) % 50].as_str()).collect();
            cluster_role(&format!("ask-{i}"), vec![named(on(&["request", "approve"]), &own)])
        })
        .collect();
    roles.push(cluster_role("pods", vec![rule(&["get"], &[""], &["pods"])]));
    let mut bindings: Vec<Binding> =
        (0..400).map(|i| everywhere(&format!("ask-{i}"), &[group(&format!("g-{i}"))])).collect();
    bindings.extend((0..20_000).map(|i| everywhere("pods", &[group(&format!("g-{}", i % 400))])));
    let started = std::time::Instant::now();
    let rbac = Rbac::about(&[OURS], roles, bindings);
    let asks: Vec<Ask<'_>> = names
        .iter()
        .flat_map(|name| ["request", "approve", "revoke"].map(|verb| profile(verb, name)))
        .collect();
    let weighed = rbac.weigh(&asks);
    let given: usize = rbac.subjects().map(|who| weighed.given(&who.caller(), None)[0].1.len()).sum();
    assert_eq!((rbac.subjects().count(), given), (400, 400 * 10));
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(2), "{took:?}");
}

fn any_binding() -> impl Strategy<Value = Binding> {
    let subject = prop_oneof![
        prop::sample::select(vec!["g1", "g2", AUTHENTICATED, UNAUTHENTICATED, "system:serviceaccounts:n1"])
            .prop_map(group),
        prop::sample::select(vec!["u1", "u2", "system:anonymous"]).prop_map(user),
        Just(Subject::account("n1", "bot")),
    ];
    let role = prop_oneof![
        prop::sample::select(vec!["r0", "r1", "r2", "gone"])
            .prop_map(|name| RoleRef::ClusterRole(name.into())),
        prop::sample::select(vec!["r0", "gone"]).prop_map(|name| RoleRef::Role(name.into())),
    ];
    let namespace = prop::option::of(prop::sample::select(vec!["n1", "n2"]));
    (namespace, role, prop::collection::vec(subject, 0..3))
        .prop_map(|(namespace, role, subjects)| bound(namespace, role, &subjects))
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let some = |from: &[&'static str]| prop::sample::subsequence(from.to_vec(), 0..=from.len());
    (
        some(&["request", "approve", "create", "*"]),
        some(&[OURS, "", "*"]),
        some(&["accessprofiles", "accessrequests", "*", "accessprofiles/status"]),
        some(&["p1", "p2"]),
    )
        .prop_map(|(verbs, groups, resources, names)| named(rule(&verbs, &groups, &resources), &names))
}

proptest! {
    /// The index is nothing but a quicker way to ask each binding by itself, as Kubernetes writes it.
    #[test]
    fn p22_the_index_answers_as_the_authorizer_does(
        rules in prop::collection::vec(prop::collection::vec(any_rule(), 0..3), 4),
        bindings in prop::collection::vec(any_binding(), 0..8),
        who in prop::sample::select(vec![
            group("g1"), group("g2"), user("u1"), user("system:anonymous"), Subject::account("n1", "bot"),
            group(AUTHENTICATED), group(UNAUTHENTICATED),
        ]),
        verb in prop::sample::select(vec!["request", "approve", "revoke"]),
        name in prop::sample::select(vec!["p1", "p3"]),
        namespace in prop::option::of(prop::sample::select(vec!["n1", "n2", "n3"])),
    ) {
        let mut roles: Vec<Role> =
            rules.iter().take(3).enumerate().map(|(i, r)| cluster_role(&format!("r{i}"), r.clone())).collect();
        roles.push(Role { namespace: Some("n1".into()), name: "r0".into(), rules: rules[3].clone() });
        let caller = who.caller();
        let applies = |subject: &Subject| match subject {
            Subject::User(name) => *name == caller.user,
            Subject::Group(name) => caller.groups.contains(name),
        };
        let rules_of = |binding: &Binding| {
            let (at, name) = match &binding.role {
                RoleRef::ClusterRole(name) => (None, name),
                RoleRef::Role(name) if binding.namespace.is_some() => (binding.namespace.clone(), name),
                _ => return Vec::new(),
            };
            roles.iter().find(|r| r.namespace == at && r.name == *name).map_or(Vec::new(), |r| r.rules.clone())
        };
        let ask = profile(verb, name);
        let naive = bindings.iter().any(|binding| {
            (binding.namespace.is_none() || binding.namespace.as_deref() == namespace)
                && binding.subjects.iter().any(applies)
                && crate::allows(&rules_of(binding), ask)
        });
        let rbac = Rbac::about(&[OURS], roles.clone(), bindings.clone());
        prop_assert_eq!(rbac.allows(&caller, ask, namespace), naive);
        let asks = [ask];
        let given = !rbac.weigh(&asks).given(&caller, namespace).is_empty();
        prop_assert_eq!(given, naive);
    }
}
