//! Checking and anchoring: a verdict is of what was read, and an anchor of what is true.

use super::store::{FakeStore, calls};
use sallyport_audit::{Action, Draft, Fault, Outcome, Unanchored, Verdict as Found};
use sallyport_ipc::Verdict;
use sallyport_store::StoreError;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn what_a_check_came_to_is_shown_and_written_down() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    assert_eq!(recorder.view().verdict, None, "nobody looked yet");
    store.keep(1, Draft::new(Action::Gap));
    let unanchored = Found::Unanchored { entries: 7, until: 7, why: Unanchored::NoKey };
    let broken = Found::Broken { first_bad: 4, why: Fault::Edited };
    for (found, shown, outcome, word) in [
        (Found::Verified { entries: 7 }, Verdict::Verified, Outcome::Ok, "verified"),
        (unanchored, Verdict::Unanchored, Outcome::Ok, "unanchored"),
        (broken, Verdict::Broken, Outcome::Failed, "broken"),
    ] {
        *store.verdict.lock().unwrap() = found;
        let view = recorder.verify().await.unwrap();
        assert_eq!((view.verdict, view.gaps), (shown, 1), "{word}");
        assert_eq!(recorder.view().verdict, Some(shown), "{word}");
        let entry = store.last();
        assert_eq!((entry.action, entry.outcome), (Action::Verify, outcome), "{word}");
        assert_eq!(entry.detail.get("verdict"), Some(&json!(word)));
    }
    let view = recorder.verify().await.unwrap();
    assert_eq!((view.first_bad, view.entries), (Some(4), 3), "what comes before it is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_broke_off_is_no_verdict_and_takes_none_back() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    recorder.verify().await.unwrap();
    let (before, written) = (recorder.view(), store.actions().len());
    *store.verdict.lock().unwrap() = Found::Broken { first_bad: 1, why: Fault::Edited };
    for call in ["check", "count"] {
        store.fails(call, [Some(StoreError::Busy { file: "history.db" })]);
        let error = recorder.verify().await.unwrap_err();
        assert!(error.message().contains("can't be read"), "{call}: {error}");
        assert_eq!((recorder.view(), store.actions().len()), (before.clone(), written), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_can_not_be_had_soon_holds_neither_a_check_nor_a_request_up() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    calls(3).into_iter().for_each(|draft| store.keep(1, draft));
    store.fails("seal", [Some(StoreError::NotDurable { sequence: 3 })]);
    assert_eq!(recorder.anchor().await.unwrap().sequence, 3);
    store.hangs.lock().unwrap().insert("seal");
    let began = Instant::now();
    let anchor = recorder.anchor().await.unwrap();
    assert_eq!((anchor.sequence, anchor.key), (3, None));
    assert_eq!(recorder.verify().await.unwrap().verdict, Verdict::Verified);
    assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(store.sealed.load(Ordering::Relaxed), 0);
    store.hangs.lock().unwrap().clear();
    recorder.anchor().await.unwrap();
    assert_eq!(store.sealed.load(Ordering::Relaxed), 1, "it is sealed first, where it can be");
}

#[tokio::test(start_paused = true)]
async fn no_anchor_is_made_of_a_history_that_is_empty_or_has_entries_missing() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    assert!(recorder.anchor().await.is_none());
    store.is_whole.store(false, Ordering::Relaxed);
    store.keep(1, Draft::new(Action::Hold));
    assert!(recorder.anchor().await.is_none(), "nobody can say which it is");
    store.is_whole.store(true, Ordering::Relaxed);
    store.keep(1, Draft::new(Action::Hold));
    let anchor = recorder.anchor().await.unwrap();
    // Of what is on the disk, not of what waits for it.
    store.disk_stops();
    store.keep(1, Draft::new(Action::HoldRemoved));
    assert_eq!(recorder.anchor().await.unwrap(), anchor);
    assert_eq!(anchor.sequence, 2);
}
