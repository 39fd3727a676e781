use sallyport_model::{RoleName, Scope};
use serde::{Deserialize, Serialize};

/// The most entries one list of a rule keeps; longer ones become several rules. It keeps every rule within what
/// the wire form of an offer may hold.
const LIST_MOST: usize = 32;

/// The most rules an offer may hold; its CRD says the same.
pub const RULES_MOST: usize = 128;

/// One rule of a ClusterRole: RBAC's PolicyRule and the role it stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The ClusterRole it stands in.
    pub role: RoleName,
    /// Verbs; `*` is every verb.
    pub verbs: Vec<String>,
    /// API groups, the core group being the empty string; `*` is every group.
    pub api_groups: Vec<String>,
    /// Resources and subresources (`pods/exec`); `*` is every one of both, `*/scale` that subresource of every
    /// resource. `pods/*` is *not* a wildcard.
    pub resources: Vec<String>,
    /// Names it is limited to; empty means every name.
    pub resource_names: Vec<String>,
    /// Paths outside resources; a trailing `*` is a prefix match.
    #[serde(rename = "nonResourceURLs")]
    pub non_resource_urls: Vec<String>,
}

/// One question to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask<'a> {
    /// May `verb` be done to a resource?
    Resource {
        /// e.g. `get`.
        verb: &'a str,
        /// API group; empty for the core group.
        group: &'a str,
        /// Plural, in lower case, e.g. `pods`.
        resource: &'a str,
        /// e.g. `exec`; empty for the resource itself.
        subresource: &'a str,
        /// The object's name; empty where the request carries none (list, watch, most creates).
        name: &'a str,
    },
    /// May `verb` be done to a path that is no resource?
    Path {
        /// e.g. `get`.
        verb: &'a str,
        /// e.g. `/metrics`.
        path: &'a str,
    },
}

impl Rule {
    /// A rule on resources, without limits on names.
    pub fn on<S: Into<String>>(
        role: &RoleName,
        verbs: impl IntoIterator<Item = S>,
        groups: impl IntoIterator<Item = S>,
        resources: impl IntoIterator<Item = S>,
    ) -> Self {
        let texts = |list: Vec<S>| list.into_iter().map(Into::into).collect();
        Self {
            role: role.clone(),
            verbs: texts(verbs.into_iter().collect()),
            api_groups: texts(groups.into_iter().collect()),
            resources: texts(resources.into_iter().collect()),
            resource_names: Vec::new(),
            non_resource_urls: Vec::new(),
        }
    }

    /// Whether this rule alone allows it.
    pub fn allows(&self, ask: Ask<'_>) -> bool {
        match ask {
            Ask::Resource { verb, group, resource, subresource, name } => {
                self.allows_some(verb, group, resource, subresource)
                    && (self.resource_names.is_empty() || self.resource_names.iter().any(|n| n == name))
            }
            Ask::Path { verb, path } => {
                self.verb(verb) && self.non_resource_urls.iter().any(|own| path_matches(own, path))
            }
        }
    }

    /// Whether it allows this on at least one name, whichever names it is limited to.
    pub(crate) fn allows_some(&self, verb: &str, group: &str, resource: &str, subresource: &str) -> bool {
        self.verb(verb) && self.group(group) && self.resource(resource, subresource)
    }

    pub(crate) fn group(&self, group: &str) -> bool {
        self.api_groups.iter().any(|own| own == "*" || own == group)
    }

    pub(crate) fn resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources.iter().any(|own| resource_matches(own, resource, subresource))
    }

    pub(crate) fn verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|own| own == "*" || own == verb)
    }

    /// Whether it can allow nothing at all.
    fn is_empty(&self) -> bool {
        let no_resource = self.api_groups.is_empty() || self.resources.is_empty();
        self.verbs.is_empty() || (no_resource && self.non_resource_urls.is_empty())
    }
}

/// Whether any of the rules allows it. RBAC only ever adds, so one yes is enough.
pub fn allows(rules: &[Rule], ask: Ask<'_>) -> bool {
    rules.iter().any(|rule| rule.allows(ask))
}

/// `ResourceMatches` of Kubernetes: `own` against `resource` or `resource/subresource`.
///
/// Both are compared as one text, as there: a resource that holds a slash itself is not cut anew.
fn resource_matches(own: &str, resource: &str, subresource: &str) -> bool {
    if own == "*" {
        return true;
    }
    if subresource.is_empty() {
        return own == resource;
    }
    own.strip_suffix(subresource)
        .and_then(|rest| rest.strip_suffix('/'))
        .is_some_and(|own_resource| own_resource == "*" || own_resource == resource)
}

/// `NonResourceURLMatches` of Kubernetes.
fn path_matches(own: &str, path: &str) -> bool {
    own == "*" || own == path || (own.ends_with('*') && path.starts_with(own.trim_end_matches('*')))
}

/// What the rules of a session's roles really allow in `scope`: sorted, without repetitions and without what a
/// binding there cannot give (a RoleBinding gives no paths outside resources).
///
/// `rules` are those of the live ClusterRoles *as stored*: for an aggregated role that is what the aggregation
/// controller wrote, which is what the authorizer reads. The result depends on the set of rules alone, not on the
/// order of roles, rules or list entries, so that it can be digested.
pub fn effective(rules: impl IntoIterator<Item = Rule>, scope: &Scope) -> Vec<Rule> {
    let mut out = Vec::new();
    for mut rule in rules {
        if *scope != Scope::ClusterWide {
            rule.non_resource_urls.clear();
        }
        for list in lists(&mut rule) {
            list.sort_unstable();
            list.dedup();
        }
        // A `*` makes its neighbours say nothing new.
        for list in [&mut rule.verbs, &mut rule.api_groups, &mut rule.resources, &mut rule.non_resource_urls]
        {
            if list.iter().any(|entry| entry == "*") {
                *list = vec!["*".to_owned()];
            }
        }
        if !rule.is_empty() {
            split(rule, &mut out);
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn lists(rule: &mut Rule) -> [&mut Vec<String>; 5] {
    [
        &mut rule.verbs,
        &mut rule.api_groups,
        &mut rule.resources,
        &mut rule.resource_names,
        &mut rule.non_resource_urls,
    ]
}

/// Breaks a rule with an overlong list in two until none is left. The union allows the same: a rule allows the
/// product of its lists, and halving one factor halves the product.
fn split(mut rule: Rule, out: &mut Vec<Rule>) {
    for at in 0..5 {
        let list = &mut lists(&mut rule)[at];
        if list.len() > LIST_MOST {
            let tail = list.split_off(LIST_MOST);
            let mut rest = rule.clone();
            *lists(&mut rest)[at] = tail;
            split(rule, out);
            split(rest, out);
            return;
        }
    }
    out.push(rule);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn role(name: &str) -> RoleName {
        name.parse().unwrap()
    }

    pub(crate) fn rule(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Rule {
        Rule::on(&role("r"), verbs.to_vec(), groups.to_vec(), resources.to_vec())
    }

    pub(crate) fn named(mut rule: Rule, names: &[&str]) -> Rule {
        rule.resource_names = names.iter().map(|n| n.to_string()).collect();
        rule
    }

    pub(crate) fn paths(verbs: &[&str], urls: &[&str]) -> Rule {
        let mut rule = rule(verbs, &[], &[]);
        rule.non_resource_urls = urls.iter().map(|n| n.to_string()).collect();
        rule
    }

    fn ask<'a>(
        verb: &'a str,
        group: &'a str,
        resource: &'a str,
        subresource: &'a str,
        name: &'a str,
    ) -> Ask<'a> {
        Ask::Resource { verb, group, resource, subresource, name }
    }

    #[test]
    fn p22_resources_match_as_in_kubernetes() {
        for (own, resource, sub, fits) in [
            ("pods", "pods", "", true),
            ("pods", "pods", "exec", false),
            ("pods/exec", "pods", "exec", true),
            ("pods/exec", "pods", "", false),
            ("*", "pods", "exec", true),
            ("*", "pods", "", true),
            ("pods/*", "pods", "exec", false),
            ("pods/*", "pods", "", false),
            ("*/scale", "deployments", "scale", true),
            ("*/scale", "deployments", "", false),
            ("*/*", "pods", "exec", false),
            ("*/", "pods", "", false),
            ("Pods", "pods", "", false),
            ("", "pods", "", false),
            ("a/b/c", "a", "b/c", true),
            ("a/b/c", "a/b", "c", true),
            ("*/b/c", "a", "b/c", true),
            ("*/b/c", "a/b", "c", false),
            ("*/c", "a/b", "c", true),
        ] {
            assert_eq!(resource_matches(own, resource, sub), fits, "{own} against {resource}/{sub}");
        }
    }

    #[test]
    fn p22_verbs_groups_and_names_match_as_in_kubernetes() {
        let get_pods = rule(&["get"], &[""], &["pods"]);
        assert!(get_pods.allows(ask("get", "", "pods", "", "a")));
        assert!(!get_pods.allows(ask("get", "apps", "pods", "", "a")));
        assert!(!get_pods.allows(ask("list", "", "pods", "", "")));
        assert!(rule(&["*"], &["*"], &["*"]).allows(ask("escalate", "x", "y", "z", "")));
        let only_a = named(get_pods, &["a"]);
        assert!(only_a.allows(ask("get", "", "pods", "", "a")));
        assert!(!only_a.allows(ask("get", "", "pods", "", "b")));
        // A name-limited rule never allows a request without a name.
        assert!(
            !named(rule(&["list", "create"], &[""], &["pods"]), &["a"])
                .allows(ask("list", "", "pods", "", ""))
        );
        assert!(named(rule(&["create"], &[""], &["serviceaccounts/token"]), &["a"]).allows(ask(
            "create",
            "",
            "serviceaccounts",
            "token",
            "a"
        )));
    }

    #[test]
    fn p22_paths_match_as_in_kubernetes() {
        for (own, path, fits) in [
            ("/metrics", "/metrics", true),
            ("/metrics", "/metrics/x", false),
            ("/logs/*", "/logs/a/b", true),
            ("/logs/*", "/logs", false),
            ("/logs*", "/logsx", true),
            ("*", "/anything", true),
            ("/a**", "/ab", true),
        ] {
            let asked = Ask::Path { verb: "get", path };
            assert_eq!(paths(&["get"], &[own]).allows(asked), fits, "{own} {path}");
        }
        assert!(!paths(&["get"], &["*"]).allows(Ask::Path { verb: "post", path: "/x" }));
        assert!(!rule(&["*"], &["*"], &["*"]).allows(Ask::Path { verb: "get", path: "/x" }));
    }

    #[test]
    fn effective_rules_do_not_depend_on_order_and_drop_what_a_role_binding_cannot_give() {
        let wide = Scope::ClusterWide;
        let a = rule(&["list", "get", "get"], &[""], &["pods", "pods/log"]);
        let b = rule(&["get", "list"], &[""], &["pods/log", "pods"]);
        assert_eq!(effective([a.clone(), b.clone()], &wide), effective([b], &wide));
        let namespaced = Scope::from_list(["payments".parse().unwrap()]);
        assert!(effective([paths(&["get"], &["/metrics"])], &namespaced).is_empty());
        assert_eq!(effective([paths(&["get"], &["/metrics"])], &wide).len(), 1);
        assert!(effective([rule(&[], &[""], &["pods"]), rule(&["get"], &[], &["pods"])], &wide).is_empty());
    }

    #[test]
    fn an_overlong_rule_becomes_several_that_allow_the_same() {
        let many: Vec<String> = (0..100).map(|n| format!("kind{n:03}")).collect();
        let mut long = rule(&["get"], &[""], &[]);
        long.resources = many.clone();
        let out = effective([long], &Scope::ClusterWide);
        assert_eq!(out.len(), 4);
        assert!(out.iter().all(|r| r.resources.len() <= LIST_MOST));
        assert!(many.iter().all(|kind| allows(&out, ask("get", "", kind, "", ""))));
    }

    fn word(words: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(prop::sample::select(words).prop_map(str::to_owned), 0..4)
    }

    pub(crate) fn any_rule() -> impl Strategy<Value = Rule> {
        let names = prop_oneof![2 => Just(Vec::new()), 1 => word(&["a", "b"])];
        (
            word(&["get", "list", "create", "*"]),
            word(&["", "apps", "*"]),
            word(&["pods", "pods/exec", "deployments", "*/scale", "deployments/scale", "pods/*", "*"]),
            names,
            word(&["/metrics", "/logs/*", "*"]),
        )
            .prop_map(|(verbs, api_groups, resources, resource_names, non_resource_urls)| Rule {
                role: role("r"),
                verbs,
                api_groups,
                resources,
                resource_names,
                non_resource_urls,
            })
    }

    pub(crate) fn every_ask() -> Vec<Ask<'static>> {
        let mut out = Vec::new();
        for verb in ["get", "list", "create", "delete"] {
            for path in ["/metrics", "/logs/x", "/other"] {
                out.push(Ask::Path { verb, path });
            }
            for group in ["", "apps", "batch"] {
                for (resource, subresource) in [
                    ("pods", ""),
                    ("pods", "exec"),
                    ("deployments", ""),
                    ("deployments", "scale"),
                    ("jobs", ""),
                ] {
                    for name in ["", "a", "c"] {
                        out.push(Ask::Resource { verb, group, resource, subresource, name });
                    }
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn p22_effective_rules_allow_exactly_what_the_given_ones_do(rules in prop::collection::vec(any_rule(), 0..5)) {
            let out = effective(rules.clone(), &Scope::ClusterWide);
            for asked in every_ask() {
                prop_assert_eq!(allows(&rules, asked), allows(&out, asked), "{:?}", asked);
            }
        }
    }
}
