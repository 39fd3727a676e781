//! AccessRequests as kubectl writes them, read for what they say of a history. Whatever else is in the file is passed over
//! and counted.

use super::named;
use crate::end::Stop;
use crate::read::text;
use jiff::Timestamp;
use sallyport_audit::Anchor;
use sallyport_model::{Digest, clip, visible};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The largest file that is read, in bytes: a request has some kilobytes.
const MOST: u64 = 256 << 20;
/// Most parts of one file, and how deep they lie.
const NODES: usize = 20_000_000;
const DEEP: usize = 64;

/// What one request says.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) anchor: Anchor,
    pub(super) user: String,
    pub(super) key: Option<Digest>,
}

/// What a file of requests says.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    pub(super) noted: Vec<Noted>,
    /// Requests that say nothing of a history.
    pub(super) silent: usize,
    /// What is no request, or says what can't be.
    pub(super) other: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    kind: String,
    api_version: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    namespace: String,
    name: String,
    #[serde(default)]
    creation_timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Spec {
    user: String,
    #[serde(default)]
    history: Option<History>,
}

#[derive(Deserialize)]
struct History {
    sequence: u64,
    root: Digest,
    #[serde(default)]
    key: Option<Digest>,
}

pub(super) fn read(path: &Path) -> Result<Anchors, Stop> {
    let failed = |why: &dyn std::fmt::Display| {
        Stop(format!("the requests in {} can't be read: {}", named(path), visible(&why.to_string())))
    };
    let text = text(path, MOST).map_err(|why| failed(&why))?;
    parse(&text).map_err(|why| failed(&why))
}

fn parse(text: &str) -> Result<Anchors, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: DEEP, max_nodes: NODES },
    };
    let value: Value = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).map_err(|error| error.to_string())?,
        false => serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| clip(&error.to_string(), 400))?,
    };
    let objects = match value {
        Value::Object(mut list) if list.get("items").is_some_and(Value::is_array) => list.remove("items"),
        Value::Array(list) => Some(Value::Array(list)),
        one @ Value::Object(_) => Some(Value::Array(vec![one])),
        _ => None,
    };
    let Some(Value::Array(objects)) = objects else {
        return Err("it holds no objects; `kubectl get accessrequests -A -o yaml` writes some".to_owned());
    };
    let mut read = Anchors::default();
    for object in objects {
        match serde_json::from_value::<Request>(object) {
            Ok(request) if is_ours(&request) => match noted(request) {
                Some(noted) => read.noted.push(noted),
                None => read.silent += 1,
            },
            Ok(_) | Err(_) => read.other += 1,
        }
    }
    Ok(read)
}

fn is_ours(request: &Request) -> bool {
    request.kind == "AccessRequest"
        && request.api_version.starts_with("access.sallyport.dev/")
        && request.spec.history.as_ref().is_none_or(|history| history.sequence > 0)
}

fn noted(request: Request) -> Option<Noted> {
    let history = request.spec.history?;
    let Metadata { namespace, name, creation_timestamp } = request.metadata;
    let time = creation_timestamp.and_then(|at| at.parse::<Timestamp>().ok()).map(Timestamp::as_microsecond);
    let what = clip(&visible(&format!("request {namespace}/{name}")), 400);
    let anchor = Anchor { sequence: history.sequence, root: history.root, what, time };
    Some(Noted { anchor, user: request.spec.user, key: history.key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(history: &str) -> String {
        format!(
            "- apiVersion: access.sallyport.dev/v1alpha1\n  kind: AccessRequest\n  metadata: {{name: ask-1, namespace: team, creationTimestamp: '2026-11-29T20:15:00Z'}}\n  spec: {{user: 'oidc:ada'{history}}}\n"
        )
    }

    #[test]
    fn requests_are_read_as_kubectl_writes_them() {
        let digest = "ab".repeat(32);
        let with = request(&format!(", history: {{sequence: 412, root: {digest}, key: {digest}}}"));
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n{with}{}{}",
            request(""),
            request(", history: {sequence: 0}")
        );
        let read = parse(&list).unwrap();
        assert_eq!((read.noted.len(), read.silent, read.other), (1, 1, 1));
        let noted = &read.noted[0];
        assert_eq!((noted.anchor.sequence, noted.anchor.what.as_str()), (412, "request team/ask-1"));
        assert!(noted.anchor.time.is_some() && noted.user == "oidc:ada" && noted.key.is_some());
        let json = serde_json::to_string(&serde_saphyr::from_str::<Value>(&list).unwrap()).unwrap();
        assert_eq!(parse(&json).unwrap().noted.len(), 1);
    }

    #[test]
    fn what_holds_no_requests_is_said() {
        let laughs = format!("a: &a [x]\nb: [{}]\n", "*a,".repeat(10));
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for bad in ["", "hello", "1", "{", "items: 5", &laughs, &deep, "\0", "- {\n"] {
            assert!(parse(bad).is_err() || parse(bad).unwrap().noted.is_empty(), "{bad:.20}");
        }
        assert_eq!(parse("[1, {}, null]").unwrap().other, 3);
    }
}
