//! The smallest rules that would have been enough for calls that were made.
//!
//! Whoever calls says what was asked of the authorizer and what came of it, as audit logs tell; what comes out is
//! roles by place, each rule of one API group, without a `*` anywhere. What was refused is never granted. What logs
//! cannot tell (a right that is used once a year, checks beyond the call's own) is for whoever shows this to say.

mod held;
mod names;
mod rules;
mod seen;
#[cfg(test)]
mod tests;

pub use held::{Atom, RuleUse, rule_use};
pub use seen::Seen;

use crate::question::{Asked, What};
use crate::{Ask, Rule, allows};
use sallyport_model::{NamespaceName, RoleName};
use std::collections::BTreeMap;

/// What came of a call, as far as rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was let through.
    Allowed,
    /// It was refused, by the authorizer or by admission: 403, or 401.
    Refused,
    /// Nothing says which.
    Untold,
}

impl Outcome {
    /// From the HTTP status of a call and what the authorizer said of it, where either is told. Admission refuses with 403
    /// what the authorizer let through: nothing is granted for that either.
    pub fn of(code: Option<u16>, is_allowed: Option<bool>) -> Self {
        match (code, is_allowed) {
            (Some(401 | 403), _) | (_, Some(false)) => Self::Refused,
            (_, Some(true)) => Self::Allowed,
            // What comes after the authorizer. Flow control and what is broken may come before it.
            (Some(100..=399 | 404 | 409 | 410 | 422), None) => Self::Allowed,
            (_, None) => Self::Untold,
        }
    }
}

/// The right to be somebody else, by their name as API servers know it
/// (`staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation` of Kubernetes).
pub fn to_be(name: &str) -> Asked {
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let (resource, namespace, name) = match account {
        Some((namespace, name)) => ("serviceaccounts", Some(namespace.to_owned()), name),
        None => ("users", None, name),
    };
    let what = What::Resource {
        group: String::new(),
        resource: resource.to_owned(),
        subresource: String::new(),
        name: name.to_owned(),
    };
    Asked { verb: "impersonate".to_owned(), what, namespace }
}

/// Calls that asked for the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// What the log says was asked for: of a create that has the name of what was created, though the authorizer was
    /// not told it ([`Used::ask`]). Its namespace is the one of the call: none for what is in none, and for calls about
    /// all namespaces.
    pub asked: Asked,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the call created something, as a server-side apply or an update may (201): those are held to `create`
    /// too, beside their own verb.
    pub created: bool,
    /// How many calls.
    pub calls: u64,
    /// The first of them, in microseconds of Unix time.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl Used {
    /// The question as the authorizer had it. A create of a resource itself carries no name there, whatever the log says.
    pub fn ask(&self) -> Ask<'_> {
        match self.asked.ask() {
            Ask::Resource { verb: "create", group, resource, subresource: "", .. } => {
                Ask::Resource { verb: "create", group, resource, subresource: "", name: "" }
            }
            ask => ask,
        }
    }

    /// The namespace, as bindings are looked up for it.
    pub fn namespace(&self) -> Option<&str> {
        self.asked.namespace.as_deref()
    }
}

/// How a proposal is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether somebody who lists or watches all of a resource gets `get`, `list` and `watch` together: a list tells all
    /// that a get would, and clients go from one to the other by themselves. Without it, verbs are those that were seen.
    pub reads_together: bool,
    /// The most names a rule is limited to; 0 limits none. Names are kept only where all of them look made by a person and
    /// were met more than once, or were changed or deleted. Those of Secrets, and of whom somebody may be, are kept however
    /// many there are.
    pub names_most: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { reads_together: true, names_most: 5 }
    }
}

/// Where rules hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Everywhere: a ClusterRole, bound by a ClusterRoleBinding.
    Everywhere,
    /// In these namespaces, sorted: a Role where it is one, else a ClusterRole that is bound in each.
    In(Vec<String>),
}

impl Place {
    /// Whether it holds for a call in `namespace`; none: about what is in none, or about all.
    pub fn holds_in(&self, namespace: Option<&str>) -> bool {
        match self {
            Self::Everywhere => true,
            Self::In(names) => namespace.is_some_and(|own| names.iter().any(|name| name == own)),
        }
    }
}

/// Rules that hold in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// Where.
    pub place: Place,
    /// The rules, sorted by what they are about.
    pub rules: Vec<Rule>,
}

/// What in a proposal no call had, and why it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// [`Wanted::reads_together`].
    Reads,
    /// A patch or an update created something.
    Created,
    /// A WebSocket into a container is a `get`, and API servers from 1.35 on hold it to `create` too.
    WebSocket,
    /// It was asked for by name, and the rule is for all: these are no names to limit a rule to ([`Wanted::names_most`]).
    AllNames,
}

impl Because {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reads => "who lists or watches sees what a get shows, and clients go from one to the other",
            Self::Created => "an apply or an update created some, which takes create as well",
            Self::WebSocket => {
                "kubectl opens it as a WebSocket, a get, which API servers from 1.35 on hold to create too"
            }
            Self::AllNames => {
                "calls named each object and the rule is for all, since names are many, look made up or came once"
            }
        }
    }
}

/// A verb that was added, or is for more than was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Added {
    /// Where; none: everywhere.
    pub namespace: Option<String>,
    /// The verb.
    pub verb: String,
    /// Its resource as RBAC writes it (`pods/exec`), with its group behind a dot where it has one.
    pub resource: String,
    /// Why.
    pub because: Because,
    /// With [`Because::AllNames`] the names that calls had, sorted: the first [`NAMES_TOLD`].
    pub names: Vec<String>,
    /// How many names those are in all.
    pub names_in_all: usize,
}

/// Names that are told of a verb that is for all of them.
pub const NAMES_TOLD: usize = 5;

/// What would have been enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The rules, by place: everywhere first.
    pub roles: Vec<Proposed>,
    /// Verbs that no call had, and those that are for more than the objects that calls named.
    pub added: Vec<Added>,
    /// Calls that were refused, and that the proposal does not allow either.
    pub refused: Vec<Used>,
    /// Calls that were let through and are not granted, since their words are none of RBAC's or would mean more than was
    /// asked for there (`*`).
    pub odd: Vec<Used>,
    /// Calls of which nothing says what came of them, and that the proposal does not allow.
    pub untold: Vec<Used>,
    /// How many calls asked what an API server can do: everybody who signed in may (ClusterRole `system:discovery`).
    pub discovery: u64,
}

impl Proposal {
    /// Whether it would let a call through.
    pub fn allows(&self, ask: Ask<'_>, namespace: Option<&str>) -> bool {
        self.roles.iter().any(|role| role.place.holds_in(namespace) && allows(&role.rules, ask))
    }
}

/// The smallest rules that let through what was let through; each says that it stands in `role`.
pub fn propose(used: &[Used], wanted: &Wanted, role: &RoleName) -> Proposal {
    let mut proposal = Proposal::default();
    let mut places: BTreeMap<Option<&str>, Vec<&Used>> = BTreeMap::new();
    for one in used.iter().filter(|one| one.outcome == Outcome::Allowed) {
        if is_discovery(one.ask()) {
            proposal.discovery = proposal.discovery.saturating_add(one.calls);
        } else if is_odd(&one.asked) {
            proposal.odd.push(one.clone());
        } else {
            // A path is in no namespace.
            let namespace = one.namespace().filter(|_| matches!(one.asked.what, What::Resource { .. }));
            places.entry(namespace).or_default().push(one);
        }
    }
    let mut everywhere = rules::Rights::default();
    let mut in_namespaces: BTreeMap<Vec<Rule>, Vec<String>> = BTreeMap::new();
    // What holds everywhere comes first: a namespace needs none of that again.
    for (namespace, used) in places {
        let (mut rights, added) = rules::Rights::of(&used, wanted);
        match namespace {
            None => {
                proposal.added.extend(added.into_iter().map(|one| one.told(None)));
                everywhere = rights;
            }
            Some(namespace) => {
                let is_needed = |one: &rules::Extra| !everywhere.has(&one.key, &one.verb);
                let added = added.into_iter().filter(is_needed);
                proposal.added.extend(added.map(|one| one.told(Some(namespace))));
                rights.without(&everywhere);
                let rules = rights.rules(role);
                if !rules.is_empty() {
                    in_namespaces.entry(rules).or_default().push(namespace.to_owned());
                }
            }
        }
    }
    let rules = everywhere.rules(role);
    if !rules.is_empty() {
        proposal.roles.push(Proposed { place: Place::Everywhere, rules });
    }
    let mut rest: Vec<Proposed> = in_namespaces
        .into_iter()
        .map(|(rules, namespaces)| Proposed { place: Place::In(namespaces), rules })
        .collect();
    rest.sort_by(|a, b| a.place.cmp(&b.place));
    proposal.roles.extend(rest);
    proposal.added.sort();
    let of = |outcome: Outcome| -> Vec<Used> {
        let of = used.iter().filter(|one| one.outcome == outcome);
        of.filter(|one| !is_discovery(one.ask()) && !proposal.allows(one.ask(), one.namespace()))
            .cloned()
            .collect()
    };
    let (refused, untold) = (of(Outcome::Refused), of(Outcome::Untold));
    Proposal { refused, untold, ..proposal }
}

/// What the ClusterRoles `system:discovery` and `system:public-info-viewer` give to whoever signed in
/// (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go` of Kubernetes).
pub fn is_discovery(ask: Ask<'_>) -> bool {
    let Ask::Path { verb: "get", path } = ask else { return false };
    const WHOLE: [&str; 8] =
        ["/api", "/apis", "/healthz", "/livez", "/openapi", "/readyz", "/version", "/version/"];
    WHOLE.contains(&path) || ["/api/", "/apis/", "/openapi/"].iter().any(|own| path.starts_with(own))
}

/// Whether a rule with these words would say something else than they do: `*` is a wildcard there, and whoever calls an
/// API server may put anything into an address.
fn is_odd(asked: &Asked) -> bool {
    let is_verb = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_word = |text: &str| {
        text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/')
        })
    };
    // A role can't be made in a namespace that can't be.
    let is_place = asked.namespace.as_ref().is_none_or(|name| name.parse::<NamespaceName>().is_ok());
    let is_plain = is_verb(&asked.verb)
        && is_place
        && match &asked.what {
            What::Path(path) => {
                path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*')
            }
            What::Resource { group, resource, subresource, name: _ } => {
                !resource.is_empty()
                    && !resource.contains('/')
                    && [group, resource, subresource].iter().all(|text| is_word(text))
            }
        };
    !is_plain
}
