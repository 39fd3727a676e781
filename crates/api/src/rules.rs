use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One effective rule of an offer: RBAC's PolicyRule plus where it holds, with bounded lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleSummary {
    /// The ClusterRole it comes from.
    #[schemars(length(max = 253))]
    pub role: String,
    /// Verbs, as in RBAC.
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub verbs: Vec<String>,
    /// API groups; the core group is the empty string.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 253)))]
    pub api_groups: Vec<String>,
    /// Resources and subresources (`pods/exec`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(max = 253)))]
    pub resources: Vec<String>,
    /// Names the rule is limited to; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 253)))]
    pub resource_names: Vec<String>,
    /// Paths outside resources.
    #[serde(default, rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 253)))]
    pub non_resource_urls: Vec<String>,
}
