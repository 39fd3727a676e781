//! Connections of our own to one API server: each is opened for a purpose and dies with it.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use sallyport_model::Secret;
use std::{sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::Mutex,
    task::{AbortHandle, JoinHandle},
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

/// Answers are statuses and small review objects; more is cut off as an error.
const MAX_ANSWER: usize = 1 << 20;

/// Where a target's API server answers and how it proves to be the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://host[:port][/prefix]`.
    pub url: String,
    /// PEM of the CAs its certificate chains to; nothing else is trusted.
    pub ca_bundle: String,
    /// The name its certificate carries, where it differs from the URL's host.
    pub tls_server_name: Option<String>,
}

/// Why a connection could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The endpoint itself is not usable.
    #[error("endpoint `{url}` is not usable: {why}")]
    Endpoint {
        /// The URL, made visible.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// No answer before the deadline.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// Host and port.
        host: String,
    },
    /// The connection could not be opened, or TLS refused it.
    #[error("{host} can't be reached")]
    Unreachable {
        /// Host and port.
        host: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The connection broke, or the answer was no HTTP.
    #[error("{host} broke the connection off")]
    Broken {
        /// Host and port.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Opens fresh connections to one endpoint.
#[derive(Clone)]
pub struct Dialer {
    host: String,
    port: u16,
    /// `host:port`, for the Host header and for messages.
    authority: String,
    prefix: String,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl Dialer {
    /// Prepares TLS for `endpoint`; connects to nothing yet.
    ///
    /// # Errors
    /// When the URL is not https, or the CA bundle holds no usable certificate.
    pub fn new(endpoint: &Endpoint) -> Result<Self, DialError> {
        let wrong = |why: String| DialError::Endpoint {
            url: sallyport_model::clip(&sallyport_model::visible(&endpoint.url), 200),
            why,
        };
        let url: http::Uri = endpoint.url.parse().map_err(|e| wrong(format!("{e}")))?;
        if url.scheme_str() != Some("https") {
            return Err(wrong("it is not https".to_owned()));
        }
        let host = url.host().ok_or_else(|| wrong("it has no host".to_owned()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_u16().unwrap_or(443);
        let shown = endpoint.tls_server_name.clone().unwrap_or_else(|| host.clone());
        let name = ServerName::try_from(shown).map_err(|e| wrong(e.to_string()))?;
        let authority =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let tls = tls_config(&endpoint.ca_bundle).map_err(wrong)?;
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { host, port, authority, prefix, name, tls: TlsConnector::from(Arc::new(tls)) })
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Opens one connection: TCP, TLS without resumption, HTTP/2 or 1.1 as the server likes.
    ///
    /// # Errors
    /// When that does not succeed within `within`.
    pub async fn connect(&self, within: Duration) -> Result<Line, DialError> {
        let deadline = Instant::now() + within;
        let unreachable = |source| DialError::Unreachable { host: self.authority.clone(), source };
        let timed_out = |_| DialError::TimedOut { host: self.authority.clone() };
        let open = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            self.tls.connect(self.name.clone(), tcp).await
        };
        let stream = timeout_at(deadline, open).await.map_err(timed_out)?.map_err(unreachable)?;
        let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        let broken = |e: hyper::Error| self.broken(e);
        let (sender, driver) = if two {
            let handshake = http2::handshake(TokioExecutor::new(), io);
            let (sender, run) = timeout_at(deadline, handshake).await.map_err(timed_out)?.map_err(broken)?;
            (Sender::Two(sender), tokio::spawn(async move { drop(run.await) }))
        } else {
            let handshake = http1::handshake(io);
            let (sender, run) = timeout_at(deadline, handshake).await.map_err(timed_out)?.map_err(broken)?;
            (Sender::One(Box::new(Mutex::new(sender))), tokio::spawn(async move { drop(run.await) }))
        };
        let driver = driver.abort_handle();
        Ok(Line { sender, driver, authority: self.authority.clone(), prefix: self.prefix.clone() })
    }

    /// One request on a connection of its own.
    ///
    /// # Errors
    /// When no answer comes within `within`. Any HTTP status is an answer.
    pub async fn ask(
        &self,
        token: &Secret<String>,
        path: &str,
        within: Duration,
    ) -> Result<Answer, DialError> {
        let start = Instant::now();
        let line = self.connect(within).await?;
        line.send(Method::GET, path, token, None, within.saturating_sub(start.elapsed())).await
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DialError {
        DialError::Broken { host: self.authority.clone(), source: source.into() }
    }
}

fn tls_config(ca_bundle: &str) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_bundle.as_bytes()) {
        let certificate = certificate.map_err(|e| format!("its CA bundle is not PEM: {e}"))?;
        roots.add(certificate).map_err(|e| format!("its CA bundle holds no usable certificate: {e}"))?;
    }
    if roots.is_empty() {
        return Err("its CA bundle is empty".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A resumed session would not be a fresh connection in the load balancer's eyes.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

enum Sender {
    One(Box<Mutex<http1::SendRequest<Full<Bytes>>>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// One open connection; closed on drop.
pub struct Line {
    sender: Sender,
    driver: AbortHandle,
    authority: String,
    prefix: String,
}

/// What an API server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its `Date`, Unix seconds.
    pub date: Option<i64>,
    /// The body.
    pub body: Bytes,
}

impl Line {
    /// Sends one request; several may be under way at once (on HTTP/1.1 they take turns).
    ///
    /// # Errors
    /// When no answer comes within `within`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: &Secret<String>,
        body: Option<Vec<u8>>,
        within: Duration,
    ) -> Result<Answer, DialError> {
        let request = self.request(method, path, token, body)?;
        let exchange = async {
            let response = match &self.sender {
                Sender::Two(sender) => sender.clone().send_request(request).await,
                Sender::One(sender) => {
                    let mut sender = sender.lock().await;
                    sender.ready().await.map_err(|e| self.broken(e))?;
                    sender.send_request(request).await
                }
            };
            let (head, body) = response.map_err(|e| self.broken(e))?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|e| self.broken(e))?.to_bytes();
            Ok(Answer { status: head.status.as_u16(), date: date_of(&head.headers), body })
        };
        let timed_out = |_| DialError::TimedOut { host: self.authority.clone() };
        tokio::time::timeout(within, exchange).await.map_err(timed_out)?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: &Secret<String>,
        body: Option<Vec<u8>>,
    ) -> Result<Request<Full<Bytes>>, DialError> {
        let wrong = |why: String| DialError::Endpoint { url: format!("https://{}", self.authority), why };
        let mut bearer = header::HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| wrong("the token is not a header value".to_owned()))?;
        bearer.set_sensitive(true);
        // HTTP/2 wants the whole URI; HTTP/1.1 takes the path and a Host header.
        let target = match self.sender {
            Sender::Two(_) => format!("https://{}{}{path}", self.authority, self.prefix),
            Sender::One(_) => format!("{}{path}", self.prefix),
        };
        Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, &self.authority)
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("sallyport-provision/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|e| wrong(e.to_string()))
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DialError {
        DialError::Broken { host: self.authority.clone(), source: source.into() }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The `Date` header (RFC 9110 §5.6.7, IMF-fixdate only) in Unix seconds.
fn date_of(headers: &http::HeaderMap) -> Option<i64> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(time.as_second())
}

/// Connections opened ahead of their use, so that handshakes overlap with the writes they wait for.
pub struct Warm {
    dialer: Dialer,
    within: Duration,
    ahead: Vec<JoinHandle<Result<Line, DialError>>>,
}

impl Warm {
    /// Starts to open `count` connections; each gives up after `within`.
    #[must_use]
    pub fn start(dialer: Dialer, count: usize, within: Duration) -> Self {
        let ahead = (0..count).map(|_| {
            let dialer = dialer.clone();
            tokio::spawn(async move { dialer.connect(within).await })
        });
        Self { ahead: ahead.collect(), dialer, within }
    }

    /// A connection nobody has used yet.
    ///
    /// # Errors
    /// As [`Dialer::connect`].
    pub async fn next(&mut self) -> Result<Line, DialError> {
        match self.ahead.pop() {
            // A task that panicked or was cancelled opens anew.
            Some(task) => match task.await {
                Ok(opened) => opened,
                Err(_) => self.dialer.connect(self.within).await,
            },
            None => self.dialer.connect(self.within).await,
        }
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.ahead.iter().for_each(JoinHandle::abort);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { url: url.to_owned(), ca_bundle: String::new(), tls_server_name: None }
    }

    #[test]
    fn p15_only_https_with_a_ca_is_dialled() {
        for url in ["http://127.0.0.1:6443", "127.0.0.1:6443", "", "https://", "ftp://x"] {
            assert!(Dialer::new(&endpoint(url)).is_err(), "{url}");
        }
        let said = Dialer::new(&endpoint("https://127.0.0.1:6443")).err().expect("no CA").to_string();
        assert!(said.contains("CA bundle is empty"), "{said}");
    }

    #[test]
    fn a_date_header_is_read_and_noise_is_not() {
        let mut headers = http::HeaderMap::new();
        headers.insert(header::DATE, "Tue, 24 Nov 2026 14:18:04 GMT".parse().expect("ascii"));
        assert_eq!(date_of(&headers), Some(1_795_529_884));
        headers.insert(header::DATE, "yesterday".parse().expect("ascii"));
        assert_eq!(date_of(&headers), None);
    }
}
