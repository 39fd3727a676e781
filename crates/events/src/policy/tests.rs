use super::*;
use sallyport_model::{AuditId, Jti};
use serde_json::json;

fn call(method: &str, uri: &str) -> KnownCall {
    KnownCall {
        sequence: 1,
        audit_id: AuditId::new("a"),
        jti: Jti::new("j"),
        session: 0,
        at: 0,
        ended_at: None,
        method: method.to_owned(),
        uri: uri.to_owned(),
        has_ended: true,
        was_answered: true,
        kubectl: None,
        command: None,
    }
}

fn policy(rules: Value) -> Policy {
    Policy::of(&json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules})).unwrap()
}

#[test]
fn the_first_rule_that_fits_decides_as_api_servers_match_them() {
    let policy = policy(json!([
        {"level": "None", "users": ["system:kube-proxy"]},
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "pods/exec"]}]},
        {"level": "None", "resources": [{"group": "", "resources": ["configmaps"], "resourceNames": ["noise"]}]},
        {"level": "Request", "userGroups": ["system:serviceaccounts:sallyport-sessions"], "verbs": ["create", "patch"]},
        {"level": "None", "userGroups": ["system:nodes"]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/version"]},
        {"level": "RequestResponse", "namespaces": ["payments"], "resources": [{"group": "apps", "resources": ["*/scale"]}]},
        {"level": "None", "verbs": ["watch"]},
        {"level": "Metadata", "resources": [{"group": "apps"}, {"group": "batch", "resources": ["jobs/*"]}]},
    ]));
    let level = |method: &str, uri: &str| policy.level(&call(method, uri));
    for (method, uri, want) in [
        ("GET", "/api/v1/namespaces/pay/secrets/card", Level::Metadata),
        ("POST", "/api/v1/namespaces/pay/pods/web/exec?command=id", Level::Metadata),
        ("GET", "/api/v1/namespaces/pay/configmaps/noise", Level::None),
        ("PATCH", "/apis/apps/v1/namespaces/pay/deployments/web", Level::Request),
        ("GET", "/healthz/etcd", Level::None),
        ("GET", "/version", Level::None),
        ("GET", "/version/x", Level::None),
        ("PUT", "/apis/apps/v1/namespaces/payments/deployments/web/scale", Level::RequestResponse),
        ("PUT", "/apis/apps/v1/namespaces/other/deployments/web/scale", Level::Metadata),
        ("GET", "/apis/apps/v1/deployments?watch=true", Level::None),
        ("GET", "/apis/apps/v1/deployments?watch=0", Level::Metadata),
        ("GET", "/apis/batch/v1/namespaces/pay/jobs/one/status", Level::Metadata),
        ("GET", "/apis/batch/v1/namespaces/pay/jobs", Level::Metadata),
        // No rule.
        ("GET", "/api/v1/pods", Level::None),
        ("GET", "/apis/apps", Level::None),
    ] {
        assert_eq!(level(method, uri), Some(want), "{method} {uri}");
    }
}

#[test]
fn what_cannot_be_said_is_not_guessed() {
    let all = policy(json!([{"level": "Metadata"}]));
    for (method, uri) in [
        ("", "/api/v1/pods"),
        ("GET", ""),
        ("GET", "/api/v1/namespaces/… 400 characters left out …/pods"),
        ("GET", "/api/v1//pods"),
        ("GET", "/api/v1/pods?labelSelector=… 400 characters left out …"),
        ("OPTIONS", "/api/v1/pods"),
    ] {
        assert_eq!(all.level(&call(method, uri)), None, "{method} {uri}");
    }
    let one = policy(json!([
        {"level": "None", "users": ["system:serviceaccount:sallyport-sessions:s-mfrggzdfmztwq2lk-1796000000"]},
        {"level": "Metadata"},
    ]));
    assert_eq!(one.level(&call("GET", "/api/v1/pods")), None);
    let named = policy(json!([
        {"level": "None", "resources": [{"group": "", "resources": ["pods"], "resourceNames": ["web"]}]},
        {"level": "Metadata"},
    ]));
    assert_eq!(named.level(&call("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dweb")), None);
    assert_eq!(named.level(&call("GET", "/api/v1/pods")), Some(Level::Metadata));
}

#[test]
fn what_is_no_policy_says_where_and_why() {
    let of = |change: Value| {
        let mut whole =
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "None"}]});
        for (key, value) in change.as_object().unwrap() {
            whole[key] = value.clone();
        }
        Policy::of(&whole)
    };
    assert!(of(json!({"omitStages": ["RequestReceived"], "omitManagedFields": true})).is_ok());
    for (change, want) in [
        (json!({"kind": "ConfigMap\u{202e}"}), "no audit policy"),
        (json!({"apiVersion": "audit.k8s.io/v1beta1"}), "no audit policy"),
        (json!({"rules": []}), "no list"),
        (json!({"rules": {}}), "no list"),
        (json!({"rules": [1]}), "rules[0] is no object"),
        (json!({"rules": [{"level": "metadata"}]}), "rules[0].level"),
        (json!({"rules": [{"level": "None", "user": ["x"]}]}), "`user`"),
        (json!({"rules": [{"level": "None", "verbs": "get"}]}), "rules[0].verbs is no list"),
        (json!({"rules": [{"level": "None", "verbs": [1]}]}), "no text"),
        (json!({"rules": [{"level": "None", "resources": [{"group": 1}]}]}), "rules[0].resources[0].group"),
        (json!({"omitStages": ["Never"]}), "no stage"),
    ] {
        let error = of(change.clone()).unwrap_err().to_string();
        assert!(error.contains(want) && !error.contains('\u{202e}'), "{change}: {error}");
    }
    assert!(Policy::of(&json!("Policy")).is_err() && Policy::of(&json!(null)).is_err());
}
