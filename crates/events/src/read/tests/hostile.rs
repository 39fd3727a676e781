//! Lines that somebody wants to be missing.

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

#[test]
fn cut_at_every_byte_it_yields_what_was_before_the_cut() {
    let whole = only(EXEC);
    let at = |key: &str| EXEC.find(key).unwrap();
    let (id, uri, verb, agent) = (at("\",\"stage\""), at("/api/v1"), at(",\"user\""), at(",\"objectRef\""));
    for cut in 1..EXEC.len() {
        for tail in ["", "[Truncated...]"] {
            let line = format!("{}{tail}", &EXEC[..cut]);
            let (events, others, counts) = found(line.as_bytes());
            assert_eq!(events.len() + others.len(), 1, "{line}");
            if cut <= id {
                assert!(events.iter().all(|event| whole.audit_id.starts_with(&*event.audit_id)), "{line}");
                continue;
            }
            let event = &events[0];
            assert_eq!((counts.partial, &event.audit_id), (1, &whole.audit_id), "{line}");
            assert!(!format!("{event:?}").contains("hunter2"), "{cut}: {event:?}");
            assert!(
                cut <= uri + 60 || event.uri.starts_with("/api/v1/namespaces/pay/pods/web-0/exec"),
                "{line}"
            );
            assert!(cut < verb || event.verb == "get", "{line}");
            assert!(cut < agent || event.user == whole.user, "{line}");
            assert!(cut < agent || event.command == whole.command, "{line}");
        }
    }
}

#[test]
fn odd_lines_are_events_all_the_same() {
    // No objectRef, impersonation, a panic, nobody.
    let event = only(&with(json!({"objectRef": null, "requestURI": "/readyz?verbose"})));
    assert_eq!((event.object, event.uri.as_ref()), (None, "/readyz?verbose"));
    let event = only(&with(json!({"impersonatedUser": {"username": "root", "groups": ["system:masters"]},
        "authenticationMetadata": {"impersonationConstraint": "impersonate:user-info"}})));
    assert_eq!(event.impersonated.unwrap().name, "root");
    assert_eq!(event.impersonation_constraint.as_deref(), Some("impersonate:user-info"));
    let event =
        only(&with(json!({"stage": "Panic", "responseStatus": {"code": 500, "reason": "InternalError"}})));
    assert!(
        event.stages.ended()
            && event.completed_at.is_some()
            && event.reason.as_deref() == Some("InternalError")
    );
    let event = only(&with(json!({"user": {}, "annotations": {}})));
    assert_eq!((event.user.name.as_ref(), event.decision, event.came(Field::User)), ("", None, Came::Raw));
    let event = only(&with(json!({"annotations": {"audit.k8s.io/truncated": "true"}})));
    assert!(event.flaws.has(Flaw::Truncated));

    // Wrong types, in each field.
    for (key, _) in serde_json::from_str::<Value>(EXEC).unwrap().as_object().unwrap() {
        for wrong in
            [json!(7), json!(true), json!([1, {"a": 2}]), json!({"a": [1]}), json!("x"), json!([["x"]])]
        {
            let (events, others, _) = found(with(json!({ key.as_str(): wrong })).as_bytes());
            assert_eq!(events.len() + others.len(), 1, "{key} {wrong}");
            assert!(
                matches!(key.as_str(), "kind" | "apiVersion" | "auditID") || events.len() == 1,
                "{key} {wrong}"
            );
        }
    }
    let event = only(&with(json!({"sourceIPs": "10.0.0.9", "responseStatus": {"code": "403"}})));
    assert_eq!((event.source_ips[0].as_ref(), event.code), ("10.0.0.9", None));
    assert!(event.flaws.has(Flaw::WrongType));

    // Keys that stand twice, half characters, bytes that are no text, zeros, depth.
    let event = only(&EXEC.replace("\"verb\":\"get\"", "\"verb\":\"get\",\"verb\":\"delete\""));
    assert!(event.verb == "delete" && event.flaws.has(Flaw::DuplicateKey));
    let event = only(&EXEC.replace("kubectl/v1.35.0", "kube\\ud800ctl"));
    assert!(event.flaws.has(Flaw::NotText) && event.user_agent.unwrap().contains('\u{fffd}'));
    let bytes = EXEC.replace("kubectl/", "kubé/").replace('é', "\u{1}").into_bytes();
    let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let (events, _, _) = found(&bytes);
    assert!(events[0].flaws.has(Flaw::NotText) && events[0].code == Some(101));
    let (events, _, counts) = found(EXEC.replace("kubectl/", "kube\0ctl/").as_bytes());
    assert_eq!((events[0].verb.as_ref(), counts.partial), ("get", 1));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let event =
        only(&EXEC.replace("\"requestReceived", &format!("\"requestObject\":{deep},\"requestReceived")));
    assert!(event.at().is_some() && event.raw.contains("left out: 200001 bytes"), "{}", event.raw);
    assert_eq!(event.decision, Some(Decision::Allow));
}

#[test]
fn what_is_wrapped_too_often_ends() {
    let mut line = EXEC.to_owned();
    for _ in 0..8 {
        line = json!({ "message": line }).to_string();
    }
    assert_eq!(found(line.as_bytes()).1, [(1, "TooDeep".to_owned())]);
    let arrays = format!("{{\"records\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(found(arrays.as_bytes()).1.len(), 1);
    let objects = "{\"records\":[".repeat(50_000);
    assert_eq!(found(objects.as_bytes()).1.len(), 1);
}

#[test]
fn large_things_are_bounded() {
    let many: Vec<String> = (0..50_000).map(|n| format!("group-{n}")).collect();
    let long = "x".repeat(300_000);
    let event = only(&with(json!({
        "user": {"username": long, "groups": many, "extra": {"a": many, "scopes": [long]}},
        "userAgent": long, "objectRef": {"resource": "pods", "name": long}, "annotations": {"k8s.io/x": long},
        "responseStatus": {"code": 400, "message": long}, "requestObject": {"a": long},
    })));
    assert!(event.flaws.has(Flaw::Clipped));
    assert!(event.user.groups.len() == 64 && event.user.name.chars().count() == 512);
    assert!(event.raw.len() <= RAW_MOST + 64);
    let most = [&event.user_agent, &event.message].map(|text| text.as_ref().unwrap().chars().count());
    assert_eq!(most, [1024, 1024]);
}

#[test]
fn a_source_is_the_same_however_its_bytes_come() {
    let source = format!("{EXEC}\nnoise\n{EXEC}");
    for size in [1, 7, 1000] {
        let mut reader = Reader::new();
        let mut seen = Vec::new();
        let mut each = |found: Found<'_>| seen.push(found.position);
        for chunk in source.as_bytes().chunks(size) {
            reader.push(chunk, &mut each);
        }
        let unread = reader.unread();
        reader.finish(&mut each);
        let second = EXEC.len() as u64 + 7;
        assert_eq!((unread.offset, unread.line), (second, 3));
        let want = [(0, 1), (EXEC.len() as u64 + 1, 2), (second, 3)];
        assert_eq!(seen.iter().map(|at| (at.offset, at.line)).collect::<Vec<_>>(), want);
        // And read again from where it was left, it goes on there.
        let mut again = Reader::resumed(unread);
        again.push(&source.as_bytes()[unread.offset as usize..], &mut |_| ());
        again.finish(&mut |found| assert_eq!(found.position, seen[2]));
    }
}

/// A small generator of the same numbers each time (SplitMix64).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}

/// What stands in for a fuzzer, which needs a nightly compiler: the same mutations each time, as many as fit in.
#[test]
fn mutated_lines_never_break_it() {
    let body = json!({"requestObject": {"kind": "Secret", "data": {"k": "aHVudGVyMg=="}}, "objectRef": {"resource": "secrets"}});
    let seeds = [
        EXEC.to_owned(),
        with(body),
        json!({"category": "kube-audit", "properties": {"log": EXEC}}).to_string(),
    ];
    let mut seeded = Seeded(11);
    let (began, mut lines) = (Instant::now(), 0u64);
    let least = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
    while lines < least || began.elapsed() < Duration::from_secs(1) {
        let mut line = seeds[seeded.next(seeds.len())].clone().into_bytes();
        for _ in 0..=seeded.next(3) {
            let at = seeded.next(line.len().max(1));
            if line.is_empty() {
                break;
            }
            match seeded.next(6) {
                0 => line[at] = seeded.next(256) as u8,
                1 => drop(line.remove(at)),
                2 => line.insert(at, b"{}[]\",:\\\0\n"[seeded.next(10)]),
                3 => line.truncate(at.max(1)),
                4 => {
                    let end = (at + seeded.next(40)).min(line.len());
                    let part = line[at..end].to_vec();
                    line.splice(at..at, part);
                }
                _ => line.swap(at, 0),
            }
        }
        let mut reader = Reader::new();
        let mut told = 0u64;
        let mut each = |found: Found<'_>| {
            told += 1;
            if let What::Event(event) = found.what {
                assert!(event.raw.len() <= RAW_MOST + 64);
            }
        };
        reader.push(&line, &mut each);
        reader.finish(&mut each);
        let counts = reader.counts();
        let others = counts.foreign.values().chain(counts.bad.values()).sum::<u64>();
        assert_eq!(told, counts.events + others);
        assert!(told + counts.blank >= counts.lines.min(1));
        lines += 1;
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        found(&bytes);
    }

    #[test]
    fn nor_do_bytes_inside_an_event(text in "\\PC{0,40}", key in 0usize..18) {
        let event: Value = serde_json::from_str(EXEC).unwrap();
        let key = event.as_object().unwrap().keys().nth(key % 14).unwrap().clone();
        found(with(json!({ key: text })).as_bytes());
    }

    #[test]
    fn the_text_of_an_event_reads_back_as_the_same_event(
        name in "[a-z0-9][a-z0-9-]{0,19}", agent in "\\PC{0,40}", message in "\\PC{0,60}", command in "[a-z=: -]{0,20}",
    ) {
        let query = percent_encoding::utf8_percent_encode(&command, percent_encoding::NON_ALPHANUMERIC);
        let line = with(json!({
            "objectRef": {"resource": "pods", "name": name, "subresource": "exec"}, "userAgent": agent,
            "responseStatus": {"code": 200, "message": message}, "requestURI": format!("/x/exec?command={query}"),
        }));
        let first = only(&line);
        let mut again = only(&first.raw);
        prop_assert_eq!(&again.raw, &first.raw);
        // What was taken out once is counted once.
        again.redactions = first.redactions;
        prop_assert_eq!(again, first);
    }
}
