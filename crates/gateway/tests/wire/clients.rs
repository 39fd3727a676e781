//! Clients of the gateway, from a polite one to one that writes bytes by hand.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use sallyport_gateway::Opened;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) type Sent = Full<Bytes>;

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) port: u16,
    config: ClientConfig,
}

/// An answer read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<http::HeaderMap>,
}

impl Answered {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The message of a `metav1.Status`, after checking that it is one.
    pub(crate) fn status_message(&self) -> String {
        let status: serde_json::Value = serde_json::from_slice(&self.body).expect("the answer is JSON");
        assert_eq!((&status["kind"], &status["apiVersion"]), (&"Status".into(), &"v1".into()));
        assert_eq!(status["code"], self.status);
        assert_eq!(self.headers["content-type"], "application/json");
        status["message"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) fn of(opened: &Opened) -> Self {
        let cert = CertificateDer::from_pem_slice(opened.client_cert_pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(opened.client_key_pem.expose().as_bytes()).unwrap();
        let config = builder(&opened.ca_pem).with_client_auth_cert(vec![cert], key).unwrap();
        Self { port: opened.port, config }
    }

    /// The same client, calling another port.
    pub(crate) fn at(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same client, held to TLS 1.2.
    pub(crate) fn tls12(opened: &Opened) -> Self {
        let cert = CertificateDer::from_pem_slice(opened.client_cert_pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(opened.client_key_pem.expose().as_bytes()).unwrap();
        let config = versions(&opened.ca_pem, &[&rustls::version::TLS12]);
        Self { port: opened.port, config: config.with_client_auth_cert(vec![cert], key).unwrap() }
    }

    pub(crate) fn without_certificate(opened: &Opened) -> Self {
        Self { port: opened.port, config: builder(&opened.ca_pem).with_no_client_auth() }
    }

    /// TLS with these protocols offered; none at all for an empty list.
    pub(crate) async fn tls(&self, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = self.config.clone();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await?;
        tcp.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1").unwrap(), tcp).await
    }

    pub(crate) async fn h1(&self) -> http1::SendRequest<Sent> {
        let tls = self.tls(&[b"http/1.1"]).await.unwrap();
        let (send, connection) = http1::handshake(TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        send
    }

    pub(crate) async fn h2(&self) -> http2::SendRequest<Sent> {
        let tls = self.tls(&[b"h2"]).await.unwrap();
        let (send, connection) =
            // As Go's client: without it h2 takes many small unread frames for an attack.
            http2::Builder::new(TokioExecutor::new())
                .initial_connection_window_size(256 << 20)
                // Nor does Go's client mind what still arrives for a stream it has cancelled.
                .max_concurrent_reset_streams(10_000)
                .max_local_error_reset_streams(None)
                .handshake(TokioIo::new(tls))
                .await
                .unwrap();
        tokio::spawn(connection);
        send
    }

    /// A request to a path as HTTP/2 writes it.
    pub(crate) fn get(&self, path: &str) -> http::request::Builder {
        Request::get(format!("https://127.0.0.1:{}{path}", self.port))
    }

    /// The same as HTTP/1.1 writes it.
    pub(crate) fn get_h1(&self, path: &str) -> http::request::Builder {
        Request::get(path).header("host", format!("127.0.0.1:{}", self.port))
    }

    /// One GET over HTTP/2, read to its end.
    pub(crate) async fn fetch(&self, path: &str) -> Answered {
        let request = self.get(path).body(Sent::default()).unwrap();
        let response = self.h2().await.send_request(request).await.unwrap();
        read(response).await
    }

    /// Sends bytes as they are over HTTP/1.1 and returns all that comes back until the connection ends or is silent.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut tls = self.tls(&[b"http/1.1"]).await.unwrap();
        let request = request.replace("HOST", &format!("127.0.0.1:{}", self.port));
        tls.write_all(request.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        // An answer begins when the machine has time for it; silence says only afterwards that it is over.
        let mut patience = Duration::from_secs(60);
        while let Ok(Ok(read @ 1..)) = tokio::time::timeout(patience, tls.read(&mut buffer)).await {
            all.extend_from_slice(&buffer[..read]);
            patience = Duration::from_secs(1);
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Asks for an upgrade; the connection is returned with whatever was answered.
    pub(crate) async fn upgrade(&self, path: &str, protocol: &str) -> Response<Incoming> {
        let request = self
            .get_h1(path)
            .header("connection", "Upgrade")
            .header("upgrade", protocol)
            .header("x-stream-protocol-version", "v4.channel.k8s.io")
            .header("x-stream-protocol-version", "channel.k8s.io")
            .body(Sent::default())
            .unwrap();
        self.h1().await.send_request(request).await.unwrap()
    }
}

fn builder(ca_pem: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    versions(ca_pem, rustls::DEFAULT_VERSIONS)
}

fn versions(
    ca_pem: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
}

pub(crate) async fn read(response: Response<Incoming>) -> Answered {
    let (parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned();
    Answered { status: parts.status.as_u16(), headers: parts.headers, body: collected.to_bytes(), trailers }
}
