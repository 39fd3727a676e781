//! The lines of a pack, and an entry as JSON without a loss: what the chain and the tree cover is what stands there.

use crate::{Checkpoint, Detail, Entry};
use sallyport_model::{AuditId, Digest, GrantUid, Jti, RequestUid, SessionId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// The longest line, in bytes: an entry's detail has 8 KiB, and text in JSON may take six times its bytes.
pub(super) const MOST: usize = 128 * 1024;

/// What a pack is, its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackHead {
    /// 1.
    pub version: u32,
    /// Which history: the leaf of its first entry.
    pub origin: Digest,
    /// When the pack was made, in microseconds of Unix time. Nobody signs that.
    pub made: i64,
    /// By which program.
    pub by: String,
    /// What was selected, for people. Nobody signs that.
    pub selection: String,
}

/// Entries that were left out: as many as one subtree has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftOut {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// The root of the subtree over them.
    pub hash: Digest,
}

/// A pack's last line: how much there was of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackEnd {
    /// Entries in it.
    pub entries: u64,
    /// Entries left out of it.
    pub left_out: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Entries that stood behind the last checkpoint when it was made: not in it, since nothing was signed about them.
    pub unsealed: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The first.
    Head(PackHead),
    /// An entry, with the leaf that was sealed: it names what was done to the entry, and proves nothing by itself.
    Entry(Box<Entry>, Digest),
    /// A stretch that was left out.
    LeftOut(LeftOut),
    /// Over everything before it.
    Checkpoint(Checkpoint),
    /// The last.
    End(PackEnd),
}

/// Why a text is no line of a pack.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Longer than any.
    #[error("it is longer than any line of a pack")]
    Long,
    /// Not JSON, or with other fields.
    #[error("it is not readable as a line of a pack")]
    Unreadable(#[from] serde_json::Error),
    /// A checkpoint that is none.
    #[error("its checkpoint is none: {0}")]
    Checkpoint(String),
    /// An entry with a field that can't be.
    #[error("its entry can't be: {0}")]
    Entry(String),
    /// It says the same otherwise: spaces, another order, a field twice.
    #[error("it is not written as a pack is")]
    Form,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields<'a> {
    sequence: u64,
    at: i64,
    action: Cow<'a, str>,
    outcome: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audit_id: Option<Cow<'a, str>>,
    redactions: u32,
    /// Written and read apart, since the very text of it is covered.
    #[serde(default, skip_serializing, rename = "detail")]
    _detail: IgnoredAny,
}

/// No text of JSON holds this but as a key: a quote within a text has a backslash before it.
const DETAIL: &str = ",\"detail\":";

/// An entry as one JSON object, its detail last.
pub fn entry_json(entry: &Entry) -> String {
    let text = |text: Option<&str>| text.map(|text| Cow::Owned(text.to_owned()));
    let fields = Fields {
        sequence: entry.sequence,
        at: entry.at,
        action: Cow::Borrowed(entry.action.as_str()),
        outcome: Cow::Borrowed(entry.outcome.as_str()),
        user: text(entry.user.as_ref().map(|v| v.as_str())),
        cluster: text(entry.cluster.as_ref().map(|v| v.as_str())),
        request: text(entry.request.as_ref().map(RequestUid::as_str)),
        grant: text(entry.grant.as_ref().map(GrantUid::as_str)),
        session: text(entry.session.as_ref().map(SessionId::as_str)),
        jti: text(entry.jti.as_ref().map(Jti::as_str)),
        audit_id: text(entry.audit_id.as_ref().map(AuditId::as_str)),
        redactions: entry.redactions,
        _detail: IgnoredAny,
    };
    let mut json = serde_json::to_string(&fields).expect("an entry has a JSON text");
    json.truncate(json.len() - 1);
    json.push_str(DETAIL);
    json.push_str(&entry.detail.to_json());
    json.push('}');
    json
}

/// An entry from what [`entry_json`] wrote.
///
/// # Errors
/// [`LineError`] for everything else, also where it says the same.
pub fn parse_entry_json(json: &str) -> Result<Entry, LineError> {
    if json.len() > MOST {
        return Err(LineError::Long);
    }
    let fields: Fields<'_> = serde_json::from_str(json)?;
    let wrong = |what: &str, why: &dyn std::fmt::Display| LineError::Entry(format!("its {what}: {why}"));
    let detail = json.find(DETAIL).and_then(|at| json[at + DETAIL.len()..].strip_suffix('}'));
    let detail = detail.filter(|detail| !detail.contains(['\n', '\r'])).ok_or(LineError::Form)?;
    let entry = Entry {
        sequence: fields.sequence,
        at: fields.at,
        action: fields.action.parse().map_err(|e| wrong("action", &e))?,
        outcome: fields.outcome.parse().map_err(|e| wrong("outcome", &e))?,
        user: fields.user.map(|v| v.parse()).transpose().map_err(|e| wrong("user", &e))?,
        cluster: fields.cluster.map(|v| v.parse()).transpose().map_err(|e| wrong("cluster", &e))?,
        request: fields.request.map(RequestUid::new),
        grant: fields.grant.map(GrantUid::new),
        session: fields.session.map(SessionId::new),
        jti: fields.jti.map(Jti::new),
        audit_id: fields.audit_id.map(AuditId::new),
        detail: Detail::from_stored(detail).map_err(|e| wrong("detail", &e))?,
        redactions: fields.redactions,
    };
    if entry_json(&entry) == json { Ok(entry) } else { Err(LineError::Form) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Other {
    pack: Option<PackHead>,
    left_out: Option<LeftOut>,
    checkpoint: Option<Value>,
    end: Option<PackEnd>,
}

const ENTRY: &str = ",\"entry\":";

impl Line {
    /// Its text, without a line's end.
    pub fn to_json(&self) -> String {
        let of = |name: &str, json: String| format!("{{\"{name}\":{json}}}");
        let json = |value: serde_json::Result<String>| value.expect("a line has a JSON text");
        match self {
            Self::Head(head) => of("pack", json(serde_json::to_string(head))),
            Self::Entry(entry, leaf) => format!("{{\"leaf\":\"{leaf}\"{ENTRY}{}}}", entry_json(entry)),
            Self::LeftOut(left) => of("leftOut", json(serde_json::to_string(left))),
            Self::Checkpoint(checkpoint) => of("checkpoint", checkpoint.to_json()),
            Self::End(end) => of("end", json(serde_json::to_string(end))),
        }
    }

    /// From its text. Nothing but what [`Line::to_json`] writes is one, so that no two texts say the same.
    ///
    /// # Errors
    /// [`LineError`].
    pub fn parse(text: &str) -> Result<Self, LineError> {
        if text.len() > MOST {
            return Err(LineError::Long);
        }
        if let Some(rest) = text.strip_prefix("{\"leaf\":\"") {
            let (leaf, rest) = rest.split_once('"').ok_or(LineError::Form)?;
            let leaf = leaf.parse().map_err(|_| LineError::Form)?;
            let json = rest.strip_prefix(ENTRY).and_then(|rest| rest.strip_suffix('}'));
            return Ok(Self::Entry(Box::new(parse_entry_json(json.ok_or(LineError::Form)?)?), leaf));
        }
        let line = match serde_json::from_str(text)? {
            Other { pack: Some(head), left_out: None, checkpoint: None, end: None } => Self::Head(head),
            Other { pack: None, left_out: Some(left), checkpoint: None, end: None } => Self::LeftOut(left),
            Other { pack: None, left_out: None, checkpoint: Some(value), end: None } => {
                let parsed = Checkpoint::parse(&value.to_string());
                Self::Checkpoint(parsed.map_err(|error| LineError::Checkpoint(error.to_string()))?)
            }
            Other { pack: None, left_out: None, checkpoint: None, end: Some(end) } => Self::End(end),
            _ => return Err(LineError::Form),
        };
        if line.to_json() == text { Ok(line) } else { Err(LineError::Form) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Draft, SealKey, leaf};
    use proptest::prelude::*;

    fn entry(detail: &str) -> Entry {
        let mut entry = Draft::new(Action::Call)
            .user(&"oidc:ada".parse().unwrap())
            .cluster(&"eu-1".parse().unwrap())
            .jti(&Jti::new("a\",\"detail\":{}\\"))
            .place(7, -3);
        entry.detail = Detail::from_stored(detail).unwrap();
        entry
    }

    #[test]
    fn an_entry_is_read_back_to_the_byte() {
        for detail in ["{}", "{\"b\":1.0,\"a\":[1e5,\"\\u0041\"]}", "{ \"a\" : {\"detail\":{}} }"] {
            let entry = entry(detail);
            let read = parse_entry_json(&entry_json(&entry)).unwrap();
            assert_eq!((read.encode(), read.sequence), (entry.encode(), 7), "{detail}");
        }
    }

    #[test]
    fn every_line_is_read_back_and_nothing_that_says_the_same() {
        let origin = Digest::of(b"x");
        let head = PackHead { version: 1, origin, made: 5, by: "s".into(), selection: "all".into() };
        let lines = [
            Line::Head(head),
            Line::Entry(Box::new(entry("{\"a\":1}")), leaf(&entry("{\"a\":1}"))),
            Line::LeftOut(LeftOut { from: 1, to: 4, hash: origin }),
            Line::Checkpoint(Checkpoint::sign(&SealKey::new([1; 32]), origin, (1, 2), origin, 3, None)),
            Line::End(PackEnd { entries: 1, left_out: 2, checkpoints: 3, unsealed: 4 }),
        ];
        for line in lines {
            let text = line.to_json();
            assert_eq!(Line::parse(&text).unwrap(), line);
            for same in [format!(" {text}"), format!("{text} "), text.replacen(':', ": ", 1)] {
                assert!(Line::parse(&same).is_err(), "{same}");
            }
            for end in 0..text.len() {
                assert!(text.get(..end).is_none_or(|cut| Line::parse(cut).is_err()), "{end} of {text}");
            }
        }
        let deep = format!("{{\"pack\":{}", "[".repeat(100_000));
        for bad in [
            "",
            "{}",
            "null",
            "[]",
            "{\"end\":{},\"pack\":{}}",
            "{\"other\":1}",
            &deep,
            "\0",
            "{\"leaf\":\"x\"}",
        ] {
            assert!(Line::parse(bad).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", at in 0usize..400) {
            let _ = Line::parse(&text);
            let mut bytes = Line::Entry(Box::new(entry("{\"a\":1}")), Digest::of(b"x")).to_json().into_bytes();
            let at = at % bytes.len();
            bytes[at] = bytes[at].wrapping_add(1);
            let _ = Line::parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
