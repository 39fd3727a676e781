//! The guardrails as they were shipped, to hold against what an API server really has (P12, attack 16).

use serde_json::{Map, Value, json};

const HUB: [&str; 3] = [
    include_str!("../../../deploy/hub/policies-requests.yaml"),
    include_str!("../../../deploy/hub/policies-status.yaml"),
    include_str!("../../../deploy/hub/policies-system.yaml"),
];
const TARGET: [&str; 3] = [
    include_str!("../../../deploy/target/policies-sessions.yaml"),
    include_str!("../../../deploy/target/policies-reach.yaml"),
    include_str!("../../../deploy/target/policies-broker.yaml"),
];
const ENROL: &str = include_str!("../../../deploy/hub/enrol.yaml");

const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// Which API server the guardrails belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The hub: who may ask, approve, revoke, and write which part of a request.
    Hub,
    /// A target: what the broker may bind, and how far a session reaches.
    Target,
}

/// The policies and bindings of one side, each as the JSON object that is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Guardrails {
    /// `ValidatingAdmissionPolicy` objects.
    pub policies: Vec<Value>,
    /// `ValidatingAdmissionPolicyBinding` objects.
    pub bindings: Vec<Value>,
}

/// The guardrails that this version ships under `deploy/`.
pub fn shipped_guardrails(side: Side) -> Guardrails {
    let files: &[&str] = match side {
        Side::Hub => &HUB,
        Side::Target => &TARGET,
    };
    let objects: Vec<Value> = files.iter().flat_map(|text| documents(text)).collect();
    let of = |kind: &str| objects.iter().filter(|o| o["kind"] == kind).cloned().collect();
    Guardrails { policies: of(POLICY), bindings: of(BINDING) }
}

/// What of the shipped guardrails is missing or different in `live`, one sentence each; empty when all are in force.
///
/// Everything in a spec counts, also fields this version does not know; what the API server fills in by itself is
/// filled in on both sides. Policies that were added are not looked at: they can only refuse more.
pub fn guardrail_differences(side: Side, live: &Guardrails) -> Vec<String> {
    let shipped = shipped_guardrails(side);
    let pairs = [(POLICY, &shipped.policies, &live.policies), (BINDING, &shipped.bindings, &live.bindings)];
    let mut found = Vec::new();
    for (kind, wanted, have) in pairs {
        for object in wanted {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            match have.iter().find(|o| o["metadata"]["name"] == object["metadata"]["name"]) {
                None => found.push(format!("{kind} {name} is missing")),
                Some(one) if !one["metadata"]["deletionTimestamp"].is_null() => {
                    found.push(format!("{kind} {name} is being deleted"));
                }
                Some(one) => {
                    let (wanted, have) = (defaulted(&object["spec"]), defaulted(&one["spec"]));
                    if let Some(field) = first_difference(&wanted, &have, "spec") {
                        found.push(format!("{kind} {name} differs from what was shipped at {field}"));
                    }
                }
            }
        }
    }
    found
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
mod tests {
    use super::*;

    /// As an API server would store what was shipped.
    fn stored(side: Side) -> Guardrails {
        let mut live = shipped_guardrails(side);
        for object in live.policies.iter_mut().chain(&mut live.bindings) {
            object["spec"] = defaulted(&object["spec"]);
            object["metadata"]["uid"] = json!("1");
        }
        live
    }

    #[test]
    fn p12_every_policy_is_shipped_with_a_binding_that_denies() {
        for (side, least) in [(Side::Hub, 8), (Side::Target, 8)] {
            let shipped = shipped_guardrails(side);
            assert!(shipped.policies.len() >= least, "{side:?}: {}", shipped.policies.len());
            for policy in &shipped.policies {
                let name = &policy["metadata"]["name"];
                assert_eq!(policy["spec"]["failurePolicy"], "Fail", "{name}");
                let binding = shipped.bindings.iter().find(|b| &b["spec"]["policyName"] == name);
                assert_eq!(binding.expect("bound")["spec"]["validationActions"], json!(["Deny"]), "{name}");
            }
        }
    }

    #[test]
    fn p12_what_was_shipped_is_recognised_and_every_change_is_named() {
        for side in [Side::Hub, Side::Target] {
            assert_eq!(guardrail_differences(side, &stored(side)), Vec::<String>::new());
            type Edit = fn(&mut Guardrails);
            let edits: [(&str, Edit); 6] = [
                ("spec.matchConditions", |g| {
                    g.policies[0]["spec"]["matchConditions"] =
                        json!([{"name": "only-dry", "expression": "request.dryRun"}]);
                }),
                ("spec.failurePolicy", |g| g.policies[1]["spec"]["failurePolicy"] = json!("Ignore")),
                ("expression", |g| g.policies[1]["spec"]["validations"][0]["expression"] = json!("true")),
                ("spec.validationActions[0]", |g| {
                    g.bindings[2]["spec"]["validationActions"] = json!(["Warn"])
                }),
                ("is missing", |g| drop(g.bindings.remove(0))),
                ("spec.newKnob", |g| g.policies[2]["spec"]["newKnob"] = json!(true)),
            ];
            for (said, edit) in edits {
                let mut live = stored(side);
                edit(&mut live);
                let found = guardrail_differences(side, &live);
                assert!(found.len() == 1 && found[0].contains(said), "{side:?} {said}: {found:?}");
            }
        }
    }

    /// A request for a whole collection, and one with generateName, carry no name: a rule that goes by it errs, and
    /// refuses or passes for a reason of its own. Only subresources always have one.
    #[test]
    fn fault_e7_no_rule_goes_by_the_name_in_the_request_where_there_may_be_none() {
        for side in [Side::Hub, Side::Target] {
            for policy in shipped_guardrails(side).policies {
                let spec = policy["spec"].to_string().replace("request.namespace", "");
                let rules = policy["spec"]["matchConstraints"]["resourceRules"].as_array().cloned();
                let subresources = rules.unwrap_or_default().iter().all(|rule| {
                    let resources = rule["resources"].as_array().into_iter().flatten();
                    resources.filter_map(Value::as_str).all(|resource| resource.contains('/'))
                });
                let name = &policy["metadata"]["name"];
                assert!(subresources || !spec.contains("request.name"), "{name} reads request.name");
            }
        }
    }

    #[test]
    fn enrolment_names_the_cluster_and_nothing_else() {
        let manifests = enrolment(&"payments-eu-1".parse().expect("a name"));
        assert_eq!(manifests.len(), 5);
        let text = serde_json::to_string(&manifests).expect("JSON");
        assert!(text.contains("payments-eu-1") && !text.contains("CLUSTER"));
    }
}
