//! The kinds that are read, and how far each was.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident: $group:literal, $plural:literal;)*) => {
        /// A kind of object that posture looks at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[doc = $doc])* $name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// As Kubernetes spells it: `ClusterRole`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Its API group; empty for the core group.
            pub fn group(self) -> &'static str {
                match self { $(Self::$name => $group,)* }
            }

            /// The resource it is read by: `clusterroles`.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$name => $plural,)* }
            }
        }
    };
}

kinds! {
    /// Roles of the whole cluster.
    ClusterRole: "rbac.authorization.k8s.io", "clusterroles";
    /// Roles of a namespace.
    Role: "rbac.authorization.k8s.io", "roles";
    /// Bindings that hold everywhere.
    ClusterRoleBinding: "rbac.authorization.k8s.io", "clusterrolebindings";
    /// Bindings that hold in a namespace.
    RoleBinding: "rbac.authorization.k8s.io", "rolebindings";
    /// Accounts of programs.
    ServiceAccount: "", "serviceaccounts";
    /// Namespaces and their labels.
    Namespace: "", "namespaces";
    /// Pods: which account they run as, whether its token is mounted, which other tokens they ask for, and who makes them.
    /// Nothing else of them is kept.
    Pod: "", "pods";
    /// What makes pods: of its template the same as of a pod, and nothing else.
    Deployment: "apps", "deployments";
    /// As a Deployment, for pods with names of their own.
    StatefulSet: "apps", "statefulsets";
    /// As a Deployment, for a pod on every node.
    DaemonSet: "apps", "daemonsets";
    /// What a Deployment makes its pods by.
    ReplicaSet: "apps", "replicasets";
    /// Pods that run to an end.
    Job: "batch", "jobs";
    /// What makes Jobs.
    CronJob: "batch", "cronjobs";
    /// Secrets: name, type and labels. Their values are never read; an API server gives them without to whoever asks for
    /// metadata alone, and no right says so.
    Secret: "", "secrets";
    /// Quotas of a namespace.
    ResourceQuota: "", "resourcequotas";
    /// Limits of a namespace.
    LimitRange: "", "limitranges";
    /// ConfigMaps by their names; values are not kept.
    ConfigMap: "", "configmaps";
    /// Webhooks that change what is written.
    MutatingWebhookConfiguration: "admissionregistration.k8s.io", "mutatingwebhookconfigurations";
    /// Webhooks that refuse what is written.
    ValidatingWebhookConfiguration: "admissionregistration.k8s.io", "validatingwebhookconfigurations";
    /// Policies that refuse what is written.
    ValidatingAdmissionPolicy: "admissionregistration.k8s.io", "validatingadmissionpolicies";
    /// Where such policies hold.
    ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io", "validatingadmissionpolicybindings";
    /// Policies that change what is written (KEP-3962).
    MutatingAdmissionPolicy: "admissionregistration.k8s.io", "mutatingadmissionpolicies";
    /// Where such policies hold.
    MutatingAdmissionPolicyBinding: "admissionregistration.k8s.io", "mutatingadmissionpolicybindings";
    /// Which requests wait where while an API server is busy, and which do not wait at all.
    FlowSchema: "flowcontrol.apiserver.k8s.io", "flowschemas";
    /// Groups of the API that another server answers for.
    APIService: "apiregistration.k8s.io", "apiservices";
    /// Kinds of the cluster's own, by name: they say which policy engine is there.
    CustomResourceDefinition: "apiextensions.k8s.io", "customresourcedefinitions";
    /// Requests for certificates: who asked which signer, and what came of it. Requests and certificates are not kept.
    CertificateSigningRequest: "certificates.k8s.io", "certificatesigningrequests";
    /// Nodes: the version of their kubelet, and what they say whose machine they are.
    Node: "", "nodes";
    /// Services: type, selector and ports.
    Service: "", "services";
    /// Which addresses stand behind a Service.
    EndpointSlice: "discovery.k8s.io", "endpointslices";
    /// Which Services are reached from outside by name.
    Ingress: "networking.k8s.io", "ingresses";
}

impl Kind {
    /// The kind of this name in this API group.
    pub(crate) fn named(name: &str, group: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name && kind.group() == group)
    }

    /// The kinds that make pods.
    pub const WORKLOADS: &[Kind] =
        &[Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::ReplicaSet, Self::Job, Self::CronJob];

    /// The kinds that say who may do what.
    pub const RBAC: &[Kind] = &[Self::ClusterRole, Self::Role, Self::ClusterRoleBinding, Self::RoleBinding];
}

/// Kubernetes' own namespaces. What runs there works for all others, may need what pod security keeps out, and is not
/// the team's to change.
pub const SYSTEM_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a kind was read. Whatever is not `Read` makes what depends on it unknown, never fine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Coverage {
    /// All of it, in every namespace.
    Read,
    /// The API server said no: the right that was missing, such as `list pods`.
    Forbidden(String),
    /// A part of it, and why: a list that ended in the middle, one namespace only, objects that cannot be read.
    Cut(String),
    /// The API server does not have it.
    NotServed,
    /// Nobody asked for it.
    NotAsked,
}

impl Coverage {
    /// Why what depends on it is not known; nothing where all of it was read. A kind that is not served has no objects.
    pub fn gap(&self, kind: Kind) -> Option<String> {
        match self {
            Self::Read | Self::NotServed => None,
            Self::Forbidden(right) => {
                Some(format!("{kind} could not be read: the right to {right} is missing"))
            }
            Self::Cut(why) => Some(format!("{kind} was read in part: {why}")),
            Self::NotAsked => Some(format!("{kind} was not read")),
        }
    }
}
