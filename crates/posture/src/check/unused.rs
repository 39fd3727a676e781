//! RB-36: roles that nobody is bound to, and bindings that give nothing that another does not give. Nobody has anything by
//! them; whoever looks through who may do what reads them all the same, and removing one of two that say the same takes
//! nothing from anybody.

use super::Finding;
use super::others::{finding, shown};
use crate::defaults::Shipped;
use crate::evidence::{Evidence, Object};
use crate::ground::{Ground, Origin};
use crate::rights::Place;
use crate::severity::Severity;
use crate::snapshot::Kind;
use sallyport_rbac::covers;
use sallyport_rbac::who::Role;
use std::collections::{HashMap, HashSet};

/// The most bindings of the same subjects, or of the same role in one place, that are compared with each other.
const COMPARED_MOST: usize = 64;
/// The most pairs of roles whose rules are compared: beyond it only the same role counts as the same.
const PAIRS_MOST: usize = 2_000;

/// RB-36.
pub(super) fn looks(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let has = |kind: &Kind| ground.snapshot.has_all(*kind);
    // Whoever was not seen may be bound to it.
    if !Kind::RBAC.iter().all(has) {
        return Vec::new();
    }
    let mut findings = unbound(ground, check);
    findings.extend(covered(ground, check));
    findings
}

fn unbound(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let rbac = &ground.rights.rbac;
    let bound: HashSet<usize> = rbac.bindings().iter().map(|(_, role)| *role).collect();
    // A binding whose role is there under another kind waits for it.
    let group = "rbac.authorization.k8s.io";
    // What somebody may bind by its name is there to be given: for a time, as by Sallyport.
    let names = |resource| rbac.names_on(group, resource).into_iter().collect::<HashSet<String>>();
    let (for_all, for_some) = (names("clusterroles"), names("roles"));
    let shipped = Shipped::of(ground.snapshot.server);
    let mut findings = Vec::new();
    for (at, one) in ground.snapshot.roles.iter().enumerate() {
        let Some(role) = ground.rights.role(at).filter(|_| !bound.contains(&at)) else { continue };
        let aggregated = one.meta.labels.keys().any(|key| key.contains("/aggregate-to-"));
        let given = match role.namespace {
            None => for_all.contains(&role.name),
            Some(_) => for_some.contains(&role.name),
        };
        if aggregated || given || is_shipped(&shipped, role) || is_selected(ground, at) {
            continue;
        }
        let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
        let strong = ground.rights.full_rule(at).is_some() || !ground.rights.powers(at).is_empty();
        let (severity, more) = match strong {
            true => (Severity::Low, ": whoever is, by a slip, has what it gives"),
            false => (Severity::Info, ""),
        };
        let place = role.namespace.as_deref().map(|own| format!(" in {}", shown(own))).unwrap_or_default();
        let said = format!("{kind} {}{place} is held by nobody{more}.", shown(&role.name));
        findings.push(finding(check, kind, &one.meta, severity, said));
    }
    findings
}

/// Whether Kubernetes ships it: by its name alone, since what was changed of it is RB-38's.
fn is_shipped(shipped: &Shipped, role: &Role) -> bool {
    role.name.starts_with("system:") || shipped.names_role(role)
}

/// Whether an aggregated ClusterRole takes it in.
fn is_selected(ground: &Ground<'_>, at: usize) -> bool {
    let Some(own) = ground.snapshot.roles.get(at).filter(|one| one.role.namespace.is_none()) else {
        return false;
    };
    let mut selectors = ground.snapshot.roles.iter().filter_map(|one| one.selectors.as_ref()).flatten();
    // One that asks for nothing selects all.
    selectors.any(|selector| selector.iter().all(|requirement| requirement.holds(&own.meta.labels)))
}

/// A binding by its place among all, and whom it names where.
struct Bound {
    at: usize,
    role: usize,
    place: Option<Place>,
    /// By their places, in order: thousands are compared.
    subjects: Vec<usize>,
}

/// Whether `other` gives all that `one` gives, of roles where that is so.
fn is_within(one: &Bound, other: &Bound) -> bool {
    let place = other.place.is_none() || other.place == one.place;
    place && one.subjects.iter().all(|subject| other.subjects.binary_search(subject).is_ok())
}

fn bound(ground: &Ground<'_>) -> Vec<Bound> {
    let rbac = &ground.rights.rbac;
    let of = |(at, (_, role)): (usize, &(_, usize))| Bound {
        at,
        role: *role,
        place: ground.rights.holds_in(at),
        subjects: Vec::new(),
    };
    let mut all: Vec<Bound> = rbac.bindings().iter().enumerate().map(of).collect();
    for subject in 0..ground.rights.subjects.len() {
        for at in rbac.naming(subject) {
            if let Some(one) = all.get_mut(*at) {
                one.subjects.push(subject);
            }
        }
    }
    all
}

fn covered(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let all = bound(ground);
    // Where a binding that covers another is to be looked for: everywhere or in the same place, at each subject.
    let mut by: Vec<(Option<Place>, usize, usize)> = all
        .iter()
        .flat_map(|one| one.subjects.iter().map(move |subject| (one.place, *subject, one.at)))
        .collect();
    by.sort_unstable();
    let naming = |place: Option<Place>, subject: usize| {
        let begin = by.partition_point(|one| (one.0, one.1) < (place, subject));
        let rest = by.get(begin..).unwrap_or_default();
        let many = rest.partition_point(|one| (one.0, one.1) == (place, subject));
        rest.get(..many).unwrap_or_default()
    };
    let mut pairs: HashMap<(usize, usize), bool> = HashMap::new();
    let mut findings = Vec::new();
    for one in all.iter().filter(|one| ground.origin(one.at) != Origin::Default) {
        let mut others: Vec<&Bound> = Vec::new();
        for place in [None, one.place].into_iter().take(if one.place.is_some() { 2 } else { 1 }) {
            // Whatever covers it names each of its subjects: that which fewest name is looked up.
            let of = one.subjects.iter().map(|subject| naming(place, *subject));
            let fewest = of.min_by_key(|all| all.len()).unwrap_or_default();
            others.extend(fewest.iter().take(COMPARED_MOST).filter_map(|(.., at)| all.get(*at)));
        }
        let wider = others.into_iter().find(|other| {
            other.at != one.at
                && is_within(one, other)
                && gives_as_much(ground, &mut pairs, one.role, other.role)
                // Of two that say the same the later is the one that is told.
                && !(other.at > one.at
                    && is_within(other, one)
                    && gives_as_much(ground, &mut pairs, other.role, one.role))
        });
        if let Some(wider) = wider {
            findings.extend(told(ground, check, one, wider));
        }
    }
    findings
}

/// Whether a role gives all that another gives.
fn gives_as_much(
    ground: &Ground<'_>,
    pairs: &mut HashMap<(usize, usize), bool>,
    less: usize,
    more: usize,
) -> bool {
    if less == more {
        return true;
    }
    let full = pairs.len() >= PAIRS_MOST;
    if let Some(known) = pairs.get(&(less, more)) {
        return *known;
    }
    let (Some(inner), Some(outer)) = (ground.rights.role(less), ground.rights.role(more)) else {
        return false;
    };
    // A role without rules gives nothing, and is no copy of another.
    if full || inner.rules.is_empty() {
        return false;
    }
    // Whoever gives as much gives each of the dangerous rights too: that is told at once.
    let strong = ground.rights.powers(more).has_all_of(ground.rights.powers(less));
    let holds = strong && inner.rules.iter().all(|rule| covers(&outer.rules, rule));
    pairs.insert((less, more), holds);
    holds
}

fn told(ground: &Ground<'_>, check: &'static str, one: &Bound, wider: &Bound) -> Option<Finding> {
    let own = ground.object(one.at)?;
    let other = ground.object(wider.at)?;
    let place = |namespace: &Option<String>| {
        namespace.as_deref().map(|own| format!(" in {}", shown(own))).unwrap_or_default()
    };
    let role = ground.role_object(one.role)?;
    Some(Finding {
        check,
        inert: false,
        severity: Severity::Info,
        subject: None,
        namespaces: own.namespace.clone().map(|own| vec![own]),
        evidence: vec![Evidence { binding: Some(own.clone()), role, rule: None }],
        said: format!(
            "{} {}{} gives nothing that {} {}{} does not give to the same: removing one of them takes nothing from anybody.",
            own.kind,
            shown(&own.name),
            place(&own.namespace),
            other.kind,
            shown(&other.name),
            place(&other.namespace),
        ),
        object: Some(Object::clone(&own)),
        origin: ground.origin(one.at),
    })
}
