//! The guardrails as they were shipped, to hold against what an API server really has (P12, attack 16).

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
pub fn shipped_guardrails(side: Side) -> Guardrails {
    let files: &[&str] = match side {
        Side::Hub => &HUB,
        Side::Target => &TARGET,
    };
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
    // It is asked with every look at the bindings of a target.
    static SHIPPED: LazyLock<Guardrails> = LazyLock::new(|| shipped_guardrails(Side::Target));
    leave_difference_from(&SHIPPED, binding, role)
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
    if !live["metadata"]["deletionTimestamp"].is_null() {
        return Some(format!("{kind} {name} is being deleted"));
    }
    let field = if [POLICY, BINDING].contains(&kind) {
        first_difference(&defaulted(&wanted["spec"]), &defaulted(&live["spec"]), "spec")
    } else {
        first_difference(&content(wanted), &content(live), "").map(|at| at.trim_start_matches('.').to_owned())
    };
    field.map(|field| format!("{kind} {name} differs from what was shipped at {field}"))
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
mod tests {
    use super::*;

    /// As an API server would store what was shipped.
    fn stored(side: Side) -> Guardrails {
        let mut live = shipped_guardrails(side);
        for object in live.policies.iter_mut().chain(&mut live.bindings) {
            object["spec"] = defaulted(&object["spec"]);
            object["metadata"]["uid"] = json!("1");
        }
        for object in live.cluster_roles.iter_mut().chain(&mut live.cluster_role_bindings) {
            object["metadata"]["uid"] = json!("1");
            object["metadata"]["labels"] = json!({"a": "b"});
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
    fn fault_a10_p12_the_one_binding_of_all_sessions_is_compared_with_its_roles_rules() {
        type Edit = fn(&mut Guardrails);
        let edits: [(&str, Edit); 9] = [
            ("ClusterRole sallyport:leave is missing", |g| g.cluster_roles.clear()),
            ("ClusterRoleBinding sallyport:leave is missing", |g| g.cluster_role_bindings.clear()),
            ("policy", |g| g.policies.retain(|p| p["metadata"]["name"] != "sessions-leave.sallyport.dev")),
            ("rules[0].verbs", |g| {
                g.cluster_roles[0]["rules"][0]["verbs"] = json!(["delete", "deletecollection"])
            }),
            ("rules[0].resourceNames", |g| g.cluster_roles[0]["rules"][0]["resourceNames"] = json!(["x"])),
            ("at rules", |g| {
                g.cluster_roles[0]["rules"] =
                    json!([g.cluster_roles[0]["rules"][0], {"verbs": ["get"], "nonResourceURLs": ["*"]}]);
            }),
            ("at aggregationRule", |g| {
                g.cluster_roles[0]["aggregationRule"] = json!({"clusterRoleSelectors": []})
            }),
            ("at subjects", |g| {
                let more = json!({"kind": "User", "name": "mallory"});
                g.cluster_role_bindings[0]["subjects"].as_array_mut().expect("subjects").push(more);
            }),
            ("roleRef.name", |g| g.cluster_role_bindings[0]["roleRef"]["name"] = json!("view")),
        ];
        for (said, edit) in edits {
            let mut live = stored(Side::Target);
            edit(&mut live);
            let found = guardrail_differences(Side::Target, &live);
            let said = if said == "policy" { "sessions-leave.sallyport.dev is missing" } else { said };
            assert!(found.len() == 1 && found[0].contains(said), "{said}: {found:?}");
        }
    }

    #[test]
    fn fault_a10_nothing_near_the_one_binding_is_taken_for_it() {
        let live = stored(Side::Target);
        let (binding, role) = (&live.cluster_role_bindings[0], &live.cluster_roles[0]);
        assert_eq!(leave_difference(binding, role), None);
        let nothing = leave_difference_from(&Guardrails::default(), binding, role);
        assert_eq!(nothing.as_deref(), Some("nothing was shipped to compare with"));
        type Edit = fn(&mut Value, &mut Value);
        let edits: [Edit; 7] = [
            |b, _| b["metadata"]["name"] = json!("sallyport:leaves"),
            |b, _| b["subjects"][0]["name"] = json!("system:serviceaccounts"),
            |b, _| b["subjects"] = json!([b["subjects"][0], b["subjects"][0]]),
            |b, _| b["roleRef"]["kind"] = json!("Role"),
            |_, r| r["metadata"]["name"] = json!("view"),
            |_, r| r["rules"][0]["verbs"] = json!(["*"]),
            |_, r| r["rules"] = json!([]),
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            let (mut binding, mut role) = (binding.clone(), role.clone());
            edit(&mut binding, &mut role);
            assert!(leave_difference(&binding, &role).is_some(), "edit {number}");
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
