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
        "status": {"broker": {"version": "0.1.0", "instance": "b"}, "profiles": reports},
    }))
    .unwrap()
}

fn report(name: &str, generation: i64, rules: usize, refused: Option<&str>) -> serde_json::Value {
    json!({"name": name, "revision": format!("6f1c2d7e-0000-4000-8000-000000000000/{generation}"),
           "ruleCount": rules, "refused": refused})
}

fn inventory(profiles: Vec<AccessProfile>, may: &[&str], reports: serde_json::Value) -> Known {
    Known {
        clusters: [("pay-eu".to_owned(), cluster(reports))].into(),
        profiles: profiles.into_iter().map(|p| (p.metadata.name.clone().unwrap(), p)).collect(),
        may_request: Some(may.iter().map(|m| (*m).to_owned()).collect()),
        seen: Some([("pay-eu".to_owned(), Seen { at: 0, silent: false })].into()),
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
fn how_long_is_offered_first_is_the_default_then_as_last_time_then_an_hour_within_the_profile() {
    let inventory = inventory(vec![profile("p", 0, &["a"])], &["p"], json!([]));
    let most = inventory.offered(&"pay-eu".parse().unwrap()).unwrap()[0].profile.max_duration;
    let usual = |default: Option<u64>, last: Option<(&str, u32)>| {
        let known = Remembered {
            default: default.map(Ttl::minutes),
            last: last.map(|(p, s)| LastOpening {
                profile: p.into(),
                namespaces: vec![],
                duration_seconds: s,
            }),
            ..Remembered::default()
        };
        let detail = inventory.detail(&inventory.clusters["pay-eu"], &preview("p", 1), &known, None, 0);
        detail.profiles[0].usual_seconds
    };
    assert_eq!(usual(None, None), 3600.min(most.as_seconds_u32()));
    assert_eq!(usual(None, Some(("p", 900))), 900);
    assert_eq!(usual(None, Some(("other", 900))), 3600.min(most.as_seconds_u32()), "another profile's");
    assert_eq!(usual(Some(30), Some(("p", 900))), 1800);
    assert_eq!(usual(Some(12 * 60), None), most.as_seconds_u32(), "no more than the profile's most");
}

#[test]
fn p11_a_report_of_another_revision_is_not_shown_as_this_ones() {
    let inventory = inventory(vec![profile("p", 0, &["a"])], &["p"], json!([report("p", 2, 1, None)]));
    let previewed = preview("p", 2);
    let detail = inventory.detail(&inventory.clusters["pay-eu"], &previewed, &Remembered::default(), None, 0);
    assert!(matches!(detail.profiles[0].rights, Rights::Unknown { .. }));
}

/// What was read of the profile at that generation: one rule.
fn preview(name: &str, generation: i64) -> Previewed {
    let profile = serde_json::from_value(json!({
        "name": name, "revision": format!("6f1c2d7e-0000-4000-8000-000000000000/{generation}"),
        "rules": [{"role": "sallyport:view", "verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
    }));
    Ok(Arc::new(AccessPreviewSpec::of(vec![profile.unwrap()])))
}

#[test]
fn what_a_profile_allows_is_shown_as_read_and_else_said_to_be_unknown() {
    let inventory = inventory(vec![profile("p", 0, &["a"])], &["p"], json!([report("p", 3, 1, None)]));
    let rights = |previewed: &Previewed| {
        let object = &inventory.clusters["pay-eu"];
        inventory.detail(object, previewed, &Remembered::default(), None, 0).profiles.remove(0).rights
    };
    let Rights::Known { rules, rights: words, .. } = rights(&preview("p", 3)) else { panic!() };
    assert_eq!((rules, words.len()), (1, 1));
    // Of another revision, of other profiles, and none at all.
    for other in [preview("p", 2), preview("q", 3)] {
        assert!(matches!(rights(&other), Rights::Unknown { .. }));
    }
    let Rights::Unknown { why } = rights(&Err("the hub is away".into())) else { panic!() };
    assert_eq!(why, "the hub is away");
}

#[test]
fn p11_what_cannot_be_shown_whole_is_not_shown_as_less_than_it_is() {
    let rights = |reported: usize, shown: serde_json::Value| {
        let reports = json!([report("p", 3, reported, None)]);
        let inventory = inventory(vec![profile("p", 0, &["a"])], &["p"], reports);
        let revision = "6f1c2d7e-0000-4000-8000-000000000000/3";
        let profile = serde_json::from_value(json!({"name": "p", "revision": revision, "rules": shown}));
        let previewed = Ok(Arc::new(AccessPreviewSpec::of(vec![profile.unwrap()])));
        let object = &inventory.clusters["pay-eu"];
        inventory.detail(object, &previewed, &Remembered::default(), None, 0).profiles.remove(0).rights
    };
    let rule = |role: &str| json!({"role": role, "verbs": ["get"], "apiGroups": [""], "resources": ["pods"]});
    assert!(matches!(rights(1, json!([rule("view")])), Rights::Known { rules: 1, .. }));
    assert!(matches!(rights(0, json!([])), Rights::Known { rules: 0, .. }));
    // None sent, a part of them, and one that names no role.
    for shown in [json!([]), json!([rule("view")]), json!([rule("view"), rule("no role/at all")])] {
        let Rights::Unknown { why } = rights(2, shown) else { panic!() };
        assert_eq!(why, "it has 2 rules here, more than its broker can show");
    }
}

#[test]
fn what_one_click_takes_does_not_wait_for_what_is_read_with_the_detail() {
    let all = vec![profile("wide", 0, &["a"]), profile("narrow", 0, &["a"])];
    let reports = json!([report("wide", 3, 9, None), report("narrow", 3, 2, None)]);
    let inventory = inventory(all, &["wide", "narrow"], reports);
    let object = &inventory.clusters["pay-eu"];
    let Way::OneClick { profile } = inventory.cluster_view(object, &Remembered::default(), 0).way else {
        panic!()
    };
    assert_eq!(profile, "narrow");
    for previewed in [preview("wide", 3), Err("not read".into())] {
        let detail = inventory.detail(object, &previewed, &Remembered::default(), None, 0);
        assert_eq!(detail.chosen.as_deref(), Some("narrow"));
    }
}

#[test]
fn a_broker_is_silent_as_the_hub_said_when_it_was_asked_however_long_ago_that_is() {
    let mut inventory = inventory(vec![profile("p", 0, &["a"])], &["p"], json!([report("p", 3, 1, None)]));
    let view = |i: &Known| i.cluster_view(&i.clusters["pay-eu"], &Remembered::default(), 0);
    let alive = view(&inventory);
    assert_eq!((alive.broker.seen_at, alive.broker.silent), (Some(0), false));
    assert!(inventory.saw("pay-eu", Some(Seen { at: 5, silent: true })));
    assert!(!inventory.saw("pay-eu", Some(Seen { at: 6, silent: true })), "nothing that the list shows");
    assert!(view(&inventory).broker.silent && inventory.is_silent("pay-eu"));
    // It never gave a sign: a click would wait for nobody.
    assert!(inventory.saw("pay-eu", None));
    assert_eq!((view(&inventory).way, view(&inventory).broker.seen_at), (Way::Unknown, None));
    // Where nobody can say who is alive, nobody is called silent, and a click may try.
    inventory.seen = None;
    assert_eq!(view(&inventory).way, Way::OneClick { profile: "p".into() });
    assert!(!view(&inventory).broker.silent);
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
        says_issued: true,
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
