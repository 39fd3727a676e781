//! Where a role leads that somebody makes with any rights: to whom a binding gives it already.

use super::Node;
use super::hit::Hit;
use super::lead::Lead;
use crate::rights::{Holder, Place, Rights};
use sallyport_rbac::Power;
use sallyport_rbac::who::{Binding, RoleRef, Subject};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A ClusterRole of a name that a binding waits for, or with a label that a held ClusterRole takes in.
pub(super) fn cluster_role(
    rights: &Rights,
    aggregates: &[bool],
    holder: &Holder,
    who: Option<&Subject>,
) -> Vec<Lead> {
    let mut leads = waiting(rights, who, |role| matches!(role, RoleRef::ClusterRole(_)));
    let mut held: BTreeMap<Node, Vec<Option<usize>>> = BTreeMap::new();
    for grant in holder.grants.iter().filter(|grant| aggregates.get(grant.role) == Some(&true)) {
        let to = grant.namespace.map_or(Node::ClusterAdmin, Node::Namespace);
        held.entry(to).or_default().push(grant.binding);
    }
    leads.extend(held.into_iter().map(|(to, by)| Lead {
        to,
        certain: true,
        needs: if by.len() == 1 { by.into_iter().flatten().next() } else { None },
    }));
    leads
}

/// A Role of a name that a binding waits for in its namespace.
pub(super) fn role(rights: &Rights, place: Option<Place>, who: Option<&Subject>) -> Vec<Lead> {
    let mut leads = waiting(rights, who, |role| matches!(role, RoleRef::Role(_)));
    leads.retain(|lead| place.is_none_or(|own| lead.to == Node::Namespace(own)));
    leads
}

/// Where bindings that name somebody, or a group of theirs, wait for a role that is not there.
fn waiting(rights: &Rights, who: Option<&Subject>, of: impl Fn(&RoleRef) -> bool) -> Vec<Lead> {
    let Some(caller) = who.map(Subject::caller) else { return Vec::new() };
    let names = |subject: &Subject| match subject {
        Subject::User(name) => *name == caller.user,
        Subject::Group(name) => caller.groups.contains(name),
    };
    let waits = |binding: &&Arc<Binding>| of(&binding.role) && binding.subjects.iter().any(names);
    let to = |binding: &Arc<Binding>| match &binding.namespace {
        None => Some(Node::ClusterAdmin),
        Some(namespace) => rights.place(namespace).map(Node::Namespace),
    };
    let waiting = rights.rbac.dangling().iter().filter(waits).filter_map(to);
    waiting.map(|to| Lead { to, certain: true, needs: None }).collect()
}

/// Whether all that a way needs is still held when this role is gone, as it is between its end and its new beginning. It is made
/// by a POST then, which names nothing: `escalate` that is limited to names is none.
pub(super) fn survives(rights: &Rights, hit: &Hit, holder: &Holder, role: usize) -> bool {
    hit.technique().is_some_and(|technique| {
        technique.needs.iter().all(|need| {
            let escalates = matches!(need, [Power::EscalateRoles | Power::EscalateClusterRoles]);
            rights.steps(holder, need, hit.place).iter().any(|step| {
                let is_named = rights.rule(step).is_some_and(|rule| !rule.resource_names.is_empty());
                step.grant.role != role && !(escalates && is_named)
            })
        })
    })
}
