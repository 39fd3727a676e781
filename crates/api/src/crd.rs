use crate::{AccessCluster, AccessGrant, AccessHold, AccessPreview, AccessProfile, AccessRequest};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

/// The CRDs of a hub.
pub fn hub_crds() -> Vec<CustomResourceDefinition> {
    vec![
        finished(AccessCluster::crd()),
        finished(AccessHold::crd()),
        finished(AccessPreview::crd()),
        finished(AccessProfile::crd()),
        finished(AccessRequest::crd()),
    ]
}

/// The CRD of a target.
pub fn grant_crd() -> CustomResourceDefinition {
    finished(AccessGrant::crd())
}

/// Adds what the derive can't say: the spec's immutability, rules over several fields, list types, atomic maps.
fn finished(crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let kind = crd.spec.names.kind.clone();
    let mut crd = serde_json::to_value(crd).expect("a CRD serialises");
    let schema = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    plain(schema);
    // Without this the spec could be dropped or added later, and `self == oldSelf` would not be asked.
    schema["required"] = json!(["spec"]);
    let mut set = |path: &str, key: &str, value: Value| {
        let field = schema.pointer_mut(path).unwrap_or_else(|| panic!("{kind} has no schema at {path}"));
        field[key] = value;
    };
    match kind.as_str() {
        "AccessRequest" => {
            set("/properties/spec", "x-kubernetes-validations", json!([immutable()]));
            set("/properties/spec/properties/groups", "x-kubernetes-list-type", json!("set"));
            set("/properties/spec/properties/namespaces", "x-kubernetes-list-type", json!("set"));
            // One field to whoever manages fields, as admission wants each of a request's to be.
            set("/properties/spec/properties/history", "x-kubernetes-map-type", json!("atomic"));
            set("/properties/status/properties/approvals", "x-kubernetes-list-type", json!("map"));
            set("/properties/status/properties/approvals", "x-kubernetes-list-map-keys", json!(["by"]));
            set("/properties/status/properties/conditions", "x-kubernetes-list-type", json!("map"));
            set("/properties/status/properties/conditions", "x-kubernetes-list-map-keys", json!(["type"]));
            set("/properties/status/properties/jtis", "x-kubernetes-list-type", json!("set"));
            set(
                "/properties/status/properties/reaffirmed/properties/groups",
                "x-kubernetes-list-type",
                json!("set"),
            );
            set(
                "/properties/status/properties/approvals/items/properties/limits/properties/namespaces",
                "x-kubernetes-list-type",
                json!("set"),
            );
            for atomic in ["denial", "revocation", "offer", "grant", "given", "autoApproval", "reaffirmed"] {
                set(
                    &format!("/properties/status/properties/{atomic}"),
                    "x-kubernetes-map-type",
                    json!("atomic"),
                );
            }
        }
        "AccessGrant" => {
            set("/properties/spec", "x-kubernetes-validations", json!([immutable()]));
            set("/properties/spec/properties/namespaces", "x-kubernetes-list-type", json!("set"));
            set("/properties/spec/properties/roles", "x-kubernetes-list-type", json!("set"));
        }
        "AccessHold" => {
            set("/properties/spec", "x-kubernetes-validations", json!([immutable(), one_thing_held()]));
        }
        "AccessProfile" => {
            set("/properties/spec", "x-kubernetes-validations", profile_rules());
            set("/properties/spec/properties/namespaces", "x-kubernetes-list-type", json!("set"));
            set("/properties/spec/properties/roles", "x-kubernetes-list-type", json!("set"));
            let autos = "/properties/spec/properties/autoApprovals";
            set(autos, "x-kubernetes-list-type", json!("map"));
            set(autos, "x-kubernetes-list-map-keys", json!(["name"]));
            for list in ["groups", "days", "namespaces"] {
                set(&format!("{autos}/items/properties/{list}"), "x-kubernetes-list-type", json!("set"));
            }
            set(&format!("{autos}/items"), "x-kubernetes-validations", auto_approval_rules());
        }
        _ => {}
    }
    serde_json::from_value(crd).expect("the finished CRD is still one")
}

/// Drops what schemars adds and Kubernetes does not know (`uint8`, `uint32`) or what would open a second way to say "absent":
/// a nullable field could hold an explicit null, which guardrails would have to tell from a missing one.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            // Only where these are keywords: a property called `format` is an object, not a boolean or a word.
            if fields.get("nullable").is_some_and(Value::is_boolean) {
                fields.remove("nullable");
            }
            if fields.get("format").and_then(Value::as_str).is_some_and(|word| word.starts_with("uint")) {
                fields.remove("format");
            }
            fields.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn immutable() -> Value {
    json!({"rule": "self == oldSelf", "message": "spec is immutable"})
}

fn one_thing_held() -> Value {
    json!({
        "rule": "(has(self.user) ? 1 : 0) + (has(self.cluster) ? 1 : 0) + (has(self.everything) && self.everything ? 1 : 0) == 1 && (!has(self.everything) || self.everything)",
        "message": "a hold is on one thing: user, cluster or everything: true",
    })
}

/// What a profile may promise at all; admission refuses the rest when it is written, not when it is used.
fn profile_rules() -> Value {
    json!([
        {
            "rule": "duration(self.maxDuration) >= duration('15m') && duration(self.maxDuration) <= duration('12h')",
            "message": "maxDuration must be from 15m to 12h",
        },
        {
            "rule": "!has(self.namespaces) || self.namespaces.all(n, !n.startsWith('kube-') && !n.startsWith('sallyport-'))",
            "message": "namespaces may not name kube-* or sallyport-*: no session reaches them",
        },
        {
            "rule": "!has(self.mfa) || (has(self.mfa.acr) && size(self.mfa.acr) > 0) || (has(self.mfa.amr) && size(self.mfa.amr) > 0) || has(self.mfa.maxAge)",
            "message": "mfa asks for nothing: name acr, amr or maxAge, or leave mfa out",
        },
        {
            "rule": "!has(self.mfa) || !has(self.mfa.maxAge) || duration(self.mfa.maxAge) > duration('0s')",
            "message": "mfa.maxAge must be longer than nothing",
        },
        {
            "rule": "!has(self.autoApprovals) || size(self.autoApprovals) == 0 || (has(self.approvals) && self.approvals > 0)",
            "message": "autoApprovals stand for approvals, and this profile needs none",
        },
        {
            "rule": "!has(self.maxPerDay) || (duration(self.maxPerDay) >= duration(self.maxDuration) && duration(self.maxPerDay) <= duration('24h'))",
            "message": "maxPerDay must be from maxDuration to 24h",
        },
        {
            "rule": "!has(self.autoApprovals) || self.autoApprovals.all(a, !has(a.maxDuration) || duration(a.maxDuration) <= duration(self.maxDuration))",
            "message": "an autoApproval's maxDuration is not longer than the profile's",
        },
        {
            "rule": "!has(self.autoApprovals) || !has(self.namespaces) || size(self.namespaces) == 0 || self.autoApprovals.all(a, !has(a.namespaces) || a.namespaces.all(n, n in self.namespaces))",
            "message": "an autoApproval's namespaces are among the profile's",
        },
        {
            "rule": "!has(self.reaffirm) || (duration(self.reaffirm.every) >= duration('5m') && duration(self.reaffirm.grace) >= duration('1m'))",
            "message": "reaffirm.every must be 5m or more, and reaffirm.grace 1m or more",
        },
        {
            "rule": "!has(self.reaffirm) || duration(self.reaffirm.every) + duration(self.reaffirm.grace) <= duration('12h')",
            "message": "reaffirm.every and reaffirm.grace must be 12h or less together: no session lasts longer",
        },
    ])
}

/// What one autoApproval must say. The CRD's bounds keep every list in it from being empty.
fn auto_approval_rules() -> Value {
    json!([
        {
            "rule": "has(self.groups) || has(self.days) || has(self.hours) || has(self.maxDuration) || has(self.namespaces) || has(self.perDay)",
            "message": "an autoApproval without a condition would let everything through",
        },
        {
            "rule": "(has(self.days) || has(self.hours)) == has(self.zone)",
            "message": "days and hours need a zone, and a zone needs days or hours",
        },
        {
            "rule": "!has(self.hours) || (self.hours.substring(0, 5) != self.hours.substring(6) && self.hours.substring(6) != '00:00')",
            "message": "hours must end at another time than they begin, and at the end of a day at 24:00",
        },
        {
            "rule": "!has(self.maxDuration) || duration(self.maxDuration) >= duration('15m')",
            "message": "an autoApproval's maxDuration is at least 15m",
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas() -> Vec<(String, Value)> {
        let crds = hub_crds().into_iter().chain([grant_crd()]);
        crds.map(|crd| {
            let value = serde_json::to_value(&crd).expect("JSON");
            (crd.spec.names.kind, value["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone())
        })
        .collect()
    }

    /// What admission may have to look at has to be bounded, or its cost is not.
    fn unbounded(schema: &Value, at: &str, found: &mut Vec<String>) {
        match schema["type"].as_str() {
            Some("string") => {
                let bounded = ["maxLength", "enum"].iter().any(|key| !schema[*key].is_null());
                if !bounded && schema["format"] != "date-time" {
                    found.push(at.to_owned());
                }
            }
            Some("array") => {
                if schema["maxItems"].is_null() {
                    found.push(at.to_owned());
                }
                unbounded(&schema["items"], &format!("{at}[]"), found);
            }
            Some("object") => {
                for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                    unbounded(field, &format!("{at}.{name}"), found);
                }
                if !schema["additionalProperties"].is_null()
                    || !schema["x-kubernetes-preserve-unknown-fields"].is_null()
                {
                    found.push(format!("{at}.*"));
                }
            }
            Some("boolean" | "integer") => {}
            other => found.push(format!("{at}: {other:?}")),
        }
    }

    #[test]
    fn every_field_has_a_bound() {
        for (kind, schema) in schemas() {
            let mut found = Vec::new();
            unbounded(&schema, &kind, &mut found);
            assert_eq!(found, Vec::<String>::new());
        }
    }

    #[test]
    fn no_field_can_hold_an_explicit_null() {
        for (kind, schema) in schemas() {
            assert!(!schema.to_string().contains("\"nullable\":true"), "{kind}");
        }
    }

    #[test]
    fn the_committed_crds_are_those_of_the_types() {
        let committed = [
            (hub_crds(), include_str!("../../../deploy/hub/crds.yaml")),
            (vec![grant_crd()], include_str!("../../../deploy/target/crds.yaml")),
        ];
        for (crds, text) in committed {
            let committed: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
            let generated: Vec<Value> =
                crds.iter().map(|crd| serde_json::to_value(crd).expect("JSON")).collect();
            let names =
                |list: &[Value]| list.iter().map(|c| c["metadata"]["name"].to_string()).collect::<Vec<_>>();
            assert_eq!(names(&committed), names(&generated));
            assert!(committed == generated, "deploy/ is not what the types say; run `make codegen`");
        }
    }
}
