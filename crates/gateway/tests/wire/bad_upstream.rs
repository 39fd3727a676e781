//! API servers on a bad day. Deadlines are a second here.

use crate::clients::{Client, Sent};
use crate::upstream::FakeApi;
use crate::{Fixture, NOW, hasty, open, options, permit, upstream_of};
use http_body_util::BodyExt;
use sallyport_gateway::{CallOutcome, Gateway, GatewayError, GatewayOptions, Ports};
use sallyport_model::Secret;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[tokio::test]
async fn p16_an_api_server_that_says_nothing_is_a_504_and_asked_once() {
    let mut f = Fixture::hasty().await;
    let began = Instant::now();
    let answer = f.client().fetch("/hang").await;
    assert_eq!(answer.status, 504);
    assert!(answer.status_message().contains("did not answer within 1 s"), "{}", answer.text());
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(f.api.seen().len(), 1, "no retry");
    assert!(matches!(f.ended().await.outcome, CallOutcome::Failed(_)));
}

#[tokio::test]
async fn a_stream_may_be_silent_for_longer_than_an_answer() {
    let f = Fixture::hasty().await;
    let client = f.client();
    let mut send = client.h2().await;
    let request = client.get("/api/v1/namespaces/a/pods/hang?watch=true").body(Sent::default()).unwrap();
    // The last segment is the script's; to the gateway this is a get of a pod, so it gets the deadline …
    assert_eq!(send.send_request(request).await.unwrap().status(), 504);
    // … and this a log that is followed.
    let request =
        client.get("/api/v1/namespaces/a/pods/p/log/hang?follow=true").body(Sent::default()).unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(1500), send.send_request(request)).await;
    assert!(waiting.is_err(), "still waiting: {waiting:?}");
}

#[tokio::test]
async fn an_api_server_that_refuses_or_hangs_at_the_door_is_a_502() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (port, word) in [(port, "refused"), (deaf.local_addr().unwrap().port(), "no connection within 1 s")] {
        let answer = at_port(port).await;
        assert_eq!(answer.status, 502);
        assert!(answer.status_message().contains(word), "{}", answer.text());
    }
}

/// One call through a session whose API server is at that port.
async fn at_port(port: u16) -> crate::clients::Answered {
    let api = FakeApi::start().await.at(port);
    // The answer's time must not run out together with the connection's.
    let patient = GatewayOptions { answer_within: Duration::from_secs(30), ..hasty() };
    let gateway = Gateway::start(patient).await.unwrap();
    let (opened, _calls) = open(&gateway, &api, "s1", "pay", 600).unwrap();
    Client::of(&opened).fetch("/api/v1/pods").await
}

#[tokio::test]
async fn p15_an_api_server_of_another_authority_gets_no_token() {
    let api = FakeApi::start().await;
    let other = FakeApi::start().await;
    let gateway = Gateway::start(options()).await.unwrap();
    let mut upstream = upstream_of(&api, "pay");
    upstream.ca_pem = other.ca_pem();
    let (told, _calls) = mpsc::channel(16);
    let opened = gateway.open(&permit(&api, "s1", "pay", 600), upstream, &Ports::default(), told).unwrap();
    let answer = Client::of(&opened).fetch("/api/v1/pods").await;
    assert_eq!(answer.status, 502);
    assert!(answer.status_message().contains("TLS failed"), "{}", answer.text());
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let request = client.get("/breaks").body(Sent::default()).unwrap();
    let body = client.h2().await.send_request(request).await.unwrap().into_body();
    let got = body.collect().await;
    let told = f.ended().await.outcome;
    assert!(got.is_err(), "half an answer must not look whole: {got:?} {told:?}");
    assert!(matches!(told, CallOutcome::Failed(_)), "{told:?}");

    let said = client.raw("GET /breaks HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    assert!(said.contains("half") && !said.ends_with("0\r\n\r\n"), "{said}");
}

#[tokio::test]
async fn headers_beyond_all_measure_are_a_502_and_harm_nobody_else() {
    let f = Fixture::new().await;
    let client = f.client();
    assert_eq!(client.fetch("/huge-headers").await.status, 502);
    assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
}

#[tokio::test]
async fn an_upgrade_that_hangs_is_given_up() {
    let f = Fixture::hasty().await;
    let answer = crate::clients::read(f.client().upgrade("/hang", "websocket").await).await;
    assert_eq!(answer.status, 504);
}

#[tokio::test]
async fn a_restarted_api_server_is_found_again_without_a_failed_call() {
    let f = Fixture::new().await;
    let client = f.client();
    assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
    f.api.drop_connections();
    // The gateway has heard that it is gone.
    for _ in 0..3000 {
        if f.gateway.upstream_connections(&f.session()) == Some(0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
    assert_eq!(f.api.connections(), 2);
}

#[tokio::test]
async fn p15_a_permit_opens_only_what_it_is_for() {
    let api = FakeApi::start().await;
    let gateway = Gateway::start(options()).await.unwrap();
    type Change = fn(&mut sallyport_gateway::Upstream);
    let changes: [(Change, &str); 10] = [
        (|u| u.cluster = "shop".parse().unwrap(), "permit is not for this cluster"),
        (|u| u.user = "oidc:bob".parse().unwrap(), "permit is not for this user"),
        (|u| u.endpoint = "https://evil.example".parse().unwrap(), "permit is not for this endpoint"),
        (|u| u.now = NOW + 600, "ended already"),
        (|u| u.now = i64::MIN, "ended already"),
        (|u| u.ca_pem = String::new(), "can't be called"),
        (
            |u| u.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(),
            "can't be called",
        ),
        (|u| u.ca_pem = "-----BEGIN CERTIFICATE-----\n\u{1}\n".into(), "can't be called"),
        (|u| u.tls_server_name = Some("not a name".into()), "can't be called"),
        (|u| u.token = Secret::new("two\r\nlines".to_owned()), "can't be called"),
    ];
    for (change, word) in changes {
        let mut upstream = upstream_of(&api, "pay");
        change(&mut upstream);
        let (told, _calls) = mpsc::channel(16);
        let error =
            gateway.open(&permit(&api, "s1", "pay", 600), upstream, &Ports::default(), told).unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    open(&gateway, &api, "s1", "pay", 600).unwrap();
    assert!(
        matches!(open(&gateway, &api, "s1", "pay", 600), Err(GatewayError::Known(_))),
        "a session opens once"
    );
}
