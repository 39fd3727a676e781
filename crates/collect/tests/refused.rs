//! A store that refuses what it gets: for what it is, or for how it is asked.

mod common;

use common::{Pipe, Store, line};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LINGER: Duration = Duration::from_millis(200);

fn lines(name: &str, many: usize) -> String {
    (0..many).map(|number| line(&format!("{name}-{number}-"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_how_it_is_asked_waits_and_is_said() {
    for (kind, status) in [("victorialogs", 400), ("loki", 422), ("loki", 400), ("otlp", 413)] {
        let dir = tempfile::tempdir().unwrap();
        let is_right = Arc::new(AtomicBool::new(false));
        let asked = is_right.clone();
        let store = Store::new(kind, move |_| if asked.load(Ordering::SeqCst) { 200 } else { status });
        let pipe = Pipe::start(dir.path(), &lines("event", 40), &store, LINGER);
        let waits = format!("can't be handed on, and wait: 127.0.0.1:{} answered {status}", store.port());
        pipe.until("it is said", || pipe.said().iter().any(|said| said.contains(&waits))).await;
        assert!(!dir.path().join("refused.jsonl").exists(), "{kind}: nothing is given up");
        is_right.store(true, Ordering::SeqCst);
        pipe.until("all of it is there", || {
            (0..40).all(|number| store.has(&format!("event-{number}-"))) && pipe.spool.held() == 0
        })
        .await;
        assert!(!dir.path().join("refused.jsonl").exists(), "{kind}: nothing was put aside");
        assert_eq!(pipe.said().len(), 2, "{kind}: {:?}", pipe.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_what_it_is_keeps_nothing_up_however_much_of_it_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new("loki", |body| if body.contains("old-") { 400 } else { 200 });
    // More than go into one request, and what is not refused comes after.
    let (old, new) = (lines("old", 1100), lines("new", 20));
    let pipe = Pipe::start(dir.path(), &(old.clone() + &new), &store, LINGER);
    pipe.until("the others are there", || (0..20).all(|number| store.has(&format!("new-{number}-")))).await;
    pipe.until("it is put aside", || {
        fs::read_to_string(dir.path().join("refused.jsonl")).is_ok_and(|text| text == old)
    })
    .await;
    let said = pipe.said();
    assert!(said.len() == 1 && said[0].contains("put into `refused.jsonl`"), "once: {said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_waits_for_another_that_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new("victorialogs", |body| if body.contains("bad-") { 400 } else { 200 });
    let pipe = Pipe::start(dir.path(), &lines("bad", 1), &store, LINGER);
    pipe.until("it is said", || pipe.said().iter().any(|said| said.contains("can't be handed on"))).await;
    pipe.spool.append(lines("good", 1).as_bytes()).unwrap();
    pipe.until("the other is there", || store.has("good-0-")).await;
    let refused = lines("bad", 1);
    pipe.until("it is put aside", || {
        fs::read_to_string(dir.path().join("refused.jsonl")).is_ok_and(|text| text == refused)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_asked_to_take_nothing_and_says_so_lives() {
    let dir = tempfile::tempdir().unwrap();
    // As Loki does.
    let store = Store::new("loki", |body| if body.contains("event-") { 200 } else { 422 });
    let pipe = Pipe::start(dir.path(), &lines("event", 3), &store, LINGER);
    pipe.until("what it has is deleted", || store.has("event-2-") && pipe.spool.held() == 0).await;
    assert_eq!(pipe.said(), Vec::<String>::new(), "an hour in which nothing comes is none in which it fails");
}
