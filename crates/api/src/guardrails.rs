//! The guardrails as they were shipped, to hold against what an API server really has (P12, attack 16).

mod sets;

pub use sets::{HUB_SET, HubSet, Outline, SET, hub_outline, hub_set};

use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const HUB: [&str; 6] = [
    include_str!("../../../deploy/hub/policies-auto.yaml"),
    include_str!("../../../deploy/hub/policies-holds.yaml"),
    include_str!("../../../deploy/hub/policies-requests.yaml"),
    include_str!("../../../deploy/hub/policies-status.yaml"),
    include_str!("../../../deploy/hub/policies-reaffirm.yaml"),
    include_str!("../../../deploy/hub/policies-system.yaml"),
];
const TARGET: [&str; 4] = [
    include_str!("../../../deploy/target/policies-sessions.yaml"),
    include_str!("../../../deploy/target/policies-reach.yaml"),
    include_str!("../../../deploy/target/policies-broker.yaml"),
    include_str!("../../../deploy/target/leave.yaml"),
];
const ENROL: &str = include_str!("../../../deploy/hub/enrol.yaml");

const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";
const ROLE: &str = "ClusterRole";
const ROLE_BINDING: &str = "ClusterRoleBinding";

/// The one ClusterRole that every session holds, and the ClusterRoleBinding of that name: what lets a session delete its
/// own grant (`deploy/target/leave.yaml`).
pub const LEAVE: &str = "sallyport:leave";

/// Which API server the guardrails belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The hub: who may ask, approve, revoke, and write which part of a request.
    Hub,
    /// A target: what the broker may bind, and how far a session reaches.
    Target,
}

/// The policies and bindings of one side, each as the JSON object that is applied, and what RBAC must be exactly as shipped
/// for them to suffice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guardrails {
    /// `ValidatingAdmissionPolicy` objects.
    pub policies: Vec<Value>,
    /// `ValidatingAdmissionPolicyBinding` objects.
    pub bindings: Vec<Value>,
    /// `ClusterRole` objects: [`LEAVE`] on a target.
    pub cluster_roles: Vec<Value>,
    /// `ClusterRoleBinding` objects: [`LEAVE`] on a target.
    pub cluster_role_bindings: Vec<Value>,
}

/// The guardrails that this version ships under `deploy/`.
pub fn shipped_guardrails(side: Side) -> &'static Guardrails {
    static HUBS: LazyLock<Guardrails> = LazyLock::new(|| parsed(&HUB));
    static TARGETS: LazyLock<Guardrails> = LazyLock::new(|| parsed(&TARGET));
    match side {
        Side::Hub => &HUBS,
        Side::Target => &TARGETS,
    }
}

fn parsed(files: &[&str]) -> Guardrails {
    let objects: Vec<Value> = files.iter().flat_map(|text| documents(text)).collect();
    let of = |kind: &str| objects.iter().filter(|o| o["kind"] == kind).cloned().collect();
    Guardrails {
        policies: of(POLICY),
        bindings: of(BINDING),
        cluster_roles: of(ROLE),
        cluster_role_bindings: of(ROLE_BINDING),
    }
}

/// What of the shipped guardrails is missing or different in `live`, one sentence each; empty when all are in force.
///
/// Everything in a spec counts, also fields this version does not know; what the API server fills in by itself is
/// filled in on both sides. Policies that were added are not looked at: they can only refuse more. Roles and bindings that
/// were added are: by the broker's look at standing bindings.
pub fn guardrail_differences(side: Side, live: &Guardrails) -> Vec<String> {
    let shipped = shipped_guardrails(side);
    let pairs = [
        (POLICY, &shipped.policies, &live.policies),
        (BINDING, &shipped.bindings, &live.bindings),
        (ROLE, &shipped.cluster_roles, &live.cluster_roles),
        (ROLE_BINDING, &shipped.cluster_role_bindings, &live.cluster_role_bindings),
    ];
    let differs = |kind: &str, wanted: &Value, have: &[Value]| {
        let name = wanted["metadata"]["name"].as_str().unwrap_or_default();
        let found = have.iter().find(|one| one["metadata"]["name"] == wanted["metadata"]["name"]);
        let Some(found) = found else { return Some(format!("{kind} {name} is missing")) };
        difference(kind, name, wanted, found)
    };
    let each =
        pairs.iter().flat_map(|(kind, wanted, have)| wanted.iter().map(move |one| differs(kind, one, have)));
    each.flatten().collect()
}

/// What of a ClusterRoleBinding and the ClusterRole behind it, as JSON objects, is not the shipped [`LEAVE`]; `None` when
/// they are exactly that: name, single subject, role and the role's rules.
pub fn leave_difference(binding: &Value, role: &Value) -> Option<String> {
    leave_difference_from(shipped_guardrails(Side::Target), binding, role)
}

fn leave_difference_from(shipped: &Guardrails, binding: &Value, role: &Value) -> Option<String> {
    let (Some(wanted_binding), Some(wanted_role)) =
        (shipped.cluster_role_bindings.first(), shipped.cluster_roles.first())
    else {
        return Some("nothing was shipped to compare with".to_owned());
    };
    if binding["metadata"]["name"] != LEAVE || role["metadata"]["name"] != LEAVE {
        return Some(format!("it is not {LEAVE}"));
    }
    difference(ROLE_BINDING, LEAVE, wanted_binding, binding)
        .or_else(|| difference(ROLE, LEAVE, wanted_role, role))
}

/// How a live object differs from the shipped one of its name, in words.
fn difference(kind: &str, name: &str, wanted: &Value, live: &Value) -> Option<String> {
    if is_going(live) {
        return Some(format!("{kind} {name} is being deleted"));
    }
    let field = if [POLICY, BINDING].contains(&kind) {
        first_difference(&defaulted(&wanted["spec"]), &defaulted(&live["spec"]), "spec")
    } else {
        first_difference(&content(wanted), &content(live), "").map(|at| at.trim_start_matches('.').to_owned())
    };
    field.map(|field| format!("{kind} {name} differs from what was shipped at {field}"))
}

fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// A role or binding without what does not count for its meaning.
fn content(object: &Value) -> Value {
    let mut object = without_nulls(object);
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|field, _| !["apiVersion", "kind", "metadata"].contains(&field.as_str()));
    }
    object
}

/// The manifests that enrol a cluster's broker on the hub, from `deploy/hub/enrol.yaml`.
pub fn enrolment(cluster: &sallyport_model::ClusterName) -> Vec<Value> {
    documents(&ENROL.replace("CLUSTER", cluster.as_str()))
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("the shipped manifests are YAML, which a test sees to")
}

/// A spec with what the API server adds when it stores one, and without nulls.
fn defaulted(spec: &Value) -> Value {
    let mut spec = without_nulls(spec);
    if let Some(fields) = spec.as_object_mut() {
        if fields.contains_key("validations") {
            fields.entry("failurePolicy").or_insert_with(|| json!("Fail"));
        }
        for key in ["matchConstraints", "matchResources"] {
            if let Some(Value::Object(matches)) = fields.get_mut(key) {
                default_matches(matches);
            }
        }
    }
    spec
}

fn default_matches(matches: &mut Map<String, Value>) {
    matches.entry("matchPolicy").or_insert_with(|| json!("Equivalent"));
    matches.entry("namespaceSelector").or_insert_with(|| json!({}));
    matches.entry("objectSelector").or_insert_with(|| json!({}));
    for key in ["resourceRules", "excludeResourceRules"] {
        for rule in matches.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(rule) = rule.as_object_mut() {
                rule.entry("scope").or_insert_with(|| json!("*"));
            }
        }
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), without_nulls(v))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Where two values first differ, as a path for people.
fn first_difference(wanted: &Value, have: &Value, at: &str) -> Option<String> {
    match (wanted, have) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            keys.iter().find_map(|key| {
                let (a, b) = (a.get(*key).unwrap_or(&Value::Null), b.get(*key).unwrap_or(&Value::Null));
                first_difference(a, b, &format!("{at}.{key}"))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| first_difference(a, b, &format!("{at}[{i}]")))
        }
        (a, b) => (a != b).then(|| at.to_owned()),
    }
}

#[cfg(test)]
mod tests;
