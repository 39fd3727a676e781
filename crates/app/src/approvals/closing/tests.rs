use super::*;
use serde_json::json;

fn request(status: serde_json::Value) -> AccessRequest {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": "r", "namespace": "team", "uid": "u"},
        "spec": {"user": "u", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1", "namespaces": ["a"],
            "duration": "1h", "reason": "r", "publicKey": "k"},
        "status": status,
    }))
    .unwrap()
}

fn grant() -> serde_json::Value {
    json!({"name": "g", "uid": "g", "end": "2026-11-24T15:00:00Z", "account": "s-aaaa-1795532400"})
}

#[test]
fn p21_nothing_but_its_brokers_closed_is_proof() {
    let last = request(json!({"phase": "Active", "grant": grant()}));
    let ended = |status: &str| json!({"type": "Ended", "status": status, "reason": "Revoked", "message": "m", "lastTransitionTime": "2026-11-24T14:00:00Z"});
    let state = |read: Option<serde_json::Value>| of_closed(&last, read.map(request).as_ref()).state;
    assert_eq!(state(Some(json!({"phase": "Closed", "conditions": [ended("True")]}))), ClosingState::Proven);
    for not in [
        None,
        Some(json!({"phase": "Closed"})),
        Some(json!({"phase": "Closed", "conditions": [ended("False")]})),
        Some(json!({"phase": "Active", "conditions": [ended("True")], "message": "and seen to be gone"})),
        Some(json!({"conditions": [ended("True")]})),
    ] {
        assert_eq!(state(not.clone()), ClosingState::Unproven, "{not:?}");
    }
}

#[test]
fn p10_the_bound_is_that_of_its_grant_and_there_is_none_without() {
    let word = json!({"by": "lee", "at": "2026-11-24T14:00:00Z", "reason": "r"});
    let mut known = KnownFor { is_silent: true, broker_seen: Some(7), ..KnownFor::default() };
    let open = request(json!({"phase": "Active", "grant": grant(), "revocation": word.clone()}));
    let seen = of(&open, None, &known).unwrap();
    let bound = "2026-11-24T15:01:15Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(
        (seen.state, seen.seen_at, seen.refused_from),
        (ClosingState::Unreached, Some(7), Some(bound))
    );
    let approved = request(json!({"phase": "Approved", "revocation": word}));
    known.is_silent = false;
    let seen = of(&approved, None, &known).unwrap();
    assert_eq!((seen.state, seen.seen_at, seen.refused_from), (ClosingState::Told, None, None));
    assert_eq!(of(&request(json!({"phase": "Active", "grant": grant()})), None, &known), None);
    // Recorded after the last that the watch told.
    let read = request(json!({"phase": "Closed", "grant": grant()}));
    assert_eq!(of_closed(&approved, Some(&read)).refused_from, Some(bound));
}
