//! What a request's address is about, for events that were cut before they say it. As API servers read addresses
//! (`RequestInfoFactory.NewRequestInfo` in kubernetes/apiserver's `pkg/endpoints/request/requestinfo.go`), but for those
//! that can be read in two ways: they are about nothing.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What an address is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    /// Whether the path itself says that it is a watch, as it could in old clients.
    pub(crate) is_watch: bool,
}

/// Reads the path of an address; `is_torn` where the address itself was cut, so that nobody knows how its last word goes
/// on. `None` for what is no resource's and for what has empty words, dots or slashes where words should be.
pub(crate) fn place(uri: &str, is_torn: bool) -> Option<Place> {
    let (path, is_torn) = match uri.split_once('?') {
        Some((path, _)) => (path, false),
        None => (uri, is_torn),
    };
    let path = path.strip_prefix('/')?;
    let path = if is_torn { path.rsplit_once('/')?.0 } else { path.strip_suffix('/').unwrap_or(path) };
    let parts = path.split('/').map(word).collect::<Option<Vec<_>>>()?;
    let mut parts = parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into_iter().peekable();
    let group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    let version = parts.next()?;
    let is_watch = parts.next_if_eq(&"watch").is_some();
    let rest: Vec<&str> = parts.collect();
    let (namespace, rest) = match &rest[..] {
        // How it goes on decides whether it is the namespace or something in it.
        ["namespaces"] | ["namespaces", _] if is_torn => return None,
        ["namespaces", namespace] => (*namespace, &rest[..]),
        ["namespaces", namespace, "status" | "finalize", ..] => (*namespace, &rest[..]),
        ["namespaces", namespace, rest @ ..] => (*namespace, rest),
        _ => ("", &rest[..]),
    };
    let part = |n: usize| rest.get(n).copied().unwrap_or_default().to_owned();
    (!rest.is_empty()).then(|| Place {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace: namespace.to_owned(),
        resource: part(0),
        name: part(1),
        subresource: part(2),
        is_watch,
    })
}

/// A word of a path, decoded; `None` where it is none.
fn word(part: &str) -> Option<Cow<'_, str>> {
    // A `%` that begins no escape stays as it is when it is decoded, and API servers refuse it.
    let bytes = part.as_bytes();
    let is_escaped =
        |at: usize| bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    if memchr::memchr_iter(b'%', bytes).any(|at| !is_escaped(at)) {
        return None;
    }
    let word = percent_decode_str(part).decode_utf8().ok()?;
    let is_word =
        !matches!(&*word, "" | "." | "..") && !word.contains('/') && !word.contains(char::is_control);
    is_word.then_some(word)
}
