//! Clients that may not come in, or may not say what they say.

use crate::clients::{Client, Sent, read};
use crate::{Fixture, open, options};
use sallyport_gateway::{CutReason, Gateway};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Whether a client gets any HTTP answer at all.
async fn gets_an_answer(client: &Client) -> bool {
    let Ok(tls) = client.tls(&[b"http/1.1"]).await else { return false };
    let io = hyper_util::rt::TokioIo::new(tls);
    let Ok((mut send, connection)) = hyper::client::conn::http1::handshake(io).await else { return false };
    tokio::spawn(connection);
    let request = client.get_h1("/api/v1/pods").body(Sent::default()).unwrap();
    send.send_request(request).await.is_ok()
}

#[tokio::test]
async fn p15_without_this_gateways_certificate_nobody_comes_in() {
    let f = Fixture::new().await;
    assert!(gets_an_answer(&f.client()).await);

    assert!(!gets_an_answer(&Client::without_certificate(&f.opened)).await, "no certificate");

    // The same session id on an earlier start of the gateway.
    let earlier = Gateway::start(options()).await.unwrap();
    let (mut old, _calls) = open(&earlier, &f.api, "s1", "pay", 600).unwrap();
    old.ca_pem.clone_from(&f.opened.ca_pem);
    assert!(!gets_an_answer(&Client::of(&old)).await, "a certificate of another start");
    assert_eq!(f.api.seen().len(), 1);
}

#[tokio::test]
async fn p15_plain_text_gets_no_http_answer() {
    let f = Fixture::new().await;
    let mut tcp = TcpStream::connect(("127.0.0.1", f.opened.port)).await.unwrap();
    tcp.write_all(b"GET /api/v1/pods HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ =
        tokio::time::timeout(Duration::from_secs(8), tcp.read_to_end(&mut said)).await.expect("it is closed");
    assert!(!said.windows(4).any(|window| window == b"HTTP"), "{said:?}");
    assert!(f.api.seen().is_empty());
}

#[tokio::test]
async fn p15_tls_1_1_is_refused() {
    let f = Fixture::new().await;
    // A ClientHello of TLS 1.1 (RFC 4346 §7.4.1.2): version 3.2 and no supported_versions, all else to our taste:
    // ECDHE-ECDSA with AES-128-GCM, P-256, signatures by ECDSA with SHA-256.
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    hello.extend([0, 24, 0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3, 0, 11, 0, 2, 1, 0, 0, 23, 0, 0]);
    let extensions = hello.len() - 43;
    hello[41..43].copy_from_slice(&[0, extensions as u8]);
    let mut record = vec![0x16, 0x03, 0x01, 0, (hello.len() + 4) as u8, 1, 0, 0, hello.len() as u8];
    record.extend(&hello);
    let mut tcp = TcpStream::connect(("127.0.0.1", f.opened.port)).await.unwrap();
    tcp.write_all(&record).await.unwrap();
    let mut said = Vec::new();
    let _ =
        tokio::time::timeout(Duration::from_secs(8), tcp.read_to_end(&mut said)).await.expect("it is closed");
    // An alert, fatal, protocol_version.
    assert_eq!((said[0], said[5], said[6]), (0x15, 2, 70), "{said:?}");
}

#[tokio::test]
async fn p15_a_handshake_that_never_ends_is_given_up() {
    let f = Fixture::hasty().await;
    let mut tcp = TcpStream::connect(("127.0.0.1", f.opened.port)).await.unwrap();
    tcp.write_all(&[0x16, 0x03]).await.unwrap();
    let mut said = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(30), tcp.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "closed after the deadline of a second");
}

#[tokio::test]
async fn p15_tls_is_never_resumed_and_a_closed_sessions_certificate_reads_why() {
    let f = Fixture::new().await;
    let client = f.client();
    let older = Client::tls12(&f.opened);
    let (new, old) = (rustls::ProtocolVersion::TLSv1_3, rustls::ProtocolVersion::TLSv1_2);
    for (client, version) in [(&client, new), (&client, new), (&older, old), (&older, old)] {
        // Each client keeps its resumption store between its two.
        let mut tls = client.tls(&[b"http/1.1"]).await.unwrap();
        let get =
            format!("GET /api HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", client.port);
        tls.write_all(get.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        tls.read_to_end(&mut said).await.unwrap();
        assert!(said.starts_with(b"HTTP/1.1 200"));
        assert_eq!(tls.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Full));
        assert_eq!(tls.get_ref().1.protocol_version(), Some(version));
    }
    f.gateway.cut(&f.session(), CutReason::Revoked).await.unwrap();
    let refused = client.fetch("/api/v1/pods").await;
    assert_eq!(refused.status, 403);
    let said = refused.status_message();
    assert!(said.contains("closed") && said.contains("revoked") && said.contains("pay"), "{said}");
    assert_eq!(f.api.seen().len(), 4);
}

#[tokio::test]
async fn p15_what_is_smuggled_is_refused_before_a_byte_goes_upstream() {
    let mut f = Fixture::new().await;
    let client = f.client();
    let lines = [
        ("GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer mine\r\n", 403),
        (
            "GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nConnection: authorization\r\nAuthorization: Bearer mine\r\n",
            403,
        ),
        ("GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nX-Remote-User: root\r\n", 400),
        ("GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nImpersonate-User: root\r\n", 403),
        (
            "GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nSec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.eA\r\n",
            400,
        ),
        ("GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nOrigin: https://evil.example\r\n", 403),
        (
            "OPTIONS /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nOrigin: null\r\nAccess-Control-Request-Method: GET\r\n",
            403,
        ),
        ("GET /api/v1/pods HTTP/1.1\r\nHost: evil.example\r\n", 421),
        ("GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n", 421),
        ("GET /api/v1/pods HTTP/1.1\r\n", 421),
        ("GET https://HOST/api/v1/pods HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET /../other/api/v1/pods HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET /%2e%2e/other/api/v1/pods HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET /a%2Fb HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET //api/v1/pods HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET /c/pay/api/v1/pods HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET /up-echo HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n", 400),
        (
            "POST /up-echo HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n",
            400,
        ),
    ];
    for (head, status) in lines {
        let said = client.raw(&format!("{head}\r\nabc")).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{head}\n{said}");
        assert!(status == 405 || said.contains("\"kind\":\"Status\""), "{head}\n{said}");
        let told = f.ended().await;
        assert_eq!(told.status, Some(status), "{head}");
        assert!(matches!(told.outcome, sallyport_gateway::CallOutcome::Refused(_)), "{head}");
    }
    assert!(f.api.seen().is_empty(), "{:?}", f.api.seen());
    assert_eq!(f.api.connections(), 0);
    assert_eq!(f.gateway.live(&f.session()).unwrap().refused, lines.len() as u64);
}

#[tokio::test]
async fn p15_one_message_can_not_hide_another() {
    let f = Fixture::new().await;
    let client = f.client();
    // Two lengths that differ, and an encoding that is not chunked: hyper ends the connection.
    for head in [
        "POST /echo HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked, identity\r\n\r\nabc",
        "GET /api/v1/pods HTTP/1.1\r\nHost : HOST\r\n\r\n",
        "GET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\n X-Remote-User: root\r\n\r\n",
    ] {
        let said = client.raw(head).await;
        assert!(said.starts_with("HTTP/1.1 400 ") || said.is_empty(), "{head}\n{said}");
    }
    assert!(f.api.seen().is_empty(), "{:?}", f.api.seen());

    // A length beside chunked: the length is dropped, the body is read as chunked, and what follows is not read.
    let said = client
        .raw(
            "POST /echo HTTP/1.1\r\nHost: HOST\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n0\r\n\r\nGET /api/v1/pods HTTP/1.1\r\nHost: HOST\r\nX-Remote-User: root\r\n\r\n",
        )
        .await;
    assert!(said.ends_with("abc") && said.matches("HTTP/1.1").count() == 1, "{said}");
    let seen = f.api.seen();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].headers.contains_key("content-length"), "{seen:?}");
}

#[tokio::test]
async fn p15_http2_says_the_host_once_and_truly() {
    let f = Fixture::new().await;
    let client = f.client();
    let mut send = client.h2().await;
    let elsewhere = http::Request::get("https://evil.example/api").body(Sent::default()).unwrap();
    assert_eq!(read(send.send_request(elsewhere).await.unwrap()).await.status, 421);
    let smuggled =
        client.get("/api/v1/pods").header("authorization", "Bearer mine").body(Sent::default()).unwrap();
    let refused = read(send.send_request(smuggled).await.unwrap()).await;
    assert!(refused.status_message().contains("--token"), "{}", refused.text());
    assert_eq!(
        read(send.send_request(client.get("/api/v1/pods").body(Sent::default()).unwrap()).await.unwrap())
            .await
            .status,
        200
    );
    assert_eq!(f.api.seen().len(), 1);
}
