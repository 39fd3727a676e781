//! Subjects, severities and bindings, said for people.

use sallyport_model::{clip, visible};
use sallyport_posture::{Evidence, Object, Severity};
use sallyport_rbac::Rule;
use sallyport_rbac::propose::Added;
use sallyport_rbac::who::{Binding, Role, Subject};

/// A text of a cluster, for a terminal.
pub fn shown(text: &str) -> String {
    clip(&visible(text), 200)
}

/// `service account deployer of ci`, `group devs`, `user dana`.
pub fn subject(subject: &Subject) -> String {
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => format!("service account {} of {}", shown(name), shown(namespace)),
        (Subject::Group(name), _) => format!("group {}", shown(name)),
        (Subject::User(name), _) => format!("user {}", shown(name)),
    }
}

/// `critical`.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}

/// `RoleBinding payments/devs`.
pub fn object(object: &Object) -> String {
    named(object.kind, object.namespace.as_deref(), &object.name)
}

/// An object by its parts, as [`object`] says it.
pub fn named(kind: &str, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{kind} {}/{}", shown(namespace), shown(name)),
        None => format!("{kind} {}", shown(name)),
    }
}

/// `ClusterRoleBinding admins`.
pub fn binding(binding: &Binding) -> String {
    let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    named(kind, binding.namespace.as_deref(), &binding.name)
}

/// `ClusterRole edit`.
pub fn role(role: &Role) -> String {
    let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
    named(kind, None, &role.name)
}

/// `get, list on pods, pods/log (names: a)`.
pub fn rule(rule: &Rule) -> String {
    let list = |all: &[String]| clip(&visible(&all.join(", ")), 160);
    let mut text = format!("{} on ", list(&rule.verbs));
    if rule.resources.is_empty() {
        text.push_str(&list(&rule.non_resource_urls));
    } else {
        let groups: Vec<String> = rule.api_groups.iter().filter(|group| !group.is_empty()).cloned().collect();
        text.push_str(&list(&rule.resources));
        if !groups.is_empty() {
            text.push_str(&format!(" of {}", list(&groups)));
        }
    }
    if !rule.resource_names.is_empty() {
        text.push_str(&format!(" named {}", list(&rule.resource_names)));
    }
    text
}

/// What of a proposed role no call had, on one line: `get configmaps in pay: why (the names, 2 more)`.
pub fn added(added: &Added) -> String {
    let place = added.namespace.as_ref().map_or(String::new(), |name| format!(" in {}", shown(name)));
    let mut names: Vec<String> = added.names.iter().map(|name| shown(name)).collect();
    match added.names_in_all.saturating_sub(names.len()) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    format!("{} {}{place}: {}{names}", added.verb, shown(&added.resource), added.because.words())
}

/// `RoleBinding payments/devs and ClusterRole edit, rule 2`.
pub fn evidence(evidence: &Evidence) -> String {
    let role = object(&evidence.role);
    let rule = evidence.rule.map_or(String::new(), |rule| format!(", rule {}", rule + 1));
    match &evidence.binding {
        Some(binding) => format!("{} and {role}{rule}", object(binding)),
        None => format!("{role}{rule}, once it is bound"),
    }
}

/// `1 finding`, `2 findings`.
pub fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_rbac::propose::Because;

    #[test]
    fn what_is_for_all_says_what_was_named_and_no_name_starts_a_line() {
        let names = ["a\n- verbs: [\"*\"]".to_owned(), "b\u{202e}".to_owned()].to_vec();
        let added = Added {
            namespace: Some("pay".to_owned()),
            verb: "get".to_owned(),
            resource: "configmaps".to_owned(),
            because: Because::AllNames,
            names,
            names_in_all: 7,
        };
        let told = super::added(&added);
        assert!(told.starts_with("get configmaps in pay: ") && told.ends_with(", 5 more)"), "{told}");
        assert!(!told.contains(['\n', '\u{202e}']), "{told}");
    }
}
