//! What is asked of an archive, on real files: every answer beside a naive one over the same events.

mod common;

use common::{BEGIN, HOUR, SECOND, batch, bounds, count, event, filled, page, source};
use sallyport_archive::{Archive, ArchiveError, Batch, Bounds, Cancel, Column, Filter, Options};
use sallyport_events::{Event, Found, Position, User, What};
use std::collections::BTreeMap;
use std::time::Duration;

const EVENTS: u64 = 20_000;

fn matching(holds: impl Fn(&Event<'_>) -> bool) -> u64 {
    (0..EVENTS).filter(|n| holds(&event(*n))).count() as u64
}

#[test]
fn every_filter_finds_what_a_naive_look_finds() {
    let dir = tempfile::tempdir().unwrap();
    // Blocks of every size: full ones, small ones, merged ones.
    let archive = filled(dir.path(), EVENTS, 777);
    let all = Filter::default;
    assert_eq!(count(&archive, &all()), EVENTS);
    let name = |event: &Event<'_>| event.object.as_ref().unwrap().name.to_string();
    for (filter, expected) in [
        (all().only(Column::Cluster, "eu-1"), EVENTS),
        (all().only(Column::Cluster, "us-1"), 0),
        (all().only(Column::User, "oidc:person-3"), matching(|e| e.user.name == "oidc:person-3")),
        (all().person("oidc:person-3"), matching(|e| e.user.name == "oidc:person-3")),
        (
            all().only(Column::Verb, "delete").only(Column::Verb, "create"),
            matching(|e| e.verb == "delete" || e.verb == "create"),
        ),
        (
            all().only(Column::Resource, "deployments.apps").only(Column::Namespace, "team-4"),
            matching(|e| {
                let object = e.object.as_ref().unwrap();
                object.resource == "deployments" && object.namespace == "team-4"
            }),
        ),
        (all().only(Column::Name, "thing-77"), matching(|e| name(e) == "thing-77")),
        (all().only(Column::Decision, "forbid"), matching(|e| e.code == Some(403))),
        (all().codes(400, 499), matching(|e| e.code == Some(403))),
        (all().codes(500, 599), 0),
        (all().let_through(), matching(|e| e.code != Some(403))),
        (all().codes(100, 399).let_through(), matching(|e| e.code != Some(403))),
        (all().codes(400, 599).let_through(), 0),
        (all().only(Column::Credential, "JTI=token-13"), matching(|e| e.jti() == Some("token-13"))),
        (all().only(Column::Credential, ""), matching(|e| e.credential.is_none())),
        (
            all().from(BEGIN + 100 * SECOND).to(BEGIN + 9_000 * SECOND).only(Column::Verb, "list"),
            (100..9_000).filter(|n| n % 5 == 1).count() as u64,
        ),
        (all().text("THING-77"), matching(|e| name(e).contains("thing-77"))),
        (all().text("person-1"), matching(|e| e.user.name.contains("person-1"))),
        (all().text("nowhere"), 0),
        (
            all().text("team-7").only(Column::Verb, "get"),
            matching(|e| e.verb == "get" && e.object.as_ref().unwrap().namespace.contains("team-7")),
        ),
    ] {
        assert_eq!(count(&archive, &filter), expected, "{filter:?}");
        // The same by pages, and by pages after a restart below.
        let first = page(&archive, &filter, 50);
        assert_eq!(first.calls.len() as u64, expected.min(50), "{filter:?}");
        assert_eq!(first.next.is_some(), expected > 50, "{filter:?}");
        assert!(first.calls.windows(2).all(|two| two[0].at >= two[1].at));
    }
    assert_eq!(common::lines(&archive), (0..EVENTS).collect::<Vec<_>>());
    drop(archive);
    let archive = common::opened(dir.path());
    assert_eq!(common::lines(&archive), (0..EVENTS).collect::<Vec<_>>());
    assert_eq!(archive.verify(&bounds()).unwrap().events, EVENTS);
    assert_eq!(archive.verify(&bounds()).unwrap().damaged, 0);
}

#[test]
fn a_call_comes_back_with_all_it_says_and_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), 3000, 1000);
    let call = &page(&archive, &Filter::default().only(Column::Credential, "JTI=token-23"), 1).calls[0];
    let n = call.offset / common::LINE;
    let event = event(n);
    assert_eq!(call.at, event.at().unwrap());
    assert_eq!(call.took, Some(1500));
    assert_eq!(call.audit_id, event.audit_id);
    assert_eq!(call.code(), event.code);
    assert_eq!(call.marks.stages, event.stages);
    for (column, text) in [
        (Column::Cluster, "eu-1"),
        (Column::User, &*event.user.name),
        (Column::Verb, &*event.verb),
        (Column::Address, &*event.source_ips[0]),
        (Column::UserAgent, "kubectl/v1.37.2"),
        (Column::Source, "api-1"),
        (Column::File, "a.log"),
        (Column::Impersonated, ""),
    ] {
        assert_eq!(call.text(column), text, "{column:?}");
    }
    assert_eq!(archive.raw(call.id).unwrap(), event.raw);
    let same = archive.with_audit_ids([&*event.audit_id], &Filter::default(), 10, &bounds()).unwrap().value;
    assert_eq!(same.iter().map(|kept| kept.id).collect::<Vec<_>>(), [call.id]);
    let gone = sallyport_archive::CallId::from_number(call.id.number() + (7 << 32));
    assert!(matches!(archive.raw(gone), Err(ArchiveError::Gone(_))));
    let gone = sallyport_archive::CallId::from_number(1 << 32 | 4_000_000);
    assert!(matches!(archive.raw(gone), Err(ArchiveError::Gone(_))));
}

/// A clock that is years ahead, and one at the end of all calendars: each event stands where it says, and nowhere else.
#[test]
fn an_event_from_the_future_is_found_there_and_keeps_nothing_longer() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { keep: Some(Duration::from_secs(3600)), ..Options::default() };
    let archive = Archive::open(dir.path(), options).unwrap();
    archive.append(batch(&source("api-1", "eu-1"), "a.log", 0..1000)).unwrap().wait().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_micros()).unwrap();
    let years = now + 10 * 365 * 24 * HOUR;
    // 9999-12-31T23:59:59.999999Z: later than that nobody can write.
    let last_of_all = 253_402_300_799_999_999;
    let (us, times) = (source("api-2", "us-1"), [years, years + 1, last_of_all]);
    let mut ahead = Batch::new(&us, "b.log", 0);
    for (line, at) in (0_u64..).zip(times) {
        let mut event = event(line);
        (event.received_at, event.completed_at) = (Some(at), Some(at));
        let position = Position { offset: line * 100, line: line + 1, item: 0 };
        ahead.push(&Found { position, what: What::Event(Box::new(event)) });
    }
    ahead.read_to(300);
    archive.append(ahead).unwrap().wait().unwrap();

    let all = Filter::default;
    let page = page(&archive, &all(), 5);
    let shown: Vec<i64> = page.calls.iter().map(|call| call.at).collect();
    let last = event(999).at().unwrap();
    assert_eq!(shown, [last_of_all, years + 1, years, last, last - SECOND], "the newest is first");
    assert_eq!(count(&archive, &all().to(now)), 1000, "nothing of it is before now");
    assert_eq!(count(&archive, &all().from(now)), 3);
    let bins = |from: i64, step: i64, many: usize| {
        archive.histogram(&all(), from, step, many, &bounds()).unwrap().value.calls
    };
    assert_eq!(bins(BEGIN, 100 * SECOND, 10), [100; 10]);
    assert_eq!(bins(years, 1, 3), [1, 1, 0]);
    // From the first to the last there is nothing between but what is empty.
    let wide = bins(BEGIN, HOUR * 24 * 365, 20);
    assert_eq!((wide[0], wide.iter().sum::<u64>()), (1000, 1002));
    assert_eq!(bins(i64::MAX - 1, HOUR, 2), [0, 0], "beyond the end of all time nothing is counted twice");
    assert_eq!(archive.verify(&bounds()).unwrap().damaged, 0);

    // By when they arrived: in ten years nobody would remove them.
    let retained = archive.retain(now + 2 * HOUR).unwrap();
    assert_eq!((retained.events, retained.clock_went_back), (1003, false), "{retained:?}");
    assert_eq!(count(&archive, &all()), 0);
}

#[test]
fn what_comes_in_late_is_where_it_happened() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(dir.path(), Options::default()).unwrap();
    let (eu, us) = (source("api-1", "eu-1"), source("api-2", "us-1"));
    // The same hours of two clusters, one after the other, and the second backwards.
    archive.append(batch(&eu, "a.log", 0..5000)).unwrap().wait().unwrap();
    let mut backwards = Batch::new(&us, "b.log", 0);
    for (line, n) in (0..5000_u64).rev().enumerate() {
        let mut event = event(n);
        event.received_at = event.received_at.map(|at| at + 1);
        let position = Position { offset: line as u64 * 100, line: line as u64 + 1, item: 0 };
        backwards.push(&Found { position, what: What::Event(Box::new(event)) });
    }
    backwards.read_to(500_000);
    archive.append(backwards).unwrap().wait().unwrap();

    let (mut cursor, mut times) = (None, Vec::new());
    loop {
        let page = archive.page(&Filter::default(), cursor, 333, &bounds()).unwrap().value;
        times.extend(page.calls.iter().map(|call| (call.at, call.text(Column::Cluster).to_owned())));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..5000)
        .rev()
        .flat_map(|n| [(n * SECOND + BEGIN + 1, "us-1".to_owned()), (n * SECOND + BEGIN, "eu-1".to_owned())])
        .collect();
    assert_eq!(times, expected);
}

#[test]
fn charts_and_rankings_are_those_of_a_naive_look() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), EVENTS, 5000);
    let filter = Filter::default().only(Column::Verb, "delete");
    let histogram = archive.histogram(&filter, BEGIN, HOUR, 6, &bounds()).unwrap().value;
    let expected: Vec<u64> = (0..6)
        .map(|hour| (hour * 3600..(hour + 1) * 3600).filter(|n| *n < EVENTS && n % 5 == 4).count() as u64)
        .collect();
    assert_eq!(histogram.calls, expected);
    let fine = archive.histogram(&Filter::default(), BEGIN + 10 * SECOND, SECOND, 5000, &bounds()).unwrap();
    assert_eq!(fine.value.calls, vec![1; 5000]);

    let top = archive.top(&Filter::default(), Column::Namespace, 3, &bounds()).unwrap().value;
    let mut naive: BTreeMap<String, u64> = BTreeMap::new();
    for n in 0..EVENTS {
        *naive.entry(format!("team-{}", n % 11)).or_default() += 1;
    }
    let mut naive: Vec<_> = naive.into_iter().collect();
    naive.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    assert_eq!(top.first, naive[..3]);
    assert_eq!(top.others, naive[3..].iter().map(|(_, count)| count).sum::<u64>());

    let heat = archive.heat(BEGIN, 2, 4, &bounds()).unwrap().value;
    assert_eq!((heat.from, heat.step), (BEGIN, 2 * HOUR));
    let cells = &heat.clusters["eu-1"];
    for (at, cell) in cells.iter().enumerate() {
        let here = || (at as u64 * 7200..(at as u64 + 1) * 7200).filter(|n| *n < EVENTS);
        assert_eq!(cell.calls, here().count() as u64);
        assert_eq!(cell.writes, here().filter(|n| n % 5 > 2).count() as u64);
        assert_eq!(cell.denied, here().filter(|n| n % 50 == 7).count() as u64);
        assert_eq!(cell.failed, cell.denied);
    }
    for too_much in
        [archive.heat(BEGIN, 0, 4, &bounds()).err(), archive.heat(BEGIN, 1, 2001, &bounds()).err()]
    {
        assert!(matches!(too_much, Some(ArchiveError::TooMuch(_))));
    }
    assert!(matches!(archive.histogram(&filter, 0, 0, 5, &bounds()), Err(ArchiveError::TooMuch(_))));
    assert!(matches!(archive.top(&filter, Column::Name, 1001, &bounds()), Err(ArchiveError::TooMuch(_))));
}

#[test]
fn a_question_has_bounds_and_can_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), EVENTS, 5000);
    let cancel = Cancel::default();
    cancel.cancel();
    let canceled = Bounds { within: Duration::from_secs(60), cancel };
    assert!(matches!(archive.count(&Filter::default(), &canceled), Err(ArchiveError::Canceled)));
    assert!(matches!(archive.page(&Filter::default(), None, 10, &canceled), Err(ArchiveError::Canceled)));

    let none = Bounds { within: Duration::ZERO, ..Bounds::default() };
    let answer = archive.count(&Filter::default(), &none).unwrap();
    assert!(!answer.is_whole && answer.value == 0);
    // A page that had no time leads on to what it did not look at, and nothing is passed over.
    let page = archive.page(&Filter::default(), None, 10, &none).unwrap();
    assert!(!page.is_whole && page.value.calls.is_empty());
    let on = archive.page(&Filter::default(), page.value.next, 10, &bounds()).unwrap().value;
    assert_eq!(on.calls[0].offset, (EVENTS - 1) * common::LINE);
}

#[test]
fn hostile_texts_are_only_texts() {
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::open(dir.path(), Options::default()).unwrap();
    let long = "x".repeat(300_000);
    let texts =
        ["' OR 1=1 --", "%", "a_b", "nul\u{0}in it", "\"; DROP TABLE word; --", "\u{202e}evil", "Ä", &long];
    let mut batch = Batch::new(&source("'; --", "eu-1"), "../../etc/passwd", 0);
    for (at, text) in texts.iter().enumerate() {
        let event = Event {
            audit_id: (*text).into(),
            verb: (*text).into(),
            user: User { name: (*text).into(), ..User::default() },
            received_at: Some(if at == 0 { i64::MIN } else { i64::MAX - at as i64 }),
            completed_at: Some(i64::MIN),
            raw: (*text).into(),
            ..Event::default()
        };
        let position = Position { offset: at as u64, line: 1, item: at as u32 };
        batch.push(&Found { position, what: What::Event(Box::new(event)) });
    }
    batch.read_to(100);
    archive.append(batch).unwrap().wait().unwrap();
    for text in &texts[..7] {
        let found = page(&archive, &Filter::default().only(Column::User, *text), 10);
        assert_eq!(found.calls.len(), 1, "{text}");
        assert_eq!(found.calls[0].text(Column::Verb), *text);
        assert_eq!(archive.raw(found.calls[0].id).unwrap(), *text);
        assert_eq!(count(&archive, &Filter::default().text(*text)), 1, "{text}");
    }
    assert_eq!(count(&archive, &Filter::default().text("ä")), 1);
    // A text that is too long to be a word is cut and counted, and whole in the raw event.
    let cut = &page(&archive, &Filter::default().text("xxx"), 10).calls[0];
    assert_eq!(cut.text(Column::User).len(), 4096);
    assert_eq!(archive.raw(cut.id).unwrap(), long);
    let status = archive.status();
    assert_eq!(status.tallies["'; --"]["clipped"], 2);
    drop(archive);
    let mut files: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["archive.lock", "segment-00000001.db"], "no text became a path");
}

#[test]
fn what_occurs_together_is_counted_with_its_first_and_last_moment() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), EVENTS, 777);
    let columns = [Column::Verb, Column::Resource, Column::Code];
    let filter = Filter::default().only(Column::User, "oidc:person-3");
    let answer = archive.combinations(&filter, &columns, 1000, &bounds()).unwrap();
    assert!(answer.lacks_nothing() && answer.value.others == 0, "{answer:?}");
    let mut expected: BTreeMap<Vec<String>, (u64, i64, i64)> = BTreeMap::new();
    for n in 0..EVENTS {
        let event = event(n);
        if event.user.name != "oidc:person-3" {
            continue;
        }
        let resource = event.object.as_ref().map(|object| match object.group.as_ref() {
            "" => object.resource.to_string(),
            group => format!("{}.{group}", object.resource),
        });
        let key = vec![
            event.verb.to_string(),
            resource.unwrap_or_default(),
            event.code.map(|code| code.to_string()).unwrap_or_default(),
        ];
        let at = event.at().unwrap();
        let one = expected.entry(key).or_insert((0, at, at));
        *one = (one.0 + 1, one.1.min(at), one.2.max(at));
    }
    let found: Vec<(Vec<String>, (u64, i64, i64))> =
        answer.value.rows.into_iter().map(|row| (row.texts, (row.calls, row.first, row.last))).collect();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());

    // What is one too many is counted, and no call is lost.
    let few = archive.combinations(&Filter::default(), &[Column::Name], 10, &bounds()).unwrap().value;
    let calls: u64 = few.rows.iter().map(|row| row.calls).sum();
    assert_eq!((few.rows.len(), calls + few.others), (10, EVENTS));
    assert!(archive.combinations(&Filter::default(), &[], 10, &bounds()).is_err());
    assert!(archive.combinations(&Filter::default(), &columns, 1_000_000, &bounds()).is_err());
    let late = Bounds { within: Duration::ZERO, ..Bounds::default() };
    assert!(!archive.combinations(&Filter::default(), &columns, 10, &late).unwrap().is_whole);
}
