//! Looks at a request before anything is sent: what must not pass is refused by name, what must not travel is left
//! out, and what is left is what the API server gets. Pure.

use crate::refusal::Refusal;
use crate::target::old_prefix;
use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, ORIGIN, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, request};
use percent_encoding::percent_decode_str;

/// The API server's second way to take a bearer token (k8s.io/apiserver pkg/authentication/request/websocket).
const BEARER_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io";

/// What the gateway mints for every request; a client's own is not believed (attack 18).
pub(crate) const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// Against what a request is held.
pub(crate) struct Rules<'a> {
    /// `127.0.0.1:<port>`.
    pub(crate) authority: &'a str,
    /// Whether the profile lets the session impersonate.
    pub(crate) impersonation: bool,
}

/// What may pass.
#[derive(Debug)]
pub(crate) struct Passage {
    /// As the API server gets it.
    pub(crate) path: PathAndQuery,
    /// End-to-end headers, without credentials, without Host and Audit-ID.
    pub(crate) headers: HeaderMap,
    /// The protocol to switch to, as the client spelled it.
    pub(crate) upgrade: Option<HeaderValue>,
    /// Whom the client wants to be, where that is allowed.
    pub(crate) impersonates: Option<String>,
}

/// Decides over one request by its head.
pub(crate) fn screen(parts: &request::Parts, rules: &Rules<'_>) -> Result<Passage, Refusal> {
    method(&parts.method)?;
    origin(&parts.headers, rules.authority)?;
    authority(parts, rules.authority)?;
    let path = path(parts)?;
    let impersonates = credentials(&parts.headers, rules.impersonation)?;
    let upgrade = upgrade(parts)?;
    Ok(Passage { path, headers: end_to_end(&parts.headers), upgrade, impersonates })
}

fn method(method: &Method) -> Result<(), Refusal> {
    // CONNECT would make a tunnel, TRACE echoes credentials; an unknown word means nothing to an API server.
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if known.contains(method) { Ok(()) } else { Err(Refusal::Method) }
}

/// Host, or `:authority` of HTTP/2, must be this gateway's address, once and alone: a page that rebinds a name to
/// 127.0.0.1 sends that name.
fn authority(parts: &request::Parts, ours: &str) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() || host.is_some_and(|host| host != ours) {
        return Err(Refusal::Host);
    }
    let is_h2 = parts.version == Version::HTTP_2;
    if !is_h2 && (parts.uri.scheme().is_some() || parts.uri.authority().is_some()) {
        return Err(Refusal::NotAPath);
    }
    match parts.uri.authority() {
        Some(authority) if authority.as_str() != ours => Err(Refusal::Host),
        None if host.is_none() => Err(Refusal::Host),
        _ => Ok(()),
    }
}

/// The path as the API server gets it, byte for byte. One that two readers could understand differently goes nowhere.
fn path(parts: &request::Parts) -> Result<PathAndQuery, Refusal> {
    let path = parts.uri.path();
    if !path.starts_with('/') {
        return Err(Refusal::NotAPath);
    }
    unambiguous(path).map_err(Refusal::Path)?;
    if old_prefix(path).is_some() {
        return Err(Refusal::OldAddress);
    }
    let whole = parts.uri.path_and_query().cloned();
    whole.ok_or(Refusal::Path("is not a path"))
}

/// Whether everybody who reads the path understands the same.
pub(crate) fn is_unambiguous(path: &str) -> bool {
    path.starts_with('/') && unambiguous(path).is_ok()
}

fn unambiguous(path: &str) -> Result<(), &'static str> {
    let (ours, theirs) = path.split_at(proxied_from(path).unwrap_or(path.len()));
    strict(ours)?;
    proxied(theirs)
}

/// What the API server itself reads.
fn strict(path: &str) -> Result<(), &'static str> {
    if path.contains("//") {
        return Err("has an empty segment");
    }
    printable(path)?;
    for byte in encoded(path) {
        match byte? {
            b'/' | b'\\' => return Err("hides a separator behind a percent encoding"),
            b'.' => return Err("hides a dot behind a percent encoding"),
            // %25 hides a second encoding, for whoever decodes twice.
            b'%' => return Err("is percent-encoded twice"),
            0..0x20 | 0x7f => return Err("has a control character"),
            _ => {}
        }
    }
    if has_dot_segment(path) { Err("has a dot segment") } else { Ok(()) }
}

/// What the API server hands on to a pod, service or node without reading it: as it is, short of what would lead a
/// reader on the way out of it.
fn proxied(path: &str) -> Result<(), &'static str> {
    printable(path)?;
    for byte in encoded(path) {
        if matches!(byte?, 0..0x20 | 0x7f) {
            return Err("has a control character");
        }
    }
    let mut read = path.to_owned();
    // As often as anyone may decode it; noise that goes on being encoded after that is no path.
    for _ in 0..4 {
        if has_dot_segment(&read) {
            return Err("has a dot segment");
        }
        let decoded = percent_decode_str(&read).decode_utf8_lossy().into_owned();
        if decoded == read {
            return Ok(());
        }
        read = decoded;
    }
    Err("is percent-encoded again and again")
}

/// Where in `/api/v1/…/{pods,services,nodes}/<name>/proxy/` the part begins that is the proxied one's own.
fn proxied_from(path: &str) -> Option<usize> {
    let mut parts = path.split('/');
    let (root, api, version) = (parts.next()?, parts.next()?, parts.next()?);
    if !(root.is_empty() && api == "api" && version == "v1") {
        return None;
    }
    let mut at = "/api/v1".len();
    let mut next = || {
        let part = parts.next()?;
        at += 1 + part.len();
        Some((part, at))
    };
    match next()?.0 {
        "nodes" => {}
        "namespaces" => {
            next().filter(|(namespace, _)| !namespace.is_empty())?;
            next().filter(|(resource, _)| matches!(*resource, "pods" | "services"))?;
        }
        _ => return None,
    }
    next().filter(|(name, _)| !name.is_empty())?;
    let (_, end) = next().filter(|(subresource, _)| *subresource == "proxy")?;
    Some(end)
}

fn printable(path: &str) -> Result<(), &'static str> {
    if path.bytes().any(|b| b == b'\\' || !b.is_ascii_graphic()) {
        return Err("has a backslash or an unencoded character");
    }
    Ok(())
}

/// Every percent-encoded byte; an error for an encoding that is none.
fn encoded(path: &str) -> impl Iterator<Item = Result<u8, &'static str>> + '_ {
    path.match_indices('%').map(|(at, _)| {
        path.get(at + 1..at + 3)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or("has a broken percent encoding")
    })
}

fn has_dot_segment(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| segment == "." || segment == "..")
}

/// A page that was loaded from elsewhere may not call. Clients that are no browsers send the address they call as
/// their origin (RFC 6454 §7), and they have shown the session's certificate.
fn origin(headers: &HeaderMap, ours: &str) -> Result<(), Refusal> {
    let same = |origin: &HeaderValue| origin.as_bytes().strip_prefix(b"https://") == Some(ours.as_bytes());
    if headers.get_all(ORIGIN).iter().all(same) { Ok(()) } else { Err(Refusal::Origin) }
}

/// Refuses every way to say who one is; answers with whom the client may impersonate.
fn credentials(headers: &HeaderMap, impersonation: bool) -> Result<Option<String>, Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(Refusal::OwnToken);
    }
    let mut impersonates = None;
    for (name, value) in headers {
        if name.as_str().starts_with("x-remote-") {
            return Err(Refusal::Smuggled("an X-Remote header"));
        }
        if name.as_str().starts_with("impersonate-") {
            if !impersonation {
                return Err(Refusal::Impersonation);
            }
            if name == "impersonate-user" {
                impersonates = Some(sallyport_model::clip(&String::from_utf8_lossy(value.as_bytes()), 512));
            }
        }
    }
    let smuggled = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().any(|value| {
        let value = value.as_bytes().to_ascii_lowercase();
        value.windows(BEARER_PROTOCOL.len()).any(|window| window == BEARER_PROTOCOL.as_bytes())
    });
    if smuggled {
        return Err(Refusal::Smuggled("a bearer token as WebSocket subprotocol"));
    }
    Ok(impersonates)
}

/// The protocol the client wants to switch to. An Upgrade header that `Connection` does not name asks for nothing.
fn upgrade(parts: &request::Parts) -> Result<Option<HeaderValue>, Refusal> {
    if !connection_tokens(&parts.headers).any(|token| token == "upgrade") {
        return Ok(None);
    }
    let mut wanted = parts.headers.get_all(UPGRADE).iter();
    let (Some(one), None) = (wanted.next(), wanted.next()) else {
        return Err(Refusal::Upgrade);
    };
    let served =
        one.as_bytes().eq_ignore_ascii_case(b"websocket") || one.as_bytes().eq_ignore_ascii_case(b"SPDY/3.1");
    let is_h1 = parts.version == Version::HTTP_11;
    if served && is_h1 { Ok(Some(one.clone())) } else { Err(Refusal::Upgrade) }
}

fn connection_tokens(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|token| token.trim().to_ascii_lowercase())
        .filter(|token| !token.is_empty())
}

/// A request's headers that travel on. What `Connection` names is dropped here, before the gateway adds its own, so
/// that nobody can have those dropped.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = travelling(headers, |name| !is_ours_to_say(name));
    // The one TE value that means something end to end (RFC 9110 §10.1.4).
    let trailers = headers.get_all(TE).iter().any(|te| {
        te.to_str().is_ok_and(|te| te.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("trailers")))
    });
    if trailers {
        kept.insert(TE, HeaderValue::from_static("trailers"));
    }
    kept
}

/// Headers without those of one hop, in their order and with repeated ones kept apart.
pub(crate) fn travelling(headers: &HeaderMap, keep: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let named: Vec<String> = connection_tokens(headers).collect();
    let mut kept = HeaderMap::with_capacity(headers.len() + 4);
    for (name, value) in headers {
        if !is_hop_by_hop(name) && keep(name) && !named.iter().any(|named| named == name.as_str()) {
            kept.append(name, value.clone());
        }
    }
    kept
}

/// RFC 9110 §7.6.1. `Trailer` stays: it announces what arrives at the far end.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    [CONNECTION, UPGRADE, TE, TRANSFER_ENCODING, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION].contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

/// What only the gateway may say: where the request goes, where it came from (the API server writes a client's
/// forwarding headers into its audit events), under which audit id. An origin that is this gateway's address means
/// nothing at the API server's; a browser's cookies are nobody's business here, and `Expect` is answered on this side.
fn is_ours_to_say(name: &HeaderName) -> bool {
    [HOST, ORIGIN, COOKIE, EXPECT, FORWARDED, AUDIT_ID].contains(name)
        || matches!(name.as_str(), "x-real-ip" | "true-client-ip" | "via")
        || name.as_str().starts_with("x-forwarded-")
}

#[cfg(test)]
mod tests;
