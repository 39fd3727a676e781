use sallyport_model::{NamespaceName, RoleName, Scope};
use sallyport_rbac::{Ask, Rule};
use serde_json::{Value, json};
use std::fmt;

/// One right to ask the API server about, as a SelfSubjectAccessReview does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The bound role it stands for.
    pub role: String,
    /// Where; `None` asks cluster-wide.
    pub namespace: Option<String>,
    /// The verb.
    pub verb: String,
    /// What it acts on.
    pub on: On,
}

/// A resource or a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// A resource of an API group; the core group is empty.
    Resource {
        /// API group.
        group: String,
        /// Plural.
        resource: String,
        /// Subresource, or empty.
        subresource: String,
        /// Object name, or empty for any.
        name: String,
    },
    /// A path outside resources.
    Path(String),
}

impl On {
    fn ask<'a>(&'a self, verb: &'a str) -> Ask<'a> {
        match self {
            Self::Resource { group, resource, subresource, name } => {
                Ask::Resource { verb, group, resource, subresource, name }
            }
            Self::Path(path) => Ask::Path { verb, path },
        }
    }
}

/// The API versions of the built-in groups whose objects can be asked for by GET.
const VERSIONS: [(&str, &str); 6] = [
    ("", "/api/v1"),
    ("apps", "/apis/apps/v1"),
    ("batch", "/apis/batch/v1"),
    ("networking.k8s.io", "/apis/networking.k8s.io/v1"),
    ("policy", "/apis/policy/v1"),
    ("autoscaling", "/apis/autoscaling/v2"),
];
/// Rights of one role that are looked at before those at hand have to do.
const LOOKED_AT: usize = 4096;

/// What is asked where a role's rules allow nothing that tells of its binding: no role of a namespace allows a path.
const NOTHING: &str = "/sallyport-proof";

/// Everybody signed in holds these through `system:basic-user`, so a yes says nothing about a binding.
fn is_everybodys(group: &str, resource: &str) -> bool {
    matches!(group, "authorization.k8s.io" | "authentication.k8s.io") && resource.starts_with("selfsubject")
}

impl Question {
    /// One question per bound role and place. A role whose rules allow nothing there has none.
    ///
    /// The right asked for is one that no other bound role gives, where there is one: else a yes to it could come
    /// from the neighbour's binding.
    #[must_use]
    pub fn for_roles(roles: &[RoleName], rules: &[Rule], scope: &Scope) -> Vec<Self> {
        let mut out = Vec::new();
        for role in roles {
            let Some((verb, on)) = telling(role, rules, *scope == Scope::ClusterWide) else { continue };
            out.extend(everywhere(role, scope, &verb, &on));
        }
        out
    }

    /// What stands for a role that has no question, in each of its places: asked for, and said to be nothing.
    pub(crate) fn for_nothing(role: &RoleName, scope: &Scope) -> Vec<Self> {
        everywhere(role, scope, "get", &On::Path(NOTHING.to_owned()))
    }

    /// Whether it stands for a role that has no question.
    pub(crate) fn is_for_nothing(&self) -> bool {
        matches!(&self.on, On::Path(path) if path == NOTHING)
    }

    /// Up to `most` rights of `role` in one place, the one that says most first: what no other of the session's roles
    /// gives, and of those what can be asked by GET.
    pub(crate) fn choices(
        role: &RoleName,
        rules: &[Rule],
        namespace: Option<&NamespaceName>,
        most: usize,
    ) -> Vec<Self> {
        let mut kinds: [Vec<Self>; 4] = Default::default();
        let own = rules.iter().filter(|rule| rule.role == *role).flat_map(rights).take(LOOKED_AT);
        for (verb, on) in own {
            if matches!(on, On::Path(_)) && namespace.is_some() {
                continue;
            }
            let shared = rules.iter().any(|other| other.role != *role && other.allows(on.ask(&verb)));
            let namespace = namespace.map(ToString::to_string);
            let question = Self { role: role.to_string(), namespace, verb, on };
            let kind = usize::from(shared) * 2 + usize::from(question.path().is_none());
            if kinds[kind].len() < most {
                kinds[kind].push(question);
            }
            if kinds[0].len() == most {
                break;
            }
        }
        kinds.into_iter().flatten().take(most).collect()
    }

    /// Where and by which role, for people: `payments/sallyport:debug`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.namespace.as_deref().unwrap_or("cluster-wide"), self.role)
    }

    /// The GET that asks it, where there is one. Authorization comes before the look-up, so a 404 says "allowed".
    ///
    /// Names come from a ClusterRole, which anybody may have written: what does not read as a name is no path.
    pub(crate) fn path(&self) -> Option<String> {
        let On::Resource { group, resource, subresource, name } = &self.on else { return None };
        let (_, root) = VERSIONS.iter().find(|(known, _)| known == group)?;
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        // `namespaces/<ns>/namespaces` reads as another resource.
        if !subresource.is_empty() || !plain(resource) || resource == "namespaces" {
            return None;
        }
        let place = self.namespace.as_ref().map(|name| format!("/namespaces/{name}"));
        match (self.verb.as_str(), place, name.as_str()) {
            ("get", Some(place), "") => Some(format!("{root}{place}/{resource}/sallyport-proof")),
            ("get", Some(place), name) if plain(name) => Some(format!("{root}{place}/{resource}/{name}")),
            ("list", place, "") => Some(format!("{root}{}/{resource}?limit=1", place.unwrap_or_default())),
            _ => None,
        }
    }

    /// The SelfSubjectAccessReview that asks it.
    pub(crate) fn review(&self) -> Value {
        let spec = match &self.on {
            On::Resource { group, resource, subresource, name } => json!({"resourceAttributes": {
                "namespace": self.namespace.as_deref().unwrap_or_default(),
                "verb": self.verb, "group": group, "resource": resource, "subresource": subresource, "name": name,
            }}),
            On::Path(path) => json!({"nonResourceAttributes": {"path": path, "verb": self.verb}}),
        };
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec})
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            On::Resource { resource, subresource, .. } if subresource.is_empty() => {
                write!(f, "{} {resource}", self.verb)?;
            }
            On::Resource { resource, subresource, .. } => {
                write!(f, "{} {resource}/{subresource}", self.verb)?
            }
            On::Path(path) => write!(f, "{} {path}", self.verb)?,
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace} (role {})", self.role),
            None => write!(f, " everywhere (role {})", self.role),
        }
    }
}

/// The same question in each place of the scope.
fn everywhere(role: &RoleName, scope: &Scope, verb: &str, on: &On) -> Vec<Question> {
    let places: Vec<Option<&NamespaceName>> = match scope {
        Scope::ClusterWide => vec![None],
        Scope::Namespaces(names) => names.iter().map(Some).collect(),
    };
    let of = |place: Option<&NamespaceName>| Question {
        role: role.to_string(),
        namespace: place.map(ToString::to_string),
        verb: verb.to_owned(),
        on: on.clone(),
    };
    places.into_iter().map(of).collect()
}

/// The right that tells best whether the role's binding works.
fn telling(role: &RoleName, rules: &[Rule], cluster_wide: bool) -> Option<(String, On)> {
    let mut first = None;
    for (verb, on) in rules.iter().filter(|rule| rule.role == *role).flat_map(rights) {
        if matches!(on, On::Path(_)) && !cluster_wide {
            continue;
        }
        if !rules.iter().any(|other| other.role != *role && other.allows(on.ask(&verb))) {
            return Some((verb, on));
        }
        first.get_or_insert((verb, on));
    }
    first
}

/// Concrete rights out of a rule; `*` becomes something that exists everywhere.
fn rights(rule: &Rule) -> impl Iterator<Item = (String, On)> + '_ {
    let resources = rule.verbs.iter().flat_map(move |verb| {
        rule.api_groups.iter().flat_map(move |group| {
            let telling = rule.resources.iter().filter(move |resource| !is_everybodys(group, resource));
            telling.map(move |resource| {
                let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
                let on = On::Resource {
                    group: or(group, ""),
                    resource: or(resource, "pods"),
                    subresource: or(subresource, "status"),
                    name: rule.resource_names.first().cloned().unwrap_or_default(),
                };
                (or(verb, "get"), on)
            })
        })
    });
    let paths = rule.verbs.iter().flat_map(move |verb| {
        let paths = rule.non_resource_urls.iter();
        paths.map(move |path| (or(verb, "get"), On::Path(path.trim_end_matches('*').to_owned())))
    });
    resources.chain(paths)
}

fn or(text: &str, instead_of_star: &str) -> String {
    if text == "*" { instead_of_star.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(role: &str, verbs: &[&str], group: &str, resources: &[&str]) -> Rule {
        let role = role.parse().expect("a role");
        Rule::on(&role, verbs.iter().copied(), [group], resources.iter().copied())
    }

    fn ask(rules: &[Rule], roles: &[&str], namespaces: &[&str]) -> Vec<String> {
        let roles: Vec<RoleName> = roles.iter().map(|r| r.parse().expect("a role")).collect();
        let scope = Scope::from_list(namespaces.iter().map(|n| n.parse().expect("a namespace")));
        Question::for_roles(&roles, rules, &scope).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_role_is_asked_for_what_only_it_gives_in_each_namespace() {
        let rules = [
            rule("view", &["get", "list"], "", &["pods", "services"]),
            rule("debug", &["get"], "", &["pods"]),
            rule("debug", &["get", "create"], "", &["pods/exec"]),
        ];
        assert_eq!(
            ask(&rules, &["view", "debug"], &["a", "b"]),
            [
                "get services in a (role view)",
                "get services in b (role view)",
                "get pods/exec in a (role debug)",
                "get pods/exec in b (role debug)",
            ]
        );
    }

    #[test]
    fn the_choice_that_says_most_comes_first_and_no_name_of_a_role_becomes_part_of_a_path() {
        let rules = [
            rule("view", &["get", "list"], "", &["pods", "services"]),
            rule("debug", &["get"], "", &["pods"]),
            rule("debug", &["create"], "", &["pods/exec"]),
            rule("odd", &["get"], "", &["pods/../../x", "Pods", "namespaces"]),
        ];
        let choices = |role: &str, namespace: Option<&str>| -> Vec<String> {
            let namespace = namespace.map(|name| name.parse().expect("a namespace"));
            let found = Question::choices(&role.parse().expect("a role"), &rules, namespace.as_ref(), 3);
            found.iter().map(|q| q.path().unwrap_or_else(|| q.to_string())).collect()
        };
        assert_eq!(
            choices("view", Some("a")),
            [
                "/api/v1/namespaces/a/services/sallyport-proof",
                "/api/v1/namespaces/a/pods?limit=1",
                "/api/v1/namespaces/a/services?limit=1",
            ]
        );
        assert_eq!(
            choices("debug", Some("a")),
            ["create pods/exec in a (role debug)", "/api/v1/namespaces/a/pods/sallyport-proof"]
        );
        assert!(choices("odd", Some("a")).iter().all(|asked| !asked.starts_with('/')));
        assert_eq!(choices("view", None)[0], "/api/v1/pods?limit=1");
    }

    #[test]
    fn what_everybody_may_do_is_never_the_question() {
        let rules = [
            rule("r", &["create"], "authorization.k8s.io", &["selfsubjectaccessreviews"]),
            rule("r", &["*"], "*", &["*"]),
        ];
        assert_eq!(ask(&rules, &["r"], &[]), ["get pods everywhere (role r)"]);
        assert_eq!(ask(&rules[..1], &["r"], &["a"]), Vec::<String>::new());
    }

    #[test]
    fn fault_a1_p13_of_everybody_s_groups_only_what_is_everybody_s_is_left_out() {
        let rules = [
            rule("r", &["create"], "authentication.k8s.io", &["selfsubjectreviews", "tokenreviews"]),
            rule(
                "s",
                &["create"],
                "authorization.k8s.io",
                &["selfsubjectrulesreviews", "subjectaccessreviews"],
            ),
        ];
        assert_eq!(
            ask(&rules, &["r", "s"], &["a"]),
            ["create tokenreviews in a (role r)", "create subjectaccessreviews in a (role s)"]
        );
    }

    #[test]
    fn paths_are_asked_cluster_wide_only() {
        let mut paths = rule("r", &["get"], "", &[]);
        paths.non_resource_urls = vec!["/metrics*".into()];
        assert_eq!(ask(std::slice::from_ref(&paths), &["r"], &[]), ["get /metrics everywhere (role r)"]);
        assert_eq!(ask(&[paths], &["r"], &["a"]), Vec::<String>::new());
    }
}
