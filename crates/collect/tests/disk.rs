//! A pipe whose own disk fails.

mod common;

use common::{Pipe, Store, line};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_and_makes_room_where_nothing_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new("victorialogs", |_| 200);
    fs::create_dir(dir.path().join("taken.new")).unwrap();
    let pipe = Pipe::start(dir.path(), &line("one"), &store, Duration::from_millis(200));
    pipe.until("the store has the first", || store.has("one")).await;
    pipe.until("its room is free again", || pipe.spool.held() == 0).await;
    pipe.until("it is said", || pipe.said().iter().any(|said| said.contains("tried again"))).await;
    pipe.spool.append(line("two").as_bytes()).unwrap();
    pipe.until("the store has what came since", || store.has("two")).await;
    pipe.until("its room is free as well", || pipe.spool.held() == 0).await;
    assert_eq!(pipe.said().len(), 1, "once: {:?}", pipe.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_put_aside_waits() {
    let dir = tempfile::tempdir().unwrap();
    let refused = dir.path().join("refused.jsonl");
    let refusals = Arc::new(AtomicUsize::new(0));
    let counted = refusals.clone();
    let store = Store::new("victorialogs", move |body| {
        let is_refused = body.contains("\"bad\"");
        counted.fetch_add(usize::from(is_refused), Ordering::SeqCst);
        if is_refused { 400 } else { 200 }
    });
    let lines = line("one") + &line("bad") + &line("two");
    fs::create_dir(&refused).unwrap();
    let pipe = Pipe::start(dir.path(), &lines, &store, Duration::from_millis(200));
    let fails =
        || pipe.said().iter().filter(|said| said.contains("not put aside, which is tried again")).count();
    pipe.until("it is said", || fails() > 0).await;
    assert!(pipe.spool.held() > 0, "nothing of it is given up");
    let sent = || (store.times("\"one\""), store.times("\"two\""), refusals.load(Ordering::SeqCst));
    // Before each further try the store is asked to take nothing.
    let (before, asked) = (sent(), store.times(""));
    pipe.until("it is tried again, twice", || store.times("") >= asked + 2).await;
    assert_eq!(sent(), before, "and nothing is sent once more for that");
    assert_eq!(fails(), 1, "it is said once: {:?}", pipe.said());
    fs::remove_dir(&refused).unwrap();
    pipe.until("it is put aside", || {
        fs::read_to_string(&refused).is_ok_and(|text| text == line("bad"))
            && pipe.spool.held() == line("bad").len() as u64
    })
    .await;
    assert!(store.has("one") && store.has("two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_while_room_is_made_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let refused = dir.path().join("refused.jsonl");
    let store = Store::new("victorialogs", |body| if body.contains("bad") { 400 } else { 200 });
    fs::create_dir(&refused).unwrap();
    // What the store has of the first is taken off the disk, which is well for that, after it failed for the other.
    let pipe = Pipe::start(dir.path(), &line("one"), &store, Duration::from_secs(3));
    pipe.until("the store has the first", || store.has("one")).await;
    pipe.spool.append((line("bad") + &line("two")).as_bytes()).unwrap();
    let held = pipe.spool.held();
    let fails = || pipe.said().iter().filter(|said| said.contains("which is tried again")).count();
    pipe.until("it is said", || fails() > 0).await;
    pipe.until("the first has made room", || pipe.spool.held() < held).await;
    let asked = store.times("");
    pipe.until("the other is tried again, twice", || store.times("") >= asked + 2).await;
    assert_eq!(fails(), 1, "once: {:?}", pipe.said());
}

/// All tasks in one thread, which a call that blocks would hold up.
#[tokio::test]
async fn a_disk_that_does_not_answer_holds_nobody_up_who_comes() {
    let dir = tempfile::tempdir().unwrap();
    let refused = dir.path().join("refused.jsonl");
    // Whoever opens it to write waits until somebody reads: a disk that takes as long as it likes.
    assert!(std::process::Command::new("mkfifo").arg(&refused).status().unwrap().success());
    let is_stuck = Arc::new(AtomicBool::new(false));
    let (stuck, is_over) = (is_stuck.clone(), Arc::new(AtomicBool::new(false)));
    let (over, fifo) = (is_over.clone(), refused.clone());
    let store = Store::new("victorialogs", move |body| {
        // The last part that is tried: then it is put aside.
        stuck.fetch_or(body.contains("bad") && body.lines().count() == 1, Ordering::SeqCst);
        if body.contains("bad") { 400 } else { 200 }
    });
    let lets_go = std::thread::spawn(move || {
        let began = Instant::now();
        while !over.load(Ordering::SeqCst) && began.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Opened, so that whoever writes goes on; until the end of all tests, since one that is about to open it when nobody
        // reads any more would never come back, and the runtime waits for it.
        std::mem::forget(std::fs::OpenOptions::new().read(true).write(true).open(&fifo));
        over.load(Ordering::SeqCst)
    });
    let pipe = Pipe::start(dir.path(), &(line("one") + &line("bad")), &store, Duration::from_secs(60));
    pipe.until("it is about to be put aside", || is_stuck.load(Ordering::SeqCst)).await;
    for number in 0..20 {
        // Time for it to be stuck, and others are served meanwhile.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (spool, new) = (pipe.spool.clone(), line(&format!("new-{number}")));
        tokio::task::spawn_blocking(move || spool.append(new.as_bytes())).await.unwrap().unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    assert!(lets_go.join().unwrap(), "it was let go before others were served");
}
