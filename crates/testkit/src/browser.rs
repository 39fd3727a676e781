//! Browsers for the sign-in page: one that only reads forms, for tests that need speed, and Chromium.

mod chromium;
mod form;
mod profile;

pub use chromium::{Chromium, ChromiumOptions};
pub use form::{FormBrowser, Landing, Person};
pub use profile::{Profile, UrlCatcher};

use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

/// Something that opens a sign-in page and goes through it as a person would.
pub trait Browser: Send + Sync {
    /// Opens `url`, signs in, and follows the way back to the application.
    ///
    /// # Errors
    /// When the page is not one a person could use, or the sign-in is refused there.
    fn open<'a>(&'a self, url: &'a str) -> futures::future::BoxFuture<'a, Result<()>>;
}

/// TLS that trusts the certificates in `ca_pem` and no others.
///
/// # Errors
/// When one of them can't be read.
pub fn tls(ca_pem: &str) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(cert.context("read the CA")?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(tls.with_root_certificates(roots).with_no_client_auth())
}
