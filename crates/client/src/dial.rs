use crate::Endpoint;
use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::{Service, ServiceExt as _};

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("no connection within {0:?}")]
    TimedOut(Duration),
    #[error("no connection")]
    Tcp(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no TLS session")]
    Tls(#[source] io::Error),
}

/// Makes TCP and TLS connections to one endpoint, each within a deadline. No proxy, no environment.
#[derive(Clone)]
pub(crate) struct Dial {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
    server_name: ServerName<'static>,
    deadline: Duration,
}

impl Dial {
    pub(crate) fn new(endpoint: &Endpoint, tls: Arc<ClientConfig>, deadline: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // A watch is silent for minutes, so a far end that went away is noticed by TCP and not by a read timeout.
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(10)));
        tcp.set_keepalive_retries(Some(3));
        Self { tcp, tls, server_name: endpoint.server_name(), deadline }
    }

    pub(crate) async fn dial(self, uri: Uri) -> Result<TlsConnection, DialError> {
        let Self { tcp, tls, server_name, deadline } = self;
        let connecting = async {
            let stream = tcp.oneshot(uri).await.map_err(|e| DialError::Tcp(e.into()))?;
            let stream = TlsConnector::from(tls)
                .connect(server_name, stream.into_inner())
                .await
                .map_err(DialError::Tls)?;
            Ok(TlsConnection(TokioIo::new(stream)))
        };
        tokio::time::timeout(deadline, connecting).await.unwrap_or(Err(DialError::TimedOut(deadline)))
    }
}

impl Service<Uri> for Dial {
    type Response = TlsConnection;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<TlsConnection, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// A TLS connection in the shape hyper wants.
pub(crate) struct TlsConnection(TokioIo<TlsStream<TcpStream>>);

impl TlsConnection {
    /// Whether the server chose HTTP/2 (RFC 7301).
    pub(crate) fn speaks_h2(&self) -> bool {
        self.0.inner().get_ref().1.alpn_protocol() == Some(b"h2")
    }
}

impl Connection for TlsConnection {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for TlsConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for TlsConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }
}
