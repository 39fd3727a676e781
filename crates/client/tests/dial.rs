//! The client and the probe against real TLS servers on loopback, well-behaved and not.

use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, api::PostParams};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use sallyport_client::{
    Credential, Endpoint, Fault, Timeouts, TokenError, TokenSource, connect, probe, probe_get, within,
};
use sallyport_model::Secret;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

const DEADLINE: Duration = Duration::from_secs(2);
const SHORT: Duration = Duration::from_millis(300);

/// One authority with a server certificate for the given name.
struct Authority {
    ca_pem: String,
    config: Arc<rustls::ServerConfig>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        let key = KeyPair::generate().unwrap();
        let certificate = leaf.signed_by(&key, &ca).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Self { ca_pem: ca.pem(), config: Arc::new(config) }
    }
}

/// How the server answers.
#[derive(Clone, Copy)]
enum Manner {
    /// With this status, these headers and this body.
    Says(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Takes the request and never answers.
    Hangs,
}

/// Method, path and Authorization of a request.
type Seen = (String, String, Option<String>);
type Log = Arc<Mutex<Vec<Seen>>>;

struct Server {
    url: String,
    ca_pem: String,
    connections: Arc<AtomicUsize>,
    seen: Log,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(manner: Manner) -> Self {
        Self::with(Authority::new("127.0.0.1"), manner).await
    }

    async fn with(authority: Authority, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(authority.config);
        let (count, log) = (connections.clone(), seen.clone());
        let task = tokio::spawn(async move {
            // Aborting this task drops the set and with it every connection.
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, count, log) = (acceptor.clone(), count.clone(), log.clone());
                serving.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    count.fetch_add(1, Ordering::SeqCst);
                    let service = service_fn(move |request| answer(request, manner, log.clone()));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, ca_pem: authority.ca_pem, connections, seen, task }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&self.url, Some(&self.ca_pem), None).unwrap()
    }

    fn client(&self, credential: Credential) -> kube::Client {
        connect(&self.endpoint(), credential, Timeouts::both(SHORT)).unwrap()
    }

    fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    manner: Manner,
    log: Log,
) -> Result<Response<Full<bytes::Bytes>>, std::convert::Infallible> {
    let sent = request.headers().get("authorization").map(|v| v.to_str().unwrap().to_owned());
    log.lock().unwrap().push((request.method().to_string(), request.uri().path().to_owned(), sent));
    match manner {
        Manner::Hangs => std::future::pending().await,
        Manner::Says(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            Ok(response.body(Full::new(body.into())).unwrap())
        }
    }
}

fn maps(client: kube::Client) -> Api<ConfigMap> {
    Api::namespaced(client, "n")
}

async fn get(client: kube::Client) -> Fault {
    within(DEADLINE, maps(client).get("a")).await.unwrap_err()
}

const FORBIDDEN: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"Forbidden","code":403}"#;

#[tokio::test]
async fn a_write_is_sent_once_whatever_the_answer() {
    for status in [429, 500, 503, 504] {
        let server = Server::start(Manner::Says(status, &[("retry-after", "0")], "{}")).await;
        let client = server.client(Credential::None);
        let made = within(DEADLINE, maps(client).create(&PostParams::default(), &ConfigMap::default())).await;
        assert!(made.is_err());
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays_home() {
    let elsewhere = Server::start(Manner::Says(200, &[], "{}")).await;
    let location: &'static str = elsewhere.url.clone().leak();
    let headers: &'static [(&str, &str)] = vec![("location", location)].leak();
    let server = Server::start(Manner::Says(302, headers, "")).await;
    get(server.client(Credential::Token(Secret::new("tok".into())))).await;
    let answer =
        probe_get(&server.endpoint(), Some(&Secret::new("tok".into())), "/api", DEADLINE).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
    assert!(server.requests().iter().all(|(_, _, sent)| sent.as_deref() == Some("Bearer tok")));
}

#[tokio::test]
async fn a_far_end_that_hangs_costs_the_deadline_and_no_more() {
    let server = Server::start(Manner::Hangs).await;
    let begun = Instant::now();
    assert_eq!(get(server.client(Credential::None)).await, Fault::TimedOut);
    assert_eq!(probe_get(&server.endpoint(), None, "/", SHORT).await.unwrap_err(), Fault::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_far_end_that_never_shakes_hands_costs_the_deadline_and_no_more() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let ca = Authority::new("127.0.0.1").ca_pem;
    let endpoint = Endpoint::parse(&url, Some(&ca), None).unwrap();
    let begun = Instant::now();
    let client = connect(&endpoint, Credential::None, Timeouts::both(SHORT)).unwrap();
    assert_eq!(get(client).await, Fault::TimedOut);
    assert_eq!(probe_get(&endpoint, None, "/", SHORT).await.unwrap_err(), Fault::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nobody_there_and_the_wrong_one_there_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ca = Authority::new("127.0.0.1").ca_pem;
    let nobody = Endpoint::parse(&format!("https://{free}"), Some(&ca), None).unwrap();
    let client = connect(&nobody, Credential::None, Timeouts::both(SHORT)).unwrap();
    assert!(matches!(get(client).await, Fault::Unreachable(_)));
    assert!(matches!(probe_get(&nobody, None, "/", SHORT).await, Err(Fault::Unreachable(_))));

    let server = Server::start(Manner::Says(200, &[], "{}")).await;
    let other_ca = Endpoint::parse(&server.url, Some(&ca), None).unwrap();
    let other_name = Endpoint::parse(&server.url, Some(&server.ca_pem), Some("other.example")).unwrap();
    for wrong in [other_ca, other_name] {
        let client =
            connect(&wrong, Credential::Token(Secret::new("tok".into())), Timeouts::both(SHORT)).unwrap();
        assert!(matches!(get(client).await, Fault::Untrusted(_)));
        assert!(matches!(probe_get(&wrong, None, "/", SHORT).await, Err(Fault::Untrusted(_))));
    }
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn the_tls_server_name_is_what_the_certificate_must_carry() {
    let server = Server::with(Authority::new("kubernetes.internal"), Manner::Says(403, &[], FORBIDDEN)).await;
    let plain = server.endpoint();
    assert!(matches!(probe_get(&plain, None, "/", SHORT).await, Err(Fault::Untrusted(_))));
    let named = Endpoint::parse(&server.url, Some(&server.ca_pem), Some("kubernetes.internal")).unwrap();
    assert_eq!(probe_get(&named, None, "/", DEADLINE).await.unwrap().status, 403);
    let client = connect(&named, Credential::None, Timeouts::both(DEADLINE)).unwrap();
    assert_eq!(get(client).await, Fault::Forbidden("no".into()));
}

#[tokio::test]
async fn each_probe_has_a_connection_of_its_own_and_the_client_keeps_one() {
    let server =
        Server::start(Manner::Says(403, &[("date", "Tue, 24 Nov 2026 14:30:10 GMT")], FORBIDDEN)).await;
    for n in 1..=3 {
        let answer = probe_get(&server.endpoint(), None, "/api/v1/pods?limit=1", DEADLINE).await.unwrap();
        assert_eq!((answer.status, answer.date), (403, Some(1_795_530_610)));
        assert_eq!(server.connections.load(Ordering::SeqCst), n);
    }
    let body = Some(br#"{"kind":"SelfSubjectAccessReview"}"#.to_vec());
    let asked = probe(&server.endpoint(), None, http::Method::POST, "/apis/x", body, DEADLINE).await.unwrap();
    assert!(asked.body.starts_with(b"{\"kind\":\"Status\""));
    let client = server.client(Credential::None);
    for _ in 0..3 {
        assert_eq!(get(client.clone()).await, Fault::Forbidden("no".into()));
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_base_path_is_kept_and_a_path_that_would_escape_is_refused() {
    let server = Server::start(Manner::Says(403, &[], FORBIDDEN)).await;
    let based = Endpoint::parse(&format!("{}/k8s/", server.url), Some(&server.ca_pem), None).unwrap();
    probe_get(&based, None, "/api", DEADLINE).await.unwrap();
    get(connect(&based, Credential::None, Timeouts::default()).unwrap()).await;
    let paths: Vec<_> = server.requests().into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(paths, ["/k8s/api", "/k8s/api/v1/namespaces/n/configmaps/a"]);
    for bad in ["/a b", "/\r\nX: y", "/\u{e9}\u{202e}\u{7f}"] {
        let answer = probe_get(&based, None, bad, DEADLINE).await;
        assert!(matches!(answer, Err(Fault::Invalid(_))), "{bad:?}: {answer:?}");
    }
    let token = Secret::new("tok\r\nX-Evil: 1".to_owned());
    assert!(matches!(probe_get(&based, Some(&token), "/", DEADLINE).await, Err(Fault::Invalid(_))));
    assert_eq!(server.requests().len(), 2);
}

struct Current(Mutex<Vec<&'static str>>);

impl TokenSource for Current {
    fn token(&self) -> futures::future::BoxFuture<'_, Result<Secret<String>, TokenError>> {
        let next = self.0.lock().unwrap().pop();
        let token = next.map(|t| Secret::new(t.to_owned())).ok_or_else(|| TokenError::new("signed out"));
        Box::pin(std::future::ready(token))
    }
}

#[tokio::test]
async fn the_source_is_asked_for_every_request_and_without_a_token_nothing_is_sent() {
    let server = Server::start(Manner::Says(403, &[], FORBIDDEN)).await;
    let client = server.client(Credential::Source(Arc::new(Current(Mutex::new(vec!["second", "first"])))));
    get(client.clone()).await;
    get(client.clone()).await;
    let why = get(client).await;
    assert!(matches!(&why, Fault::NoToken(w) if w.contains("signed out")), "{why:?}");
    let sent: Vec<_> = server.requests().into_iter().filter_map(|(_, _, sent)| sent).collect();
    assert_eq!(sent, ["Bearer first", "Bearer second"]);
}

#[tokio::test]
async fn answers_are_sorted_into_what_can_be_done_about_them() {
    for (status, reason, wanted) in [
        (401, "Unauthorized", Fault::Unauthorized),
        (404, "NotFound", Fault::NotFound),
        (409, "AlreadyExists", Fault::AlreadyExists),
        (409, "Conflict", Fault::Conflict("no".into())),
        (410, "Expired", Fault::Gone),
        (422, "Invalid", Fault::Invalid("no".into())),
        (429, "TooManyRequests", Fault::Busy("no".into())),
        (503, "ServiceUnavailable", Fault::Busy("no".into())),
    ] {
        let body = FORBIDDEN.replace("Forbidden", reason).replace("403", &status.to_string());
        let server = Server::start(Manner::Says(status, &[], body.leak())).await;
        assert_eq!(get(server.client(Credential::None)).await, wanted);
    }
    let server = Server::start(Manner::Says(200, &[], "not json")).await;
    assert!(matches!(get(server.client(Credential::None)).await, Fault::Other(_)));
}

#[test]
fn addresses_and_bundles_that_can_not_be_used_are_refused() {
    let ca = Authority::new("x").ca_pem;
    for bad in [
        "http://a",
        "https://",
        "a",
        "",
        "https://u:p@a",
        "https://u@a",
        "https://a/?q=1",
        "https://a/#f",
        "ftp://a",
        "https://a\u{202e}b:x",
    ] {
        assert!(Endpoint::parse(bad, Some(&ca), None).is_err(), "{bad}");
    }
    for good in ["https://a", "https://a:6443/k8s", "https://127.0.0.1:1", "https://[::1]:6443"] {
        assert!(Endpoint::parse(good, Some(&ca), None).is_ok(), "{good}");
    }
    let noise = "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n";
    for bad in ["", "no", noise, &"x".repeat(2 << 20)] {
        assert!(Endpoint::parse("https://a", Some(bad), None).is_err(), "{} characters", bad.len());
    }
    assert!(Endpoint::parse("https://a", Some(&ca), Some("not a name")).is_err());
    let odd = Credential::Certificate { chain: "no".into(), key: Secret::new("no".into()) };
    let endpoint = Endpoint::parse("https://a", Some(&ca), None).unwrap();
    assert!(connect(&endpoint, odd, Timeouts::default()).is_err());
}
