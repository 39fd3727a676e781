//! What of a rule that somebody holds was used.

use super::{Outcome, Used};
use crate::Rule;
use std::collections::BTreeMap;

/// One verb on one resource or path of a rule, as the rule writes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Atom {
    /// The verb; `*` is every verb.
    pub verb: String,
    /// The API group; `*` is every group. None: it is a path.
    pub group: Option<String>,
    /// The resource with its subresource, or the path.
    pub of: String,
}

impl Atom {
    /// Whether it stands for more than one thing.
    pub fn is_wild(&self) -> bool {
        self.verb == "*"
            || self.group.as_deref() == Some("*")
            || self.of == "*"
            || self.of.starts_with("*/")
            || (self.group.is_none() && self.of.ends_with('*'))
    }

    /// As people say it: `get pods/exec`, `delete deployments.apps`, `get /metrics`, `any verb on pods`.
    pub fn said(&self) -> String {
        let verb = if self.verb == "*" { "any verb on" } else { &self.verb };
        format!("{verb} {}", self.what())
    }

    /// What it is done to, as kubectl writes it: `pods/exec`, `deployments.apps/scale`, `/metrics`.
    pub fn what(&self) -> String {
        let group = match self.group.as_deref() {
            None | Some("") => String::new(),
            Some(group) => format!(".{group}"),
        };
        match self.of.split_once('/') {
            Some((resource, below)) if self.group.is_some() => format!("{resource}{group}/{below}"),
            _ => format!("{}{group}", self.of),
        }
    }
}

/// What of a rule was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleUse {
    /// What some call used, and how many calls.
    pub used: Vec<(Atom, u64)>,
    /// What no call used; of a rule with `*` for its verb all verbs that were not used, as one with that verb.
    pub unused: Vec<Atom>,
    /// The rule is too large to be looked at part by part: neither list has anything.
    pub is_too_large: bool,
}

/// The most parts of a rule that are looked at.
const ATOMS_MOST: usize = 5000;

/// What of a rule that holds in `namespace` (none: everywhere) was used by calls that were let through. Names that it is
/// limited to limit what counts as used.
pub fn rule_use(rule: &Rule, namespace: Option<&str>, used: &[Used]) -> RuleUse {
    let parts = rule.api_groups.len().saturating_mul(rule.resources.len());
    // A binding in a namespace gives no paths.
    let paths = if namespace.is_none() { rule.non_resource_urls.as_slice() } else { &[] };
    let all = rule.verbs.len().saturating_mul(parts.saturating_add(paths.len()));
    if all > ATOMS_MOST {
        return RuleUse { is_too_large: true, ..RuleUse::default() };
    }
    let is_here = |one: &&Used| {
        one.outcome == Outcome::Allowed && (namespace.is_none() || one.namespace() == namespace)
    };
    // What the whole rule does not allow, none of its parts does.
    let calls: Vec<&Used> = used.iter().filter(is_here).filter(|one| rule.allows(one.ask())).collect();
    let mut out = RuleUse::default();
    let mut look = |part: Rule, atom: Atom| {
        let mut verbs: BTreeMap<&str, u64> = BTreeMap::new();
        for one in calls.iter().filter(|one| part.allows(one.ask())) {
            let many = verbs.entry(&one.asked.verb).or_default();
            *many = many.saturating_add(one.calls);
        }
        // Of every verb those that were used are told one by one, and all others together.
        if verbs.is_empty() || atom.verb == "*" {
            out.unused.push(atom.clone());
        }
        out.used.extend(
            verbs.into_iter().map(|(verb, many)| (Atom { verb: verb.to_owned(), ..atom.clone() }, many)),
        );
    };
    let one = |text: &String| vec![text.clone()];
    for verb in &rule.verbs {
        for group in &rule.api_groups {
            for resource in &rule.resources {
                let part = Rule {
                    verbs: one(verb),
                    api_groups: one(group),
                    resources: one(resource),
                    non_resource_urls: Vec::new(),
                    ..rule.clone()
                };
                look(part, Atom { verb: verb.clone(), group: Some(group.clone()), of: resource.clone() });
            }
        }
        for path in paths {
            let part = Rule {
                verbs: one(verb),
                api_groups: Vec::new(),
                resources: Vec::new(),
                non_resource_urls: one(path),
                ..rule.clone()
            };
            look(part, Atom { verb: verb.clone(), group: None, of: path.clone() });
        }
    }
    out
}
