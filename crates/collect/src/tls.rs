//! Who is let in: whoever has a certificate of the given authority, and nobody else.

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file does not hold what it should.
    #[error("{what} can't be used: {why}")]
    File {
        /// Which: the certificate, its key, the client authority.
        what: &'static str,
        /// Why; nothing of a key.
        why: String,
    },
}

/// TLS 1.3 or 1.2 with this certificate; a client has to show one that `client_ca` has signed.
///
/// # Errors
/// [`TlsError`] says which of the three is none.
pub fn tls(cert: &str, key: &str, client_ca: &str) -> Result<Arc<ServerConfig>, TlsError> {
    let fail = |what: &'static str| move |why: String| TlsError::File { what, why };
    let chain = certificates(cert).map_err(fail("the certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| fail("the key")("it holds no private key in PEM".to_owned()))?;
    let mut roots = RootCertStore::empty();
    for root in certificates(client_ca).map_err(fail("the client authority"))? {
        roots.add(root).map_err(|error| fail("the client authority")(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| fail("the client authority")(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_client_cert_verifier(clients).with_single_cert(chain, key))
        .map_err(|error| fail("the certificate with its key")(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err("it holds no certificate in PEM".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("it is not PEM: {error}")),
    }
}
