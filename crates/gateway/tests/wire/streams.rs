//! Calls that stay open.

use crate::Fixture;
use crate::clients::{Sent, read};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn p16_bytes_pass_only_after_the_api_servers_own_101() {
    let f = Fixture::new().await;
    let response = f.client().upgrade("/api/v1/namespaces/pay/pods/web/up-echo", "SPDY/3.1").await;
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["upgrade"], "SPDY/3.1");
    assert_eq!(response.headers()["x-stream-protocol-version"], "v4.channel.k8s.io");
    let seen = f.api.seen();
    assert_eq!(seen[0].version, http::Version::HTTP_11);
    let versions: Vec<_> = seen[0].headers.get_all("x-stream-protocol-version").iter().collect();
    assert_eq!(versions, ["v4.channel.k8s.io", "channel.k8s.io"], "one line each");
    assert!(seen[0].headers["authorization"].to_str().unwrap().starts_with("Bearer "));

    let mut io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let data = crate::upstream::pattern(3 << 20);
    let (mut from, mut to) = tokio::io::split(&mut io);
    let mut back = vec![0; data.len()];
    let (sent, got) = tokio::join!(to.write_all(&data), from.read_exact(&mut back));
    sent.unwrap();
    got.unwrap();
    assert!(back == data);
}

#[tokio::test]
async fn p16_any_other_answer_to_an_upgrade_is_relayed_and_ends_both_connections() {
    let mut f = Fixture::new().await;
    for (path, status, body) in
        [("/up-200", 200, "not today"), ("/up-403", 403, "Status"), ("/redirect", 302, "moved")]
    {
        // Bytes follow the request at once, as a client would that takes the 101 for granted.
        let said = f
            .client()
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"
            ))
            .await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains(body), "{said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "the connection ended with the answer: {said}");
        assert_eq!(f.ended().await.status, Some(status));
    }
    assert!(f.api.seen().iter().all(|seen| !seen.uri.contains("smuggled")));
    assert!(f.api.spliced().is_empty());
}

#[tokio::test]
async fn p16_a_101_to_another_protocol_is_not_spliced() {
    let f = Fixture::new().await;
    let answer = read(f.client().upgrade("/up-other", "websocket").await).await;
    assert_eq!(answer.status, 502);
    assert!(answer.status_message().contains("protocol nobody asked for"));
}

#[tokio::test]
async fn p16_more_than_a_hundred_streams_go_over_more_connections() {
    let f = Fixture::new().await;
    let client = f.client();
    let (mut one, mut two) = (client.h2().await, client.h2().await);
    let mut open = Vec::new();
    for n in 0..130 {
        let send = if n % 2 == 0 { &mut one } else { &mut two };
        let request = client.get("/api/v1/pods/ticks?watch=1").body(Sent::default()).unwrap();
        let mut body = send.send_request(request).await.unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "first\n");
        open.push(body);
    }
    assert_eq!(f.gateway.upstream_connections(&f.session()), Some(2));
    assert_eq!(f.gateway.live(&f.session()).unwrap().open.len(), 130);
    // And an ordinary call finds its way past all of them.
    assert_eq!(client.fetch("/api/v1/pods").await.status, 200);
    for body in &mut open {
        assert!(body.frame().await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn p16_a_client_that_does_not_read_holds_up_nobody_else() {
    let f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h2().await;
    let big = |n: usize| client.get(&format!("/bytes-{n}")).body(Sent::default()).unwrap();
    let stuck = send.send_request(big(64 << 20)).await.unwrap();
    for _ in 0..5 {
        let other = client.fetch("/bytes-1000000").await;
        assert_eq!(other.body.len(), 1_000_000);
    }
    let live = f.gateway.live(&f.session()).unwrap();
    assert_eq!(live.open.len(), 1, "{live:?}");
    assert!(
        live.open[0].bytes_out < 32 << 20,
        "only what fits the windows was taken: {}",
        live.open[0].bytes_out
    );
    assert_eq!(read(stuck).await.body.len(), 64 << 20);
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_stream_upstream() {
    let f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h2().await;
    let request = client.get("/api/v1/pods/ticks?watch=1").body(Sent::default()).unwrap();
    let mut body = send.send_request(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(f.api.live_streams(), 1);
    drop((body, send));
    for _ in 0..6000 {
        if f.api.live_streams() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the API server still streams");
}
