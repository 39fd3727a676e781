//! Bodies of answers: passed on frame by frame as the client takes them, counted, never gathered.

use crate::call::CallOutcome;
use crate::lanes::Hold;
use crate::record::InFlight;
use crate::upload::data_len;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

/// What the client gets.
pub(crate) enum Answer {
    /// The gateway's own words, or nothing.
    Own(Full<Bytes>),
    /// The API server's, as they come.
    Relayed(Box<Relayed>),
}

/// The API server's body on its way to the client. While it lives the call is under way and its place on the
/// upstream connection is taken.
pub(crate) struct Relayed {
    inner: Incoming,
    call: Option<InFlight>,
    hold: Hold,
}

impl Relayed {
    pub(crate) fn new(inner: Incoming, call: InFlight, hold: Hold) -> Self {
        Self { inner, call: Some(call), hold }
    }

    /// A receiver that knows the length asks for nothing more once it has it.
    fn is_complete(&self) -> bool {
        self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(call) = &self.call {
                    call.state().bytes_out.fetch_add(data_len(frame), Relaxed);
                }
            }
            Some(Err(error)) => {
                if let Some(call) = self.call.take() {
                    call.finish(CallOutcome::Failed(format!("the API server broke off its answer: {error}")));
                }
            }
            None => {
                self.hold.done();
                if let Some(call) = self.call.take() {
                    call.finish(CallOutcome::Answered);
                }
            }
        }
        Poll::Ready(frame)
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        if !self.is_complete() {
            return;
        }
        self.hold.done();
        if let Some(call) = self.call.take() {
            call.finish(CallOutcome::Answered);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Own(body) => Pin::new(body).poll_frame(cx).map(|frame| {
                frame.map(|frame| match frame {
                    Ok(frame) => Ok(frame),
                    Err(never) => match never {},
                })
            }),
            Self::Relayed(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_end_stream(),
            Self::Relayed(body) => body.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Relayed(body) => body.inner.size_hint(),
        }
    }
}
