//! The real file and the real gateway, where a fake could not show it.

use super::store::calls;
use crate::history::Recorder;
use sallyport_audit::Action;
use sallyport_gateway::{Gateway, GatewayOptions};
use sallyport_store::{Filter, History};
use std::time::Duration;

async fn becomes(gateway: &Gateway, recording: bool) {
    let mut left = 3_000;
    while gateway.is_recording() != recording {
        left -= 1;
        assert!(left > 0, "recording stays {}", !recording);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn fault_e2_p17_calls_wait_while_their_entries_do_not_reach_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(History::open(dir.path(), None).await.unwrap());
    let gateway = Gateway::start(GatewayOptions::default()).await.unwrap();
    let drafts = || calls(64);
    recorder.calls(&gateway, drafts()).await;
    assert!(gateway.is_recording());

    // A disk that takes nothing: somebody else writes and does not stop.
    let other = rusqlite::Connection::open(dir.path().join("history.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writing = {
        let (recorder, gateway) = (recorder.clone(), gateway.clone());
        tokio::spawn(async move { recorder.calls(&gateway, drafts()).await })
    };
    becomes(&gateway, false).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!gateway.is_recording() && !writing.is_finished(), "it stays so while the disk does");
    other.execute_batch("ROLLBACK").unwrap();
    becomes(&gateway, true).await;
    writing.await.unwrap();
    let calls = Filter { actions: vec![Action::Call], ..Filter::default() };
    assert_eq!(recorder.history.count(calls).await.unwrap(), 128, "none was lost");
    recorder.close(Duration::from_secs(3)).await;
    gateway.shutdown().await;
}
