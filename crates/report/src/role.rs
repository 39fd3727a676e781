//! Proposed roles as kubectl takes them. Names from logs are texts there and break out of nothing.

use sallyport_posture::yaml::{Yaml, document};
use sallyport_rbac::Rule;

/// The API group of roles and bindings.
pub const RBAC: &str = "rbac.authorization.k8s.io";

/// Fields of an object, in their order.
pub type Fields = Vec<(&'static str, Yaml)>;

/// A `Role` in a namespace, or a `ClusterRole`, as a document of YAML.
pub fn role(kind: &str, name: &str, namespace: Option<&str>, rules: &[Rule]) -> String {
    let rules = rules.iter().map(rule).collect();
    object(kind, name, namespace, vec![("rules", Yaml::List(rules))])
}

/// One rule as it stands in a role's list, line by line.
pub fn rule_lines(rule: &Rule) -> Vec<String> {
    let text = role("ClusterRole", "a", None, std::slice::from_ref(rule));
    text.lines().skip_while(|line| *line != "rules:").skip(1).map(str::to_owned).collect()
}

/// An object of [`RBAC`] with what is behind its name, as a document of YAML.
pub fn object(kind: &str, name: &str, namespace: Option<&str>, mut rest: Fields) -> String {
    let mut meta = vec![("name", Yaml::from(name))];
    meta.extend(namespace.map(|namespace| ("namespace", Yaml::from(namespace))));
    let mut fields: Fields = vec![
        ("apiVersion", format!("{RBAC}/v1").into()),
        ("kind", kind.into()),
        ("metadata", Yaml::Map(meta)),
    ];
    fields.append(&mut rest);
    document(&fields)
}

fn rule(rule: &Rule) -> Fields {
    let line = |list: &[String]| Yaml::Line(list.to_vec());
    let mut fields = Vec::new();
    if rule.non_resource_urls.is_empty() {
        fields.push(("apiGroups", line(&rule.api_groups)));
        fields.push(("resources", line(&rule.resources)));
    } else {
        fields.push(("nonResourceURLs", line(&rule.non_resource_urls)));
    }
    if !rule.resource_names.is_empty() {
        fields.push(("resourceNames", line(&rule.resource_names)));
    }
    fields.push(("verbs", line(&rule.verbs)));
    fields
}
