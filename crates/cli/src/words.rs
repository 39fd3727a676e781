//! Subjects, severities and bindings, said for people.

use sallyport_model::{clip, visible};
use sallyport_posture::{Object, Severity};
use sallyport_rbac::Rule;
use sallyport_rbac::who::{Binding, Role, Subject};

/// A text of a cluster, for a terminal.
pub(crate) fn shown(text: &str) -> String {
    clip(&visible(text), 200)
}

pub(crate) fn subject(subject: &Subject) -> String {
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => format!("service account {} of {}", shown(name), shown(namespace)),
        (Subject::Group(name), _) => format!("group {}", shown(name)),
        (Subject::User(name), _) => format!("user {}", shown(name)),
    }
}

pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}

/// `RoleBinding payments/devs`.
pub(crate) fn object(object: &Object) -> String {
    named(object.kind, object.namespace.as_deref(), &object.name)
}

pub(crate) fn named(kind: &str, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{kind} {}/{}", shown(namespace), shown(name)),
        None => format!("{kind} {}", shown(name)),
    }
}

pub(crate) fn binding(binding: &Binding) -> String {
    let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    named(kind, binding.namespace.as_deref(), &binding.name)
}

pub(crate) fn role(role: &Role) -> String {
    let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
    named(kind, None, &role.name)
}

/// `get, list on pods, pods/log (names: a)`.
pub(crate) fn rule(rule: &Rule) -> String {
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

/// `1 finding`, `2 findings`.
pub(crate) fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
