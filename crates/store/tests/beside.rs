//! A history that is read beside its app: as it is, without a trace, and never wrongly for the whole.

mod common;

use common::{LATER, draft, key, started};
use sallyport_audit::{Action, Draft, Verdict};
use sallyport_store::{History, Kept, StoreError, read_beside};
use std::fs;
use std::path::Path;

const ALL: usize = 1_000_000;

/// Names and lengths of what is in a folder, but for the head, which follows the last entry.
fn files(dir: &Path) -> Vec<(String, u64)> {
    let mut files: Vec<(String, u64)> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.metadata().unwrap().len()))
        .collect();
    files.retain(|(name, _)| !name.starts_with("history.head"));
    files.sort();
    files
}

#[tokio::test]
async fn it_is_read_while_the_app_writes_and_when_it_is_gone_and_nothing_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), Some(key())).await.unwrap();
    for n in 0..50 {
        history.append(draft(n)).await.unwrap();
    }
    history.append_durable(Draft::new(Action::Leave).at(LATER - 5)).await.unwrap();
    let before = files(dir.path());
    let read = read_beside(dir.path(), LATER + 20, ALL).unwrap();
    assert_eq!(files(dir.path()), before);
    let calls = read.entries.iter().filter(|entry| entry.action == Action::Call).count();
    // Of the calls those that were asked for, of the steps all.
    assert_eq!(calls, 30);
    let steps: Vec<Action> =
        read.entries.iter().map(|entry| entry.action).filter(|a| *a != Action::Call).collect();
    assert_eq!(steps, [Action::ChainBegun, Action::AppStarted, Action::Leave]);
    assert!(read.entries.is_sorted_by_key(|entry| entry.sequence));
    assert!(
        read.is_complete && !read.has_more && read.unreadable.is_empty(),
        "it is held by a process that lives"
    );
    assert_eq!(read.last, Some(LATER - 5));
    assert!(read.first.unwrap() < LATER);

    // It does not keep the app from writing on, and the next look has what came.
    history.append_durable(draft(99)).await.unwrap();
    let few = read_beside(dir.path(), LATER, 10).unwrap();
    assert!(few.has_more);
    assert_eq!(few.entries.iter().filter(|entry| entry.action == Action::Call).count(), 10);
    assert_eq!(read_beside(dir.path(), LATER + 60, ALL).unwrap().entries.len(), 4);

    history.close().await.unwrap();
    let before = files(dir.path());
    let read = read_beside(dir.path(), LATER, ALL).unwrap();
    assert_eq!(files(dir.path()), before, "no log and no index is made");
    assert!(read.is_complete, "it stopped in order");
    assert_eq!(read.entries.last().unwrap().action, Action::AppStopped);
}

#[tokio::test]
async fn whether_the_app_died_is_not_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), Some(key())).await.unwrap();
    history.append_durable(draft(1)).await.unwrap();
    drop(history);
    // Its writer lets go without a word of the stop.
    drop(started(dir.path()).await);
    let read = (0..6000).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        read_beside(dir.path(), 0, ALL).ok().filter(|read| !read.is_complete)
    });
    let read = read.unwrap();
    assert!(read.entries.iter().any(|entry| entry.action == Action::Gap), "its start found the stop unclean");
    // A process id that stands in a lock which nobody holds is no process.
    fs::write(dir.path().join("history.lock"), std::process::id().to_string()).unwrap();
    assert!(!read_beside(dir.path(), 0, ALL).unwrap().is_complete);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_clear_error_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(matches!(read_beside(&at("none"), 0, ALL), Err(StoreError::NoHistory { .. })));
    fs::create_dir_all(at("folder/history.db")).unwrap();
    assert!(matches!(read_beside(&at("folder"), 0, ALL), Err(StoreError::NoHistory { .. })));
    fs::create_dir_all(at("empty")).unwrap();
    fs::write(at("empty/history.db"), b"").unwrap();
    assert!(matches!(read_beside(&at("empty"), 0, ALL), Err(StoreError::NoHistory { .. })));
    assert_eq!(files(&at("empty")).len(), 1);

    let whole = at("whole");
    let history = History::open(&whole, Some(key())).await.unwrap();
    for n in 0..9 {
        history.append_durable(draft(n)).await.unwrap();
    }
    // A copy that was taken in the middle: with its log, without the log's index.
    fs::create_dir_all(at("copied")).unwrap();
    for name in ["history.db", "history.db-wal"] {
        fs::copy(whole.join(name), at("copied").join(name)).unwrap();
    }
    assert!(matches!(read_beside(&at("copied"), 0, ALL), Err(StoreError::Unfolded { .. })));
    assert_eq!(files(&at("copied")).len(), 2);
    // The same with it, as an app leaves it that was killed: what was acknowledged is read.
    fs::copy(whole.join("history.db-shm"), at("copied/history.db-shm")).unwrap();
    let killed = read_beside(&at("copied"), 0, ALL).unwrap();
    assert!(!killed.is_complete);
    assert_eq!((killed.entries.len(), files(&at("copied")).len()), (11, 3));
    history.close().await.unwrap();

    let edit =
        |sql: &str| rusqlite::Connection::open(whole.join("history.db")).unwrap().execute_batch(sql).unwrap();
    edit("DROP TRIGGER entry_is_not_edited; UPDATE entry SET detail = 'x' WHERE sequence = 5");
    let read = read_beside(&whole, 0, ALL).unwrap();
    assert_eq!(read.unreadable, [LATER + 2]);
    assert_eq!(read.entries.len(), 11);
    edit("PRAGMA user_version = 99");
    let newer = read_beside(&whole, 0, ALL);
    assert!(matches!(newer, Err(StoreError::Newer { found: 99, .. })), "{newer:?}");
    assert!(whole.join("history.db").exists());

    let noise = at("noise");
    fs::create_dir_all(&noise).unwrap();
    fs::write(noise.join("history.db"), vec![b'x'; 8192]).unwrap();
    let damaged = read_beside(&noise, 0, ALL);
    assert!(damaged.as_ref().is_err_and(StoreError::is_damage), "{damaged:?}");
    assert_eq!(files(&noise).len(), 1, "nothing is moved aside");
}

#[tokio::test]
async fn a_history_at_rest_is_checked_without_a_trace_also_where_nobody_may_write() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), Some(key())).await.unwrap();
    for n in 0..9 {
        history.append_durable(draft(n)).await.unwrap();
    }
    let while_open = Kept::open(dir.path()).unwrap().check(Some(&key()), &[]).unwrap().verdict();
    assert_eq!(while_open, Verdict::Verified { entries: 11 });
    history.close().await.unwrap();
    let all = |dir: &Path| {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let before = all(dir.path());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let kept = Kept::open(dir.path()).unwrap();
    assert_eq!(kept.check(Some(&key()), &[]).unwrap().verdict(), Verdict::Verified { entries: 12 });
    assert_eq!(kept.walk(|entries| entries.count()).unwrap(), 12);
    assert_eq!(all(dir.path()), before, "while it is open too");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();

    // Its app begins to write there: what is read from here on may be anything, and is no verdict.
    let again = History::open(dir.path(), Some(key())).await.unwrap();
    again.append_durable(draft(20)).await.unwrap();
    assert!(matches!(kept.walk(|entries| entries.count()), Err(StoreError::Busy { .. })));
    assert!(matches!(kept.check(Some(&key()), &[]), Err(StoreError::Busy { .. })));
    again.close().await.unwrap();
    assert!(matches!(kept.seals(&[], &[]), Err(StoreError::Busy { .. })), "also once it is at rest again");
    let fresh = Kept::open(dir.path()).unwrap().check(Some(&key()), &[]).unwrap().verdict();
    assert!(matches!(fresh, Verdict::Verified { .. }), "{fresh:?}");
}

#[tokio::test]
async fn what_is_no_whole_history_is_said_by_whoever_checks_as_by_whoever_reads() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(matches!(Kept::open(&at("none")), Err(StoreError::NoHistory { .. })));
    let whole = at("whole");
    let history = History::open(&whole, Some(key())).await.unwrap();
    history.append_durable(draft(1)).await.unwrap();
    fs::create_dir_all(at("copied")).unwrap();
    for name in ["history.db", "history.db-wal"] {
        fs::copy(whole.join(name), at("copied").join(name)).unwrap();
    }
    assert!(matches!(Kept::open(&at("copied")), Err(StoreError::Unfolded { .. })));
    assert_eq!(files(&at("copied")).len(), 2);
    history.close().await.unwrap();
}
