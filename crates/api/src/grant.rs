use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What exists on the target while access is open. Owns the ServiceAccount and the bindings, so that deleting it
/// removes them by Kubernetes' own garbage collection. Its end is `creationTimestamp` + `duration`.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "access.sallyport.dev",
    version = "v1alpha1",
    kind = "AccessGrant",
    plural = "accessgrants",
    status = "AccessGrantStatus",
    doc = "What exists on a target while access is open; deleting it removes the ServiceAccount and the bindings.",
    printcolumn(name = "User", type_ = "string", json_path = ".spec.user"),
    printcolumn(name = "Profile", type_ = "string", json_path = ".spec.profile"),
    printcolumn(name = "End", type_ = "string", json_path = ".status.end")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessGrantSpec {
    /// The request on the hub.
    pub request: RequestReference,
    /// Who it is for.
    #[schemars(length(min = 1, max = 512))]
    pub user: String,
    /// For how long after creation.
    #[schemars(length(min = 2, max = 16), regex(pattern = r"^([0-9]{1,4}h)?([0-9]{1,4}m)?$"))]
    pub duration: String,
    /// Under which profile.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub profile: String,
    /// At which revision.
    #[schemars(length(min = 3, max = 128), regex(pattern = r"^[0-9a-f-]{1,64}/[0-9]{1,19}$"))]
    pub profile_revision: String,
    /// ClusterRoles bound.
    #[schemars(
        length(min = 1, max = 16),
        inner(length(min = 1, max = 253), regex(pattern = r"^[^/%?#\s]+$"))
    )]
    pub roles: Vec<String>,
    /// Where; empty means cluster-wide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
    )]
    pub namespaces: Vec<String>,
    /// The digest of the offer that was decided on.
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub offer: String,
}

/// Which request on which hub's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestReference {
    /// Team namespace on the hub.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub namespace: String,
    /// Name.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: String,
    /// UID.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[0-9a-f-]{1,64}$"))]
    pub uid: String,
}

/// What was made for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessGrantStatus {
    /// When it ends, by this cluster's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Time>,
    /// The session's ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 45), regex(pattern = r"^s-[a-z0-9]{4,32}-[0-9]{10}$"))]
    pub account: Option<String>,
    /// JTIs of the tokens minted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 128)))]
    pub jtis: Vec<String>,
}
