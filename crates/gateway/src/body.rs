//! Bodies of answers: passed on frame by frame as the client takes them, counted, never gathered.

use crate::call::{CallOutcome, CutReason};
use crate::lanes::Hold;
use crate::record::InFlight;
use crate::upload::data_len;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// What the client gets.
pub(crate) enum Answer {
    /// The gateway's own words, or nothing.
    Own(Full<Bytes>),
    /// The API server's, as they come.
    Relayed(Box<Relayed>),
}

/// Why an answer broke off before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenOff {
    #[error(transparent)]
    Upstream(#[from] hyper::Error),
    #[error("cut: {}", CutReason::Narrowed)]
    Cut,
}

/// The API server's body on its way to the client. While it lives the call is under way and its place on the
/// upstream connection is taken.
pub(crate) struct Relayed {
    inner: Incoming,
    call: Option<InFlight>,
    hold: Hold,
    /// That this call is cut alone; listened to once it has to be waited for.
    stop: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Relayed {
    pub(crate) fn new(inner: Incoming, call: InFlight, hold: Hold) -> Self {
        Self { inner, call: Some(call), hold, stop: None }
    }

    /// A receiver that knows the length asks for nothing more once it has it.
    fn is_complete(&self) -> bool {
        self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.call.as_ref().is_some_and(|call| call.state().stop.is_cancelled()) {
            return self.cut();
        }
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            let Some(call) = &self.call else { return Poll::Pending };
            let wait = || Box::pin(call.state().stop.clone().cancelled_owned());
            ready!(self.stop.get_or_insert_with(wait).as_mut().poll(cx));
            return self.cut();
        };
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
        Poll::Ready(frame.map(|frame| frame.map_err(BrokenOff::Upstream)))
    }

    /// Breaks off: it must not look complete.
    fn cut(&mut self) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.stop = None;
        if let Some(call) = self.call.take() {
            call.finish(CallOutcome::Cut(CutReason::Narrowed));
        }
        Poll::Ready(Some(Err(BrokenOff::Cut)))
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
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
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
