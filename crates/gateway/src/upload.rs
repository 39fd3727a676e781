//! Bodies of requests: passed on frame by frame as the API server takes them, counted, never gathered.

use crate::call_state::CallState;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

/// What the client sends on to the API server.
pub(crate) struct Upload {
    inner: Option<Incoming>,
    state: Option<Arc<CallState>>,
}

impl Upload {
    pub(crate) fn of(inner: Incoming, state: Arc<CallState>) -> Self {
        Self { inner: Some(inner), state: Some(state) }
    }

    pub(crate) fn none() -> Self {
        Self { inner: None, state: None }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(inner).poll_frame(cx));
        if let (Some(Ok(frame)), Some(state)) = (&frame, &self.state) {
            state.bytes_in.fetch_add(data_len(frame), Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

/// How many bytes of a body a frame carries.
pub(crate) fn data_len(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}
