//! What an API server ships of roles and bindings, told by what they say and not by their names alone.
//!
//! `defaults.txt` is written by a real API server of each minor version (`STORY=posture_oracle` with `SALLYPORT_WRITE_DEFAULTS=1`).

use sallyport_model::Digest;
use sallyport_rbac::Rule;
use sallyport_rbac::who::{
    ANONYMOUS, AUTHENTICATED, Binding, MASTERS, Role, RoleRef, Subject, UNAUTHENTICATED,
};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

const DEFAULTS: &str = include_str!("defaults.txt");

/// The roles and bindings that one minor version ships.
#[derive(Debug, Default)]
pub(crate) struct Shipped {
    lines: HashSet<&'static str>,
    /// Whether they are those of the server's version.
    known: bool,
    /// Most objects are told by their name not to be among them.
    names: HashSet<&'static str>,
    /// Kind, namespace and name of each, as in its line.
    keys: HashSet<&'static str>,
}

impl Shipped {
    /// Of this version; of any that is known, where it is not.
    pub(crate) fn of(server: Option<(u32, u32)>) -> Self {
        let wanted = server.map(|(major, minor)| format!("{major}.{minor}"));
        let versions: HashSet<&str> =
            DEFAULTS.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect();
        let wanted = wanted.filter(|wanted| versions.contains(wanted.as_str()));
        let of = |line: &'static str| {
            let (version, rest) = line.split_once(' ')?;
            wanted.as_ref().is_none_or(|wanted| wanted == version).then_some(rest)
        };
        let lines: HashSet<&str> = DEFAULTS.lines().filter_map(of).collect();
        let names = lines.iter().filter_map(|line| line.split(' ').nth(2)).collect();
        let keys = lines.iter().filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
        Self { lines, names, keys, known: wanted.is_some() }
    }

    /// Whether it ships a role that is called so, whatever that says.
    pub(crate) fn names_role(&self, role: &Role) -> bool {
        self.names.contains(role.name.as_str()) && self.keys.contains(key(&role_line(role)))
    }

    /// Whether it ships a binding that is called so.
    pub(crate) fn names_binding(&self, binding: &Binding) -> bool {
        self.names.contains(binding.name.as_str()) && self.keys.contains(key(&binding_line(binding)))
    }

    /// Whether it ships a role that says just this, beside what an upgrade leaves of versions before.
    pub(crate) fn has_role(&self, role: &Role) -> bool {
        let has = |all: Option<BTreeSet<Single<'_>>>| {
            all.is_some_and(|all| self.lines.contains(single_line(role, &all).as_str()))
        };
        self.names.contains(role.name.as_str()) && (has(singles(&role.rules)) || has(without_left(role)))
    }

    /// Whether a role may be what a version ships that is not known here: it has such a name, and is bound as other
    /// versions bind it, to programs of the system and not to everybody.
    pub(crate) fn may_be(&self, role: &Role, binding: &Binding) -> bool {
        let everybody = |subject: &Subject| match subject {
            Subject::Group(name) => {
                [MASTERS, AUTHENTICATED, UNAUTHENTICATED].contains(&name.as_str())
                    || name.starts_with("system:serviceaccounts")
            }
            Subject::User(name) => name == ANONYMOUS,
        };
        !self.known
            && role.name.starts_with("system:")
            && self.names.contains(role.name.as_str())
            && self.has_binding(binding)
            && !binding.subjects.iter().any(everybody)
    }

    pub(crate) fn has_binding(&self, binding: &Binding) -> bool {
        self.names.contains(binding.name.as_str()) && self.lines.contains(binding_line(binding).as_str())
    }
}

/// A line without its digest.
fn key(line: &str) -> &str {
    line.rsplit_once(' ').map_or(line, |(key, _)| key)
}

/// The latest version that ships a role or binding just so, as `1.36`.
pub(crate) fn shipped_by(line: &str) -> Option<&'static str> {
    let of =
        |own: &'static str| own.split_once(' ').filter(|(_, rest)| *rest == line).map(|(version, _)| version);
    DEFAULTS.lines().filter_map(of).next_back()
}

/// Whether what one version ships is known; of a server whose version is not, it is told by all that are.
pub(crate) fn is_known(server: (u32, u32)) -> bool {
    Shipped::of(Some(server)).known
}

/// What kubeadm lets everybody read, by which nodes find their cluster (`clusterinfo.go` of kubeadm).
pub(crate) fn is_cluster_info(role: &Role, binding: &Binding) -> bool {
    const NAME: &str = "kubeadm:bootstrap-signer-clusterinfo";
    const NAMESPACE: &str = "kube-public";
    let [rule] = role.rules.as_slice() else { return false };
    role.name == NAME
        && role.namespace.as_deref() == Some(NAMESPACE)
        && rule.verbs == ["get"]
        && rule.api_groups == [""]
        && rule.resources == ["configmaps"]
        && rule.resource_names == ["cluster-info"]
        && rule.non_resource_urls.is_empty()
        && binding.name == NAME
        && binding.namespace.as_deref() == Some(NAMESPACE)
        && binding.role == RoleRef::Role(NAME.to_owned())
        && binding.subjects == [Subject::User(ANONYMOUS.to_owned())]
}

/// A verb, and on what: group, resource and name, or a path outside resources.
type Single<'r> = [&'r str; 5];

/// More than any role that Kubernetes ships says (about 700 of admin): a list without end is none of them.
const SINGLES_MOST: usize = 50_000;

/// What rules allow, each verb on each thing by itself: an upgrade adds what a role lacks as rules of their own
/// (`computeReconciledRole` in component-helpers), so the same may be said by other rules. None: it says too much.
fn singles(rules: &[Rule]) -> Option<BTreeSet<Single<'_>>> {
    let many = |rule: &Rule| {
        let names = rule.resource_names.len().max(1);
        let on = [rule.api_groups.len(), rule.resources.len(), names];
        let things = on.into_iter().fold(1_usize, usize::saturating_mul);
        things.saturating_add(rule.non_resource_urls.len()).saturating_mul(rule.verbs.len())
    };
    let all = rules.iter().map(many).fold(0_usize, usize::saturating_add);
    if all > SINGLES_MOST {
        return None;
    }
    let mut singles = BTreeSet::new();
    for rule in rules {
        let names = &rule.resource_names;
        for verb in &rule.verbs {
            singles.extend(rule.non_resource_urls.iter().map(|url| [verb.as_str(), "", "", "", url]));
            for (group, resource) in
                rule.api_groups.iter().flat_map(|group| rule.resources.iter().map(move |one| (group, one)))
            {
                if names.is_empty() {
                    singles.insert([verb, group, resource, "", ""]);
                }
                singles.extend(names.iter().map(|name| [verb.as_str(), group, resource, name, ""]));
            }
        }
    }
    Some(singles)
}

/// Of what versions since 1.34 shipped, what later ones do not: an upgrade takes nothing away (`bootstrappolicy` of each).
const LEFT: [(&str, &[Single<'static>]); 5] = [
    (
        "system::leader-locking-kube-controller-manager",
        &[
            ["watch", "", "configmaps", "", ""],
            ["get", "", "configmaps", "kube-controller-manager", ""],
            ["update", "", "configmaps", "kube-controller-manager", ""],
        ],
    ),
    (
        "system::leader-locking-kube-scheduler",
        &[
            ["watch", "", "configmaps", "", ""],
            ["get", "", "configmaps", "kube-scheduler", ""],
            ["update", "", "configmaps", "kube-scheduler", ""],
        ],
    ),
    (
        "system:kube-scheduler",
        &[
            ["get", "scheduling.k8s.io", "workloads", "", ""],
            ["list", "scheduling.k8s.io", "workloads", "", ""],
            ["watch", "scheduling.k8s.io", "workloads", "", ""],
        ],
    ),
    ("system:controller:expand-controller", &[["get", "", "services", "", ""]]),
    ("system:controller:persistent-volume-binder", &[["get", "", "services", "", ""]]),
];

/// What a role says without that; none: nothing is left of its name.
fn without_left(role: &Role) -> Option<BTreeSet<Single<'_>>> {
    let (_, left) = LEFT.iter().find(|(name, _)| *name == role.name)?;
    let mut all = singles(&role.rules)?;
    all.retain(|one| !left.contains(one));
    Some(all)
}

fn single_line(role: &Role, singles: &BTreeSet<Single<'_>>) -> String {
    let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
    line(kind, role.namespace.as_deref(), &role.name, singles)
}

/// One role: kind, namespace, name and a digest of what it allows, which does not depend on how its rules say it.
pub fn role_line(role: &Role) -> String {
    match singles(&role.rules) {
        Some(all) => single_line(role, &all),
        None => {
            let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
            // No digest is written so.
            format!("{kind} {} {} without-end", role.namespace.as_deref().unwrap_or("-"), role.name)
        }
    }
}

/// One binding, likewise.
pub fn binding_line(binding: &Binding) -> String {
    let mut subjects: Vec<String> = binding.subjects.iter().map(|subject| format!("{subject:?}")).collect();
    subjects.sort();
    let (kind, name) = match &binding.role {
        RoleRef::ClusterRole(name) => ("ClusterRole", name),
        RoleRef::Role(name) => ("Role", name),
        RoleRef::Other(name) => ("", name),
    };
    let own = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    line(own, binding.namespace.as_deref(), &binding.name, &(kind, name, subjects))
}

fn line(kind: &str, namespace: Option<&str>, name: &str, content: &impl serde::Serialize) -> String {
    let bytes = serde_json::to_vec(content).unwrap_or_default();
    let mut digest = String::new();
    for byte in Digest::of(&bytes).bytes().iter().take(16) {
        let _ = write!(digest, "{byte:02x}");
    }
    format!("{kind} {} {name} {digest}", namespace.unwrap_or("-"))
}
