//! Reading: an answer is whole, or it is said how far it goes, or there is none.

use super::store::{FakeStore, calls};
use crate::desk::AppError;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{AuditFilter, ErrorCode};
use sallyport_model::{ClusterName, SessionId};
use sallyport_store::{Filter, StoreError, TopBy};
use std::sync::atomic::Ordering;

fn cut() -> Option<StoreError> {
    Some(StoreError::Busy { file: "history.db" })
}

fn eu() -> ClusterName {
    "eu".parse().unwrap()
}

/// A call on a cluster.
fn call(cluster: &str) -> Draft {
    Draft::new(Action::Call).cluster(&cluster.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn whatever_is_asked_of_a_history_that_can_not_be_read_the_answer_says_so_and_what_to_do() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    for call in ["page", "page", "count", "buckets", "top", "range", "read_from", "page", "read_from"] {
        store.fails(call, [cut()]);
    }
    let errors: Vec<AppError> = vec![
        recorder.page(AuditFilter::default(), None, 10).await.err().unwrap(),
        recorder.entries(Filter::default(), None, 10).await.err().unwrap(),
        recorder.count(Filter::default()).await.unwrap_err(),
        recorder.buckets(Filter::default(), 0, 1, 1).await.unwrap_err(),
        recorder.top(Filter::default(), TopBy::User, 1).await.unwrap_err(),
        recorder.range().await.unwrap_err(),
        recorder.read_from(1, 1).await.unwrap_err(),
        recorder.recorded("s", "t").await.unwrap_err(),
        recorder.called(&eu()).await.err().unwrap(),
    ];
    for (at, error) in errors.iter().enumerate() {
        assert_eq!(error.code(), ErrorCode::Failed, "{at}");
        assert!(error.view().hint.unwrap().contains("verify"), "{at}: {error}");
    }
    // It is back.
    assert_eq!(recorder.count(Filter::default()).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_makes_no_sense_is_said_before_anything_is_read_and_no_page_is_without_bounds() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    let wrong = AuditFilter { action: Some("no such".into()), ..AuditFilter::default() };
    let error = recorder.page(wrong, None, 10).await.err().unwrap();
    assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
    assert!(store.pages.lock().unwrap().is_empty());
    for limit in [0, 7, u32::MAX] {
        recorder.page(AuditFilter::default(), None, limit).await.unwrap();
    }
    assert_eq!(*store.pages.lock().unwrap(), [1, 7, 500]);
}

#[tokio::test(start_paused = true)]
async fn calls_are_told_as_far_back_as_all_of_them_are_there() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    let none = recorder.called(&eu()).await.unwrap();
    assert!(none.since.is_none() && none.entries.is_empty(), "a history without a beginning says nothing");
    store.keep(10, Draft::new(Action::ChainBegun));
    store.keep(20, call("eu"));
    store.keep(30, call("us"));
    let all = recorder.called(&eu()).await.unwrap();
    assert_eq!((all.since, all.entries.len()), (Some(10_000_000), 1));
    // Some went missing in between: what is older than that says nothing.
    store.keep(40, Draft::new(Action::Gap));
    store.keep(50, call("eu"));
    let after = recorder.called(&eu()).await.unwrap();
    assert_eq!((after.since, after.entries.len()), (Some(40_000_000), 1));
    store.damaged.store(5, Ordering::Relaxed);
    let unknown = recorder.called(&eu()).await.unwrap();
    assert_eq!((unknown.since, unknown.entries.len()), (Some(i64::MAX), 0), "nothing is known of before now");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_breaks_off_ends_what_is_known_and_never_leaves_a_hole_in_it() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    store.keep(0, Draft::new(Action::ChainBegun));
    for second in 1..=2_500 {
        store.keep(second, call("eu"));
    }
    assert_eq!(recorder.called(&eu()).await.unwrap().entries.len(), 2_500);
    // In the second page of three: the first, whole, is all that is told.
    store.damaged.store(1_000, Ordering::Relaxed);
    let called = recorder.called(&eu()).await.unwrap();
    assert_eq!((called.entries.len(), called.since), (1_000, called.entries.last().map(|one| one.at)));
    assert!(called.entries.iter().all(|one| one.at >= called.since.unwrap()));
    store.damaged.store(0, Ordering::Relaxed);
    store.fails("page", [None, None, cut()]);
    assert!(recorder.called(&eu()).await.is_err(), "half of it is no answer");
    store.keep(2_501, Draft::new(Action::AppStarted));
    for second in 2_502..=23_000 {
        store.keep(second, call("eu"));
    }
    let called = recorder.called(&eu()).await.unwrap();
    assert_eq!((called.entries.len(), called.since), (20_000, called.entries.last().map(|one| one.at)));
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_a_recording_are_all_that_were_noted_or_there_is_no_answer() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    let part = |terminal: &str, number: u64, hash: &str| {
        let draft = Draft::new(Action::Recorded).session(&SessionId::new("s"));
        draft.detail("terminal", terminal).detail("segment", number).detail("sha256", hash)
    };
    for number in 0..600 {
        store.keep(1, part("t", number, &format!("hash-{number}")));
        store.keep(1, part("other", number, "of another"));
    }
    // What says nothing of a part, or of one that can't be, is left out.
    store.keep(1, Draft::new(Action::Recorded).session(&SessionId::new("s")).detail("terminal", "t"));
    store.keep(1, part("t", u64::MAX, "far"));
    let found = recorder.recorded("s", "t").await.unwrap();
    assert_eq!((found.len(), found[&599].as_str()), (600, "hash-599"));
    assert!(recorder.recorded("another", "t").await.unwrap().is_empty());
    store.fails("page", [None, cut()]);
    assert!(
        recorder.recorded("s", "t").await.is_err(),
        "a part that is not found would be taken for one too many"
    );
}

#[tokio::test(start_paused = true)]
async fn how_sessions_ended_is_told_of_one_cluster_and_of_the_last_few() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    for second in 0..60 {
        store.keep(second, Draft::new(Action::RightsGone).cluster(&eu()));
        store.keep(second, Draft::new(Action::RightsGone).cluster(&"us".parse().unwrap()));
    }
    calls(3).into_iter().for_each(|draft| store.keep(70, draft));
    let ends = recorder.ends(&eu()).await.unwrap();
    assert_eq!((ends.len(), ends[0].at), (40, 59_000_000));
    assert!(ends.iter().all(|entry| entry.cluster == Some(eu()) && entry.action == Action::RightsGone));
}

#[tokio::test(start_paused = true)]
async fn pages_go_on_below_the_entry_that_was_named_and_each_entry_is_on_one_of_them() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    (1..=25).for_each(|second| store.keep(second, call("eu")));
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = recorder.page(AuditFilter::default(), before, 10).await.unwrap();
        assert_eq!(page.total, 25);
        seen.extend(page.entries.iter().map(|entry| entry.sequence));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<i64>>());
    let error = recorder.page(AuditFilter::default(), Some(-1), 10).await.err().unwrap();
    assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
}
