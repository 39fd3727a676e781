//! Objects as they are written, as far as they matter: every field may be missing or null, and there may be others.

use sallyport_model::{clip, visible};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// `apps/v1` is of the group `apps`, `v1` of the core group.
pub(super) fn group_of(api_version: &str) -> String {
    api_version.split_once('/').map_or(String::new(), |(group, _)| group.to_owned())
}

pub(super) fn parse<T: DeserializeOwned>(item: Value) -> Result<T, String> {
    T::deserialize(item).map_err(|error| clip(&visible(&error.to_string()), 200))
}

/// Null is as good as missing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

macro_rules! shape {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        pub(super) struct $name { $(#[serde(deserialize_with = "or_default")] pub(super) $field: $type,)* }
    };
}

shape!(Metadata {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    creation_timestamp: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, Value>,
});

shape!(OwnerReference { api_version: String, kind: String, name: String, uid: String, controller: bool });
shape!(Owned { owner_references: Vec<OwnerReference> });

shape!(ListMeta { r#continue: String, remaining_item_count: Option<i64>, });

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rule {
    #[serde(deserialize_with = "or_default")]
    pub(super) verbs: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) api_groups: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) resources: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) resource_names: Vec<String>,
    #[serde(deserialize_with = "or_default", rename = "nonResourceURLs")]
    pub(super) non_resource_urls: Vec<String>,
}

shape!(Requirement { key: String, operator: String, values: Vec<String>, });
shape!(Selector { match_labels: BTreeMap<String, String>, match_expressions: Vec<Requirement>, });
shape!(Aggregation { cluster_role_selectors: Vec<Selector>, });
shape!(Role { rules: Vec<Rule>, aggregation_rule: Option<Aggregation>, });

shape!(RoleRef { kind: String, name: String });
shape!(Subject { kind: String, name: String, namespace: String });
shape!(Binding { role_ref: RoleRef, subjects: Vec<Subject>, });

shape!(Account { automount_service_account_token: Option<bool>, });

shape!(TokenSource { audience: String, expiration_seconds: Option<i64>, });
shape!(VolumeSource { service_account_token: Option<TokenSource> });
shape!(Projected { sources: Vec<VolumeSource> });
shape!(Volume { name: String, projected: Projected });
shape!(PodSpec {
    service_account_name: String,
    automount_service_account_token: Option<bool>,
    volumes: Vec<Volume>,
});
shape!(Pod { spec: PodSpec });
shape!(JobSpec { template: Pod });
shape!(JobTemplate { spec: JobSpec });
shape!(WorkloadSpec { template: Pod, job_template: JobTemplate });
shape!(Workload { spec: WorkloadSpec });

shape!(Secret { r#type: String });

shape!(WebhookRule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
    scope: String,
});
shape!(MatchCondition { name: String });
shape!(ServiceRef { namespace: String, name: String });
shape!(ClientConfig { service: Option<ServiceRef>, url: Option<String>, });
shape!(Webhook {
    name: String,
    failure_policy: String,
    rules: Vec<WebhookRule>,
    client_config: ClientConfig,
    namespace_selector: Selector,
    object_selector: Selector,
    match_conditions: Vec<MatchCondition>,
});
shape!(Webhooks { webhooks: Vec<Webhook>, });

shape!(ParamKind { api_version: String, kind: String });
shape!(Matching { namespace_selector: Selector, object_selector: Selector });
shape!(PolicySpec { failure_policy: String, param_kind: Option<ParamKind>, match_constraints: Matching, });
shape!(Policy { spec: PolicySpec });
shape!(ParamRef { name: String, namespace: String, parameter_not_found_action: String });
shape!(PolicyBindingSpec {
    policy_name: String,
    validation_actions: Vec<String>,
    param_ref: Option<ParamRef>,
    match_resources: Matching,
});
shape!(PolicyBinding { spec: PolicyBindingSpec });

shape!(ScopeRequirement { scope_name: String });
shape!(ScopeSelector { match_expressions: Vec<ScopeRequirement>, });
shape!(QuotaSpec { hard: BTreeMap<String, Value>, scopes: Vec<String>, scope_selector: ScopeSelector, });
shape!(Quota { spec: Option<QuotaSpec> });
shape!(LimitItem {
    max: BTreeMap<String, Value>,
    default: BTreeMap<String, Value>,
    max_limit_request_ratio: BTreeMap<String, Value>,
});
shape!(LimitSpec { limits: Vec<LimitItem> });
shape!(Limit { spec: Option<LimitSpec> });

shape!(Named { name: String, namespace: String });
shape!(FlowSubject { kind: String, user: Named, group: Named, service_account: Named });
shape!(FlowResources {
    verbs: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    namespaces: Vec<String>,
    cluster_scope: bool,
});
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct FlowPaths {
    #[serde(deserialize_with = "or_default", rename = "nonResourceURLs")]
    pub(super) paths: Vec<String>,
}
shape!(FlowRule {
    subjects: Vec<FlowSubject>,
    resource_rules: Vec<FlowResources>,
    non_resource_rules: Vec<FlowPaths>,
});
shape!(FlowSpec { priority_level_configuration: Named, matching_precedence: Option<i64>, rules: Vec<FlowRule>, });
shape!(Flow { spec: FlowSpec });

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ApiServiceSpec {
    #[serde(deserialize_with = "or_default", rename = "insecureSkipTLSVerify")]
    pub(super) insecure: bool,
}
shape!(ApiService { spec: ApiServiceSpec });

shape!(Condition { r#type: String });
shape!(RequestSpec { signer_name: String, username: String });
shape!(RequestStatus { conditions: Vec<Condition> });
shape!(Request { spec: RequestSpec, status: RequestStatus });

shape!(NodeInfo { kubelet_version: String });
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct NodeSpec {
    #[serde(deserialize_with = "or_default", rename = "providerID")]
    pub(super) provider: String,
}
shape!(NodeStatus { node_info: NodeInfo });
shape!(Node { spec: NodeSpec, status: NodeStatus });

shape!(ServicePort { port: Value, target_port: Value });
shape!(ServiceSpec { r#type: String, selector: BTreeMap<String, String>, ports: Vec<ServicePort>, });
shape!(Service { spec: ServiceSpec });

shape!(EndpointConditions { ready: Option<bool> });
shape!(Endpoint { addresses: Vec<String>, conditions: EndpointConditions, });
shape!(EndpointSlice { endpoints: Vec<Endpoint> });

shape!(BackendService { name: String });
shape!(Backend { service: BackendService });
shape!(IngressPath { backend: Backend });
shape!(IngressHttp { paths: Vec<IngressPath> });
shape!(IngressRule { http: IngressHttp });
shape!(IngressSpec { default_backend: Backend, rules: Vec<IngressRule>, });
shape!(Ingress { spec: IngressSpec });
