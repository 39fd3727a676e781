//! Taking the dangerous part out of the rules that prove a finding, or limiting it to names, where the role is the team's.

use super::binding;
use crate::change::{BOOTSTRAPPING, Change};
use crate::check::Finding;
use crate::evidence::{Evidence, Object};
use crate::graph::{Node, TECHNIQUES};
use crate::ground::{Ground, Origin};
use crate::snapshot::Kind;
use sallyport_rbac::who::{RoleRef, Subject};
use sallyport_rbac::{Power, Powers, Rule};
use std::collections::BTreeSet;

/// Names that a rule is limited to; more are no limit that anybody reads.
const NAMES_MOST: usize = 20;

/// Without the first of what the ways of a check need.
pub(super) fn first(ground: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    Ok(narrowed(ground, finding, &needed(finding, 0), "without", |parts| Some(parts.left)))
}

/// Without the second, where a way needs two.
pub(super) fn second(ground: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    Ok(narrowed(ground, finding, &needed(finding, 1), "without", |parts| Some(parts.left)))
}

/// Limited to names that lead nowhere: ServiceAccounts whose tokens may be minted, ClusterRoles that may be bound.
pub(super) fn limit(ground: &Ground<'_>, finding: &Finding) -> Result<Vec<Change>, String> {
    let names = match finding.check {
        "RB-05" => harmless_roles(ground),
        "RB-09" => harmless_accounts(ground, finding),
        _ => Vec::new(),
    };
    if names.is_empty() || names.len() > NAMES_MOST {
        return Ok(Vec::new());
    }
    Ok(narrowed(ground, finding, &needed(finding, 0), "by names that lead nowhere,", |parts| {
        let mut rules = parts.left;
        // One that is limited already was limited by somebody who knew to what.
        (parts.dangerous.resource_names.is_empty()).then(|| {
            rules.push(Rule { resource_names: names.clone(), ..parts.dangerous });
            rules
        })
    }))
}

/// The powers of one of the needs of each way; of a way with fewer, of its last.
fn needed(finding: &Finding, at: usize) -> Vec<Power> {
    let ways = TECHNIQUES.iter().filter(|technique| technique.check == finding.check);
    let needs = ways.filter_map(|technique| technique.needs.get(at).or(technique.needs.last()));
    needs.copied().flatten().copied().collect()
}

/// Bound today, by the team, and giving nothing dangerous.
fn harmless_roles(ground: &Ground<'_>) -> Vec<String> {
    let rights = &ground.rights;
    let bound = rights.rbac.bindings().iter().enumerate().filter(|(at, (binding, role))| {
        ground.origin(*at) == Origin::Own
            && matches!(binding.role, RoleRef::ClusterRole(_))
            && rights.powers(*role).is_empty()
            && rights.full_rule(*role).is_none()
    });
    let names: BTreeSet<String> =
        bound.filter_map(|(_, (_, role))| Some(rights.role(*role)?.name.clone())).collect();
    names.into_iter().filter(|name| !name.starts_with("system:")).collect()
}

/// Those of the one namespace it is about that lead to nothing.
fn harmless_accounts(ground: &Ground<'_>, finding: &Finding) -> Vec<String> {
    let Some([place]) = finding.namespaces.as_deref() else { return Vec::new() };
    if !ground.snapshot.has_all(Kind::ServiceAccount) {
        return Vec::new();
    }
    let harmless = |name: &&str| {
        let subject = Subject::account(place, name);
        let node = ground.rights.subject(&subject).and_then(|at| ground.graph.at(Node::Subject(at)));
        node.is_none_or(|node| !ground.reach.is_critical(node) && !ground.reach.is_high(node))
    };
    let there = ground.snapshot.accounts.iter().map(|one| &one.meta);
    let there = there.filter(|meta| meta.namespace.as_deref() == Some(place.as_str()));
    there.map(|meta| meta.name.as_str()).filter(harmless).map(str::to_owned).collect()
}

/// Each role that proves it, with other rules in place of those that do.
fn narrowed(
    ground: &Ground<'_>,
    finding: &Finding,
    powers: &[Power],
    how: &str,
    other: impl Fn(Parts) -> Option<Vec<Rule>>,
) -> Vec<Change> {
    if powers.is_empty() || finding.subject.is_none() {
        return Vec::new();
    }
    let mut done: BTreeSet<&Object> = BTreeSet::new();
    let mut changes = Vec::new();
    for evidence in &finding.evidence {
        let own = evidence.binding.as_ref().and_then(|object| binding(ground, object));
        if own.is_some_and(|(_, origin)| origin == Origin::Default) || !done.insert(&evidence.role) {
            continue;
        }
        let is = |one: &&crate::snapshot::RoleObject| {
            one.role.namespace == evidence.role.namespace && one.role.name == evidence.role.name
        };
        let Some(role) = ground.snapshot.roles.iter().find(is) else { continue };
        // What Kubernetes ships is right where it is bound to whom it was made for.
        if role.meta.labels.contains_key(BOOTSTRAPPING) {
            continue;
        }
        let proving: Vec<usize> = finding
            .evidence
            .iter()
            .filter(|one| one.role == evidence.role)
            .filter_map(|one: &Evidence| one.rule)
            .collect();
        let mut rules: Vec<Rule> = Vec::new();
        let mut out: Vec<String> = Vec::new();
        for (number, rule) in role.role.rules.iter().enumerate() {
            let parts = proving.contains(&number).then(|| parts(rule, powers)).flatten();
            let taken = parts.as_ref().map(|parts| {
                let dangerous = &parts.dangerous;
                format!("{} on {}", dangerous.verbs.join(", "), dangerous.resources.join(", "))
            });
            match parts.and_then(&other) {
                Some(left) => {
                    out.extend(taken);
                    rules.extend(left);
                }
                None => rules.push(rule.clone()),
            }
        }
        if !out.is_empty() && !rules.is_empty() {
            out.dedup();
            let how = format!("{how} {}", crate::said::shown(&out.join(" and ")));
            changes.push(Change::NarrowRole { role: Object::clone(&evidence.role), rules, how });
        }
    }
    changes
}

/// A rule, cut in two.
struct Parts {
    /// What gives a power.
    dangerous: Rule,
    /// The rest: other verbs on the same, and everything else.
    left: Vec<Rule>,
}

/// None: it gives none of `powers`, or by a wildcard, and what that is to be instead cannot be read.
fn parts(rule: &Rule, powers: &[Power]) -> Option<Parts> {
    let gives = |rule: &Rule| Powers::of(rule).has_any(powers);
    if !gives(rule) {
        return None;
    }
    let (bad, good): (Vec<String>, Vec<String>) = rule
        .resources
        .iter()
        .cloned()
        .partition(|entry| gives(&Rule { resources: vec![entry.clone()], ..rule.clone() }));
    if bad.iter().any(|entry| entry.starts_with('*')) || rule.api_groups.iter().any(|group| group == "*") {
        return None;
    }
    let on = |resources: &[String], verbs: Vec<String>| Rule {
        resources: resources.to_vec(),
        verbs,
        non_resource_urls: Vec::new(),
        ..rule.clone()
    };
    let (dangerous, safe): (Vec<String>, Vec<String>) =
        rule.verbs.iter().cloned().partition(|verb| gives(&on(&bad, vec![verb.clone()])));
    if dangerous.is_empty() {
        return None;
    }
    let mut left = Vec::new();
    if !good.is_empty() || !rule.non_resource_urls.is_empty() {
        left.push(Rule { resources: good, ..rule.clone() });
    }
    if !safe.is_empty() {
        left.push(on(&bad, safe));
    }
    Some(Parts { dangerous: on(&bad, dangerous), left })
}
