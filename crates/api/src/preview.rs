use crate::rules::RuleSummary;
use kube::CustomResource;
use sallyport_model::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What each profile would allow on a cluster, rule by rule. Named as its cluster and written by that cluster's broker alone.
/// It is apart from the AccessCluster because it is large and read for one cluster at a time, while every desktop watches all
/// AccessClusters.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "access.sallyport.dev",
    version = "v1alpha1",
    kind = "AccessPreview",
    plural = "accesspreviews",
    doc = "What each profile would allow on the cluster of that name, as its broker reads its ClusterRoles."
)]
#[serde(rename_all = "camelCase")]
pub struct AccessPreviewSpec {
    /// The digest of `profiles`. The AccessCluster's status names the one that goes with it.
    #[schemars(length(min = 64, max = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    pub digest: String,
    /// One for each profile that covers the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub profiles: Vec<ProfilePreview>,
}

/// What one profile would allow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfilePreview {
    /// The profile's name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The revision it was read at.
    #[schemars(length(max = 128))]
    pub revision: String,
    /// Its effective rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub rules: Vec<RuleSummary>,
    /// Rights that can outlive a session (workload writes, secrets, exec), named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 256)))]
    pub warnings: Vec<String>,
}

impl AccessPreviewSpec {
    /// The preview of these profiles, with its digest.
    pub fn of(profiles: Vec<ProfilePreview>) -> Self {
        let text = serde_json::to_vec(&profiles).expect("names, numbers and lists of them serialise");
        Self { digest: Digest::of(&text).to_string(), profiles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_rule_is_another_digest_and_the_same_is_the_same() {
        let of = |verb: &str| {
            let rule =
                RuleSummary { role: "view".into(), verbs: vec![verb.into()], ..RuleSummary::default() };
            let profile = ProfilePreview { name: "p".into(), rules: vec![rule], ..ProfilePreview::default() };
            AccessPreviewSpec::of(vec![profile]).digest
        };
        assert_eq!(of("get"), of("get"));
        assert_ne!(of("get"), of("list"));
        assert_eq!(AccessPreviewSpec::of(Vec::new()).digest.len(), 64);
    }
}
