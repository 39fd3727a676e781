//! Everything that checks and paths stand on, worked out once from a snapshot.

use crate::cloud::{Cloud, begins};
use crate::defaults;
use crate::evidence::{Evidence, Object};
use crate::graph::{Graph, How, Node, Reach};
use crate::rights::{Place, Rights, Step};
use crate::snapshot::{Aggregated, BindingObject, Meta, Snapshot};
use crate::workload::{Carrier, carriers};
use sallyport_model::{clip, visible};
use sallyport_rbac::who::{Binding, Rbac, RoleRef, Subject};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// Where a grant comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// It comes with Kubernetes, and says what it said there; of a version whose roles are not known, which the report's
    /// notes say, it is named and bound so.
    Default,
    /// Its names or labels say that it is the cloud's or the distribution's. Anybody could have named it so: it is told
    /// apart and weighed as any other.
    Vendor,
    /// All others.
    Own,
}

/// Everything that checks and paths stand on.
#[derive(Debug)]
pub struct Ground<'s> {
    pub(crate) snapshot: &'s Snapshot,
    pub(crate) rights: Rights,
    pub(crate) graph: Graph,
    pub(crate) reach: Reach,
    /// Namespaces in which others than the system can make pods.
    pub(crate) makers: HashSet<Place>,
    /// What has the token of its account in it.
    pub(crate) mounting: Vec<Carrier<'s>>,
    /// Aggregated ClusterRoles that no controller has filled.
    pub aggregated: Aggregated,
    origins: Vec<Origin>,
    /// Whose cluster it is.
    cloud: Option<Cloud>,
    /// Each binding of the index, as findings name it.
    bindings: Vec<Arc<Object>>,
    /// Each role of the index, likewise.
    roles: Vec<Arc<Object>>,
}

impl<'s> Ground<'s> {
    /// Works it out: one index of rights, one graph, one look at what each node reaches.
    pub fn new(snapshot: &'s Snapshot) -> Self {
        let (rbac, aggregated) = snapshot.rbac();
        // Where Namespaces were not read, others say which there are.
        let inside =
            snapshot.accounts.iter().map(|one| &one.meta).chain(snapshot.pods.iter().map(|one| &one.meta));
        let known = snapshot.namespaces.iter().map(|namespace| namespace.name.as_str());
        let known = known.chain(inside.filter_map(|meta| meta.namespace.as_deref()));
        let rights = Rights::new(rbac, known);
        let graph = Graph::of(&rights, snapshot);
        let reach = Reach::of(&graph);
        let metas = metas(&rights, snapshot);
        let origins = origins(&rights, &metas, snapshot.server);
        let of =
            |((binding, _), meta): (&(Arc<Binding>, usize), &Option<&Meta>)| binding_object(binding, *meta);
        let bindings = rights.rbac.bindings().iter().zip(&metas).map(of).map(Arc::new).collect();
        // The index has roles in the snapshot's order.
        let roles = snapshot.roles.iter().map(|one| &one.meta);
        let roles = rights.rbac.roles().iter().zip(roles).map(|(role, meta)| {
            let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
            Arc::new(object(kind, role.namespace.clone(), &role.name, Some(meta)))
        });
        let roles = roles.collect();
        let cloud = snapshot.cloud();
        let makers = HashSet::new();
        let mounting = carriers(snapshot, |one| one.mounts);
        let mut ground = Self {
            snapshot,
            rights,
            graph,
            reach,
            makers,
            mounting,
            aggregated,
            origins,
            cloud,
            bindings,
            roles,
        };
        ground.makers = ground.makers();
        ground
    }

    fn makers(&self) -> HashSet<Place> {
        let mut makers = HashSet::new();
        let mut makes = |place: Option<Place>| match place {
            Some(place) => drop(makers.insert(place)),
            None => makers.extend(0..self.rights.namespaces.len()),
        };
        let mut everywhere = false;
        for (at, subject) in self.rights.subjects.iter().enumerate() {
            let Some(node) = self.graph.at(Node::Subject(at)) else { continue };
            for (hit, _) in self.graph.ways_of(node) {
                // Whoever can everywhere says it of each.
                if everywhere || hit.technique().is_none_or(|one| one.check != "RB-12") {
                    continue;
                }
                let needed: Vec<usize> = hit.proof.iter().filter_map(|step| step.grant.binding).collect();
                if self.origin_of(&needed) != Origin::Default {
                    makes(hit.place);
                    everywhere = hit.place.is_none();
                }
            }
            for edge in self.graph.leaving.get(node).into_iter().flatten() {
                if let Some(How::Full(step)) = self.graph.edges.get(*edge).map(|edge| &edge.how)
                    && subject.name() != sallyport_rbac::who::MASTERS
                {
                    makes(step.grant.namespace);
                }
            }
        }
        makers
    }

    /// Why it is not known that nobody can do something, as [`Snapshot::nobody_can_gaps`] says.
    pub fn nobody_can_gaps(&self) -> Vec<String> {
        self.snapshot.nobody_can_gaps_in(self.cloud(), &self.aggregated)
    }

    /// The cloud that this is a cluster of, by the best sign there is.
    pub(crate) fn cloud(&self) -> Option<&Cloud> {
        self.cloud.as_ref()
    }

    /// What it stands on.
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// Roles and bindings, to be asked as the API server asks them.
    pub fn rbac(&self) -> &Rbac {
        &self.rights.rbac
    }

    /// Where a binding comes from, by its place.
    pub fn origin(&self, binding: usize) -> Origin {
        self.origins.get(binding).copied().unwrap_or(Origin::Own)
    }

    /// Where what needs these bindings comes from: one of the team's makes it the team's.
    pub(crate) fn origin_of(&self, bindings: &[usize]) -> Origin {
        bindings.iter().map(|binding| self.origin(*binding)).max().unwrap_or(Origin::Own)
    }

    /// A binding by its place.
    pub(crate) fn object(&self, at: usize) -> Option<Arc<Object>> {
        self.bindings.get(at).cloned()
    }

    /// A role by its place.
    pub(crate) fn role_object(&self, at: usize) -> Option<Arc<Object>> {
        self.roles.get(at).cloned()
    }

    pub(crate) fn evidence(&self, step: &Step) -> Option<Evidence> {
        let binding = step.grant.binding.and_then(|at| self.object(at));
        Some(Evidence { binding, role: self.role_object(step.grant.role)?, rule: Some(step.rule) })
    }

    /// A node, said for people.
    pub(crate) fn name(&self, node: Node) -> String {
        let there = |place| clip(&visible(self.rights.namespace(Some(place)).unwrap_or_default()), 80);
        match node {
            Node::ClusterAdmin => "everything".to_owned(),
            Node::Root => "the root of a node".to_owned(),
            Node::EveryNamespace => "everything in each namespace".to_owned(),
            Node::Namespace(place) => format!("everything in {}", there(place)),
            Node::EveryAccount => "every service account".to_owned(),
            Node::Accounts(place) => format!("every service account of {}", there(place)),
            Node::EverySecret => "every Secret".to_owned(),
            Node::Secrets(place) => format!("the Secrets of {}", there(place)),
            Node::AnyUser => "every user".to_owned(),
            Node::AnyGroup => "every group but system:masters".to_owned(),
            Node::Subject(at) => self.rights.subjects.get(at).map(said).unwrap_or_default(),
            Node::Held(role, place) => {
                let role = self.rights.role(role).map(|role| role.name.as_str()).unwrap_or_default();
                let role = clip(&visible(role), 80);
                place.map_or(format!("the role {role}"), |place| {
                    format!("the role {role} in {}", there(place))
                })
            }
        }
    }
}

/// A subject, said for people.
pub(crate) fn said(subject: &Subject) -> String {
    let shown = |text: &str| clip(&visible(text), 120);
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => format!("service account {} of {}", shown(name), shown(namespace)),
        (Subject::Group(name), _) => format!("group {}", shown(name)),
        (Subject::User(name), _) => format!("user {}", shown(name)),
    }
}

pub(crate) fn binding_object(binding: &Binding, meta: Option<&Meta>) -> Object {
    let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    object(kind, binding.namespace.clone(), &binding.name, meta)
}

pub(crate) fn object(
    kind: &'static str,
    namespace: Option<String>,
    name: &str,
    meta: Option<&Meta>,
) -> Object {
    Object {
        kind,
        namespace,
        name: name.to_owned(),
        uid: meta.and_then(|meta| meta.uid.clone()),
        resource_version: meta.and_then(|meta| meta.resource_version.clone()),
    }
}

/// What each binding of the index says of itself: they are in the snapshot's order, and those that wait for a role are
/// left out.
fn metas<'s>(rights: &Rights, snapshot: &'s Snapshot) -> Vec<Option<&'s Meta>> {
    let mut all = snapshot.bindings.iter();
    let is = |one: &BindingObject, binding: &Binding| {
        one.binding.name == binding.name && one.binding.namespace == binding.namespace
    };
    let meta = |(binding, _): &(Arc<Binding>, usize)| all.find(|one| is(one, binding)).map(|one| &one.meta);
    rights.rbac.bindings().iter().map(meta).collect()
}

fn origins(rights: &Rights, metas: &[Option<&Meta>], server: Option<(u32, u32)>) -> Vec<Origin> {
    let shipped = defaults::Shipped::of(server);
    let default_roles: Vec<bool> = rights.rbac.roles().iter().map(|role| shipped.has_role(role)).collect();
    let origin = |((binding, role), meta): (&(Arc<Binding>, usize), &Option<&Meta>)| {
        let labels = meta.map(|meta| &meta.labels);
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).map(String::as_str);
        if default_roles.get(*role) == Some(&true)
            && label("kubernetes.io/bootstrapping") == Some("rbac-defaults")
            && shipped.has_binding(binding)
        {
            return Origin::Default;
        }
        let bound = rights.rbac.roles().get(*role);
        // Of a version whose roles are not known, one that is named and bound as in others counts as what it ships.
        if label("kubernetes.io/bootstrapping") == Some("rbac-defaults")
            && rights.full_rule(*role).is_none()
            && bound.is_some_and(|role| shipped.may_be(role, binding))
        {
            return Origin::Default;
        }
        if bound.is_some_and(|role| defaults::is_cluster_info(role, binding)) {
            return Origin::Default;
        }
        let role = match &binding.role {
            RoleRef::ClusterRole(name) | RoleRef::Role(name) | RoleRef::Other(name) => name,
        };
        let vendors = VENDOR_NAMES.iter().any(|start| begins(&binding.name, start) && begins(role, start));
        if vendors || VENDOR_LABELS.iter().any(|key| label(key).is_some()) {
            return Origin::Vendor;
        }
        Origin::Own
    };
    rights.rbac.bindings().iter().zip(metas).map(origin).collect()
}

/// How names of clouds and distributions begin.
const VENDOR_NAMES: [&str; 11] = [
    "eks:",
    "aws-node",
    "gce:",
    "system:gcp-",
    "system:gke-",
    "aks-",
    "system:azure-",
    "openshift-",
    "system:openshift:",
    "kubeadm:",
    "k3s-",
];

/// Labels that their objects carry.
const VENDOR_LABELS: [&str; 3] =
    ["eks.amazonaws.com/component", "addonmanager.kubernetes.io/mode", "kubernetes.azure.com/managedby"];
