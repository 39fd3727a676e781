//! Objects that tests begin with.

use sallyport_api::AccessRequest;
use serde_json::{Value, json};

/// A request of a person's, with what is another of its spec, and that status.
pub(crate) fn request(spec: Value, status: Value) -> AccessRequest {
    let mut whole = json!({"user": "oidc:ada", "groups": ["dev"], "cluster": "c", "profile": "debug",
        "profileRevision": "aa/1", "duration": "1h", "publicKey": "k"});
    let fields = whole.as_object_mut().expect("an object");
    fields.extend(spec.as_object().expect("an object").clone());
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": "ask-1", "namespace": "team"}, "spec": whole, "status": status,
    }))
    .expect("a request")
}
