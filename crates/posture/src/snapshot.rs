//! What was read of a cluster, kind by kind, and how far.

mod admission;
mod certificate;
mod door;
mod kind;
mod object;
mod reach;
mod read;
mod shape;
mod told;
mod tried;
mod way_in;
mod workload;

#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use door::{Address, AddressReach, AnonymousGet, Door, Tls, TlsTaken};
pub use kind::{Coverage, Kind, SYSTEM_NAMESPACES};
pub use object::{
    Account, ApiService, BindingObject, CertificateRequest, Controller, Endpoints, Flow, FlowRule,
    IngressObject, Limit, Meta, NodeObject, OddSubject, Parameters, Pod, Policy, PolicyBinding, Quota,
    RoleObject, SecretObject, ServiceObject, Spared, TokenVolume, Webhook, WebhookRule, Workload,
};
pub use read::{TakeError, Taken};
pub use told::{Authentication, AwsAuth, ClusterInfo, Identity, Mapped, Part, Ready, Sample, Told};
pub use tried::{CameTo, Tried};
pub use way_in::{ExecSeen, TokenSeen, WayIn, WaysIn};

use sallyport_rbac::aggregate::{self, Stored};
use sallyport_rbac::who::{Rbac, Role};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// An object that could not be read, and why. Both are texts from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: Kind,
    /// Its name, as far as it has one.
    pub name: String,
    /// What is wrong with it.
    pub what: String,
}

/// Who decides beside RBAC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorizers {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// The API server lists all rules by itself: RBAC, and what it knows of nodes.
    RbacOnly,
    /// Somebody else may allow what RBAC does not, and why that is known: what "nobody can" says is unknown then.
    Others(String),
}

/// What was read of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The server's version, major and minor.
    pub server: Option<(u32, u32)>,
    /// The same as it writes it, e.g. `v1.37.2` or `v1.33.1-eks-1234567`.
    pub version: Option<String>,
    /// When it was read, Unix seconds, by the clock of its API server where that is another.
    pub taken: Option<i64>,
    /// Seconds that the clock of whoever read it was ahead of the API server's, negative: behind; none: not so far that it
    /// matters, or nobody knows.
    pub clock_ahead: Option<i64>,
    /// What the API server tells of itself beside its objects.
    pub told: Told,
    /// What anybody sees of it before signing in; none: nobody looked.
    pub door: Option<Door>,
    /// How a kubeconfig gets its person in; none: none was part of the reading.
    pub ways_in: Option<WaysIn>,
    /// What came of making a privileged pod in each namespace, as a try; none: nobody asked for that.
    pub tried: Option<Vec<Tried>>,
    /// Who decides beside RBAC.
    pub authorizers: Authorizers,
    /// ClusterRoles and Roles.
    pub roles: Vec<RoleObject>,
    /// ClusterRoleBindings and RoleBindings.
    pub bindings: Vec<BindingObject>,
    /// ServiceAccounts.
    pub accounts: Vec<Account>,
    /// Namespaces.
    pub namespaces: Vec<Meta>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// What makes pods.
    pub workloads: Vec<Workload>,
    /// Secrets, without what they hold.
    pub secrets: Vec<SecretObject>,
    /// ResourceQuotas.
    pub quotas: Vec<Quota>,
    /// LimitRanges.
    pub limits: Vec<Limit>,
    /// ConfigMaps, by name.
    pub configs: Vec<Meta>,
    /// Webhooks of both kinds.
    pub webhooks: Vec<Webhook>,
    /// ValidatingAdmissionPolicies and MutatingAdmissionPolicies.
    pub policies: Vec<Policy>,
    /// Bindings of both kinds.
    pub policy_bindings: Vec<PolicyBinding>,
    /// FlowSchemas.
    pub flows: Vec<Flow>,
    /// APIServices.
    pub api_services: Vec<ApiService>,
    /// CustomResourceDefinitions.
    pub definitions: Vec<Meta>,
    /// CertificateSigningRequests.
    pub requests: Vec<CertificateRequest>,
    /// Nodes.
    pub nodes: Vec<NodeObject>,
    /// Services.
    pub services: Vec<ServiceObject>,
    /// EndpointSlices.
    pub endpoints: Vec<Endpoints>,
    /// Ingresses.
    pub ingresses: Vec<IngressObject>,
    /// What could not be read of objects that were there.
    pub problems: Vec<Problem>,
    coverage: BTreeMap<Kind, Coverage>,
    /// Kind, namespace and name of all that is kept.
    named: HashSet<(Kind, Option<String>, String)>,
}

impl Snapshot {
    /// Says how far a kind was read. A part that was missed is not made up for by another that was not.
    pub fn asked(&mut self, kind: Kind, coverage: Coverage) {
        match self.coverage.get(&kind) {
            None | Some(Coverage::Read | Coverage::NotAsked) => drop(self.coverage.insert(kind, coverage)),
            Some(Coverage::Forbidden(_) | Coverage::Cut(_) | Coverage::NotServed) => {}
        }
    }

    /// How far a kind was read.
    pub fn coverage(&self, kind: Kind) -> Coverage {
        let asked = self.coverage.get(&kind).cloned().unwrap_or(Coverage::NotAsked);
        let unread = self.problems.iter().filter(|problem| problem.kind == kind).count();
        match asked {
            Coverage::Read if unread > 0 => {
                Coverage::Cut(format!("{unread} of its objects could not be read"))
            }
            Coverage::Read if kind == Kind::Secret && self.secrets.iter().any(|one| one.kind.is_empty()) => {
                Coverage::Cut(
                    "the type of some was not read, which says whether they hold a token".to_owned(),
                )
            }
            // A snapshot that was kept before these were looked at.
            Coverage::Read
                if kind == Kind::ResourceQuota && self.quotas.iter().any(|one| one.hard.is_none()) =>
            {
                Coverage::Cut("what some of them bound was not read".to_owned())
            }
            Coverage::Read
                if kind == Kind::LimitRange && self.limits.iter().any(|one| one.bounds.is_none()) =>
            {
                Coverage::Cut("what some of them bound was not read".to_owned())
            }
            asked => asked,
        }
    }

    /// Why what depends on these kinds is not known, one sentence for each that was not read; empty: all were.
    pub fn gaps(&self, kinds: &[Kind]) -> Vec<String> {
        kinds.iter().filter_map(|kind| self.coverage(*kind).gap(*kind)).collect()
    }

    /// Whether all objects of a kind were read.
    pub(crate) fn has_all(&self, kind: Kind) -> bool {
        self.coverage(kind).gap(kind).is_none()
    }

    /// All roles and bindings, asked as the API server asks them. Roles and bindings are in the same order as here, as far
    /// as a binding's role exists. Beside it the names of aggregated ClusterRoles that nobody has filled: first those that
    /// were computed here, then those that were not.
    pub fn rbac(&self) -> (Rbac, Aggregated) {
        let unwritten = |one: &RoleObject| one.selectors.is_some() && one.role.rules.is_empty();
        let mut roles: Vec<Arc<Role>> = self.roles.iter().map(|one| Arc::clone(&one.role)).collect();
        let mut filled = aggregate::Filled::default();
        if self.roles.iter().any(unwritten) {
            let stored = |one: &RoleObject| Stored {
                role: Role::clone(&one.role),
                labels: if one.role.namespace.is_none() { one.meta.labels.clone() } else { BTreeMap::new() },
                selectors: one.selectors.clone(),
            };
            let mut stored: Vec<Stored> = self.roles.iter().map(stored).collect();
            filled = aggregate::fill(&mut stored);
            roles = stored.into_iter().map(|one| Arc::new(one.role)).collect();
        }
        let names = |places: Vec<usize>| {
            places.into_iter().filter_map(|at| Some(self.roles.get(at)?.role.name.clone())).collect()
        };
        let bindings = self.bindings.iter().map(|one| Arc::clone(&one.binding));
        let aggregated = Aggregated { computed: names(filled.computed), left: names(filled.left) };
        (Rbac::all(roles, bindings), aggregated)
    }
}

/// Aggregated ClusterRoles that no controller has filled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aggregated {
    /// Whose rules were computed from their selectors.
    pub computed: Vec<String>,
    /// Whose rules are not known, since there is no end to what they select.
    pub left: Vec<String>,
}
