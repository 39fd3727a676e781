//! From a connection to an acknowledgement.

use crate::body;
use crate::counts::{Counts, add};
use crate::hall::Hall;
use crate::spool::{Spool, SpoolError};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The longest body that is taken, in bytes: what an API server may send of a batch.
pub const BODY_MOST: usize = 12 << 20;
/// Bytes of memory for bodies: each takes twice its length. So much that a few that stall leave room for the others, whose
/// batches are some hundred kilobytes.
const BODIES: usize = 128 << 20;
/// Connections with a certificate at once; a fleet's API servers keep one or two each.
const CONNECTIONS: usize = 256;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For a body to arrive.
const ARRIVES: Duration = Duration::from_secs(30);
/// How long a body waits for memory before it is put off.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection without a request.
const IDLE: Duration = Duration::from_secs(150);
/// After which an API server may come again, in seconds.
const AGAIN: u64 = 10;
/// What is under way when we end may end.
const GRACE: Duration = Duration::from_secs(10);

/// What connections share.
#[derive(Debug)]
pub struct Door {
    spool: Arc<Spool>,
    counts: Arc<Counts>,
    memory: Arc<Semaphore>,
    /// Rung when something came.
    pub(crate) came: Notify,
}

impl Door {
    /// In front of a spool.
    pub fn new(spool: Arc<Spool>, counts: Arc<Counts>) -> Arc<Self> {
        Arc::new(Self { spool, counts, memory: Arc::new(Semaphore::new(BODIES)), came: Notify::new() })
    }

    pub(crate) fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// Takes bodies until `stop` is over, then lets those under way end.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    door: Arc<Door>,
    stop: impl Future<Output = ()>,
) {
    let (ending, ended) = watch::channel(false);
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let acceptor = TlsAcceptor::from(tls);
    let hall = Arc::new(Hall::default());
    let take = async {
        loop {
            let Ok((tcp, from)) = listener.accept().await else {
                // For want of descriptors, most likely.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (acceptor, door, ended) = (acceptor.clone(), door.clone(), ended.clone());
            let (stay, connections) = (hall.enter(from.ip()), connections.clone());
            tokio::spawn(async move {
                let Some(Some(tls)) = stay.during(show(tcp, &acceptor)).await else {
                    add(&door.counts.strangers, 1);
                    return;
                };
                // Only who has a certificate waits for a place of those.
                if let Ok(Ok(_room)) = timeout(HANDSHAKE, connections.acquire_owned()).await {
                    come_in(tls, door, ended).await;
                }
            });
        }
    };
    tokio::select! {
        () = take => {}
        () = stop => {}
    }
    drop(listener);
    let _ = ending.send(true);
    // All of them gone, or as long as they may take.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(GRACE, connections.acquire_many(all)).await;
}

/// A certificate of ours, and the first byte of a request: none that is shown and says nothing holds a place.
async fn show(tcp: TcpStream, acceptor: &TlsAcceptor) -> Option<BufReader<TlsStream<TcpStream>>> {
    // A small answer should not wait for another.
    let _ = tcp.set_nodelay(true);
    let mut tls = BufReader::new(timeout(HANDSHAKE, acceptor.accept(tcp)).await.ok()?.ok()?);
    let said = timeout(HANDSHAKE, tls.fill_buf()).await.ok()?.ok()?;
    (!said.is_empty()).then_some(tls)
}

async fn come_in(tls: BufReader<TlsStream<TcpStream>>, door: Arc<Door>, mut ended: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(answer(&door, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(8)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(IDLE)
        .keep_alive_timeout(HANDSHAKE);
    let connection = builder.serve_connection(TokioIo::new(tls), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        _ = ended.wait_for(|ended| *ended) => connection.as_mut().graceful_shutdown(),
    }
    // However it ends: what was acknowledged is on the disk.
    let _ = timeout(GRACE, connection).await;
}

async fn answer(door: &Door, request: Request<Incoming>) -> Response<Empty<Bytes>> {
    if request.method() != Method::POST {
        return empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let said = request.body().size_hint().exact();
    if said.is_some_and(|length| length > BODY_MOST as u64) {
        add(&door.counts.unfit, 1);
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Its own length, and what is made of it.
    let length = said.map_or(BODY_MOST, |length| length as usize).max(1) * 2;
    let wanted = u32::try_from(length).unwrap_or(u32::MAX);
    let memory = door.memory.clone().acquire_many_owned(wanted);
    let Ok(Ok(memory)) = timeout(PATIENCE, memory).await else {
        return put_off(door);
    };
    let body = match timeout(ARRIVES, Limited::new(request.into_body(), BODY_MOST).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            add(&door.counts.unfit, 1);
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        // It broke off, and nobody is there to be told.
        Ok(Err(_)) => return empty(StatusCode::BAD_REQUEST),
        // It did not come in time, and may.
        Err(_) => return put_off(door),
    };
    let spool = door.spool.clone();
    let kept = tokio::task::spawn_blocking(move || {
        let _memory = memory;
        let taken = body::take(&body)?;
        Some(spool.append(&taken.lines).map(|()| taken.counts))
    });
    match kept.await {
        Ok(Some(Ok(counts))) => {
            let count = &door.counts;
            add(&count.bodies, 1);
            add(&count.events, counts.events);
            add(&count.partial, counts.partial);
            add(&count.redactions, counts.redactions);
            add(&count.foreign, counts.foreign.values().sum());
            add(&count.bad, counts.bad.values().sum());
            door.came.notify_one();
            empty(StatusCode::OK)
        }
        Ok(Some(Err(error))) => {
            tell(&error);
            put_off(door)
        }
        Ok(None) => {
            add(&door.counts.unfit, 1);
            empty(StatusCode::BAD_REQUEST)
        }
        // A panic, told where it happened: nothing was acknowledged.
        Err(_) => put_off(door),
    }
}

fn tell(error: &SpoolError) {
    // Where that fails too there is nobody to tell.
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "sallyport: {}", sallyport_model::visible(&error.to_string()));
}

fn put_off(door: &Door) -> Response<Empty<Bytes>> {
    add(&door.counts.put_off, 1);
    let mut answer = empty(StatusCode::SERVICE_UNAVAILABLE);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(AGAIN));
    answer
}

fn empty(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = status;
    answer
}
