//! What the gateway itself says no to, and how a Kubernetes client reads it.

use crate::call::CutReason;
use crate::target::old_prefix;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use sallyport_model::ClusterName;
use serde::Serialize;

/// An answer of the gateway's own: the API server never saw the request, or never answered it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the session on `{cluster}` is closed: {why}. Open the cluster in Sallyport again")]
    Closed { cluster: ClusterName, why: CutReason },
    #[error("the session on `{0}` was extended with less, and this is not in it any more")]
    Narrowed(ClusterName),
    #[error("this client certificate belongs to no session. Open the cluster in Sallyport again")]
    Unknown,
    #[error(
        "the history can't record calls at the moment, and nothing passes unrecorded. See Sallyport's window"
    )]
    Unrecorded,
    #[error("only GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS pass the gateway")]
    Method,
    #[error(
        "the request names a whole URL or nothing; only a path is served. The gateway is not a forward proxy"
    )]
    NotAPath,
    #[error("the path {0}. It was not sent on")]
    Path(&'static str),
    #[error(
        "this port is for `{here}`, and the client certificate for a session on `{cluster}`. Check the kubeconfig in use"
    )]
    OtherCluster { cluster: ClusterName, here: ClusterName },
    #[error(
        "the gateway's address has no path any more: take /c/… out of `server` in this kubeconfig, or use a terminal of the session"
    )]
    OldAddress,
    #[error(
        "the request's address is over 64 KiB, more than the gateway takes. Send a script on stdin instead: kubectl exec -i … -- sh < script"
    )]
    LongAddress,
    #[error("the request's headers are over 1 MiB, more than an API server takes. It was not sent on")]
    LargeHead,
    #[error("the Host header is not the gateway's address")]
    Host,
    #[error("web pages may not call the gateway")]
    Origin,
    #[error("the gateway adds the session's own token; leave yours out (--token, --username)")]
    OwnToken,
    #[error("the request carries {0}, which only the gateway may say. It was not sent on")]
    Smuggled(&'static str),
    #[error("impersonation (--as) is not part of this session's profile")]
    Impersonation,
    #[error("only upgrades to websocket and SPDY/3.1 are served, one at a time and without a body")]
    Upgrade,
    #[error("the API server of `{cluster}` can't be reached: {why}")]
    Unreachable { cluster: ClusterName, why: String },
    #[error(
        "the API server of `{cluster}` did not answer within {seconds} s. Whether it carried the request out is not known"
    )]
    Silent { cluster: ClusterName, seconds: u64 },
    #[error("the API server of `{cluster}` broke off without an answer: {why}")]
    Broken { cluster: ClusterName, why: String },
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Closed { .. } | Self::Narrowed(_) | Self::Unknown | Self::OtherCluster { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::Origin | Self::Impersonation | Self::OwnToken => StatusCode::FORBIDDEN,
            Self::Unrecorded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAPath | Self::Path(_) | Self::Smuggled(_) | Self::Upgrade => StatusCode::BAD_REQUEST,
            // Not a 404, which clients take for a resource that is not there and pass over.
            Self::OldAddress => StatusCode::BAD_REQUEST,
            Self::LongAddress => StatusCode::URI_TOO_LONG,
            Self::LargeHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            // RFC 9110 §7.4: the request was sent to an authority this server does not speak for.
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Unreachable { .. } | Self::Broken { .. } => StatusCode::BAD_GATEWAY,
            Self::Silent { .. } => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Whether the API server was at fault and not the request.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Silent { .. } | Self::Broken { .. })
    }

    /// `reason` of a `metav1.Status` (apimachinery pkg/apis/meta/v1/types.go).
    fn reason(&self) -> &'static str {
        match self.status() {
            StatusCode::FORBIDDEN => "Forbidden",
            StatusCode::METHOD_NOT_ALLOWED => "MethodNotAllowed",
            StatusCode::GATEWAY_TIMEOUT => "Timeout",
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
            _ => "BadRequest",
        }
    }

    /// The answer as kubectl and client libraries show it to a person.
    pub(crate) fn response(&self, tone: Tone) -> Response<Full<Bytes>> {
        let message = format!("sallyport: {self}");
        let (kind, body) = if tone.plain {
            ("text/plain; charset=utf-8", message.into_bytes())
        } else {
            let status = Status {
                kind: "Status",
                api_version: "v1",
                metadata: Empty {},
                status: "Failure",
                message,
                reason: self.reason(),
                code: self.status().as_u16(),
            };
            ("application/json", serde_json::to_vec(&status).expect("strings and numbers are JSON"))
        };
        let length = HeaderValue::from(body.len());
        let body = if tone.head { Bytes::new() } else { Bytes::from(body) };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// How an answer of the gateway's own has to be put for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tone {
    /// A HEAD gets the head alone.
    head: bool,
    /// client-go's discovery reads no `metav1.Status` in an answer and says "unknown"; plain text it repeats.
    plain: bool,
}

impl Tone {
    /// For a request by its method and its path.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let path = old_prefix(path).unwrap_or(path);
        let mut parts = path.trim_end_matches('/').split('/').skip(1);
        let (first, behind) = (parts.next().unwrap_or_default(), parts.count());
        let plain = match first {
            "api" => behind <= 1,
            "apis" => behind <= 2,
            "openapi" | "version" => true,
            _ => false,
        };
        Self { head: *method == Method::HEAD, plain: plain && *method == Method::GET }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    kind: &'static str,
    api_version: &'static str,
    metadata: Empty,
    status: &'static str,
    message: String,
    reason: &'static str,
    code: u16,
}

#[derive(Serialize)]
struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_gets_plain_words_and_the_rest_a_status() {
        for (path, plain) in [
            ("/api", true),
            ("/api/v1", true),
            ("/apis/", true),
            ("/apis/apps/v1", true),
            ("/openapi/v3", true),
            ("/version", true),
            ("/api/v1/pods", false),
            ("/apis/apps/v1/deployments", false),
            ("/readyz", false),
            ("/c/pay/api", true),
            ("/c/pay/api/v1/pods", false),
            ("/c/pay", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(Tone::of(&Method::GET, path).plain, plain, "{path}");
            assert!(!Tone::of(&Method::POST, path).plain, "{path}");
        }
        let said = Refusal::Impersonation.response(Tone::of(&Method::GET, "/api"));
        assert_eq!(
            (said.status(), &said.headers()["content-type"]),
            (StatusCode::FORBIDDEN, &"text/plain; charset=utf-8".parse().unwrap())
        );
    }
}
