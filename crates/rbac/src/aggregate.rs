//! What an aggregated ClusterRole would hold, where no controller has written it down yet.
//!
//! The authorizer reads the rules as stored, so this is for a control plane without the controller
//! `clusterrole-aggregation` and for manifests that nobody has applied; whoever shows it says that it was computed.
//! Follows `pkg/controller/clusterroleaggregation` of Kubernetes, which goes on until nothing changes any more.

use crate::Rule;
use crate::who::Role;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most labels compared and rules taken over. Beyond it a role is left as stored.
const STEPS_MOST: usize = 2_000_000;

/// A requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// It is there, with one of these values.
    In(String, Vec<String>),
    /// It is not there, or has none of these values.
    NotIn(String, Vec<String>),
    /// It is there.
    Exists(String),
    /// It is not there.
    DoesNotExist(String),
}

impl Requirement {
    /// Whether an object with these labels meets it.
    pub fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|own| values.contains(own)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|own| !values.contains(own)),
            Self::Exists(key) => labels.contains_key(key),
            Self::DoesNotExist(key) => !labels.contains_key(key),
        }
    }
}

/// A ClusterRole as it is stored, with what aggregation goes by.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The role.
    pub role: Role,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its `aggregationRule`: each selector is all of its requirements, and one that fits is enough. None: it has none.
    pub selectors: Option<Vec<Vec<Requirement>>>,
}

/// How filling went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The places of the roles whose rules were computed here.
    pub computed: Vec<usize>,
    /// The places of those that would have taken too long, and are as stored: what they give is not known.
    pub left: Vec<usize>,
}

/// Gives every aggregated ClusterRole that has no rules those of the roles it selects, of those they select in turn, and
/// so on; roles that select each other hold the same. One that has rules is what a controller made of it.
pub fn fill(roles: &mut [Stored]) -> Filled {
    let mut filled = Filled::default();
    let mut steps = 0_usize;
    let empty: Vec<usize> = (0..roles.len()).filter(|at| is_unwritten(roles, *at)).collect();
    // What each selects of the others, as far as somebody asks.
    let mut selected: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut found: Vec<(usize, Vec<Rule>)> = Vec::new();
    for start in empty {
        let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
        let mut rules: BTreeSet<&Rule> = BTreeSet::new();
        while let Some(at) = open.pop() {
            let next = selected.entry(at).or_insert_with(|| {
                steps = steps.saturating_add(roles.len());
                selects(roles, at, steps)
            });
            steps = steps.saturating_add(next.len());
            for other in next.iter().filter(|other| seen.insert(**other)) {
                let own = roles.get(*other).map_or(&[][..], |stored| &stored.role.rules);
                steps = steps.saturating_add(own.len());
                rules.extend(own);
                // What has rules was written by the controller, all it selects included.
                if is_unwritten(roles, *other) {
                    open.push(*other);
                }
            }
            if steps > STEPS_MOST {
                break;
            }
        }
        if steps > STEPS_MOST {
            filled.left.push(start);
        } else {
            found.push((start, rules.into_iter().cloned().collect()));
        }
    }
    for (at, rules) in found {
        if let Some(stored) = roles.get_mut(at) {
            stored.role.rules = rules;
            filled.computed.push(at);
        }
    }
    filled
}

/// Whether it aggregates and nobody has written what.
fn is_unwritten(roles: &[Stored], at: usize) -> bool {
    roles.get(at).is_some_and(|stored| stored.selectors.is_some() && stored.role.rules.is_empty())
}

/// The places of those whose labels it selects; nothing once too many were compared.
fn selects(roles: &[Stored], at: usize, steps: usize) -> Vec<usize> {
    let selectors = roles.get(at).and_then(|stored| stored.selectors.as_deref()).unwrap_or_default();
    if selectors.is_empty() || steps > STEPS_MOST {
        return Vec::new();
    }
    // Roles of a namespace are none of them.
    let fits = |stored: &Stored| {
        stored.role.namespace.is_none()
            && selectors.iter().any(|all| all.iter().all(|one| one.holds(&stored.labels)))
    };
    roles
        .iter()
        .enumerate()
        .filter(|(other, stored)| *other != at && fits(stored))
        .map(|(at, _)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::rule;
    use std::time::{Duration, Instant};

    fn stored(name: &str, label: &str, selects: Option<&str>, verbs: &[&str]) -> Stored {
        let rules = if verbs.is_empty() { Vec::new() } else { vec![rule(verbs, &[""], &["pods"])] };
        let selector = |label: &str| vec![vec![Requirement::In(label.to_owned(), vec!["true".to_owned()])]];
        Stored {
            role: Role { namespace: None, name: name.to_owned(), rules },
            labels: [(label.to_owned(), "true".to_owned())].into(),
            selectors: selects.map(selector),
        }
    }

    fn verbs(stored: &Stored) -> Vec<&str> {
        stored.role.rules.iter().flat_map(|rule| rule.verbs.iter().map(String::as_str)).collect()
    }

    #[test]
    fn an_aggregated_role_holds_what_it_selects_and_what_that_selects() {
        let mut roles = vec![
            stored("admin", "none", Some("to-admin"), &[]),
            stored("edit", "to-admin", Some("to-edit"), &[]),
            stored("pods", "to-edit", None, &["get"]),
            stored("written", "none", Some("to-edit"), &["list"]),
            stored("other", "elsewhere", None, &["delete"]),
        ];
        assert_eq!(fill(&mut roles), Filled { computed: vec![0, 1], left: vec![] });
        assert_eq!((verbs(&roles[0]), verbs(&roles[1])), (vec!["get"], vec!["get"]));
        // What the controller wrote stands.
        assert_eq!(verbs(&roles[3]), ["list"]);
    }

    #[test]
    fn roles_that_select_each_other_hold_the_same() {
        let mut roles = vec![
            stored("a", "x", Some("y"), &[]),
            stored("b", "y", Some("x"), &[]),
            stored("c", "y", None, &["get"]),
            stored("d", "x", None, &["list"]),
            stored("own", "z", Some("z"), &[]),
            stored("local", "x", None, &["delete"]),
        ];
        roles[5].role.namespace = Some("n".into());
        fill(&mut roles);
        assert_eq!(verbs(&roles[0]), ["get", "list"]);
        assert_eq!(verbs(&roles[0]), verbs(&roles[1]));
        assert!(verbs(&roles[4]).is_empty());
    }

    #[test]
    fn a_selector_that_asks_for_nothing_selects_every_cluster_role() {
        let mut roles = vec![
            stored("all", "a", None, &[]),
            stored("pods", "b", None, &["get"]),
            stored("n", "c", None, &["list"]),
        ];
        roles[0].selectors = Some(vec![vec![]]);
        roles[2].role.namespace = Some("n".into());
        fill(&mut roles);
        assert_eq!(verbs(&roles[0]), ["get"]);
        let mut roles = vec![stored("none", "a", None, &[]), stored("pods", "b", None, &["get"])];
        roles[0].selectors = Some(vec![]);
        fill(&mut roles);
        assert!(verbs(&roles[0]).is_empty());
    }

    #[test]
    fn labels_are_asked_as_selectors_of_kubernetes_ask_them() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let text = |text: &str| text.to_owned();
        for (requirement, holds) in [
            (Requirement::In(text("a"), vec![text("1"), text("2")]), true),
            (Requirement::In(text("a"), vec![]), false),
            (Requirement::In(text("b"), vec![text("1")]), false),
            (Requirement::NotIn(text("a"), vec![text("1")]), false),
            (Requirement::NotIn(text("b"), vec![text("1")]), true),
            (Requirement::Exists(text("a")), true),
            (Requirement::Exists(text("b")), false),
            (Requirement::DoesNotExist(text("a")), false),
            (Requirement::DoesNotExist(text("b")), true),
        ] {
            assert_eq!(requirement.holds(&labels), holds, "{requirement:?}");
        }
    }

    /// 5,000 aggregated roles that all select each other: bounded, and what was left is said.
    #[test]
    fn aggregation_without_end_ends() {
        let mut roles: Vec<Stored> =
            (0..5_000).map(|n| stored(&format!("r{n}"), "x", Some("x"), &[])).collect();
        roles.push(stored("pods", "x", None, &["get"]));
        let began = Instant::now();
        let filled = fill(&mut roles);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(filled.computed.len() + filled.left.len(), 5_000);
        assert!(!filled.left.is_empty());
    }
}
