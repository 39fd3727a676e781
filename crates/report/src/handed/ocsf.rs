//! Entries as OCSF events (schema.ocsf.io, 1.4): API Activity 6003, Authentication 3002, User Access Management 3005,
//! Authorize Session 3003, and Base Event 0 for what the desktop says of itself. What has no place there is in `unmapped`.

use super::ToldCall;
use sallyport_audit::{Action, Entry, Outcome, entry_json};
use serde_json::{Map, Value, json};

/// A class with its category, and an activity of it.
struct Class {
    uid: u32,
    name: &'static str,
    category: (u32, &'static str),
    activity: (u32, &'static str),
}

const IAM: (u32, &str) = (3, "Identity & Access Management");

/// A call, by its verb.
fn api(verb: &str) -> Class {
    let activity = match verb {
        "create" => (1, "Create"),
        "get" | "list" | "watch" => (2, "Read"),
        "update" | "patch" => (3, "Update"),
        "delete" | "deletecollection" => (4, "Delete"),
        _ => (99, "Other"),
    };
    Class { uid: 6003, name: "API Activity", category: (6, "Application Activity"), activity }
}

impl Class {
    /// What every event begins with.
    fn event(
        &self,
        at: i64,
        (status_id, status): (u32, &str),
        detail: &str,
        uid: &str,
    ) -> Map<String, Value> {
        let mut event = Map::new();
        let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
        put("class_uid", self.uid.into());
        put("class_name", self.name.into());
        put("category_uid", self.category.0.into());
        put("category_name", self.category.1.into());
        put("activity_id", self.activity.0.into());
        put("activity_name", self.activity.1.into());
        put("type_uid", (u64::from(self.uid) * 100 + u64::from(self.activity.0)).into());
        put("time", at.div_euclid(1000).into());
        put("severity_id", 1.into());
        put("status_id", status_id.into());
        put("status", status.into());
        put("status_detail", detail.into());
        let product =
            json!({"name": "Sallyport", "vendor_name": "Sallyport", "version": env!("CARGO_PKG_VERSION")});
        put("metadata", json!({"version": "1.4.0", "product": product, "uid": uid}));
        event
    }
}

fn class(entry: &Entry) -> Class {
    let authentication = |activity| Class { uid: 3002, name: "Authentication", category: IAM, activity };
    let access = |activity| Class { uid: 3005, name: "User Access Management", category: IAM, activity };
    let session = |activity| Class { uid: 3003, name: "Authorize Session", category: IAM, activity };
    match entry.action {
        call if call.is_call() => api(text(entry, "verb").unwrap_or_default()),
        Action::SignIn | Action::StepUp | Action::TokenRefresh => authentication((1, "Logon")),
        Action::SignOut => authentication((2, "Logoff")),
        Action::Approve | Action::Approved | Action::Granted | Action::Extended => {
            access((1, "Assign Privileges"))
        }
        Action::Revoke
        | Action::Revoked
        | Action::Expired
        | Action::Leave
        | Action::GrantEnded
        | Action::RightsGone
        | Action::TokenRefused => access((2, "Revoke Privileges")),
        Action::Ask
        | Action::Offer
        | Action::Deny
        | Action::Denied
        | Action::Unanswered
        | Action::Hold
        | Action::HoldRemoved
        | Action::ProfileChanged => access((99, "Other")),
        Action::Ready | Action::SessionOpen => session((1, "Assign Privileges")),
        Action::SessionClosed | Action::Cut | Action::TerminalOpen | Action::TerminalExit => {
            session((99, "Other"))
        }
        _ => Class { uid: 0, name: "Base Event", category: (0, "Uncategorized"), activity: (99, "Other") },
    }
}

fn text<'e>(entry: &'e Entry, key: &str) -> Option<&'e str> {
    entry.detail.text(key)
}

/// One event.
pub(super) fn event(entry: &Entry) -> Value {
    let class = class(entry);
    let status = match entry.outcome {
        Outcome::Ok => (1, "Success"),
        Outcome::Refused | Outcome::Failed => (2, "Failure"),
        Outcome::Unknown => (0, "Unknown"),
    };
    let user = entry.user.as_ref().map_or("", |user| user.as_str());
    let mut event = class.event(entry.at, status, entry.action.as_str(), &entry.sequence.to_string());
    let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
    match class.uid {
        6003 => {
            put(
                "actor",
                json!({"user": {"name": user}, "session": {"uid": entry.session.as_ref().map(|id| id.as_str())}}),
            );
            let operation = text(entry, "verb").unwrap_or(entry.action.as_str());
            put(
                "api",
                json!({"operation": operation, "token": {"uid": entry.jti.as_ref().map(|id| id.as_str())}}),
            );
            // The gateway is on the loopback, and records no address.
            put("src_endpoint", json!({"name": "sallyport gateway", "ip": "127.0.0.1"}));
            put(
                "http_request",
                json!({
                    "uid": entry.audit_id.as_ref().map(|id| id.as_str()),
                    "http_method": text(entry, "method"),
                    "url": {"url_string": text(entry, "uri")},
                }),
            );
            if let Some(code) = entry.detail.number("status") {
                put("http_response", json!({"code": code}));
            }
        }
        3002 => {
            put("user", json!({"name": user}));
            put("auth_protocol_id", 6.into());
            put("auth_protocol", "OpenID".into());
        }
        3005 => {
            put("user", json!({"name": user}));
            let profile = text(entry, "profile").unwrap_or("unknown");
            put("privileges", json!([profile]));
            put(
                "resource",
                json!({"name": entry.cluster.as_ref().map(|name| name.as_str()), "uid": entry.request.as_ref().map(|id| id.as_str())}),
            );
        }
        3003 => {
            put("user", json!({"name": user}));
            put("session", json!({"uid": entry.session.as_ref().map(|id| id.as_str())}));
        }
        _ => {}
    }
    // The very text, so that the event loses nothing and can be compared with the history.
    put("unmapped", json!({"sallyport": entry_json(entry)}));
    without_nulls(Value::Object(event))
}

/// A call that a cluster tells of. `columns`: all that is kept of it to find it again.
pub(super) fn call(call: &ToldCall<'_>, columns: Value) -> Value {
    let mut event = api(call.verb).event(call.at, call.status(), "call", call.audit_id);
    let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
    put("actor", json!({"user": {"name": call.user}, "session": {"uid": some(call.session)}}));
    let token = call.credential.strip_prefix("JTI=").and_then(some);
    put("api", json!({"operation": call.verb, "token": {"uid": token}}));
    // All but the last can be set by the client.
    let address = call.address.rsplit(',').next().unwrap_or_default().trim();
    put("src_endpoint", json!({"ip": some(address)}));
    put("resources", call.resources());
    put("http_request", json!({"uid": some(call.audit_id), "user_agent": some(call.user_agent)}));
    if let Some(code) = call.code {
        put("http_response", json!({"code": code}));
    }
    let mut unmapped = json!({"cluster": call.cluster, "columns": columns});
    if let (Some(raw), Value::Object(map)) = (call.raw, &mut unmapped) {
        map.insert("event".to_owned(), raw.into());
    }
    put("unmapped", json!({"kubernetes": unmapped}));
    without_nulls(Value::Object(event))
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, value)| (key, without_nulls(value)));
            Value::Object(kept.filter(|(_, value)| !value.is_null() && *value != json!({})).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;
    use sallyport_model::AuditId;

    #[test]
    fn each_action_has_its_class() {
        let of = |draft: Draft| event(&draft.place(7, 1_500));
        let call = of(Draft::new(Action::Call)
            .user(&"oidc:ada".parse().unwrap())
            .audit_id(&AuditId::new("a-1"))
            .detail("verb", "list")
            .detail("status", 403));
        assert_eq!(
            (&call["class_uid"], &call["type_uid"], &call["time"]),
            (&json!(6003), &json!(600_302), &json!(1))
        );
        assert_eq!(call["http_request"]["uid"], "a-1");
        assert_eq!(call["actor"]["user"]["name"], "oidc:ada");
        assert_eq!(of(Draft::new(Action::SignIn))["type_uid"], 300_201);
        assert_eq!(of(Draft::new(Action::Granted))["type_uid"], 300_501);
        assert_eq!(of(Draft::new(Action::SessionOpen))["class_uid"], 3003);
        for action in Action::ALL {
            let event = of(Draft::new(*action));
            assert!(
                event["metadata"]["product"]["name"] == "Sallyport"
                    && event["unmapped"]["sallyport"].is_string()
            );
        }
    }
}
