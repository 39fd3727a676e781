use super::*;
use proptest::prelude::*;

fn rule(verb: &str, resource: &str) -> Rule {
    Rule::on(&"r".parse().unwrap(), [verb], [""], [resource])
}

fn target(verb: &str, resource: &str, subresource: &str, namespace: &str) -> Target {
    Target {
        verb: verb.into(),
        resource: resource.into(),
        subresource: subresource.into(),
        namespace: namespace.into(),
        name: "web-0".into(),
        ..Target::default()
    }
}

fn scope(names: &[&str]) -> Scope {
    Scope::from_list(names.iter().map(|name| name.parse().unwrap()))
}

#[test]
fn p7_a_stream_outlives_an_extension_where_the_new_grant_holds_it_alone() {
    let rules = [rule("create", "pods/exec"), rule("watch", "pods")];
    let held = |target: Target| is_held(&rules, &scope(&["pay"]), &target);
    assert!(held(target("create", "pods", "exec", "pay")));
    assert!(held(target("get", "pods", "exec", "pay")), "a WebSocket's exec is a GET");
    assert!(held(target("watch", "pods", "", "pay")));
    assert!(held(Target { verb: "get".into(), ..Target::default() }), "discovery is everybody's");
    for lost in [
        target("create", "pods", "exec", "shop"),
        target("watch", "pods", "", ""),
        target("get", "pods", "log", "pay"),
        target("watch", "secrets", "", "pay"),
    ] {
        assert!(!held(lost.clone()), "{lost:?}");
    }
    assert!(is_held(&rules, &Scope::ClusterWide, &target("watch", "pods", "", "")));
}

proptest! {
    #[test]
    fn p7_what_goes_on_was_allowed_before_or_is_allowed_now(
        verbs in proptest::collection::vec(0..3_usize, 1..4),
        names in proptest::collection::vec(0..3_usize, 0..3),
        at in 0..3_usize,
        asked in 0..3_usize,
    ) {
        let (all, places) = (["get", "watch", "delete"], ["a", "b", "c"]);
        let rules: Vec<Rule> = verbs.iter().map(|verb| rule(all[*verb], "pods")).collect();
        let named: Vec<&str> = names.iter().map(|name| places[*name]).collect();
        let scope = scope(&named);
        let kept = is_held(&rules, &scope, &target(all[asked], "pods", "", places[at]));
        let in_scope = named.is_empty() || named.contains(&places[at]);
        prop_assert_eq!(kept, in_scope && verbs.contains(&asked));
    }
}
