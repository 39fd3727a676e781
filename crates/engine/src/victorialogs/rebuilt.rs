//! An event out of fields that a shipper had taken it apart into (`objectRef.resource`), as VictoriaLogs does with JSON
//! that it is sent as it is.

use serde_json::{Map, Value};

/// Fields below these have keys of their own with dots in them.
const FREE: [&str; 3] = ["annotations.", "user.extra.", "impersonatedUser.extra."];
/// Fields that are lists or objects, or numbers, and came as texts.
const PARSED: [&str; 5] = ["sourceIPs", "groups", "code", "requestObject", "responseObject"];

/// The event. What is VictoriaLogs' own (`_time`, `_stream`) is left out.
pub(super) fn rebuilt(fields: &Map<String, Value>) -> Value {
    let mut event = Map::new();
    for (name, value) in fields {
        if name.starts_with('_') {
            continue;
        }
        let (path, last) = match FREE.iter().find(|free| name.starts_with(*free)) {
            Some(free) => (&free[..free.len() - 1], &name[free.len()..]),
            None => name.rsplit_once('.').map_or(("", name.as_str()), |(path, last)| (path, last)),
        };
        let is_parsed = PARSED.contains(&last) || path.ends_with(".extra");
        let value = match value.as_str().filter(|_| is_parsed) {
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
            None => value.clone(),
        };
        put(&mut event, path, last, value);
    }
    Value::Object(event)
}

fn put(event: &mut Map<String, Value>, path: &str, last: &str, value: Value) {
    if path.is_empty() {
        event.insert(last.to_owned(), value);
        return;
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let below = event.entry(first).or_insert(Value::Null);
    if !below.is_object() {
        // A name that is a text and has others below it as well: the text gives way.
        *below = Value::Object(Map::new());
    }
    if let Value::Object(below) = below {
        put(below, rest, last, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_comes_back_from_its_fields() {
        let fields = json!({
            "_time": "2026-11-30T02:00:00Z", "_stream": "{}", "_msg": "missing _msg field",
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a-1", "stage": "ResponseComplete",
            "verb": "get", "user.username": "dana", "user.groups": "[\"ops\"]",
            "user.extra.authentication.kubernetes.io/credential-id": "[\"JTI=1\"]",
            "annotations.authorization.k8s.io/decision": "allow",
            "objectRef.resource": "pods", "objectRef.name": "7", "responseStatus.code": "200",
            "sourceIPs": "[\"10.0.0.1\"]",
        });
        let Value::Object(fields) = fields else { unreachable!() };
        let event = rebuilt(&fields);
        assert_eq!(event["user"]["groups"], json!(["ops"]));
        assert_eq!(event["user"]["extra"]["authentication.kubernetes.io/credential-id"], json!(["JTI=1"]));
        assert_eq!(event["annotations"]["authorization.k8s.io/decision"], "allow");
        assert_eq!(event["objectRef"], json!({"resource": "pods", "name": "7"}));
        assert_eq!(event["responseStatus"]["code"], 200);
        assert_eq!(event["sourceIPs"], json!(["10.0.0.1"]));
        assert!(event.get("_time").is_none());
    }

    #[test]
    fn names_that_contradict_each_other_are_no_reason_to_fall() {
        let fields =
            json!({"auditID": "a", "user": "x", "user.username": "dana", "..": "y", ".a.": "z", "": "q"});
        let Value::Object(fields) = fields else { unreachable!() };
        assert_eq!(rebuilt(&fields)["user"]["username"], "dana");
    }
}
