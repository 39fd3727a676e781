//! Segments that can't be opened: every answer says that they are missing from it.

mod common;

use common::{BEGIN, HOUR, bounds, filled, opened, options, three_segments};
use sallyport_archive::{Archive, Column, Filter, ObjectRef};
use sallyport_testkit::disk::SmallDisk;

#[test]
fn every_answer_says_that_a_segment_could_not_be_opened() {
    let dir = tempfile::tempdir().unwrap();
    three_segments(dir.path());
    let path = dir.path().join("segment-00000002.db");
    let whole = std::fs::read(&path).unwrap();
    // Another file than it was, none (as one that may not be read is to SQLite), and an empty one.
    for round in 0..3 {
        let _ = std::fs::remove_file(&path);
        match round {
            0 => std::fs::write(&path, [b"garbage!", &whole[8..]].concat()).unwrap(),
            1 => std::fs::create_dir(&path).unwrap(),
            _ => std::fs::write(&path, b"").unwrap(),
        }
        let archive = opened(dir.path());
        let status = archive.status();
        assert_eq!((status.segments, status.unread_segments), (2, 1), "round {round}: {:?}", status.problems);
        assert!(status.problems.iter().any(|one| one.what.contains("segment-00000002.db")), "{status:?}");
        all_answers_lack_something(&archive);
        drop(archive);
        let _ = std::fs::remove_dir(&path);
    }
    std::fs::write(&path, whole).unwrap();
    let archive = opened(dir.path());
    assert!(archive.count(&Filter::default(), &bounds()).unwrap().lacks_nothing());
}

/// Whoever is killed while they make a segment leaves nothing that passes for a damaged one.
#[test]
fn what_was_begun_and_never_whole_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let begun = ["segment-00000001.new", "segment-00000001.new-journal"].map(|name| dir.path().join(name));
    for left in &begun {
        std::fs::write(left, b"half a page").unwrap();
    }
    let archive = filled(dir.path(), 3000, 500);
    assert!(begun.iter().all(|left| !left.exists()));
    assert!(archive.count(&Filter::default(), &bounds()).unwrap().lacks_nothing());
    archive.close();
    drop(archive);
    let status = opened(dir.path()).status();
    assert_eq!((status.events, status.unread_segments), (3000, 0), "{:?}", status.problems);
}

fn all_answers_lack_something(archive: &Archive) {
    let all = Filter::default();
    let lacking = [
        ("count", archive.count(&all, &bounds()).unwrap().unread_segments),
        ("page", archive.page(&all, None, 10, &bounds()).unwrap().unread_segments),
        ("top", archive.top(&all, Column::Verb, 10, &bounds()).unwrap().unread_segments),
        ("histogram", archive.histogram(&all, BEGIN, HOUR, 4, &bounds()).unwrap().unread_segments),
        ("heat", archive.heat(BEGIN, 1, 4, &bounds()).unwrap().unread_segments),
        ("with_audit_ids", archive.with_audit_ids(["x"], &all, 10, &bounds()).unwrap().unread_segments),
        ("deletions", archive.deletions(&ObjectRef::default(), 10, &bounds()).unwrap().unread_segments),
    ];
    for (question, unread) in lacking {
        assert_eq!(unread, 1, "{question} says that it is the whole");
    }
}

#[test]
fn what_is_in_a_log_that_cannot_be_folded_in_is_missed_by_every_answer() {
    let Some(disk) = SmallDisk::mount("32m").unwrap() else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = filled(dir.path(), 3000, 500);
    // As a power cut leaves it, on a disk that can only be read.
    for end in ["db", "db-wal"] {
        let name = format!("segment-00000001.{end}");
        std::fs::copy(dir.path().join(&name), disk.path().join(&name)).unwrap();
    }
    drop(archive);
    disk.read_only().unwrap();
    let archive = Archive::open(disk.path(), options()).unwrap();
    assert_eq!(archive.status().unread_segments, 1, "{:?}", archive.status());
    assert!(archive.count(&Filter::default(), &bounds()).unwrap().value < 3000);
    all_answers_lack_something(&archive);
}

#[test]
fn what_a_killed_process_left_half_done_is_taken_back_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    filled(&whole, 2000, 500).close();
    let name = "segment-00000001.db";
    let db = rusqlite::Connection::open(whole.join(name)).unwrap();
    // As between the modes of its journal; a change that is larger than what is kept in memory is in the file already.
    db.pragma_update(None, "journal_mode", "DELETE").unwrap();
    db.pragma_update(None, "cache_size", 1).unwrap();
    db.execute_batch("BEGIN IMMEDIATE; UPDATE part SET frame = zeroblob(60000);").unwrap();
    std::fs::create_dir(&killed).unwrap();
    for name in [name, "segment-00000001.db-journal"] {
        std::fs::copy(whole.join(name), killed.join(name)).unwrap();
    }
    drop(db);
    let archive = common::opened(&killed);
    let status = archive.status();
    assert_eq!((status.unread_segments, status.events), (0, 2000), "{:?}", status.problems);
    assert_eq!(common::lines(&archive), (0..2000).collect::<Vec<_>>());
    assert_eq!(archive.verify(&common::bounds()).unwrap().damaged, 0);
    // And it is written on, in the same segment.
    common::fill(&archive, 2000, 2500, 500);
    assert_eq!(archive.status().segments, 1);
}
