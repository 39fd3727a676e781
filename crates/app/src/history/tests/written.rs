//! Writing: nothing that can't be written is taken for written, nobody waits longer than they said, and no call passes that
//! can't be recorded.

use super::store::{FakeGateway, FakeStore, calls, until};
use crate::desk::{AppError, Desk, Host, Options};
use sallyport_audit::{Action, Draft};
use sallyport_ipc::Event;
use sallyport_store::{HistoryState, StoreError};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

fn full() -> Option<StoreError> {
    Some(StoreError::Stalled { waiting: 8192 })
}

#[tokio::test(start_paused = true)]
async fn p17_calls_wait_while_their_entries_do_not_reach_the_disk_and_pass_when_they_have() {
    let (store, gateway) = (FakeStore::new(), Arc::new(FakeGateway::default()));
    let recorder = store.recorder();
    recorder.calls(&*gateway, calls(3)).await;
    assert!(gateway.told().is_empty(), "a healthy disk holds nobody back");
    store.disk_stops();
    let writing = tokio::spawn({
        let (recorder, gateway) = (recorder.clone(), gateway.clone());
        async move { recorder.calls(&*gateway, calls(3)).await }
    });
    until("calls wait", || gateway.told() == [false]).await;
    tokio::time::sleep(HOUR).await;
    assert!(gateway.told() == [false] && !writing.is_finished(), "it stays so while the disk does");
    store.disk_goes_on();
    writing.await.unwrap();
    assert_eq!((gateway.told(), store.actions().len()), (vec![false, true], 6), "none was lost");
}

#[tokio::test(start_paused = true)]
async fn p17_a_disk_that_is_a_little_late_holds_nobody_back() {
    let (store, gateway) = (FakeStore::new(), FakeGateway::default());
    store.disk_stops();
    let later = async {
        tokio::time::sleep(Duration::from_millis(900)).await;
        store.disk_goes_on();
    };
    let recorder = store.recorder();
    futures::join!(recorder.calls(&gateway, calls(3)), later);
    assert!(gateway.told().is_empty());
}

#[tokio::test(start_paused = true)]
async fn p17_calls_wait_also_while_there_is_no_place_for_their_entries() {
    let (store, gateway) = (FakeStore::new(), Arc::new(FakeGateway::default()));
    store.hangs.lock().unwrap().insert("append_waiting");
    let writing = tokio::spawn({
        let (recorder, gateway) = (store.recorder(), gateway.clone());
        async move { recorder.calls(&*gateway, calls(1)).await }
    });
    until("calls wait", || gateway.told() == [false]).await;
    tokio::time::sleep(HOUR).await;
    assert!(gateway.told() == [false] && !writing.is_finished());
    writing.abort();
}

#[tokio::test(start_paused = true)]
async fn p17_no_call_passes_any_more_once_one_could_not_be_recorded() {
    let (store, gateway) = (FakeStore::new(), FakeGateway::default());
    store.fails("append_waiting", [None, Some(StoreError::Closed), None]);
    store.recorder().calls(&gateway, calls(3)).await;
    assert_eq!((gateway.told(), store.actions().len()), (vec![false], 2), "the others are written");
    // Also where the disk was late beside it.
    store.fails("append_waiting", [Some(StoreError::Closed), None]);
    store.disk_stops();
    let later = async {
        tokio::time::sleep(HOUR).await;
        store.disk_goes_on();
    };
    let recorder = store.recorder();
    futures::join!(recorder.calls(&gateway, calls(2)), later);
    assert_eq!(gateway.told(), [false, false, false]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_finds_no_place_is_lost_alone() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    store.fails("append", [full()]);
    recorder.note(Draft::new(Action::Hold)).await;
    recorder.note(Draft::new(Action::HoldRemoved)).await;
    assert_eq!(store.actions(), [Action::HoldRemoved]);
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_for_entries_afterwards_waits_for_the_last_of_them_and_no_longer_than_they_said() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    store.disk_stops();
    store.fails("append", [None, None, full()]);
    let (began, within) = (Instant::now(), Duration::from_secs(5));
    recorder.note_all(calls(3), within).await;
    assert_eq!((began.elapsed(), store.actions().len()), (within, 2));
    let began = Instant::now();
    let later = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        store.disk_goes_on();
    };
    futures::join!(recorder.note_all(calls(2), within), later);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    // Nothing was taken, so nothing is waited for.
    store.disk_stops();
    store.fails("append", [full(), full()]);
    let began = Instant::now();
    recorder.note_all(calls(2), within).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_relies_on_is_on_the_disk_or_they_are_told_which_of_the_two_it_is_not() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    recorder.keep(Draft::new(Action::Hold)).await.unwrap();
    let late = Some(StoreError::NotDurable { sequence: 2 });
    store.fails("append_durable", [late, full(), Some(StoreError::Closed)]);
    let error = recorder.keep(Draft::new(Action::Hold)).await.unwrap_err();
    assert!(error.view().hint.unwrap().contains("look into the timeline"), "it may be written yet: {error}");
    for _ in 0..2 {
        let error = recorder.keep(Draft::new(Action::Hold)).await.unwrap_err();
        assert!(error.message().contains("was not written"), "{error}");
    }
    assert_eq!(store.actions().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_ends_waits_for_no_disk_for_longer_than_it_said() {
    let store = FakeStore::new();
    store.fails("close", [Some(StoreError::Lost { entries: 3 })]);
    store.recorder().close(HOUR).await;
    store.hangs.lock().unwrap().insert("close");
    let began = Instant::now();
    store.recorder().close(Duration::from_secs(3)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn the_window_is_told_why_entries_wait_with_what_hides_in_it_visible() {
    let store = FakeStore::new();
    let recorder = store.recorder();
    assert_eq!(recorder.view().trouble, None);
    let why = "database or disk is full\u{202e}".to_owned();
    store.state.send_replace(HistoryState::Stalled { since: 1, why, waiting: 12 });
    let trouble = recorder.view().trouble.unwrap();
    assert_eq!(trouble.as_str(), "12 entries wait for the disk: database or disk is full⟨U+202E⟩");
    store.state.send_replace(HistoryState::Writing);
    assert_eq!(recorder.view().trouble, None, "it is over");
    store.state.send_replace(HistoryState::Closed);
    assert_eq!(recorder.view().trouble.unwrap().as_str(), "the history is closed");
}

/// A window that is told how far the history is.
#[derive(Default)]
struct Window(Mutex<Vec<i64>>);

impl Host for Window {
    fn open_browser(&self, _: &str) -> Result<(), AppError> {
        Ok(())
    }
    fn tell(&self, event: Event) {
        if let Event::HistoryGrew { position } = event {
            self.0.lock().unwrap().push(position.sequence);
        }
    }
    fn exit(&self) {}
}

#[tokio::test(start_paused = true)]
async fn the_window_is_told_of_many_entries_in_few_hints_and_never_after_the_end() {
    let window = Arc::new(Window::default());
    let (desk, _home) = Desk::apart(window.clone(), Options::default()).await;
    let told = || window.0.lock().unwrap().clone();
    let store = FakeStore::new();
    let hinting = tokio::spawn(store.recorder().hint(desk.clone()));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(told().is_empty(), "nothing was written");
    for draft in calls(500) {
        store.keep(1, draft);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    until("the last is told", || told().last() == Some(&500)).await;
    assert!(told().len() <= 4, "{:?}", told());
    desk.stop.cancel();
    hinting.await.unwrap();
    let before = told();
    store.keep(1, Draft::new(Action::AppStopped));
    tokio::time::sleep(HOUR).await;
    assert_eq!(told(), before);
}
