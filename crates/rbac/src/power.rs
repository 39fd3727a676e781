//! The dangerous rights one by one, so that a set of them fits into a number and many subjects are weighed at once.
//!
//! What is dangerous is said where dangers are; here each combination found there gets its name.

use crate::Rule;
use crate::danger::{Combination, DangerKind, Found, about, combinations};
use std::fmt;
use std::sync::LazyLock;

macro_rules! powers {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// One dangerous right.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Power { $($(#[doc = $doc])* $name,)* }

        impl Power {
            /// All of them.
            pub const ALL: &[Power] = &[$(Power::$name,)*];
        }
    };
}

powers! {
    /// `escalate` on Roles.
    EscalateRoles,
    /// `escalate` on ClusterRoles.
    EscalateClusterRoles,
    /// `bind` on Roles.
    BindRoles,
    /// `bind` on ClusterRoles.
    BindClusterRoles,
    /// Create Roles.
    CreateRoles,
    /// Update or patch Roles.
    ChangeRoles,
    /// Delete Roles, one by one or many.
    DeleteRoles,
    /// Create ClusterRoles.
    CreateClusterRoles,
    /// Update or patch ClusterRoles.
    ChangeClusterRoles,
    /// Delete ClusterRoles, one by one or many.
    DeleteClusterRoles,
    /// Create, update or patch RoleBindings.
    WriteRoleBindings,
    /// Create, update or patch ClusterRoleBindings.
    WriteClusterRoleBindings,
    /// `impersonate` on users.
    ImpersonateUsers,
    /// `impersonate` on groups.
    ImpersonateGroups,
    /// `impersonate` on ServiceAccounts.
    ImpersonateAccounts,
    /// `impersonate:user-info` on users.
    UserInfoMode,
    /// `impersonate:serviceaccount` on ServiceAccounts.
    AccountMode,
    /// `impersonate:arbitrary-node` or `impersonate:associated-node` on nodes.
    NodeMode,
    /// Create `serviceaccounts/token`.
    MintTokens,
    /// Create, update or patch Secrets.
    WriteSecrets,
    /// Get, list or watch Secrets.
    ReadSecrets,
    /// Create pods, or write what makes them.
    RunPods,
    /// Update or patch pods: their containers' images.
    ChangePods,
    /// Create `pods/exec` or `pods/attach`.
    Exec,
    /// Get `pods/exec` or `pods/attach`: the same where a server lets a WebSocket be opened with it.
    ExecByGet,
    /// Create `pods/portforward`.
    Forward,
    /// Get `pods/portforward`: likewise.
    ForwardByGet,
    /// Any verb on `pods/proxy` or `services/proxy`.
    Proxy,
    /// Update or patch `pods/ephemeralcontainers`.
    DebugContainers,
    /// Any verb on `nodes/proxy`.
    NodesProxy,
    /// Create CertificateSigningRequests.
    RequestCertificates,
    /// Update or patch `certificatesigningrequests/approval`.
    WriteApproval,
    /// `approve` on signers.
    ApproveSigners,
    /// Update or patch `certificatesigningrequests/status`.
    WriteCertificates,
    /// `sign` on signers.
    SignSigners,
    /// Create, update or patch mutating webhooks or mutating admission policies.
    WriteMutating,
    /// Create, update, patch or delete validating webhooks or policies, or delete mutating ones.
    WriteValidating,
    /// Create, update or patch APIServices.
    WriteApiServices,
    /// Create, update or patch CustomResourceDefinitions.
    WriteDefinitions,
    /// Create PersistentVolumes.
    CreateVolumes,
    /// Update or patch Namespaces.
    ChangeNamespaces,
    /// Update or patch ConfigMaps.
    ChangeConfig,
    /// Update or patch nodes, or their status.
    ChangeNodes,
    /// Create `pods/binding`.
    PlacePods,
    /// Write the status of pods or Services.
    WriteStatus,
    /// Create ServiceAccounts.
    CreateAccounts,
    /// Update or patch ServiceAccounts.
    ChangeAccounts,
    /// Remove events.
    RemoveEvents,
}

impl Power {
    /// Whether it is about something that is in no namespace: a RoleBinding never gives it, whatever its role says. `bind`
    /// on ClusterRoles is asked for where the binding is, and a namespace is in itself.
    pub const fn is_cluster_wide(self) -> bool {
        use Power::*;
        matches!(
            self,
            EscalateClusterRoles
                | CreateClusterRoles
                | ChangeClusterRoles
                | DeleteClusterRoles
                | WriteClusterRoleBindings
                | ImpersonateUsers
                | ImpersonateGroups
                | UserInfoMode
                | NodeMode
                | NodesProxy
                | RequestCertificates
                | WriteApproval
                | ApproveSigners
                | WriteCertificates
                | SignSigners
                | WriteMutating
                | WriteValidating
                | WriteApiServices
                | WriteDefinitions
                | CreateVolumes
                | ChangeNodes
        )
    }
}

impl TryFrom<(DangerKind, &str, &str, &str)> for Power {
    type Error = ();

    /// The name of a combination: kind, verb, group, resource. None: a danger to a session and no power by itself.
    fn try_from((kind, verb, group, resource): (DangerKind, &str, &str, &str)) -> Result<Self, ()> {
        use Power::*;
        let creates = verb == "create";
        let changes = matches!(verb, "update" | "patch");
        let writes = creates || changes;
        Ok(match (kind, resource) {
            (DangerKind::Escalate, "roles") => EscalateRoles,
            (DangerKind::Escalate, _) => EscalateClusterRoles,
            (DangerKind::Bind, "roles") => BindRoles,
            (DangerKind::Bind, _) => BindClusterRoles,
            (DangerKind::WriteRbac, "roles") if creates => CreateRoles,
            (DangerKind::WriteRbac, "roles") if changes => ChangeRoles,
            (DangerKind::WriteRbac, "roles") => DeleteRoles,
            (DangerKind::WriteRbac, "clusterroles") if creates => CreateClusterRoles,
            (DangerKind::WriteRbac, "clusterroles") if changes => ChangeClusterRoles,
            (DangerKind::WriteRbac, "clusterroles") => DeleteClusterRoles,
            (DangerKind::WriteRbac, "rolebindings") if writes => WriteRoleBindings,
            (DangerKind::WriteRbac, "clusterrolebindings") if writes => WriteClusterRoleBindings,
            (DangerKind::Impersonate, _) => return impersonation(verb, group, resource).ok_or(()),
            (DangerKind::MintTokens, _) => MintTokens,
            (DangerKind::WriteSecrets, _) => WriteSecrets,
            (DangerKind::ReadSecrets, _) => ReadSecrets,
            (DangerKind::RunPods, _) => RunPods,
            (DangerKind::ChangePods, _) => ChangePods,
            (DangerKind::Exec, "pods/exec" | "pods/attach") if creates => Exec,
            (DangerKind::Exec, "pods/exec" | "pods/attach") if verb == "get" => ExecByGet,
            (DangerKind::Exec, "pods/portforward") if creates => Forward,
            (DangerKind::Exec, "pods/portforward") if verb == "get" => ForwardByGet,
            (DangerKind::Exec, "pods/proxy" | "services/proxy") => Proxy,
            (DangerKind::DebugContainers, _) => DebugContainers,
            (DangerKind::NodesProxy, _) => NodesProxy,
            (DangerKind::RequestCertificates, _) => RequestCertificates,
            (DangerKind::ApproveCertificates, "certificatesigningrequests/approval") => WriteApproval,
            (DangerKind::ApproveCertificates, "certificatesigningrequests/status") => WriteCertificates,
            (DangerKind::ApproveCertificates, "signers") if verb == "approve" => ApproveSigners,
            (DangerKind::ApproveCertificates, "signers") if verb == "sign" => SignSigners,
            (DangerKind::WriteAdmission, one) if one.starts_with("mutating") && writes => WriteMutating,
            (DangerKind::WriteAdmission, _) => WriteValidating,
            (DangerKind::WriteApi, "apiservices") if writes => WriteApiServices,
            (DangerKind::WriteApi, "customresourcedefinitions") if writes => WriteDefinitions,
            (DangerKind::WriteVolumes, _) => CreateVolumes,
            (DangerKind::WriteNamespaces, "namespaces") if changes => ChangeNamespaces,
            (DangerKind::WriteConfig, _) => ChangeConfig,
            (DangerKind::TakePods, _) => ChangeNodes,
            (DangerKind::PlacePods, _) => PlacePods,
            (DangerKind::WriteStatus, "pods/status" | "services/status") if changes => WriteStatus,
            (DangerKind::WriteAccounts, _) if creates => CreateAccounts,
            (DangerKind::WriteAccounts, _) if changes => ChangeAccounts,
            (DangerKind::RemoveEvents, _) => RemoveEvents,
            _ => return Err(()),
        })
    }
}

fn impersonation(verb: &str, group: &str, resource: &str) -> Option<Power> {
    Some(match (verb, group, resource) {
        ("impersonate", "", "users") => Power::ImpersonateUsers,
        ("impersonate", "", "groups") => Power::ImpersonateGroups,
        ("impersonate", "", "serviceaccounts") => Power::ImpersonateAccounts,
        ("impersonate:user-info", "authentication.k8s.io", "users") => Power::UserInfoMode,
        ("impersonate:serviceaccount", "authentication.k8s.io", "serviceaccounts") => Power::AccountMode,
        ("impersonate:arbitrary-node" | "impersonate:associated-node", "authentication.k8s.io", "nodes") => {
            Power::NodeMode
        }
        _ => return None,
    })
}

/// The question whose yes shows that a rule gives a power: verb, group, resource (`resource/subresource`) and a name, empty
/// where any does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// e.g. `create`.
    pub verb: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource.
    pub resource: &'static str,
    /// The subresource; empty for the resource itself.
    pub subresource: &'static str,
    /// The name that the rule is limited to, the first of them.
    pub name: String,
}

impl Power {
    /// How a rule gives it, where it does.
    pub fn proof(self, rule: &Rule) -> Option<Proof> {
        let mut proof = None;
        proofs(rule, |power, found| {
            if power == self && proof.is_none() {
                let (resource, subresource) = found.resource.split_once('/').unwrap_or((found.resource, ""));
                let name = rule.resource_names.first().cloned().unwrap_or_default();
                proof = Some(Proof { verb: found.verb, group: found.group, resource, subresource, name });
            }
        });
        proof
    }
}

/// Calls `given` with every power that a rule gives, some of them twice.
fn proofs(rule: &Rule, mut given: impl FnMut(Power, &Found)) {
    about(rule, |one| {
        let powers = POWERS.get(one.at).into_iter().flatten();
        for (verb, power) in one.verbs.iter().zip(powers) {
            let Some(power) = power.filter(|_| rule.verb(verb)) else { continue };
            let found = one.found(verb);
            let nameless =
                (found.verb == "create" && !found.resource.contains('/')) || found.verb == "deletecollection";
            if !nameless || rule.resource_names.is_empty() {
                given(power, &found);
            }
        }
    });
}

/// What each verb of each combination is called, by their places: names are compared once and not for each rule.
static POWERS: LazyLock<Vec<Vec<Option<Power>>>> = LazyLock::new(|| {
    let name = |found: Found| Power::try_from((found.kind, found.verb, found.group, found.resource)).ok();
    let of = |one: &Combination| one.verbs.iter().map(|verb| name(one.found(verb))).collect();
    combinations().iter().copied().map(of).collect()
});

/// A set of powers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Powers(u64);

impl Powers {
    /// Those that a rule gives on at least one name. A rule that is limited to names gives nothing to a request that
    /// carries none: making something that is no subresource, and removing many.
    pub fn of(rule: &Rule) -> Self {
        let mut all = Self::default();
        proofs(rule, |power, _| all = all.with(power));
        all
    }

    /// Without those that a RoleBinding never gives.
    #[must_use]
    pub fn without_cluster_wide(self) -> Self {
        Self(self.0 & !CLUSTER_WIDE)
    }

    /// With one more.
    #[must_use]
    pub fn with(self, power: Power) -> Self {
        Self(self.0 | 1 << power as u8)
    }

    /// What is in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a power is in it.
    pub fn has(self, power: Power) -> bool {
        self.0 & (1 << power as u8) != 0
    }

    /// Whether all these are in it.
    pub fn has_all(self, powers: &[Power]) -> bool {
        powers.iter().all(|power| self.has(*power))
    }

    /// Whether whatever is in the other is in it.
    pub fn has_all_of(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether one is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether one of these is in it.
    pub fn has_any(self, powers: &[Power]) -> bool {
        powers.iter().any(|power| self.has(*power))
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each.
    pub fn iter(self) -> impl Iterator<Item = Power> {
        Power::ALL.iter().copied().filter(move |power| self.has(*power))
    }
}

impl FromIterator<Power> for Powers {
    fn from_iter<T: IntoIterator<Item = Power>>(powers: T) -> Self {
        powers.into_iter().fold(Self::default(), Self::with)
    }
}

impl fmt::Debug for Powers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const CLUSTER_WIDE: u64 = {
    let (mut all, mut at) = (0, 0);
    while at < Power::ALL.len() {
        if Power::ALL[at].is_cluster_wide() {
            all |= 1 << Power::ALL[at] as u8;
        }
        at += 1;
    }
    all
};

/// A set has room for all of them.
const _: () = assert!(Power::ALL.len() <= 64);

#[cfg(test)]
mod tests;
