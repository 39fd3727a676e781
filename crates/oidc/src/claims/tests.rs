use super::*;
use serde_json::{Value, json};

fn claims() -> IdClaims {
    let now = Timestamp::now();
    IdClaims {
        issuer: "https://id.example".into(),
        subject: "ana".into(),
        session: None,
        email: None,
        email_verified: false,
        name: None,
        groups: vec![],
        groups_left_out: false,
        acr: Some("mfa".into()),
        amr: vec!["pwd".into(), "otp".into()],
        auth_time: Some(now),
        issued_at: now,
        expires_at: now + Duration::from_secs(600),
        odd: vec![],
    }
}

fn aged(seconds: i64) -> IdClaims {
    let at = Timestamp::from_second(Timestamp::now().as_second() - seconds).unwrap();
    IdClaims { auth_time: Some(at), ..claims() }
}

fn payload(changes: &Value) -> Payload {
    let mut all = json!({
        "iss": "https://id.example", "sub": "ana", "aud": "hub", "iat": 1_700_000_000, "exp": 1_700_000_600,
    });
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    Payload::parse(all.to_string().as_bytes()).unwrap()
}

fn read_with(changes: Value) -> Result<IdClaims, Error> {
    read(&payload(&changes))
}

#[test]
fn p3_class_and_method_must_both_hold() {
    let want = |acr: &[&str], amr: &[&str]| Expect {
        acr: acr.iter().map(|s| (*s).to_owned()).collect(),
        amr: amr.iter().map(|s| (*s).to_owned()).collect(),
        ..Expect::default()
    };
    for (acr, amr, holds) in [
        (&[][..], &[][..], true),
        (&["mfa"][..], &[][..], true),
        (&["phr", "mfa"][..], &["hwk", "otp"][..], true),
        (&["phr"][..], &["otp"][..], false),
        (&["mfa"][..], &["hwk"][..], false),
    ] {
        assert_eq!(check_strength(&claims(), &want(acr, amr)).is_ok(), holds, "{acr:?} {amr:?}");
    }
    let nothing = IdClaims { acr: None, amr: vec![], ..claims() };
    assert!(check_strength(&nothing, &want(&["mfa"], &[])).is_err());
    assert!(check_strength(&nothing, &want(&[], &["otp"])).is_err());
}

#[test]
fn p3_an_old_future_or_missing_auth_time_is_refused() {
    let now = Timestamp::now();
    let within = |seconds| Expect { max_age: Some(Duration::from_secs(seconds)), ..Expect::default() };
    let limit = within(300);
    assert!(check_times(&aged(299), now, &limit).is_ok());
    assert!(check_times(&aged(355), now, &limit).is_ok(), "within the skew");
    assert!(matches!(check_times(&aged(3600), now, &limit), Err(Error::TooOld { .. })));
    assert!(matches!(check_times(&aged(-365 * 86_400), now, &Expect::default()), Err(Error::Setting { .. })));
    let silent = IdClaims { auth_time: None, ..claims() };
    assert!(matches!(check_times(&silent, now, &limit), Err(Error::Setting { .. })));
    assert!(check_times(&silent, now, &Expect::default()).is_ok());
}

#[test]
fn fault_b7_a_token_that_was_just_issued_is_a_clock() {
    let now = Timestamp::now();
    let signing_in = Expect { nonce: ExpectNonce::Exactly("n".into()), ..Expect::default() };
    let off = |seconds: i64| {
        let at = |plus: i64| Timestamp::from_second(now.as_second() + seconds + plus).unwrap();
        IdClaims { issued_at: at(0), auth_time: Some(at(0)), expires_at: at(60), ..claims() }
    };
    for by in [120, -7200] {
        let error = check_times(&off(by), now, &signing_in).unwrap_err();
        assert!(matches!(error, Error::ClockSkew { by: named } if named == by), "{error}");
    }
    // A renewal may bring a token that was issued earlier: it has merely run out.
    assert!(matches!(check_times(&off(-7200), now, &Expect::default()), Err(Error::BadToken { .. })));
    assert!(check_times(&off(50), now, &signing_in).is_ok());
}

#[test]
fn groups_are_a_list_or_one_name() {
    let groups = |value: Value| read_with(json!({ "groups": value })).map(|read| read.groups);
    assert_eq!(groups(json!(["a", "b"])).unwrap(), ["a", "b"]);
    assert_eq!(groups(json!("a")).unwrap(), ["a"]);
    assert!(groups(Value::Null).unwrap().is_empty());
    for bad in [json!([1]), json!({"a": 1}), json!(7)] {
        let error = groups(bad.clone()).unwrap_err().to_string();
        assert!(error.contains("groups"), "{bad}: {error}");
    }
}

#[test]
fn fault_b2_what_is_not_needed_can_not_fail_a_sign_in() {
    let read = read_with(json!({
        "updated_at": "2024-03-01T12:00:00.000Z", "address": "x", "birthdate": 7, "locale": ["de"], "picture": 1,
        "name": 7, "email_verified": "true", "phone_number_verified": "no", "zoneinfo": {}, "preferred_username": [],
        "amr": "pwd", "acr": 1, "auth_time": "1700000000", "sid": 7, "iat": 1_700_000_000.7,
    }))
    .unwrap();
    assert_eq!(read.amr, ["pwd"], "one method as text");
    assert_eq!((read.email_verified, read.name, read.acr), (true, None, None));
    assert_eq!(read.auth_time.unwrap().as_second(), 1_700_000_000);
    assert_eq!(read.odd, ["acr", "email_verified"]);
}

#[test]
fn fault_b2_what_is_needed_and_odd_is_named() {
    for (changes, word) in [
        (json!({ "sub": 7 }), "sub is in a form"),
        (json!({ "sub": null }), "sub is missing"),
        (json!({ "exp": "soon" }), "exp is in a form"),
        (json!({ "iat": true }), "iat is in a form"),
        (json!({ "exp": 1e300 }), "exp is in a form"),
    ] {
        let error = read_with(changes.clone()).unwrap_err().to_string();
        assert!(error.contains(word), "{changes}: {error}");
    }
    let odd = read_with(json!({ "acr": 1, "amr": { "x": 1 }, "auth_time": "yesterday" })).unwrap();
    let text = |name: &str| vec![name.to_owned()];
    for (expect, name) in [
        (Expect { acr: text("mfa"), ..Expect::default() }, "acr"),
        (Expect { amr: text("otp"), ..Expect::default() }, "amr"),
    ] {
        let error = check_strength(&odd, &expect).unwrap_err().to_string();
        assert!(error.contains(&format!("its {name} is in a form")), "{error}");
    }
    let odd = IdClaims { expires_at: Timestamp::now(), ..odd };
    let fresh = Expect { max_age: Some(Duration::from_secs(300)), ..Expect::default() };
    let error = check_times(&odd, Timestamp::now(), &fresh).unwrap_err().to_string();
    assert!(error.contains("auth_time is in a form"), "{error}");
}

#[test]
fn fault_b6_another_audience_needs_to_be_named_and_azp_to_be_ours() {
    let extra = ["project".to_owned()];
    let parties =
        |extra| Parties { issuer: "https://id.example", client_id: "hub", extra_audiences: extra, algs: &[] };
    let check = |changes: Value, extra| check_audience(&payload(&changes), &parties(extra));
    assert!(check(json!({}), &[]).is_ok());
    assert!(check(json!({ "aud": ["hub"] }), &[]).is_ok());
    assert!(check(json!({ "aud": ["project", "hub"], "azp": "hub" }), &extra).is_ok());
    for (changes, extra, word) in [
        (json!({ "aud": ["hub", "project"], "azp": "hub" }), &[][..], "oidc.extraAudiences"),
        (json!({ "aud": ["hub", "evil"], "azp": "hub" }), &extra[..], "oidc.extraAudiences"),
        (json!({ "aud": ["hub", "project"] }), &extra[..], "(azp)"),
        (json!({ "aud": ["hub", "project"], "azp": "project" }), &extra[..], "(azp)"),
        (json!({ "aud": "project", "azp": "hub" }), &extra[..], "audience"),
        (json!({ "aud": null }), &[][..], "aud"),
        (json!({ "aud": 7 }), &[][..], "aud"),
        (json!({ "aud": [7] }), &[][..], "aud"),
    ] {
        let error = check(changes.clone(), extra).unwrap_err();
        let Error::Setting { why, change } = &error else { panic!("{changes}: {error}") };
        assert!(format!("{why} {change}").contains(word), "{changes}: {error} {change}");
    }
}

#[test]
fn fault_b5_groups_that_are_elsewhere_are_told_from_none() {
    let elsewhere = |value: Value| read_with(value).unwrap().groups_left_out;
    assert!(elsewhere(json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": {} })));
    assert!(elsewhere(json!({ "hasgroups": true })) && elsewhere(json!({ "hasgroups": "true" })));
    assert!(!elsewhere(json!({})) && !elsewhere(json!({ "groups": [], "hasgroups": true })));
    assert!(!elsewhere(json!({ "_claim_names": { "address": "src1" } })));
}

#[test]
fn fault_b7_an_issuer_that_differs_by_a_slash_is_named() {
    let error = check_issuer("https://id.example/", "https://id.example").unwrap_err();
    assert!(matches!(&error, Error::Setting { why, .. } if why.contains("slash")), "{error}");
    let error = check_issuer("https://evil.example", "https://id.example").unwrap_err();
    assert!(matches!(error, Error::BadToken { .. }), "{error}");
}

#[test]
fn fault_b7_claims_in_an_odd_form_are_named_as_what_a_hub_may_refuse() {
    let said = |changes: Value| crate::may_be_refused(&read_with(changes).unwrap());
    let odd = json!({ "email": "ana@x", "email_verified": true,
        "acr": 1, "amr": {}, "auth_time": "yesterday", "groups": "a" });
    let why = said(odd);
    for name in ["acr", "amr", "auth_time", "groups"] {
        assert!(why.iter().any(|one| one.starts_with(&format!("{name} is in a form"))), "{name}: {why:?}");
    }
    let plain = json!({ "email": "ana@x", "email_verified": true, "acr": "1", "groups": ["a"] });
    assert_eq!(said(plain), Vec::<String>::new());
}
