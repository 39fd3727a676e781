//! Who can do something, what somebody can do, and why: with the binding, the role and the rule that give it.

use super::entries::Entries;
use super::{Binding, Caller, MASTERS, Rbac, Role, Subject};
use crate::{Ask, Rule};

/// One subject that a binding gives what was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Given<'r> {
    /// Whom the binding names.
    pub subject: &'r Subject,
    /// The binding.
    pub binding: &'r Binding,
    /// The role it gives.
    pub role: &'r Role,
    /// The place of the rule among the role's: the first that allows it.
    pub rule: usize,
}

/// One role that somebody holds by a binding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held<'r> {
    /// The binding.
    pub binding: &'r Binding,
    /// The role it gives.
    pub role: &'r Role,
}

/// Why somebody may do something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why<'r> {
    /// They are in `system:masters`, who pass before RBAC is asked.
    Masters,
    /// A rule of a role that a binding gives: RBAC only ever adds, so one is the whole proof.
    Rule {
        /// The binding.
        binding: &'r Binding,
        /// The role it gives.
        role: &'r Role,
        /// The place of the rule among the role's.
        rule: usize,
    },
}

impl Why<'_> {
    /// Whether this is the binding named so in `namespace` (none: a ClusterRoleBinding).
    pub fn is_by(&self, namespace: Option<&str>, name: &str) -> bool {
        matches!(self, Self::Rule { binding, .. } if binding.name == name && binding.namespace.as_deref() == namespace)
    }
}

impl Rbac {
    /// Whom bindings give it: cluster-wide (`None`, also for what is in no namespace) or in a namespace, by binding and
    /// subject. `system:masters` can do everything and needs none: whoever shows this says so.
    pub fn who_can(&self, ask: Ask<'_>, namespace: Option<&str>) -> Vec<Given<'_>> {
        let mut given = Vec::new();
        let mut done = None;
        for (at, number) in self.entries.get_or_init(|| Entries::of(&self.roles)).candidates(ask) {
            let Some(role) = self.roles.get(at) else { continue };
            // Its first rule that allows it is the proof.
            if done == Some(at) || !role.rules.get(number).is_some_and(|rule| rule.allows(ask)) {
                continue;
            }
            done = Some(at);
            let bindings = self.of_role.get(at).into_iter().flatten().filter_map(|at| self.bindings.get(*at));
            for (binding, _) in bindings.filter(|(binding, _)| binding.holds_in(namespace)) {
                let of = |subject| Given { subject, binding, role, rule: number };
                given.extend(binding.subjects.iter().map(of));
            }
        }
        given
    }

    /// Every proof that somebody may do it: ClusterRoleBindings first, then by name. Empty: they may not.
    pub fn why(&self, caller: &Caller, ask: Ask<'_>, namespace: Option<&str>) -> Vec<Why<'_>> {
        let masters = caller.groups.iter().any(|group| group == MASTERS).then_some(Why::Masters);
        let mut held = self.held(caller, namespace);
        held.sort_by_key(|held| (&held.binding.namespace, &held.binding.name));
        let rules = held.into_iter().filter_map(|Held { binding, role }| {
            let rule = role.rules.iter().position(|rule| rule.allows(ask))?;
            Some(Why::Rule { binding, role, rule })
        });
        masters.into_iter().chain(rules).collect()
    }

    /// The roles somebody holds in a namespace (`None`: for what is in none), each binding once.
    pub fn held(&self, caller: &Caller, namespace: Option<&str>) -> Vec<Held<'_>> {
        let mut places = self.places_of(caller);
        places.retain(|at| self.bindings.get(*at).is_some_and(|(binding, _)| binding.holds_in(namespace)));
        self.held_at(places)
    }

    /// All that somebody holds anywhere, each binding once: where it holds says the binding.
    pub fn held_anywhere(&self, caller: &Caller) -> Vec<Held<'_>> {
        self.held_at(self.places_of(caller))
    }

    /// The rules that hold for somebody in a namespace (`None`: for what is in none), as `RulesFor` of Kubernetes.
    pub fn rules_for(&self, caller: &Caller, namespace: Option<&str>) -> Vec<Rule> {
        self.held(caller, namespace).into_iter().flat_map(|held| held.role.rules.iter().cloned()).collect()
    }

    /// The places in [`bindings`](Self::bindings) of those that name somebody or a group of theirs, each once.
    pub fn places_of(&self, caller: &Caller) -> Vec<usize> {
        let user = std::iter::once(Subject::User(caller.user.clone()));
        let groups = caller.groups.iter().map(|group| Subject::Group(group.clone()));
        let subjects = user.chain(groups).filter_map(|subject| self.subject(&subject));
        let mut places: Vec<usize> = subjects.flat_map(|at| self.naming(at)).copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    fn held_at(&self, places: Vec<usize>) -> Vec<Held<'_>> {
        let held = |at: usize| {
            let (binding, role) = self.bindings.get(at)?;
            Some(Held { binding, role: self.roles.get(*role)? })
        };
        places.into_iter().filter_map(held).collect()
    }
}

#[cfg(test)]
mod tests;
