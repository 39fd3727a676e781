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
        says_issued: true,
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
        rights: Some(ProfileRights { request: true, approve, revoke }),
        profile: None,
        is_silent: false,
        broker_seen: None,
    }
}

fn yes(by: &str, digest: &str) -> Value {
    json!({"by": by, "at": "2026-11-24T14:01:00Z", "offer": digest})
}

#[test]
fn p8_what_opened_without_people_is_shown_with_what_it_saw_and_is_nobodys_to_decide() {
    let met = json!({"name": "office", "saw": "oidc:dev\u{202e}; payments", "at": "2026-11-24T14:00:05Z"});
    let mut made = offer(&[&["get"]]);
    made["leftToday"] = json!("1h30m20s");
    let object =
        request("oidc:dana", &["a"], json!({"phase": "Pending", "offer": made, "autoApproval": met}));
    let shown = of(&object, &lee(), &known(true, true), None, &Beside::default());
    let auto = shown.auto_approval.unwrap();
    assert_eq!((auto.name.as_str(), auto.saw.as_str()), ("office", "oidc:dev⟨U+202E⟩; payments"));
    assert_eq!((auto.at, shown.decide), (1_795_528_805_000, Decide::Enough));
    assert_eq!(shown.offer.unwrap().left_today_seconds, Some(5420));
}

#[test]
fn how_often_a_requester_is_vouched_for_is_what_the_offer_says() {
    let shown = |offer: Value| {
        let status = json!({"phase": "Pending", "offer": offer});
        of(&request("oidc:dana", &["a"], status), &lee(), &known(true, true), None, &Beside::default())
            .reaffirm
    };
    let mut made = offer(&[&["get"]]);
    assert_eq!(shown(made.clone()), None);
    made["reaffirm"] = json!({"every": "15m", "grace": "5m"});
    assert_eq!(shown(made).map(|r| (r.every_seconds, r.grace_seconds)), Some((900, 300)));
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
    let decide = |object: &AccessRequest, known: &KnownFor| decide(object, &lee(), known, true);
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
    let not_read = KnownFor { rights: None, ..known(true, true) };
    assert_eq!(decide(&pending(json!({})), &not_read), Decide::NotKnown, "that is no no");
    let enough = json!({"approvals": [yes("oidc:bob", DIGEST), yes("oidc:eve", DIGEST)]});
    assert_eq!(decide(&pending(enough), &known(true, true)), Decide::Enough, "it waits for its broker");
    let own = json!({"approvals": [yes("oidc:dana", DIGEST), yes("oidc:eve", DIGEST)]});
    assert_eq!(decide(&pending(own), &known(true, true)), Decide::Yes, "one's own yes is none");
    let at_once = KnownFor { approvals: Some(0), ..known(true, true) };
    assert_eq!(decide(&request("oidc:dana", &["a"], json!({})), &at_once), Decide::Enough);
    let may_deny = |object: &AccessRequest, known: &KnownFor| may_deny(object, &lee(), known);
    assert!(may_deny(&pending(json!({})), &known(true, false)) && !may_deny(&pending(json!({})), &not_read));
    assert!(may_deny(&said, &known(true, false)), "a yes may have been a mistake");
    assert!(!may_deny(&pending(json!({"withdrawn": true})), &known(true, true)));
    for over in [
        json!({"withdrawn": true}),
        json!({"phase": "Approved"}),
        json!({"denial": {"by": "oidc:eve", "at": "2026-11-24T14:01:00Z"}}),
    ] {
        assert_eq!(decide(&pending(over.clone()), &known(true, true)), Decide::Over, "{over}");
    }
}

#[test]
fn what_is_shown_beside_the_offer_is_the_hubs_word() {
    let asked = request(
        "oidc:dana",
        &["a"],
        json!({"phase": "Pending", "offer": offer(&[&["get"], &["delete"]]),
            "approvals": [yes("oidc:bob", DIGEST), yes("oidc:eve", &"b".repeat(64)), yes("oidc:dana", DIGEST)]}),
    );
    let seen = of(&asked, &lee(), &known(true, true), None, &Beside::default());
    assert_eq!((seen.needed, seen.may_revoke, seen.reason.contains('\u{202e}')), (Some(2), false, false));
    let counts: Vec<bool> = seen.approvals.iter().map(|yes| yes.counts).collect();
    assert_eq!(counts, [true, false, false], "of another offer, and one's own, count for nothing");
    let problem = Some("odd".to_owned());
    let unsound = of(&asked, &lee(), &known(true, true), None, &Beside { problem, ..Beside::default() });
    assert!(unsound.decide == Decide::Unsound && unsound.may_deny);
    let active = request("oidc:dana", &["a"], json!({"phase": "Active", "offer": offer(&[&["get"]])}));
    let other = of(&active, &lee(), &known(false, true), None, &Beside::default());
    assert!(other.may_revoke && other.decide == Decide::Over && other.phase == RequestPhase::Active);
}
