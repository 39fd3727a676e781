//! "Replace this standing grant by a profile": the profile that would give the same for a time, what it needs on hub and
//! cluster, the binding to remove, and what that does.

#[cfg(test)]
mod tests;
mod written;

use crate::change::{Change, Patch, Refusal, named};
use crate::effect::{Effect, effect};
use crate::evidence::Object;
use crate::ground::{Ground, Origin, said};
use crate::said::{count, shown};
use sallyport_model::{NamespaceName, ProfileName, Scope};
use sallyport_rbac::who::{MASTERS, Role, Subject};
use sallyport_rbac::{Right, Rule, covers, dangers, describe, effective, is_protected, warnings};
use std::fmt;

/// The most namespaces of a profile; its CRD says the same.
const NAMESPACES_MOST: usize = 64;
/// What Sallyport ships for sessions, the least first.
const SHIPPED: [&str; 3] = ["sallyport:view", "sallyport:debug", "sallyport:operate"];

/// A profile that could take a grant's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The profile's name.
    pub name: String,
    /// The AccessProfile, YAML for the hub.
    pub profile: String,
    /// The ClusterRole that it binds, YAML for the cluster; none: it is there.
    pub role: Option<String>,
    /// Who may ask under it: a ClusterRole and a ClusterRoleBinding, YAML for the hub.
    pub ask: String,
    /// What it allows, in words.
    pub allows: Vec<Right>,
    /// The binding that it takes the place of, and how that is left.
    pub remove: Change,
    /// The same for kubectl.
    pub patch: Patch,
    /// What leaving it does.
    pub effect: Effect,
    /// What is still to do and to know, a sentence each.
    pub notes: Vec<String>,
}

/// Why no profile is drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoDraft {
    /// The binding cannot be left.
    Refused(Refusal),
    /// It comes with Kubernetes, or names a group that everybody is in.
    NotTheirs(String),
    /// A program cannot ask.
    Program(String),
    /// It holds in no namespace that takes sessions.
    Nowhere,
    /// It holds in more namespaces than a profile can name: how many.
    TooMany(usize),
    /// No session may hold what it gives (P11): each danger in words, how many rules have one, and of how many.
    Dangerous {
        /// Role, verb and resource, and why.
        dangers: Vec<String>,
        /// How many rules are refused.
        refused: usize,
        /// Of how many.
        of: usize,
    },
}

impl fmt::Display for NoDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotTheirs(what) => write!(f, "{what}: there is nobody who would ask for it instead"),
            Self::Program(who) => write!(
                f,
                "{who} is a program and cannot ask: give it a narrower role, or a token that ends"
            ),
            Self::Nowhere => f.write_str(
                "it holds in no namespace that takes sessions (kube-* and sallyport-* never do): a profile would \
                 give nothing",
            ),
            Self::TooMany(many) => write!(
                f,
                "it holds in {many} namespaces, and a profile names at most {NAMESPACES_MOST}: name those that are \
                 needed"
            ),
            Self::Dangerous { dangers, refused, of } => write!(
                f,
                "{refused} of its {of} rules are what no session may hold: {}; write a role without them, or use \
                 sallyport:operate",
                dangers.join("; ")
            ),
        }
    }
}

/// Drafts a profile for what `binding` gives to `subject`. `cluster`: its name in the inventory; `namespaces`: those it is
/// to be for, where the binding holds everywhere; none: all that are there and take sessions.
///
/// # Errors
/// [`NoDraft`].
pub fn draft(
    ground: &Ground<'_>,
    binding: &Object,
    subject: &Subject,
    cluster: &str,
    namespaces: Option<&[String]>,
) -> Result<Draft, NoDraft> {
    let gone = || NoDraft::Refused(Refusal::Gone(named(binding)));
    let mut all = ground.rights.rbac.bindings().iter().enumerate();
    let (at, (bound, role)) = all
        .find(|(_, (one, _))| one.namespace == binding.namespace && one.name == binding.name)
        .ok_or_else(gone)?;
    if !bound.subjects.contains(subject) {
        return Err(gone());
    }
    let is_system = subject.name() == MASTERS || subject.name().starts_with("system:");
    if subject.as_account().is_some() {
        return Err(NoDraft::Program(said(subject)));
    }
    if ground.origin(at) == Origin::Default || is_system {
        return Err(NoDraft::NotTheirs(format!("{} for {}", named(binding), said(subject))));
    }
    let role = ground.rights.role(*role).ok_or_else(gone)?;
    let places = places(ground, bound.namespace.as_deref(), namespaces)?;
    let scope = Scope::from_list(places.clone());
    let rules = effective(role.rules.iter().cloned(), &scope);
    let found = dangers(&rules, &scope);
    if !found.is_empty() {
        let mut refused: Vec<&Rule> = found.iter().map(|danger| &danger.rule).collect();
        refused.sort();
        refused.dedup();
        return Err(NoDraft::Dangerous {
            refused: refused.len(),
            of: rules.len(),
            dangers: found.iter().map(ToString::to_string).collect(),
        });
    }
    let remove = match bound.subjects.iter().all(|own| own == subject) {
        true => Change::DeleteBinding { binding: binding.clone() },
        false => Change::RemoveSubject { binding: binding.clone(), subject: subject.clone() },
    };
    let patch = remove.written(ground.snapshot).map_err(NoDraft::Refused)?;
    let effect = effect(ground, std::slice::from_ref(&remove), None, None, None).map_err(NoDraft::Refused)?;
    let allows = describe(&rules);
    let strong = allows.iter().any(|right| right.strong);
    let name = profile_name(subject, role);
    let (bound_role, own) = bound_role(ground, role, &rules, &name);
    let mut notes = warnings(&rules);
    if SHIPPED.contains(&bound_role.as_str()) {
        notes.push(format!("{bound_role} is shipped with Sallyport and gives all of it, and maybe more: what a request would allow is shown before it is asked for."));
    } else {
        notes.push(format!(
            "Add {} to the resourceNames that ClusterRole sallyport:broker may bind on the cluster: without it the broker cannot give it.",
            shown(&bound_role)
        ));
    }
    if bound.namespace.is_none() {
        notes.push(format!(
            "It held everywhere, and is drafted for {}: what is in no namespace, and new ones, are not in it.",
            count(places.len(), "namespace")
        ));
    }
    if role.rules.iter().any(|rule| !rule.non_resource_urls.is_empty()) && bound.namespace.is_none() {
        notes
            .push("Paths that are no resources are not in it: no session in namespaces has them.".to_owned());
    }
    notes.push(
        "Names of groups are as this cluster knows them: on the hub they may have another prefix.".to_owned(),
    );
    let terms = written::Terms {
        approvals: match (strong, bound.namespace.is_none()) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        },
        longest: if strong { "1h" } else { "8h" },
        sign_in: if strong { "1h" } else { "8h" },
    };
    Ok(Draft {
        profile: written::profile(&name, cluster, &bound_role, &places, &terms),
        role: own.then(|| written::role(&bound_role, &rules)),
        ask: written::ask(&name, subject),
        allows,
        remove,
        patch,
        effect,
        notes,
        name,
    })
}

/// Where it would hold.
fn places(
    ground: &Ground<'_>,
    own: Option<&str>,
    wanted: Option<&[String]>,
) -> Result<Vec<NamespaceName>, NoDraft> {
    let names: Vec<String> = match (own, wanted) {
        (Some(own), _) => vec![own.to_owned()],
        (None, Some(wanted)) => wanted.to_vec(),
        (None, None) => ground.snapshot.namespaces.iter().map(|one| one.name.clone()).collect(),
    };
    let mut places: Vec<NamespaceName> = names.iter().filter_map(|name| name.parse().ok()).collect();
    places.retain(|place| !is_protected(place));
    places.sort();
    places.dedup();
    match places.len() {
        0 => Err(NoDraft::Nowhere),
        1..=NAMESPACES_MOST => Ok(places),
        many => Err(NoDraft::TooMany(many)),
    }
}

/// The ClusterRole to bind, and whether it is to be made: one that is shipped and gives all of it, the grant's own, or one
/// with the rules of a Role.
fn bound_role(ground: &Ground<'_>, role: &Role, rules: &[Rule], name: &str) -> (String, bool) {
    let roles = ground.rights.rbac.roles();
    for shipped in SHIPPED {
        let known = roles.iter().find(|one| one.namespace.is_none() && one.name == shipped);
        if known.is_some_and(|one| rules.iter().all(|rule| covers(&one.rules, rule))) {
            return (shipped.to_owned(), false);
        }
    }
    // What a profile may name (its CRD).
    let fits = !role.name.contains(|c: char| "/%?#".contains(c) || c.is_whitespace());
    match role.namespace.is_none() && fits && role.name.len() <= 253 {
        true => (role.name.clone(), false),
        false => (format!("profile:{name}"), true),
    }
}

fn profile_name(subject: &Subject, role: &Role) -> String {
    let mut name = String::new();
    let group = subject.name().rsplit([':', '/']).next().unwrap_or_default();
    for c in format!("{group}-{}", role.name).chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if !name.ends_with('-') && !name.is_empty() => name.push('-'),
            _ => {}
        }
    }
    name.truncate(40);
    let name = name.trim_matches('-').to_owned();
    match name.parse::<ProfileName>() {
        Ok(_) => name,
        Err(_) => "drafted".to_owned(),
    }
}
