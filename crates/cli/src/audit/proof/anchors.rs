//! What others have of how a history was: AccessRequests as kubectl writes them, and checkpoints wherever they were kept
//! (files, log stores, packs). Whatever else is in there is passed over and counted.

use super::named;
use crate::end::Stop;
use crate::read::text;
use jiff::Timestamp;
use sallyport_audit::{ANCHOR_KIND, Anchor, Checkpoint, checkpoints_in};
use sallyport_model::{Digest, clip, visible};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// The largest file that is read, in bytes: a request has some kilobytes.
const MOST: u64 = 256 << 20;
/// Most parts of one file, and how deep they lie.
const NODES: usize = 20_000_000;
const DEEP: usize = 64;
/// Checkpoints that are known again when they come twice.
const SEEN: usize = 1_000_000;

/// What one of them says.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) anchor: Anchor,
    pub(super) by: By,
    pub(super) key: Option<Digest>,
}

/// Whose word it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// That of the person whose request it is: whatever they like to say.
    Request(String),
    /// That of the key, which signed it: nobody else can say so, wherever it was kept.
    Key,
}

impl By {
    /// The person whose request it is.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::Request(user) => Some(user),
            Self::Key => None,
        }
    }
}

/// What files, or a store, say.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    pub(super) noted: Vec<Noted>,
    /// Requests that say nothing of a history.
    pub(super) silent: usize,
    /// What is neither, or says what can't be.
    pub(super) other: usize,
    /// What was made up: checkpoints that the key they name did not sign, and events that say they have one and have none.
    pub(super) forged: Forged,
    /// What of a store was not looked at, in words.
    pub(super) unread: Vec<String>,
    /// Texts and signatures of what was read.
    seen: HashSet<Digest>,
}

/// How many, and which was read first.
#[derive(Debug, Default)]
pub(super) struct Forged {
    pub(super) count: usize,
    pub(super) first: Option<String>,
}

impl Forged {
    fn add(&mut self, which: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(which);
    }
}

impl Anchors {
    /// With what a file says.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), Stop> {
        let failed = |why: &dyn std::fmt::Display| {
            Stop(format!("the anchors in {} can't be read: {}", named(path), visible(&why.to_string())))
        };
        let text = text(path, MOST).map_err(|why| failed(&why))?;
        self.parse(&text, &named(path)).map_err(|why| failed(&why))
    }

    fn parse(&mut self, text: &str, place: &str) -> Result<(), String> {
        if !text.trim_start().starts_with('{') {
            let options = serde_saphyr::options! {
                budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: DEEP, max_nodes: NODES },
            };
            let value = serde_saphyr::from_str_with_options(text, options);
            return self.objects(value.map_err(|error| clip(&error.to_string(), 400))?, place);
        }
        let whole = match serde_json::from_str(text) {
            Ok(value) => return self.objects(value, place),
            Err(error) => error,
        };
        let (mut lines, mut bad) = (0, 0);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(value) => {
                    lines += 1;
                    self.vouched(&value, place);
                }
                // Of whoever was killed while it wrote.
                Err(_) => bad += 1,
            }
        }
        self.other += bad;
        if lines == 0 { Err(whole.to_string()) } else { Ok(()) }
    }

    fn objects(&mut self, value: Value, place: &str) -> Result<(), String> {
        let objects = match value {
            Value::Object(mut list) if list.get("items").is_some_and(Value::is_array) => list.remove("items"),
            Value::Array(list) => Some(Value::Array(list)),
            one @ Value::Object(_) => Some(Value::Array(vec![one])),
            _ => None,
        };
        let Some(Value::Array(objects)) = objects else {
            return Err(
                "it holds no objects; `kubectl get accessrequests -A -o yaml` and `sallyport audit anchor` write some"
                    .to_owned(),
            );
        };
        for object in objects {
            self.one(object, place);
        }
        Ok(())
    }

    /// What many may write to: only what the key itself says counts there. A line that looks like a request of the hub is
    /// none, whoever it names.
    pub(super) fn vouched(&mut self, value: &Value, place: &str) {
        if self.checkpoints(value, place) {
            return;
        }
        match value.get("kind").and_then(Value::as_str) {
            Some(ANCHOR_KIND) => self.forged.add(|| format!("one in {place} that has no checkpoint in it")),
            _ => self.other += 1,
        }
    }

    fn checkpoints(&mut self, value: &Value, place: &str) -> bool {
        let mut found = Vec::new();
        checkpoints_in(value, &mut |checkpoint| found.push(checkpoint));
        for checkpoint in &found {
            self.signed(checkpoint, place);
        }
        !found.is_empty()
    }

    /// A request, or whatever has checkpoints in it.
    fn one(&mut self, value: Value, place: &str) {
        if self.checkpoints(&value, place) {
            return;
        }
        match serde_json::from_value::<Request>(value) {
            Ok(request) if is_ours(&request) => match noted(request) {
                Some(noted) => self.noted.push(noted),
                None => self.silent += 1,
            },
            Ok(_) | Err(_) => self.other += 1,
        }
    }

    fn signed(&mut self, checkpoint: &Checkpoint, place: &str) {
        // Stores have what was sent twice twice. The same text under another signature is another one: else a copy that
        // nobody signed would stand in the place of what was.
        let what = Digest::of(checkpoint.to_json().as_bytes());
        let is_known =
            if self.seen.len() < SEEN { !self.seen.insert(what) } else { self.seen.contains(&what) };
        if is_known {
            return;
        }
        let at = crate::audit::times::told(checkpoint.time);
        let what = format!("the anchor of {at} in {place} (entry {})", checkpoint.last);
        if !checkpoint.is_signed() {
            self.forged.add(|| what);
            return;
        }
        let key = Some(checkpoint.key.fingerprint());
        self.noted.push(Noted { anchor: checkpoint.anchor(what), by: By::Key, key });
    }
}

/// What a file says.
pub(super) fn read(path: &Path) -> Result<Anchors, Stop> {
    let mut anchors = Anchors::default();
    anchors.read(path)?;
    Ok(anchors)
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
    Some(Noted { anchor, by: By::Request(request.spec.user), key: history.key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::SealKey;

    fn parse(text: &str) -> Result<Anchors, String> {
        let mut anchors = Anchors::default();
        anchors.parse(text, "f").map(|()| anchors)
    }

    fn checkpoint(last: u64) -> Checkpoint {
        Checkpoint::sign(&SealKey::new([3; 32]), Digest::of(b"o"), (1, last), Digest::of(b"r"), 1_000, None)
    }

    #[test]
    fn checkpoints_are_read_from_lines_once_each_and_only_with_their_signature() {
        let (one, other) = (checkpoint(5).handed_on(), checkpoint(9).handed_on());
        let forged = one.replace("\\\"last\\\":5", "\\\"last\\\":6");
        assert!(forged != one);
        let record = serde_json::json!({"_msg": other, "_time": "x"}).to_string();
        let text = format!("{one}\n\n{record}\r\n{one}\n{{\"cut\n{forged}\n{{\"kind\":\"Event\"}}\n");
        let read = parse(&text).unwrap();
        let noted: Vec<_> =
            read.noted.iter().map(|noted| (noted.anchor.sequence, noted.by.clone())).collect();
        assert_eq!(noted, [(5, By::Key), (9, By::Key)]);
        assert_eq!((read.silent, read.other, read.forged.count), (0, 2, 1));
        assert!(read.forged.first.is_some_and(|first| first.ends_with("in f (entry 6)")));
        assert_eq!(
            parse(&one).unwrap().noted[0].anchor.what,
            "the anchor of 1970-01-01T00:00:00.001Z in f (entry 5)"
        );
        assert!(!parse("{\"a\n{\"b\n").map(|_| ()).unwrap_err().is_empty());
    }

    /// Else whoever may write there hides an anchor behind a copy of it: its text is no secret.
    #[test]
    fn p18_a_copy_that_nobody_signed_stands_in_nobodys_place() {
        let genuine = checkpoint(5).handed_on();
        let signature = checkpoint(5).to_json();
        let signature = signature.split("\"signature\":\"").nth(1).unwrap().trim_end_matches("\"}");
        let copy = genuine.replace(signature, &"A".repeat(signature.len()));
        assert!(copy != genuine);
        for text in [format!("{copy}\n{genuine}\n"), format!("{copy}\n{copy}\n{genuine}\n{copy}\n")] {
            let read = parse(&text).unwrap();
            assert_eq!((read.noted.len(), read.forged.count), (1, 1), "{text}");
            assert_eq!((read.noted[0].anchor.sequence, &read.noted[0].by), (5, &By::Key));
        }
        let shape = format!("{{\"kind\":\"{ANCHOR_KIND}\",\"key\":\"x\",\"checkpoint\":\"none\"}}\n");
        let read = parse(&format!("{shape}{genuine}\n")).unwrap();
        assert_eq!((read.noted.len(), read.forged.count, read.other), (1, 1, 0));
    }

    /// Whoever may push to a store, or write to a file of lines, accuses nobody and vouches for nobody.
    #[test]
    fn a_line_that_looks_like_a_request_is_none() {
        let line = serde_json::json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": "SallyportAnchor", "namespace": "team-a", "uid": "u", "creationTimestamp": "2026-11-30T12:00:00Z"},
            "spec": {"user": "oidc:ada", "history": {"sequence": 900, "root": "ab".repeat(32), "key": "cd".repeat(32)}},
        });
        let read = parse(&format!("{}\n{line}\n", checkpoint(5).handed_on())).unwrap();
        assert_eq!((read.noted.len(), read.silent, read.other), (1, 0, 1));
        let mut asked = Anchors::default();
        asked.vouched(&line, "a store");
        assert_eq!((asked.noted.len(), asked.silent, asked.other), (0, 0, 1));
    }

    /// Whoever writes a request can't have it taken for a key's word, nor the other way round.
    #[test]
    fn a_request_stays_a_request_and_a_name_of_nobody_is_one() {
        let text = request(&format!(", history: {{sequence: 4, root: {}}}", "ab".repeat(32)));
        let read = parse(&text.replace("oidc:ada", "")).unwrap();
        assert_eq!(read.noted[0].by, By::Request(String::new()));
    }

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
        assert!(noted.anchor.time.is_some() && noted.by.user() == Some("oidc:ada") && noted.key.is_some());
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
