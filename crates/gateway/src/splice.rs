//! Joins two connections byte by byte, in both directions, as fast as the slower of the two takes it.

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};

/// Gathers several TLS records into one write.
const BUFFER: usize = 128 << 10;

/// Once one side has said its last word, how long the other may be silent before it is taken to have ended as well.
pub(crate) const AFTERTHOUGHT: Duration = Duration::from_secs(10);

/// Which side failed.
#[derive(Debug)]
pub(crate) enum SpliceError {
    Client,
    Upstream(io::Error),
}

/// A connection that carries bytes and no HTTP any more.
pub(crate) struct Side<T> {
    io: T,
    /// What arrived right behind the last of HTTP.
    early: Bytes,
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Side<T> {
    /// The connection itself, out of hyper's hands, so that no byte passes through what only HTTP needed. `None` if it
    /// is of another type.
    pub(crate) fn of(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<T>>().ok()?;
        Some(Self { io: parts.io.into_inner(), early: parts.read_buf })
    }

    /// Without what was wrapped around it.
    pub(crate) fn bare<U>(self, unwrap: impl FnOnce(T) -> U) -> Side<U> {
        Side { io: unwrap(self.io), early: self.early }
    }
}

/// Runs until both directions have ended, or one failed. What the API server said is delivered however long the client
/// takes over it: time only runs while nobody has anything to say.
pub(crate) async fn splice<C, U>(
    client: Side<C>,
    upstream: Side<U>,
    bytes_in: &AtomicU64,
    bytes_out: &AtomicU64,
    afterthought: Duration,
) -> Result<(), SpliceError>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Flow::new(&client.early), Flow::new(&upstream.early));
    let (mut client, mut upstream) = (client.io, upstream.io);
    // An API server that has said all it had to may close before the client's last word reaches it. What it said still
    // gets to the client; the failed write only counts if nothing more comes.
    let mut unheard: Option<io::Error> = None;
    let mut silence: Option<(Pin<Box<tokio::time::Sleep>>, u64)> = None;
    poll_fn(|cx| {
        let to_upstream = match up.poll(cx, &mut client, &mut upstream, bytes_in) {
            Poll::Ready(Err(End::Read(_))) => return Poll::Ready(Err(SpliceError::Client)),
            Poll::Ready(Err(End::Write(error))) => {
                unheard = Some(error);
                up.give_up();
                // Once more, for what the client says from now on.
                up.poll(cx, &mut client, &mut upstream, bytes_in).is_ready()
            }
            other => other.is_ready(),
        };
        let to_client = match down.poll(cx, &mut upstream, &mut client, bytes_out) {
            Poll::Ready(Err(End::Read(error))) => return Poll::Ready(Err(SpliceError::Upstream(error))),
            Poll::Ready(Err(End::Write(_))) => return Poll::Ready(Err(SpliceError::Client)),
            other => other.is_ready(),
        };
        match (to_upstream, to_client) {
            (true, true) => return Poll::Ready(Ok(())),
            (false, false) if unheard.is_none() => return Poll::Pending,
            _ => {}
        }
        let is_talking = down.holds() || (to_client && unheard.is_some());
        if is_talking {
            silence = None;
            return Poll::Pending;
        }
        let moved = bytes_in.load(Relaxed) + bytes_out.load(Relaxed);
        let (sleep, seen) = silence.get_or_insert_with(|| (Box::pin(sleep(afterthought)), moved));
        if *seen != moved {
            *seen = moved;
            sleep.as_mut().reset(Instant::now() + afterthought);
        }
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(unheard.take().map_or(Ok(()), |error| Err(SpliceError::Upstream(error))))
    })
    .await
}

enum End {
    Read(io::Error),
    Write(io::Error),
}

/// One direction.
struct Flow {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    unflushed: bool,
    /// How reading ended, once it has.
    ended: Option<io::Result<()>>,
    is_done: bool,
    /// Nobody takes it any more; it is read and dropped. A connection closed on unread bytes is reset, and what the
    /// kernel still holds for the far end is lost with it.
    is_unheard: bool,
}

impl Flow {
    /// `early` is passed on first.
    fn new(early: &[u8]) -> Self {
        let mut buffer = vec![0; BUFFER.max(early.len())].into_boxed_slice();
        buffer[..early.len()].copy_from_slice(early);
        Self {
            buffer,
            start: 0,
            end: early.len(),
            unflushed: false,
            ended: None,
            is_done: false,
            is_unheard: false,
        }
    }

    /// Whether something was said that has not been taken yet, the end included.
    fn holds(&self) -> bool {
        !self.is_done && (self.start < self.end || self.unflushed || matches!(self.ended, Some(Ok(()))))
    }

    /// Its taker is gone.
    fn give_up(&mut self) {
        self.is_unheard = true;
        (self.start, self.end, self.unflushed) = (0, 0, false);
    }

    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
        moved: &AtomicU64,
    ) -> Poll<Result<(), End>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        if self.is_done {
            return Poll::Ready(Ok(()));
        }
        loop {
            let waits = self.fill(cx, from);
            if self.is_unheard {
                (self.start, self.end) = (0, 0);
                match self.ended.take() {
                    Some(ended) => {
                        self.ended = Some(Ok(()));
                        self.is_done = true;
                        return Poll::Ready(ended.map_err(End::Read));
                    }
                    None if waits => return Poll::Pending,
                    None => continue,
                }
            }
            while self.start < self.end {
                let chunk = &self.buffer[self.start..self.end];
                let written = ready!(Pin::new(&mut *to).poll_write(cx, chunk)).map_err(End::Write)?;
                if written == 0 {
                    return Poll::Ready(Err(End::Write(io::ErrorKind::WriteZero.into())));
                }
                self.start += written;
                self.unflushed = true;
                moved.fetch_add(written as u64, Relaxed);
            }
            (self.start, self.end) = (0, 0);
            match &mut self.ended {
                Some(Ok(())) => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(End::Write)?;
                    self.is_done = true;
                    return Poll::Ready(Ok(()));
                }
                Some(Err(_)) if self.unflushed => {
                    ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(End::Write)?;
                    self.unflushed = false;
                }
                Some(error) => {
                    let error = std::mem::replace(error, Ok(()));
                    return Poll::Ready(error.map_err(End::Read));
                }
                None => {}
            }
            if waits {
                if self.unflushed {
                    ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(End::Write)?;
                    self.unflushed = false;
                }
                return Poll::Pending;
            }
        }
    }

    /// Reads what is there, up to the buffer's end; whether nothing more is there for now.
    fn fill<R: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, from: &mut R) -> bool {
        while self.ended.is_none() && self.end < self.buffer.len() {
            let mut free = ReadBuf::new(&mut self.buffer[self.end..]);
            match Pin::new(&mut *from).poll_read(cx, &mut free) {
                Poll::Pending => return true,
                Poll::Ready(Err(error)) => self.ended = Some(Err(error)),
                Poll::Ready(Ok(())) => match free.filled().len() {
                    0 => self.ended = Some(Ok(())),
                    read => self.end += read,
                },
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn side<T>(io: T) -> Side<T> {
        Side { io, early: Bytes::new() }
    }

    #[tokio::test]
    async fn both_directions_arrive_whole_and_are_counted() {
        let (mut client, client_end) = duplex(1000);
        let (mut upstream, upstream_end) = duplex(777);
        let (sent, received) = (AtomicU64::new(0), AtomicU64::new(0));
        let far = tokio::spawn(async move {
            let mut got = Vec::new();
            upstream.read_to_end(&mut got).await.unwrap();
            upstream.write_all(&got).await.unwrap();
            upstream.write_all(b"!").await.unwrap();
            got
        });
        let near = tokio::spawn(async move {
            let data: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
            client.write_all(&data).await.unwrap();
            client.shutdown().await.unwrap();
            let mut back = Vec::new();
            client.read_to_end(&mut back).await.unwrap();
            (data, back)
        });
        splice(side(client_end), side(upstream_end), &sent, &received, AFTERTHOUGHT).await.unwrap();
        let ((data, back), got) = (near.await.unwrap(), far.await.unwrap());
        assert!(got == data && back.len() == data.len() + 1 && back[..data.len()] == data);
        assert_eq!((sent.into_inner(), received.into_inner()), (1_000_000, 1_000_001));
    }

    #[tokio::test]
    async fn what_came_right_behind_the_answer_is_passed_on_first_however_long_it_is() {
        for early in [1, BUFFER - 1, BUFFER, 3 * BUFFER] {
            let (mut client, client_end) = duplex(1000);
            let (mut upstream, upstream_end) = duplex(1000);
            let (none, out) = (AtomicU64::new(0), AtomicU64::new(0));
            let words = Side { io: upstream_end, early: vec![7; early].into() };
            let near = tokio::spawn(async move {
                client.shutdown().await.unwrap();
                let mut all = Vec::new();
                client.read_to_end(&mut all).await.unwrap();
                all
            });
            upstream.write_all(b"more").await.unwrap();
            upstream.shutdown().await.unwrap();
            splice(side(client_end), words, &none, &out, AFTERTHOUGHT).await.unwrap();
            let all = near.await.unwrap();
            assert!(all == [vec![7; early], b"more".to_vec()].concat(), "{early}: {}", all.len());
            assert_eq!(out.into_inner(), early as u64 + 4);
        }
    }

    /// An API server that closes: it has something to say and takes nothing.
    struct Closing {
        words: tokio::io::ReadHalf<tokio::io::SimplexStream>,
    }

    impl Closing {
        async fn saying(words: usize) -> Self {
            let (from, mut mouth) = tokio::io::simplex(words.max(1));
            mouth.write_all(&vec![7; words]).await.unwrap();
            mouth.shutdown().await.unwrap();
            Self { words: from }
        }
    }

    impl AsyncRead for Closing {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.words).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Closing {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// How many of the API server's last words reach a client that first says something nobody hears, then stalls.
    async fn last_words(words: usize, stall: Duration, afterthought: Duration) -> (usize, bool) {
        let (mut client, client_end) = duplex(64);
        let upstream_end = Closing::saying(words).await;
        let near = tokio::spawn(async move {
            client.write_all(b"bye").await.unwrap();
            tokio::time::sleep(stall).await;
            let mut all = Vec::new();
            let _ = client.read_to_end(&mut all).await;
            all.len()
        });
        let none = AtomicU64::new(0);
        let ended = splice(side(client_end), side(upstream_end), &none, &none, afterthought).await;
        (near.await.unwrap(), ended.is_ok())
    }

    #[tokio::test]
    async fn the_last_words_of_an_api_server_that_hears_nothing_more_still_arrive() {
        assert_eq!(last_words(3000, Duration::ZERO, AFTERTHOUGHT).await, (3000, true));
    }

    #[tokio::test]
    async fn fault_c8_a_client_that_stalls_gets_what_was_said_however_long_it_stalls() {
        let long = Duration::from_millis(400);
        for words in [65, 3000, 5 << 20] {
            assert_eq!(last_words(words, long, Duration::from_millis(20)).await, (words, true));
        }
    }

    #[tokio::test]
    async fn fault_c8_a_client_that_has_ended_its_input_and_stalls_gets_the_rest_too() {
        let (mut client, client_end) = duplex(64);
        let (mut upstream, upstream_end) = duplex(64);
        let far = tokio::spawn(async move {
            let mut got = Vec::new();
            upstream.read_to_end(&mut got).await.unwrap();
            upstream.write_all(&vec![7; 1 << 20]).await.is_ok()
        });
        let near = tokio::spawn(async move {
            client.shutdown().await.unwrap();
            tokio::time::sleep(Duration::from_millis(400)).await;
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        let none = AtomicU64::new(0);
        splice(side(client_end), side(upstream_end), &none, &none, Duration::from_millis(20)).await.unwrap();
        assert_eq!((far.await.unwrap(), near.await.unwrap()), (true, 1 << 20));
    }

    #[tokio::test]
    async fn fault_c8_a_stream_that_broke_after_a_failed_write_has_failed() {
        let (mut client, client_end) = duplex(64);
        let (words, _mouth) = tokio::io::simplex(64);
        // Takes nothing, and never says a word either.
        let upstream_end = Closing { words };
        client.write_all(b"bye").await.unwrap();
        let none = AtomicU64::new(0);
        let ended =
            splice(side(client_end), side(upstream_end), &none, &none, Duration::from_millis(20)).await;
        assert!(matches!(ended, Err(SpliceError::Upstream(_))), "{ended:?}");
    }

    #[tokio::test]
    async fn fault_c8_a_client_that_has_taken_the_end_and_stalls_has_not_failed() {
        let long = Duration::from_millis(200);
        assert_eq!(last_words(10, long, Duration::from_millis(20)).await, (10, true));
    }

    #[tokio::test]
    async fn fault_c8_what_nobody_hears_any_more_is_read_and_keeps_no_last_word_back() {
        let (mut client, client_end) = duplex(64);
        let upstream_end = Closing::saying(3000).await;
        let near = tokio::spawn(async move {
            // Says all it has to before it listens.
            client.write_all(&vec![1; 1 << 20]).await.unwrap();
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        let none = AtomicU64::new(0);
        let spliced = splice(side(client_end), side(upstream_end), &none, &none, Duration::from_millis(20));
        tokio::time::timeout(Duration::from_secs(10), spliced).await.expect("it goes on").unwrap();
        assert_eq!(near.await.unwrap(), 3000);
    }

    #[tokio::test]
    async fn a_side_that_never_ends_is_not_waited_for() {
        let (client, client_end) = duplex(64);
        let (_silent, upstream_end) = duplex(64);
        drop(client);
        let none = AtomicU64::new(0);
        splice(side(client_end), side(upstream_end), &none, &none, Duration::from_millis(50)).await.unwrap();
    }
}
