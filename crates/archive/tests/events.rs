//! Events given back as they were read, those of sessions among very many others, and what came in since the last look.

mod common;

use common::{BEGIN, SECOND, bounds, fill, filled, source};
use sallyport_archive::{Archive, Batch, CallId, Column, Filter};
use sallyport_events::{Came, Decision, Event, Field, Flaw, Found, Position, Reader, Stage, Stages, What};
use std::collections::BTreeMap;

/// A line of an API server: a call of a session's account, or of a person.
fn line(n: u64, session: Option<&str>, uri: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(BEGIN + n as i64 * SECOND).unwrap();
    let at = at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    let (user, extra) = match session {
        Some(account) => (
            format!("system:serviceaccount:sallyport-sessions:{account}"),
            format!(
                r#","extra":{{"authentication.kubernetes.io/credential-id":["JTI=token-of-{account}"]}}"#
            ),
        ),
        None => ("oidc:ada".to_owned(), String::new()),
    };
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{n:08x}-0000-7000-8000-000000000000","stage":"ResponseComplete","requestURI":"{uri}","verb":"list","user":{{"username":"{user}","uid":"u-1"{extra}}},"sourceIPs":["10.0.0.1"],"userAgent":"kubectl/v1.37.2","objectRef":{{"resource":"pods","namespace":"pay","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#
    )
}

const ONE: &str = "s-mfrggzdfmztwq2lk-1796000000";
const OTHER: &str = "s-aaaabbbbccccdddd-1796000000";

/// Lines into an archive; what was read, by its auditID.
fn read_in(archive: &Archive, cluster: &str, lines: &str) -> BTreeMap<String, Event<'static>> {
    let mut all = BTreeMap::new();
    let mut batch = Batch::new(&source(cluster, cluster), "a.log", 0);
    let mut reader = Reader::new();
    let mut each = |found: sallyport_events::Found<'_>| {
        batch.push(&found);
        if let What::Event(event) = found.what {
            let event = Event { raw: "".into(), ..event.into_owned() };
            all.insert(event.audit_id.to_string(), event);
        }
    };
    reader.push(lines.as_bytes(), &mut each);
    reader.finish(&mut each);
    batch.read_to(lines.len() as u64);
    archive.append(batch).unwrap().wait().unwrap();
    all
}

#[test]
fn the_events_of_sessions_come_back_as_they_were_read() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), 20_000, 5000);
    let mut text = String::new();
    for n in 0..40 {
        let session = [None, Some(ONE), Some(OTHER)][n as usize % 3];
        text.push_str(&line(n, session, &format!("/api/v1/namespaces/pay/pods?limit={n}")));
        text.push('\n');
    }
    // Wrapped by EKS, cut in the middle, and longer than is kept.
    let eks = line(40, Some(ONE), "/api/v1/eks").replace('"', "\\\"");
    text.push_str(&format!("{{\"timestamp\":1,\"message\":\"{eks}\"}}\n"));
    let cut = line(41, Some(ONE), "/api/v1/cut");
    text.push_str(&format!("{}\n", &cut[..cut.find("sourceIPs").unwrap() - 2]));
    let long = format!("/api/v1/namespaces/pay/pods?x={}", "long/".repeat(100_000));
    text.push_str(&format!("{}\n", line(42, Some(ONE), &long)));
    let mut was = read_in(&archive, "eu-2", &text);
    assert_eq!(was.len(), 43);
    was.retain(|_, event| event.account.is_some());

    let filter = Filter::default().only(Column::Cluster, "eu-2").sessions(Vec::new());
    let answer = archive.events(&filter, 1000, &bounds()).unwrap();
    assert!(answer.lacks_nothing() && !answer.value.has_more, "{:?}", answer.value.has_more);
    assert_eq!(answer.value.events.len(), was.len());
    for kept in &answer.value.events {
        let mut event = was[&*kept.event.audit_id].clone();
        if event.flaws.has(Flaw::Clipped) {
            // Its text is not JSON any more where it was cut.
            assert_eq!(kept.event.user.name, event.user.name);
            assert_eq!((&kept.event.audit_id, kept.event.at()), (&event.audit_id, event.at()));
            assert!(kept.event.flaws.has(Flaw::Clipped));
            continue;
        }
        // Secrets were taken out before; there are none to count here.
        event.redactions = kept.event.redactions;
        assert_eq!(kept.event, event);
    }
    let partial = answer.value.events.iter().find(|kept| kept.event.is_partial()).unwrap();
    assert_eq!(partial.event.came(Field::Uri), Came::Raw);

    // By a credential alone too, and the newest where there are more than were wanted.
    let filter = Filter::default().sessions(vec!["JTI=token-23".into(), "JTI=none".into()]);
    let with = archive.events(&filter.clone().only(Column::Cluster, "eu-1"), 9999, &bounds()).unwrap().value;
    assert_eq!(with.events.len() as u64, 20_000 / 30);
    let some = archive.events(&filter, 10, &bounds()).unwrap().value;
    assert!(some.has_more && some.events.len() == 10);
    let none = Filter::default().only(Column::Cluster, "eu-1").sessions(Vec::new());
    assert_eq!(archive.events(&none, 10, &bounds()).unwrap().value.events.len(), 0);

    let range = archive.range_of(&Filter::default().only(Column::Cluster, "eu-2"), &bounds()).unwrap().value;
    assert_eq!(range, Some((BEGIN, BEGIN + 42 * SECOND)));
    let range = archive.range_of(&Filter::default().only(Column::Cluster, "none"), &bounds()).unwrap().value;
    assert_eq!(range, None);
}

#[test]
fn events_are_found_by_many_ids_at_once_within_a_filter() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), 12_000, 4000);
    let ids: Vec<String> = (0..12_000).step_by(97).map(|n| common::event(n).audit_id.to_string()).collect();
    let ids = || ids.iter().map(String::as_str).chain(["none", "", "0-0"]);
    let found = |filter: &Filter| archive.with_audit_ids(ids(), filter, usize::MAX, &bounds()).unwrap().value;
    let all = found(&Filter::default());
    assert_eq!(all.len(), 12_000_usize.div_ceil(97));
    assert!(all.iter().all(|one| ids().any(|id| id == one.event.audit_id)));
    let few = found(&Filter::default().from(BEGIN + 6000 * SECOND).only(Column::Verb, "get"));
    assert!(!few.is_empty() && few.len() < all.len() / 5 && few.iter().all(|one| all.contains(one)));
    assert!(found(&Filter::default().only(Column::Cluster, "none")).is_empty());
    // Whoever asks for fewer than there are is told that it is not all, at whichever of them the blocks end.
    for most in [1, 7, all.len() - 1, all.len(), all.len() + 1] {
        let some = archive.with_audit_ids(ids(), &Filter::default(), most, &bounds()).unwrap();
        assert_eq!((some.value.len(), some.is_whole), (most.min(all.len()), most >= all.len()), "{most}");
    }
}

/// An authorizer's word and a status that says so are the same to whoever looks for what was denied.
#[test]
fn what_admission_refused_is_denied_as_what_an_authorizer_forbade() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(dir.path(), common::options()).unwrap();
    let with = |n: u64, code, decision| Event {
        code,
        decision,
        stages: Stages::one(Stage::ResponseComplete),
        ..common::event(n)
    };
    let (allow, forbid) = (Some(Decision::Allow), Some(Decision::Forbid));
    let told = [
        with(0, Some(200), allow),
        with(1, Some(403), allow),
        with(2, Some(403), forbid),
        with(3, Some(401), None),
        with(4, None, forbid),
        with(5, Some(404), allow),
        with(6, None, None),
    ];
    let mut batch = Batch::new(&source("api-1", "eu-1"), "a.log", 0);
    for (n, event) in (0..).zip(told) {
        let position = Position { offset: n * common::LINE, line: n + 1, item: 0 };
        batch.push(&Found { position, what: What::Event(Box::new(event)) });
    }
    batch.read_to(7 * common::LINE);
    archive.append(batch).unwrap().wait().unwrap();
    let page = |filter: &Filter| archive.page(filter, None, 100, &bounds()).unwrap().value.calls;
    let denied = page(&Filter::default().denied());
    let seconds: Vec<i64> = denied.iter().map(|call| (call.at - BEGIN) / SECOND).collect();
    assert_eq!(seconds, [4, 3, 2, 1]);
    assert!(page(&Filter::default()).iter().all(|call| call.is_denied() == denied.contains(call)));
    let of_verb = Filter::default().only(Column::Verb, "list").denied();
    assert_eq!(page(&of_verb).len(), 1, "beside what else is asked");
    assert!(page(&Filter::default().codes(404, 404).denied()).is_empty());
    let heat = archive.heat(BEGIN, 1, 1, &bounds()).unwrap().value;
    let of_hour = heat.clusters.values().flatten().map(|cell| cell.denied).sum::<u64>();
    assert_eq!(of_hour, 4, "as the map counts them");
}

#[test]
fn what_came_in_since_the_last_look_is_told_once_and_in_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), 1000, 300);
    let (mut upto, mut told) = (archive.newest(), Vec::new());
    assert_eq!(told.len(), 0);
    let mut look = |archive: &Archive, upto: &mut Option<CallId>, limit: usize| {
        loop {
            let arrived = archive.arrivals(&Filter::default(), *upto, limit, &bounds()).unwrap();
            assert!(arrived.lacks_nothing());
            assert!(arrived.value.calls.len() <= limit);
            if arrived.value.upto == *upto {
                return;
            }
            *upto = arrived.value.upto;
            told.extend(arrived.value.calls.iter().map(|call| call.offset / common::LINE));
        }
    };
    look(&archive, &mut upto, 10);
    // In small batches, which are merged into full blocks meanwhile.
    for from in (1000..12_000).step_by(500) {
        fill(&archive, from, from + 500, 70);
        look(&archive, &mut upto, 100);
    }
    assert_eq!(told, (1000..12_000).collect::<Vec<_>>());
    let filter = Filter::default().only(Column::Verb, "delete");
    // Cut exactly, also in the middle of a block, and gone on from there: none twice and none left out.
    for most in [1000, 7] {
        let (mut upto, mut found) = (None, Vec::new());
        loop {
            let arrived = archive.arrivals(&filter, upto, most, &bounds()).unwrap();
            assert!(arrived.lacks_nothing() && arrived.value.calls.len() <= most);
            if arrived.value.upto == upto {
                break;
            }
            upto = arrived.value.upto;
            found.extend(arrived.value.calls.into_iter().map(|call| call.id));
        }
        assert_eq!(found.len(), 12_000 / 5);
        assert!(found.is_sorted_by(|one, next| one < next));
        assert_eq!(upto, archive.newest(), "also over what does not fit");
    }
    let later = CallId::from_number(u64::MAX);
    let none = archive.arrivals(&filter, Some(later), 10, &bounds()).unwrap().value;
    assert_eq!((none.calls.len(), none.upto), (0, Some(later)));
}
