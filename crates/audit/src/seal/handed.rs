//! A checkpoint on its way to where its owner can't change it, and found again in whatever it was kept in.

use super::Anchor;
use super::checkpoint::Checkpoint;
use serde_json::{Value, json};

/// The `kind` of what is handed on.
pub const ANCHOR_KIND: &str = "SallyportAnchor";

/// What lies deeper in a text is not looked at. A text within a text counts as well.
const DEEP: usize = 12;

impl Checkpoint {
    /// As an event for log stores and files: what it says in fields, and itself as a text, which stores that take JSON
    /// apart leave whole.
    pub fn handed_on(&self) -> String {
        json!({
            "kind": ANCHOR_KIND,
            "sequence": self.last,
            "root": self.root,
            "key": self.key.fingerprint(),
            "checkpoint": self.to_json(),
        })
        .to_string()
    }

    /// What somebody who has it may hold the history to; `what` names it for the person.
    pub fn anchor(&self, what: String) -> Anchor {
        Anchor { sequence: self.last, root: self.root, what, time: Some(self.time) }
    }
}

/// The checkpoints in a JSON value, wherever they stand: in a record of a log store, in the text of one, in a line of a pack.
/// Nothing is said of their signatures.
pub fn checkpoints_in(value: &Value, each: &mut dyn FnMut(Checkpoint)) {
    seek(value, DEEP, each);
}

fn seek(value: &Value, deep: usize, each: &mut dyn FnMut(Checkpoint)) {
    let Some(deep) = deep.checked_sub(1) else { return };
    match value {
        Value::Object(fields) if fields.contains_key("signature") => {
            if let Ok(checkpoint) = Checkpoint::parse(&value.to_string()) {
                each(checkpoint);
            }
        }
        Value::Object(fields) => fields.values().for_each(|value| seek(value, deep, each)),
        Value::Array(all) => all.iter().for_each(|value| seek(value, deep, each)),
        // Not each text is taken for JSON: of an audit event many are.
        Value::String(text) if text.starts_with('{') && text.contains("signature") => {
            if let Ok(value) = serde_json::from_str(text) {
                seek(&value, deep, each);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SealKey;
    use sallyport_model::Digest;

    fn found(value: &Value) -> Vec<Checkpoint> {
        let mut found = Vec::new();
        checkpoints_in(value, &mut |checkpoint| found.push(checkpoint));
        found
    }

    #[test]
    fn what_was_handed_on_is_found_in_what_stores_make_of_it() {
        let made = Checkpoint::sign(
            &SealKey::new([3; 32]),
            Digest::of(b"first"),
            (5, 9),
            Digest::of(b"root"),
            1_000,
            None,
        );
        let event = made.handed_on();
        let plain: Value = serde_json::from_str(&event).unwrap();
        assert_eq!((&plain["sequence"], &plain["kind"]), (&json!(9), &json!(ANCHOR_KIND)));
        assert_eq!(plain["key"], made.key.fingerprint().to_string());
        for kept in [
            plain.clone(),
            json!({"_msg": event, "_time": "2026-11-30T02:00:00Z", "cluster": "a"}),
            // VictoriaLogs, of what came by Loki's push.
            json!({"kind": ANCHOR_KIND, "sequence": "9", "checkpoint": made.to_json()}),
            json!({"status": "success", "data": {"resultType": "streams", "result": [{"stream": {}, "values": [["1", event]]}]}}),
            json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": event}}]}]}]}),
            json!({"checkpoint": serde_json::from_str::<Value>(&made.to_json()).unwrap()}),
        ] {
            assert_eq!(found(&kept), std::slice::from_ref(&made), "{kept}");
        }
        assert!(made.anchor(String::new()).sequence == 9 && made.is_signed());
    }

    #[test]
    fn what_holds_none_holds_none() {
        let mut deep = json!({"signature": 1});
        for _ in 0..100 {
            deep = json!([deep]);
        }
        // A text in a text in a text, each escaped once more.
        let mut nested = json!({"signature": "x"}).to_string();
        for _ in 0..6 {
            nested = json!({"signature ": nested}).to_string();
        }
        for nothing in
            [deep, Value::String(nested), json!(null), json!({"signature": {}}), json!("{signature")]
        {
            assert_eq!(found(&nothing), [], "{nothing:.60}");
        }
    }
}
