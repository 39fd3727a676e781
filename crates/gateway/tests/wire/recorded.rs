//! P17: every request is told of, under the id the API server got.

use crate::Fixture;
use crate::clients::{Sent, read};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use sallyport_gateway::{CallOutcome, CallPhase, StreamKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn p17_a_call_is_told_of_once_with_what_the_api_server_knows_it_by() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let request = http::Request::post(format!(
        "https://127.0.0.1:{}/apis/apps/v1/namespaces/a/deployments/w/echo?dryRun=All",
        client.port
    ))
    .header("user-agent", "kubectl/v1.37.2 \u{7f}".trim_end_matches('\u{7f}'))
    .body(Sent::from("hello"))
    .unwrap();
    read(client.h2().await.send_request(request).await.unwrap()).await;
    let call = f.ended().await;
    let sent_as = f.api.seen()[0].headers["audit-id"].clone();
    assert_eq!(call.audit_id.as_str(), sent_as.to_str().unwrap());
    assert_eq!(uuid::Uuid::parse_str(call.audit_id.as_str()).unwrap().get_version_num(), 7);
    assert_eq!(
        (call.session.as_str(), call.request.as_str(), call.grant.as_str()),
        ("s1", "req-1", "grant-1")
    );
    assert_eq!((call.cluster.as_str(), call.user.as_str(), call.jti.as_str()), ("pay", "oidc:ada", "jti-1"));
    assert_eq!(
        (call.method.as_str(), call.status, &call.outcome),
        ("POST", Some(200), &CallOutcome::Answered)
    );
    assert_eq!(call.path_and_query, "/apis/apps/v1/namespaces/a/deployments/w/echo?dryRun=All");
    assert_eq!((call.target.verb.as_str(), call.target.resource.as_str()), ("create", "deployments"));
    assert_eq!((call.target.subresource.as_str(), call.target.name.as_str()), ("echo", "w"));
    assert_eq!((call.bytes_in, call.bytes_out, call.stream), (5, 5, None));
    assert_eq!(call.user_agent.as_deref(), Some("kubectl/v1.37.2 "));
    if cfg!(target_os = "linux") {
        assert_eq!(call.peer.map(|peer| peer.pid), Some(std::process::id()));
    }
    assert!(f.calls.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn p17_every_kind_of_answer_is_told_of_to_its_end() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let (mut h1, mut h2) = (client.h1().await, client.h2().await);
    for (n, path) in ["/api/v1/pods", "/bytes-0", "/bytes-1", "/bytes-300000", "/teapot", "/trailers"]
        .into_iter()
        .enumerate()
    {
        for head in [false, true] {
            let method = if head { http::Method::HEAD } else { http::Method::GET };
            let one = client.get(path).method(method.clone()).body(Sent::default()).unwrap();
            read(h2.send_request(one).await.unwrap()).await;
            let told = f.ended().await;
            assert_eq!(told.outcome, CallOutcome::Answered, "{n} {method} {path} over h2");
            let two = client.get_h1(path).method(method.clone()).body(Sent::default()).unwrap();
            read(h1.send_request(two).await.unwrap()).await;
            let told = f.ended().await;
            assert_eq!(told.outcome, CallOutcome::Answered, "{n} {method} {path} over h1");
        }
    }
    let live = f.gateway.live(&f.session()).unwrap();
    assert_eq!((live.calls, live.refused, live.open.len()), (24, 0, 0));
    assert_eq!(live.bytes_out, 2 * (2 + 1 + 300_000 + 15 + 4));
}

#[tokio::test]
async fn p17_a_stream_is_told_of_at_its_start_and_at_its_end() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let response = client
        .upgrade("/api/v1/namespaces/a/pods/p/exec/up-echo?command=sh&command=-c&command=secret", "websocket")
        .await;
    let start = f.calls.recv().await.unwrap();
    assert_eq!((start.phase, start.stream, start.status), (CallPhase::Started, Some(StreamKind::Exec), None));
    assert_eq!(start.outcome, CallOutcome::Open);
    assert!(start.path_and_query.ends_with("command=secret"));
    assert!(!format!("{start:?}").contains("secret"), "P1: what a command line holds is not printed");

    let mut io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    io.write_all(b"12345").await.unwrap();
    let mut back = [0; 5];
    io.read_exact(&mut back).await.unwrap();
    let open = f.gateway.live(&f.session()).unwrap().open;
    assert_eq!((open.len(), open[0].status, open[0].bytes_in), (1, Some(101), 5));
    io.shutdown().await.unwrap();
    let end = f.ended().await;
    assert_eq!((end.audit_id, end.status, end.outcome), (start.audit_id, Some(101), CallOutcome::Answered));
    assert_eq!((end.bytes_in, end.bytes_out), (5, 5));

    let request = client.get("/api/v1/pods/ticks?watch=1").body(Sent::default()).unwrap();
    // A watch on one object is spelled as a list; here the script wants the last word of the path.
    let request = http::Request::from_parts(request.into_parts().0, Sent::default());
    let mut body = client.h2().await.send_request(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(f.ended().await.outcome, CallOutcome::ClientGone);
}

/// An API server tells of a call when it is through with it; a client may take minutes to take the answer, and a call that
/// only the cluster knows of is one from elsewhere.
#[tokio::test]
async fn p17_a_call_that_goes_on_is_told_of_before_it_is_over() {
    let slow_after = std::time::Duration::from_millis(200);
    let options = sallyport_gateway::GatewayOptions { slow_after, ..crate::options() };
    let mut f = Fixture::with(options, crate::FakeApi::start().await).await;
    let client = f.client();
    let mut h2 = client.h2().await;
    // Far more than fits into what lies between, so that it is not over before somebody reads.
    let request = client.get("/bytes-64000000").body(Sent::default()).unwrap();
    let response = h2.send_request(request).await.unwrap();
    let started = tokio::time::timeout(std::time::Duration::from_secs(60), f.calls.recv()).await;
    let started = started.expect("it is told of while nobody reads").unwrap();
    assert_eq!((started.phase, started.stream), (CallPhase::Started, Some(StreamKind::Slow)));
    assert_eq!((started.outcome, started.method.as_str()), (CallOutcome::Open, "GET"));
    assert_eq!(f.gateway.live(&f.session()).unwrap().open.len(), 1);
    let answer = read(response);
    let ended = async {
        loop {
            let call = f.calls.recv().await.unwrap();
            if call.phase == CallPhase::Ended {
                break call;
            }
        }
    };
    let both = async { tokio::join!(answer, ended) };
    let (_, ended) = tokio::time::timeout(std::time::Duration::from_secs(120), both).await.expect("it ends");
    assert_eq!((ended.audit_id, ended.stream), (started.audit_id, None));
    assert_eq!((ended.outcome, ended.bytes_out), (CallOutcome::Answered, 64_000_000));
}

#[tokio::test]
async fn p17_a_history_that_is_slow_slows_calls_and_loses_none() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h2().await;
    for _ in 0..300 {
        let request = client.get("/api/v1/pods").body(Sent::default()).unwrap();
        read(send.send_request(request).await.unwrap()).await;
    }
    let mut ids = std::collections::HashSet::new();
    for _ in 0..300 {
        assert!(ids.insert(f.ended().await.audit_id));
    }
}

#[tokio::test]
async fn fault_e2_p17_a_call_waits_until_it_can_be_recorded_and_is_refused_when_that_takes_too_long() {
    let f = Fixture::hasty().await;
    let client = f.client();
    f.gateway.recording(false);
    let began = std::time::Instant::now();
    let refused = client.fetch("/api/v1/pods").await;
    assert_eq!(refused.status, 503);
    assert!(refused.status_message().contains("history"), "{}", refused.text());
    assert!(began.elapsed() >= std::time::Duration::from_millis(900), "it waited first");
    assert!(f.api.seen().is_empty());

    // With the product's deadline, which does not run out before it can be recorded again.
    let f = Fixture::new().await;
    let client = f.client();
    f.gateway.recording(false);
    let gateway = f.gateway.clone();
    let (answer, ()) = tokio::join!(client.fetch("/api/v1/pods"), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(f.api.seen().is_empty());
        gateway.recording(true);
    });
    assert_eq!(answer.status, 200);
}
