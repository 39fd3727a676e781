//! What was used of what was granted, and a role that would have been enough. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What was used of one resource in one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// The verbs that were allowed.
    pub(super) verbs: BTreeSet<String>,
    /// How often.
    pub(super) times: u64,
    /// How often it was refused.
    pub(super) denied: u64,
}

/// By resource, as kubectl writes it with its subresource, and namespace.
pub(super) type ByResource = BTreeMap<(String, String), Used>;

/// Notes one call.
pub(super) fn note(
    used: &mut ByResource,
    resource: &str,
    subresource: &str,
    namespace: &str,
    verb: &str,
    is_denied: bool,
) {
    if resource.is_empty() || verb.is_empty() {
        return;
    }
    let name = if subresource.is_empty() { resource.to_owned() } else { format!("{resource}/{subresource}") };
    let one = used.entry((name, namespace.to_owned())).or_default();
    one.times += 1;
    if is_denied {
        one.denied += 1;
    } else {
        one.verbs.insert(verb.to_owned());
    }
}

/// A rule: API group, verbs, resources.
type Rules = BTreeMap<(String, BTreeSet<String>), BTreeSet<String>>;

/// A Role for each namespace, and a ClusterRole for what is in none, as YAML, with how many rules they have; none where
/// nothing was used. What was refused is not in it.
pub(super) fn role(used: &ByResource, name: &str) -> Option<(String, u32)> {
    let mut by_namespace: BTreeMap<&str, Rules> = BTreeMap::new();
    for ((resource, namespace), one) in used.iter().filter(|(_, one)| !one.verbs.is_empty()) {
        // A namespace's own name stands where others have theirs.
        let namespace = if resource == "namespaces" { "" } else { namespace.as_str() };
        let (kind, below) = resource.split_once('/').unwrap_or((resource, ""));
        let (plain, group) = kind.split_once('.').unwrap_or((kind, ""));
        let plain = if below.is_empty() { plain.to_owned() } else { format!("{plain}/{below}") };
        let rules = by_namespace.entry(namespace).or_default();
        rules.entry((group.to_owned(), one.verbs.clone())).or_default().insert(plain);
    }
    let mut out = String::new();
    let mut count = 0;
    for (namespace, rules) in &by_namespace {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        let kind = if namespace.is_empty() { "ClusterRole" } else { "Role" };
        // Writing to a String never fails.
        let _ = write!(
            out,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {}\n",
            quoted(name)
        );
        if !namespace.is_empty() {
            let _ = writeln!(out, "  namespace: {}", quoted(namespace));
        }
        out.push_str("rules:\n");
        for ((group, verbs), resources) in rules {
            count += 1;
            let _ = write!(
                out,
                "- apiGroups: [{}]\n  resources: [{}]\n  verbs: [{}]\n",
                quoted(group),
                listed(resources),
                listed(verbs)
            );
        }
    }
    (count > 0).then_some((out, count))
}

fn listed(texts: &BTreeSet<String>) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

/// A YAML scalar that nothing can break out of: JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    let text = sallyport_model::visible(text);
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_holds_what_was_allowed_and_nothing_else() {
        let mut used = ByResource::new();
        for (resource, sub, namespace, verb, denied) in [
            ("deployments.apps", "", "pay", "get", false),
            ("deployments.apps", "", "pay", "patch", false),
            ("replicasets.apps", "", "pay", "list", false),
            ("statefulsets.apps", "", "pay", "list", false),
            ("pods", "exec", "pay", "create", false),
            ("secrets", "", "pay", "get", true),
            ("nodes", "", "", "list", false),
            ("namespaces", "", "pay", "get", false),
            ("", "", "", "get", false),
        ] {
            note(&mut used, resource, sub, namespace, verb, denied);
        }
        let (yaml, rules) = role(&used, "operate-less").unwrap();
        assert_eq!(rules, 5, "{yaml}");
        assert!(!yaml.contains("secrets"), "what was refused is not granted: {yaml}");
        let roles: Vec<serde_json::Value> =
            serde_saphyr::from_multiple(&yaml).expect("it is YAML that others read");
        assert_eq!(roles.len(), 2);
        assert_eq!(
            (roles[0]["kind"].as_str(), roles[1]["kind"].as_str()),
            (Some("ClusterRole"), Some("Role"))
        );
        assert_eq!(roles[1]["metadata"]["namespace"], "pay");
        let rules = roles[1]["rules"].as_array().unwrap();
        let of_apps = rules.iter().find(|rule| rule["resources"][0] == "replicasets").unwrap();
        assert_eq!(of_apps["resources"], serde_json::json!(["replicasets", "statefulsets"]));
        assert!(rules.iter().any(|rule| rule["resources"][0] == "pods/exec" && rule["apiGroups"][0] == ""));
    }

    #[test]
    fn a_name_from_a_log_breaks_out_of_nothing() {
        let mut used = ByResource::new();
        note(&mut used, "pods\"]\n- apiGroups: [\"*\"]", "", "a\nkind: x", "get\"]", false);
        let (yaml, _) = role(&used, "x\": y").unwrap();
        let roles: Vec<serde_json::Value> = serde_saphyr::from_multiple(&yaml).unwrap();
        assert_eq!(roles.len(), 1);
        assert_eq!(roles[0]["rules"].as_array().unwrap().len(), 1, "{yaml}");
        assert!(role(&ByResource::new(), "x").is_none());
    }
}
