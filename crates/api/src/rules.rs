use sallyport_model::NameError;
use sallyport_rbac::Rule;
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

impl From<&Rule> for RuleSummary {
    fn from(rule: &Rule) -> Self {
        Self {
            role: rule.role.to_string(),
            verbs: rule.verbs.clone(),
            api_groups: rule.api_groups.clone(),
            resources: rule.resources.clone(),
            resource_names: rule.resource_names.clone(),
            non_resource_urls: rule.non_resource_urls.clone(),
        }
    }
}

impl TryFrom<&RuleSummary> for Rule {
    type Error = NameError;

    /// Fails for a role that no ClusterRole could be named.
    fn try_from(summary: &RuleSummary) -> Result<Self, NameError> {
        Ok(Self {
            role: summary.role.parse()?,
            verbs: summary.verbs.clone(),
            api_groups: summary.api_groups.clone(),
            resources: summary.resources.clone(),
            resource_names: summary.resource_names.clone(),
            non_resource_urls: summary.non_resource_urls.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccessRequest, Offer};
    use kube::CustomResourceExt as _;
    use sallyport_model::REASON_MOST;
    use sallyport_rbac::RULES_MOST;

    #[test]
    fn a_rule_survives_the_wire() {
        let rule = Rule::on(&"r".parse().unwrap(), ["get"], [""], ["pods/log"]);
        assert_eq!(Rule::try_from(&RuleSummary::from(&rule)), Ok(rule));
        let odd = RuleSummary { role: "a/b".into(), ..RuleSummary::default() };
        assert!(Rule::try_from(&odd).is_err());
    }

    #[test]
    fn the_kinds_hold_what_the_code_holds_to() {
        let offer = serde_json::to_value(schemars::schema_for!(Offer)).unwrap();
        assert_eq!(offer["properties"]["rules"]["maxItems"], RULES_MOST);
        let kind = serde_json::to_value(AccessRequest::crd()).unwrap();
        let spec = &kind["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        assert_eq!(spec["properties"]["reason"]["maxLength"], REASON_MOST);
    }
}
