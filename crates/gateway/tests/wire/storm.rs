//! One client that cancels many busy streams at once, again and again, beside one that does not: Ctrl+C in a program
//! that follows the logs of a whole namespace.

use crate::Fixture;
use crate::clients::Sent;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const STREAMS: usize = 90;
const ROUNDS: usize = 3;

async fn stream(
    f: &Fixture,
    send: &mut hyper::client::conn::http2::SendRequest<Sent>,
    path: &str,
) -> Incoming {
    let request = f.client().get(path).body(Sent::default()).unwrap();
    let response = send.send_request(request).await.expect("the connection goes on");
    assert_eq!(response.status(), 200);
    response.into_body()
}

async fn frames(body: &mut Incoming, count: usize) {
    for _ in 0..count {
        let frame = timeout(Duration::from_secs(60), body.frame()).await.expect("it goes on");
        frame.expect("it has not ended").expect("it has not broken");
    }
}

/// What this process has in memory, bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c3_a_client_that_cancels_many_busy_streams_ends_nobody_elses() {
    let f = Fixture::new().await;
    let (mut quiet, mut busy) = (f.client().h2().await, f.client().h2().await);
    let mut watch = stream(&f, &mut quiet, "/api/v1/pods/ticks?watch=1").await;
    let mut log = stream(&f, &mut quiet, "/api/v1/namespaces/a/pods/p/log/ticks?follow=true").await;
    for _ in 0..ROUNDS {
        let asked = (0..STREAMS).map(|_| {
            let path = "/api/v1/namespaces/a/pods/p/log/flood?follow=true";
            busy.send_request(f.client().get(path).body(Sent::default()).unwrap())
        });
        let asked: Vec<_> = asked.collect();
        // Cancelled while most of what they are about is still on its way.
        let answered = futures::future::join_all(asked).await;
        assert!(answered.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 200)));
        drop(answered);
        frames(&mut watch, 5).await;
        frames(&mut log, 5).await;
    }
    frames(&mut watch, 20).await;
    frames(&mut log, 20).await;
    // Neither did the client lose its own connection, and the API server streams for nobody who is gone.
    assert_eq!(f.client().fetch("/api/v1/pods").await.status, 200);
    let mut last = stream(&f, &mut busy, "/api/v1/pods/ticks?watch=1").await;
    frames(&mut last, 3).await;
    for _ in 0..6000 {
        if f.api.live_streams() == 3 {
            println!("resident after the storm: {} MiB", resident() >> 20);
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{} streams are still open", f.api.live_streams());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_c3_a_cancelled_call_keeps_its_place_for_a_moment() {
    let f = Fixture::new().await;
    let mut send = f.client().h2().await;
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        open.push(stream(&f, &mut send, "/api/v1/pods/ticks?watch=1").await);
    }
    assert_eq!(f.gateway.upstream_connections(&f.session()), Some(1));
    drop(open);
    // All at once: their places are kept for a second, which one after the other takes on a busy machine.
    let again: Vec<_> = (0..STREAMS)
        .map(|_| {
            send.send_request(f.client().get("/api/v1/pods/ticks?watch=1").body(Sent::default()).unwrap())
        })
        .collect();
    let again = futures::future::join_all(again).await;
    assert!(again.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 200)));
    // An API server never sees more at once on one connection than it allows, also while it still ends the first.
    assert_eq!(f.gateway.upstream_connections(&f.session()), Some(2));
    // Calls that ended by themselves free theirs at once.
    for _ in 0..150 {
        assert_eq!(f.client().fetch("/api/v1/pods").await.status, 200);
    }
    assert_eq!(f.gateway.upstream_connections(&f.session()), Some(2));
}
