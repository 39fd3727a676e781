//! What an API server ships of roles and bindings, told by what they say and not by their names alone.
//!
//! `defaults.txt` is written by a real API server of each minor version (`tests/shipped.rs`).

use sallyport_model::Digest;
use sallyport_rbac::who::{
    ANONYMOUS, AUTHENTICATED, Binding, MASTERS, Role, RoleRef, Subject, UNAUTHENTICATED,
};
use sallyport_rbac::{Rule, effective};
use std::collections::HashSet;
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
        Self { lines, names, known: wanted.is_some() }
    }

    pub(crate) fn has_role(&self, role: &Role) -> bool {
        self.names.contains(role.name.as_str()) && self.lines.contains(role_line(role).as_str())
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

/// One role: kind, namespace, name and a digest of its rules, which does not depend on their order.
pub fn role_line(role: &Role) -> String {
    // Which role a rule says that it stands in is no part of what it says.
    let name = "role".parse().ok();
    let rules: Vec<Rule> =
        role.rules.iter().filter_map(|rule| Some(Rule { role: name.clone()?, ..rule.clone() })).collect();
    let rules = effective(rules, &sallyport_model::Scope::ClusterWide);
    line(
        if role.namespace.is_some() { "Role" } else { "ClusterRole" },
        role.namespace.as_deref(),
        &role.name,
        &rules,
    )
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
