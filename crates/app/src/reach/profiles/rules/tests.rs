use super::*;
use crate::reach::profiles::object::profile_of;
use proptest::prelude::*;
use sallyport_api::{ProfilePreview, RuleSummary};
use sallyport_rbac::{Ask, allows};
use serde_json::{Value, json};

const UID: &str = "6f1c2d7e-0000-4000-8000-000000000000";

fn profile(name: &str, roles: &[&str], clusters: &str, namespaces: &[&str]) -> Profile {
    profile_of(&json!({
        "apiVersion": "x", "kind": "AccessProfile", "metadata": {"name": name, "uid": UID, "generation": 1},
        "spec": {"clusters": [clusters], "roles": roles, "namespaces": namespaces, "maxDuration": "1h"},
    }))
    .unwrap()
}

fn rule(role: &str, verbs: &[&str], resources: &[&str]) -> RuleSummary {
    let all = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
    RuleSummary {
        role: role.into(),
        verbs: all(verbs),
        api_groups: vec![String::new()],
        resources: all(resources),
        ..RuleSummary::default()
    }
}

/// Clusters whose brokers report these profiles with these rules.
fn world(
    clusters: &[&str],
    reports: &[(&str, Vec<RuleSummary>)],
) -> (Vec<AccessCluster>, BTreeMap<String, AccessPreviewSpec>) {
    let previews = reports.iter().map(|(name, rules)| ProfilePreview {
        name: (*name).into(),
        revision: format!("{UID}/1"),
        rules: rules.clone(),
        warnings: vec![],
    });
    let preview = AccessPreviewSpec::of(previews.collect());
    let reported: Vec<Value> = preview
        .profiles
        .iter()
        .map(|one| json!({"name": one.name, "revision": one.revision, "ruleCount": one.rules.len()}))
        .collect();
    let cluster = |name: &str| {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name},
            "spec": {"environment": "prod", "endpoints": ["https://x.example.test"], "caBundle": "x"},
            "status": {"profiles": reported, "preview": preview.digest},
        }))
        .unwrap()
    };
    let by_name = clusters.iter().map(|name| ((*name).to_owned(), preview.clone())).collect();
    (clusters.iter().map(|name| cluster(name)).collect(), by_name)
}

fn found(
    world: &(Vec<AccessCluster>, BTreeMap<String, AccessPreviewSpec>),
    profiles: &[Profile],
    before: Option<&Profile>,
    after: &Profile,
) -> Vec<RulesDifference> {
    difference(
        &Reported { clusters: &world.0, previews: Ok(&world.1), profiles: Ok(profiles) },
        before,
        after,
    )
}

fn details(rights: &[Right]) -> Vec<String> {
    rights.iter().map(|right| format!("{} in {}", right.detail, right.namespaces.join("+"))).collect()
}

#[test]
fn another_role_is_compared_by_what_its_report_under_any_profile_says() {
    let live = [profile("operate", &["view"], "*", &["pay"]), profile("other", &["debug"], "*", &[])];
    let world = world(
        &["b", "a"],
        &[
            ("operate", vec![rule("view", &["get", "list"], &["pods"])]),
            ("other", vec![rule("debug", &["get", "delete"], &["pods"])]),
        ],
    );
    let after = profile("operate", &["debug"], "*", &["pay"]);
    let all = found(&world, &live, Some(&live[0]), &after);
    assert_eq!(all.len(), 1, "the same on both is told once");
    let one = &all[0];
    assert_eq!((one.way, one.clusters.len(), one.clusters[0].as_str()), (DriftWay::Wider, 2, "a"));
    assert_eq!(details(&one.gained), ["delete pods in pay"], "get was there before");
    assert_eq!(details(&one.lost), ["list pods in pay"]);
}

#[test]
fn what_no_report_says_is_unknown_and_never_nothing() {
    let live = [profile("operate", &["view"], "*", &["pay"])];
    let world = world(&["a"], &[("operate", vec![rule("view", &["get"], &["pods"])])]);
    let unknown = |after: &Profile| found(&world, &live, Some(&live[0]), after).remove(0);
    let other = unknown(&profile("operate", &["debug"], "*", &["pay"]));
    assert!(other.unknown.as_ref().unwrap().contains("ClusterRole debug") && other.gained.is_empty());
    // What a role gives in a namespace says nothing of what it gives cluster-wide.
    let wide = unknown(&profile("operate", &["view"], "*", &[]));
    assert!(wide.unknown.is_some(), "{wide:?}");
    let not_read = Reported { clusters: &world.0, previews: Err("forbidden"), profiles: Ok(&live) };
    let all = difference(&not_read, Some(&live[0]), &profile("operate", &["debug"], "*", &["pay"]));
    assert!(all[0].unknown.as_ref().unwrap().contains("could not be read: forbidden"));
    // Another preview than the broker names is none.
    let mut stale = world.clone();
    stale.1.get_mut("a").unwrap().digest = "f".repeat(64);
    let all = found(&stale, &live, Some(&live[0]), &profile("operate", &["view", "x"], "*", &["pay"]));
    assert!(all[0].unknown.as_ref().unwrap().contains("just reporting"));
}

#[test]
fn p11_a_danger_comes_first_and_is_told_as_what_brokers_refuse() {
    let live = [profile("operate", &["view"], "a*", &["pay"]), profile("admin", &["admin"], "*", &[])];
    let world = world(
        &["a", "b"],
        &[
            ("operate", vec![rule("view", &["get"], &["pods"])]),
            ("admin", vec![rule("admin", &["create"], &["serviceaccounts/token"])]),
        ],
    );
    let all = found(&world, &live, Some(&live[0]), &profile("operate", &["view", "admin"], "a", &["pay"]));
    assert!(all[0].dangers[0].contains("minting tokens"), "{:?}", all[0].dangers);
    assert_eq!(all.len(), 1);
    let wider = found(&world, &live, Some(&live[0]), &profile("operate", &["view"], "*", &["pay"]));
    assert_eq!((wider.len(), wider[0].clusters[0].as_str(), wider[0].was_covered), (1, "b", false));
    let narrower = found(&world, &live, Some(&live[0]), &profile("operate", &["view"], "z", &["pay"]));
    assert_eq!((narrower[0].way, narrower[0].covered), (DriftWay::Narrower, false));
    assert!(found(&world, &live, Some(&live[0]), &live[0]).is_empty());
    let new = found(&world, &live, None, &profile("new", &["view"], "*", &["pay"]));
    assert_eq!((new.len(), new[0].way, new[0].clusters.len()), (1, DriftWay::Wider, 2));
}

#[test]
fn ninety_clusters_are_told_in_a_line() {
    let names: Vec<String> = (0..90).map(|i| format!("cluster-{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let live = [profile("operate", &["view"], "*", &["pay"])];
    let world = world(&names, &[("operate", vec![rule("view", &["get"], &["pods"])])]);
    let all = found(&world, &live, Some(&live[0]), &profile("operate", &["view"], "*", &["shop"]));
    assert_eq!((all.len(), all[0].clusters.len()), (1, 90));
    assert_eq!(details(&all[0].gained), ["get pods in shop"]);
    assert_eq!(details(&all[0].lost), ["get pods in pay"]);
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let some = |of: &'static [&'static str]| prop::sample::subsequence(of.to_vec(), 1..=of.len());
    (some(&["get", "list", "delete", "*"]), some(&["pods", "secrets", "pods/log", "*"]))
        .prop_map(|(verbs, resources)| Rule::on(&"r".parse().unwrap(), verbs, vec![""], resources))
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop::sample::subsequence(vec!["pay", "shop", "mail"], 0..=3)
        .prop_map(|names| Scope::from_list(names.into_iter().map(|name| name.parse().unwrap())))
}

fn may(rules: &[Rule], scope: &Scope, verb: &str, resource: &str, namespace: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    scope.holds(namespace)
        && allows(rules, Ask::Resource { verb, group: "", resource, subresource, name: "x" })
}

proptest! {
    /// What one may do now and could not before is in what is told as more, and whoever gains nothing is told nothing.
    #[test]
    fn p22_nothing_that_is_gained_is_left_out(
        old in prop::collection::vec(any_rule(), 0..3), here in any_scope(),
        new in prop::collection::vec(any_rule(), 0..3), there in any_scope(),
        is_new in any::<bool>(),
    ) {
        let (old, new) = (effective(old, &here), effective(new, &there));
        let from = (!is_new).then_some((old.as_slice(), &here));
        let parts = more(from, Some((new.as_slice(), &there)));
        for verb in ["get", "list", "delete", "patch"] {
            for resource in ["pods", "secrets", "pods/log", "nodes"] {
                for namespace in ["pay", "shop", "mail", "other"] {
                    let before = !is_new && may(&old, &here, verb, resource, namespace);
                    let now = may(&new, &there, verb, resource, namespace);
                    let told = parts.iter().any(|(rules, scope)| may(rules, scope, verb, resource, namespace));
                    prop_assert!(!now || before || told, "{verb} {resource} in {namespace} is not told");
                    prop_assert!(!told || now, "{verb} {resource} in {namespace} is told and not so");
                }
            }
        }
        prop_assert!(more(Some((&new, &there)), Some((&new, &there))).is_empty());
    }
}
