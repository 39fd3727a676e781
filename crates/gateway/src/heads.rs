//! Looks at the beginnings of HTTP/1.1 requests before they are parsed. One that is too long for the parser would get an
//! answer without a word, and leave no trace; here it gets a sentence and an entry.

use crate::begun::{Caller, note_unread};
use crate::body::{Answer, BrokenOff};
use crate::held::Held;
use crate::refusal::{Refusal, Tone};
use bytes::Bytes;
use http::{Method, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest request target, and with it the largest head of an HTTP/2 request: `http::Uri` takes no more.
pub(crate) const TARGET: usize = 64 << 10;

/// The largest head: what an API server takes (net/http's `DefaultMaxHeaderBytes`), and a line as long as a target.
const WHOLE: usize = crate::lanes::HEAD + TARGET / 2;

/// How much of what was refused is kept for the history.
const KEPT: usize = 16 << 10;

/// How much more a refused client may send before it reads the answer.
const DRAINED: usize = 8 << 20;

/// A connection whose requests' heads are measured.
pub(crate) struct Heads<T> {
    io: T,
    caller: Arc<Caller>,
    held: Held,
    watch: Watch,
    seen: usize,
    head: Head,
    refusing: Option<Refusing>,
}

/// Whether the next bytes begin a request: an even number says so, and another even number that they begin a new one.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<AtomicUsize>);

/// A request is being answered, so what arrives is its body. Dropped with the answer.
pub(crate) struct Answering(Option<Watch>);

impl Watch {
    pub(crate) fn pause(&self) -> Answering {
        self.0.fetch_add(1, Ordering::AcqRel);
        Answering(Some(self.clone()))
    }
}

impl Answering {
    /// The connection has left HTTP: no further request begins on it.
    pub(crate) fn for_good(mut self) {
        self.0 = None;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(watch) = &self.0 {
            watch.0.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// The body of an answer; while it lives no request begins.
pub(crate) struct Watched {
    answer: Answer,
    _answering: Option<Answering>,
}

impl Watched {
    pub(crate) fn answered(response: Response<Answer>, answering: Answering) -> Response<Self> {
        let answering = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            answering.for_good();
            None
        } else {
            Some(answering)
        };
        response.map(|answer| Self { answer, _answering: answering })
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Pin::new(&mut self.answer).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

/// What was seen of one head.
#[derive(Default)]
struct Head {
    begun: Vec<u8>,
    len: usize,
    has_line: bool,
    /// How much of the blank line that ends it was seen last.
    matched: usize,
    is_over: bool,
}

impl Head {
    /// Takes what was read; says what is too long.
    fn take(&mut self, bytes: &[u8]) -> Option<Refusal> {
        for byte in bytes {
            if self.is_over {
                return None;
            }
            self.len += 1;
            if self.begun.len() < KEPT {
                self.begun.push(*byte);
            }
            self.has_line |= *byte == b'\n';
            self.matched = match (self.matched, byte) {
                (0 | 2, b'\r') | (1 | 3, b'\n') => self.matched + 1,
                (_, b'\r') => 1,
                _ => 0,
            };
            self.is_over = self.matched == 4;
            // Version and line end are not counted, so the parser's own limit is never met.
            if !self.has_line && self.len > TARGET {
                return Some(Refusal::LongAddress);
            }
            if self.len > WHOLE {
                return Some(Refusal::LargeHead);
            }
        }
        None
    }

    /// Method and target, as much of it as was kept; `None` for what begins no request.
    fn asked(&self) -> Option<(Method, Uri)> {
        let begun = String::from_utf8_lossy(&self.begun);
        let (method, rest) = begun.split_once(' ')?;
        let target = rest.split([' ', '\r', '\n']).next()?;
        if !target.starts_with('/') {
            return None;
        }
        Some((method.parse().ok()?, target.parse().ok()?))
    }
}

/// An answer of ours on its way past the parser.
struct Refusing {
    answer: Bytes,
    is_shut: bool,
    drained: usize,
}

impl<T> Heads<T> {
    pub(crate) fn new(io: T, caller: Arc<Caller>, held: Held) -> Self {
        let (watch, head) = (Watch::default(), Head::default());
        Self { io, caller, held, watch, seen: 0, head, refusing: None }
    }

    /// The connection alone, once it has left HTTP.
    pub(crate) fn into_inner(self) -> T {
        self.io
    }

    pub(crate) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// What arrived; `false` when it is to be refused.
    fn measure(&mut self, bytes: &[u8]) -> bool {
        let now = self.watch.0.load(Ordering::Acquire);
        if now % 2 == 1 {
            return true;
        }
        if self.seen != now {
            (self.seen, self.head) = (now, Head::default());
        }
        let Some(refusal) = self.head.take(bytes) else { return true };
        // What begins no request is the parser's to refuse.
        let Some((method, target)) = self.head.asked() else { return true };
        let answer = in_http1(&refusal, Tone::of(&method, target.path()));
        self.refusing = Some(Refusing { answer, is_shut: false, drained: 0 });
        self.held.spawn(note_unread(self.caller.clone(), refusal, method, target));
        false
    }
}

/// The answer as HTTP/1.1 writes it. It is the connection's last.
fn in_http1(refusal: &Refusal, tone: Tone) -> Bytes {
    let (parts, body) = refusal.response(tone).into_parts();
    let mut text = format!("HTTP/1.1 {}\r\nconnection: close\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend(b"\r\n");
    // The body is whole and in memory.
    if let Some(Ok(body)) = futures::FutureExt::now_or_never(body.collect()) {
        text.extend(body.to_bytes());
    }
    text.into()
}

impl<T: AsyncRead + AsyncWrite + Unpin> Heads<T> {
    /// Writes the answer and ends, then reads on until the client has read it: a connection closed on unread bytes is reset, and
    /// the answer lost with it.
    fn poll_refuse(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(refusing) = &mut self.refusing else { return Poll::Ready(Ok(())) };
        while !refusing.answer.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &refusing.answer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            refusing.answer = refusing.answer.slice(written..);
        }
        if !refusing.is_shut {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            refusing.is_shut = true;
        }
        let mut buffer = [0; 16 << 10];
        while refusing.drained < DRAINED {
            let mut free = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut free))?;
            match free.filled().len() {
                0 => break,
                read => refusing.drained += read,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Heads<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.refusing.is_some() {
            // Nothing more comes in: to the parser the client has closed.
            return this.poll_refuse(cx);
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        if this.measure(&buf.filled()[before..]) {
            return Poll::Ready(Ok(()));
        }
        buf.set_filled(before);
        this.poll_refuse(cx)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Heads<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusing.is_some() {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.refusing.is_some() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(head: &mut Head, text: &[u8], piece: usize) -> Option<Refusal> {
        text.chunks(piece).find_map(|piece| head.take(piece))
    }

    #[test]
    fn fault_c4_a_head_is_measured_whatever_pieces_it_comes_in() {
        let get = |target: usize, header: usize| {
            format!("GET /{} HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(target), "y".repeat(header)).into_bytes()
        };
        let body = vec![b'b'; 4 << 20];
        for piece in [1000, 16 << 10, 4 << 20] {
            let mut head = Head::default();
            assert_eq!(whole(&mut head, &[get(60_000, 1_000_000), body.clone()].concat(), piece), None);
            assert!(head.is_over, "what follows is not counted");
            let mut head = Head::default();
            assert_eq!(whole(&mut head, &get(66_000, 0), piece), Some(Refusal::LongAddress));
            let (method, target) = head.asked().unwrap();
            assert_eq!((method, target.path().len()), (Method::GET, KEPT - 4));
            let mut head = Head::default();
            assert_eq!(whole(&mut head, &get(10, 2 << 20), piece), Some(Refusal::LargeHead));
        }
        for noise in [&b"\r\r\n\r\r\n"[..], b"\0\0\0", b"", b"GET"] {
            let mut head = Head::default();
            assert_eq!(head.take(noise), None);
            assert!(head.asked().is_none());
        }
    }
}
