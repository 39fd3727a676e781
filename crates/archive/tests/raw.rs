//! Raw events: each is that of its call, however the calls came in and were packed together.

mod common;

use common::{LINE, bounds, opened, source};
use proptest::prelude::*;
use rusqlite::Connection;
use sallyport_archive::{Archive, Batch, Bounds, CallId, Filter};
use sallyport_events::{Event, Found, Position, What};
use std::path::Path;
use std::time::Duration;

/// The nth line of a file, `bytes` long.
fn event(n: u64, bytes: usize) -> Event<'static> {
    let event = common::event(n);
    let filling =
        format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).repeat(bytes.saturating_sub(60) / 16);
    let raw = format!("{{\"auditID\":\"{}\",\"filling\":\"{filling}\"}}", event.audit_id);
    Event { raw: raw.into(), ..event }
}

fn append(archive: &Archive, lines: std::ops::Range<u64>, bytes: impl Fn(u64) -> usize) {
    let mut batch = Batch::new(&source("api-1", "eu-1"), "a.log", lines.start * LINE);
    for n in lines.clone() {
        let position = Position { offset: n * LINE, line: n + 1, item: 0 };
        batch.push(&Found { position, what: What::Event(Box::new(event(n, bytes(n)))) });
    }
    batch.read_to(lines.end * LINE);
    archive.append(batch).unwrap().wait().unwrap();
}

/// Compares every raw event with its call; how many there are.
fn compare(archive: &Archive, bytes: impl Fn(u64) -> usize) -> u64 {
    let (mut cursor, mut all) = (None, 0);
    loop {
        let page = archive.page(&Filter::default(), cursor, 1000, &bounds()).unwrap().value;
        let ids: Vec<CallId> = page.calls.iter().map(|call| call.id).collect();
        for (call, raw) in page.calls.iter().zip(archive.raws(&ids)) {
            let n = call.offset / LINE;
            // Not assert_eq: a kilobyte that is another says no more than that it is.
            assert!(
                raw.unwrap() == event(n, bytes(n)).raw,
                "line {n}, {}, has the raw event of another",
                call.id
            );
        }
        for call in page.calls.iter().step_by(499) {
            let n = call.offset / LINE;
            assert!(archive.raw(call.id).unwrap() == event(n, bytes(n)).raw, "line {n} alone");
        }
        all += page.calls.len() as u64;
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn verified(archive: &Archive, events: u64) {
    let checked = archive.verify(&bounds()).unwrap();
    assert_eq!((checked.events, checked.damaged), (events, 0), "{:?}", checked.problems);
}

#[test]
fn raw_events_stay_with_their_calls_when_frames_end_elsewhere_than_blocks() {
    // As an import of ordinary lines makes them: 1.2 kB each, and batches of whatever a read held.
    for batches in
        [&[8992, 8992][..], &[8191, 2, 8191, 5000], &[9000, 40, 40, 9000], &[4000, 4193, 4000, 4193]]
    {
        let dir = tempfile::tempdir().unwrap();
        let archive = opened(dir.path());
        let mut at = 0;
        for more in batches {
            append(&archive, at..at + more, |_| 1200);
            at += more;
        }
        assert_eq!(compare(&archive, |_| 1200), at, "{batches:?}");
        verified(&archive, at);
        drop(archive);
        // Opened again, what is not full is merged with what comes.
        let archive = opened(dir.path());
        append(&archive, at..at + 8300, |_| 1200);
        assert_eq!(compare(&archive, |_| 1200), at + 8300, "{batches:?}");
        verified(&archive, at + 8300);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, max_shrink_iters: 0, ..ProptestConfig::default() })]
    #[test]
    fn raw_events_stay_with_their_calls_whatever_the_sizes(
        batches in prop::collection::vec(prop_oneof![1_u64..60, 500_u64..3000, Just(8192)], 8..80),
        sizes in prop::collection::vec(prop_oneof![Just(60_usize), 60_usize..500, 900_usize..2500], 1..40),
        reopened in 0_usize..40,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let bytes = |n: u64| sizes[n as usize % sizes.len()];
        let mut archive = opened(dir.path());
        let mut at = 0;
        for (round, more) in batches.iter().enumerate() {
            if at > 20_000 {
                break;
            }
            append(&archive, at..at + more, bytes);
            at += more;
            if round == reopened {
                drop(archive);
                archive = opened(dir.path());
            }
        }
        prop_assert_eq!(compare(&archive, bytes), at);
        verified(&archive, at);
    }
}

fn shifted(dir: &Path, sql: &str) -> Vec<String> {
    let archive = opened(dir);
    append(&archive, 0..3000, |_| 300);
    drop(archive);
    let db = Connection::open(dir.join("segment-00000001.db")).unwrap();
    db.execute_batch(sql).unwrap();
    drop(db);
    let archive = opened(dir);
    let checked = archive.verify(&bounds()).unwrap();
    assert!(checked.damaged > 0, "{checked:?}");
    checked.problems.into_iter().map(|problem| problem.what).collect()
}

#[test]
fn raw_events_that_are_those_of_other_calls_are_noticed() {
    // Two whole frames of 1,024 that changed places: each is as it was written.
    let dir = tempfile::tempdir().unwrap();
    let told = shifted(
        dir.path(),
        "UPDATE raw SET first = -1 WHERE first = 0; UPDATE raw SET first = 0 WHERE first = 1024;
         UPDATE raw SET first = 1024 WHERE first = -1;",
    );
    assert!(told.iter().any(|what| what.contains("another call")), "{told:?}");
    // A frame that begins too early or is not there.
    for sql in [
        "UPDATE raw SET first = 1000 WHERE first = 1024",
        "DELETE FROM raw WHERE first = 0",
        "DELETE FROM raw",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let told = shifted(dir.path(), sql);
        assert!(told.iter().any(|what| what.contains("lacks raw events")), "{sql}: {told:?}");
    }
}

#[test]
fn a_frame_that_is_lost_shifts_no_other_when_small_ones_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let archive = opened(dir.path());
    for at in 0..6 {
        append(&archive, at * 500..(at + 1) * 500, |_| 300);
    }
    drop(archive);
    let db = Connection::open(dir.path().join("segment-00000001.db")).unwrap();
    assert_eq!(db.execute("DELETE FROM raw WHERE first = 1000", []).unwrap(), 1);
    drop(db);
    let archive = opened(dir.path());
    append(&archive, 3000..9000, |_| 300);
    let mut cursor = None;
    loop {
        let page = archive.page(&Filter::default(), cursor, 1000, &bounds()).unwrap().value;
        let ids: Vec<CallId> = page.calls.iter().map(|call| call.id).collect();
        for (call, raw) in page.calls.iter().zip(archive.raws(&ids)) {
            let n = call.offset / LINE;
            match raw {
                Ok(raw) => assert!(raw == event(n, 300).raw, "line {n} has the raw event of another"),
                Err(error) => assert!((1000..1500).contains(&n), "line {n}: {error}"),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return;
        }
    }
}

#[test]
fn each_event_is_handed_on_newest_first_until_it_is_enough_and_what_is_damaged_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let archive = opened(dir.path());
    append(&archive, 0..1300, |_| 200);
    let mut last = u64::MAX;
    let (mut seen, mut lacking) = (0, 0);
    let answer = archive.each_raw(&Filter::default(), &bounds(), |call, raw| {
        let n = call.offset / LINE;
        assert!(n < last && raw == Some(&*event(n, 200).raw), "{n}");
        (last, seen) = (n, seen + 1);
        true
    });
    assert!(answer.unwrap().lacks_nothing() && seen == 1300 && last == 0);
    let mut taken = 0;
    let enough = archive.each_raw(&Filter::default(), &bounds(), |_, _| {
        taken += 1;
        taken < 700
    });
    assert!(enough.unwrap().lacks_nothing() && taken == 700);
    let none = Bounds { within: Duration::ZERO, ..bounds() };
    assert!(!archive.each_raw(&Filter::default(), &none, |_, _| true).unwrap().is_whole);
    archive.close();
    drop(archive);
    let db = Connection::open(dir.path().join("segment-00000001.db")).unwrap();
    db.execute(
        "UPDATE raw SET frame = zeroblob(length(frame)) WHERE first = (SELECT min(first) FROM raw)",
        [],
    )
    .unwrap();
    drop(db);
    seen = 0;
    opened(dir.path())
        .each_raw(&Filter::default(), &bounds(), |_, raw| {
            seen += 1;
            lacking += u64::from(raw.is_none());
            true
        })
        .unwrap();
    assert!(seen == 1300 && lacking > 0, "{lacking} of {seen}");
}
