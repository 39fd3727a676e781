use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::Error;

/// The claims of a token whose signature holds. Each is read on its own and only when somebody needs it, so that one
/// of another type than usual does not make the others unreadable.
pub(crate) struct Payload(Map<String, Value>);

impl Payload {
    pub(crate) fn parse(signed: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(signed)
            .map(Self)
            .map_err(|_| Error::bad_token("it is not a JWT: its claims are no JSON object"))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether it says anything under this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// Text that can't be missing.
    pub(crate) fn needed_text(&self, name: &str) -> Result<String, Error> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| self.needed(name))
    }

    /// A list of text, or one text as some providers write it.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.get(name)? {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(all) => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => None,
        }
    }

    /// A time in seconds (RFC 7519 §2), with or without a fraction, or as text.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        let seconds = match self.get(name)? {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        Timestamp::from_second(seconds?).ok()
    }

    /// A time that can't be missing.
    pub(crate) fn needed_time(&self, name: &str) -> Result<Timestamp, Error> {
        self.time(name).ok_or_else(|| self.needed(name))
    }

    /// True or false, or those words as text.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn is_boolean(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_boolean)
    }

    pub(crate) fn is_list(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_array)
    }

    /// Whether groups are said to be elsewhere.
    pub(crate) fn points_at_groups(&self) -> bool {
        let elsewhere = self.get("_claim_names").and_then(|names| names.get("groups")).is_some();
        elsewhere || self.flag("hasgroups") == Some(true)
    }

    fn needed(&self, name: &str) -> Error {
        let how = if self.has(name) { "is in a form that can't be read" } else { "is missing" };
        Error::setting(
            format!("its {name} {how}"),
            "An admin can look at how the identity provider makes this application's ID tokens.",
        )
    }
}

/// Seconds of a number with a fraction, when they fit.
fn whole(seconds: f64) -> Option<i64> {
    // Far beyond any time a timestamp can hold, and exact in this range.
    (seconds.is_finite() && seconds.abs() < 1e15).then(|| {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
        let seconds = seconds.floor() as i64;
        seconds
    })
}
