//! What was sent and answered: facts for a sentence, and the text without what is secret in it.

use super::plain::plain;
use super::suspect::{begins_json, in_text, is_key, names_a_secret};
use super::{Holds, left_out, unquoted};
use crate::Body;
use crate::scan::Scan;
use sallyport_audit::{REDACTED, redact_args, redact_text, redact_url};
use serde_json::Value;

/// The longest body that is kept, in bytes.
const BODY_MOST: usize = 64 * 1024;
/// JSON inside a text inside JSON: how often that is looked through.
const WRAPPED: u32 = 3;

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a body comes to.
pub(crate) struct Kept {
    /// Its facts.
    pub(crate) facts: Body,
    /// What stands in its place, if it can't stay as it is. JSON.
    pub(crate) instead: Option<String>,
    /// Secrets that were taken out.
    pub(crate) redactions: u32,
    /// Whether it was left out for its size, or because it can't be looked through.
    pub(crate) is_left_out: bool,
}

/// Looks through a body: the JSON text of one value, and the key it stands under where that may say what it is.
pub(crate) fn body(key: Option<&str>, text: &str, holds: Holds) -> Kept {
    let bytes = text.len();
    if bytes <= BODY_MOST
        && let Some(facts) = plain(key, text, holds)
    {
        return Kept { facts, instead: None, redactions: 0, is_left_out: false };
    }
    let facts = Body { bytes: bytes as u64, ..Body::default() };
    // What can't be looked through is not kept: it is too deep, or so long that it would not be kept anyway.
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return Kept { facts, instead: Some(quoted(&left_out(bytes))), redactions: 0, is_left_out: true };
    };
    let facts = Body { bytes: bytes as u64, ..facts_of(&value) };
    let has_a_key_twice = has_a_key_twice(text, &value);
    let mut walk = Walk::default();
    walk.value(key, &mut value, holds, WRAPPED);
    let redactions = walk.redactions;
    // Of a key that stands twice only the last was looked at: what was looked through is what is kept.
    let instead = (redactions > 0 || walk.is_changed || has_a_key_twice).then(|| value.to_string());
    if instead.as_ref().map_or(bytes, String::len) > BODY_MOST {
        return Kept { facts, instead: Some(quoted(&left_out(bytes))), redactions, is_left_out: true };
    }
    Kept { facts, instead, redactions, is_left_out: false }
}

/// Whether a text has more keys than were read of it.
fn has_a_key_twice(text: &str, value: &Value) -> bool {
    fn keys(value: &Value) -> usize {
        match value {
            Value::Object(map) => map.len() + map.values().map(keys).sum::<usize>(),
            Value::Array(list) => list.iter().map(keys).sum(),
            _ => 0,
        }
    }
    let mut scan = Scan::new(text);
    scan.skip().is_err() || scan.keys != keys(value)
}

/// A whole text written anew, without its secrets, and how many there were; `None` where it can't be looked through.
pub(crate) fn whole(text: &str, holds: Holds) -> Option<(String, u32)> {
    let mut value = serde_json::from_str::<Value>(text).ok()?;
    let redactions = tree(&mut value, holds);
    Some((value.to_string(), redactions))
}

/// Takes the secrets out of a value; how many there were.
pub(crate) fn tree(value: &mut Value, holds: Holds) -> u32 {
    let mut walk = Walk::default();
    walk.value(None, value, holds, WRAPPED);
    walk.redactions
}

/// What a value tells about an object.
pub(crate) fn facts_of(value: &Value) -> Body {
    let word = |value: &Value| value.as_str().map(|text| sallyport_model::clip(text, 253));
    let patched = || {
        let operations = value.as_array()?;
        operations.iter().find(|op| op["path"] == "/spec/replicas").and_then(|op| op["value"].as_i64())
    };
    Body {
        bytes: 0,
        kind: word(&value["kind"]),
        name: word(&value["metadata"]["name"]),
        replicas: value["spec"]["replicas"].as_i64().or_else(patched),
    }
}

/// Whether what stands under a key is a secret. What API servers note of their own authorizers and authenticators is
/// none.
pub(crate) fn is_secret(key: &str) -> bool {
    let is_note = [
        "authorization.k8s.io/",
        "authentication.k8s.io/",
        "authentication.kubernetes.io/",
        "apiserver.latency.k8s.io/",
    ];
    !is_note.iter().any(|start| key.starts_with(start)) && is_key(key)
}

#[derive(Default)]
struct Walk {
    redactions: u32,
    /// Whether something stands there in another form, though nothing was taken out of it.
    is_changed: bool,
}

impl Walk {
    fn value(&mut self, key: Option<&str>, value: &mut Value, holds: Holds, wrapped: u32) {
        match value {
            Value::String(text) => self.string(key, text, holds, wrapped),
            Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_string) => {
                self.words(key, list, holds, wrapped);
            }
            Value::Array(list) => list.iter_mut().for_each(|v| self.value(key, v, holds, wrapped)),
            Value::Object(map) => self.object(map, holds, wrapped),
            // A number is a password where it is called one.
            Value::Number(_) if key.is_some_and(is_secret) => self.take(value),
            _ => {}
        }
    }

    fn object(&mut self, map: &mut serde_json::Map<String, Value>, holds: Holds, wrapped: u32) {
        let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default();
        let is_kind = matches!(kind, "Secret" | "SecretList" | "ConfigMap" | "ConfigMapList");
        let holds = if is_kind { Holds::Data } else { holds };
        // A variable of a container, a header of a probe, an operation of a patch: named beside their value.
        let names = || ["name", "path", "key"].iter().filter_map(|name| map.get(*name)?.as_str());
        let is_operation = map.contains_key("op") && map.contains_key("path");
        let is_named_secret = names().any(names_a_secret);
        for (key, value) in map.iter_mut() {
            let is_value = key == "value" && !value.is_null();
            if holds == Holds::Data && matches!(key.as_str(), "data" | "stringData" | "binaryData") {
                self.take_all(value);
            } else if is_value && is_operation && holds == Holds::Data {
                self.take(value);
            } else if is_value && is_named_secret && !value.is_boolean() {
                // A switch is no secret, whatever it is called: automountServiceAccountToken.
                self.take_all(value);
            } else {
                self.value(Some(key), value, holds, wrapped);
            }
        }
    }

    /// Every value, whatever its key is called; the keys stay.
    fn take_all(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => map.values_mut().for_each(|value| self.take_all(value)),
            Value::Null => {}
            _ => self.take(value),
        }
    }

    fn take(&mut self, value: &mut Value) {
        if value.as_str() != Some(REDACTED) {
            *value = Value::from(REDACTED);
            self.redactions += 1;
        }
    }

    fn string(&mut self, key: Option<&str>, text: &mut String, holds: Holds, wrapped: u32) {
        if text.is_empty() || text == REDACTED {
            return;
        }
        if key.is_some_and(is_secret) {
            REDACTED.clone_into(text);
            self.redactions += 1;
            return;
        }
        if holds == Holds::Data
            && let Some(said) = unquoted(text)
        {
            *text = said;
            self.redactions += 1;
        }
        if begins_json(text) && self.inner(text, holds, wrapped) {
            return;
        }
        let is_target = text.contains('?') && (text.starts_with('/') || text.starts_with("http"));
        if is_target || in_text(text) {
            let clean = if is_target { redact_url(text) } else { redact_text(text) };
            if clean.count > 0 {
                self.redactions += clean.count;
                *text = clean.text;
            }
        }
    }

    /// JSON in a text, such as what kubectl applied last, which is the object once more; whether it is any.
    fn inner(&mut self, text: &mut String, holds: Holds, wrapped: u32) -> bool {
        if plain(None, text, holds).is_some() {
            return true;
        }
        let value = if wrapped > 0 { serde_json::from_str::<Value>(text).ok() } else { None };
        if let Some(mut inner) = value {
            self.value(None, &mut inner, holds, wrapped - 1);
            *text = inner.to_string();
            self.is_changed = true;
            return true;
        }
        let mut scan = Scan::new(text);
        let is_json = scan.skip().is_ok() && scan.is_over();
        if is_json {
            // It is too deep to be looked through.
            *text = left_out(text.len());
            self.redactions += 1;
        }
        is_json
    }

    /// A list of words, such as a command: a flag and its secret are two of them.
    fn words(&mut self, key: Option<&str>, list: &mut [Value], holds: Holds, wrapped: u32) {
        if key.is_some_and(is_secret) {
            // An empty one is no secret, as where it stands alone.
            let said = list.iter_mut().filter(|word| word.as_str() != Some(""));
            return said.for_each(|word| self.take(word));
        }
        let words: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if words.iter().any(|word| word.starts_with('-') || in_text(word)) {
            let (clean, count) = redact_args(&words);
            if count > 0 {
                self.redactions += count;
                list.iter_mut().zip(clean).for_each(|(word, clean)| *word = Value::from(clean));
            }
        }
        for word in list {
            if word.as_str().is_some_and(begins_json) {
                self.value(None, word, holds, wrapped);
            }
        }
    }
}
