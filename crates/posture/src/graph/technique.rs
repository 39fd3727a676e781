//! The ways from rights one holds to rights one does not: what each needs, and where it leads.

use crate::severity::Severity;
use sallyport_rbac::Power::{self, *};

/// Where a right must be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// By a ClusterRoleBinding.
    Everywhere,
    /// By either: in each namespace by itself.
    Anywhere,
}

/// Where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// To everything, unless a group is asked for and all that may be are others than `system:masters`.
    ClusterAdmin,
    /// To the rights of the ClusterRole that is changed, which one must hold.
    OwnClusterRole,
    /// To everything in the namespaces in which one holds a Role.
    OwnRole,
    /// To where a binding waits for a ClusterRole that is not there, or a ClusterRole takes in others, and one is named.
    NewClusterRole,
    /// To the namespaces where a binding that names one waits for a Role that is not there.
    NewRole,
    /// To the ClusterRoles that may be bound for the whole cluster.
    BoundEverywhere,
    /// To the ClusterRoles that may be bound in the namespace.
    BoundThere,
    /// To the Roles of the namespace.
    Roles,
    /// To the users that are named, or all.
    Users,
    /// To the groups that are named, or all.
    Groups,
    /// To all users and groups but `system:masters`, or to the nodes, by the signers that may be approved for.
    Everybody,
    /// To the ServiceAccounts that are named, or all.
    Accounts,
    /// To all ServiceAccounts there, whatever the rule is limited to.
    AllAccounts,
    /// To the ServiceAccounts that pods run as.
    PodAccounts,
    /// To the Secrets there, if not limited to names.
    Secrets,
    /// To the root of a node, unless something that roles do not tell refuses it.
    NodeRoot,
    /// To every node and all pods on it.
    Nodes,
    /// To everything, where the ConfigMap `aws-auth` says who may sign in.
    AwsAuth,
    /// To what those may do as whom one acts, for the requests for which one may.
    Lent,
    /// To nothing that roles tell.
    Nowhere,
}

/// A way.
pub(crate) struct Technique {
    /// The check that finds it.
    pub(crate) check: &'static str,
    /// What it is, as what somebody can do: "make pods there, which run as any service account".
    pub(crate) what: &'static str,
    /// One of each; `escalate` first.
    pub(crate) needs: &'static [&'static [Power]],
    pub(crate) held: Where,
    pub(crate) to: To,
    /// How bad it is by itself, held everywhere and in a namespace: where it leads may make it worse.
    pub(crate) severity: (Severity, Severity),
}

impl Technique {
    /// Whether a role is made by a POST, which names nothing: `escalate` that is limited to names is none then.
    pub(crate) fn makes_roles(&self) -> bool {
        self.needs.iter().any(|need| matches!(need, [CreateRoles | CreateClusterRoles]))
    }
}

const fn way(
    check: &'static str,
    what: &'static str,
    needs: &'static [&'static [Power]],
    held: Where,
    to: To,
    severity: (Severity, Severity),
) -> Technique {
    Technique { check, what, needs, held, to, severity }
}

use Severity::{High, Low, Medium};
use Where::{Anywhere, Everywhere};

/// All of them. `get` on streams is one of the powers here; whether it opens one is asked of the server's version.
pub(crate) const TECHNIQUES: &[Technique] = &[
    way(
        "RB-04",
        "give a ClusterRole they hold any rights",
        &[&[EscalateClusterRoles], &[ChangeClusterRoles]],
        Everywhere,
        To::OwnClusterRole,
        (High, Medium),
    ),
    way(
        "RB-04",
        "make a ClusterRole with any rights",
        &[&[EscalateClusterRoles], &[CreateClusterRoles]],
        Everywhere,
        To::NewClusterRole,
        (High, Medium),
    ),
    way(
        "RB-04",
        "delete a ClusterRole they hold and make it again with any rights",
        &[&[EscalateClusterRoles], &[CreateClusterRoles], &[DeleteClusterRoles]],
        Everywhere,
        To::OwnClusterRole,
        (High, Medium),
    ),
    way(
        "RB-04",
        "make a Role with any rights",
        &[&[EscalateRoles], &[CreateRoles]],
        Anywhere,
        To::NewRole,
        (Medium, Low),
    ),
    way(
        "RB-04",
        "delete a Role they hold and make it again with any rights",
        &[&[EscalateRoles], &[CreateRoles], &[DeleteRoles]],
        Anywhere,
        To::OwnRole,
        (High, High),
    ),
    way(
        "RB-04",
        "give a Role any rights",
        &[&[EscalateRoles], &[ChangeRoles]],
        Anywhere,
        To::OwnRole,
        (High, High),
    ),
    way(
        "RB-05",
        "bind ClusterRoles for the whole cluster",
        &[&[BindClusterRoles], &[WriteClusterRoleBindings]],
        Everywhere,
        To::BoundEverywhere,
        (Low, Low),
    ),
    way(
        "RB-05",
        "bind ClusterRoles in a namespace",
        &[&[BindClusterRoles], &[WriteRoleBindings]],
        Anywhere,
        To::BoundThere,
        (Low, Low),
    ),
    way(
        "RB-05",
        "bind Roles of the namespace",
        &[&[BindRoles], &[WriteRoleBindings]],
        Anywhere,
        To::Roles,
        (Low, Low),
    ),
    way(
        "RB-06",
        "write roles or bindings, and so pass on what they hold",
        &[&[
            WriteRoleBindings,
            WriteClusterRoleBindings,
            CreateRoles,
            ChangeRoles,
            CreateClusterRoles,
            ChangeClusterRoles,
        ]],
        Anywhere,
        To::Nowhere,
        (Low, Low),
    ),
    way(
        "RB-07",
        "act as somebody in the group `system:masters`",
        &[&[ImpersonateUsers, ImpersonateAccounts], &[ImpersonateGroups]],
        Anywhere,
        To::ClusterAdmin,
        (High, Medium),
    ),
    way("RB-07", "act as users", &[&[ImpersonateUsers]], Everywhere, To::Users, (High, Medium)),
    way(
        "RB-07",
        "act as somebody in groups",
        &[&[ImpersonateUsers, ImpersonateAccounts], &[ImpersonateGroups]],
        Anywhere,
        To::Groups,
        (High, Medium),
    ),
    way(
        "RB-07",
        "act as service accounts",
        &[&[ImpersonateAccounts]],
        Anywhere,
        To::Accounts,
        (High, Medium),
    ),
    way(
        "RB-08",
        "act as somebody for some requests",
        &[&[UserInfoMode, AccountMode, NodeMode]],
        Anywhere,
        To::Lent,
        (Medium, Low),
    ),
    way("RB-09", "mint tokens of service accounts", &[&[MintTokens]], Anywhere, To::Accounts, (High, Medium)),
    way(
        "RB-10",
        "make a Secret that is filled with a token, and read it",
        &[&[WriteSecrets], &[ReadSecrets]],
        Anywhere,
        To::AllAccounts,
        (High, High),
    ),
    way("RB-11", "read Secrets", &[&[ReadSecrets]], Anywhere, To::Secrets, (High, Medium)),
    way(
        "RB-12",
        "make pods, which run as any service account of their namespace and mount any Secret of it",
        &[&[RunPods]],
        Anywhere,
        To::AllAccounts,
        (High, Medium),
    ),
    way(
        "RB-12",
        "make pods where no pod security level keeps them from a node",
        &[&[RunPods]],
        Anywhere,
        To::NodeRoot,
        (High, High),
    ),
    way(
        "RB-13",
        "run commands in pods",
        &[&[Exec, ExecByGet, ChangePods]],
        Anywhere,
        To::PodAccounts,
        (High, Medium),
    ),
    way(
        "RB-13",
        "reach ports of pods and services past network policies",
        &[&[Forward, ForwardByGet, Proxy]],
        Anywhere,
        To::Nowhere,
        (High, Medium),
    ),
    way(
        "RB-14",
        "add debug containers to pods",
        &[&[DebugContainers]],
        Anywhere,
        To::PodAccounts,
        (High, Medium),
    ),
    way(
        "RB-15",
        "reach every kubelet, and so run commands in all pods past admission and audit",
        &[&[NodesProxy]],
        Everywhere,
        To::Nodes,
        (High, Low),
    ),
    way(
        "RB-16",
        "ask for a client certificate of anybody and approve it",
        &[&[RequestCertificates], &[WriteApproval], &[ApproveSigners]],
        Everywhere,
        To::Everybody,
        (High, Low),
    ),
    way(
        "RB-16",
        "approve client certificates that others ask for",
        &[&[WriteApproval], &[ApproveSigners]],
        Everywhere,
        To::Nowhere,
        (High, Low),
    ),
    way(
        "RB-17",
        "write signed certificates for signers",
        &[&[WriteCertificates], &[SignSigners]],
        Everywhere,
        To::Nowhere,
        (High, Low),
    ),
    way(
        "RB-18",
        "rewrite what others ask of the API server, by a mutating webhook or policy",
        &[&[WriteMutating]],
        Everywhere,
        To::ClusterAdmin,
        (High, Low),
    ),
    way(
        "RB-18",
        "read all that is written, or switch off what guards it, by webhooks or policies",
        &[&[WriteValidating]],
        Everywhere,
        To::Nowhere,
        (High, Low),
    ),
    way(
        "RB-19",
        "serve an API group themselves, or read custom objects by a conversion webhook",
        &[&[WriteApiServices, WriteDefinitions]],
        Everywhere,
        To::Nowhere,
        (Medium, Low),
    ),
    way(
        "RB-20",
        "make volumes that are a folder of a node",
        &[&[CreateVolumes]],
        Everywhere,
        To::Nowhere,
        (High, Low),
    ),
    way(
        "RB-20",
        "make a volume that is a folder of a node, and a pod with it",
        &[&[CreateVolumes], &[RunPods]],
        Anywhere,
        To::NodeRoot,
        (High, High),
    ),
    way(
        "RB-21",
        "take a namespace's pod security level away, and make pods there",
        &[&[ChangeNamespaces], &[RunPods]],
        Anywhere,
        To::NodeRoot,
        (High, High),
    ),
    way(
        "RB-21",
        "change namespaces, whose labels switch pod security on and off",
        &[&[ChangeNamespaces]],
        Anywhere,
        To::Nowhere,
        (Medium, Low),
    ),
    way(
        "RB-22",
        "say which cloud identities are admins, in the ConfigMap aws-auth",
        &[&[ChangeConfig]],
        Anywhere,
        To::AwsAuth,
        (High, High),
    ),
    way(
        "RB-24",
        "move pods to nodes of their choice, or say of pods and services what is not so",
        &[&[ChangeNodes, PlacePods, WriteStatus]],
        Anywhere,
        To::Nowhere,
        (Medium, Low),
    ),
    way(
        "RB-25",
        "give service accounts a role in somebody's cloud, and run pods as them",
        &[&[CreateAccounts, ChangeAccounts], &[RunPods]],
        Anywhere,
        To::Nowhere,
        (Medium, Low),
    ),
    way("RB-39", "remove events", &[&[RemoveEvents]], Anywhere, To::Nowhere, (Low, Low)),
];
