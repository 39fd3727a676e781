use crate::{Authorities, AuthoritiesError};
use rustls::{ClientConfig, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use sallyport_model::{Secret, clip, visible};
use std::sync::Arc;
use url::{Position, Url};

/// Where an API server answers and whom to believe that it is the one.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    authorities: Arc<Authorities>,
    server_name: ServerName<'static>,
}

/// Why an endpoint can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The address is not `https://host[:port][/path]`.
    #[error("`{0}` is not an https address of an API server")]
    Address(String),
    /// The CA bundle can't be used.
    #[error("the CA bundle of {host} can't be used: {why}")]
    Roots {
        /// Whose it is.
        host: String,
        /// Why.
        why: AuthoritiesError,
    },
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
        let authorities =
            match ca_pem {
                Some(pem) => Authorities::parse(pem)
                    .map_err(|why| EndpointError::Roots { host: host.to_owned(), why })?,
                None => Authorities::of_the_system()
                    .ok_or_else(|| EndpointError::NoSystemRoots(host.to_owned()))?,
            };
        // An IPv6 host stands in brackets in an address and without them in a certificate.
        let name = tls_server_name.unwrap_or(host).trim_start_matches('[').trim_end_matches(']').to_owned();
        let shown = clip(&visible(&name), 120);
        let server_name = ServerName::try_from(name).map_err(|_| EndpointError::ServerName(shown))?;
        Ok(Self { url: parsed, authorities: Arc::new(authorities), server_name })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its host, with the port where that is not 443.
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// The name that its certificate must carry.
    pub fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// Whom to believe that it is the one.
    pub fn authorities(&self) -> &Authorities {
        &self.authorities
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
            .dangerous()
            .with_custom_certificate_verifier(self.authorities.clone());
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
