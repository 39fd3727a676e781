//! An API server on a bad day, and hostile files. What a real one answers is tested with the command line.

mod api;
mod beside;
mod clock;
mod door;
mod files;
mod pages;
mod privileged;
mod role;
mod told;
mod way_in;

use crate::{Reading, reduce::reduce};
use proptest::prelude::*;
use sallyport_posture::{Kind, Snapshot};
use serde_json::{Value, json};
use std::path::Path;

/// One object of each kind, with all that posture looks at and with what must not be kept.
pub(super) fn whole(kind: Kind) -> Value {
    let mut object = json!({
        "apiVersion": crate::names::api_version(kind), "kind": kind.name(),
        "metadata": {
            "name": "one", "uid": "u", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"a": "b"}, "annotations": {"note": "s3cret", "rbac.authorization.kubernetes.io/autoupdate": "false"}, "managedFields": [{"x": "s3cret"}],
        },
        "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]}],
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
        "roleRef": {"kind": "ClusterRole", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [{"kind": "User", "name": "alice"}, {"kind": "Robot", "name": "r2"}],
        "automountServiceAccountToken": false,
        "type": "kubernetes.io/service-account-token",
        "data": {"token": "s3cret"}, "stringData": {"a": "s3cret"},
        "webhooks": [{
            "name": "w", "failurePolicy": "Ignore",
            "clientConfig": {"caBundle": "s3cret", "url": "https://w", "service": {"namespace": "n", "name": "s", "path": "s3cret"}},
            "namespaceSelector": {"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]},
            "objectSelector": {"matchLabels": {"skip": "no"}},
            "matchConditions": [{"name": "c", "expression": "'s3cret'"}],
            "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "operations": ["CREATE"], "scope": "Cluster"}],
        }],
        "spec": {
            "serviceAccountName": "robot", "automountServiceAccountToken": true, "failurePolicy": "Ignore",
            "policyName": "p", "validationActions": ["Warn"], "insecureSkipTLSVerify": true,
            "signerName": "kubernetes.io/kube-apiserver-client", "username": "ada", "request": "s3cret",
            "providerID": "aws:///z/i", "type": "NodePort", "selector": {"app": "a"},
            "ports": [{"port": 80, "targetPort": "web"}, {"port": 2379, "targetPort": 2380}],
            "defaultBackend": {"service": {"name": "a"}},
            "rules": [{
                "http": {"paths": [{"path": "/s3cret", "backend": {"service": {"name": "b"}}}]},
                "subjects": [{"kind": "Group", "group": {"name": "g"}}],
                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": true}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/healthz"]}],
            }],
            "containers": [{"name": "c", "args": ["s3cret"], "env": [{"name": "A", "value": "s3cret"}]}],
        },
        "status": {
            "certificate": "s3cret", "conditions": [{"type": "Approved", "message": "s3cret"}],
            "nodeInfo": {"kubeletVersion": "v1.37.2", "machineID": "s3cret"},
        },
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "hostname": "s3cret"}],
    });
    let more = json!({
        "priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 7,
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "paramRef": {"name": "x", "namespace": "y", "parameterNotFoundAction": "Allow", "selector": {"matchLabels": {"s3cret": "a"}}},
        "matchConstraints": {"objectSelector": {"matchLabels": {"c": "d"}}, "resourceRules": [{"resourceNames": ["s3cret"]}]},
        "matchResources": {"namespaceSelector": {"matchLabels": {"e": "f"}}},
        "variables": [{"name": "v", "expression": "s3cret"}],
        "hard": {"pods": "3"}, "scopes": ["BestEffort"],
        "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]},
        "limits": [{"type": "Container", "max": {"cpu": "1"}}],
    });
    object["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    if crate::names::right(kind).ends_with("all namespaces") {
        object["metadata"]["namespace"] = json!("payments");
    }
    object
}

#[test]
fn what_is_kept_is_all_that_posture_looks_at_and_no_value() {
    for kind in Kind::ALL {
        let kept = reduce(*kind, whole(*kind));
        assert!(!kept.to_string().contains("s3cret"), "{kind}: {kept}");
        let (mut of_whole, mut of_kept) = (Snapshot::default(), Snapshot::default());
        assert_eq!(of_whole.take_value(whole(*kind)).unwrap().kept, 1, "{kind}");
        assert_eq!(of_kept.take_value(kept).unwrap().kept, 1, "{kind}");
        assert_eq!(format!("{of_whole:?}"), format!("{of_kept:?}"), "{kind} lacks a field in reduce.rs");
    }
}

#[test]
fn p21_an_object_that_is_none_keeps_its_kind_from_being_whole() {
    for wrong in [
        json!(null),
        json!("x"),
        json!([1]),
        json!({}),
        json!({"metadata": "s3cret"}),
        json!({"metadata": 3}),
    ] {
        let mut reading = Reading::default();
        reading.add(Kind::ClusterRole, wrong.clone());
        reading.coverage.insert(Kind::ClusterRole, sallyport_posture::Coverage::Read);
        let coverage = reading.snapshot().coverage(Kind::ClusterRole);
        assert!(coverage.gap(Kind::ClusterRole).is_some(), "{wrong}: {coverage:?}");
        assert!(!format!("{reading:?}").contains("s3cret"), "{reading:?}");
    }
}

pub(super) fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(7)),
        ".{0,6}".prop_map(|text| json!(text))
    ];
    let names = prop::sample::select(vec![
        "metadata",
        "name",
        "namespace",
        "labels",
        "annotations",
        "rules",
        "verbs",
        "apiGroups",
        "subjects",
        "roleRef",
        "kind",
        "apiVersion",
        "spec",
        "items",
        "webhooks",
        "aggregationRule",
    ]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    /// Of whatever shape: it is kept, or it keeps its kind from being whole.
    #[test]
    fn p21_no_object_is_lost_without_a_word(object in anything(), at in 0..Kind::ALL.len()) {
        let kind = Kind::ALL[at];
        let mut reading = Reading::default();
        reading.add(kind, object);
        reading.coverage.insert(kind, sallyport_posture::Coverage::Read);
        let snapshot = reading.snapshot();
        let shown = format!("{snapshot:?}");
        prop_assert!(
            snapshot.coverage(kind).gap(kind).is_some() || shown.contains("Meta {"),
            "{kind}: {shown}"
        );
        let again = crate::file::of_value(serde_json::from_str(&reading.to_json().unwrap()).unwrap(), Path::new("kept")).unwrap();
        prop_assert_eq!(format!("{:?}", again.snapshot()), shown, "what is kept is the same");
    }
}
