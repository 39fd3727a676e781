//! The hub's policies as sets with numbers: hub, brokers and desktops are not upgraded in the same moment, so that a broker
//! meets the set it was shipped with, the one before, or the one after.

use super::{
    BINDING, Guardrails, POLICY, Side, defaulted, guardrail_differences, is_going, shipped_guardrails,
};
use sallyport_model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

/// The number of the hub's set that this version ships. A set that was released never changes: what comes after it has the
/// next number (CONTRIBUTING.md, "Change the hub's policies").
pub const HUB_SET: u32 = 2;

/// The annotation with the number of the set an object belongs to. The first set had none.
pub const SET: &str = "access.sallyport.dev/set";

/// The set before: what the last release wrote down of itself.
const BEFORE: &str = include_str!("../../../../deploy/hub/sets/1.yaml");

/// A set in short, as it is kept for the version after: each object by its kind and name, with the digest of its spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// Its number.
    pub set: u32,
    /// SHA-256 of each spec as an API server stores it, in hex, by `<kind> <name>`.
    pub objects: BTreeMap<String, String>,
}

/// Which set a hub has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubSet {
    /// The one that this version ships, field by field.
    Own,
    /// The one before, digest by digest. It holds nobody to what came since.
    Before,
    /// The one after. What its rules say is not known here: only that they are all there, are bound, and deny.
    After,
}

impl HubSet {
    /// Its number.
    pub fn number(self) -> u32 {
        match self {
            Self::Own => HUB_SET,
            Self::Before => HUB_SET - 1,
            Self::After => HUB_SET + 1,
        }
    }
}

/// Which set `live` is: whole, for objects of two sets together hold nobody to either.
///
/// # Errors
/// What differs from this version's own set, one sentence each, where it is no set that is known here.
pub fn hub_set(live: &Guardrails) -> Result<HubSet, Vec<String>> {
    let differences = guardrail_differences(Side::Hub, live);
    if differences.is_empty() {
        Ok(HubSet::Own)
    } else if is_of(before(), live) {
        Ok(HubSet::Before)
    } else if is_after(live) {
        Ok(HubSet::After)
    } else {
        Err(differences)
    }
}

/// The shipped set in short.
pub fn hub_outline() -> Outline {
    Outline { set: HUB_SET, objects: digests(shipped_guardrails(Side::Hub)) }
}

fn digests(guardrails: &Guardrails) -> BTreeMap<String, String> {
    let of = |kind: &'static str, object: &Value| {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let mut spec = String::new();
        write_sorted(&defaulted(&object["spec"]), &mut spec);
        (format!("{kind} {name}"), Digest::of(spec.as_bytes()).to_string())
    };
    let policies = guardrails.policies.iter().map(|object| of(POLICY, object));
    policies.chain(guardrails.bindings.iter().map(|object| of(BINDING, object))).collect()
}

fn before() -> &'static Outline {
    static OUTLINE: LazyLock<Outline> = LazyLock::new(|| {
        serde_saphyr::from_str(BEFORE).expect("the outline of the set before is YAML, which a test sees to")
    });
    &OUTLINE
}

fn is_of(outline: &Outline, live: &Guardrails) -> bool {
    let there = digests(&standing(live));
    outline.objects.iter().all(|(name, digest)| there.get(name) == Some(digest))
}

/// Whether all that this version knows by name says of itself that it is of the next set, is bound and denies.
fn is_after(live: &Guardrails) -> bool {
    let next = (HUB_SET + 1).to_string();
    let (shipped, live) = (shipped_guardrails(Side::Hub), standing(live));
    let found = |have: &[Value], wanted: &Value, is_fit: &dyn Fn(&Value, &Value) -> bool| {
        have.iter().any(|one| {
            one["metadata"]["name"] == wanted["metadata"]["name"]
                && one["metadata"]["annotations"][SET] == next.as_str()
                && is_fit(&defaulted(&one["spec"]), &defaulted(&wanted["spec"]))
        })
    };
    let each = |spec: &Value, at: &str| spec[at].as_array().cloned().unwrap_or_default();
    // It watches at least what this version's does, in the same places and under no condition that this one's has not, fails
    // closed, and says something.
    let watches = |spec: &Value, wanted: &Value| {
        let rules = |spec: &Value| each(&spec["matchConstraints"], "resourceRules");
        let elsewhere = |spec: &Value| {
            let mut constraints = spec["matchConstraints"].clone();
            constraints["resourceRules"] = Value::Null;
            constraints
        };
        spec["failurePolicy"] == "Fail"
            && spec["paramKind"] == wanted["paramKind"]
            && elsewhere(spec) == elsewhere(wanted)
            && rules(wanted).iter().all(|rule| rules(spec).contains(rule))
            && each(spec, "matchConditions").iter().all(|one| each(wanted, "matchConditions").contains(one))
            && each(spec, "validations").len() >= each(wanted, "validations").len()
    };
    let denies = |spec: &Value, wanted: &Value| {
        ["policyName", "matchResources", "paramRef"].iter().all(|at| spec[at] == wanted[at])
            && each(spec, "validationActions").contains(&"Deny".into())
    };
    shipped.policies.iter().all(|wanted| found(&live.policies, wanted, &watches))
        && shipped.bindings.iter().all(|wanted| found(&live.bindings, wanted, &denies))
}

/// What is not on its way out.
fn standing(live: &Guardrails) -> Guardrails {
    let of = |objects: &[Value]| objects.iter().filter(|one| !is_going(one)).cloned().collect();
    Guardrails { policies: of(&live.policies), bindings: of(&live.bindings), ..Guardrails::default() }
}

/// JSON with its keys in order, whatever order the library keeps them in.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            out.push('{');
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            for (key, value) in sorted {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
