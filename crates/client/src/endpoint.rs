use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use sallyport_model::{Secret, clip, visible};
use std::sync::Arc;
use url::{Position, Url};

/// Where an API server answers and whom to believe that it is the one.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    roots: Arc<RootCertStore>,
    server_name: ServerName<'static>,
}

/// Why an endpoint can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The address is not `https://host[:port][/path]`.
    #[error("`{0}` is not an https address of an API server")]
    Address(String),
    /// The CA bundle has no certificate in it, or one that can't be read.
    #[error("the CA bundle of {0} holds no usable certificate")]
    Roots(String),
    /// No CA bundle was given and the system has none.
    #[error("the system has no trusted certificates to check {0} with")]
    NoSystemRoots(String),
    /// The TLS server name is no name.
    #[error("`{0}` is not a TLS server name")]
    ServerName(String),
    /// The client certificate or its key can't be used.
    #[error("the client certificate for {0} can't be used")]
    Identity(String),
}

/// A CA bundle above this size is refused unread.
const BUNDLE_MOST: usize = 1 << 20;

impl Endpoint {
    /// Checks address, CA bundle (PEM; `None` trusts the system's) and the name the certificate must carry where it
    /// differs from the address's host.
    ///
    /// # Errors
    /// [`EndpointError`]: also for an address with user info, query or fragment, because those would travel along.
    pub fn parse(
        url: &str,
        ca_pem: Option<&str>,
        tls_server_name: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let wrong = || EndpointError::Address(clip(&visible(url), 120));
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let bare = parsed.username().is_empty()
            && parsed.password().is_none()
            && parsed.query().is_none()
            && parsed.fragment().is_none();
        let Some(host) = parsed.host_str().filter(|_| parsed.scheme() == "https" && bare) else {
            return Err(wrong());
        };
        let roots = match ca_pem {
            Some(pem) => given_roots(pem),
            None => system_roots(),
        };
        if roots.is_empty() {
            let shown = host.to_owned();
            return Err(match ca_pem {
                Some(_) => EndpointError::Roots(shown),
                None => EndpointError::NoSystemRoots(shown),
            });
        }
        // An IPv6 host stands in brackets in an address and without them in a certificate.
        let name = tls_server_name.unwrap_or(host).trim_start_matches('[').trim_end_matches(']').to_owned();
        let shown = clip(&visible(&name), 120);
        let server_name = ServerName::try_from(name).map_err(|_| EndpointError::ServerName(shown))?;
        Ok(Self { url: parsed, roots: Arc::new(roots), server_name })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its host, with the port where that is not 443.
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    pub(crate) fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    pub(crate) fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// A TLS configuration of its own, without resumption: each connection proves the server anew. `protocols` are
    /// offered in this order (ALPN).
    pub(crate) fn tls(
        &self,
        identity: Option<(&str, &Secret<String>)>,
        protocols: &[&[u8]],
    ) -> Result<Arc<ClientConfig>, EndpointError> {
        let wrong = || EndpointError::Identity(self.host());
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for TLS 1.2 and 1.3")
            .with_root_certificates(self.roots.clone());
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|_| wrong())?;
                let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| wrong())?;
                builder.with_client_auth_cert(chain, key).map_err(|_| wrong())?
            }
        };
        config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.url)
    }
}

/// Every certificate must be usable: a bundle that is half noise is more likely a mistake than a wish.
fn given_roots(pem: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if pem.len() > BUNDLE_MOST {
        return roots;
    }
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let added = certificate.ok().and_then(|der| roots.add(der).ok());
        if added.is_none() {
            return RootCertStore::empty();
        }
    }
    roots
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // The system's store may hold relics that rustls can't parse; those are left out.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
