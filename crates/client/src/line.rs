use crate::{
    Endpoint, Fault,
    clock::http_date,
    connect::bearer,
    dial::{Dial, TlsConnection},
    fault::of_chain,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioExecutor;
use sallyport_model::Secret;
use std::time::Duration;
use tokio::{
    sync::Mutex,
    task::{AbortHandle, JoinHandle},
    time::Instant,
};

/// What an API server said to one question.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its clock, Unix seconds, from the `Date` header.
    pub date: Option<i64>,
    /// The body, up to 64 KiB; empty where it was longer.
    pub body: Bytes,
}

const BODY_MOST: usize = 64 * 1024;

/// One connection of its own, opened for a purpose and closed on drop: neither a pooled connection nor a resumed TLS
/// session can answer in place of the API server.
pub struct Line {
    sender: Sender,
    driver: AbortHandle,
    authority: String,
    base: String,
}

enum Sender {
    One(Box<Mutex<http1::SendRequest<Full<Bytes>>>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Line {
    /// Opens one: TCP, TLS without resumption, HTTP/2 or 1.1 as the server likes.
    ///
    /// # Errors
    /// [`Fault::TimedOut`], [`Fault::Unreachable`] or [`Fault::Untrusted`].
    pub async fn open(endpoint: &Endpoint, deadline: Duration) -> Result<Self, Fault> {
        tokio::time::timeout(deadline, Self::opened(endpoint, deadline)).await.unwrap_or(Err(Fault::TimedOut))
    }

    async fn opened(endpoint: &Endpoint, deadline: Duration) -> Result<Self, Fault> {
        let tls = endpoint.tls(None, &[b"h2", b"http/1.1"]).map_err(|e| Fault::Other(e.to_string()))?;
        let invalid = |_| Fault::Invalid("the address can't be used".to_owned());
        let uri = endpoint.url().as_str().parse().map_err(invalid)?;
        let connection = Dial::new(endpoint, tls, deadline).dial(uri).await.map_err(|e| of_chain(&e))?;
        let (sender, driver) = shake(connection).await.map_err(|e| of_chain(&e))?;
        let base = endpoint.url().path().trim_end_matches('/').to_owned();
        Ok(Self { sender, driver, authority: endpoint.authority().to_owned(), base })
    }

    /// Asks one question; several may be under way at once (on HTTP/1.1 they take turns). Any status is an answer.
    ///
    /// `path` begins with a slash and may have a query; `body` is JSON.
    ///
    /// # Errors
    /// [`Fault::TimedOut`] or [`Fault::Unreachable`] when there was no answer within `within`, [`Fault::Invalid`] for a
    /// path or token that can't be sent.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret<String>>,
        body: Option<Vec<u8>>,
        within: Duration,
    ) -> Result<Answer, Fault> {
        let request = self.request(method, path, token, body)?;
        tokio::time::timeout(within, self.exchange(request)).await.unwrap_or(Err(Fault::TimedOut))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let response = match &self.sender {
            Sender::Two(sender) => sender.clone().send_request(request).await,
            Sender::One(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await.map_err(|e| of_chain(&e))?;
                sender.send_request(request).await
            }
        };
        let response = response.map_err(|e| of_chain(&e))?;
        let (status, date) = (response.status().as_u16(), http_date(response.headers()));
        // An overlong body is no reason to doubt the status.
        let body = match Limited::new(response.into_body(), BODY_MOST).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(_) => Bytes::new(),
        };
        Ok(Answer { status, date, body })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret<String>>,
        body: Option<Vec<u8>>,
    ) -> Result<Request<Full<Bytes>>, Fault> {
        let invalid = |what: &str| Fault::Invalid(what.to_owned());
        let json = HeaderValue::from_static("application/json");
        // HTTP/2 wants the whole URI; HTTP/1.1 takes the path and a Host header.
        let target = match self.sender {
            Sender::Two(_) => format!("https://{}{}{path}", self.authority, self.base),
            Sender::One(_) => format!("{}{path}", self.base),
        };
        let target: http::Uri = target.parse().map_err(|_| invalid("the path can't be sent"))?;
        let agent = HeaderValue::from_static(concat!("sallyport/", env!("CARGO_PKG_VERSION")));
        let mut builder = Request::builder()
            .method(method)
            .uri(target)
            .header(header::USER_AGENT, agent)
            .header(header::ACCEPT, json.clone());
        if matches!(self.sender, Sender::One(_)) {
            builder = builder.header(header::HOST, &self.authority);
        }
        if body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, json);
        }
        if let Some(token) = token {
            let bearer = bearer(token).map_err(|_| invalid("the token can't be sent"))?;
            builder = builder.header(header::AUTHORIZATION, bearer);
        }
        builder
            .body(Full::new(body.unwrap_or_default().into()))
            .map_err(|_| invalid("the request can't be sent"))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn shake(connection: TlsConnection) -> Result<(Sender, AbortHandle), hyper::Error> {
    if connection.speaks_h2() {
        let (sender, run) = http2::handshake(TokioExecutor::new(), connection).await?;
        let driver = tokio::spawn(async move { drop(run.await) });
        Ok((Sender::Two(sender), driver.abort_handle()))
    } else {
        let (sender, run) = http1::handshake(connection).await?;
        let driver = tokio::spawn(async move { drop(run.await) });
        Ok((Sender::One(Box::new(Mutex::new(sender))), driver.abort_handle()))
    }
}

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

/// Asks one question on a connection made for it alone and closed afterwards.
///
/// # Errors
/// As [`Line::open`] and [`Line::send`].
pub async fn probe(
    endpoint: &Endpoint,
    token: Option<&Secret<String>>,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
    deadline: Duration,
) -> Result<Answer, Fault> {
    let start = Instant::now();
    let line = Line::open(endpoint, deadline).await?;
    line.send(method, path, token, body, deadline.saturating_sub(start.elapsed())).await
}

/// Connections opened ahead of their use, so that handshakes overlap with the writes they wait for.
pub struct Warm {
    endpoint: Endpoint,
    within: Duration,
    ahead: Vec<JoinHandle<Result<Line, Fault>>>,
}

impl Warm {
    /// Starts to open `count` connections; each gives up after `within`.
    #[must_use]
    pub fn start(endpoint: Endpoint, count: usize, within: Duration) -> Self {
        let ahead = (0..count).map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { Line::open(&endpoint, within).await })
        });
        Self { ahead: ahead.collect(), endpoint, within }
    }

    /// A connection nobody has used yet.
    ///
    /// # Errors
    /// As [`Line::open`].
    pub async fn next(&mut self) -> Result<Line, Fault> {
        if let Some(task) = self.ahead.pop()
            // A task that panicked or was cancelled opens anew.
            && let Ok(opened) = task.await
        {
            return opened;
        }
        Line::open(&self.endpoint, self.within).await
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.ahead.iter().for_each(JoinHandle::abort);
    }
}
