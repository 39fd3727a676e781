//! What proves a finding: the binding, the role and the rule, and the question that shows it again.

use crate::rights::{Rights, Step};
use sallyport_rbac::who::{Caller, RoleRef};
use std::sync::Arc;

/// A rule that gives something, and the binding that gives it to somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The binding; none: one that somebody could make. Shared: one may prove thousands of findings.
    pub binding: Option<Arc<Object>>,
    /// The role, shared likewise.
    pub role: Arc<Object>,
    /// The place of the rule among the role's, from 0; none: the role as a whole, or one that is not there.
    pub rule: Option<usize>,
}

/// An object by its name, and which state of it was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// e.g. `ClusterRoleBinding`.
    pub kind: &'static str,
    /// Its namespace, where it is in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its UID, where it was said.
    pub uid: Option<String>,
    /// Its version, where it was said.
    pub resource_version: Option<String>,
}

/// A SubjectAccessReview, to be asked again: nothing here does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Who would ask, with all groups.
    pub caller: Caller,
    /// The namespace; none: everywhere, or for what is in none.
    pub namespace: Option<String>,
    /// e.g. `create`.
    pub verb: String,
    /// The API group.
    pub group: String,
    /// e.g. `serviceaccounts`.
    pub resource: String,
    /// e.g. `token`; empty for the resource itself.
    pub subresource: String,
    /// A name, where the rule is limited to some.
    pub name: String,
}

impl Review {
    /// The question whose yes shows that a rule gives what it is here for.
    pub(crate) fn of(rights: &Rights, step: &Step, caller: &Caller, namespace: Option<&str>) -> Option<Self> {
        // What is in no namespace is asked for in none.
        let namespace = namespace.filter(|_| !step.power.is_some_and(sallyport_rbac::Power::is_cluster_wide));
        let review = |verb: &str, group: &str, resource: &str, subresource: &str, name: String| Self {
            caller: caller.clone(),
            namespace: namespace.map(str::to_owned),
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name,
        };
        let Some(power) = step.power else {
            return Some(review("*", "*", "*", "", String::new()));
        };
        let proof = power.proof(rights.rule(step)?)?;
        Some(review(proof.verb, proof.group, proof.resource, proof.subresource, proof.name))
    }
}

/// Role or ClusterRole.
pub(crate) fn role_kind(role: &RoleRef) -> &'static str {
    match role {
        RoleRef::ClusterRole(_) => "ClusterRole",
        RoleRef::Role(_) => "Role",
        RoleRef::Other(_) => "role of an unknown kind",
    }
}
