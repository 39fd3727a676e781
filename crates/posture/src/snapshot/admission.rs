//! Taking in objects that say what is refused, changed or bounded, and who waits for whom.

use super::shape::parse;
use super::{
    Flow, FlowRule, Kind, Limit, Meta, Parameters, Policy, PolicyBinding, Quota, Snapshot, Spared, Webhook,
    WebhookRule, shape,
};
use sallyport_rbac::who::Subject;
use serde_json::Value;

/// What Kubernetes takes where a FlowSchema does not say (`FlowSchemaDefaultMatchingPrecedence`).
const PRECEDENCE: i64 = 1000;

impl Snapshot {
    /// Keeps an object of one of these kinds.
    pub(super) fn keep_admission(&mut self, kind: Kind, meta: Meta, item: Value) -> Result<(), String> {
        match kind {
            Kind::ResourceQuota => {
                let shape::Quota { spec } = parse(item)?;
                let (hard, scopes) = match spec {
                    None => (None, Vec::new()),
                    Some(spec) => {
                        let selected = spec.scope_selector.match_expressions.into_iter();
                        let scopes = spec.scopes.into_iter().chain(selected.map(|one| one.scope_name));
                        (Some(spec.hard.into_keys().collect()), scopes.collect())
                    }
                };
                self.quotas.push(Quota { meta, hard, scopes });
            }
            Kind::LimitRange => {
                let shape::Limit { spec } = parse(item)?;
                let is_bound = |one: &shape::LimitItem| {
                    !(one.max.is_empty() && one.default.is_empty() && one.max_limit_request_ratio.is_empty())
                };
                self.limits.push(Limit { meta, bounds: spec.map(|spec| spec.limits.iter().any(is_bound)) });
            }
            Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
                let shape: shape::Webhooks = parse(item)?;
                let mutating = kind == Kind::MutatingWebhookConfiguration;
                self.webhooks.extend(shape.webhooks.into_iter().map(|one| webhook_of(&meta, mutating, one)));
            }
            Kind::ValidatingAdmissionPolicy | Kind::MutatingAdmissionPolicy => {
                let shape::Policy { spec } = parse(item)?;
                self.policies.push(Policy {
                    meta,
                    mutating: kind == Kind::MutatingAdmissionPolicy,
                    ignores_failure: spec.failure_policy == "Ignore",
                    parameters: spec.param_kind.map(|kind| (kind.api_version, kind.kind)),
                    spares: spared(&spec.match_constraints),
                });
            }
            Kind::ValidatingAdmissionPolicyBinding | Kind::MutatingAdmissionPolicyBinding => {
                let shape::PolicyBinding { spec } = parse(item)?;
                self.policy_bindings.push(PolicyBinding {
                    meta,
                    mutating: kind == Kind::MutatingAdmissionPolicyBinding,
                    policy: spec.policy_name,
                    actions: spec.validation_actions,
                    parameters: spec.param_ref.map(|one| Parameters {
                        name: one.name,
                        namespace: one.namespace,
                        allows_without: one.parameter_not_found_action == "Allow",
                    }),
                    spares: spared(&spec.match_resources),
                });
            }
            Kind::FlowSchema => {
                let shape::Flow { spec } = parse(item)?;
                self.flows.push(Flow {
                    meta,
                    level: spec.priority_level_configuration.name,
                    precedence: spec.matching_precedence.unwrap_or(PRECEDENCE),
                    rules: spec.rules.into_iter().map(flow_rule).collect(),
                });
            }
            kind => self.keep_other(kind, meta, item)?,
        }
        Ok(())
    }
}

/// The labels that a selector asks for. A namespace's own name can't be changed, and is none of them.
fn labels(selector: &shape::Selector) -> Vec<String> {
    let asked = selector.match_labels.keys().chain(selector.match_expressions.iter().map(|one| &one.key));
    let mut keys: Vec<String> = asked.filter(|key| *key != "kubernetes.io/metadata.name").cloned().collect();
    keys.sort();
    keys.dedup();
    keys
}

fn spared(matching: &shape::Matching) -> Spared {
    Spared { namespaces: labels(&matching.namespace_selector), objects: labels(&matching.object_selector) }
}

fn webhook_of(meta: &Meta, mutating: bool, shape: shape::Webhook) -> Webhook {
    let pairs = |rule: &shape::WebhookRule| {
        let pair = |group: &String, resource: &String| format!("{group}/{resource}");
        rule.api_groups
            .iter()
            .flat_map(|group| rule.resources.iter().map(move |resource| pair(group, resource)))
            .collect::<Vec<_>>()
    };
    Webhook {
        meta: meta.clone(),
        mutating,
        name: shape.name,
        ignores_failure: shape.failure_policy == "Ignore",
        resources: shape.rules.iter().flat_map(pairs).collect(),
        service: shape.client_config.service.map(|service| (service.namespace, service.name)),
        url: shape.client_config.url,
        spares: labels(&shape.namespace_selector),
        object_labels: labels(&shape.object_selector),
        conditions: shape.match_conditions.into_iter().map(|one| one.name).collect(),
        rules: shape
            .rules
            .into_iter()
            .map(|rule| WebhookRule {
                groups: rule.api_groups,
                resources: rule.resources,
                operations: rule.operations,
                scope: rule.scope,
            })
            .collect(),
    }
}

fn flow_rule(shape: shape::FlowRule) -> FlowRule {
    let all = |list: &[String]| list.iter().any(|one| one == "*");
    let on_everything = |one: &shape::FlowResources| {
        let everywhere = all(&one.namespaces) && one.cluster_scope;
        all(&one.verbs) && all(&one.api_groups) && all(&one.resources) && everywhere
    };
    FlowRule {
        subjects: shape.subjects.into_iter().filter_map(flow_subject).collect(),
        on_resources: !shape.resource_rules.is_empty(),
        on_everything: shape.resource_rules.iter().any(on_everything),
        paths: shape.non_resource_rules.into_iter().flat_map(|one| one.paths).collect(),
    }
}

/// Whom a FlowSchema means (`matchesSubject` of Kubernetes): of ServiceAccounts `*` is all of a namespace.
fn flow_subject(shape: shape::FlowSubject) -> Option<Subject> {
    match shape.kind.as_str() {
        "User" => Some(Subject::User(shape.user.name)),
        "Group" => Some(Subject::Group(shape.group.name)),
        "ServiceAccount" if shape.service_account.name == "*" => {
            Some(Subject::Group(format!("system:serviceaccounts:{}", shape.service_account.namespace)))
        }
        "ServiceAccount" => {
            Some(Subject::account(&shape.service_account.namespace, &shape.service_account.name))
        }
        _ => None,
    }
}
