//! Heads beyond what the gateway can read.

use crate::Fixture;
use crate::clients::{Sent, read};
use http::Request;
use sallyport_gateway::{CallOutcome, StreamKind};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const EXEC: &str = "/api/v1/namespaces/pay/pods/web/exec?container=c&command=sh&command=-c&command=";

#[tokio::test]
async fn fault_c4_an_address_beyond_64_kib_gets_a_sentence_and_an_entry() {
    let mut f = Fixture::new().await;
    let client = f.client();
    for size in [66_000, 300_000, 3 << 20] {
        let mut tls = client.tls(&[b"http/1.1"]).await.unwrap();
        let head = format!(
            "GET {EXEC}{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "x".repeat(size),
            client.port
        );
        tls.write_all(head.as_bytes()).await.unwrap();
        let mut said = String::new();
        let read = tokio::time::timeout(Duration::from_secs(60), tls.read_to_string(&mut said)).await;
        read.expect("it ends").expect("it is read whole");
        assert!(said.starts_with("HTTP/1.1 414 "), "{size}: {said:.300}");
        assert!(said.contains("\"kind\":\"Status\"") && said.contains("Send a script on stdin"), "{said}");
        let told = f.ended().await;
        assert_eq!((told.status, told.stream), (Some(414), Some(StreamKind::Exec)));
        assert_eq!(told.target.name, "web");
        assert!(matches!(&told.outcome, CallOutcome::Refused(why) if why.contains("64 KiB")), "{told:?}");
        assert!(told.path_and_query.starts_with(EXEC), "its beginning is told");
    }
    assert!(f.api.seen().is_empty());
}

#[tokio::test]
async fn fault_c4_a_kept_connection_is_measured_again_and_bodies_are_not() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h1().await;
    for _ in 0..3 {
        // A body without a line end, much longer than any head.
        let request = Request::post("/echo").header("host", format!("127.0.0.1:{}", client.port));
        let body = Sent::from(vec![b'x'; 3 << 20]);
        let answer = read(send.send_request(request.body(body).unwrap()).await.unwrap()).await;
        assert_eq!((answer.status, answer.body.len()), (200, 3 << 20));
        assert_eq!(f.ended().await.outcome, CallOutcome::Answered);
    }
    let long = format!("/echo?{}", "x".repeat(65_000));
    let request = Request::get(&long).header("host", format!("127.0.0.1:{}", client.port));
    assert_eq!(send.send_request(request.body(Sent::default()).unwrap()).await.unwrap().status(), 200);
    f.ended().await;

    let mut tls = client.tls(&[b"http/1.1"]).await.unwrap();
    let first = format!("GET /api HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", client.port);
    tls.write_all(first.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let got = tls.read(&mut buffer).await.unwrap();
    assert!(buffer[..got].starts_with(b"HTTP/1.1 200"));
    tls.write_all(format!("GET /api?{}", "x".repeat(70_000)).as_bytes()).await.unwrap();
    let got = tokio::time::timeout(Duration::from_secs(60), tls.read(&mut buffer)).await.unwrap().unwrap();
    assert!(buffer[..got].starts_with(b"HTTP/1.1 414 "), "{}", String::from_utf8_lossy(&buffer[..got]));
}

#[tokio::test]
async fn fault_c4_a_body_that_looks_like_a_long_head_is_a_body() {
    let f = Fixture::new().await;
    let client = f.client();
    let body = format!("GET /{}", "x".repeat(1 << 20));
    let host = format!("Host: 127.0.0.1:{}\r\nConnection: close", client.port);
    let head = format!("POST /echo HTTP/1.1\r\n{host}\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut tls = client.tls(&[b"http/1.1"]).await.unwrap();
    tls.write_all(head.as_bytes()).await.unwrap();
    // It begins where another request might.
    tokio::time::sleep(Duration::from_millis(200)).await;
    tls.write_all(body.as_bytes()).await.unwrap();
    let mut said = String::new();
    let read = tokio::time::timeout(Duration::from_secs(60), tls.read_to_string(&mut said)).await;
    read.expect("it ends").expect("it is read whole");
    assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with(&body), "{said:.300}");
}

#[tokio::test]
async fn fault_c4_a_head_that_is_too_large_on_the_way_on_gets_a_sentence() {
    let mut f = Fixture::new().await;
    let client = f.client();
    // What the gateway adds to each header in HTTP/2, and its own, make it more than an API server takes.
    let lines: String = (0..90).map(|n| format!("x-{n}: {}\r\n", "y".repeat(11_630))).collect();
    for how in ["Connection: close", "Connection: Upgrade\r\nUpgrade: websocket"] {
        let host = format!("Host: 127.0.0.1:{}", client.port);
        let head = format!("GET /api/v1/pods HTTP/1.1\r\n{host}\r\n{how}\r\n{lines}\r\n");
        assert!(head.len() < 1 << 20, "{}", head.len());
        let mut tls = client.tls(&[b"http/1.1"]).await.unwrap();
        tls.write_all(head.as_bytes()).await.unwrap();
        let mut said = vec![0; 4096];
        let got = tokio::time::timeout(Duration::from_secs(60), tls.read(&mut said)).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&said[..got]);
        assert!(said.starts_with("HTTP/1.1 431 ") && said.contains("over 1 MiB"), "{said:.300}");
        assert_eq!(f.ended().await.status, Some(431));
    }
    assert!(f.api.seen().is_empty());
}

#[tokio::test]
async fn fault_c4_heads_up_to_what_an_api_server_takes_pass_and_larger_ones_get_a_sentence() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let ask = async |size: usize| {
        let lines: String = (0..size / 8000).map(|n| format!("x-{n}: {}\r\n", "y".repeat(7990))).collect();
        let host = format!("Host: 127.0.0.1:{}", client.port);
        let head = format!("GET /api/v1/pods HTTP/1.1\r\n{host}\r\nConnection: close\r\n{lines}\r\n");
        let mut tls = client.tls(&[b"http/1.1"]).await.unwrap();
        tls.write_all(head.as_bytes()).await.unwrap();
        let mut said = String::new();
        let read = tokio::time::timeout(Duration::from_secs(60), tls.read_to_string(&mut said)).await;
        read.expect("it ends").expect("it is read whole");
        said
    };
    let said = ask(700 << 10).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said:.300}");
    assert_eq!(f.api.seen().len(), 1);
    f.ended().await;
    for size in [(1 << 20) + 40_000, 2 << 20] {
        let said = ask(size).await;
        assert!(said.starts_with("HTTP/1.1 431 ") && said.contains("over 1 MiB"), "{said:.300}");
        assert_eq!(f.ended().await.status, Some(431));
    }
    assert_eq!(f.api.seen().len(), 1);
}

#[tokio::test]
async fn fault_c4_an_http2_client_is_told_the_limit_and_what_is_over_it_is_a_431_for_that_call_alone() {
    let f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h2().await;
    let get = |path: String| client.get(&path).body(Sent::default()).unwrap();
    assert_eq!(send.send_request(get(format!("/api?{}", "x".repeat(60_000)))).await.unwrap().status(), 200);
    for size in [66_000, 200_000] {
        // h2's client sends it all the same, as any does before it has the settings.
        let path = "/api/".to_owned() + &"x".repeat(10);
        let large = client.get(&path).header("x-large", "y".repeat(size)).body(Sent::default()).unwrap();
        assert_eq!(send.send_request(large).await.unwrap().status(), 431);
    }
    assert_eq!(send.send_request(get("/api".into())).await.unwrap().status(), 200, "the connection goes on");
}

#[tokio::test]
async fn fault_c4_a_proxied_path_reaches_the_api_server_as_it_is() {
    let f = Fixture::new().await;
    let path = "/api/v1/namespaces/a/services/web/proxy//a%2Fb/%252F?x=//";
    assert_eq!(f.client().fetch(path).await.status, 200);
    let said =
        f.client().raw(&format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert!(f.api.seen().iter().all(|seen| seen.uri == path), "{:?}", f.api.seen());
}
