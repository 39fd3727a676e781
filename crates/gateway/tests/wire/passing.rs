//! What passes, and that it passes unchanged.

use crate::clients::{Sent, read};
use crate::upstream::{FakeApi, pattern};
use crate::{Fixture, TOKEN, options};
use http::{Request, Version};
use sallyport_gateway::Ports;

#[tokio::test]
async fn p15_the_api_server_gets_the_path_the_sessions_token_and_nothing_of_the_clients_hop() {
    let f = Fixture::new().await;
    let client = f.client();
    let request = client
        .get("/api/v1/namespaces/pay/pods?limit=500")
        .header("accept", "application/json")
        .header("audit-id", "forged")
        .header("cookie", "a=b")
        .header("x-forwarded-for", "10.1.2.3")
        .body(Sent::default())
        .unwrap();
    let answer = read(client.h2().await.send_request(request).await.unwrap()).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));

    let seen = &f.api.seen()[0];
    assert_eq!((seen.version, seen.uri.as_str()), (Version::HTTP_2, "/api/v1/namespaces/pay/pods?limit=500"));
    assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(seen.headers["accept"], "application/json");
    assert_ne!(seen.headers["audit-id"], "forged");
    for gone in ["cookie", "x-forwarded-for"] {
        assert!(!seen.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn p16_answers_come_back_as_they_are() {
    let f = Fixture::new().await;
    let client = f.client();

    let moved = client.fetch("/redirect").await;
    assert_eq!((moved.status, &moved.headers["location"]), (302, &"https://evil.example/".parse().unwrap()));

    let odd = client.fetch("/teapot").await;
    assert_eq!((odd.status, odd.text().as_str()), (418, "short and stout"));
    assert_eq!(odd.headers["content-encoding"], "gzip", "nothing is decompressed");
    assert_eq!(odd.headers["audit-id"], "as-minted");
    let warnings: Vec<_> = odd.headers.get_all("warning").iter().collect();
    assert_eq!(warnings, ["299 - \"one\"", "299 - \"two\""], "repeated headers stay apart");

    let tailed = client.fetch("/trailers").await;
    assert_eq!(
        (tailed.text().as_str(), &tailed.trailers.unwrap()["x-checksum"]),
        ("body", &"42".parse().unwrap())
    );
    assert_eq!(f.api.seen().len(), 3, "each was asked once and no redirect was followed");
}

#[tokio::test]
async fn p16_trailers_reach_an_http1_client_too() {
    let f = Fixture::new().await;
    let said = f.client().raw("GET /trailers HTTP/1.1\r\nHost: HOST\r\nTE: trailers\r\n\r\n").await;
    assert!(said.contains("body") && said.contains("x-checksum: 42"), "{said}");
}

#[tokio::test]
async fn p16_large_bodies_pass_both_ways_byte_by_byte() {
    let f = Fixture::new().await;
    let client = f.client();
    let data = pattern(8 << 20);
    let body = Sent::new(data.clone().into());
    let request = Request::post(format!("https://127.0.0.1:{}/echo", client.port)).body(body).unwrap();
    let back = read(client.h2().await.send_request(request).await.unwrap()).await;
    assert!(back.body == data, "{} bytes came back", back.body.len());

    let request = client.get_h1("/bytes-3000000").body(Sent::default()).unwrap();
    let got = read(client.h1().await.send_request(request).await.unwrap()).await;
    assert!(got.body == pattern(3_000_000));
}

#[tokio::test]
async fn a_client_without_alpn_is_served_http1() {
    let f = Fixture::new().await;
    let tls = f.client().tls(&[]).await.unwrap();
    assert!(tls.get_ref().1.alpn_protocol().is_none());
    let (mut send, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(tls)).await.unwrap();
    tokio::spawn(connection);
    let request = f.client().get_h1("/api/v1/pods").body(Sent::default()).unwrap();
    assert_eq!(read(send.send_request(request).await.unwrap()).await.status, 200);
}

#[tokio::test]
async fn an_api_server_that_only_speaks_http1_is_served_on_kept_connections() {
    let f = Fixture::with(options(), FakeApi::speaking(&[b"http/1.1"]).await).await;
    let client = f.client();
    for _ in 0..5 {
        assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
    }
    let request = Request::post(format!("https://127.0.0.1:{}/echo", client.port));
    let back =
        read(client.h2().await.send_request(request.body(Sent::from("hello")).unwrap()).await.unwrap()).await;
    assert_eq!(back.text(), "hello");
    assert!(f.api.seen().iter().all(|seen| seen.version == Version::HTTP_11));
    assert_eq!(f.api.seen()[0].headers["host"], f.api.url().authority());
    assert!(f.api.connections() <= 2, "{} connections for six calls one after another", f.api.connections());
}

#[tokio::test]
async fn an_endpoint_with_a_path_keeps_it() {
    let api = FakeApi::start().await;
    let gateway = sallyport_gateway::Gateway::start(options()).await.unwrap();
    let mut upstream = crate::upstream_of(&api, "pay");
    upstream.endpoint = api.url().join("k8s/clusters/c-1/").unwrap();
    let permit = sallyport_policy::admit_session(sallyport_policy::SessionFacts {
        session: sallyport_model::SessionId::new("s1"),
        signed_in: "oidc:ada".parse().unwrap(),
        user: "oidc:ada".parse().unwrap(),
        cluster: "pay".parse().unwrap(),
        request: sallyport_model::RequestUid::new("r"),
        scope: sallyport_model::Scope::ClusterWide,
        duration: sallyport_model::Ttl::minutes(60),
        grant: sallyport_model::GrantUid::new("g"),
        recorded_end: crate::NOW + 60,
        sealed_end: crate::NOW + 60,
        endpoint: upstream.endpoint.to_string(),
        now: crate::NOW,
    })
    .unwrap();
    let (told, _calls) = tokio::sync::mpsc::channel(16);
    let opened = gateway.open(&permit, upstream, &Ports::default(), told).unwrap();
    crate::clients::Client::of(&opened).fetch("/api?x=1").await;
    assert_eq!(api.seen()[0].uri, "/k8s/clusters/c-1/api?x=1");
}
