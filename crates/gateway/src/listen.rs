//! From a TCP connection to a caller: whose it is, TLS, the certificate's session, then HTTP.

use crate::answer::answer;
use crate::begun::Caller;
use crate::descriptors::Spare;
use crate::door::Place;
use crate::heads::{Heads, TARGET, Watched};
use crate::held::Held;
use crate::lanes::{CONNECTION_WINDOW, FRAME, HEAD, RESETS, STREAM_WINDOW, STREAMS};
use crate::peer::look_up;
use crate::wire::{TLS_BUFFER, Wire};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sallyport_model::Digest;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// A kept connection may be idle as long as Go's client keeps it (90 s) and somewhat more, so that it is the client
/// who closes and no request meets a closing connection.
const IDLE: Duration = Duration::from_secs(120);

/// After `accept` failed, most likely for want of descriptors.
const BREATHE: Duration = Duration::from_millis(50);

pub(crate) async fn listen(listener: TcpListener, mut spare: Spare, place: Arc<Place>) {
    loop {
        let Ok(arrival) = place.arrivals.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((tcp, SocketAddr::V4(from))) if from.ip().is_loopback() => {
                spare.keep();
                place.door.held().spawn(come_in(place.clone(), tcp, from, arrival));
            }
            // The listener is bound to 127.0.0.1, so nobody else gets here.
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the gateway can't take a connection");
                spare.turn_away(&listener, &error, BREATHE).await;
            }
        }
    }
}

async fn come_in(place: Arc<Place>, tcp: TcpStream, from: SocketAddrV4, arrival: OwnedSemaphorePermit) {
    let door = place.door.clone();
    let arrived = timeout(door.connect_within, arrive(&place, tcp, from)).await;
    drop(arrival);
    let Ok(Some((tls, peer))) = arrived else { return };
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
        _ => door.held().clone(),
    };
    let peer = look_up(&door.lookups, peer);
    let caller = Caller { session, place, peer };
    held.clone().spawn(serve(tls, is_h2, Arc::new(caller), held));
}

/// `None` for another user's connection, and when the far end did not come through: plain text, an old TLS, no or a
/// foreign certificate. All of it, also the wait for room, is within the caller's deadline.
async fn arrive(
    place: &Place,
    tcp: TcpStream,
    from: SocketAddrV4,
) -> Option<(TlsStream<Wire>, Option<sallyport_model::TcpSocket>)> {
    let door = &place.door;
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, place.port());
    let socket = door.sockets.find(from, to, Instant::now()).await;
    if socket.is_some_and(crate::peer::is_strangers) {
        tracing::debug!(%from, "a connection of another user was not taken");
        return None;
    }
    let room = door.room.clone().acquire_owned().await.ok()?;
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    match door.acceptor.accept(Wire::new(tcp).holding(room)).await {
        Ok(mut tls) => {
            tls.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
            Some((tls, socket))
        }
        Err(error) => {
            tracing::debug!(%from, %error, "a connection to the gateway failed its handshake");
            None
        }
    }
}

async fn serve(tls: TlsStream<Wire>, is_h2: bool, caller: Arc<Caller>, held: Held) {
    let served = if is_h2 {
        let service = service_fn(move |request| {
            let caller = caller.clone();
            async move { Ok::<_, Infallible>(answer(caller, request).await) }
        });
        http2::Builder::new(held)
            .timer(TokioTimer::new())
            .max_concurrent_streams(u32::try_from(STREAMS).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            // A client that knows the limit does not send more, and a longer address would be no address to us.
            .max_header_list_size(u32::try_from(TARGET).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .serve_connection(TokioIo::new(tls), service)
            .await
    } else {
        let heads = Heads::new(tls, caller.clone(), held);
        let watch = heads.watch();
        let service = service_fn(move |request| {
            let caller = caller.clone();
            let answering = watch.pause();
            async move { Ok::<_, Infallible>(Watched::answered(answer(caller, request).await, answering)) }
        });
        // Also when the client offered no protocol at all: client-go's WebSocket and SPDY dialers don't.
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(HEAD + TARGET)
            .serve_connection(TokioIo::new(heads), service)
            .with_upgrades()
            .await
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the gateway ended with an error");
    }
}
