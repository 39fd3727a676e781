//! Rules taken apart into single permissions, and put together again.

use sallyport_rbac::{Rule, covers};
use std::collections::{BTreeMap, BTreeSet};

/// The most single permissions a rule is taken apart into; a larger one is lost as a whole or not at all.
const ATOMS_MOST: usize = 4096;

/// How many single permissions a rule has.
pub(super) fn many(rule: &Rule) -> usize {
    let resources = rule
        .api_groups
        .len()
        .saturating_mul(rule.resources.len())
        .saturating_mul(rule.resource_names.len().max(1));
    rule.verbs.len().saturating_mul(resources.saturating_add(rule.non_resource_urls.len()))
}

/// What of `rules` these do not cover.
pub(super) fn uncovered(rules: &[Rule], after: &[Rule]) -> Vec<Rule> {
    let mut lost: Vec<Rule> = Vec::new();
    for rule in rules.iter().filter(|rule| many(rule) > 0 && !covers(after, rule)) {
        if many(rule) > ATOMS_MOST {
            lost.push(rule.clone());
            continue;
        }
        let left: Vec<Atom<'_>> =
            atoms(rule).into_iter().filter(|atom| !covers(after, &atom.rule(rule))).collect();
        lost.extend(together(rule, left));
    }
    lost.sort();
    lost.dedup();
    lost
}

/// One permission.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Atom<'r> {
    On { verb: &'r str, group: &'r str, resource: &'r str, name: Option<&'r str> },
    Path { verb: &'r str, url: &'r str },
}

impl Atom<'_> {
    fn rule(self, of: &Rule) -> Rule {
        let one = |text: &str| vec![text.to_owned()];
        let blank = Rule {
            role: of.role.clone(),
            verbs: Vec::new(),
            api_groups: Vec::new(),
            resources: Vec::new(),
            resource_names: Vec::new(),
            non_resource_urls: Vec::new(),
        };
        match self {
            Self::On { verb, group, resource, name } => Rule {
                verbs: one(verb),
                api_groups: one(group),
                resources: one(resource),
                resource_names: name.map(one).unwrap_or_default(),
                ..blank
            },
            Self::Path { verb, url } => Rule { verbs: one(verb), non_resource_urls: one(url), ..blank },
        }
    }
}

fn atoms(rule: &Rule) -> Vec<Atom<'_>> {
    let names: Vec<Option<&str>> = match rule.resource_names.as_slice() {
        [] => vec![None],
        names => names.iter().map(|name| Some(name.as_str())).collect(),
    };
    let mut all = Vec::new();
    for verb in &rule.verbs {
        all.extend(rule.non_resource_urls.iter().map(|url| Atom::Path { verb, url }));
        for group in &rule.api_groups {
            for resource in &rule.resources {
                all.extend(names.iter().map(|name| Atom::On { verb, group, resource, name: *name }));
            }
        }
    }
    all
}

/// Put together again as few rules: each list is widened only where all others are the same.
fn together(of: &Rule, left: Vec<Atom<'_>>) -> Vec<Rule> {
    type Set<'r> = BTreeSet<&'r str>;
    let mut verbs: BTreeMap<(&str, &str, Option<&str>), Set<'_>> = BTreeMap::new();
    let mut paths: BTreeMap<&str, Set<'_>> = BTreeMap::new();
    for atom in left {
        match atom {
            Atom::On { verb, group, resource, name } => {
                verbs.entry((group, resource, name)).or_default().insert(verb);
            }
            Atom::Path { verb, url } => drop(paths.entry(url).or_default().insert(verb)),
        }
    }
    let mut resources: BTreeMap<(Set<'_>, &str, Option<&str>), Set<'_>> = BTreeMap::new();
    for ((group, resource, name), verbs) in verbs {
        resources.entry((verbs, group, name)).or_default().insert(resource);
    }
    let mut groups: BTreeMap<(Set<'_>, Set<'_>, Option<&str>), Set<'_>> = BTreeMap::new();
    for ((verbs, group, name), resources) in resources {
        groups.entry((verbs, resources, name)).or_default().insert(group);
    }
    let mut names: BTreeMap<(Set<'_>, Set<'_>, Set<'_>, bool), Set<'_>> = BTreeMap::new();
    for ((verbs, resources, name), groups) in groups {
        names.entry((verbs, resources, groups, name.is_some())).or_default().extend(name);
    }
    let texts = |set: Set<'_>| set.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut rules: Vec<Rule> = names
        .into_iter()
        .map(|((verbs, resources, groups, _), names)| Rule {
            role: of.role.clone(),
            verbs: texts(verbs),
            api_groups: texts(groups),
            resources: texts(resources),
            resource_names: texts(names),
            non_resource_urls: Vec::new(),
        })
        .collect();
    let mut urls: BTreeMap<Set<'_>, Set<'_>> = BTreeMap::new();
    for (url, verbs) in paths {
        urls.entry(verbs).or_default().insert(url);
    }
    rules.extend(urls.into_iter().map(|(verbs, urls)| Rule {
        role: of.role.clone(),
        verbs: texts(verbs),
        api_groups: Vec::new(),
        resources: Vec::new(),
        resource_names: Vec::new(),
        non_resource_urls: texts(urls),
    }));
    rules
}

/// Whether both may allow the same request. A no is certain.
pub(super) fn overlaps(a: &Rule, b: &Rule) -> bool {
    let meet = |a: &[String], b: &[String]| {
        let star = |list: &[String]| list.iter().any(|entry| entry == "*");
        (star(a) && !b.is_empty()) || (star(b) && !a.is_empty()) || a.iter().any(|entry| b.contains(entry))
    };
    let resource = |a: &String, b: &String| {
        let sub = |text: &str| text.split_once('/').map(|(_, sub)| sub.to_owned());
        a == b
            || a == "*"
            || b == "*"
            || (a.starts_with("*/") && sub(a) == sub(b))
            || (b.starts_with("*/") && sub(a) == sub(b))
    };
    let on = meet(&a.api_groups, &b.api_groups)
        && a.resources.iter().any(|own| b.resources.iter().any(|other| resource(own, other)));
    let url = |a: &String, b: &String| {
        let stem = |text: &str| text.trim_end_matches('*').to_owned();
        a == b || (a.ends_with('*') && b.starts_with(&stem(a))) || (b.ends_with('*') && a.starts_with(&stem(b)))
            // Two prefixes meet where one begins as the other.
            || (a.ends_with('*') && b.ends_with('*') && (stem(a).starts_with(&stem(b)) || stem(b).starts_with(&stem(a))))
    };
    let path = a.non_resource_urls.iter().any(|own| b.non_resource_urls.iter().any(|other| url(own, other)));
    meet(&a.verbs, &b.verbs) && (on || path)
}
