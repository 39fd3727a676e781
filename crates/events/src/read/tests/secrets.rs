//! Where secrets were found that came through: each of these did.

use super::*;

/// Reads a line and makes sure that what is secret in it is nowhere in what is handed on.
fn without(changes: Value) -> Event<'static> {
    let line = with(changes);
    taken_of(&line)
}

fn taken_of(line: &str) -> Event<'static> {
    let event = only(line);
    let all = format!("{event:?}");
    assert!(!all.contains("hunter2") && !all.contains("aHVudGVyMg"), "{line}\n→ {all}");
    assert!(event.redactions > 0, "{line}");
    let raw = event.raw.split('…').next().unwrap_or_default();
    assert!(event.is_partial() || serde_json::from_str::<Value>(raw).is_ok(), "{raw}");
    event
}

/// A line with a body as it is written, which may have a key twice.
fn sent(resource: &str, body: &str) -> String {
    with(json!({"requestURI": "/x", "objectRef": {"resource": resource, "namespace": "pay", "name": "db"},
        "requestObject": "BODY"}))
    .replace("\"BODY\"", body)
}

#[test]
fn p20_an_annotation_is_a_secret_where_its_key_says_so() {
    for (key, value) in [
        ("auth.example.com/bearer-token", "hunter2hunter2"),
        ("webhook.example.com/db-password", "hunter2"),
        ("vault.example.com/pass", "hunter2"),
        ("token.example.com/decision-token", "hunter2"),
        ("x.example.com/pod", r#"{"env":[{"name":"DB_PASSWORD","value":"hunter2"}]}"#),
        ("x.example.com/pod", r#" [{"op":"add","path":"/spec/tokens/-","value":"hunter2"}]"#),
        ("x.example.com/object", r#"{"kind":"Secret","data":{"x":"hunter2"},"data":{}}"#),
        ("x.example.com/log", r#"[info] password=hunter2"#),
    ] {
        let event = without(json!({ "annotations": { key: value } }));
        assert!(event.raw.contains(key), "{}", event.raw);
    }
    // So is what an authenticator notes of a user.
    let env = r#"{"env":[{"name":"DB_PASSWORD","value":"hunter2"}]}"#;
    without(
        json!({"user": {"username": "ada", "extra": {"example.com/pod": [env], "example.com/db-pass": ["hunter2"]}}}),
    );
    // What API servers note themselves stays, also where it speaks of tokens.
    let own = json!({"annotations": {
        "authorization.k8s.io/decision": "forbid",
        "authorization.k8s.io/reason": "x",
        "authentication.k8s.io/legacy-token": "system:serviceaccount:ci:robot",
        "authentication.kubernetes.io/issued-credential-id": "JTI=1",
        "apiserver.latency.k8s.io/authorization": "1.2ms",
        "pod-security.kubernetes.io/enforce-policy": "restricted:latest",
        "mutation.webhook.admission.k8s.io/round_0_index_0": "{\"configuration\":\"a\",\"webhook\":\"b\",\"mutated\":false}",
        "example.com/note": "[not JSON] but said"}});
    let event = only(&with(own.clone()).replace("&command=--password&command=hunter2", ""));
    assert_eq!(event.redactions, 0, "{}", event.raw);
    let raw: Value = serde_json::from_str(&event.raw).unwrap();
    assert_eq!(raw["annotations"], own["annotations"]);
    assert_eq!(event.decision, Some(Decision::Forbid));
}

#[test]
fn p20_a_key_that_stands_twice_in_a_body_hides_nothing() {
    let applied = |inner: &str| {
        format!(
            r#"{{"kind":"Pod","metadata":{{"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{}}}}}}}"#,
            Value::from(inner)
        )
    };
    let secret = r#"{"kind":"Secret","data":{"x":"aHVudGVyMg=="},"data":{}}"#;
    let password = r#"{"spec":{"password":"hunter2","password":""}}"#;
    for (resource, body) in [
        ("widgets", password.to_owned()),
        ("secrets", secret.to_owned()),
        ("widgets", secret.to_owned()),
        ("widgets", r#"{"data":{"x":"hunter2"},"kind":"Secret","data":null,"kind":"Secret"}"#.to_owned()),
        (
            "widgets",
            r#"{"a":[{"n":0},{"b":{"p":"hunter2"},"b":{"password":"hunter2"},"b":{}}],"c":[[{"d":{}}]]}"#
                .to_owned(),
        ),
        ("widgets", r#"[{"password":"hunter2","pass\u0077ord":""},"{\"x\":1}"]"#.to_owned()),
        ("pods", applied(secret)),
        ("pods", applied(password)),
        ("pods", applied(&format!("\n {secret}\n"))),
        // And one that is too deep to be looked through is not kept.
        (
            "pods",
            applied(&format!(
                "{{\"a\":{}{},\"kind\":\"Secret\",\"data\":{{\"x\":\"hunter2\"}}}}",
                "[".repeat(200),
                "]".repeat(200)
            )),
        ),
    ] {
        let event = only(&sent(resource, &body));
        let all = format!("{event:?}");
        assert!(!all.contains("hunter2") && !all.contains("aHVudGVyMg"), "{body}\n→ {all}");
        assert!(serde_json::from_str::<Value>(&event.raw).is_ok(), "{}", event.raw);
    }
}

#[test]
fn p20_an_operation_of_a_patch_is_read_by_where_it_goes() {
    for operation in [
        json!({"op": "add", "path": "/spec/tokens", "value": ["hunter2"]}),
        json!({"op": "add", "path": "/spec/tokens", "value": [{"a": "hunter2"}]}),
        json!({"op": "add", "path": "/spec/tokens/-", "value": "hunter2"}),
        json!({"op": "add", "path": "/spec/tokens/0", "value": "hunter2"}),
        json!({"op": "add", "path": "/spec/credentials", "value": {"who": "hunter2", "and": {"what": "hunter2"}}}),
        json!({"op": "replace", "path": "/metadata/annotations/auth.example.com~1bearer-token", "value": "hunter2"}),
        json!({"op": "replace", "path": "/spec/template/spec/containers/0/env/2/value", "value": "hunter2"}),
        json!({"name": "cfg", "key": "api-token", "value": "hunter2"}),
        json!({"key": "cfg", "name": "API_TOKEN", "value": "hunter2"}),
        json!({"name": "cfg", "path": "/x/api-token", "value": "hunter2"}),
    ] {
        for body in [json!([operation]), json!({"patch": [operation]}), json!({"a": {"b": operation}})] {
            without(json!({"requestURI": "/x", "requestObject": body}));
            let patch = body.to_string();
            without(json!({"requestURI": "/x", "annotations": {"patch.webhook.admission.k8s.io/x": patch}}));
        }
    }
    // A number is a secret where it is called one.
    let pin = without(json!({"userAgent": "password=hunter2", "requestObject":
        [{"op": "add", "path": "/spec/passcode", "value": 73_317_331}]}));
    assert!(!pin.raw.contains("73317331"), "{}", pin.raw);
    // What says nothing of a secret stays, and so does a switch.
    for operation in [
        json!({"op": "add", "path": "/spec/automountServiceAccountToken", "value": false}),
        json!({"op": "add", "path": "/spec/env/2", "value": {"name": "LEVEL", "value": "debug"}}),
        json!({"op": "add", "path": "/spec/values/2/value", "value": "debug"}),
    ] {
        let event = only(&with(json!({"requestURI": "/x", "requestObject": [operation]})));
        assert!(
            event.redactions == 0 && event.raw.contains(&operation["value"].to_string()),
            "{}",
            event.raw
        );
    }
}

#[test]
fn p20_what_could_not_be_decoded_of_a_secret_is_not_quoted() {
    let message = "Secret in version \"v1\" cannot be handled as a Secret: v1.Secret.Data: base64Codec: invalid input, \
        illegal base64 data at input byte 8, error found in #10 byte of ...|:\"hunter2!\"}|..., bigger context \
        ...|\"data\":{\"x\":\"hunter2!\"}}|...";
    let details = json!({"code": 400, "message": message, "details": {"causes": [{"message": message}]}});
    let answer = json!({"kind": "Status", "message": message});
    for resource in ["secrets", "configmaps"] {
        let about = json!({"resource": resource, "namespace": "pay"});
        let uri = format!("/api/v1/namespaces/pay/{resource}?fieldManager=kubectl");
        for object in [about, Value::Null] {
            let event = without(json!({"requestURI": uri, "objectRef": object, "responseStatus": details,
                "responseObject": answer}));
            let said = event.message.unwrap();
            assert!(said.contains("illegal base64 data at input byte 8, error found in"), "{said}");
        }
    }
}
