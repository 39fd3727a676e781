use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Kubernetes API of the team's inventory. Signing in to the hub is the inventory: no kubeconfig is handed out.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "access.sallyport.dev",
    version = "v1alpha1",
    kind = "AccessCluster",
    plural = "accessclusters",
    status = "AccessClusterStatus",
    doc = "A Kubernetes API of the team's inventory. Signing in to the hub is the inventory: no kubeconfig is handed out.",
    printcolumn(name = "Environment", type_ = "string", json_path = ".spec.environment"),
    printcolumn(name = "Kubernetes", type_ = "string", json_path = ".status.kubernetesVersion"),
    printcolumn(name = "Broker", type_ = "string", json_path = ".status.broker.version")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessClusterSpec {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub display_name: Option<String>,
    /// `prod`, `stage`, `dev` or a word of the team's; shown as colour and word.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z][a-z0-9-]*$"))]
    pub environment: String,
    /// Who runs it (EKS, kubeadm, …) and where, for the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub provider: Option<String>,
    /// Region or site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub region: Option<String>,
    /// Where its API server answers; https only. A session uses what the broker sealed, not this (attack 13).
    #[schemars(length(min = 1, max = 8), inner(length(max = 1024), regex(pattern = r"^https://[^\s@?#]+$")))]
    pub endpoints: Vec<String>,
    /// PEM of the CAs its certificate chains to.
    #[schemars(length(min = 1, max = 65536))]
    pub ca_bundle: String,
    /// The name its certificate carries, where it differs from the endpoint's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub tls_server_name: Option<String>,
}

/// What the cluster's broker reports; written by that broker alone, and only when it changes: every desktop watches it. That
/// the broker is alive stands in its Lease in `sallyport-brokers`, what its profiles allow in the cluster's
/// [`AccessPreview`](crate::AccessPreview).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessClusterStatus {
    /// Who serves this cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerReport>,
    /// `gitVersion` of the target's API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub kubernetes_version: Option<String>,
    /// For each profile that covers this cluster: how wide it really is here, or why it is refused (P11).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub profiles: Vec<ProfileReport>,
    /// The digest of the AccessPreview that goes with `profiles`; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub preview: Option<String>,
    /// Whether the target's guardrails are in force (P12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrails: Option<GuardrailReport>,
    /// Whether the hub's are, as this cluster's broker sees them. Where they are none that it knows, it grants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_guardrails: Option<GuardrailReport>,
}

/// Who serves this cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrokerReport {
    /// The broker's version.
    #[schemars(length(max = 64))]
    pub version: String,
    /// The leader's identity.
    #[schemars(length(max = 253))]
    pub instance: String,
    /// When this was written, by the hub's clock. Desktops of the first release read no report without; whether the broker
    /// is alive stands in its Lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Time>,
}

/// A profile as it stands on this target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileReport {
    /// The profile's name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The revision it was read at.
    #[schemars(length(max = 128))]
    pub revision: String,
    /// How many effective rules it has; which ones is in the AccessPreview.
    #[serde(default)]
    pub rule_count: u32,
    /// Why the broker would refuse it, with the rule that did it; absent when it would grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub refused: Option<String>,
}

/// A check of guardrails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardrailReport {
    /// Spec equal to what was shipped *and* a probe refused.
    pub verified: bool,
    /// Since when every check came to this, by the broker's clock. A check that says the same writes nothing. Brokers of the
    /// first release say when they checked last instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The same again, for desktops of the first release, which read no report without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Time>,
    /// Which API server answered, or what was not as shipped.
    #[schemars(length(max = 1024))]
    pub detail: String,
    /// Of the hub's: the number of the set that they are, where the broker knows it and grants by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<u32>,
}

impl GuardrailReport {
    /// A verdict that holds since then.
    pub fn new(verified: bool, since: Time, detail: impl Into<String>) -> Self {
        Self {
            verified,
            since: Some(since.clone()),
            checked_at: Some(since),
            detail: detail.into(),
            set: None,
        }
    }

    /// Since when it holds, in milliseconds since 1970; 0 where it does not say.
    pub fn since_ms(&self) -> i64 {
        let at = self.since.as_ref().or(self.checked_at.as_ref());
        at.map(|at| at.0.as_millisecond()).unwrap_or_default()
    }
}
