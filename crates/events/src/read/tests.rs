use super::*;
use crate::{Decision, Level, Stage};
use serde_json::{Value, json};

mod hostile;
mod places;
mod secrets;
mod shapes;

/// What a source holds.
pub(super) fn found(bytes: &[u8]) -> (Vec<Event<'static>>, Vec<(u64, String)>, Counts) {
    let (mut events, mut others) = (Vec::new(), Vec::new());
    let mut reader = Reader::new();
    let mut each = |found: Found<'_>| match found.what {
        What::Event(event) => events.push(event.into_owned()),
        What::Foreign(foreign) => others.push((found.position.line, foreign.kind)),
        What::Bad(bad) => others.push((found.position.line, format!("{bad:?}"))),
    };
    reader.push(bytes, &mut each);
    reader.finish(&mut each);
    let counts = reader.counts().clone();
    assert_eq!(counts.events as usize, events.len());
    assert_eq!(counts.foreign.values().chain(counts.bad.values()).sum::<u64>() as usize, others.len());
    (events, others, counts)
}

pub(super) fn only(text: &str) -> Event<'static> {
    let (mut events, others, _) = found(text.as_bytes());
    assert!(events.len() == 1 && others.is_empty(), "{events:?} {others:?}");
    events.remove(0)
}

/// An exec by a session of ours, as an API server writes it.
pub(super) const EXEC: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"0198c0de-0000-7000-8000-000000000001","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/pay/pods/web-0/exec?command=psql&command=--password&command=hunter2&container=db&stdout=true","verb":"get","user":{"username":"system:serviceaccount:sallyport-sessions:s-abcd-1795500000","uid":"7d1c","groups":["system:serviceaccounts","system:serviceaccounts:sallyport-sessions","system:authenticated"],"extra":{"authentication.kubernetes.io/credential-id":["JTI=5d0b1c9e-1d5b-4c79-9f0e-9f7f1f0d2c11"]}},"sourceIPs":["10.0.0.7"],"userAgent":"kubectl/v1.35.0 (linux/amd64) kubernetes/abcdef0","objectRef":{"resource":"pods","namespace":"pay","name":"web-0","apiVersion":"v1","subresource":"exec"},"responseStatus":{"metadata":{},"code":101},"requestReceivedTimestamp":"2026-11-29T21:40:35.123456Z","stageTimestamp":"2026-11-29T21:41:35.123456Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by RoleBinding \"g-x/pay\" of ClusterRole \"debug\" to ServiceAccount \"s-abcd-1795500000/sallyport-sessions\""}}"#;

/// The same with some keys changed, in the order of API servers.
pub(super) fn with(changes: Value) -> String {
    let mut event: Value = serde_json::from_str(EXEC).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        event[key] = value.clone();
    }
    let order = [
        "kind",
        "apiVersion",
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "user",
        "impersonatedUser",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "responseStatus",
        "requestObject",
        "responseObject",
        "requestReceivedTimestamp",
        "stageTimestamp",
        "annotations",
    ];
    let known = order.iter().filter(|key| !event[**key].is_null());
    let mut parts: Vec<String> = known.map(|key| format!("\"{key}\":{}", event[*key])).collect();
    let others = event.as_object().unwrap().iter().filter(|(key, _)| !order.contains(&key.as_str()));
    parts.extend(others.map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))));
    format!("{{{}}}", parts.join(","))
}

#[test]
fn an_event_is_read_with_where_each_field_came_from() {
    let event = only(EXEC);
    assert_eq!(event.audit_id, "0198c0de-0000-7000-8000-000000000001");
    assert_eq!((event.level, event.verb.as_ref(), event.code), (Some(Level::Metadata), "get", Some(101)));
    assert!(event.stages.has(Stage::ResponseComplete) && event.stages.ended());
    assert_eq!(event.took(), Some(60_000_000));
    assert_eq!(event.jti(), Some("5d0b1c9e-1d5b-4c79-9f0e-9f7f1f0d2c11"));
    assert_eq!(event.account.as_ref().unwrap().to_string(), "s-abcd-1795500000");
    assert_eq!(event.user.groups.len(), 3);
    assert_eq!(event.decision, Some(Decision::Allow));
    assert!(event.decision_reason.as_deref().unwrap().contains("RoleBinding \"g-x/pay\""));
    let object = event.object.as_ref().unwrap();
    assert_eq!((&*object.resource, &*object.namespace, &*object.name), ("pods", "pay", "web-0"));
    assert_eq!((&*object.group, &*object.version, &*object.subresource), ("", "v1", "exec"));
    assert_eq!(event.came(Field::Code), Came::Raw);
    assert_eq!(event.came(Field::Command), Came::Normalised);
    assert_eq!(event.came(Field::Impersonated), Came::Absent);
    assert_eq!(event.flaws.bits(), 0);
}

#[test]
fn each_level_is_read_with_as_much_as_it_tells() {
    let body = json!({"kind": "Scale", "spec": {"replicas": 3}});
    for level in Level::ALL {
        let mut changes = json!({ "level": level.name() });
        if level >= Level::Request {
            changes["requestObject"] = body.clone();
        }
        if level >= Level::RequestResponse {
            changes["responseObject"] = body.clone();
        }
        let text = with(changes);
        let event = only(&text);
        assert_eq!((event.level, event.came(Field::Level)), (Some(level), Came::Raw), "{text}");
        assert_eq!((event.verb.as_ref(), event.code, event.flaws.bits()), ("get", Some(101), 0), "{text}");
        let raw: Value = serde_json::from_str(&event.raw).unwrap();
        assert_eq!(raw["requestObject"] == body, level >= Level::Request, "{raw}");
        assert_eq!(raw["responseObject"] == body, level == Level::RequestResponse, "{raw}");
    }
    for none in ["", "metadata", "Everything"] {
        let event = only(&with(json!({ "level": none })));
        assert_eq!((event.level, event.code), (None, Some(101)), "{none:?}: the rest is read");
    }
}

#[test]
fn p20_an_exec_keeps_its_command_and_not_its_secret() {
    let event = only(EXEC);
    assert_eq!(event.command, ["psql", "--password", "[redacted]"]);
    assert_eq!(event.redactions, 1);
    assert!(event.uri.contains("command=psql") && !event.uri.contains("hunter2"));
    // The text of the event is JSON still, and the same but for that.
    let raw: Value = serde_json::from_str(&event.raw).unwrap();
    let mut was: Value = serde_json::from_str(EXEC).unwrap();
    was["requestURI"] = raw["requestURI"].clone();
    assert_eq!(raw, was);
    assert_eq!(raw["requestURI"], event.uri.as_ref());
}

#[test]
fn p20_a_long_address_hides_no_command() {
    let junk = "x".repeat(150_000);
    let uri = format!(
        "/api/v1/namespaces/pay/pods/w/exec?a={junk}&command=sh&command=-c&command=curl%20evil&b={junk}"
    );
    let event = only(&with(json!({ "requestURI": uri })));
    assert_eq!(event.command, ["sh", "-c", "curl evil"]);
    assert!(event.uri.len() < 4096 && event.uri.contains("curl%20evil"), "{}", event.uri);
    assert!(event.flaws.has(Flaw::Clipped) && event.raw.len() < 8192 && event.raw.contains("curl%20evil"));
    assert!(serde_json::from_str::<Value>(&event.raw).is_ok());
}

#[test]
fn p20_bodies_are_kept_without_what_is_secret_in_them() {
    let secret = json!({"kind": "Secret", "metadata": {"name": "db", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"kind\":\"Secret\",\"data\":{\"x\":\"aHVudGVyMg==\"}}"}},
        "data": {"x": "aHVudGVyMg=="}, "stringData": {"y": "hunter2"}});
    let object =
        |resource: &str, sub: &str| json!({"resource": resource, "subresource": sub, "namespace": "pay"});
    let token = json!({"kind": "TokenRequest", "spec": {"audiences": ["a"]}, "status": {"token": "hunter2"}});
    let pod = json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c",
        "env": [{"name": "DB_PASSWORD", "value": "hunter2"}], "args": ["--password", "hunter2"],
        "command": ["mysql", "-phunter2"]}]}});
    let patch = json!([{"op": "replace", "path": "/data/x", "value": "hunter2"}]);
    let env = json!([{"op": "add", "path": "/spec/env/password", "value": "hunter2"}]);
    for (body, about, taken) in [
        (secret.clone(), object("secrets", ""), 3),
        (json!({"kind": "List", "items": [secret]}), object("things", ""), 3),
        (json!({"data": {"a": "hunter2"}}), object("configmaps", ""), 1),
        (patch, object("secrets", ""), 1),
        (env, object("widgets", ""), 1),
        (token, object("serviceaccounts", "token"), 1),
        (json!({"kind": "TokenReview", "spec": {"token": "hunter2"}}), object("tokenreviews", ""), 1),
        (pod, object("pods", ""), 3),
    ] {
        for key in ["requestObject", "responseObject"] {
            let event = only(&with(json!({"requestURI": "/x", "objectRef": about, key: body})));
            assert!(!event.raw.contains("hunter2") && !event.raw.contains("aHVudGVyMg"), "{}", event.raw);
            assert_eq!(event.redactions, taken, "{}", event.raw);
            assert!(serde_json::from_str::<Value>(&event.raw).is_ok());
            let kept = if key == "requestObject" { &event.request } else { &event.response };
            assert_eq!(kept.as_ref().unwrap().bytes as usize, body.to_string().len());
        }
    }
}

#[test]
fn what_a_sentence_needs_of_a_body_is_read() {
    let scaled = json!({"kind": "Scale", "metadata": {"name": "checkout"}, "spec": {"replicas": 10}});
    let event =
        only(&with(json!({"requestObject": [{"op": "replace", "path": "/spec/replicas", "value": 10}],
        "responseObject": scaled})));
    assert_eq!(event.request.unwrap().replicas, Some(10));
    let response = event.response.unwrap();
    assert_eq!((response.replicas, response.name.as_deref()), (Some(10), Some("checkout")));
}

#[test]
fn p20_wherever_a_secret_is_in_a_line_it_is_not_in_what_is_handed_on() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl";
    let patch = "{\"patch\":[{\"op\":\"add\",\"path\":\"/data/x\",\"value\":\"hunter2\"}]}";
    for changes in [
        json!({"userAgent": "curl -u admin:hunter2"}),
        json!({"requestURI": "/api/v1/namespaces/a/services/b/proxy/?token=hunter2"}),
        json!({"requestURI": format!("/api/v1/namespaces/a/services/b/proxy/{jwt}")}),
        json!({"responseStatus": {"code": 422, "message": "password=hunter2 is too short"}}),
        json!({"responseStatus": {"code": 422, "details": {"causes": [{"message": "password=hunter2"}]}}}),
        json!({"user": {"username": "ada", "extra": {"access-token": ["hunter2"]}}}),
        json!({"user": {"username": "ada", "password": "hunter2"}}),
        json!({"objectRef": {"resource": "secrets", "password": "hunter2"}}),
        json!({"objectRef": {"resource": "secrets"}, "annotations": {"patch.webhook.admission.k8s.io/round_0_index_0": patch}}),
        json!({"annotations": {"example.com/why": "token: hunter2"}}),
        json!({"shipper": {"env": {"API_KEY": "hunter2"}}}),
        json!({"note": "password=hunter2"}),
        json!({"objectRef": {"resource": "pods", "uid": {"password": "hunter2"}}}),
        json!({"responseStatus": {"code": 1, "metadata": {"password": "hunter2"}}}),
        json!({"user": "password=hunter2"}),
        json!({"verb": {"password": "hunter2"}}),
    ] {
        let line = with(changes);
        let event = only(&line);
        let all = format!("{event:?}");
        assert!(!all.contains("hunter2") && !all.contains("eyJ"), "{line}\n→ {all}");
        assert!(event.redactions > 0, "{line}");
        assert_eq!(Reader::new().counts().redactions, 0);
    }
    // A key that stands twice hides nothing either.
    for twice in ["\"userAgent\":\"password=hunter2\",", "\"requestObject\":{\"password\":\"hunter2\"},"] {
        let line =
            EXEC.replace("\"verb\"", &format!("{twice}\"userAgent\":\"x\",\"requestObject\":{{}},\"verb\""));
        let event = only(&line);
        assert!(
            !format!("{event:?}").contains("hunter2") && event.flaws.has(Flaw::DuplicateKey),
            "{event:?}"
        );
    }
}
