//! Clients that do as little as they can, so that what is measured is the way and not them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::serve::Session;

/// A way to the API server.
pub(crate) struct Target {
    address: String,
    tls: Option<ClientConfig>,
    bearer: Option<String>,
}

/// A kept connection.
pub(crate) enum Kept {
    H1 { send: http1::SendRequest<Empty<Bytes>>, base: Base },
    H2 { send: http2::SendRequest<Empty<Bytes>>, base: Base },
}

#[derive(Clone)]
pub(crate) struct Base {
    address: String,
    bearer: Option<String>,
}

impl Target {
    /// To the API server itself, with a token.
    pub(crate) fn direct(url: &str, ca_pem: &str, token: &str) -> Result<Self> {
        let address = url.strip_prefix("https://").context("https")?.to_owned();
        let tls = config(ca_pem)?.with_no_client_auth();
        Ok(Self { address, tls: Some(tls), bearer: Some(format!("Bearer {token}")) })
    }

    /// Through the gateway, with a session's certificate.
    pub(crate) fn gateway(session: &Session) -> Result<Self> {
        let address = session.server_url.strip_prefix("https://").context("https")?;
        let cert = CertificateDer::from_pem_slice(session.cert_pem.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(session.key_pem.as_bytes())?;
        let tls = config(&session.ca_pem)?.with_client_auth_cert(vec![cert], key)?;
        Ok(Self { address: address.to_owned(), tls: Some(tls), bearer: None })
    }

    /// Through a plain HTTP proxy.
    pub(crate) fn plain(address: &str) -> Result<Self> {
        ensure!(address.starts_with("127.0.0.1:"), "{address}");
        Ok(Self { address: address.to_owned(), tls: None, bearer: None })
    }

    async fn tcp(&self) -> Result<TcpStream> {
        let tcp = TcpStream::connect(&self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    async fn tls(&self, alpn: &[u8]) -> Result<TlsStream<TcpStream>> {
        let mut config = self.tls.clone().context("a TLS way")?;
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = ServerName::try_from("127.0.0.1")?;
        Ok(TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await?).await?)
    }

    fn base(&self) -> Base {
        Base { address: self.address.clone(), bearer: self.bearer.clone() }
    }

    pub(crate) async fn kept(&self) -> Result<Kept> {
        if self.tls.is_none() {
            let (send, connection) = http1::handshake(TokioIo::new(self.tcp().await?)).await?;
            tokio::spawn(connection);
            return Ok(Kept::H1 { send, base: self.base() });
        }
        // The windows of Go's client, which kubectl is.
        let (send, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(1 << 30)
            .handshake(TokioIo::new(self.tls(b"h2").await?))
            .await?;
        tokio::spawn(connection);
        Ok(Kept::H2 { send, base: self.base() })
    }
}

impl Base {
    fn request(&self, path: &str, h2: bool) -> Result<Request<Empty<Bytes>>> {
        let mut request = if h2 {
            Request::get(format!("https://{}{path}", self.address))
        } else {
            Request::get(path).header(header::HOST, &self.address)
        };
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        Ok(request.header(header::ACCEPT, "application/json").body(Empty::new())?)
    }
}

impl Kept {
    async fn send(&mut self, path: &str) -> Result<Incoming> {
        let response = match self {
            Self::H1 { send, base } => {
                send.ready().await?;
                send.send_request(base.request(path, false)?).await?
            }
            Self::H2 { send, base } => send.send_request(base.request(path, true)?).await?,
        };
        ensure!(response.status() == 200, "{path}: {}", response.status());
        Ok(response.into_body())
    }
}

/// One GET, read to its end; how many bytes came.
pub(crate) async fn get(kept: &mut Kept, path: &str) -> Result<usize> {
    let mut body = kept.send(path).await?;
    let mut got = 0;
    while let Some(frame) = body.frame().await {
        got += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(got)
}

/// Opens a watch and waits for its first bytes; what is returned waits for its end.
pub(crate) async fn watch(kept: &mut Kept, path: &str) -> Result<BoxFuture<'static, ()>> {
    let mut body = kept.send(path).await?;
    body.frame().await.context("the watch ended")??;
    Ok(Box::pin(async move { while let Some(Ok(_)) = body.frame().await {} }))
}

/// A command in a pod over WebSocket; its stdout comes in frames.
pub(crate) async fn open_exec(target: &Target, pod: &str, command: &[&str]) -> Result<TokioIo<Upgraded>> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("stdout", "true").append_pair("container", "web");
    for word in command {
        query.append_pair("command", word);
    }
    let path = format!("/api/v1/namespaces/default/pods/{pod}/exec?{}", query.finish());
    let (mut send, connection) = http1::handshake(TokioIo::new(target.tls(b"http/1.1").await?)).await?;
    tokio::spawn(connection.with_upgrades());
    let mut request = target.base().request(&path, false)?;
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "v5.channel.k8s.io"),
    ] {
        request.headers_mut().insert(name, value.parse()?);
    }
    let response = send.send_request(request).await?;
    ensure!(response.status() == 101, "{}", response.status());
    Ok(TokioIo::new(hyper::upgrade::on(response).await?))
}

/// Reads until at least so many bytes came; framing counts as well, four bytes in some ten thousand.
pub(crate) async fn read_exec(stream: &mut TokioIo<Upgraded>, wanted: usize) -> Result<()> {
    let mut buffer = vec![0; 256 << 10];
    let mut got = 0;
    while got < wanted {
        let read = stream.read(&mut buffer).await?;
        ensure!(read > 0, "the stream ended after {got} bytes");
        got += read;
    }
    Ok(())
}

fn config(ca_pem: &str) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots))
}
