//! The way out: at once, whole, and for good.

use crate::clients::{Client, Sent};
use crate::upstream::FakeApi;
use crate::{Fixture, NOW, TOKEN, open, options, permit, upstream_of};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use sallyport_gateway::{CallOutcome, CallPhase, CutReason, Gateway, GatewayOptions, Ports};
use sallyport_model::{Jti, Secret, SessionId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

async fn ticking(f: &Fixture, client: &Client, count: usize) -> Vec<Incoming> {
    let mut send = client.h2().await;
    let mut bodies = Vec::new();
    for _ in 0..count {
        let request = client.get("/api/v1/pods/ticks?watch=1").body(Sent::default()).unwrap();
        let mut body = send.send_request(request).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        bodies.push(body);
    }
    assert!(f.gateway.live(&f.session()).unwrap().open.len() >= count);
    bodies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_cut_ends_every_stream_at_once_and_tells_of_each() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let watches = ticking(&f, &client, 80).await;
    let mut spliced = Vec::new();
    for _ in 0..10 {
        let response = client.upgrade("/api/v1/namespaces/a/pods/p/up-echo", "websocket").await;
        let mut io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
        io.write_all(b"hello").await.unwrap();
        let mut back = [0; 5];
        io.read_exact(&mut back).await.unwrap();
        spliced.push(io);
    }
    let mut send = client.h2().await;
    let hanging = tokio::spawn(send.send_request(client.get("/hang").body(Sent::default()).unwrap()));
    for _ in 0..6000 {
        if f.api.seen().last().is_some_and(|seen| seen.uri == "/hang") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let began = Instant::now();
    let report = f.gateway.cut(&f.session(), CutReason::Left).await.unwrap();
    assert!(report.complete);
    assert_eq!(report.streams.len(), 91);
    // All at once and not one after the other; how quick it is the bench measures.
    assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
    let all = async {
        for body in watches {
            assert!(body.collect().await.is_err(), "a cut watch must not look complete");
        }
        for mut io in spliced {
            let mut rest = Vec::new();
            let _ = io.read_to_end(&mut rest).await;
        }
        assert!(hanging.await.unwrap().is_err());
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("every stream has ended");
    println!("cut 91 calls in {:?}, seen by the clients in {:?}", report.took, began.elapsed());

    // The API server's side ends as well.
    let ended = async {
        while f.api.live_streams() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("no stream is left there");
    // Each is told of, then the channel closes: nothing is still to come.
    let mut cut = 0;
    while let Some(call) = f.calls.recv().await {
        if call.phase == CallPhase::Ended {
            assert_eq!(call.outcome, CallOutcome::Cut(CutReason::Left));
            cut += 1;
        }
    }
    assert_eq!(cut, 91);
    assert!(f.gateway.cut(&f.session(), CutReason::Left).await.is_none(), "a second cut finds nothing");
    assert_eq!(f.opened.cut.await.unwrap().reason, CutReason::Left);
}

#[tokio::test]
async fn p13_a_cut_session_never_serves_again() {
    let f = Fixture::new().await;
    let client = f.client();
    let mut kept = client.h2().await;
    let get = || client.get("/api/v1/pods").body(Sent::default()).unwrap();
    assert_eq!(kept.send_request(get()).await.unwrap().status(), 200);
    f.gateway.cut(&f.session(), CutReason::SignedOut).await.unwrap();
    assert!(kept.send_request(get()).await.is_err(), "the kept connection is gone");
    for _ in 0..3 {
        let refused = client.fetch("/api/v1/pods").await;
        assert_eq!(refused.status, 403);
        assert!(refused.status_message().contains("you signed out"), "{}", refused.text());
    }
    let refused = crate::clients::read(client.upgrade("/up-echo", "websocket").await).await;
    assert_eq!(refused.status, 403);
    assert_eq!(f.api.seen().len(), 1);
    let error = f.gateway.swap_token(
        &permit(&f.api, "s1", "pay", 600),
        &Secret::new("t".into()),
        Jti::new("j"),
        NOW,
        |_| true,
    );
    assert!(error.is_err());
    assert!(open(&f.gateway, &f.api, "s1", "pay", 600).is_err(), "nor does its id open again");
}

#[tokio::test]
async fn p13_one_cut_leaves_other_sessions_alone() {
    let f = Fixture::new().await;
    let (other, _calls) = open(&f.gateway, &f.api, "s2", "shop", 600).unwrap();
    let other = Client::of(&other);
    let request = |n: u16| {
        let url = format!("https://127.0.0.1:{}/api/{n}", other.port);
        http::Request::get(url).body(Sent::default()).unwrap()
    };
    let mut send = other.h2().await;
    assert_eq!(send.send_request(request(1)).await.unwrap().status(), 200);
    f.gateway.cut(&f.session(), CutReason::Left).await.unwrap();
    assert_eq!(send.send_request(request(2)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn p13_time_up_cuts_by_itself() {
    let api = FakeApi::start().await;
    let gateway = Gateway::start(options()).await.unwrap();
    // Time enough for a watch to begin before.
    let (opened, calls) = open(&gateway, &api, "s1", "pay", 5).unwrap();
    let mut f = Fixture { gateway, api, opened, calls };
    let client = f.client();
    let mut watch = ticking(&f, &client, 1).await.pop().unwrap();
    let report = tokio::time::timeout(Duration::from_secs(60), &mut f.opened.cut).await.unwrap().unwrap();
    assert_eq!((report.reason, report.streams.len()), (CutReason::Expired, 1));
    while let Some(frame) = watch.frame().await {
        if frame.is_err() {
            break;
        }
    }
    assert!(client.fetch("/api/v1/pods").await.status_message().contains("its time is up"));
}

#[tokio::test]
async fn p13_a_machine_that_slept_past_the_end_serves_nothing_on_waking() {
    // The wall clock goes on in sleep, the monotonic one does not.
    let asleep = Arc::new(AtomicU64::new(0));
    let clock = asleep.clone();
    let wall_clock = Arc::new(move || SystemTime::now() + Duration::from_secs(clock.load(Ordering::SeqCst)));
    let f = Fixture::with(GatewayOptions { wall_clock, ..options() }, FakeApi::start().await).await;
    let client = f.client();
    let mut kept = client.h2().await;
    let get = || client.get("/api/v1/pods").body(Sent::default()).unwrap();
    assert_eq!(kept.send_request(get()).await.unwrap().status(), 200);
    asleep.store(3601, Ordering::SeqCst);
    assert_eq!(kept.send_request(get()).await.unwrap().status(), 403);
    assert_eq!(f.api.seen().len(), 1);
}

#[tokio::test]
async fn p13_shutdown_cuts_everything_and_frees_the_port() {
    let f = Fixture::new().await;
    let client = f.client();
    let watches = ticking(&f, &client, 3).await;
    let reports = f.gateway.shutdown().await;
    assert_eq!(reports.len(), 1);
    assert_eq!((reports[0].1.reason, reports[0].1.streams.len()), (CutReason::Quit, 3));
    for body in watches {
        assert!(body.collect().await.is_err());
    }
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", client.port)).await.is_err());
}

#[tokio::test]
async fn p13_dropping_the_gateway_ends_it() {
    let f = Fixture::new().await;
    let client = f.client();
    let watches = ticking(&f, &client, 2).await;
    let Fixture { gateway, opened, .. } = f;
    drop(gateway);
    assert_eq!(opened.cut.await.unwrap().reason, CutReason::Quit);
    for body in watches {
        assert!(body.collect().await.is_err());
    }
    assert!(client.tls(&[b"h2"]).await.is_err());
}

#[tokio::test]
async fn an_extended_session_goes_on_with_the_new_token_under_the_same_certificate() {
    let f = Fixture::new().await;
    let client = f.client();
    client.fetch("/api/v1/pods").await;
    let longer = permit(&f.api, "s1", "pay", 3000);
    let second = Secret::new("second-token".to_owned());
    f.gateway.swap_token(&longer, &second, Jti::new("jti-2"), NOW, |_| true).unwrap();
    client.fetch("/api/v1/pods").await;
    let tokens: Vec<_> = f.api.seen().iter().map(|seen| seen.headers["authorization"].clone()).collect();
    assert_eq!(tokens, [format!("Bearer {TOKEN}").as_str(), "Bearer second-token"]);

    let elsewhere = permit(&f.api, "s1", "shop", 600);
    assert!(
        f.gateway.swap_token(&elsewhere, &Secret::new("x".into()), Jti::new("j"), NOW, |_| true).is_err()
    );
    let unknown = permit(&f.api, "s9", "pay", 600);
    assert!(f.gateway.swap_token(&unknown, &Secret::new("x".into()), Jti::new("j"), NOW, |_| true).is_err());
}

#[tokio::test]
async fn an_extended_sessions_streams_live_on_where_the_new_grant_holds_them_and_are_cut_elsewhere() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h2().await;
    let mut watch = async |namespace: &str| {
        let path = format!("/api/v1/namespaces/{namespace}/pods/ticks?watch=1");
        let request = client.get(&path).body(Sent::default()).unwrap();
        let mut body = send.send_request(request).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        body
    };
    let (mut kept, lost) = (watch("a").await, watch("b").await);
    let exec = async |namespace: &str| {
        let path = format!("/api/v1/namespaces/{namespace}/pods/p/up-echo");
        let response = client.upgrade(&path, "websocket").await;
        TokioIo::new(hyper::upgrade::on(response).await.unwrap())
    };
    let (mut shell, mut lost_shell) = (exec("a").await, exec("b").await);

    let longer = permit(&f.api, "s1", "pay", 3000);
    let second = Secret::new("second-token".to_owned());
    let cut = f
        .gateway
        .swap_token(&longer, &second, Jti::new("jti-2"), NOW, |target| target.namespace == "a")
        .unwrap();
    assert_eq!(cut.iter().map(|call| call.target.namespace.as_str()).collect::<Vec<_>>(), ["b", "b"]);
    let seen = async {
        assert!(lost.collect().await.is_err(), "a cut watch must not look complete");
        let mut rest = Vec::new();
        let _ = lost_shell.read_to_end(&mut rest).await;
        kept.frame().await.unwrap().unwrap();
        shell.write_all(b"still").await.unwrap();
        let mut back = [0; 5];
        shell.read_exact(&mut back).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(60), seen)
        .await
        .expect("what is cut ends, and what is not goes on");
    assert_eq!(f.gateway.live(&f.session()).unwrap().open.len(), 2);
    let mut ended = 0;
    while ended < 2 {
        let call = f.calls.recv().await.unwrap();
        if call.phase == CallPhase::Ended {
            assert_eq!(
                (call.outcome, call.target.namespace.as_str()),
                (CallOutcome::Cut(CutReason::Narrowed), "b")
            );
            ended += 1;
        }
    }
}

#[tokio::test]
async fn p17_without_a_history_nothing_passes() {
    let api = FakeApi::start().await;
    let gateway = Gateway::start(options()).await.unwrap();
    let (told, calls) = mpsc::channel(1);
    let opened = gateway
        .open(&permit(&api, "s1", "pay", 600), upstream_of(&api, "pay"), &Ports::default(), told)
        .unwrap();
    drop(calls);
    let client = Client::of(&opened);
    // The first may pass before anyone notices; it is the telling that fails.
    client.fetch("/api/v1/pods").await;
    let refused = client.fetch("/api/v1/pods").await;
    assert_eq!(refused.status, 503);
    assert!(refused.status_message().contains("history"), "{}", refused.text());
    assert_eq!(gateway.live(&SessionId::new("s1")).unwrap().open.len(), 0);
}
