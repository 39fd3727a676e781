use crate::{Credential, Endpoint, EndpointError, dial::Dial};
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client as HttpClient,
    rt::{TokioExecutor, TokioTimer},
};
use kube::client::{Body, middleware::BaseUriLayer};
use sallyport_model::Secret;
use std::{
    task::{Context, Poll},
    time::Duration,
};
use tower::{BoxError, Layer as _, Service};

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a TCP and TLS connection.
    pub connect: Duration,
    /// For the head of an answer, counted from sending. Bodies are not counted: a watch is one long body.
    pub answer: Duration,
}

impl Timeouts {
    /// The same deadline for both.
    pub const fn both(deadline: Duration) -> Self {
        Self { connect: deadline, answer: deadline }
    }
}

impl Default for Timeouts {
    /// The product's 10 s.
    fn default() -> Self {
        Self::both(Duration::from_secs(10))
    }
}

/// A client for one endpoint. Nothing is contacted yet.
///
/// Retries are off, redirects are answers like any other, the environment is not read, and HTTP/1.1 is spoken, so
/// that streams can be upgraded.
///
/// # Errors
/// [`EndpointError::Identity`] for a client certificate that can't be used.
pub fn connect(
    endpoint: &Endpoint,
    credential: Credential,
    timeouts: Timeouts,
) -> Result<kube::Client, EndpointError> {
    let identity = match &credential {
        Credential::Certificate { chain, key } => Some((chain.as_str(), key)),
        _ => None,
    };
    let dial = Dial::new(endpoint, endpoint.tls(identity, &[b"http/1.1"])?, timeouts.connect);
    let http = HttpClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(4)
        // Not a retry of anything the server saw: a pooled connection that turns out closed before the first byte
        // was written is swapped for a new one.
        .retry_canceled_requests(true)
        .build(dial);
    let base = endpoint.url().as_str().parse().map_err(|_| EndpointError::Address(endpoint.host()))?;
    let stack = BaseUriLayer::new(base).layer(Signed { http, credential, answer: timeouts.answer });
    Ok(kube::Client::new(stack, "default"))
}

/// Adds the credential and the deadline to each request.
#[derive(Clone)]
struct Signed {
    http: HttpClient<Dial, Body>,
    credential: Credential,
    answer: Duration,
}

/// The head of the answer did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub(crate) struct NoAnswer(pub(crate) Duration);

impl Service<Request<Body>> for Signed {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Incoming>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let answering = async {
                let token = match &this.credential {
                    Credential::Token(token) => Some(token.clone()),
                    Credential::Source(source) => Some(source.token().await?),
                    Credential::None | Credential::Certificate { .. } => None,
                };
                if let Some(token) = token {
                    request.headers_mut().insert(header::AUTHORIZATION, bearer(&token)?);
                }
                let agent = HeaderValue::from_static(concat!("sallyport/", env!("CARGO_PKG_VERSION")));
                request.headers_mut().entry(header::USER_AGENT).or_insert(agent);
                Ok::<_, BoxError>(this.http.request(request).await?)
            };
            tokio::time::timeout(this.answer, answering)
                .await
                .unwrap_or_else(|_| Err(NoAnswer(this.answer).into()))
        })
    }
}

/// The header, marked sensitive so that `Debug` and header compression leave it alone.
pub(crate) fn bearer(token: &Secret<String>) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let text = Secret::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(text.expose())?;
    value.set_sensitive(true);
    Ok(value)
}
