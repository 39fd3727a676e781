//! Who holds a right: roles and bindings, read as the API server's RBAC authorizer reads them.
//!
//! Follows `plugin/pkg/auth/authorizer/rbac` and `pkg/registry/rbac/validation` of Kubernetes. Rules of aggregated
//! ClusterRoles are taken as stored, which is what the authorizer does too. What is no RBAC is not seen here: another
//! authorizer of the API server, and the group `system:masters`, which passes whatever is bound ([`MASTERS`]).

mod ask;
mod entries;

pub use ask::{Given, Held, Why};

use crate::{Ask, Rule};
use entries::Entries;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

/// The group that an API server lets do everything, before RBAC is asked.
pub const MASTERS: &str = "system:masters";
/// The group of everybody who signed in.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group of whoever did not sign in.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The user whoever did not sign in is.
pub const ANONYMOUS: &str = "system:anonymous";
/// How the user name of every ServiceAccount begins.
const ACCOUNT: &str = "system:serviceaccount:";
/// The group of all ServiceAccounts; with `:` and a namespace, of those there.
const ACCOUNTS: &str = "system:serviceaccounts";

/// Whom a binding names. A ServiceAccount is the user that it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Everybody in a group.
    Group(String),
    /// One user.
    User(String),
}

impl Subject {
    /// A ServiceAccount.
    pub fn account(namespace: &str, name: &str) -> Self {
        Self::User(format!("{ACCOUNT}{namespace}:{name}"))
    }

    /// Namespace and name, where it is a ServiceAccount.
    pub fn as_account(&self) -> Option<(&str, &str)> {
        match self {
            Self::User(name) => name.strip_prefix(ACCOUNT)?.split_once(':'),
            Self::Group(_) => None,
        }
    }

    /// Its name, as the API server compares it.
    pub fn name(&self) -> &str {
        match self {
            Self::Group(name) | Self::User(name) => name,
        }
    }

    /// Whoever is certainly meant when nothing else is known of them: a user with the groups that the API server gives
    /// everybody of their kind, or somebody who is in this group and in no other of the team's.
    pub fn caller(&self) -> Caller {
        let groups = |list: &[&str]| list.iter().map(|group| (*group).to_owned()).collect();
        match self {
            Self::Group(group) if group == UNAUTHENTICATED => {
                Caller { user: ANONYMOUS.to_owned(), groups: groups(&[UNAUTHENTICATED]) }
            }
            // In a group, under whatever name: nobody is named by an empty one.
            Self::Group(group) => Caller { user: String::new(), groups: groups(&[group, AUTHENTICATED]) },
            Self::User(name) if name == ANONYMOUS => {
                Caller { user: name.clone(), groups: groups(&[UNAUTHENTICATED]) }
            }
            Self::User(name) => {
                let mut all = vec![AUTHENTICATED.to_owned()];
                if let Some((namespace, _)) = self.as_account() {
                    all.extend([ACCOUNTS.to_owned(), format!("{ACCOUNTS}:{namespace}")]);
                }
                Caller { user: name.clone(), groups: all }
            }
        }
    }
}

/// Whoever asks the API server for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their user name.
    pub user: String,
    /// All their groups, those that the API server gives everybody included.
    pub groups: Vec<String>,
}

/// A ClusterRole (no namespace) or a Role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Where it is; none: it is a ClusterRole.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its rules. Which role they say they are of is not looked at.
    pub rules: Vec<Rule>,
}

/// What a binding gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleRef {
    /// A ClusterRole.
    ClusterRole(String),
    /// A Role of the binding's own namespace.
    Role(String),
    /// A kind that RBAC does not know: it gives nothing.
    Other(String),
}

impl RoleRef {
    /// The role's name.
    pub fn name(&self) -> &str {
        match self {
            Self::ClusterRole(name) | Self::Role(name) | Self::Other(name) => name,
        }
    }
}

/// A ClusterRoleBinding (no namespace) or a RoleBinding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binding {
    /// Where it is, and so where it holds; none: everywhere, and for what is in no namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What it gives.
    pub role: RoleRef,
    /// To whom.
    pub subjects: Vec<Subject>,
}

impl Binding {
    /// Whether it gives something to a request in `namespace` (none: for what is in no namespace). One in a namespace
    /// holds there, and gives nothing of what is in none.
    pub fn holds_in(&self, namespace: Option<&str>) -> bool {
        self.namespace.is_none() || self.namespace.as_deref() == namespace
    }
}

/// All roles and bindings of an API server.
#[derive(Clone, Debug, Default)]
pub struct Rbac {
    roles: Vec<Arc<Role>>,
    /// The place of each role, by namespace and name.
    places: HashMap<Option<String>, HashMap<String, usize>>,
    bindings: Vec<(Arc<Binding>, usize)>,
    dangling: Vec<Arc<Binding>>,
    /// Everybody whom a binding names, in order.
    subjects: Vec<Subject>,
    /// The place of each subject among them.
    whose: HashMap<Subject, usize>,
    /// The bindings that name each subject, by its place.
    named: Vec<Vec<usize>>,
    /// The bindings of each role.
    of_role: Vec<Vec<usize>>,
    /// Where rules speak of a resource: known from the first question on.
    entries: OnceLock<Entries>,
}

impl Rbac {
    /// All that these roles and bindings say. Both may be shared with whoever read them.
    pub fn all(
        roles: impl IntoIterator<Item: Into<Arc<Role>>>,
        bindings: impl IntoIterator<Item: Into<Arc<Binding>>>,
    ) -> Self {
        let roles = roles.into_iter().map(Into::into).collect();
        Self::of(roles, bindings.into_iter().map(Into::into), |_| true)
    }

    /// What these roles and bindings say about the API groups that `matters` names; rules on none of them, and bindings
    /// that give none, are left out. There may be thousands that are about something else.
    pub fn about(matters: &[&str], mut roles: Vec<Role>, bindings: Vec<Binding>) -> Self {
        for role in &mut roles {
            role.rules.retain(|rule| {
                rule.api_groups.iter().any(|own| own == "*" || matters.contains(&own.as_str()))
            });
        }
        let bindings = bindings.into_iter().map(Arc::new);
        Self::of(roles.into_iter().map(Arc::new).collect(), bindings, |role| !role.rules.is_empty())
    }

    fn of(
        roles: Vec<Arc<Role>>,
        bindings: impl Iterator<Item = Arc<Binding>>,
        counts: impl Fn(&Role) -> bool,
    ) -> Self {
        let mut all = Self::default();
        all.of_role.resize(roles.len(), Vec::new());
        for (at, role) in roles.iter().enumerate() {
            all.places.entry(role.namespace.clone()).or_default().insert(role.name.clone(), at);
        }
        all.roles = roles;
        let mut named: HashMap<Subject, Vec<usize>> = HashMap::new();
        for binding in bindings {
            let place = all.place_of(&binding.role, &binding.namespace);
            let Some((place, role)) = place.and_then(|at| Some((at, all.roles.get(at)?))) else {
                all.dangling.push(binding);
                continue;
            };
            if !counts(role) {
                continue;
            }
            let at = all.bindings.len();
            for subject in &binding.subjects {
                match named.get_mut(subject) {
                    // One that names somebody twice gives nothing twice.
                    Some(places) if places.last() == Some(&at) => {}
                    Some(places) => places.push(at),
                    None => drop(named.insert(subject.clone(), vec![at])),
                }
            }
            if let Some(of_role) = all.of_role.get_mut(place) {
                of_role.push(at);
            }
            all.bindings.push((binding, place));
        }
        let mut named: Vec<(Subject, Vec<usize>)> = named.into_iter().collect();
        named.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        (all.subjects, all.named) = named.into_iter().unzip();
        all.whose = all.subjects.iter().enumerate().map(|(at, subject)| (subject.clone(), at)).collect();
        all
    }

    /// Where the role is that a binding in `namespace` names.
    fn place_of(&self, role: &RoleRef, namespace: &Option<String>) -> Option<usize> {
        let (namespace, name) = match role {
            RoleRef::ClusterRole(name) => (&None, name),
            // A ClusterRoleBinding can't name one.
            RoleRef::Role(name) if namespace.is_some() => (namespace, name),
            RoleRef::Role(_) | RoleRef::Other(_) => return None,
        };
        self.places.get(namespace)?.get(name).copied()
    }

    /// The role that a binding in `namespace` (none: a ClusterRoleBinding) would give by naming it so.
    pub fn role(&self, role: &RoleRef, namespace: Option<&str>) -> Option<&Role> {
        self.roles.get(self.place_of(role, &namespace.map(str::to_owned))?).map(Arc::as_ref)
    }

    /// The roles, in the order they were given.
    pub fn roles(&self) -> &[Arc<Role>] {
        &self.roles
    }

    /// The bindings whose role exists, and its place among [`roles`](Self::roles).
    pub fn bindings(&self) -> &[(Arc<Binding>, usize)] {
        &self.bindings
    }

    /// Everybody whom a binding names that may give something, in order.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.subjects.iter()
    }

    /// The place of a subject in [`subjects`](Self::subjects), where a binding names it.
    pub fn subject(&self, subject: &Subject) -> Option<usize> {
        self.whose.get(subject).copied()
    }

    /// The places in [`bindings`](Self::bindings) of those that name a subject, by its place in
    /// [`subjects`](Self::subjects), in order.
    pub fn naming(&self, subject: usize) -> &[usize] {
        self.named.get(subject).map(Vec::as_slice).unwrap_or_default()
    }

    /// Bindings whose role does not exist: they give nothing until somebody makes one of that name.
    pub fn dangling(&self) -> &[Arc<Binding>] {
        &self.dangling
    }

    /// The names that rules on a resource are limited to, where they are, without repetitions.
    pub fn names_on(&self, group: &str, resource: &str) -> Vec<String> {
        let about = |rule: &&Rule| {
            let on = |own: &String| own.split('/').next().is_some_and(|own| own == "*" || own == resource);
            rule.api_groups.iter().any(|own| own == "*" || own == group) && rule.resources.iter().any(on)
        };
        let names: BTreeSet<&String> = self
            .roles
            .iter()
            .flat_map(|role| &role.rules)
            .filter(about)
            .flat_map(|rule| &rule.resource_names)
            .collect();
        names.into_iter().cloned().collect()
    }

    /// Which of `asks` each role allows, so that many subjects can be looked up in it.
    pub fn weigh(&self, asks: &[Ask<'_>]) -> Weighed<'_> {
        let of = |role: &Arc<Role>| {
            let rules = &role.rules;
            asks.iter().enumerate().filter(|(_, ask)| crate::allows(rules, **ask)).map(|(at, _)| at).collect()
        };
        Weighed { rbac: self, allowed: self.roles.iter().map(of).collect() }
    }

    /// Whether the API server's RBAC would allow it: cluster-wide (`None`, also for what is in no namespace) or in a
    /// namespace.
    pub fn allows(&self, caller: &Caller, ask: Ask<'_>, namespace: Option<&str>) -> bool {
        caller.groups.iter().any(|group| group == MASTERS)
            || self
                .bindings_of(caller, namespace)
                .into_iter()
                .any(|(_, role)| self.roles.get(role).is_some_and(|role| crate::allows(&role.rules, ask)))
    }

    /// The bindings that give something to a caller, and the place of their role.
    fn bindings_of(&self, caller: &Caller, namespace: Option<&str>) -> Vec<(&Binding, usize)> {
        let user = std::iter::once(Subject::User(caller.user.clone()));
        let groups = caller.groups.iter().map(|group| Subject::Group(group.clone()));
        user.chain(groups)
            .filter_map(|subject| self.subject(&subject))
            .flat_map(|at| self.naming(at))
            .filter_map(|at| self.bindings.get(*at))
            .filter(|(binding, _)| binding.holds_in(namespace))
            .map(|(binding, role)| (&**binding, *role))
            .collect()
    }
}

/// What each role allows of a list of questions.
#[derive(Clone, Debug)]
pub struct Weighed<'r> {
    rbac: &'r Rbac,
    allowed: Vec<Vec<usize>>,
}

impl<'r> Weighed<'r> {
    /// What a caller is given, binding by binding: the places of the questions in the list that was weighed. Only what
    /// bindings give: `system:masters` needs none.
    pub fn given(&self, caller: &Caller, namespace: Option<&str>) -> Vec<(&'r Binding, &[usize])> {
        let mut given: Vec<(&'r Binding, &[usize])> = self
            .rbac
            .bindings_of(caller, namespace)
            .into_iter()
            .filter_map(|(binding, role)| Some((binding, self.allowed.get(role)?.as_slice())))
            .filter(|(_, asks)| !asks.is_empty())
            .collect();
        // One that names a caller twice gives nothing twice.
        given.sort_by_key(|(binding, _)| *binding);
        given.dedup_by_key(|(binding, _)| *binding);
        given
    }
}

#[cfg(test)]
mod tests;
