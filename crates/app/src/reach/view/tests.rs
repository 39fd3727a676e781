use super::*;
use sallyport_api::HubSet;
use sallyport_api::{AccessPreviewSpec, GROUP, RuleSummary};
use sallyport_client::Fault;
use sallyport_hub::{Listed, OwnGuardrails, StoredRbac};
use sallyport_rbac::who::{Rbac, Role};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const UID: &str = "6f1c2d7e-0000-4000-8000-000000000000";

fn listed<K: serde::de::DeserializeOwned>(objects: Vec<Value>) -> Listed<K> {
    let objects = objects.into_iter().map(|object| serde_json::from_value(object).unwrap()).collect();
    Listed { objects, malformed: Vec::new() }
}

fn profile(name: &str, clusters: &str, namespaces: &[&str]) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
        "metadata": {"name": name, "uid": UID, "generation": 1},
        "spec": {"clusters": [clusters], "roles": ["r"], "namespaces": namespaces, "maxDuration": "1h", "approvals": 1,
            "mfa": {"acr": ["mfa"], "maxAge": "15m"}},
    })
}

/// Verbs and a resource.
type Allows<'a> = (&'a [&'a str], &'a str);

fn preview(rules: &[(&str, &[Allows<'_>])]) -> AccessPreviewSpec {
    let rule = |(verbs, resource): &Allows<'_>| RuleSummary {
        role: "r".into(),
        verbs: verbs.iter().map(|v| (*v).to_owned()).collect(),
        api_groups: vec![String::new()],
        resources: vec![(*resource).to_owned()],
        ..RuleSummary::default()
    };
    let of = |(name, rules): &(&str, &[Allows<'_>])| ProfilePreview {
        name: (*name).to_owned(),
        revision: format!("{UID}/1"),
        rules: rules.iter().map(rule).collect(),
        warnings: vec![],
    };
    AccessPreviewSpec::of(rules.iter().map(of).collect())
}

/// A cluster whose broker reported this preview.
fn cluster(name: &str, preview: &AccessPreviewSpec, verified: bool) -> Value {
    let reports: Vec<Value> = preview
        .profiles
        .iter()
        .map(|one| json!({"name": one.name, "revision": one.revision, "ruleCount": one.rules.len()}))
        .collect();
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name},
        "spec": {"environment": "prod", "endpoints": ["https://x.example.test"], "caBundle": "x"},
        "status": {"broker": {"version": "1", "instance": "b"}, "profiles": reports, "preview": preview.digest,
            "guardrails": {"verified": verified, "since": "2026-11-24T14:00:00Z", "detail": "said\u{202e}"}},
    })
}

fn beat(cluster: &str, age: u64) -> Beat {
    Beat { cluster: cluster.into(), age: Duration::from_secs(age), lasts: Duration::from_secs(90) }
}

fn rbac(groups: &[(&str, &[&str], &[&str])]) -> StoredRbac {
    let role = |i: usize, verbs: &[&str], names: &[&str]| {
        let mut rule = Rule::on(&"r".parse().unwrap(), verbs.to_vec(), vec![GROUP], vec!["accessprofiles"]);
        rule.resource_names = names.iter().map(|n| (*n).to_owned()).collect();
        Role { namespace: None, name: format!("role-{i}"), rules: vec![rule] }
    };
    let binding = |i: usize, group: &str| Binding {
        namespace: None,
        name: format!("binding-{i}"),
        role: RoleRef::ClusterRole(format!("role-{i}")),
        subjects: vec![Subject::Group(group.to_owned())],
    };
    let roles = groups.iter().enumerate().map(|(i, (_, verbs, names))| role(i, verbs, names)).collect();
    let bindings = groups.iter().enumerate().map(|(i, (group, ..))| binding(i, group)).collect();
    StoredRbac { rbac: Rbac::about(&[GROUP], roles, bindings), malformed: Vec::new() }
}

/// Two clusters whose brokers say the same of `operate`, and one that never reported.
fn usual() -> Read {
    let said = preview(&[("operate", &[(&["patch"], "pods"), (&["get"], "pods/log")])]);
    let never = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": "never"},
        "spec": {"environment": "dev", "endpoints": ["https://x.example.test"], "caBundle": "x"},
    });
    Read {
        stored: rbac(&[("dev", &["request"], &["operate"]), ("leads", &["*"], &[])]),
        teams: vec!["team-a".parse().unwrap()],
        profiles: listed(vec![profile("operate", "*", &["pay"]), profile("wide", "pay-*", &[])]),
        clusters: listed(vec![cluster("pay-us", &said, true), cluster("pay-eu", &said, true), never]),
        beats: Ok(vec![beat("pay-eu", 10), beat("pay-us", 10)]),
        previews: Ok([("pay-eu".to_owned(), said.clone()), ("pay-us".to_owned(), said)].into()),
        own: Ok(OwnGuardrails { shipped: 9, set: Ok(HubSet::Own) }),
        others: Ok(false),
    }
}

fn named<'a>(view: &'a WhoCanView, name: &str) -> &'a WhoCluster {
    view.clusters.iter().find(|cluster| cluster.name == name).unwrap()
}

#[test]
fn who_where_and_what_it_allows_are_told_once_each() {
    let (view, snapshot) = of(&usual(), 7);
    let clusters: Vec<&str> = view.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    assert_eq!((clusters, view.as_of), (vec!["never", "pay-eu", "pay-us"], 7));
    let eu = named(&view, "pay-eu");
    assert_eq!(eu.profiles.len(), 2);
    assert_eq!(eu.profiles[0].rights, Some(0));
    assert_eq!(eu.profiles[0].rights, named(&view, "pay-us").profiles[0].rights, "the same is told once");
    assert_eq!((view.rights.len(), view.rights[0].rules), (1, 2));
    assert!(view.rights[0].rights[0].writes && view.rights[0].rights[0].namespaces == ["pay"]);
    let unknown = eu.profiles[1].unknown.as_deref().unwrap();
    assert!(unknown.contains("has not reported what this profile allows"), "{unknown}");
    assert!(named(&view, "never").profiles[0].unknown.as_deref().unwrap().contains("has not reported"));
    let [dev, leads] = view.subjects.as_slice() else { panic!("{:?}", view.subjects) };
    assert_eq!((dev.kind, dev.name.as_str(), dev.may.len()), (SubjectKind::Group, "dev", 1));
    let held = &dev.may[0];
    assert_eq!((held.profile, held.request, held.approve, held.revoke), (0, true, false, false));
    assert_eq!(
        view.bindings[usize::try_from(held.by[0]).unwrap()],
        "ClusterRoleBinding binding-0 of ClusterRole role-0"
    );
    assert!(leads.may.len() == 2 && leads.may.iter().all(|h| h.request && h.approve && h.revoke));
    assert!(dev.asks_in.is_empty(), "no binding lets them make a request anywhere");
    assert!(view.notes[0].contains("system:masters") && view.problems.is_empty());
    assert_eq!(view.profiles[0].mfa, ["acr mfa", "at most 15 min old"]);
    assert_eq!(snapshot.clusters["pay-eu"]["operate"], snapshot.clusters["pay-us"]["operate"]);
    assert_eq!(snapshot.clusters["pay-eu"]["wide"], "");
    let (again, same) = of(&usual(), 7);
    assert_eq!((again, same), (view, snapshot), "the same is the same");
}

#[test]
fn p12_guardrails_are_in_force_only_while_somebody_vouches_for_them() {
    let mut read = usual();
    let said = preview(&[]);
    read.clusters = listed(vec![
        cluster("alive", &said, true),
        cluster("broken", &said, false),
        cluster("silent", &said, true),
        cluster("absent", &said, true),
    ]);
    read.beats = Ok(vec![beat("alive", 10), beat("broken", 10), beat("silent", 600)]);
    let (view, _) = of(&read, 7);
    let of_cluster = |name: &str| &named(&view, name).guardrails;
    let GuardrailProof::InForce { detail, .. } = of_cluster("alive") else { panic!() };
    assert_eq!(detail, &"said⟨U+202E⟩", "p24");
    assert!(matches!(of_cluster("broken"), GuardrailProof::NotInForce { .. }));
    let why = |name: &str| match of_cluster(name) {
        GuardrailProof::Unknown { why } => why.to_string(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(why("silent").contains("silent for 10 min; it last said in force"), "{}", why("silent"));
    assert!(why("absent").contains("no sign of life"));
    assert!(named(&view, "silent").silent && named(&view, "absent").silent && !named(&view, "alive").silent);
    let none = usual();
    assert!(matches!(named(&of(&none, 0).0, "never").guardrails, GuardrailProof::Unknown { .. }));
    // Nobody could say who is alive: nothing is in force, and nobody is called silent.
    read.beats = Err(Fault::TimedOut);
    let (view, _) = of(&read, 7);
    assert!(
        view.clusters.iter().all(|c| matches!(c.guardrails, GuardrailProof::Unknown { .. }) && !c.silent)
    );
    assert!(view.problems.iter().any(|problem| problem.contains("which brokers are alive")));
}

#[test]
fn p12_the_hubs_own_are_never_called_proven_by_a_comparison() {
    let own = |own: Result<OwnGuardrails, Fault>| of(&Read { own, ..usual() }, 7).0.hub;
    let as_shipped = own(Ok(OwnGuardrails { shipped: 9, set: Ok(HubSet::Own) }));
    assert!(
        matches!(&as_shipped, GuardrailProof::AsShipped { at: 7, detail } if detail.contains("nobody has seen them refuse"))
    );
    let differences = (0..30).map(|i| format!("policy {i} is missing")).collect();
    let differs = own(Ok(OwnGuardrails { shipped: 9, set: Err(differences) }));
    assert!(matches!(&differs, GuardrailProof::NotInForce { detail, .. } if detail.contains("and 10 more")));
    let forbidden = own(Err(Fault::Forbidden("no".into())));
    assert!(matches!(&forbidden, GuardrailProof::Unknown { why } if why.contains("sallyport:hub-auditor")));
}

#[test]
fn p12_what_brokers_have_seen_of_the_hubs_own_counts_while_they_are_alive() {
    let says = |verified: bool, set: Option<u32>, since: &str| json!({"verified": verified, "since": since, "detail": "a word", "set": set});
    let (then, now) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    let seen =
        |reports: [serde_json::Value; 2], own: Result<OwnGuardrails, Fault>, beats: Option<Vec<Beat>>| {
            let mut read = Read { own, ..usual() };
            if let Some(beats) = beats {
                read.beats = Ok(beats);
            }
            for (name, report) in ["pay-eu", "pay-us"].into_iter().zip(reports) {
                let of = read.clusters.objects.iter_mut().find(|c| c.metadata.name.as_deref() == Some(name));
                of.unwrap().status.as_mut().unwrap().hub_guardrails = serde_json::from_value(report).unwrap();
            }
            of(&read, 7).0.hub
        };
    let as_shipped = || Ok(OwnGuardrails { shipped: 9, set: Ok(HubSet::Own) });
    let (good, before, wrong) =
        (says(true, Some(2), then), says(false, Some(1), now), says(false, None, "1970-01-01T00:00:00Z"));
    let both = [good.clone(), says(true, Some(2), now)];
    assert!(matches!(seen(both.clone(), as_shipped(), None), GuardrailProof::InForce { detail, .. }
            if detail == "seen by 2 brokers; the broker of pay-us: a word"));
    let unread = seen(both.clone(), Err(Fault::Forbidden("no".into())), None);
    assert!(matches!(unread, GuardrailProof::Unknown { why } if why.contains("by the brokers' word alone")));
    assert!(
        matches!(seen([good.clone(), wrong.clone()], as_shipped(), None), GuardrailProof::NotInForce { detail, .. }
            if detail.contains("the broker of pay-us"))
    );
    // A broker that lags behind grants by the set before: that is no alarm, and no proof.
    assert!(matches!(seen([good, before.clone()], as_shipped(), None), GuardrailProof::AsShipped { .. }));
    // Nobody vouches for what a silent one says.
    assert!(matches!(seen(both.clone(), as_shipped(), Some(vec![])), GuardrailProof::AsShipped { .. }));
    let silent = seen([wrong, before], as_shipped(), Some(vec![]));
    assert!(matches!(silent, GuardrailProof::AsShipped { .. }));
    let altered = Ok(OwnGuardrails { shipped: 9, set: Err(vec!["a is missing".into()]) });
    assert!(
        matches!(seen(both.clone(), altered, None), GuardrailProof::NotInForce { detail, .. } if detail == "a is missing")
    );
    let before = Ok(OwnGuardrails { shipped: 9, set: Ok(HubSet::Before) });
    let said = seen(both, before, Some(vec![]));
    assert!(
        matches!(said, GuardrailProof::AsShipped { detail, .. } if detail.contains("the one before this version's"))
    );
}

#[test]
fn what_was_not_read_is_unknown_and_never_nothing() {
    let mut read = usual();
    read.previews = Err(Fault::Forbidden("no".into()));
    read.others = Ok(true);
    let (view, snapshot) = of(&read, 7);
    let all = || view.clusters.iter().flat_map(|cluster| &cluster.profiles);
    assert!(all().all(|there| there.rights.is_none() && there.unknown.is_some()));
    assert!(snapshot.clusters.values().flat_map(BTreeMap::values).all(String::is_empty));
    assert!(view.problems.iter().any(|problem| problem.contains("what profiles allow")));
    assert!(view.notes.iter().any(|note| note.contains("Another authorizer")));
    // Another preview than the one the broker names, and another revision of the profile.
    let mut read = usual();
    if let Ok(previews) = &mut read.previews {
        previews.insert("pay-eu".into(), preview(&[]));
    }
    let (view, _) = of(&read, 7);
    assert!(named(&view, "pay-eu").profiles[0].unknown.as_deref().unwrap().contains("just reporting"));
    let mut read = usual();
    read.profiles.objects[0].metadata.generation = Some(2);
    assert!(named(&of(&read, 7).0, "pay-eu").profiles[0].rights.is_none());
}

#[test]
fn p11_dangers_and_refusals_are_told() {
    let said = preview(&[("operate", &[(&["create"], "serviceaccounts/token")])]);
    let mut read = usual();
    let mut object = cluster("pay-eu", &said, true);
    object["status"]["profiles"][0]["refused"] = json!("role r allows minting");
    read.clusters = listed(vec![object]);
    read.previews = Ok([("pay-eu".to_owned(), said)].into());
    let (view, _) = of(&read, 7);
    assert_eq!(view.clusters[0].profiles[0].refused.as_deref(), Some("role r allows minting"));
    assert!(view.rights[0].dangers[0].contains("minting tokens"), "{:?}", view.rights[0].dangers);
}

#[test]
fn whoever_lacks_a_right_is_told_which_and_what_gives_it() {
    let view = lacking(vec!["clusterroles.rbac.authorization.k8s.io"], 7);
    assert_eq!(view.missing[0].what, "list clusterroles.rbac.authorization.k8s.io");
    assert_eq!(view.missing[0].given_by, "sallyport:hub-auditor");
    assert!(view.subjects.is_empty() && view.clusters.is_empty() && view.drift.is_none());
}

/// 400 groups, 50 profiles, 90 clusters.
#[test]
fn a_large_hub_is_told_quickly_and_in_few_bytes() {
    let names: Vec<String> = (0..50).map(|i| format!("profile-{i}")).collect();
    let some: Vec<Vec<&str>> =
        (0..400).map(|i| (0..8).map(|k| names[(i * 3 + k * 7) % 50].as_str()).collect()).collect();
    let group_names: Vec<String> = (0..400).map(|i| format!("oidc:some-group-of-people-{i}")).collect();
    let verbs = ["request", "approve"];
    let groups: Vec<(&str, &[&str], &[&str])> = group_names
        .iter()
        .zip(&some)
        .map(|(group, some)| (group.as_str(), verbs.as_slice(), some.as_slice()))
        .collect();
    let rules: [Allows<'_>; 6] = [
        (&["get", "list"], "pods"),
        (&["get"], "pods/log"),
        (&["create", "get"], "pods/exec"),
        (&["patch"], "deployments"),
        (&["patch"], "statefulsets"),
        (&["delete"], "pods"),
    ];
    let said = preview(&names.iter().map(|name| (name.as_str(), rules.as_slice())).collect::<Vec<_>>());
    let clusters: Vec<String> = (0..90).map(|i| format!("cluster-{i}")).collect();
    let read = Read {
        stored: rbac(&groups),
        teams: (0..20).map(|i| format!("team-{i}").parse().unwrap()).collect(),
        profiles: listed(names.iter().map(|name| profile(name, "*", &["pay"])).collect()),
        clusters: listed(clusters.iter().map(|name| cluster(name, &said, true)).collect()),
        beats: Ok(clusters.iter().map(|name| beat(name, 5)).collect()),
        previews: Ok(clusters.iter().map(|name| (name.clone(), said.clone())).collect()),
        own: Ok(OwnGuardrails { shipped: 9, set: Ok(HubSet::Own) }),
        others: Ok(false),
    };
    let started = Instant::now();
    let (view, snapshot) = of(&read, 7);
    let took = started.elapsed();
    assert_eq!((view.subjects.len(), view.clusters.len(), view.rights.len()), (400, 90, 50));
    let (shown, kept) =
        (serde_json::to_string(&view).unwrap().len(), serde_json::to_string(&snapshot).unwrap().len());
    eprintln!("{took:?}, {shown} bytes to the window, {kept} bytes kept");
    assert!(took < Duration::from_secs(30) && shown < 2_000_000 && kept < 700_000, "{took:?} {shown} {kept}");
}
