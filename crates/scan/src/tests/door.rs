//! What is at the other end may be anything.

use crate::{DoorBounds, door};
use sallyport_client::Endpoint;
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{AddressReach, Door, Tls, TlsTaken};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const SHORT: DoorBounds = DoorBounds { each: Duration::from_millis(400), whole: Duration::from_secs(20) };
/// So long that a slow machine fails no test.
const LONG: DoorBounds = DoorBounds { each: Duration::from_secs(20), whole: Duration::from_secs(90) };

struct Pki {
    ca: String,
    chain: Vec<rustls_pki_types::CertificateDer<'static>>,
    key: rustls_pki_types::PrivateKeyDer<'static>,
}

fn pki() -> Pki {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "test ca");
    let ca = rcgen::CertifiedIssuer::self_signed(params, ca_key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.subject_alt_names.push(rcgen::SanType::IpAddress([127, 0, 0, 1].into()));
    let own = params.signed_by(&key, &ca).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Pki { ca: ca.pem(), chain: vec![own.der().clone()], key }
}

/// Looks at a server that does this with each connection.
async fn at<F: Future<Output = ()> + Send + 'static>(
    ca: &str,
    bounds: DoorBounds,
    serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> (Door, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(serve(stream));
        }
    });
    let endpoint = Endpoint::parse(&url, Some(ca), None).unwrap();
    let begun = Instant::now();
    let door = door(&endpoint, &bounds).await;
    serving.abort();
    (door, begun.elapsed())
}

fn is_unknown(door: &Door) -> bool {
    let tls = door.tls.values().chain([&door.weak_suites]).all(|one| matches!(one, TlsTaken::Unknown(_)));
    let gets = door.anonymous.len() == 12
        && door.anonymous.iter().all(|one| one.status.is_none() && one.why.is_some());
    tls && gets
        && matches!(door.chain.coverage, Coverage::Cut(_))
        && matches!(door.untrusted.coverage, Coverage::Cut(_))
}

#[tokio::test]
async fn p21_garbage_silence_and_floods_leave_all_unknown_and_end_in_time() {
    let ca = pki().ca;
    let (garbage, _) = at(&ca, SHORT, |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nserver: \x1b[31m\r\n\r\nwhat\r\n").await;
    })
    .await;
    assert!(is_unknown(&garbage), "{garbage:?}");
    assert_eq!(garbage.addresses.found[0].reach, AddressReach::Loopback);
    assert!(!format!("{garbage:?}").contains('\u{1b}'));
    let (silent, took) = at(&ca, SHORT, |mut stream| async move {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
    })
    .await;
    assert!(is_unknown(&silent), "{silent:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    // Records of a handshake without end: the most that TLS lets a record have, again and again.
    let (flood, took) = at(&ca, SHORT, |mut stream| async move {
        let mut record = vec![22, 3, 3, 0x40, 0];
        record.extend([2].into_iter().chain([0xff; 3]).chain([3; 0x4000 - 4]));
        while stream.write_all(&record).await.is_ok() {}
    })
    .await;
    assert!(flood.tls.values().all(|one| !matches!(one, TlsTaken::Yes)), "{:?}", flood.tls);
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test]
async fn nobody_there_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let door = door(&Endpoint::parse(&url, Some(&pki().ca), None).unwrap(), &LONG).await;
    assert!(is_unknown(&door), "{door:?}");
    assert!(door.anonymous[0].why.as_ref().unwrap().contains("no connection"));
    let nowhere = Endpoint::parse("https://no-such-host.invalid", Some(&pki().ca), None).unwrap();
    let door = crate::door(&nowhere, &SHORT).await;
    assert!(is_unknown(&door) && matches!(door.addresses.coverage, Coverage::Cut(_)), "{door:?}");
}

/// A server that speaks TLS and answers every request with this.
async fn over_tls(
    bounds: DoorBounds,
    believed: bool,
    versions: &'static [&'static rustls::SupportedProtocolVersion],
    answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
) -> (Door, Duration) {
    let own = pki();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(own.chain, own.key)
            .unwrap();
    let (acceptor, answer) = (TlsAcceptor::from(Arc::new(config)), Arc::new(answer));
    let ca = if believed { own.ca } else { pki().ca };
    at(&ca, bounds, move |stream| {
        let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut head = vec![0; 4096];
            let Ok(many) = stream.read(&mut head).await else { return };
            let head = String::from_utf8_lossy(&head[..many]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            // No credential is ever sent.
            assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
            let _ = stream.write_all(&answer(path)).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

#[tokio::test]
async fn what_a_server_says_without_a_credential_is_told() {
    let refusal =
        r#"{"kind":"Status","message":"forbidden: User \"system:anonymous\u202e\" cannot get path"}"#;
    let (door, _) = over_tls(LONG, true, BOTH, move |path| match path {
        "/version" => http("200 OK", "{}"),
        "/metrics" => http("302 Found\r\nlocation: https://127.0.0.1:1/", ""),
        "/api" => http("401 Unauthorized", "<html>sign in</html>"),
        // Far more than is taken in: the status is enough.
        "/openapi/v2" => http("200 OK", &"x".repeat(3 << 20)),
        _ => http("403 Forbidden", refusal),
    })
    .await;
    let get = |path: &str| door.anonymous.iter().find(|one| one.path == path).unwrap();
    assert_eq!(door.anonymous.len(), 12);
    assert_eq!(
        (get("/version").status, get("/metrics").status, get("/openapi/v2").status),
        (Some(200), Some(302), Some(200))
    );
    assert_eq!((get("/api").status, get("/api").kubernetes), (Some(401), false));
    assert_eq!(get("/apis").user.as_deref(), Some("system:anonymous⟨U+202E⟩"));
    assert_eq!(door.tls[&Tls::V1_3], TlsTaken::Yes);
    assert_eq!(door.tls[&Tls::V1_2], TlsTaken::Yes);
    assert_eq!((&door.tls[&Tls::V1_1], &door.tls[&Tls::V1_0]), (&TlsTaken::No, &TlsTaken::No));
    assert_eq!(door.weak_suites, TlsTaken::No);
    assert_eq!((door.untrusted.whole(), door.client_authorities.whole()), (Some(&None), Some(&None)));
    assert_eq!(door.chain.whole().unwrap()[0].names, ["localhost", "127.0.0.1"]);
    let kept = serde_json::to_value(&door).unwrap();
    assert_eq!(serde_json::from_value::<Door>(kept).unwrap(), door);
}

#[tokio::test]
async fn p21_who_is_not_believed_is_not_asked_and_one_version_alone_is_told() {
    let (door, _) = over_tls(LONG, false, BOTH, |_| http("200 OK", "{}")).await;
    assert!(door.untrusted.found.is_some() && door.chain.whole().is_some(), "{door:?}");
    assert!(door.anonymous.iter().all(|one| one.status.is_none()), "{:?}", door.anonymous);
    const ONE: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let (door, _) = over_tls(LONG, true, ONE, |_| http("200 OK", "{}")).await;
    assert_eq!((&door.tls[&Tls::V1_3], &door.tls[&Tls::V1_2]), (&TlsTaken::No, &TlsTaken::Yes));
    assert_eq!(door.chain.coverage, Coverage::Read);
}

#[tokio::test]
async fn an_answer_without_end_does_not_hold_it_up() {
    let bounds = DoorBounds { each: Duration::from_secs(2), whole: Duration::from_secs(10) };
    let (door, took) = over_tls(bounds, true, BOTH, |_| {
        let mut text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..400 {
            text.extend_from_slice(b"10000\r\n");
            text.extend(vec![b'x'; 0x10000]);
            text.extend_from_slice(b"\r\n");
        }
        text
    })
    .await;
    assert!(door.anonymous.iter().all(|one| one.status == Some(200) || one.why.is_some()));
    assert!(took < Duration::from_secs(20), "{took:?}");
}
