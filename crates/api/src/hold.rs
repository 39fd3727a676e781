use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use sallyport_model::{CLUSTER_NAME_MOST, Held, Hold, REASON_MOST, USER_NAME_MOST};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A hold: while it stands, nothing of what it is on is asked for or granted, and brokers close what is open. It can't be
/// changed; it ends by itself, or whoever may delete it ends it before, which the person held may not.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "access.sallyport.dev",
    version = "v1alpha1",
    kind = "AccessHold",
    plural = "accessholds",
    doc = "While it stands, nothing of what it is on is asked for or granted, and brokers close what is open.",
    printcolumn(name = "User", type_ = "string", json_path = ".spec.user"),
    printcolumn(name = "Cluster", type_ = "string", json_path = ".spec.cluster"),
    printcolumn(name = "Everything", type_ = "boolean", json_path = ".spec.everything"),
    printcolumn(name = "Until", type_ = "string", json_path = ".spec.until"),
    printcolumn(name = "By", type_ = "string", json_path = ".spec.by")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessHoldSpec {
    /// The person it is on, by the name that the hub's API server knows them by. One of `user`, `cluster`, `everything`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = USER_NAME_MOST))]
    pub user: Option<String>,
    /// The cluster it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = CLUSTER_NAME_MOST), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub cluster: Option<String>,
    /// Everybody, everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everything: Option<bool>,
    /// Until when, by the hub's clock; 7 days after its creation at most.
    #[schemars(regex(
        pattern = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])$"
    ))]
    pub until: Time,
    /// Who holds: their own name.
    #[schemars(length(min = 1, max = USER_NAME_MOST))]
    pub by: String,
    /// Why.
    #[schemars(length(min = 1, max = REASON_MOST))]
    pub reason: String,
}

impl From<&AccessHold> for Hold {
    /// One that names nothing, which no API server lets through, reads as the strictest.
    fn from(object: &AccessHold) -> Self {
        let spec = &object.spec;
        let held = match (&spec.user, &spec.cluster, spec.everything) {
            (Some(user), None, None) => Held::User(user.clone()),
            (None, Some(cluster), None) => Held::Cluster(cluster.clone()),
            _ => Held::Everything,
        };
        Self { held, until: spec.until.0.as_second(), by: spec.by.clone(), reason: spec.reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hold_is_read_as_what_it_names_and_as_everything_where_that_is_unclear() {
        let read = |on: serde_json::Value| {
            let mut spec = json!({"until": "2026-11-24T14:00:00Z", "by": "lee", "reason": "r"});
            spec.as_object_mut().unwrap().extend(on.as_object().unwrap().clone());
            let object: AccessHold = serde_json::from_value(json!({
                "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessHold",
                "metadata": {"name": "h"}, "spec": spec,
            }))
            .unwrap();
            Hold::from(&object).held
        };
        assert_eq!(read(json!({"user": "dana"})), Held::User("dana".into()));
        assert_eq!(read(json!({"cluster": "pay"})), Held::Cluster("pay".into()));
        for unclear in [
            json!({"everything": true}),
            json!({"everything": false}),
            json!({}),
            json!({"user": "a", "cluster": "b"}),
            json!({"user": "a", "everything": false}),
        ] {
            assert_eq!(read(unclear.clone()), Held::Everything, "{unclear}");
        }
    }
}
