//! An event as it leaves this computer: each text without what looks like a secret, by the rules for what leaves.

use sallyport_audit::redact_leaving;
use serde_json::Value;

/// Lines of a text that are looked through. What a secret may be wrapped over is put together in every way there is, so that
/// a text of many lines would take as long as whoever wrote it likes.
const LINES: usize = 200;

/// Each text of `value`, but those that `is_kept` knows for names. `count`: how often something was taken out.
pub(super) fn value(value: Value, is_kept: &dyn Fn(&str) -> bool, count: &mut u32) -> Value {
    match value {
        Value::String(text) if text.is_empty() || is_kept(&text) => Value::String(text),
        Value::String(text) => {
            let (text, taken) = clean(&text);
            *count = count.saturating_add(taken);
            Value::String(text)
        }
        Value::Array(all) => all.into_iter().map(|one| self::value(one, is_kept, count)).collect(),
        Value::Object(all) => {
            let all = all.into_iter().map(|(name, one)| (name, self::value(one, is_kept, count)));
            Value::Object(all.collect())
        }
        other => other,
    }
}

fn clean(text: &str) -> (String, u32) {
    let lines = text.split('\n').count();
    if lines > LINES {
        return (format!("[left out: a text of {lines} lines]"), 1);
    }
    let clean = redact_leaving(text);
    (clean.text, clean.count)
}
