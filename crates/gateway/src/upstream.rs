//! The API server of a session: where it is, how its certificate is checked, with what one calls it.

use crate::held::Held;
use crate::wire::{TLS_BUFFER, Wire};
use http::header::InvalidHeaderValue;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::ServerName;
use sallyport_client::{Authorities, AuthoritiesError};
use sallyport_model::{ClusterName, Jti, Secret, UserName};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;
use url::Url;

/// Keepalive on every upstream connection, as client-go does it: a dead path is noticed within 75 s.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 3;

/// What was sealed for a session, and how it may be used.
pub struct Upstream {
    /// The cluster; the permit's.
    pub cluster: ClusterName,
    /// Where its API server answers; the permit's. https, may have a path.
    pub endpoint: Url,
    /// The authorities its certificate may chain to, PEM; no others are trusted.
    pub ca_pem: String,
    /// The name its certificate carries, where that is not the endpoint's host.
    pub tls_server_name: Option<String>,
    /// The session's token.
    pub token: Secret<String>,
    /// The token's `jti`.
    pub jti: Jti,
    /// Whose session it is; the permit's.
    pub user: UserName,
    /// Whether `--as` and its like pass.
    pub allow_impersonation: bool,
    /// Now, Unix seconds by the hub's clock: what is left until the permit's end is counted from here.
    pub now: i64,
}

/// Why an upstream can't be used as described.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Not https, without a host, or with more in it than host, port and path.
    #[error("`{0}` is not a plain https address")]
    Endpoint(String),
    /// The bundle is not PEM, or a certificate in it is not one.
    #[error("its certificate authorities can't be read: {0}")]
    Authorities(String),
    /// Nothing is in the bundle; the system's own authorities are never asked.
    #[error("no certificate authority was given for it")]
    NoAuthority,
    /// The TLS server name is neither a DNS name nor an IP address.
    #[error("`{0}` is not a name a certificate can carry")]
    ServerName(String),
    /// The token has characters that no header can carry.
    #[error("its token is not one that a header can carry")]
    Token(#[source] InvalidHeaderValue),
    /// rustls refused the configuration.
    #[error("TLS could not be set up for it")]
    Tls(#[source] rustls::Error),
}

/// The session's token as it is sent.
pub(crate) struct Bearer(HeaderValue);

impl Bearer {
    pub(crate) fn new(token: &Secret<String>) -> Result<Self, UpstreamError> {
        let mut value =
            HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(UpstreamError::Token)?;
        // Keeps it out of Debug and of HPACK's tables.
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{}", chain(.0.as_ref()))]
    Connect(Box<dyn std::error::Error + Send + Sync>),
    #[error("TLS failed: {0}")]
    Tls(std::io::Error),
    #[error("{0}")]
    Http(hyper::Error),
    #[error("it closed the connection at once")]
    Closed,
    #[error("no connection within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// Which protocols to offer.
#[derive(Clone, Copy)]
pub(crate) enum Offer {
    /// HTTP/2, else HTTP/1.1.
    Any,
    /// HTTP/1.1 alone: HTTP/2 has no Upgrade.
    Http1,
}

/// An API server one can dial.
pub(crate) struct Endpoint {
    uri: Uri,
    authority: Authority,
    base: String,
    name: ServerName<'static>,
    any: TlsConnector,
    http1: TlsConnector,
    tcp: HttpConnector,
    within: Duration,
}

impl Endpoint {
    /// `within` bounds dialling: name, TCP and TLS together.
    pub(crate) fn new(
        upstream: &Upstream,
        provider: Arc<CryptoProvider>,
        within: Duration,
    ) -> Result<Self, UpstreamError> {
        let url = &upstream.endpoint;
        let wrong =
            || UpstreamError::Endpoint(sallyport_model::clip(&sallyport_model::visible(url.as_str()), 200));
        let plain = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().filter(|_| plain).ok_or_else(wrong)?;
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        let authority: Authority = format!("{host}:{port}").parse().map_err(|_| wrong())?;
        let uri = Uri::builder()
            .scheme(Scheme::HTTPS)
            .authority(authority.clone())
            .path_and_query("/")
            .build()
            .map_err(|_| wrong())?;
        let said = upstream.tls_server_name.as_deref().unwrap_or(host.trim_matches(['[', ']']));
        let name = ServerName::try_from(said.to_owned())
            .map_err(|_| UpstreamError::ServerName(sallyport_model::visible(said)))?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE_EVERY));
        tcp.set_keepalive_retries(Some(KEEPALIVE_PROBES));
        let authorities = Arc::new(authorities(&upstream.ca_pem)?);
        let connector = |alpn: &[&[u8]]| {
            client_config(&authorities, &provider, alpn).map(Arc::new).map(TlsConnector::from)
        };
        Ok(Self {
            uri,
            authority,
            base: url.path().trim_end_matches('/').to_owned(),
            name,
            any: connector(&[b"h2", b"http/1.1"])?,
            http1: connector(&[b"http/1.1"])?,
            tcp,
            within,
        })
    }

    /// The Host of every request.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How long dialling may take.
    pub(crate) fn within(&self) -> Duration {
        self.within
    }

    /// A path of the API server's under the endpoint's own.
    pub(crate) fn path(&self, path: PathAndQuery) -> PathAndQuery {
        if self.base.is_empty() {
            return path;
        }
        PathAndQuery::try_from(format!("{}{path}", self.base)).expect("two paths joined are a path")
    }

    /// A new connection, tied to the session's cut; the flag says whether it speaks HTTP/2.
    pub(crate) async fn dial(&self, offer: Offer, held: &Held) -> Result<(TlsStream<Wire>, bool), DialError> {
        let dialled = async {
            let mut tcp = self.tcp.clone();
            let tcp = tcp.call(self.uri.clone()).await.map_err(|error| DialError::Connect(error.into()))?;
            let wire = Wire::new(tcp.into_inner());
            wire.tie(held.cut_token().clone());
            let connector = match offer {
                Offer::Any => &self.any,
                Offer::Http1 => &self.http1,
            };
            connector.connect(self.name.clone(), wire).await.map_err(DialError::Tls)
        };
        let mut tls = timeout(self.within, dialled).await.map_err(|_| DialError::TimedOut(self.within))??;
        let (_, connection) = tls.get_mut();
        connection.set_buffer_limit(Some(TLS_BUFFER));
        let is_h2 = connection.alpn_protocol() == Some(b"h2");
        Ok((tls, is_h2))
    }
}

fn authorities(pem: &str) -> Result<Authorities, UpstreamError> {
    Authorities::parse(pem).map_err(|why| match why {
        AuthoritiesError::Empty => UpstreamError::NoAuthority,
        other => UpstreamError::Authorities(other.to_string()),
    })
}

fn client_config(
    authorities: &Arc<Authorities>,
    provider: &Arc<CryptoProvider>,
    alpn: &[&[u8]],
) -> Result<ClientConfig, UpstreamError> {
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(UpstreamError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(authorities.clone())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// An error with its causes, for the sentence a person reads.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}
