//! Whom to believe that it is an API server: CA data as clusters have it, read as Go's tools read it, because a cluster
//! that kubectl reaches must not be out of reach here.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, crypto::ring};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Version;

/// A CA bundle above this many bytes is refused unread.
const BUNDLE_MOST: usize = 1 << 20;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Why a bundle can't be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoritiesError {
    /// There is no such block in it.
    #[error("it holds no certificate in PEM")]
    Empty,
    /// More than a mebibyte.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// Blocks, and a certificate in none of them.
    #[error("none of its {0} blocks is a certificate that can be read")]
    Unreadable(usize),
}

/// The certificates of a bundle, as a verifier of servers.
///
/// Each that may sign others is an authority, whoever issued it: a chain without its root is one of its own. And each
/// may be the server's own certificate, byte for byte, as where a cluster serves what it signed itself; then name, validity and purpose
/// are still checked.
#[derive(Debug)]
pub struct Authorities {
    /// `None` where nothing in the bundle may sign others.
    chains: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    itself: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Reads a PEM bundle. Text between the blocks, blocks of other kinds and blocks that can't be read are passed over.
    ///
    /// # Errors
    /// [`AuthoritiesError`] when nothing usable is left.
    pub fn parse(pem: &str) -> Result<Self, AuthoritiesError> {
        if pem.len() > BUNDLE_MOST {
            return Err(AuthoritiesError::TooLarge);
        }
        let (mut roots, mut itself, mut seen) = (RootCertStore::empty(), Vec::new(), 0);
        for block in blocks(pem) {
            seen += 1;
            if let Ok(der) = CertificateDer::from_pem_slice(block.as_bytes())
                && is_usable(&der, &mut roots)
            {
                itself.push(der);
            }
        }
        match (seen, itself.is_empty()) {
            (0, _) => Err(AuthoritiesError::Empty),
            (_, true) => Err(AuthoritiesError::Unreadable(seen)),
            _ => Ok(Self::of(roots, itself)),
        }
    }

    /// Every certificate that is believed, in the bundle's order.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.itself
    }

    /// The system's own; `None` when it has none that can be used.
    pub(crate) fn of_the_system() -> Option<Self> {
        let mut roots = RootCertStore::empty();
        // The system's store may hold relics that rustls can't parse; those are left out.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Some(Self::of(roots, Vec::new())).filter(|system| system.chains.is_some())
    }

    fn of(roots: RootCertStore, itself: Vec<CertificateDer<'static>>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        // All that its builder can find wrong without revocation lists is that there are no roots.
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok();
        Self { chains, algorithms, itself }
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chained = match &self.chains {
            Some(chains) => {
                chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        match chained {
            Err(error) if leads_nowhere(&error) && self.itself.iter().any(|own| own == end_entity) => {
                is_in_order(end_entity, server_name, now).map(|()| ServerCertVerified::assertion())
            }
            done => done,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a certificate can be believed: as an authority, and then it is among `roots`, or as the server's own.
fn is_usable(der: &CertificateDer<'static>, roots: &mut RootCertStore) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    if may_sign(&parsed) { roots.add(der.clone()).is_ok() } else { ParsedCertificate::try_from(der).is_ok() }
}

/// Whether a certificate may sign others (RFC 5280 §4.2.1.3 and §4.2.1.9; earlier versions can't say). Webpki asks this
/// of what stands between alone, and takes every anchor for one.
fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    let says_so = match certificate.basic_constraints() {
        Ok(Some(constraints)) => constraints.value.ca,
        Ok(None) => certificate.version() != X509Version::V3,
        Err(_) => false,
    };
    let usage = certificate.key_usage();
    says_so && usage.is_ok_and(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()))
}

/// Whether no chain could be built, or none was tried because the server serves an authority's certificate.
fn leads_nowhere(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

/// What is left to check of a certificate that the bundle holds itself.
fn is_in_order(certificate: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    let wrong = |why| Err(Error::InvalidCertificate(why));
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return wrong(CertificateError::BadEncoding);
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < parsed.validity().not_before.timestamp() {
        return wrong(CertificateError::NotValidYet);
    }
    if now > parsed.validity().not_after.timestamp() {
        return wrong(CertificateError::Expired);
    }
    match parsed.extended_key_usage() {
        Ok(None) => Ok(()),
        Ok(Some(usage)) if usage.value.server_auth || usage.value.any => Ok(()),
        Ok(Some(_)) => wrong(CertificateError::InvalidPurpose),
        Err(_) => wrong(CertificateError::BadEncoding),
    }
}

/// Each text from a BEGIN line to its END line. A BEGIN before another BEGIN has lost its end and begins nothing.
/// One that is not at the beginning of a line is a comment's, as every other reader of PEM takes it.
fn blocks(pem: &str) -> impl Iterator<Item = &str> {
    pem.split_inclusive(END).filter_map(|part| {
        let begin = part.rfind(BEGIN)?;
        let is_line = begin == 0 || part.as_bytes()[begin - 1] == b'\n';
        (is_line && part.ends_with(END)).then(|| &part[begin..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pem: &str) -> String {
        Authorities::parse(pem).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn fault_c7_a_bundle_without_a_usable_certificate_says_what_it_is() {
        assert_eq!(refused(""), "it holds no certificate in PEM");
        assert_eq!(refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), refused(""));
        assert_eq!(refused(&format!("{BEGIN}\nAAAA\n")), refused(""), "a block that never ends is none");
        let noise = format!("{BEGIN}\nbm8=\n{END}\n");
        assert_eq!(refused(&noise), "none of its 1 blocks is a certificate that can be read");
        assert_eq!(refused(&format!("{noise}{BEGIN}\n%\u{202e}\n{END}")), refused(&noise).replace('1', "2"));
        assert_eq!(refused(&"x".repeat(2 << 20)), "it is larger than 1 MiB");
    }

    #[test]
    fn fault_c7_a_block_in_a_comment_is_none() {
        let noise = format!("{BEGIN}\nbm8=\n{END}\n");
        assert_eq!(refused(&format!("# {noise}")), refused(""));
    }

    #[test]
    fn fault_c7_a_hostile_bundle_costs_little() {
        let begun = std::time::Instant::now();
        for pem in [BEGIN.repeat(38_000), END.repeat(41_000), format!("{}{END}", BEGIN.repeat(38_000))] {
            refused(&pem);
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
