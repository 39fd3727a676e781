//! An event as it leaves this computer: each text without what looks like a secret, by the rules for what leaves.

use sallyport_audit::redact_leaving;
use serde_json::Value;

/// Each text of `value`, but those that `is_kept` knows for names. `count`: how many were changed, and by how much.
pub(super) fn value(value: Value, is_kept: &dyn Fn(&str) -> bool, count: &mut u32) -> Value {
    match value {
        Value::String(text) if text.is_empty() || is_kept(&text) => Value::String(text),
        Value::String(text) => {
            let clean = redact_leaving(&text);
            *count = count.saturating_add(clean.count);
            Value::String(clean.text)
        }
        Value::Array(all) => all.into_iter().map(|one| self::value(one, is_kept, count)).collect(),
        Value::Object(all) => {
            let all = all.into_iter().map(|(name, one)| (name, self::value(one, is_kept, count)));
            Value::Object(all.collect())
        }
        other => other,
    }
}
