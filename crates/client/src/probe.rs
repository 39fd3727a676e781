use crate::{Endpoint, Fault, clock::http_date, connect::bearer, dial::Dial, fault::of_chain};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use sallyport_model::Secret;
use std::time::Duration;

/// What an API server said to one question.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its clock, Unix seconds, from the `Date` header.
    pub date: Option<i64>,
    /// The body, up to 64 KiB.
    pub body: Bytes,
}

const BODY_MOST: usize = 64 * 1024;

/// Asks one GET on a connection made for it alone; see [`probe`].
///
/// # Errors
/// As [`probe`].
pub async fn probe_get(
    endpoint: &Endpoint,
    token: Option<&Secret<String>>,
    path: &str,
    deadline: Duration,
) -> Result<Answer, Fault> {
    probe(endpoint, token, Method::GET, path, None, deadline).await
}

/// Asks one question on a connection made for it alone and closed afterwards, so that neither a pooled connection nor
/// a resumed TLS session can answer in place of the API server. Any status is an answer.
///
/// `path` begins with a slash and may have a query; `body` is JSON.
///
/// # Errors
/// [`Fault::TimedOut`], [`Fault::Unreachable`] or [`Fault::Untrusted`] when there was no answer, [`Fault::Invalid`] for
/// a path or token that can't be sent.
pub async fn probe(
    endpoint: &Endpoint,
    token: Option<&Secret<String>>,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
    deadline: Duration,
) -> Result<Answer, Fault> {
    let request = request(endpoint, token, method, path, body)?;
    tokio::time::timeout(deadline, ask(endpoint, request, deadline)).await.unwrap_or(Err(Fault::TimedOut))
}

fn request(
    endpoint: &Endpoint,
    token: Option<&Secret<String>>,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Request<Full<Bytes>>, Fault> {
    let invalid = |what: &str| Fault::Invalid(what.to_owned());
    let base = endpoint.url().path().trim_end_matches('/');
    let target: Uri = format!("{base}{path}").parse().map_err(|_| invalid("the path can't be sent"))?;
    let authority = &endpoint.url()[url::Position::BeforeHost..url::Position::AfterPort];
    let mut builder = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, authority)
        .header(header::CONNECTION, HeaderValue::from_static("close"))
        .header(header::ACCEPT, HeaderValue::from_static("application/json"));
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(token) = token {
        builder = builder
            .header(header::AUTHORIZATION, bearer(token).map_err(|_| invalid("the token can't be sent"))?);
    }
    builder.body(Full::new(body.unwrap_or_default().into())).map_err(|_| invalid("the request can't be sent"))
}

async fn ask(
    endpoint: &Endpoint,
    request: Request<Full<Bytes>>,
    deadline: Duration,
) -> Result<Answer, Fault> {
    let tls = endpoint.tls(None).map_err(|e| Fault::Other(e.to_string()))?;
    let uri = endpoint
        .url()
        .as_str()
        .parse()
        .map_err(|_| Fault::Invalid("the address can't be used".to_owned()))?;
    let connection = Dial::new(endpoint, tls, deadline).dial(uri).await.map_err(|e| of_chain(&e))?;
    let (mut sender, driver) =
        hyper::client::conn::http1::handshake(connection).await.map_err(|e| of_chain(&e))?;
    // The driver ends with this future: nothing of the connection outlives the answer.
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|e| of_chain(&e))?;
        let (status, date) = (response.status().as_u16(), http_date(response.headers()));
        // An overlong body is no reason to doubt the status.
        let body = match Limited::new(response.into_body(), BODY_MOST).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(_) => Bytes::new(),
        };
        Ok(Answer { status, date, body })
    };
    let mut exchange = std::pin::pin!(exchange);
    let mut driver = std::pin::pin!(driver);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // The driver may see the end before the answer is put together; the answer is what counts.
        _ = &mut driver => exchange.await,
    }
}
