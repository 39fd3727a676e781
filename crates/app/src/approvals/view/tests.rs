use super::*;
use sallyport_hub::ProfileRights;
use serde_json::{Value, json};

const DIGEST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn request(user: &str, namespaces: &[&str], status: Value) -> AccessRequest {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": "r", "namespace": "team", "uid": format!("{user}-{}", namespaces.len()),
            "creationTimestamp": "2026-11-24T14:00:00Z"},
        "spec": {"user": user, "groups": ["oidc:dev"], "cluster": "pay-eu", "profile": "operate", "profileRevision": "aa/1",
            "namespaces": namespaces, "duration": "1h", "reason": "INC-1\u{202e}", "publicKey": "k",
            "acr": "mfa", "amr": ["otp"], "authTime": 1_795_528_000},
        "status": status,
    }))
    .unwrap()
}

fn offer(verbs: &[&[&str]]) -> Value {
    let rule =
        |verbs: &&[&str]| json!({"role": "r", "verbs": verbs, "apiGroups": [""], "resources": ["pods"]});
    json!({"digest": DIGEST, "rules": verbs.iter().map(rule).collect::<Vec<_>>(), "warnings": ["w"], "endpoint": "e",
        "caDigest": DIGEST})
}

fn lee() -> SignedInAs {
    SignedInAs {
        user: "oidc:lee".parse().unwrap(),
        groups: vec![],
        acr: vec![],
        amr: vec![],
        auth_time: None,
    }
}

fn known(approve: bool, revoke: bool) -> KnownFor {
    KnownFor {
        environment: "prod".into(),
        approvals: Some(2),
        rights: ProfileRights { request: true, approve, revoke },
    }
}

fn yes(by: &str, digest: &str) -> Value {
    json!({"by": by, "at": "2026-11-24T14:01:00Z", "offer": digest})
}

#[test]
fn p8_who_may_decide_is_told_as_the_hub_would_say() {
    let pending = |more: Value| {
        let mut status = json!({"phase": "Pending", "offer": offer(&[&["get"]])});
        for (key, value) in more.as_object().unwrap() {
            status[key] = value.clone();
        }
        request("oidc:dana", &["a"], status)
    };
    let decide = |object: &AccessRequest, known: &KnownFor| decide(object, &lee(), known);
    assert_eq!(decide(&pending(json!({})), &known(true, false)), Decide::Yes);
    assert_eq!(decide(&pending(json!({})), &known(false, true)), Decide::NotYours);
    assert_eq!(
        decide(&request("oidc:lee", &["a"], json!({"phase": "Pending"})), &known(true, true)),
        Decide::Own
    );
    assert_eq!(decide(&request("oidc:dana", &["a"], json!({})), &known(true, true)), Decide::NoOffer);
    let said = pending(json!({"approvals": [yes("oidc:lee", DIGEST)]}));
    assert_eq!(decide(&said, &known(true, true)), Decide::Said);
    let to_another = pending(json!({"approvals": [yes("oidc:lee", &"b".repeat(64))]}));
    assert_eq!(decide(&to_another, &known(true, true)), Decide::Yes, "their yes was to another offer");
    for over in [
        json!({"withdrawn": true}),
        json!({"phase": "Approved"}),
        json!({"denial": {"by": "oidc:eve", "at": "2026-11-24T14:01:00Z"}}),
    ] {
        assert_eq!(decide(&pending(over.clone()), &known(true, true)), Decide::Over, "{over}");
    }
}

#[test]
fn what_an_offer_adds_is_what_the_person_does_not_have_open_there_already() {
    let mut asked = request(
        "oidc:dana",
        &["a"],
        json!({"phase": "Pending", "offer": offer(&[&["get"], &["delete"]]),
            "approvals": [yes("oidc:bob", DIGEST), yes("oidc:eve", &"b".repeat(64)), yes("oidc:dana", DIGEST)]}),
    );
    asked.metadata.uid = Some("asked".into());
    let open = |namespaces: &[&str]| {
        request("oidc:dana", namespaces, json!({"phase": "Active", "offer": offer(&[&["get"]])}))
    };
    let view = |beside: &[&AccessRequest]| of(&asked, &lee(), &known(true, true), beside);
    let alone = view(&[]).offer.unwrap();
    assert!(alone.beside.is_empty() && alone.adds == alone.rights && alone.rights[0].writes, "{alone:?}");
    let within = open(&["a", "b"]);
    let offer = view(&[&within]).offer.unwrap();
    assert_eq!(offer.beside, ["operate"]);
    assert!(
        offer.adds.len() < offer.rights.len() && offer.adds.iter().all(|right| right.writes),
        "{offer:?}"
    );
    let elsewhere = open(&["b"]);
    let offer = view(&[&elsewhere]).offer.unwrap();
    assert_eq!(offer.adds, offer.rights, "what holds in another namespace gives nothing here");
    let seen = view(&[&within]);
    assert_eq!((seen.needed, seen.may_revoke, seen.reason.contains('\u{202e}')), (Some(2), false, false));
    let counts: Vec<bool> = seen.approvals.iter().map(|yes| yes.counts).collect();
    assert_eq!(counts, [true, false, false], "of another offer, and one's own, count for nothing");
    let other = of(&within, &lee(), &known(false, true), &[]);
    assert!(other.may_revoke && other.decide == Decide::Over && other.phase == RequestPhase::Active);
}
