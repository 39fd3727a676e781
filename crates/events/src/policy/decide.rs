//! Which rule of a policy decides of a call that an event tells of, whoever made it.

use super::{Policy, Resources, Rule};
use crate::Level;
use crate::read::place::Place;

/// A call, as a policy looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyCall<'a> {
    /// Who it was authenticated as.
    pub user: &'a str,
    /// Their groups.
    pub groups: &'a [&'a str],
    /// The verb.
    pub verb: &'a str,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The resource; empty: it is about a path.
    pub resource: &'a str,
    /// What is below it.
    pub subresource: &'a str,
    /// The namespace; empty: none.
    pub namespace: &'a str,
    /// The object's name; empty: none.
    pub name: &'a str,
    /// The path, without what is asked behind it.
    pub path: &'a str,
}

impl Policy {
    /// The level of each rule, in their order.
    pub fn levels(&self) -> impl Iterator<Item = Level> {
        self.rules.iter().map(|rule| rule.level.unwrap_or(Level::None))
    }

    /// The place of the rule that decides; none: nothing is written.
    pub fn decides(&self, call: &PolicyCall<'_>) -> Option<usize> {
        let place = Place {
            group: call.group.to_owned(),
            version: String::new(),
            namespace: call.namespace.to_owned(),
            resource: call.resource.to_owned(),
            name: call.name.to_owned(),
            subresource: call.subresource.to_owned(),
            is_watch: false,
        };
        self.rules.iter().position(|rule| rule.decides(call, &place))
    }
}

impl Rule {
    fn decides(&self, call: &PolicyCall<'_>, place: &Place) -> bool {
        let has = |list: &[String], text: &str| list.iter().any(|own| own == text);
        if !self.users.is_empty() && !has(&self.users, call.user)
            || !self.groups.is_empty() && !call.groups.iter().any(|group| has(&self.groups, group))
            || !self.verbs.is_empty() && !has(&self.verbs, call.verb)
        {
            return false;
        }
        if !self.namespaces.is_empty() || !self.resources.is_empty() {
            let is_there = self.namespaces.is_empty() || has(&self.namespaces, call.namespace);
            let is_named = |one: &Resources| one.names.is_empty() || has(&one.names, call.name);
            let is_it = self.resources.is_empty()
                || self.resources.iter().any(|one| one.fits(place) && is_named(one));
            return !call.resource.is_empty() && is_there && is_it;
        }
        if !self.paths.is_empty() {
            let fits = |own: &String| match own.strip_suffix('*') {
                Some(begin) => call.path.starts_with(begin),
                None => call.path == own,
            };
            return call.resource.is_empty() && self.paths.iter().any(fits);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policy(rules: Value) -> Policy {
        Policy::of(&json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules})).unwrap()
    }

    fn pods<'a>(verb: &'a str, subresource: &'a str) -> PolicyCall<'a> {
        PolicyCall {
            user: "dana",
            verb,
            resource: "pods",
            subresource,
            namespace: "pay",
            ..PolicyCall::default()
        }
    }

    #[test]
    fn resources_fit_as_in_kubernetes() {
        let one = |resources: &[&str]| {
            policy(json!([{"level": "Metadata", "resources": [{"group": "", "resources": resources}]}]))
        };
        for (own, subresource, fits) in [
            ("pods", "", true),
            ("pods", "exec", false),
            ("pods/exec", "exec", true),
            ("pods/exec", "", false),
            ("pods/*", "exec", true),
            ("pods/*", "", true),
            ("*/exec", "exec", true),
            ("*/exec", "", false),
            ("*", "exec", true),
            ("services", "", false),
        ] {
            assert_eq!(one(&[own]).decides(&pods("get", subresource)).is_some(), fits, "{own} {subresource}");
        }
        let of = |rule: Value| policy(json!([rule])).decides(&pods("get", "")).is_some();
        assert!(of(json!({"level": "None", "resources": [{"group": ""}]})));
        assert!(!of(json!({"level": "None", "resources": [{"group": "apps"}]})));
        assert!(!of(
            json!({"level": "None", "resources": [{"group": "", "resources": ["pods"], "resourceNames": ["a"]}]})
        ));
        assert!(of(json!({"level": "None", "namespaces": ["pay"]})));
        assert!(!of(json!({"level": "None", "namespaces": [""]})));
        assert!(!of(json!({"level": "None", "nonResourceURLs": ["*"]})));
        assert!(!of(json!({"level": "None", "users": ["erin"]})));
        assert!(!of(json!({"level": "None", "verbs": ["list"]})));
        assert!(!of(json!({"level": "None", "userGroups": ["devs"]})));
    }

    #[test]
    fn the_first_rule_decides_and_none_writes_nothing() {
        let policy = policy(json!([
            {"level": "None", "nonResourceURLs": ["/livez*", "/version"]},
            {"level": "Request", "verbs": ["create"]},
            {"level": "Metadata", "users": ["dana"]},
        ]));
        let path = |path| PolicyCall { user: "erin", verb: "get", path, ..PolicyCall::default() };
        assert_eq!(policy.decides(&path("/livez/ping")), Some(0));
        assert_eq!(policy.decides(&path("/version")), Some(0));
        assert_eq!(policy.decides(&path("/version/")), None);
        assert_eq!(policy.decides(&pods("create", "")), Some(1));
        assert_eq!(policy.decides(&pods("get", "")), Some(2));
    }
}
