//! The TCP connection under TLS, on either side of the gateway.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// rustls asks the socket for 4 KiB at a time; from this buffer that costs a copy instead of a system call.
const READ_AHEAD: usize = 128 << 10;

/// How much plain text a TLS connection may hold as ciphertext before it asks to be drained: four times rustls's
/// own default, so that one system call carries several records.
pub(crate) const TLS_BUFFER: usize = 256 << 10;

/// A connection that, when its session has been cut, is reset instead of closed: what the kernel still holds for
/// the far end is dropped, not delivered.
pub(crate) struct Wire {
    io: BufReader<TcpStream>,
    cut: OnceLock<CancellationToken>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Wire {
    /// Takes a connection whose session is not known yet.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { io: BufReader::with_capacity(READ_AHEAD, tcp), cut: OnceLock::new(), _room: None }
    }

    /// With the room it takes, free again when the socket is closed, whoever closes it.
    pub(crate) fn holding(mut self, room: OwnedSemaphorePermit) -> Self {
        self._room = Some(room);
        self
    }

    /// Ties the connection to its session; the first call counts.
    pub(crate) fn tie(&self, cut: CancellationToken) {
        let _ = self.cut.set(cut);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.get().is_some_and(CancellationToken::is_cancelled) {
            // A socket that is gone already needs no reset.
            let _ = self.io.get_ref().set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
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
