//! TLS 1.2 and 1.3 as rustls speaks them, with whatever certificate there is: it is looked at, and not believed.

use crate::certificate::of_der;
use crate::error::shown;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
    version,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sallyport_client::Endpoint;
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{Certificate, Part, Tls, TlsTaken};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;

/// The most that is taken in of one handshake, in bytes. Chains of clouds have ten kilobytes.
const MOST: usize = 256 << 10;
/// Certificates of a chain, and authorities that a server names, that are kept.
const KEPT: usize = 30;

/// What one handshake showed.
pub(super) struct Seen {
    pub(super) taken: TlsTaken,
    /// The server's own first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The authorities whose client certificates it asks for; none: it asks for none.
    pub(super) asks: Option<Vec<String>>,
}

/// Tries one version.
pub(super) async fn shake(endpoint: &Endpoint, to: SocketAddr, version: Tls, within: Duration) -> Seen {
    let look = Arc::new(Look::default());
    let taken = match tokio::time::timeout(within, tried(endpoint, to, version, &look)).await {
        Ok(taken) => taken,
        Err(_) => TlsTaken::Unknown("no answer in time".to_owned()),
    };
    let chain = std::mem::take(&mut *look.chain());
    let asks = look.asks().take();
    Seen { taken, chain, asks }
}

async fn tried(endpoint: &Endpoint, to: SocketAddr, version: Tls, look: &Arc<Look>) -> TlsTaken {
    let unknown = |why: String| TlsTaken::Unknown(shown(&why));
    let versions: &[&SupportedProtocolVersion] = match version {
        Tls::V1_3 => &[&version::TLS13],
        _ => &[&version::TLS12],
    };
    let builder = match ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
    {
        Ok(builder) => builder,
        Err(error) => return unknown(error.to_string()),
    };
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(look) as Arc<dyn ServerCertVerifier>)
        .with_client_cert_resolver(Arc::clone(look) as Arc<dyn ResolvesClientCert>);
    config.resumption = Resumption::disabled();
    let stream = match TcpStream::connect(to).await {
        Ok(stream) => Bounded { stream, left: MOST },
        Err(error) => return unknown(format!("no connection: {error}")),
    };
    match TlsConnector::from(Arc::new(config)).connect(endpoint.server_name(), stream).await {
        Ok(_) => TlsTaken::Yes,
        Err(error) => refused(&error),
    }
}

/// Whether a server said no, or something else went wrong.
fn refused(error: &io::Error) -> TlsTaken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        )) => TlsTaken::No,
        // It answered with another version than the one that was offered.
        Some(Error::PeerIncompatible(_)) => TlsTaken::No,
        Some(other) => TlsTaken::Unknown(shown(&other.to_string())),
        None => TlsTaken::Unknown(shown(&error.to_string())),
    }
}

/// Why clients that have the endpoint's CA do not believe this chain; none: they do.
pub(super) fn distrust(endpoint: &Endpoint, chain: &[CertificateDer<'_>]) -> Option<String> {
    let Some((own, between)) = chain.split_first() else {
        return Some("it showed no certificate".to_owned());
    };
    let name = endpoint.server_name();
    let verified = endpoint.authorities().verify_server_cert(own, between, &name, &[], UnixTime::now());
    verified.err().map(|error| shown(&error.to_string()))
}

/// The chain as data.
pub(super) fn told(chain: &[CertificateDer<'_>]) -> Part<Vec<Certificate>> {
    let all: Vec<Certificate> = chain.iter().take(KEPT).filter_map(|der| of_der(der)).collect();
    match all.len() == chain.len() {
        true => Part::read(all),
        false => {
            let why = "a certificate of it can't be read, or there are more than any chain has";
            Part { coverage: Coverage::Cut(why.to_owned()), found: all }
        }
    }
}

/// Keeps what a server shows, and believes it to see the rest. Nothing is sent on such a connection.
#[derive(Debug, Default)]
struct Look {
    chain: Mutex<Vec<CertificateDer<'static>>>,
    asks: Mutex<Option<Vec<String>>>,
}

impl Look {
    fn chain(&self) -> MutexGuard<'_, Vec<CertificateDer<'static>>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asks(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn algorithms() -> WebPkiSupportedAlgorithms {
        ring::default_provider().signature_verification_algorithms
    }
}

impl ServerCertVerifier for Look {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self.chain() = all.map(|der| der.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    // That the server has the key of what it shows is still proven.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &Self::algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &Self::algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::algorithms().supported_schemes()
    }
}

impl ResolvesClientCert for Look {
    fn resolve(&self, root_hint_subjects: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let name = |der: &&[u8]| match X509Name::from_der(der) {
            Ok((_, name)) => shown(&name.to_string()),
            Err(_) => "a name that can't be read".to_owned(),
        };
        *self.asks() = Some(root_hint_subjects.iter().take(KEPT).map(name).collect());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A connection that gives up after so many bytes were read: a handshake ends.
struct Bounded {
    stream: TcpStream,
    left: usize,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("it sends more than any handshake")));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.left = self.left.saturating_sub(buf.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
