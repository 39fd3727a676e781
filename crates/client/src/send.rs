//! One write whose answer is wanted whatever it is.

use crate::{Fault, fault};
use http::{Request, header};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use std::time::Duration;

/// What is taken in of an answer, in bytes; an API server says no in less.
const ANSWER_MOST: usize = 8 << 20;

/// A request, as it goes to the API server that a client is for.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// e.g. `PATCH`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// What the body is.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a str,
    /// What the client calls itself, for the API server's audit log; none: as in every other call.
    pub agent: Option<&'a str>,
}

/// Sends it once; the status and the body of the answer, which may be a no.
///
/// # Errors
/// [`Fault`], where there was no whole answer: what was sent may have been taken all the same.
pub async fn send(
    client: &kube::Client,
    request: Sending<'_>,
    within: Duration,
) -> Result<(u16, Vec<u8>), Fault> {
    let mut sent = Request::builder();
    if let Some(agent) = request.agent {
        sent = sent.header(header::USER_AGENT, agent);
    }
    let request = sent
        .method(request.method)
        .uri(request.path)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, request.content_type)
        .body(Body::from(request.body.as_bytes().to_vec()))
        .map_err(|error| Fault::Invalid(format!("it can't be sent: {error}")))?;
    let exchange = async {
        let response = client.send(request).await.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        match Limited::new(response.into_body(), ANSWER_MOST).collect().await {
            Ok(body) => Ok((status, body.to_bytes().to_vec())),
            // That it was taken, or not, is known by then.
            Err(_) => Ok((status, Vec::new())),
        }
    };
    tokio::time::timeout(within, exchange).await.map_err(|_| Fault::TimedOut)?
}
