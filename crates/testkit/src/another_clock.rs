//! An API server whose clock is another: a relay before a plane that changes the `Date` of each answer and nothing else. A
//! process can't be given a clock of its own here, and `Date` is the only thing by which anybody reads an API server's.

use crate::Plane;
use crate::pki::Authority;
use anyhow::{Context as _, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Before the value; no body of an API server holds it, since JSON writes line ends as escapes.
const HEADER: &[u8] = b"\r\nDate: ";
/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, §5.6.7): always as long as that.
const VALUE: usize = 29;

/// The relay. Dropping it ends it; what it relays ends with its connections.
pub struct AnotherClock {
    url: String,
    ca_pem: String,
    ahead: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

impl AnotherClock {
    /// Begins to relay, with the plane's own clock.
    ///
    /// # Errors
    /// When no port is free or the plane's CA can't be read.
    pub async fn before(plane: &Plane) -> Result<Self> {
        let authority = Authority::new("another clock")?;
        let served = authority.server(&[])?;
        let chain =
            CertificateDer::pem_slice_iter(served.cert_pem.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(served.key_pem.as_bytes())?;
        let mut server = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        // Headers are text in this version alone.
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(plane.ca_pem().as_bytes()) {
            roots.add(certificate?)?;
        }
        let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let there = plane.url().strip_prefix("https://").context("a plane is served by TLS")?.to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let ahead = Arc::new(AtomicI64::new(0));
        let relay = Relay {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
            there,
            ahead: ahead.clone(),
        };
        let task = tokio::spawn(Arc::new(relay).serve(listener));
        Ok(Self { url, ca_pem: authority.cert_pem(), ahead, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Who vouches for its certificate.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Sets the clock so many seconds ahead of the plane's from the next answer on.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }
}

impl Drop for AnotherClock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Relay {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    there: String,
    ahead: Arc<AtomicI64>,
}

impl Relay {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        // What it relays ends with it.
        let mut calls = tokio::task::JoinSet::new();
        while let Ok((here, _)) = listener.accept().await {
            let relay = self.clone();
            calls.spawn(async move {
                // One that breaks off is between the two it connects.
                let _ = relay.connection(here).await;
            });
            while calls.try_join_next().is_some() {}
        }
    }

    async fn connection(&self, here: TcpStream) -> Result<()> {
        let (mut from_here, mut to_here) = tokio::io::split(self.acceptor.accept(here).await?);
        let there = TcpStream::connect(&self.there).await?;
        let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
        let (mut from_there, mut to_there) = tokio::io::split(self.connector.connect(name, there).await?);
        tokio::select! {
            asked = tokio::io::copy(&mut from_here, &mut to_there) => drop(asked?),
            answered = self.answers(&mut from_there, &mut to_here) => answered?,
        }
        Ok(())
    }

    async fn answers(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<()> {
        let (mut held, mut read) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let count = from.read(&mut read).await?;
            held.extend_from_slice(read.get(..count).unwrap_or_default());
            let whole =
                if count == 0 { held.len() } else { shift(&mut held, self.ahead.load(Ordering::Relaxed)) };
            to.write_all(&held[..whole]).await?;
            to.flush().await?;
            held.drain(..whole);
            if count == 0 {
                return Ok(());
            }
        }
    }
}

/// Sets every whole `Date` ahead; how many bytes can be passed on: all, but for what may be the beginning of one. A line's end
/// alone is passed on: it may be the answer's.
fn shift(bytes: &mut [u8], ahead: i64) -> usize {
    let mut at = 0;
    while let Some(found) = next_of(bytes, at) {
        let value = found + HEADER.len();
        if value + VALUE > bytes.len() {
            return found;
        }
        if let Some(date) = later(&bytes[value..value + VALUE], ahead) {
            bytes[value..value + VALUE].copy_from_slice(&date);
        }
        at = value + VALUE;
    }
    bytes.len()
}

/// Where the next header begins, or the end may be the beginning of one.
fn next_of(bytes: &[u8], from: usize) -> Option<usize> {
    let begins = |at: &usize| {
        let rest = &bytes[*at..(*at + HEADER.len()).min(bytes.len())];
        rest.len() > 2 && HEADER.starts_with(rest)
    };
    (from..bytes.len()).find(begins)
}

fn later(date: &[u8], ahead: i64) -> Option<[u8; VALUE]> {
    let read = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(std::str::from_utf8(date).ok()?).ok()?;
    let at = read.timestamp().checked_add(jiff::SignedDuration::from_secs(ahead)).ok()?;
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().into_bytes().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(text: &str) -> (String, usize) {
        let mut bytes = text.as_bytes().to_vec();
        let whole = shift(&mut bytes, 3661);
        (String::from_utf8(bytes).unwrap(), whole)
    }

    #[test]
    fn each_date_is_set_ahead_and_nothing_else() {
        let answer = "HTTP/1.1 200 OK\r\nDate: Sun, 29 Nov 2026 23:30:00 GMT\r\nX: \r\n\r\n{}\r\n";
        let (said, whole) = shifted(&answer.repeat(2));
        assert_eq!(said, answer.repeat(2).replace("Sun, 29 Nov 2026 23:30:00", "Mon, 30 Nov 2026 00:31:01"));
        assert_eq!(whole, said.len());
    }

    #[test]
    fn half_a_date_waits_for_the_other_half() {
        let answer = "HTTP/1.1 200 OK\r\nDate: Sun, 29 Nov 2026 23:30:00 GMT";
        for cut in 0..answer.len() {
            let (said, whole) = shifted(&answer[..cut]);
            assert_eq!(said, &answer[..cut]);
            assert!(whole == cut || whole == 15 && cut > 17, "{cut}: {whole}");
        }
        let none = "\r\nDate: no date at all, but as long as one";
        assert_eq!(shifted(none), (none.to_owned(), none.len()), "what is none is passed on");
    }
}
