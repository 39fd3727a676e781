//! Bad days: killed, full, damaged, read-only, late, twice, with a clock that goes back.

mod common;

use common::{
    BEGIN, HOUR, LINE, batch, bounds, count, fill, filled, lines, opened, options, source, three_segments,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sallyport_archive::{Archive, ArchiveError, Batch, Column, Filter, Options, WriterState};
use sallyport_events::Bad;
use sallyport_testkit::child::{self, Child};
use sallyport_testkit::disk::SmallDisk;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[test]
fn an_event_that_was_acknowledged_survives_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = StdRng::seed_from_u64(29);
    let (mut acknowledged, mut kept_on_from) = (0_u64, Vec::new());
    for round in 0..20 {
        let mut child = Child::start("ingest_until_killed", dir.path()).unwrap();
        let until = Instant::now() + Duration::from_millis(dice.random_range(0..60));
        let mut said = 0;
        // At least one in each round: a process that never came so far would show nothing.
        while said == 0 || Instant::now() < until {
            let line = child.line().unwrap().expect("it goes on until it is killed");
            acknowledged = acknowledged.max(line.parse().unwrap());
            said += 1;
        }
        child.kill().unwrap();
        // What it had said before it was killed counts as well.
        while let Some(line) = child.line().unwrap() {
            acknowledged = acknowledged.max(line.parse().unwrap());
        }
        let archive = opened(dir.path());
        let kept = archive.kept_to("api-1", "a.log").unwrap() / LINE;
        assert!(kept >= acknowledged, "round {round}: {acknowledged} acknowledged, {kept} kept");
        assert_eq!(lines(&archive), (0..kept).collect::<Vec<_>>(), "round {round}: each once");
        let checked = archive.verify(&bounds()).unwrap();
        assert_eq!((checked.events, checked.damaged), (kept, 0), "round {round}: {:?}", checked.problems);
        kept_on_from.push(kept);
        archive.close();
    }
    assert!(kept_on_from.windows(2).all(|two| two[0] < two[1]), "each went on: {kept_on_from:?}");
    println!("20 kills, {} events kept", kept_on_from[19]);
}

#[test]
#[ignore = "run by the test that kills it"]
fn ingest_until_killed() {
    let archive = opened(&child::dir().unwrap());
    let source = source("api-1", "eu-1");
    let mut at = archive.kept_to("api-1", "a.log").unwrap_or_default() / LINE;
    let mut dice = StdRng::seed_from_u64(at);
    let mut waiting = std::collections::VecDeque::new();
    loop {
        let end = at + dice.random_range(1..400);
        waiting.push_back((end, archive.append(batch(&source, "a.log", at..end)).unwrap()));
        at = end;
        if waiting.len() > 3
            && let Some((end, pending)) = waiting.pop_front()
        {
            pending.wait().unwrap();
            child::say(&end.to_string());
        }
    }
}

#[test]
fn a_full_disk_stops_writing_says_so_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount("24m").unwrap() else { return };
    let archive = Archive::open(disk.path(), options()).unwrap();
    fill(&archive, 0, 2000, 500);
    disk.fill().unwrap();
    let source = source("api-1", "eu-1");
    // Small batches may still fit into what SQLite has already; sooner or later one does not.
    let (mut at, mut refused) = (2000, None);
    while refused.is_none() && at < 400_000 {
        match archive.append(batch(&source, "a.log", at..at + 500)).unwrap().wait() {
            Ok(_) => at += 500,
            Err(error) => refused = Some(error),
        }
    }
    let refused = refused.expect("a full disk takes no more");
    assert!(refused.to_string().contains("full") || refused.to_string().contains("disk"), "{refused}");
    let WriterState::Stalled { why, .. } = archive.status().state else { panic!("{:?}", archive.status()) };
    assert!(!why.is_empty());
    // Whoever reads is not kept from it.
    assert_eq!(lines(&archive), (0..at).collect::<Vec<_>>());
    // What comes after what was refused is refused too, or the hole would be taken for kept.
    let hole = archive.append(batch(&source, "a.log", at + 500..at + 510)).unwrap().wait();
    assert!(matches!(hole, Err(ArchiveError::Hole { .. })), "{hole:?}");
    disk.free().unwrap();
    fill(&archive, at, at + 2000, 500);
    assert_eq!(archive.status().state, WriterState::Writing);
    assert_eq!(lines(&archive), (0..at + 2000).collect::<Vec<_>>());
    drop(archive);
    let archive = opened(disk.path());
    assert_eq!(lines(&archive), (0..at + 2000).collect::<Vec<_>>());
    assert_eq!(archive.verify(&bounds()).unwrap().damaged, 0);
}

#[test]
fn a_damaged_segment_keeps_to_itself() {
    let dir = tempfile::tempdir().unwrap();
    three_segments(dir.path());
    let path = dir.path().join("segment-00000002.db");
    std::fs::write(&path, b"this was a database once").unwrap();
    let archive = opened(dir.path());
    let status = archive.status();
    assert_eq!((status.segments, status.problems.len()), (2, 1));
    assert!(status.problems[0].what.contains("segment-00000002.db"), "{:?}", status.problems);
    let expected: Vec<u64> = (0..4000).chain(8000..12_000).collect();
    assert_eq!(lines(&archive), expected);
    // How far files were read is known all the same.
    assert_eq!(archive.kept_to("api-1", "a.log"), Some(12_000 * LINE));
    fill(&archive, 12_000, 13_000, 500);
    assert_eq!(lines(&archive).len(), 9000);
    assert!(path.exists(), "nobody threw the evidence away");
}

#[test]
fn damage_anywhere_in_a_segment_is_noticed_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    three_segments(dir.path());
    let path = dir.path().join("segment-00000002.db");
    let whole = std::fs::read(&path).unwrap();
    let mut dice = StdRng::seed_from_u64(17);
    const ROUNDS: u64 = 24;
    let (mut told, mut isolated) = (0, 0);
    for round in 0..ROUNDS {
        let mut changed = whole.clone();
        // A stretch of garbage, as a bad disk leaves it.
        let at = dice.random_range(0..changed.len() - 8192);
        dice.fill(&mut changed[at..at + 8192]);
        std::fs::write(&path, &changed).unwrap();
        let archive = opened(dir.path());
        let answer = archive.count(&Filter::default(), &bounds()).unwrap();
        assert!(answer.value >= 8000, "round {round}: the others are whole");
        let heat = archive.heat(BEGIN, 1, 4, &bounds()).unwrap();
        let calls: u64 = heat.value.clusters["eu-1"].iter().map(|cell| cell.calls).sum();
        assert!(calls == 12_000 || !heat.lacks_nothing(), "round {round}: {calls}");
        let person = Filter::default().only(Column::User, "oidc:person-3").only(Column::Verb, "delete");
        let found = archive.count(&person, &bounds()).unwrap();
        let expected = (0..12_000).filter(|n| n % 17 == 3 && n % 5 == 4).count() as u64;
        assert!(
            found.value == expected || !found.lacks_nothing(),
            "round {round}: {found:?} of {expected}, in silence"
        );
        // Whatever can be read is what was written: pages compare each call with its event.
        let mut cursor = None;
        let mut seen = BTreeSet::new();
        loop {
            let page = archive.page(&Filter::default(), cursor, 1000, &bounds()).unwrap();
            for call in &page.value.calls {
                let n = call.offset / LINE;
                assert_eq!(call.audit_id, common::event(n).audit_id, "round {round}");
                seen.insert(n);
                let user = call.text(Column::User);
                assert!(user == common::event(n).user.name || user == "\u{fffd}", "round {round}: {user}");
                if n.is_multiple_of(97)
                    && let Ok(raw) = archive.raw(call.id)
                {
                    assert_eq!(raw, common::event(n).raw, "round {round}");
                }
            }
            cursor = page.value.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!((0..4000).chain(8000..12_000).all(|n| seen.contains(&n)), "round {round}");
        let checked = archive.verify(&bounds()).unwrap();
        let lost = 12_000 - seen.len() as u64;
        assert!(lost == 0 || !checked.problems.is_empty(), "round {round}: {lost} lost in silence");
        told += u64::from(!checked.problems.is_empty());
        isolated += u64::from(lost == 0);
        archive.close();
        // What was written meanwhile (nothing) does not count.
        for end in ["db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(end));
        }
    }
    println!("{ROUNDS} damages: {told} told, {isolated} without the loss of an event");
    // The rest hit room that nothing is stored in.
    assert!(told > ROUNDS / 4, "{told}: what is stored is under a checksum");
}

#[test]
fn a_disk_that_can_only_be_read_can_be_asked() {
    let Some(disk) = SmallDisk::mount("32m").unwrap() else { return };
    drop(filled(disk.path(), 3000, 500));
    disk.read_only().unwrap();
    let archive = Archive::open(disk.path(), options()).unwrap();
    assert_eq!(archive.status().state, WriterState::ReadOnly);
    assert_eq!(lines(&archive), (0..3000).collect::<Vec<_>>());
    let refused = archive.append(batch(&source("api-1", "eu-1"), "a.log", 3000..3001));
    assert!(matches!(refused, Err(ArchiveError::ReadOnly(_))));
    assert!(matches!(archive.retain(BEGIN), Err(ArchiveError::ReadOnly(_))));
    drop(archive);
    disk.writable().unwrap();
    let archive = opened(disk.path());
    fill(&archive, 3000, 4000, 500);
    assert_eq!(lines(&archive), (0..4000).collect::<Vec<_>>());
}

#[test]
fn a_second_process_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Child::start("ingest_until_killed", dir.path()).unwrap();
    child.line().unwrap().expect("it writes");
    let Err(error @ ArchiveError::Locked { .. }) = Archive::open(dir.path(), options()) else {
        panic!("shared")
    };
    assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
    child.kill().unwrap();
    opened(dir.path());
    // Another part of the same process is no better.
    let first = opened(dir.path());
    assert!(matches!(Archive::open(dir.path(), options()), Err(ArchiveError::Locked { .. })));
    drop(first);
}

#[test]
fn what_comes_twice_is_kept_once_and_counted_and_a_hole_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), 1000, 300);
    let source = source("api-1", "eu-1");
    let again = |lines| archive.append(batch(&source, "a.log", lines)).unwrap().wait();
    let whole = again(0..1000).unwrap();
    assert_eq!((whole.events, whole.duplicates, whole.to), (0, 1000, 1000 * LINE));
    // A part of it: what was kept is left out, what is new is not.
    let part = again(900..1200).unwrap();
    assert_eq!((part.events, part.duplicates, part.to), (200, 100, 1200 * LINE));
    let Err(ArchiveError::Hole { from, kept, .. }) = again(1300..1400) else { panic!("passed over") };
    assert_eq!((from, kept), (1300 * LINE, 1200 * LINE));
    // Another file of the same source, and the same file of another, are others.
    let other = archive.append(batch(&source, "b.log", 0..10)).unwrap().wait().unwrap();
    assert_eq!((other.events, other.duplicates), (10, 0));
    let other = common::source("api-2", "eu-1");
    assert_eq!(archive.append(batch(&other, "a.log", 0..10)).unwrap().wait().unwrap().events, 10);
    // One that is followed from its end says so, or it is refused.
    let from_end = || batch(&source, "c.log", 70..80);
    assert!(matches!(archive.append(from_end()).unwrap().wait(), Err(ArchiveError::Hole { kept: 0, .. })));
    assert_eq!(archive.append(from_end().begins_here()).unwrap().wait().unwrap().events, 10);
    assert_eq!(count(&archive, &Filter::default()), 1230);
    // Raw events are those of what was kept.
    let page = common::page(&archive, &Filter::default(), 1000);
    for call in &page.calls {
        assert_eq!(archive.raw(call.id).unwrap(), common::event(call.offset / LINE).raw);
    }
    let status = archive.status();
    assert_eq!(status.tallies["api-1"]["duplicates"], 1100);
    assert_eq!(status.tallies["api-1"]["events"], 1220);
    assert_eq!(archive.verify(&bounds()).unwrap().events, 1230);
}

#[test]
fn nothing_is_left_out_without_a_counter() {
    let dir = tempfile::tempdir().unwrap();
    let source = source("api-1", "eu-1");
    {
        let archive = opened(dir.path());
        let mut batch = Batch::new(&source, "a.log", 0);
        for n in 0..200 {
            match n % 4 {
                0 => batch.push(&common::found(n)),
                1 => batch.push(&common::foreign(n, "authenticator")),
                2 => batch.push(&common::foreign(n, &format!("kind-{n}"))),
                _ => batch.push(&common::bad(n, Bad::NotJson)),
            }
        }
        batch.read(200, 3, 20_000);
        batch.read_to(200 * LINE);
        archive.append(batch).unwrap().wait().unwrap();
        // A batch without any event says how far the file was read.
        let mut nothing = Batch::new(&source, "a.log", 200 * LINE);
        nothing.push(&common::foreign(200, "authenticator"));
        nothing.read_to(201 * LINE);
        assert!(nothing.is_empty());
        archive.append(nothing).unwrap().wait().unwrap();
    }
    let archive = opened(dir.path());
    let tallies = &archive.status().tallies["api-1"];
    assert_eq!(tallies["events"], 50);
    assert_eq!(tallies["lines"], 200);
    assert_eq!(tallies["foreign: authenticator"], 51);
    let foreign: u64 = tallies.iter().filter(|(what, _)| what.starts_with("foreign: ")).map(|(_, n)| n).sum();
    assert_eq!(foreign, 101);
    assert_eq!(tallies[&format!("bad: {}", Bad::NotJson.why())], 50);
    let bad = archive.bad_lines().unwrap();
    assert_eq!(bad.len(), 50);
    assert_eq!((bad[0].line, bad[0].offset, &*bad[0].file), (200, 199 * LINE, "a.log"));
    assert_eq!(archive.kept_to("api-1", "a.log"), Some(201 * LINE));
}

#[test]
fn what_is_too_old_or_too_much_goes_with_its_segment_and_positions_stay() {
    let dir = tempfile::tempdir().unwrap();
    three_segments(dir.path());
    // Kept for an hour: the first segment ends after 4,000 seconds, the last after 12,000.
    let keep = Options { keep: Some(Duration::from_secs(3600)), segment_bytes: 1, ..options() };
    let archive = Archive::open(dir.path(), keep).unwrap();
    let end = BEGIN + 12_000 * common::SECOND;
    // The clock went back: what is old can't be told.
    let nothing = archive.retain(BEGIN - 100 * HOUR).unwrap();
    assert!(nothing.clock_went_back && nothing.segments == 0, "{nothing:?}");
    let retained = archive.retain(end).unwrap();
    assert_eq!((retained.segments, retained.events), (2, 8000), "{retained:?}");
    assert_eq!(archive.status().removed, 8000);
    assert!(!dir.path().join("segment-00000001.db").exists());
    assert_eq!(lines(&archive), (8000..12_000).collect::<Vec<_>>());
    // The last one too, after what it knows was carried on.
    let retained = archive.retain(end + 2 * HOUR).unwrap();
    assert_eq!((retained.segments, retained.events), (1, 4000));
    assert!(!archive.status().tallies.contains_key(""), "it is counted under no source");
    assert_eq!(count(&archive, &Filter::default()), 0);
    assert_eq!(archive.kept_to("api-1", "a.log"), Some(12_000 * LINE));
    assert_eq!(archive.status().tallies["api-1"]["events"], 12_000);
    drop(archive);
    let archive = opened(dir.path());
    assert_eq!(archive.kept_to("api-1", "a.log"), Some(12_000 * LINE));
    assert_eq!(archive.status().removed, 12_000, "what was removed stays counted");
    fill(&archive, 12_000, 12_100, 100);
    assert_eq!(lines(&archive), (12_000..12_100).collect::<Vec<_>>());
}

#[test]
fn how_long_is_kept_is_said_anew_while_it_is_open() {
    let dir = tempfile::tempdir().unwrap();
    three_segments(dir.path());
    let archive = opened(dir.path());
    let end = BEGIN + 12_000 * common::SECOND;
    assert_eq!(archive.retain(end + 1000 * HOUR).unwrap().segments, 0, "for good, without a word");
    archive.keep(Some(Duration::from_secs(3600)), None);
    assert_eq!(archive.retain(end).unwrap().segments, 2);
    archive.keep(None, Some(1));
    assert_eq!(archive.retain(end).unwrap().segments, 1);
    archive.keep(None, None);
    assert_eq!((archive.retain(end + 1000 * HOUR).unwrap().segments, archive.status().removed), (0, 12_000));
}

#[test]
fn bytes_are_bounded_and_the_oldest_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    three_segments(dir.path());
    let archive = opened(dir.path());
    let one = archive.status().bytes / 3;
    drop(archive);
    let little = Options { keep_bytes: Some(one * 2), ..options() };
    let archive = Archive::open(dir.path(), little).unwrap();
    let retained = archive.retain(BEGIN).unwrap();
    assert!(retained.segments >= 1, "{retained:?}");
    assert!(archive.status().bytes <= one * 2 + one / 2);
    let left = lines(&archive);
    assert_eq!(*left.last().unwrap(), 11_999);
    assert!(left[0] >= 4000);
}

#[test]
fn whoever_reads_while_somebody_writes_sees_whole_batches() {
    let dir = tempfile::tempdir().unwrap();
    let archive = std::sync::Arc::new(opened(dir.path()));
    let reader = {
        let archive = archive.clone();
        std::thread::spawn(move || {
            let (mut last, mut looks) = (0, 0);
            while last < 6000 {
                // Small batches are merged under the reader's eyes all the time.
                let now = count(&archive, &Filter::default());
                assert!(now >= last, "{now} after {last}");
                assert_eq!(now % 20, 0, "a part of a batch was seen");
                let page = common::page(&archive, &Filter::default(), 100);
                assert!(page.calls.len() as u64 >= last.min(100));
                last = now;
                looks += 1;
            }
            looks
        })
    };
    fill(&archive, 0, 6000, 20);
    let looks = reader.join().unwrap();
    println!("{looks} looks beside 300 batches");
    assert_eq!(lines(&archive), (0..6000).collect::<Vec<_>>());
}
