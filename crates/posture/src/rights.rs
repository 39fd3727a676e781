//! What each subject holds, weighed once: which dangerous rights, where, and by which bindings.

use sallyport_rbac::who::{Binding, Rbac, Role, Subject};
use sallyport_rbac::{Power, Powers, Rule};
use std::collections::HashMap;
use std::sync::Arc;

/// A namespace, by its place in [`Rights::namespaces`].
pub(crate) type Place = usize;

/// A role that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The place of the binding in [`Rbac::bindings`]; none: one that somebody could make.
    pub(crate) binding: Option<usize>,
    /// The place of the role in [`Rbac::roles`].
    pub(crate) role: usize,
    /// Where it holds; none: everywhere, and for what is in no namespace.
    pub(crate) namespace: Option<Place>,
    /// Whether it is held as a member of a group that the API server puts everybody of a kind in.
    pub(crate) implicit: bool,
}

/// What a role gives.
#[derive(Clone, Debug, Default)]
struct Weight {
    all: Powers,
    rules: Vec<Powers>,
    /// The rule that allows everything on everything.
    full: Option<usize>,
}

/// Somebody's rights in one place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Masks {
    pub(crate) all: Powers,
    /// By grants of this place alone.
    pub(crate) own: Powers,
    /// By bindings that name them, and not only a group that everybody of their kind is in.
    pub(crate) direct: Powers,
}

/// Somebody, and what they hold, everything apart.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// By place, those of everywhere first.
    pub(crate) grants: Vec<Grant>,
    pub(crate) wide: Masks,
    /// By namespace and in their order, with what holds everywhere.
    pub(crate) local: Vec<(Place, Masks)>,
    /// The grants of everything: everywhere, or in a namespace. What the others give is weighed without them.
    pub(crate) full: Vec<Grant>,
}

/// One rule that gives a power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) grant: Grant,
    pub(crate) rule: usize,
    pub(crate) power: Option<Power>,
}

/// Roles and bindings of a cluster, weighed.
#[derive(Debug)]
pub(crate) struct Rights {
    pub(crate) rbac: Rbac,
    pub(crate) namespaces: Vec<String>,
    places: HashMap<String, Place>,
    weights: Vec<Weight>,
    /// Where each binding of the index holds; none: everywhere.
    holds: Vec<Option<Place>>,
    /// Everybody whom a binding names.
    pub(crate) subjects: Vec<Subject>,
}

impl Rights {
    /// `known` are namespaces that are there, whether somebody is bound in them or not.
    pub(crate) fn new<'a>(rbac: Rbac, known: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self {
            namespaces: Vec::new(),
            places: HashMap::new(),
            weights: rbac.roles().iter().map(|role| weigh(role)).collect(),
            holds: Vec::new(),
            subjects: rbac.subjects().cloned().collect(),
            rbac: Rbac::default(),
        };
        for name in known {
            all.learn(name);
        }
        let place =
            |(binding, _): &(Arc<Binding>, usize)| binding.namespace.as_deref().map(|name| all.learn(name));
        let holds = rbac.bindings().iter().map(place).collect();
        all.holds = holds;
        for name in rbac.dangling().iter().filter_map(|binding| binding.namespace.as_deref()) {
            all.learn(name);
        }
        for (name, _) in rbac.subjects().filter_map(Subject::as_account) {
            all.learn(name);
        }
        all.rbac = rbac;
        all
    }

    /// The place of a namespace, which is given one where it has none.
    fn learn(&mut self, name: &str) -> Place {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.namespaces.len();
        self.places.insert(name.to_owned(), place);
        self.namespaces.push(name.to_owned());
        place
    }

    pub(crate) fn place(&self, namespace: &str) -> Option<Place> {
        self.places.get(namespace).copied()
    }

    pub(crate) fn namespace(&self, place: Option<Place>) -> Option<&str> {
        place.and_then(|at| self.namespaces.get(at)).map(String::as_str)
    }

    /// The place of a subject in [`Rights::subjects`], where a binding names it.
    pub(crate) fn subject(&self, subject: &Subject) -> Option<usize> {
        self.rbac.subject(subject)
    }

    pub(crate) fn role(&self, at: usize) -> Option<&Role> {
        self.rbac.roles().get(at).map(Arc::as_ref)
    }

    pub(crate) fn binding(&self, at: usize) -> Option<&Binding> {
        self.rbac.bindings().get(at).map(|(binding, _)| &**binding)
    }

    /// Where a binding holds; none: everywhere.
    pub(crate) fn holds_in(&self, binding: usize) -> Option<Place> {
        self.holds.get(binding).copied().flatten()
    }

    pub(crate) fn rule(&self, step: &Step) -> Option<&Rule> {
        self.role(step.grant.role)?.rules.get(step.rule)
    }

    /// Whether a role allows everything on everything, and by which rule.
    pub(crate) fn full_rule(&self, role: usize) -> Option<usize> {
        self.weights.get(role)?.full
    }

    /// The dangerous rights that a role gives anywhere.
    pub(crate) fn powers(&self, role: usize) -> Powers {
        self.weights.get(role).map(|weight| weight.all).unwrap_or_default()
    }

    /// Those that each rule of a role gives.
    pub(crate) fn rule_powers(&self, role: usize) -> &[Powers] {
        self.weights.get(role).map(|weight| weight.rules.as_slice()).unwrap_or_default()
    }

    /// What a subject holds, by bindings that name it or the groups that everybody of its kind is in.
    pub(crate) fn holder(&self, subject: &Subject) -> Holder {
        let own = self.subject(subject).map(|at| self.rbac.naming(at)).unwrap_or_default();
        let places = self.rbac.places_of(&subject.caller());
        let grants = places.into_iter().filter_map(|at| {
            let (_, role) = self.rbac.bindings().get(at)?;
            Some(Grant {
                binding: Some(at),
                role: *role,
                namespace: self.holds_in(at),
                implicit: own.binary_search(&at).is_err(),
            })
        });
        self.holding(grants.collect())
    }

    /// What whoever had these grants would hold.
    pub(crate) fn holding(&self, grants: Vec<Grant>) -> Holder {
        let mut holder =
            Holder { wide: Masks::default(), local: Vec::new(), full: Vec::new(), grants: Vec::new() };
        (holder.full, holder.grants) =
            grants.into_iter().partition(|grant| self.full_rule(grant.role).is_some());
        // Somebody may be bound in thousands of namespaces.
        holder.grants.sort_by_key(|grant| grant.namespace);
        for grant in &holder.grants {
            let Some(weight) = self.weights.get(grant.role) else { continue };
            match grant.namespace {
                None => holder.wide.add(weight.all, grant.implicit),
                Some(place) => {
                    if holder.local.last().is_none_or(|(last, _)| *last != place) {
                        holder.local.push((place, Masks::default()));
                    }
                    if let Some((_, masks)) = holder.local.last_mut() {
                        masks.add(local(weight.all), grant.implicit);
                    }
                }
            }
        }
        let wide = holder.wide;
        for (_, masks) in &mut holder.local {
            masks.all = masks.all.or(wide.all);
            masks.direct = masks.direct.or(wide.direct);
        }
        holder
    }

    /// Every rule that gives one of `powers` to a holder in a place.
    pub(crate) fn steps(&self, holder: &Holder, powers: &[Power], place: Option<Place>) -> Vec<Step> {
        let any: Powers = powers.iter().copied().collect();
        let mut steps = Vec::new();
        for grant in holder.grants_in(place) {
            let Some(weight) = self.weights.get(grant.role).filter(|weight| weight.all.meets(any)) else {
                continue;
            };
            for (rule, given) in weight.rules.iter().enumerate().filter(|(_, given)| given.meets(any)) {
                let given = if grant.namespace.is_some() { local(*given) } else { *given };
                if let Some(power) = powers.iter().find(|power| given.has(**power)) {
                    steps.push(Step { grant: *grant, rule, power: Some(*power) });
                }
            }
        }
        steps
    }
}

impl Masks {
    fn add(&mut self, powers: Powers, implicit: bool) {
        self.all = self.all.or(powers);
        self.own = self.own.or(powers);
        if !implicit {
            self.direct = self.direct.or(powers);
        }
    }
}

impl Holder {
    /// The grants that hold in a place: those of everywhere, and its own.
    fn grants_in(&self, place: Option<Place>) -> impl Iterator<Item = &Grant> {
        let wide = self.grants.partition_point(|grant| grant.namespace.is_none());
        let begin = self.grants.partition_point(|grant| grant.namespace < place);
        let end = self.grants.partition_point(|grant| grant.namespace <= place);
        let own = if place.is_some() { self.grants.get(begin..end) } else { None };
        self.grants.iter().take(wide).chain(own.unwrap_or_default())
    }

    /// Whether everything is held in a place, or everywhere.
    pub(crate) fn has_all(&self, place: Option<Place>) -> bool {
        self.full
            .iter()
            .any(|grant| grant.namespace.is_none() || (place.is_some() && grant.namespace == place))
    }
}

/// What of these a RoleBinding gives.
fn local(powers: Powers) -> Powers {
    powers.without_cluster_wide()
}

fn weigh(role: &Role) -> Weight {
    let rules: Vec<Powers> = role.rules.iter().map(Powers::of).collect();
    Weight {
        all: rules.iter().fold(Powers::default(), |all, one| all.or(*one)),
        full: role.rules.iter().position(is_full),
        rules,
    }
}

/// Whether a rule allows every verb on every resource. Only wildcards do: what they stand for is without end.
pub(crate) fn is_full(rule: &Rule) -> bool {
    let star = |list: &[String]| list.iter().any(|entry| entry == "*");
    star(&rule.verbs) && star(&rule.api_groups) && star(&rule.resources) && rule.resource_names.is_empty()
}
