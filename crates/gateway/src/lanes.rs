//! The upstream connections of one session. HTTP/2 with at most 100 calls on each and another connection beyond, for
//! that is what an API server allows (and a watch takes its place for hours); HTTP/1.1 where nothing else is spoken.

use crate::held::Held;
use crate::upload::Upload;
use crate::upstream::{DialError, Endpoint, Offer};
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::timeout;

/// Calls on one HTTP/2 connection: the API server's own limit (k8s.io/apiserver pkg/server/secure_serving.go).
pub(crate) const STREAMS: usize = 100;

/// Go's client has the same: 4 MiB for a stream, and for the connection more than all its streams can fill, so that
/// clients who don't read never stall those who do.
pub(crate) const STREAM_WINDOW: u32 = 4 << 20;
pub(crate) const CONNECTION_WINDOW: u32 = 512 << 20;

/// The largest frame we take: fewer, larger frames on bulk transfers.
pub(crate) const FRAME: u32 = 256 << 10;

/// Headers of one answer may fill this much, as an API server's may.
const HEADERS: u32 = 256 << 10;

/// The head of one request: what an API server takes (net/http's `DefaultMaxHeaderBytes`).
pub(crate) const HEAD: usize = 1 << 20;

/// Streams that were reset and may still be spoken of. h2 keeps 50 for a second and takes what arrives for others as a
/// mistake of the far end, of which it forgives 1,024 in a connection's life; one client that cancels a hundred busy
/// streams leaves more frames than that under way, and the connection is everybody's.
pub(crate) const RESETS: usize = 16 << 10;

/// For how long they are kept: longer than anything stays under way.
const RESET_FOR: Duration = Duration::from_secs(30);

/// How long a call that was cancelled keeps its place: the API server is still at work on it, and ends a connection that
/// brings much more than it allows at once.
const AFTER_CANCEL: Duration = Duration::from_secs(1);

/// A call that finds its connection closed before a byte of it was sent goes to another, this many times.
const PLACES: usize = 3;

/// How a connection is kept alive.
#[derive(Clone, Copy)]
pub(crate) struct Pings {
    pub(crate) every: Duration,
    pub(crate) within: Duration,
}

/// A request as it goes upstream, whatever protocol is spoken there.
pub(crate) struct Outbound {
    pub(crate) method: Method,
    pub(crate) path: PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Upload,
}

/// Why a call got no answer.
pub(crate) enum SendError {
    Unreachable(DialError),
    Broken(hyper::Error),
}

pub(crate) struct Lanes {
    endpoint: Endpoint,
    held: Held,
    pings: Pings,
    open: Mutex<Open>,
    dialling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Open {
    h2: Vec<Arc<H2>>,
    h1: Vec<http1::SendRequest<Upload>>,
}

struct H2 {
    send: http2::SendRequest<Upload>,
    active: AtomicUsize,
    /// What the far end allows, once it said so.
    limit: AtomicUsize,
}

enum Lane {
    H2(http2::SendRequest<Upload>, Slot),
    H1(http1::SendRequest<Upload>),
}

/// A place on an upstream connection, given back when dropped.
pub(crate) enum Hold {
    H2 {
        slot: Slot,
    },
    H1 {
        send: Option<http1::SendRequest<Upload>>,
        lanes: Weak<Lanes>,
    },
    /// A connection of its own that ends with the call.
    Alone,
}

pub(crate) struct Slot {
    lane: Arc<H2>,
    /// Whether the API server is done with the call.
    is_done: bool,
}

impl Slot {
    fn give_back(lane: &H2) {
        lane.active.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.is_done && !self.lane.send.is_closed() => {
                let lane = Arc::downgrade(&self.lane);
                runtime.spawn(async move {
                    tokio::time::sleep(AFTER_CANCEL).await;
                    if let Some(lane) = lane.upgrade() {
                        Self::give_back(&lane);
                    }
                });
            }
            _ => Self::give_back(&self.lane),
        }
    }
}

impl H2 {
    fn slot(self: &Arc<Self>) -> Option<Slot> {
        if self.send.is_closed() {
            return None;
        }
        let limit = self.limit.load(Ordering::Acquire).clamp(1, STREAMS);
        let claimed = self.active.fetch_update(Ordering::AcqRel, Ordering::Acquire, |active| {
            (active < limit).then_some(active + 1)
        });
        claimed.ok().map(|_| Slot { lane: self.clone(), is_done: false })
    }
}

impl Hold {
    /// The answer came to its end.
    pub(crate) fn done(&mut self) {
        if let Self::H2 { slot } = self {
            slot.is_done = true;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let Self::H1 { send, lanes } = self else { return };
        let (Some(mut send), Some(lanes)) = (send.take(), lanes.upgrade()) else { return };
        let held = lanes.held.clone();
        held.spawn(async move {
            // Ready again once the answer has been read to its end; else the connection closes.
            if send.ready().await.is_ok() {
                lanes.lock().h1.push(send);
            }
        });
    }
}

impl Lanes {
    pub(crate) fn new(endpoint: Endpoint, held: Held, pings: Pings) -> Self {
        Self { endpoint, held, pings, open: Mutex::default(), dialling: tokio::sync::Mutex::default() }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many HTTP/2 connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.lock().h2.iter().filter(|lane| !lane.send.is_closed()).count()
    }

    /// Forgets every connection; their tasks were dropped with the session.
    pub(crate) fn clear(&self) {
        *self.lock() = Open::default();
    }

    /// Sends one request, once. Going on to the next connection is no retry: nothing of the request had been sent.
    pub(crate) async fn send(
        self: &Arc<Self>,
        mut outbound: Outbound,
    ) -> Result<(Response<Incoming>, Hold), SendError> {
        for place in 1.. {
            let lane = self.lane().await.map_err(SendError::Unreachable)?;
            let sent = match lane {
                Lane::H2(mut send, slot) => send
                    .try_send_request(self.for_h2(outbound))
                    .await
                    .map(|response| (response, Hold::H2 { slot })),
                Lane::H1(mut send) => send
                    .try_send_request(self.for_h1(outbound))
                    .await
                    .map(|response| (response, Hold::H1 { send: Some(send), lanes: Arc::downgrade(self) })),
            };
            let mut error: TrySendError<Request<Upload>> = match sent {
                Ok(answered) => return Ok(answered),
                Err(error) => error,
            };
            match error.take_message().filter(|_| place < PLACES) {
                Some(unsent) => outbound = Outbound::again(unsent),
                None => return Err(SendError::Broken(error.into_error())),
            }
        }
        unreachable!("the loop returns")
    }

    /// A connection with a free place. Those who find none wait for one dialler, then look again.
    async fn lane(self: &Arc<Self>) -> Result<Lane, DialError> {
        if let Some(lane) = self.free() {
            return Ok(lane);
        }
        let within = self.endpoint.within();
        let waited = timeout(within, self.dialling.lock()).await;
        let _dialling = waited.map_err(|_| DialError::TimedOut(within))?;
        if let Some(lane) = self.free() {
            return Ok(lane);
        }
        let (tls, is_h2) = self.endpoint.dial(Offer::Any, &self.held).await?;
        if !is_h2 {
            let (send, connection) = http1::handshake(TokioIo::new(tls)).await.map_err(DialError::Http)?;
            self.held.spawn(connection);
            return Ok(Lane::H1(send));
        }
        let (send, mut connection) = http2::Builder::new(self.held.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .max_header_list_size(HEADERS)
            .max_concurrent_reset_streams(RESETS)
            .reset_stream_duration(RESET_FOR)
            // It is our own session's API server; a count over a connection's life would end a long one for nothing.
            .max_local_error_reset_streams(None)
            .max_pending_accept_reset_streams(RESETS)
            .keep_alive_interval(self.pings.every)
            .keep_alive_timeout(self.pings.within)
            .handshake(TokioIo::new(tls))
            .await
            .map_err(DialError::Http)?;
        let lane = Arc::new(H2 { send, active: AtomicUsize::new(0), limit: AtomicUsize::new(STREAMS) });
        let told = Arc::downgrade(&lane);
        self.held.spawn(poll_fn(move |cx| {
            let polled = Pin::new(&mut connection).poll(cx);
            if let Some(lane) = told.upgrade() {
                lane.limit.store(connection.current_max_send_streams(), Ordering::Release);
            }
            polled
        }));
        let slot = lane.slot().ok_or(DialError::Closed)?;
        let send = lane.send.clone();
        self.lock().h2.push(lane);
        Ok(Lane::H2(send, slot))
    }

    fn free(&self) -> Option<Lane> {
        let mut open = self.lock();
        open.h2.retain(|lane| !lane.send.is_closed());
        open.h1.retain(|send| !send.is_closed());
        if let Some(send) = open.h1.pop() {
            return Some(Lane::H1(send));
        }
        let free = open.h2.iter().find_map(|lane| lane.slot().map(|slot| (lane.send.clone(), slot)));
        let (send, slot) = free?;
        shed(&mut open.h2);
        Some(Lane::H2(send, slot))
    }

    fn for_h2(&self, outbound: Outbound) -> Request<Upload> {
        let Outbound { method, path, headers, body } = outbound;
        let uri = Uri::builder()
            .scheme(Scheme::HTTPS)
            .authority(self.endpoint.authority().clone())
            .path_and_query(path)
            .build()
            .expect("scheme, authority and path are a URI");
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        request
    }

    /// As HTTP/1.1 has it, on a pooled connection or for an upgrade.
    pub(crate) fn for_h1(&self, outbound: Outbound) -> Request<Upload> {
        let Outbound { method, path, headers, body } = outbound;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from(path);
        *request.headers_mut() = headers;
        let host = HeaderValue::from_str(self.endpoint.authority().as_str())
            .expect("an authority is a header value");
        request.headers_mut().insert(HOST, host);
        // hyper takes a GET of unknown length for one without a body.
        let framed = request.body().is_end_stream() || request.headers().contains_key(CONTENT_LENGTH);
        if !framed {
            request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        request
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbound {
    /// From a request that was handed back unsent.
    fn again(request: Request<Upload>) -> Self {
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        headers.remove(HOST);
        headers.remove(TRANSFER_ENCODING);
        let path = parts.uri.into_parts().path_and_query.unwrap_or(PathAndQuery::from_static("/"));
        Self { method: parts.method, path, headers, body }
    }
}

/// Lets go of a second idle connection, so that a burst does not leave its connections behind.
fn shed(lanes: &mut Vec<Arc<H2>>) {
    let mut idle = 0;
    lanes.retain(|lane| {
        if lane.active.load(Ordering::Acquire) == 0 {
            idle += 1;
        }
        idle < 3 || lane.active.load(Ordering::Acquire) > 0
    });
}
