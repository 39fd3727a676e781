//! One answer of an API server, bounded in time and size.

use crate::Bounds;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use sallyport_client::{Fault, clock_difference, fault, http_date};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How a call went that was answered or not.
#[derive(Debug)]
pub(crate) enum Got {
    /// 200, whole.
    Body(Bytes),
    /// Any other status.
    Status(u16),
    /// No whole answer, and why.
    Not(Fault),
    /// More bytes than a page may have, or the scan has left.
    TooLarge,
    /// The time for the whole scan is over.
    Over,
}

/// What is left for a whole scan.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) bytes: AtomicU64,
    pub(crate) kept: AtomicU64,
    pub(crate) until: Instant,
    pub(crate) call: Duration,
    /// How far this machine's clock is ahead, by the first answer that told a time.
    pub(crate) ahead: OnceLock<i64>,
}

impl Left {
    /// All of it, from now on.
    pub(crate) fn of(bounds: &Bounds) -> Self {
        Self {
            bytes: AtomicU64::new(bounds.all_bytes),
            kept: AtomicU64::new(bounds.kept_bytes),
            until: Instant::now() + bounds.whole,
            call: bounds.call,
            ahead: OnceLock::new(),
        }
    }
}

/// Takes so much from what is left; false: there is not so much.
pub(crate) fn take(from: &AtomicU64, much: u64) -> bool {
    from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |had| had.checked_sub(much)).is_ok()
}

pub(crate) const JSON: &str = "application/json";

/// Asks one question. `most` bounds the body, in bytes. With a `body` it is a POST of that JSON.
pub(crate) async fn ask(
    client: &kube::Client,
    path: &str,
    accept: &str,
    body: Option<Vec<u8>>,
    most: u64,
    left: &Left,
) -> Got {
    asked(client, (path, accept), body, most, left, |_| false).await
}

/// The same, and whatever it answers is its body, a refusal too.
pub(crate) async fn said(client: &kube::Client, path: &str, body: Vec<u8>, most: u64, left: &Left) -> Got {
    asked(client, (path, JSON), Some(body), most, left, |status| status >= 400).await
}

async fn asked(
    client: &kube::Client,
    (path, accept): (&str, &str),
    body: Option<Vec<u8>>,
    most: u64,
    left: &Left,
    also: fn(u16) -> bool,
) -> Got {
    let remaining = left.until.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        return Got::Over;
    }
    let within = left.call.min(remaining);
    let mut whole = Vec::new();
    let asked = Asked { path, accept, body, most, also };
    let take_in = |data: &[u8]| whole.extend_from_slice(data);
    match tokio::time::timeout(within, exchange(client, asked, left, take_in)).await {
        Ok(Got::Body(_)) => Got::Body(whole.into()),
        Ok(got) => got,
        Err(_) if within == remaining => Got::Over,
        Err(_) => Got::Not(Fault::TimedOut),
    }
}

/// Asks for something that is taken in as it comes and never held whole. What was taken in before a cut stays. `also` says
/// of which status beside 200 the body is wanted.
pub(crate) async fn stream(
    client: &kube::Client,
    (path, accept): (&str, &str),
    most: u64,
    also: fn(u16) -> bool,
    left: &Left,
    take_in: impl FnMut(&[u8]),
) -> Got {
    let remaining = left.until.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        return Got::Over;
    }
    let within = left.call.min(remaining);
    let asked = Asked { path, accept, body: None, most, also };
    match tokio::time::timeout(within, exchange(client, asked, left, take_in)).await {
        Ok(got) => got,
        Err(_) if within == remaining => Got::Over,
        Err(_) => Got::Not(Fault::TimedOut),
    }
}

struct Asked<'a> {
    path: &'a str,
    accept: &'a str,
    body: Option<Vec<u8>>,
    most: u64,
    also: fn(u16) -> bool,
}

/// The body goes to `take_in`, frame by frame; [`Got::Body`] is empty.
async fn exchange(
    client: &kube::Client,
    Asked { path, accept, body, most, also }: Asked<'_>,
    left: &Left,
    mut take_in: impl FnMut(&[u8]),
) -> Got {
    let request = Request::builder().uri(path).header(header::ACCEPT, accept);
    let request = match body {
        Some(body) => request.method("POST").header(header::CONTENT_TYPE, JSON).body(Body::from(body)),
        None => request.method("GET").body(Body::empty()),
    };
    let Ok(request) = request else { return Got::Not(Fault::Invalid("the path can't be sent".to_owned())) };
    let sent_at = jiff::Timestamp::now().as_millisecond();
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => return Got::Not(fault(&error)),
    };
    if let Some(date) = http_date(response.headers()) {
        let received = jiff::Timestamp::now().as_millisecond();
        left.ahead.get_or_init(|| clock_difference(date, sent_at, received).saturating_neg());
    }
    let status = response.status().as_u16();
    if status != 200 && status != 201 && !also(status) {
        return Got::Status(status);
    }
    let mut body = response.into_body();
    let mut sent = 0;
    while let Some(frame) = body.frame().await {
        let data = match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => data,
            // Trailers say nothing here.
            Ok(Err(_)) => continue,
            Err(error) => return Got::Not(fault(&error)),
        };
        let more = data.len() as u64;
        sent += more;
        if !take(&left.bytes, more) || sent > most {
            return Got::TooLarge;
        }
        take_in(&data);
    }
    Got::Body(Bytes::new())
}
