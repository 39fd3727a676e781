use super::*;
use crate::{Provenance, Reader, Stage, Stages, What};
use proptest::prelude::*;
use serde_json::json;

/// One moment of a call, read from a line as it is written.
fn moment(id: &str, user: &str, stage: &str, received: u32, at: u32) -> Event<'static> {
    let time = |second: u32| format!("2026-11-29T21:{:02}:{:02}.000000Z", second / 60 % 60, second % 60);
    let mut line = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id,
        "stage": stage, "requestURI": "/api/v1/pods?watch=true", "verb": "watch", "user": {"username": user},
        "sourceIPs": ["10.0.0.1"], "requestReceivedTimestamp": time(received), "stageTimestamp": time(at)});
    if stage != "RequestReceived" {
        line["responseStatus"] = json!({"code": 200});
        line["annotations"] = json!({"authorization.k8s.io/decision": "allow"});
    }
    read(&line.to_string())
}

fn read(line: &str) -> Event<'static> {
    let mut events = Vec::new();
    Reader::new().document(line.as_bytes(), &mut |found| {
        if let What::Event(event) = found.what {
            events.push(event.into_owned());
        }
    });
    events.remove(0)
}

#[test]
fn what_a_moment_says_itself_goes_before_what_follows_from_an_address() {
    let whole = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseStarted",
        "requestURI": "/api/v1/namespaces/pay/pods/web", "verb": "get", "user": {"username": "ada"},
        "objectRef": {"resource": "pods", "namespace": "pay", "name": "web", "uid": "u", "apiVersion": "v1"},
        "requestReceivedTimestamp": "2026-11-29T21:00:00.000000Z"});
    let cut = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/pay/pods/web","#;
    for order in [[0, 1], [1, 0]] {
        let moments = [read(cut), read(&whole.to_string())];
        assert_eq!(moments[0].came(Field::Object), Came::Inferred);
        let calls = fold(order.map(|at| moments[at].clone()));
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert_eq!(calls[0].came(Field::Object), Came::Raw);
        assert_eq!(calls[0].object, moments[1].object);
    }
}

#[test]
fn the_moments_of_a_watch_are_one_call_however_often_its_start_is_told() {
    let all = [
        moment("a", "ada", "RequestReceived", 1, 1),
        moment("a", "ada", "ResponseStarted", 1, 2),
        moment("a", "ada", "ResponseStarted", 1, 3),
        moment("a", "ada", "ResponseComplete", 1, 90),
        // Delivered twice.
        moment("a", "ada", "ResponseComplete", 1, 90),
    ];
    let second = 1_000_000;
    let calls = fold(all.clone());
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    let start = all[0].received_at.unwrap();
    assert_eq!(call.started_at, Some(start + second));
    assert_eq!(call.took(), Some(89 * second));
    assert_eq!((call.code, call.stages.bits()), (Some(200), 0b111));
    assert!(call.raw.contains("ResponseComplete") && call.decision.is_some());
    // In any other order it is the same call.
    let mut turned = all;
    turned.reverse();
    assert_eq!(fold(turned), calls);
}

#[test]
fn one_id_of_two_people_or_of_two_servers_stays_two_calls() {
    let ada = moment("a", "ada", "ResponseComplete", 1, 2);
    assert_eq!(fold([ada.clone(), moment("a", "eve", "ResponseComplete", 1, 2)]).len(), 2);
    // An aggregated server got it later, from the first server.
    let mut aggregated = moment("a", "ada", "ResponseComplete", 1, 2);
    aggregated.received_at = aggregated.received_at.map(|at| at + 700);
    aggregated.source_ips.push("10.96.0.1".into());
    assert_eq!(fold([ada.clone(), aggregated.clone()]).len(), 2);
    // Even at the same microsecond.
    aggregated.received_at = ada.received_at;
    assert_eq!(fold([ada.clone(), aggregated]).len(), 2);
    // And a client that uses its own id again.
    assert_eq!(fold([ada.clone(), moment("a", "ada", "ResponseComplete", 5, 6)]).len(), 2);
    let mut other = ada.clone();
    other.verb = "delete".into();
    assert_eq!(fold([ada, other]).len(), 2);
}

#[test]
fn a_moment_that_was_cut_joins_its_call() {
    let whole = moment("a", "ada", "ResponseComplete", 1, 9);
    let started = moment("a", "ada", "ResponseStarted", 1, 2);
    let line = started.raw.clone();
    for key in ["\"user\"", "\"verb\"", "\"sourceIPs\"", "\"requestReceived", "watch=true"] {
        // In the order in which API servers write.
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let order = [
            "kind",
            "apiVersion",
            "level",
            "auditID",
            "stage",
            "requestURI",
            "verb",
            "user",
            "sourceIPs",
            "requestReceivedTimestamp",
        ];
        let parts: Vec<String> = order.iter().map(|key| format!("\"{key}\":{}", value[*key])).collect();
        let line = format!("{{{}}}", parts.join(","));
        let cut = read(&line[..line.find(key).unwrap() + 3]);
        assert!(cut.is_partial());
        for pair in [[whole.clone(), cut.clone()], [cut, whole.clone()]] {
            let calls = fold(pair);
            let [call] = calls.as_slice() else { panic!("{key}: {calls:?}") };
            assert!(call.stages.has(Stage::ResponseStarted) && call.stages.ended() && !call.is_partial());
            assert_eq!((call.received_at, call.user.name.as_ref()), (whole.received_at, "ada"));
        }
    }
}

proptest! {
    /// Every call comes out once, with all its moments, in whatever order and however often they come.
    #[test]
    fn calls_come_out_once_each(
        calls in proptest::collection::vec((0u8..4, 0u8..3, 0u32..40, 1u8..8), 1..12),
        order in any::<u64>(),
        twice in any::<u16>(),
    ) {
        // (id, user, when) is what makes a call.
        let mut calls: Vec<_> = calls;
        calls.sort_unstable();
        calls.dedup_by_key(|(id, user, at, _)| (*id, *user, *at));
        let mut events = Vec::new();
        for (n, (id, user, at, stages)) in calls.iter().enumerate() {
            for (bit, stage) in ["RequestReceived", "ResponseStarted", "ResponseComplete"].into_iter().enumerate() {
                if stages & (1 << bit) != 0 {
                    let event = moment(&id.to_string(), &user.to_string(), stage, *at, at + bit as u32);
                    events.push(event.clone());
                    if twice & (1 << (n % 16)) != 0 {
                        events.push(event);
                    }
                }
            }
        }
        let mut seed = order;
        for at in (1..events.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            events.swap(at, (seed >> 33) as usize % (at + 1));
        }
        let found = fold(events);
        prop_assert_eq!(found.len(), calls.len());
        for (id, user, at, stages) in calls {
            let whole = moment(&id.to_string(), &user.to_string(), "RequestReceived", at, at);
            let call = found.iter().find(|call| is_same_call(call, &whole)).unwrap();
            prop_assert_eq!(call.stages, Stages::from_bits(stages));
            prop_assert_eq!(call.received_at, whole.received_at);
            prop_assert_eq!(call.completed_at.is_some(), stages & 4 != 0);
            prop_assert_ne!(call.provenance, Provenance::default());
        }
    }
}
