//! An API server that follows a script: what it does is in the path.

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

type Body = BoxBody<Bytes, io::Error>;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) version: http::Version,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
}

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    live_streams: AtomicUsize,
    spliced: Mutex<Vec<u8>>,
}

pub(crate) struct FakeApi {
    port: u16,
    ca_pem: String,
    log: Arc<Log>,
    listening: AbortHandle,
    drop_all: Arc<Notify>,
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl FakeApi {
    pub(crate) async fn start() -> Self {
        Self::speaking(&[b"h2", b"http/1.1"]).await
    }

    pub(crate) async fn speaking(alpn: &[&[u8]]) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        let cert = params.signed_by(&key, &ca).unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        tls.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Log::default());
        let drop_all = Arc::new(Notify::new());
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let task = tokio::spawn(serve(listener, acceptor, log.clone(), drop_all.clone()));
        Self { port, ca_pem: ca.pem(), log, listening: task.abort_handle(), drop_all }
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("https://127.0.0.1:{}", self.port)).unwrap()
    }

    /// The same, said to be at another port.
    pub(crate) fn at(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Closes every connection, as a restart does.
    pub(crate) fn drop_connections(&self) {
        self.drop_all.notify_one();
    }

    pub(crate) fn ca_pem(&self) -> String {
        self.ca_pem.clone()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// Streams that are open at this moment, as this side sees it.
    pub(crate) fn live_streams(&self) -> usize {
        self.log.live_streams.load(Ordering::SeqCst)
    }

    /// What arrived on upgraded connections.
    pub(crate) fn spliced(&self) -> Vec<u8> {
        self.log.spliced.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, log: Arc<Log>, drop_all: Arc<Notify>) {
    // Aborting this task drops the set and with it every connection.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let tcp = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            () = drop_all.notified() => {
                connections.abort_all();
                continue;
            }
        };
        let (acceptor, log) = (acceptor.clone(), log.clone());
        connections.spawn(async move {
            let Ok(tls) = acceptor.accept(tcp).await else { return };
            log.connections.fetch_add(1, Ordering::SeqCst);
            let is_h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
            let service = service_fn(move |request| {
                let log = log.clone();
                async move {
                    // hyper's HTTP/2 server would send a HEAD's body as it is.
                    let is_head = request.method() == Method::HEAD;
                    let answer = answer(request, log).await;
                    Ok::<_, Infallible>(if is_head { answer.map(|_| full("")) } else { answer })
                }
            });
            let io = TokioIo::new(tls);
            if is_h2 {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.max_concurrent_streams(100).max_header_list_size(1 << 20);
                let _ = builder.serve_connection(io, service).await;
            } else {
                let _ = http1::Builder::new().serve_connection(io, service).with_upgrades().await;
            }
        });
    }
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

struct LiveStream(Arc<Log>);

impl LiveStream {
    fn new(log: &Arc<Log>) -> Self {
        log.live_streams.fetch_add(1, Ordering::SeqCst);
        Self(log.clone())
    }
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        self.0.live_streams.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(request: Request<Incoming>, log: Arc<Log>) -> Response<Body> {
    log.seen.lock().unwrap().push(Seen {
        version: request.version(),
        uri: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        headers: request.headers().clone(),
    });
    let path = request.uri().path().to_owned();
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "hang" => std::future::pending().await,
        "redirect" => {
            let mut response = Response::new(full("moved"));
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert("location", HeaderValue::from_static("https://evil.example/"));
            response
        }
        "teapot" => {
            let mut response = Response::new(full("short and stout"));
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
            let headers = response.headers_mut();
            headers.append("warning", HeaderValue::from_static("299 - \"one\""));
            headers.append("warning", HeaderValue::from_static("299 - \"two\""));
            headers.insert("content-encoding", HeaderValue::from_static("gzip"));
            headers.insert("audit-id", HeaderValue::from_static("as-minted"));
            response
        }
        "trailers" => trailers(),
        "huge-headers" => {
            let mut response = Response::new(full("ok"));
            let huge = HeaderValue::from_str(&"x".repeat(400 << 10)).unwrap();
            response.headers_mut().insert("x-huge", huge);
            response
        }
        "ticks" => ticks(&log),
        "flood" => flood(&log),
        "breaks" => breaks(),
        "echo" => {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            Response::new(full(body))
        }
        "up-echo" => upgrade(request, log),
        "up-200" => Response::new(full("not today")),
        "up-403" => {
            let mut response = Response::new(full("{\"kind\":\"Status\",\"code\":403}"));
            *response.status_mut() = StatusCode::FORBIDDEN;
            response
        }
        "up-other" => {
            let mut response = Response::new(full(""));
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
            response.headers_mut().insert("upgrade", HeaderValue::from_static("h2c"));
            response
        }
        _ => match last.strip_prefix("bytes-").and_then(|n| n.parse().ok()) {
            Some(n) => Response::new(full(pattern(n))),
            None => Response::new(full("{}")),
        },
    }
}

/// Bytes whose order shows.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8).collect()
}

fn trailers() -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("42"));
    let frames = [Ok::<_, io::Error>(Frame::data(Bytes::from("body"))), Ok(Frame::trailers(trailers))];
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(stream::iter(frames))));
    response.headers_mut().insert("trailer", HeaderValue::from_static("x-checksum"));
    response
}

/// A line every 10 ms, without end, like a watch.
fn ticks(log: &Arc<Log>) -> Response<Body> {
    let live = LiveStream::new(log);
    let lines = stream::unfold(live, |live| async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((Ok::<_, io::Error>(Frame::data(Bytes::from("tick\n"))), live))
    });
    let first = stream::iter([Ok(Frame::data(Bytes::from("first\n")))]);
    Response::new(BodyExt::boxed(StreamBody::new(first.chain(lines))))
}

/// A megabyte in frames of 16 KiB as fast as they are taken, then nothing more: the log of a busy pod.
fn flood(log: &Arc<Log>) -> Response<Body> {
    let live = LiveStream::new(log);
    let frame = Bytes::from(pattern(16 << 10));
    let frames = stream::iter((0..64).map(move |_| Ok::<_, io::Error>(Frame::data(frame.clone()))));
    let silence = stream::once(async move {
        let _live = live;
        std::future::pending().await
    });
    Response::new(BodyExt::boxed(StreamBody::new(frames.chain(Box::pin(silence)))))
}

fn breaks() -> Response<Body> {
    let half = stream::iter([Ok(Frame::data(Bytes::from("half")))]);
    let gone = stream::once(async {
        // A reset overtakes what was not sent yet.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::other("gone"))
    });
    Response::new(BodyExt::boxed(StreamBody::new(half.chain(Box::pin(gone)))))
}

fn upgrade(mut request: Request<Incoming>, log: Arc<Log>) -> Response<Body> {
    let Some(protocol) = request.headers().get("upgrade").cloned() else {
        return Response::new(full("no upgrade was asked for"));
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let _live = LiveStream::new(&log);
        let Ok(upgraded) = upgraded.await else { return };
        let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            log.spliced.lock().unwrap().extend_from_slice(&buffer[..read]);
            if to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert("upgrade", protocol);
    response.headers_mut().insert("x-stream-protocol-version", HeaderValue::from_static("v4.channel.k8s.io"));
    response
}
