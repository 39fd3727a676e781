use crate::redact::{self, REDACTED};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most keys one detail takes.
const MAX_KEYS: usize = 32;
/// The most characters of one string.
const MAX_STRING: usize = 1024;
/// The most bytes of the whole text.
const MAX_BYTES: usize = 8 * 1024;
/// How deep lists and objects may nest.
const MAX_DEPTH: usize = 4;

/// What else belongs to an entry: a small JSON object, redacted when it is put in and bounded in every direction.
///
/// The only ways in are [`Detail::put`], which redacts (P20), and [`Detail::from_stored`], for what was redacted
/// before. What does not fit is cut and marked with `"clipped": true`: an entry is never lost for its detail.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    values: BTreeMap<String, Value>,
    /// The text as it was read. Kept, because the chain covers that very text and a JSON number or the order of
    /// nested keys need not survive being parsed and written again.
    stored: Option<String>,
    bytes: usize,
    redactions: u32,
}

impl Detail {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// From a stored row. Not redacted again, so that the chain still fits.
    ///
    /// # Errors
    /// When the text is not a JSON object or is larger than any that was ever written.
    pub fn from_stored(text: &str) -> Result<Self, &'static str> {
        if text.len() > 2 * MAX_BYTES {
            return Err("its detail is too large");
        }
        let values: BTreeMap<String, Value> =
            serde_json::from_str(text).map_err(|_| "its detail is not a JSON object")?;
        Ok(Self { values, stored: Some(text.to_owned()), bytes: text.len(), redactions: 0 })
    }

    /// Puts one value under a key, redacted. Later calls replace earlier ones.
    pub fn put(&mut self, key: &str, value: impl Serialize) {
        self.stored = None;
        let value = serde_json::to_value(value).unwrap_or_else(|_| Value::from("(not representable)"));
        let mut work = Work { redactions: 0, clipped: false };
        let key = work.clip(key, 64);
        let value = work.value(Some(&key), value, 0);
        self.redactions = self.redactions.saturating_add(work.redactions);
        let value = work.fit(&key, value, MAX_BYTES.saturating_sub(self.bytes));
        match value.filter(|_| self.values.len() < MAX_KEYS) {
            Some(value) => {
                self.bytes += size_of(&key, &value);
                self.values.insert(key, value);
            }
            None => work.clipped = true,
        }
        if work.clipped {
            self.values.insert("clipped".to_owned(), Value::Bool(true));
        }
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The text under `key`; none where something else stands there.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The whole number under `key` that is not negative.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    /// All of it, by key.
    pub fn values(&self) -> &BTreeMap<String, Value> {
        &self.values
    }

    /// How many secrets were taken out while it was filled.
    pub fn redactions(&self) -> u32 {
        self.redactions
    }

    /// The JSON text: keys in order, no spaces.
    pub fn to_json(&self) -> String {
        match &self.stored {
            Some(text) => text.clone(),
            None => serde_json::to_string(&self.values).expect("a map of JSON values has a JSON text"),
        }
    }
}

impl PartialEq for Detail {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

/// What an entry of the object takes, in bytes of its text.
fn size_of(key: &str, value: &Value) -> usize {
    key.len() + value.to_string().len() + 4
}

/// At most `max` characters of a text: when it is longer its head and its tail, so that nothing is hidden behind
/// something long, and how much is missing between them. `None` when it is not longer.
pub fn ends(text: &str, max: usize) -> Option<String> {
    let count = text.chars().count();
    if count <= max {
        return None;
    }
    let note = format!("…[{} characters left out]…", count - max);
    let kept = max.saturating_sub(note.chars().count());
    let head: String = text.chars().take(kept - kept / 2).collect();
    let tail: String = text.chars().skip(count - kept / 2).collect();
    Some(format!("{head}{note}{tail}"))
}

struct Work {
    redactions: u32,
    clipped: bool,
}

impl Work {
    fn clip(&mut self, text: &str, max: usize) -> String {
        let cut = sallyport_model::clip(text, max);
        self.clipped |= cut.len() != text.len();
        cut
    }

    fn ends(&mut self, text: &str, max: usize) -> String {
        match ends(text, max) {
            Some(cut) => {
                self.clipped = true;
                cut
            }
            None => text.to_owned(),
        }
    }

    /// The value if it fits, else the ends of its text as far as they do.
    fn fit(&mut self, key: &str, value: Value, room: usize) -> Option<Value> {
        if size_of(key, &value) <= room {
            return Some(value);
        }
        self.clipped = true;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        [MAX_STRING, MAX_STRING / 4, MAX_STRING / 16].into_iter().find_map(|max| {
            let cut = Value::from(ends(&text, max).unwrap_or_else(|| text.clone()));
            (size_of(key, &cut) <= room).then_some(cut)
        })
    }

    fn value(&mut self, key: Option<&str>, value: Value, depth: usize) -> Value {
        match value {
            Value::String(text) => self.string(key, &text),
            // `args` and `command` are argument lists: a flag and its secret are two elements.
            Value::Array(list)
                if list.iter().all(Value::is_string) && !list.is_empty() && depth < MAX_DEPTH =>
            {
                let words: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                if key.is_some_and(redact::is_sensitive) {
                    self.redactions += words.len() as u32;
                    return Value::from(vec![REDACTED; words.len()]);
                }
                let (words, count) = redact::args(&words);
                self.redactions += count;
                words.iter().map(|w| self.ends(w, MAX_STRING)).collect()
            }
            Value::Array(list) if depth < MAX_DEPTH => {
                Value::Array(list.into_iter().map(|v| self.value(key, v, depth + 1)).collect())
            }
            Value::Object(map) if depth < MAX_DEPTH => Value::Object(self.object(map, depth)),
            Value::Array(_) | Value::Object(_) => {
                self.clipped = true;
                Value::from("…")
            }
            plain => plain,
        }
    }

    fn string(&mut self, key: Option<&str>, text: &str) -> Value {
        if key.is_some_and(redact::is_sensitive) && !text.is_empty() {
            self.redactions += 1;
            return Value::from(REDACTED);
        }
        // Redacted before it is clipped: half a token is not recognised as one.
        let clean = if looks_like_target(text) { redact::url(text) } else { redact::text(text) };
        self.redactions += clean.count;
        Value::String(self.ends(&clean.text, MAX_STRING))
    }

    fn object(&mut self, map: Map<String, Value>, depth: usize) -> Map<String, Value> {
        // A Secret's body: every value goes, whatever its key is called.
        let is_secret = map.get("kind").and_then(Value::as_str) == Some("Secret");
        let mut out = Map::new();
        for (key, value) in map {
            let key = self.clip(&key, 64);
            let value = if is_secret && matches!(key.as_str(), "data" | "stringData") {
                self.redactions += 1;
                Value::from(REDACTED)
            } else {
                self.value(Some(&key), value, depth + 1)
            };
            out.insert(key, value);
        }
        out
    }
}

/// A request target or URL, whose query needs decoding before anything in it can be recognised.
fn looks_like_target(text: &str) -> bool {
    let start = text.starts_with('/') || text.starts_with("https://") || text.starts_with("http://");
    start && text.contains('?') && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn p20_what_is_put_in_is_redacted_and_counted() {
        let mut detail = Detail::new();
        detail.put("password", "hunter2");
        detail.put("uri", "/api/v1/namespaces/a/pods/b/exec?command=mysql&command=-phunter2&container=db");
        detail.put("args", ["psql", "--password", "hunter2"]);
        detail.put("object", json!({"kind": "Secret", "data": {"x": "aHVudGVyMg=="}}));
        detail.put("status", 403);
        assert!(
            !detail.to_json().contains("hunter2") && !detail.to_json().contains("aHVudGVyMg"),
            "{detail:?}"
        );
        assert_eq!(detail.redactions(), 4);
        assert_eq!(detail.get("status"), Some(&json!(403)));
    }

    #[test]
    fn p20_a_secret_across_the_cut_is_gone_before_the_cut() {
        let mut detail = Detail::new();
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.{}", "a1B2".repeat(400), "c3D4".repeat(80));
        detail.put("note", format!("{} {token}", "x".repeat(1000)));
        assert!(!detail.to_json().contains("eyJ"), "{}", detail.to_json());
    }

    #[test]
    fn fault_e2_nothing_long_hides_what_comes_after_it() {
        let mut detail = Detail::new();
        let uri = format!("/api/v1/namespaces/a/pods/b/exec?x={}&command=evil&container=c", "x".repeat(3000));
        detail.put("uri", &uri);
        let said = detail.get("uri").unwrap().as_str().unwrap().to_owned();
        assert!(said.starts_with("/api/v1/namespaces/a/pods/b/exec?x=xx"), "{said}");
        assert!(
            said.ends_with("xx&command=evil&container=c") && said.contains(" characters left out"),
            "{said}"
        );
        assert!(said.chars().count() <= MAX_STRING);
        // What does not fit at all is not dropped either.
        let script = format!("begin {} end", "y".repeat(50_000));
        detail.put("command", ["sh", "-c", &script]);
        let many: Vec<String> = (0..20_000).map(|n| format!("word-{n}")).collect();
        detail.put("args", &many);
        let text = detail.to_json();
        for kept in ["sh", "begin yyy", "yyy end", "word-0", "word-19999"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert_eq!(detail.get("clipped"), Some(&json!(true)));
        assert!(text.len() <= MAX_BYTES + 64);
    }

    #[test]
    fn nothing_makes_a_detail_large() {
        let mut detail = Detail::new();
        for n in 0..100 {
            detail.put(&format!("{n}{}", "k".repeat(500)), "värde ".repeat(5000));
        }
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!([deep, 1]);
        }
        detail.put("deep", deep);
        assert!(detail.to_json().len() <= MAX_BYTES + 64);
        assert_eq!(detail.get("clipped"), Some(&json!(true)));
    }

    #[test]
    fn noise_from_a_row_is_an_error() {
        for bad in ["", "[]", "1", "{", "{\"a\":}", "null", &format!("{{\"a\":\"{}\"}}", "x".repeat(40_000))]
        {
            assert!(Detail::from_stored(bad).is_err(), "{bad:.20}");
        }
    }

    proptest! {
        #[test]
        fn a_stored_detail_reads_back_as_the_same_text(key in "\\PC{0,80}", text in "(?s).{0,200}", number: i64) {
            let mut detail = Detail::new();
            detail.put(&key, &text);
            detail.put("n", number);
            let stored = detail.to_json();
            prop_assert_eq!(Detail::from_stored(&stored).unwrap().to_json(), stored);
        }
    }
}
