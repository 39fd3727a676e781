//! From a TCP connection to a caller: TLS, the certificate's session, then HTTP.

use crate::gateway::GatewayOptions;
use crate::held::Held;
use crate::lanes::{CONNECTION_WINDOW, FRAME, HEADERS, STREAM_WINDOW, STREAMS};
use crate::peer::look_up;
use crate::registry::Registry;
use crate::relay::{Caller, answer};
use crate::wire::{TLS_BUFFER, Wire};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use sallyport_model::Digest;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Handshakes under way at once. Who has no certificate can hold no more than these, each for the deadline.
const HANDSHAKES: usize = 256;

/// Lookups of a peer's process at once.
const LOOKUPS: usize = 4;

/// A kept connection may be idle as long as Go's client keeps it (90 s) and somewhat more, so that it is the client
/// who closes and no request meets a closing connection.
const IDLE: Duration = Duration::from_secs(120);

/// After `accept` failed, most likely for want of descriptors.
const BREATHE: Duration = Duration::from_millis(50);

/// What every connection comes in through.
pub(crate) struct Door {
    pub(crate) registry: Registry,
    acceptor: TlsAcceptor,
    authority: Arc<str>,
    port: u16,
    connect_within: Duration,
    answer_within: Duration,
    handshakes: Semaphore,
    lookups: Arc<Semaphore>,
    held: Held,
}

impl Door {
    pub(crate) fn new(
        registry: Registry,
        tls: ServerConfig,
        port: u16,
        options: &GatewayOptions,
        held: Held,
    ) -> Self {
        Self {
            registry,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            authority: format!("127.0.0.1:{port}").into(),
            port,
            connect_within: options.connect_within,
            answer_within: options.answer_within,
            handshakes: Semaphore::new(HANDSHAKES),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            held,
        }
    }
}

pub(crate) async fn listen(listener: TcpListener, door: Arc<Door>) {
    loop {
        match listener.accept().await {
            Ok((tcp, SocketAddr::V4(from))) if from.ip().is_loopback() => {
                door.held.spawn(come_in(door.clone(), tcp, from));
            }
            // The listener is bound to 127.0.0.1, so nobody else gets here.
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the gateway can't take a connection");
                sleep(BREATHE).await;
            }
        }
    }
}

async fn come_in(door: Arc<Door>, tcp: TcpStream, from: SocketAddrV4) {
    let Some(tls) = shake_hands(&door, tcp, from).await else { return };
    let (wire, connection) = tls.get_ref();
    let fingerprint =
        connection.peer_certificates().and_then(|chain| chain.first()).map(|cert| Digest::of(cert));
    let session = fingerprint.and_then(|fingerprint| door.registry.by_certificate(&fingerprint));
    let is_h2 = connection.alpn_protocol() == Some(b"h2");
    // A connection of an open session lives and dies with it. Any other is told so and tied to nothing.
    let held = match &session {
        Some(session) if session.is_open() => {
            wire.tie(session.held().cut_token().clone());
            session.held().clone()
        }
        _ => door.held.clone(),
    };
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, door.port);
    let caller = Caller {
        session,
        authority: door.authority.clone(),
        peer: look_up(&door.lookups, from, to),
        connect_within: door.connect_within,
        answer_within: door.answer_within,
    };
    held.clone().spawn(serve(tls, is_h2, Arc::new(caller), held));
}

/// `None` when the far end did not come through: plain text, an old TLS, no or a foreign certificate, silence.
async fn shake_hands(door: &Door, tcp: TcpStream, from: SocketAddrV4) -> Option<TlsStream<Wire>> {
    let _one = door.handshakes.acquire().await.ok()?;
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    match timeout(door.connect_within, door.acceptor.accept(Wire::new(tcp))).await {
        Ok(Ok(mut tls)) => {
            tls.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
            Some(tls)
        }
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "a connection to the gateway failed its handshake");
            None
        }
        Err(_) => None,
    }
}

async fn serve(tls: TlsStream<Wire>, is_h2: bool, caller: Arc<Caller>, held: Held) {
    let service = service_fn(move |request| {
        let caller = caller.clone();
        async move { Ok::<_, Infallible>(answer(caller, request).await) }
    });
    let io = TokioIo::new(tls);
    let served = if is_h2 {
        http2::Builder::new(held)
            .timer(TokioTimer::new())
            .max_concurrent_streams(u32::try_from(STREAMS).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .max_header_list_size(HEADERS)
            .serve_connection(io, service)
            .await
    } else {
        // Also when the client offered no protocol at all: client-go's WebSocket and SPDY dialers don't.
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .serve_connection(io, service)
            .with_upgrades()
            .await
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the gateway ended with an error");
    }
}
