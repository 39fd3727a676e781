use crate::Rule;

/// The most single permissions a rule is broken into; a larger one that no single rule covers counts as new.
const ATOMS_MOST: usize = 50_000;

/// Whether `before` allows everything that `rule` allows (`Covers` of Kubernetes' escalation check).
///
/// Sound and conservative: a yes is always true; a no may be wrong only where several rules together happen to
/// allow what one wildcard says.
pub fn covers(before: &[Rule], rule: &Rule) -> bool {
    if before.iter().any(|old| covers_whole(old, rule)) {
        return true;
    }
    // The common case is answered above. Breaking up costs the product of the lists, so it is bounded.
    if atoms_of(rule) > ATOMS_MOST {
        return false;
    }
    each_atom(rule, |atom| before.iter().any(|old| covers_whole(old, atom)))
}

/// The rules of `after` that allow something `before` did not: empty when nothing grew.
pub fn growth(before: &[Rule], after: &[Rule]) -> Vec<Rule> {
    after.iter().filter(|rule| !covers(before, rule)).cloned().collect()
}

/// `ruleCovers` of Kubernetes: every factor of `new` lies within the same factor of `old`.
fn covers_whole(old: &Rule, new: &Rule) -> bool {
    let resources = new.api_groups.is_empty()
        || new.resources.is_empty()
        || (within(&new.api_groups, &old.api_groups)
            && new.resources.iter().all(|r| resource_within(r, &old.resources))
            && names_within(new, old));
    within(&new.verbs, &old.verbs)
        && resources
        && new.non_resource_urls.iter().all(|u| url_within(u, &old.non_resource_urls))
}

fn within(new: &[String], old: &[String]) -> bool {
    old.iter().any(|o| o == "*") || new.iter().all(|n| old.contains(n))
}

fn resource_within(new: &str, old: &[String]) -> bool {
    old.iter().any(|o| {
        o == "*" || o == new || new.split_once('/').is_some_and(|(_, sub)| o.strip_prefix("*/") == Some(sub))
    })
}

fn names_within(new: &Rule, old: &Rule) -> bool {
    old.resource_names.is_empty()
        || (!new.resource_names.is_empty()
            && new.resource_names.iter().all(|n| old.resource_names.contains(n)))
}

fn url_within(new: &str, old: &[String]) -> bool {
    old.iter().any(|o| o == "*" || o == new || (o.ends_with('*') && new.starts_with(o.trim_end_matches('*'))))
}

fn atoms_of(rule: &Rule) -> usize {
    let resources = rule
        .api_groups
        .len()
        .saturating_mul(rule.resources.len())
        .saturating_mul(rule.resource_names.len().max(1));
    rule.verbs.len().saturating_mul(resources.saturating_add(rule.non_resource_urls.len()))
}

/// Calls `check` with each single permission of the rule until one answers no.
fn each_atom(rule: &Rule, check: impl Fn(&Rule) -> bool) -> bool {
    let one = |text: &String| vec![text.clone()];
    let names: Vec<Vec<String>> = match rule.resource_names.as_slice() {
        [] => vec![Vec::new()],
        names => names.iter().map(one).collect(),
    };
    let blank = Rule {
        role: rule.role.clone(),
        verbs: Vec::new(),
        api_groups: Vec::new(),
        resources: Vec::new(),
        resource_names: Vec::new(),
        non_resource_urls: Vec::new(),
    };
    rule.verbs.iter().all(|verb| {
        let on_paths = rule
            .non_resource_urls
            .iter()
            .all(|url| check(&Rule { verbs: one(verb), non_resource_urls: one(url), ..blank.clone() }));
        on_paths
            && rule.api_groups.iter().all(|group| {
                rule.resources.iter().all(|resource| {
                    names.iter().all(|name| {
                        check(&Rule {
                            verbs: one(verb),
                            api_groups: one(group),
                            resources: one(resource),
                            resource_names: name.clone(),
                            ..blank.clone()
                        })
                    })
                })
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        allows,
        rule::tests::{any_rule, every_ask, named, paths, rule},
    };
    use proptest::prelude::*;

    #[test]
    fn p11_what_was_not_allowed_before_is_growth() {
        let before =
            [rule(&["get", "list"], &[""], &["pods", "services"]), rule(&["*"], &["apps"], &["*/scale"])];
        for (after, grows) in [
            (rule(&["get"], &[""], &["pods"]), false),
            (rule(&["get"], &[""], &["pods", "services"]), false),
            (named(rule(&["get"], &[""], &["pods"]), &["a"]), false),
            (rule(&["get"], &[""], &["pods/log"]), true),
            (rule(&["get", "delete"], &[""], &["pods"]), true),
            (rule(&["get"], &["*"], &["pods"]), true),
            (rule(&["*"], &[""], &["pods"]), true),
            (rule(&["update"], &["apps"], &["deployments/scale"]), false),
            (rule(&["get"], &["apps"], &["deployments"]), true),
            (paths(&["get"], &["/metrics"]), true),
            (rule(&["get"], &[], &["pods"]), false),
        ] {
            assert_eq!(!growth(&before, std::slice::from_ref(&after)).is_empty(), grows, "{after:?}");
        }
        let limited = [named(rule(&["get"], &[""], &["secrets"]), &["a", "b"])];
        assert!(!growth(&limited, &[rule(&["get"], &[""], &["secrets"])]).is_empty());
        assert!(!growth(&limited, &[named(rule(&["get"], &[""], &["secrets"]), &["a", "c"])]).is_empty());
        assert!(growth(&limited, &[named(rule(&["get"], &[""], &["secrets"]), &["b"])]).is_empty());
        assert!(
            growth(&[paths(&["get"], &["/logs/*"])], &[paths(&["get"], &["/logs/a", "/logs/*"])]).is_empty()
        );
        assert!(!growth(&[paths(&["get"], &["/logs/*"])], &[paths(&["get"], &["/*"])]).is_empty());
    }

    #[test]
    fn a_rule_spread_over_several_is_not_growth() {
        let before = [rule(&["get"], &[""], &["pods"]), rule(&["list"], &[""], &["pods"])];
        assert!(growth(&before, &[rule(&["get", "list"], &[""], &["pods"])]).is_empty());
    }

    #[test]
    fn a_rule_too_large_to_break_up_counts_as_growth_at_once() {
        let mut huge = rule(&[], &[], &[]);
        huge.verbs = (0..1000).map(|n| format!("v{n}")).collect();
        huge.api_groups = (0..1000).map(|n| format!("g{n}")).collect();
        huge.resources = (0..1000).map(|n| format!("r{n}")).collect();
        assert_eq!(growth(&[rule(&["get"], &[""], &["pods"])], &[huge.clone()]).len(), 1);
        assert!(growth(&[huge.clone()], &[huge]).is_empty());
    }

    proptest! {
        #[test]
        fn p11_without_growth_nothing_new_is_allowed(
            before in prop::collection::vec(any_rule(), 0..4),
            after in prop::collection::vec(any_rule(), 0..4),
        ) {
            if growth(&before, &after).is_empty() {
                for asked in every_ask() {
                    prop_assert!(!allows(&after, asked) || allows(&before, asked), "{:?}", asked);
                }
            }
        }

        #[test]
        fn p11_nothing_grows_from_itself(rules in prop::collection::vec(any_rule(), 0..5)) {
            prop_assert!(growth(&rules, &rules).is_empty());
        }
    }
}
