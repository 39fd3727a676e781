//! What is wrong with a binding by itself: whom it names, and whether its role is there.

use super::Finding;
use crate::evidence::{Evidence, Object, role_kind};
use crate::graph::Node;
use crate::ground::{Ground, Origin, binding_object, object, said};
use crate::severity::Severity;
use crate::snapshot::{BindingObject, Kind, SYSTEM_NAMESPACES};
use sallyport_model::{clip, visible};
use sallyport_rbac::who::{AUTHENTICATED, Binding, MASTERS, RoleRef, Subject, UNAUTHENTICATED};
use std::collections::HashSet;
use std::sync::Arc;

fn shown(text: &str) -> String {
    clip(&visible(text), 80)
}

fn role(binding: &Binding) -> Object {
    let namespace = match binding.role {
        RoleRef::Role(_) => binding.namespace.clone(),
        RoleRef::ClusterRole(_) | RoleRef::Other(_) => None,
    };
    object(role_kind(&binding.role), namespace, binding.role.name(), None)
}

fn finding(
    check: &'static str,
    (binding, own): (&Binding, Arc<Object>),
    subject: Option<&Subject>,
    severity: Severity,
    origin: Origin,
    what: &str,
) -> Finding {
    Finding {
        check,
        inert: false,
        severity,
        subject: subject.cloned(),
        namespaces: binding.namespace.clone().map(|own| vec![own]),
        evidence: vec![Evidence {
            binding: Some(Arc::clone(&own)),
            role: Arc::new(role(binding)),
            rule: None,
        }],
        said: format!(
            "{} {}{} {what} ({} {}).",
            own.kind,
            shown(&binding.name),
            binding.namespace.as_deref().map(|own| format!(" in {}", shown(own))).unwrap_or_default(),
            role_kind(&binding.role),
            shown(binding.role.name()),
        ),
        object: Some(Object::clone(&own)),
        origin,
    }
}

/// A binding of the index, and what it says of itself.
fn of<'b>(ground: &Ground<'_>, at: usize, binding: &'b Binding) -> (&'b Binding, Arc<Object>) {
    (binding, ground.object(at).unwrap_or_else(|| Arc::new(binding_object(binding, None))))
}

/// The same with which state of its role was read.
fn with_role(mut found: Finding, role: Option<Arc<Object>>) -> Finding {
    if let (Some(evidence), Some(role)) = (found.evidence.first_mut(), role) {
        evidence.role = role;
    }
    found
}

/// A finding for each binding that gives something to a subject that `names`.
fn naming(
    ground: &Ground<'_>,
    check: &'static str,
    names: impl Fn(&Subject) -> bool,
    weigh: impl Fn(&Binding, usize, &Subject) -> Severity,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, (binding, place)) in ground.rights.rbac.bindings().iter().enumerate() {
        let Some(role) = ground.rights.role(*place) else { continue };
        for subject in binding.subjects.iter().filter(|subject| names(subject)) {
            let mut severity = weigh(binding, *place, subject);
            if role.rules.is_empty() {
                severity = Severity::Low;
            }
            let what = format!("gives something to {}", said(subject));
            let found =
                finding(check, of(ground, at, binding), Some(subject), severity, ground.origin(at), &what);
            findings.push(with_role(found, ground.role_object(*place)));
        }
    }
    findings
}

fn is_group(subject: &Subject, name: &str) -> bool {
    matches!(subject, Subject::Group(own) if own == name)
}

/// Whether everything can be reached from what this subject holds.
fn reaches_all(ground: &Ground<'_>, subject: &Subject) -> bool {
    ground
        .rights
        .subject(subject)
        .and_then(|at| ground.graph.at(Node::Subject(at)))
        .is_some_and(|node| ground.reach.is_critical(node))
}

/// How bad it is that a binding names somebody who should be given nothing, by where it holds and where that leads.
fn by_reach(ground: &Ground<'_>, binding: &Binding, subject: &Subject) -> Severity {
    if reaches_all(ground, subject) {
        Severity::Critical
    } else if binding.namespace.is_none() {
        Severity::High
    } else {
        Severity::Medium
    }
}

/// RB-26.
pub(super) fn masters(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    naming(ground, check, |subject| is_group(subject, MASTERS), |_, _, _| Severity::High)
}

/// RB-27.
pub(super) fn anonymous(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let names = |subject: &Subject| {
        is_group(subject, UNAUTHENTICATED) || *subject == Subject::User("system:anonymous".to_owned())
    };
    naming(ground, check, names, |_, role, _| {
        // Paths alone say what the server is; a resource is somebody's.
        let role = ground.rights.role(role);
        match role.is_some_and(|role| role.rules.iter().any(|rule| !rule.resources.is_empty())) {
            true => Severity::Critical,
            false => Severity::High,
        }
    })
}

/// RB-28.
pub(super) fn authenticated(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    naming(
        ground,
        check,
        |subject| is_group(subject, AUTHENTICATED),
        |_, _, subject| if reaches_all(ground, subject) { Severity::Critical } else { Severity::High },
    )
}

/// RB-29.
pub(super) fn accounts(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let names = |subject: &Subject| matches!(subject, Subject::Group(name) if name == "system:serviceaccounts" || name.starts_with("system:serviceaccounts:"));
    naming(ground, check, names, |binding, _, subject| by_reach(ground, binding, subject))
}

/// RB-30.
pub(super) fn dangling(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let what =
        "names a role that is not there: whoever makes one of that name gives its rights to all it names";
    // Of roles that were not all read, one that was not seen may be there.
    let cluster_roles = ground.snapshot.has_all(Kind::ClusterRole);
    let roles = ground.snapshot.has_all(Kind::Role);
    let is_known = |binding: &&Arc<Binding>| match &binding.role {
        RoleRef::ClusterRole(_) => cluster_roles,
        RoleRef::Role(_) => roles,
        RoleRef::Other(_) => true,
    };
    ground
        .rights
        .rbac
        .dangling()
        .iter()
        .filter(is_known)
        .map(|binding| {
            let own = Arc::new(binding_object(binding, None));
            finding(check, (binding, own), None, Severity::Low, Origin::Own, what)
        })
        .collect()
}

/// RB-31: only where all ServiceAccounts were read.
pub(super) fn gone(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    if !ground.snapshot.has_all(Kind::ServiceAccount) {
        return Vec::new();
    }
    let known: HashSet<(&str, &str)> = ground
        .snapshot
        .accounts
        .iter()
        .map(|one| (one.meta.namespace.as_deref().unwrap_or_default(), one.meta.name.as_str()))
        .collect();
    let mut findings = Vec::new();
    for (at, (binding, place)) in ground.rights.rbac.bindings().iter().enumerate() {
        for subject in &binding.subjects {
            if subject.as_account().is_none_or(|account| known.contains(&account)) {
                continue;
            }
            let strong = !ground.rights.powers(*place).is_empty();
            let severity = if strong { Severity::Medium } else { Severity::Low };
            let what = format!(
                "names {}, which is not there: whoever may make service accounts in its namespace can take its rights",
                said(subject)
            );
            let found =
                finding(check, of(ground, at, binding), Some(subject), severity, ground.origin(at), &what);
            findings.push(with_role(found, ground.role_object(*place)));
        }
    }
    findings
}

/// RB-32.
pub(super) fn malformed(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // How the names of most people begin: one that does not may be a slip.
    let odd = |one: &BindingObject| {
        let named =
            one.odd.iter().map(|odd| format!("names {} {}: {}", shown(&odd.kind), shown(&odd.name), odd.why));
        let blank = one
            .binding
            .subjects
            .iter()
            .filter(|subject| subject.name().trim() != subject.name())
            .map(|subject| format!("names {} with a blank at an end of the name", said(subject)));
        named.chain(blank).collect::<Vec<_>>()
    };
    for one in &ground.snapshot.bindings {
        for what in odd(one) {
            let own = (&*one.binding, Arc::new(binding_object(&one.binding, Some(&one.meta))));
            findings.push(finding(check, own, None, Severity::Low, Origin::Own, &what));
        }
    }
    findings
}

/// RB-33.
pub(super) fn default_accounts(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let names = |subject: &Subject| subject.as_account().is_some_and(|(_, name)| name == "default");
    naming(ground, check, names, |binding, _, subject| by_reach(ground, binding, subject))
}

/// RB-34.
pub(super) fn across(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, (binding, _)) in ground.rights.rbac.bindings().iter().enumerate() {
        let Some(own) = binding.namespace.as_deref() else { continue };
        for subject in &binding.subjects {
            let Some((from, _)) = subject.as_account() else { continue };
            if from != own && !SYSTEM_NAMESPACES.contains(&from) {
                let what = format!("gives something to {}", said(subject));
                let origin = ground.origin(at);
                findings.push(finding(
                    check,
                    of(ground, at, binding),
                    Some(subject),
                    Severity::Low,
                    origin,
                    &what,
                ));
            }
        }
    }
    findings
}

/// RB-35.
pub(super) fn people(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let names = |subject: &Subject| matches!(subject, Subject::User(name) if !name.starts_with("system:"));
    naming(ground, check, names, |_, role, subject| {
        let strong = !ground.rights.powers(role).is_empty();
        if strong || reaches_all(ground, subject) { Severity::Medium } else { Severity::Low }
    })
}
