use crate::{AccessCluster, AccessGrant, AccessProfile, AccessRequest};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

/// The CRDs of a hub.
pub fn hub_crds() -> Vec<CustomResourceDefinition> {
    vec![finished(AccessCluster::crd()), finished(AccessProfile::crd()), finished(AccessRequest::crd())]
}

/// The CRD of a target.
pub fn grant_crd() -> CustomResourceDefinition {
    finished(AccessGrant::crd())
}

/// Adds what the derive can't say: the spec's immutability, list types, atomic maps.
fn finished(crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let kind = crd.spec.names.kind.clone();
    let mut crd = serde_json::to_value(crd).expect("a CRD serialises");
    let schema = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    // Without this the spec could be dropped or added later, and `self == oldSelf` would not be asked.
    schema["required"] = json!(["spec"]);
    let mut set = |path: &str, key: &str, value: Value| {
        let field = schema.pointer_mut(path).unwrap_or_else(|| panic!("{kind} has no schema at {path}"));
        field[key] = value;
    };
    match kind.as_str() {
        "AccessRequest" => {
            let immutable = json!([{"rule": "self == oldSelf", "message": "spec is immutable"}]);
            set("/properties/spec", "x-kubernetes-validations", immutable);
            set("/properties/spec/properties/groups", "x-kubernetes-list-type", json!("set"));
            set("/properties/spec/properties/namespaces", "x-kubernetes-list-type", json!("set"));
            set("/properties/status/properties/approvals", "x-kubernetes-list-type", json!("map"));
            set("/properties/status/properties/approvals", "x-kubernetes-list-map-keys", json!(["by"]));
            set("/properties/status/properties/conditions", "x-kubernetes-list-type", json!("map"));
            set("/properties/status/properties/conditions", "x-kubernetes-list-map-keys", json!(["type"]));
            set("/properties/status/properties/jtis", "x-kubernetes-list-type", json!("set"));
            for atomic in ["denial", "revocation", "offer", "grant"] {
                set(&format!("/properties/status/properties/{atomic}"), "x-kubernetes-map-type", json!("atomic"));
            }
        }
        "AccessGrant" => {
            let immutable = json!([{"rule": "self == oldSelf", "message": "spec is immutable"}]);
            set("/properties/spec", "x-kubernetes-validations", immutable);
            set("/properties/spec/properties/namespaces", "x-kubernetes-list-type", json!("set"));
        }
        _ => {}
    }
    serde_json::from_value(crd).expect("the finished CRD is still one")
}
