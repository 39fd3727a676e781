//! What somebody could do by one set of roles and bindings and cannot by another, exactly: behind the effect of a fix and
//! the drift between two scans.

mod atoms;
#[cfg(test)]
mod tests;

use atoms::{overlaps, uncovered};
use sallyport_rbac::who::{Caller, MASTERS, Rbac, Role, Subject};
use sallyport_rbac::{Ask, Right, Rule, allows, describe};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What somebody held and no longer holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Who.
    pub subject: Subject,
    /// What is lost that held everywhere, and for what is in no namespace.
    pub everywhere: Vec<Rule>,
    /// What is lost that held in a namespace, by namespace.
    pub inside: BTreeMap<String, Vec<Rule>>,
    /// What of it is held still by other bindings, some of it or all in some namespaces: rules that speak of the same.
    pub kept: Vec<Kept>,
}

/// Rules that somebody holds in a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The namespace; none: everywhere.
    pub namespace: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
}

impl Loss {
    /// Whether this was allowed and is not any more: in a namespace, or (none) for what is in none.
    pub fn has(&self, ask: Ask<'_>, namespace: Option<&str>) -> bool {
        let inside = namespace.and_then(|namespace| self.inside.get(namespace));
        let lost = allows(&self.everywhere, ask) || inside.is_some_and(|rules| allows(rules, ask));
        lost && !self.kept.iter().any(|kept| {
            (kept.namespace.is_none() || kept.namespace.as_deref() == namespace) && allows(&kept.rules, ask)
        })
    }

    /// The same in words, place by place: everywhere first. None: everywhere.
    pub fn words(&self) -> Vec<(Option<&str>, Vec<Right>)> {
        let wide = (!self.everywhere.is_empty()).then(|| (None, describe(&self.everywhere)));
        let inside = self.inside.iter().map(|(namespace, rules)| (Some(namespace.as_str()), describe(rules)));
        wide.into_iter().chain(inside).filter(|(_, rights)| !rights.is_empty()).collect()
    }

    /// How much it is: single permissions, a wildcard counting as one. Only to tell a smaller change from a larger one.
    pub fn weight(&self) -> usize {
        self.everywhere.iter().chain(self.inside.values().flatten()).map(atoms::many).sum()
    }
}

/// What everybody whom a binding names held by `before` and does not by `after`, by subject. What is lost as a member of a
/// group that everybody of a kind is in is that group's, and told once. Whoever is in `system:masters` loses nothing.
pub fn losses(before: &Rbac, after: &Rbac) -> Vec<Loss> {
    let ids = Ids::of(before, after);
    before
        .subjects()
        .filter(|subject| **subject != Subject::Group(MASTERS.to_owned()))
        .filter(|subject| !ids.holds_all(before, after, subject))
        .filter_map(|subject| loss(before, after, subject))
        .collect()
}

/// The subject alone, without the groups that everybody of its kind is in.
fn alone(subject: &Subject) -> Caller {
    match subject {
        Subject::User(name) => Caller { user: name.clone(), groups: Vec::new() },
        Subject::Group(name) => Caller { user: String::new(), groups: vec![name.clone()] },
    }
}

fn loss(before: &Rbac, after: &Rbac, subject: &Subject) -> Option<Loss> {
    let had = by_place(before, &alone(subject));
    let has = by_place(after, &subject.caller());
    let none = Vec::new();
    let wide = has.get(&None).unwrap_or(&none);
    let mut loss =
        Loss { subject: subject.clone(), everywhere: Vec::new(), inside: BTreeMap::new(), kept: Vec::new() };
    for (place, rules) in had {
        match place {
            None => loss.everywhere = uncovered(&rules, wide),
            Some(namespace) => {
                let there: Vec<Rule> =
                    wide.iter().chain(has.get(&Some(namespace.clone())).unwrap_or(&none)).cloned().collect();
                // A RoleBinding gives no paths.
                let rules: Vec<Rule> =
                    rules.into_iter().map(|rule| Rule { non_resource_urls: Vec::new(), ..rule }).collect();
                let lost = uncovered(&rules, &there);
                if !lost.is_empty() {
                    loss.inside.insert(namespace, lost);
                }
            }
        }
    }
    if loss.everywhere.is_empty() && loss.inside.is_empty() {
        return None;
    }
    for (namespace, rules) in &has {
        let lost_there = || {
            loss.everywhere.iter().chain(match namespace {
                Some(namespace) => loss.inside.get(namespace).into_iter().flatten().collect::<Vec<_>>(),
                None => loss.inside.values().flatten().collect(),
            })
        };
        let rules: Vec<Rule> =
            rules.iter().filter(|rule| lost_there().any(|lost| overlaps(rule, lost))).cloned().collect();
        if !rules.is_empty() {
            loss.kept.push(Kept { namespace: namespace.clone(), rules });
        }
    }
    Some(loss)
}

fn by_place(rbac: &Rbac, caller: &Caller) -> BTreeMap<Option<String>, Vec<Rule>> {
    let mut by: BTreeMap<Option<String>, Vec<Rule>> = BTreeMap::new();
    for held in rbac.held_anywhere(caller) {
        by.entry(held.binding.namespace.clone()).or_default().extend(held.role.rules.iter().cloned());
    }
    by
}

/// A number for each role of both, the same for one that says the same: what did not change is seen without looking into
/// rules.
struct Ids {
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Ids {
    fn of(before: &Rbac, after: &Rbac) -> Self {
        let known: HashMap<(Option<&str>, &str), usize> = before
            .roles()
            .iter()
            .enumerate()
            .map(|(at, role)| ((role.namespace.as_deref(), role.name.as_str()), at))
            .collect();
        let number = |(at, role): (usize, &Arc<Role>)| {
            let was = known.get(&(role.namespace.as_deref(), role.name.as_str())).copied();
            let is = |own: &usize| {
                let own = before.roles().get(*own);
                own.is_some_and(|own| Arc::ptr_eq(own, role) || own.rules == role.rules)
            };
            was.filter(is).unwrap_or(known.len() + at)
        };
        Self {
            before: (0..before.roles().len()).collect(),
            after: after.roles().iter().enumerate().map(number).collect(),
        }
    }

    /// Whether each role that bindings to a subject gave in a place is certainly given there still.
    fn holds_all(&self, before: &Rbac, after: &Rbac, subject: &Subject) -> bool {
        let had = given(before, &self.before, subject);
        let has = given(after, &self.after, subject);
        had.clone().eq(has.clone()) || had.collect::<BTreeSet<_>>().is_subset(&has.collect())
    }
}

/// The roles that bindings to a subject give, by place and number.
fn given<'r>(
    rbac: &'r Rbac,
    ids: &'r [usize],
    subject: &Subject,
) -> impl Iterator<Item = (Option<&'r str>, usize)> + Clone {
    let places = rbac.subject(subject).map(|at| rbac.naming(at)).unwrap_or_default();
    places.iter().filter_map(|at| {
        let (binding, role) = rbac.bindings().get(*at)?;
        Some((binding.namespace.as_deref(), *ids.get(*role)?))
    })
}
