use super::*;
use serde_json::json;

fn profile(name: &str, approvals: u8, namespaces: &[&str]) -> AccessProfile {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
        "metadata": {"name": name, "uid": "6f1c2d7e-0000-4000-8000-000000000000", "generation": 3},
        "spec": {"clusters": ["pay-*"], "roles": ["sallyport:view"], "namespaces": namespaces, "maxDuration": "1h",
                 "approvals": approvals, "mfa": {"acr": ["mfa"], "amr": ["otp"], "maxAge": "15m"}},
    }))
    .unwrap()
}

fn cluster(reports: serde_json::Value) -> AccessCluster {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": "pay-eu"},
        "spec": {"environment": "prod", "displayName": "pay\u{202e}eu", "endpoints": ["https://pay.example.test:6443"],
                 "caBundle": "x"},
        "status": {"broker": {"version": "0.1.0", "heartbeat": "2026-11-24T14:00:00Z", "instance": "b"},
                   "profiles": reports},
    }))
    .unwrap()
}

fn report(name: &str, generation: i64, rules: usize, refused: Option<&str>) -> serde_json::Value {
    let rule = json!({"role": "sallyport:view", "verbs": ["get"], "apiGroups": [""], "resources": ["pods"]});
    json!({"name": name, "revision": format!("6f1c2d7e-0000-4000-8000-000000000000/{generation}"),
           "rules": vec![rule; rules], "refused": refused})
}

fn inventory(profiles: Vec<AccessProfile>, may: &[&str], reports: serde_json::Value) -> Known {
    Known {
        clusters: [("pay-eu".to_owned(), cluster(reports))].into(),
        profiles: profiles.into_iter().map(|p| (p.metadata.name.clone().unwrap(), p)).collect(),
        may_request: Some(may.iter().map(|m| (*m).to_owned()).collect()),
        ..Known::default()
    }
}

fn names(inventory: &Known) -> Vec<String> {
    let offered = inventory.offered(&"pay-eu".parse().unwrap()).unwrap();
    offered.iter().map(|o| o.profile.name.to_string()).collect()
}

#[test]
fn what_opens_at_once_and_narrowly_comes_first_and_what_is_refused_last() {
    let all = vec![
        profile("ask", 1, &["a"]),
        profile("wide", 0, &[]),
        profile("narrow", 0, &["a"]),
        profile("bad", 0, &["a"]),
    ];
    let reports = json!([
        report("wide", 3, 1, None),
        report("narrow", 3, 5, None),
        report("bad", 3, 1, Some("escalate"))
    ]);
    let inventory = inventory(all, &["ask", "wide", "narrow", "bad"], reports);
    assert_eq!(names(&inventory), ["narrow", "wide", "ask", "bad"]);
    let offered = inventory.offered(&"pay-eu".parse().unwrap()).unwrap();
    let last = |p: &str| LastOpening { profile: p.into(), namespaces: vec![], duration_seconds: 900 };
    assert_eq!(Known::chosen(&offered, None).unwrap().profile.name.as_str(), "narrow");
    assert_eq!(Known::chosen(&offered, Some(&last("ask"))).unwrap().profile.name.as_str(), "ask");
    assert_eq!(Known::chosen(&offered, Some(&last("bad"))).unwrap().profile.name.as_str(), "narrow");
}

#[test]
fn p11_a_report_of_another_revision_is_not_shown_as_this_ones() {
    let inventory = inventory(vec![profile("p", 0, &["a"])], &["p"], json!([report("p", 2, 1, None)]));
    let detail = inventory.detail(&inventory.clusters["pay-eu"], &Remembered::default(), None, 0);
    assert!(matches!(detail.profiles[0].rights, Rights::Unknown { .. }));
}

#[test]
fn only_what_may_be_asked_for_is_offered_and_nothing_before_the_hub_said_so() {
    let mut inventory =
        inventory(vec![profile("mine", 0, &["a"]), profile("other", 0, &["a"])], &["mine"], json!([]));
    assert_eq!(names(&inventory), ["mine"]);
    let view = |i: &Known| i.cluster_view(&i.clusters["pay-eu"], &Remembered::default(), 0).way;
    assert_eq!(view(&inventory), Way::OneClick { profile: "mine".into() });
    inventory.may_request = Some(BTreeSet::new());
    assert_eq!(view(&inventory), Way::NotYours);
    inventory.may_request = None;
    assert_eq!(view(&inventory), Way::Unknown);
}

#[test]
fn p24_a_hostile_display_name_is_made_visible() {
    let inventory = inventory(vec![], &[], json!([]));
    let view = inventory.cluster_view(&inventory.clusters["pay-eu"], &Remembered::default(), 0);
    assert!(view.display_name.contains("⟨U+202E⟩"));
}

#[test]
fn a_sign_in_satisfies_only_when_all_that_is_asked_holds() {
    let profile = Profile::try_from(&profile("p", 0, &["a"])).unwrap();
    let good = SignedInAs {
        user: "oidc:dana".parse().unwrap(),
        groups: vec![],
        acr: vec!["mfa".into()],
        amr: vec!["pwd".into(), "otp".into()],
        auth_time: Some(1_000),
    };
    let satisfies = |who: &SignedInAs, now| mfa(&profile, Some(who), now).unwrap().satisfied;
    assert!(satisfies(&good, 1_900_000));
    assert!(!satisfies(&good, 1_901_000));
    assert!(!satisfies(&SignedInAs { acr: vec![], ..good.clone() }, 1_000_000));
    assert!(!satisfies(&SignedInAs { amr: vec!["pwd".into()], ..good.clone() }, 1_000_000));
    assert!(!satisfies(&SignedInAs { auth_time: None, ..good }, 1_000_000));
}
