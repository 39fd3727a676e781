//! The checks as data: what each is called, what it is known as elsewhere, what it reads and what to do about it.
//!
//! Only ids of other catalogues are kept; the words are our own. CIS: Kubernetes v1.12; NSA: chapters of the NSA/CISA
//! guide v1.2; OWASP: Kubernetes Top Ten 2025; MITRE: ATT&CK for Containers.

use super::{Finding, Verdict, bindings, inert, others, wildcard};
use crate::ground::Ground;
use crate::snapshot::Kind;
use serde::{Deserialize, Serialize};

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// Who may do what.
    Rights,
    /// Accounts of programs, and their tokens.
    Accounts,
    /// What is refused, whoever asks.
    Admission,
}

/// What a check is known as elsewhere; empty where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Maps {
    /// CIS.
    pub cis: &'static str,
    /// NSA/CISA.
    pub nsa: &'static str,
    /// OWASP.
    pub owasp: &'static str,
    /// MITRE.
    pub mitre: &'static str,
}

/// A check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// e.g. `RB-04`; never used for another again.
    pub id: &'static str,
    /// What is wrong where it fails.
    pub title: &'static str,
    /// What it is about.
    pub area: Area,
    /// What it is known as elsewhere.
    pub maps: Maps,
    /// What to do about it.
    pub fix: &'static str,
    /// What it depends on: what was not read of it makes it unknown.
    pub reads: &'static [Kind],
    /// Whether it passes because nobody can do something: whoever decides beside RBAC makes that unknown.
    pub nobody_can: bool,
    pub(crate) looks: Look,
    pub(crate) about: About,
}

pub(crate) type Looks = fn(&Ground<'_>, &'static str) -> Vec<Finding>;

/// How a check looks, beside the ways that paths are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look(pub(crate) Looks);

/// What a check comes to where there is nothing here that it could be about, or the answer is a setting of the cloud.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About(pub(crate) fn(&Ground<'_>) -> Option<Verdict>);

// Functions are what a check does, not what it is.
impl PartialEq for Look {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl PartialEq for About {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// All checks.
pub fn catalogue() -> &'static [Check] {
    CHECKS
}

const RBAC: &[Kind] = Kind::RBAC;
const RBAC_AND_PODS: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::Pod];
const RBAC_AND_ACCOUNTS: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::ServiceAccount];
const RBAC_AND_CONFIG: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::ConfigMap];

const fn maps(cis: &'static str, nsa: &'static str, owasp: &'static str, mitre: &'static str) -> Maps {
    Maps { cis, nsa, owasp, mitre }
}

const fn rights(id: &'static str, title: &'static str, maps: Maps, fix: &'static str, looks: Looks) -> Check {
    Check {
        id,
        title,
        area: Area::Rights,
        maps,
        fix,
        reads: RBAC,
        nobody_can: true,
        looks: Look(looks),
        about: About(|_| None),
    }
}

const fn other(
    id: &'static str,
    title: &'static str,
    area: Area,
    maps: Maps,
    fix: &'static str,
    reads: &'static [Kind],
    looks: Looks,
) -> Check {
    Check { id, title, area, maps, fix, reads, nobody_can: false, looks: Look(looks), about: About(|_| None) }
}

fn aws_auth(ground: &Ground<'_>) -> Option<Verdict> {
    let there = ground
        .snapshot
        .configs
        .iter()
        .any(|one| one.name == "aws-auth" && one.namespace.as_deref() == Some("kube-system"));
    if there {
        return None;
    }
    // EKS keeps bindings of its own in every cluster.
    let eks = ground.snapshot.bindings.iter().any(|one| one.binding.name.starts_with("eks:"));
    Some(match eks {
        true => Verdict::Provider(
            "which cloud identities are admins is said by the cluster's access entries: look with `aws eks \
             list-access-entries --cluster-name NAME`"
                .to_owned(),
        ),
        false => Verdict::NotApplicable("kube-system has no ConfigMap aws-auth".to_owned()),
    })
}

fn modes(ground: &Ground<'_>) -> Option<Verdict> {
    let has = sallyport_rbac::gates::has_impersonation_modes(ground.snapshot.server);
    (!has).then(|| Verdict::NotApplicable("this server does not know impersonation by mode".to_owned()))
}

const CHECKS: &[Check] = &[
    rights(
        "RB-01",
        "Somebody can do everything in the cluster",
        maps("5.1.1", "AUTH", "K02", "T1078"),
        "Give what is needed by a narrower role, to a group, and the rest only for a time through a profile.",
        inert::looks,
    ),
    rights(
        "RB-02",
        "Somebody can do everything in a namespace",
        maps("5.1.1", "AUTH", "K02", "T1078"),
        "Give edit without Secrets, or a narrower role; the rest only for a time through a profile.",
        inert::looks,
    ),
    rights(
        "RB-03",
        "A role that is held has wildcards",
        maps("5.1.3", "AUTH", "K02", ""),
        "Write down the verbs and resources that are needed.",
        wildcard::looks,
    ),
    rights(
        "RB-04",
        "Somebody can give roles more rights than they hold",
        maps("5.1.8", "AUTH", "K02", "T1098.006"),
        "Take escalate away; whoever writes roles should hold what they write into them.",
        inert::looks,
    ),
    rights(
        "RB-05",
        "Somebody can bind roles they do not hold",
        maps("5.1.8", "AUTH", "K02", "T1098.006"),
        "Limit bind to the roles that may be given, by their names.",
        inert::looks,
    ),
    rights(
        "RB-06",
        "Somebody can pass on rights they hold",
        maps("", "AUTH", "K02", "T1098.006"),
        "Leave roles and bindings to what applies them from a repository.",
        inert::looks,
    ),
    rights(
        "RB-07",
        "Somebody can act as somebody else",
        maps("", "AUTH", "K02", "T1078"),
        "Limit it to the users that are needed, by their names, or to single verbs where the server knows that.",
        inert::looks,
    ),
    Check {
        about: About(modes),
        ..rights(
            "RB-08",
            "Somebody can act as somebody else for some requests",
            maps("", "AUTH", "K02", "T1078"),
            "Limit both halves to what is needed: whom, and which verbs on what.",
            inert::looks,
        )
    },
    rights(
        "RB-09",
        "Somebody can mint tokens of service accounts",
        maps("5.1.13", "AUTH", "K02", "T1528"),
        "Limit it to the service accounts that are needed, by their names.",
        inert::looks,
    ),
    rights(
        "RB-10",
        "Somebody can have a Secret filled with a token and read it",
        maps("", "AUTH", "K03", "T1528"),
        "Take either away: making Secrets, or reading them.",
        inert::looks,
    ),
    rights(
        "RB-11",
        "Somebody can read Secrets",
        maps("5.1.2", "AUTH", "K03", "T1552.007"),
        "Limit it to the Secrets that are needed, by their names.",
        inert::looks,
    ),
    Check {
        reads: &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::Namespace],
        ..rights(
            "RB-12",
            "Somebody can run pods as other service accounts",
            maps("5.1.4", "AUTH", "K02", "T1610"),
            "Keep strong service accounts in namespaces of their own, and enforce a pod security level.",
            inert::looks,
        )
    },
    Check {
        reads: RBAC_AND_PODS,
        ..rights(
            "RB-13",
            "Somebody can get into pods",
            maps("", "AUTH", "K02", "T1609"),
            "Give it for a time, through a profile.",
            inert::looks,
        )
    },
    Check {
        reads: RBAC_AND_PODS,
        ..rights(
            "RB-14",
            "Somebody can add debug containers to pods",
            maps("", "AUTH", "K02", "T1609"),
            "Give it for a time, through a profile.",
            inert::looks,
        )
    },
    rights(
        "RB-15",
        "Somebody can reach kubelets past admission and audit",
        maps("5.1.10", "AUTH", "K02", "T1609"),
        "Give nodes/metrics, nodes/stats or nodes/log instead of nodes/proxy.",
        inert::looks,
    ),
    rights(
        "RB-16",
        "Somebody can approve client certificates",
        maps("5.1.11", "AUTH", "K02", "T1098"),
        "Limit approve to the signers that are needed, by their names.",
        inert::looks,
    ),
    rights(
        "RB-17",
        "Somebody can write signed certificates",
        maps("5.1.11", "AUTH", "K02", "T1098"),
        "Limit sign to the signers that are needed, by their names.",
        inert::looks,
    ),
    rights(
        "RB-18",
        "Somebody can change admission webhooks or policies",
        maps("5.1.12", "AUTH", "K02", ""),
        "Limit it to the configurations that are needed, by their names.",
        inert::looks,
    ),
    rights(
        "RB-19",
        "Somebody can change what serves the API",
        maps("", "AUTH", "K02", ""),
        "Leave it to what applies them from a repository.",
        inert::looks,
    ),
    rights(
        "RB-20",
        "Somebody can make volumes that are a folder of a node",
        maps("5.1.9", "AUTH", "K02", "T1611"),
        "Let volumes be made by a StorageClass.",
        inert::looks,
    ),
    rights(
        "RB-21",
        "Somebody can take away a namespace's pod security level",
        maps("", "AUTH", "K04", ""),
        "Keep the label by an admission policy.",
        inert::looks,
    ),
    Check {
        reads: RBAC_AND_CONFIG,
        about: About(aws_auth),
        ..rights(
            "RB-22",
            "Somebody can say which cloud identities are admins",
            maps("", "AUTH", "K08", "T1098"),
            "Use access entries instead of the ConfigMap aws-auth.",
            inert::looks,
        )
    },
    rights(
        "RB-24",
        "Somebody can move pods or say of them what is not so",
        maps("", "AUTH", "K02", ""),
        "Leave it to the scheduler, the controllers and the kubelets.",
        inert::looks,
    ),
    rights(
        "RB-25",
        "Somebody can give service accounts a role in a cloud",
        maps("", "AUTH", "K08", "T1528"),
        "Keep each cloud identity in a namespace of its own.",
        inert::looks,
    ),
    rights(
        "RB-26",
        "A binding names system:masters",
        maps("5.1.7", "AUTH", "K02", "T1078"),
        "Remove it: whoever is in that group passes without it, and cannot be stopped by roles.",
        bindings::masters,
    ),
    rights(
        "RB-27",
        "Whoever did not sign in is given something",
        maps("5.1.1", "AUTH", "K09", "T1078"),
        "Remove the binding.",
        bindings::anonymous,
    ),
    rights(
        "RB-28",
        "Whoever signed in at all is given something",
        maps("5.1.1", "AUTH", "K09", "T1078"),
        "Name the group that needs it.",
        bindings::authenticated,
    ),
    rights(
        "RB-29",
        "All service accounts are given something",
        maps("5.1.5", "AUTH", "K02", ""),
        "Name the service accounts that need it.",
        bindings::accounts,
    ),
    Check {
        nobody_can: false,
        ..rights(
            "RB-30",
            "A binding names a role that is not there",
            maps("", "AUTH", "K02", ""),
            "Remove the binding.",
            bindings::dangling,
        )
    },
    Check {
        reads: RBAC_AND_ACCOUNTS,
        nobody_can: false,
        ..rights(
            "RB-31",
            "A binding names a service account that is not there",
            maps("", "AUTH", "K02", ""),
            "Remove it from the binding.",
            bindings::gone,
        )
    },
    Check {
        nobody_can: false,
        ..rights(
            "RB-32",
            "A binding names nobody",
            maps("", "AUTH", "", ""),
            "Write the subject as the API server knows it.",
            bindings::malformed,
        )
    },
    rights(
        "RB-33",
        "A default service account is given something",
        maps("5.1.5", "AUTH", "K02", ""),
        "Give each workload a service account of its own.",
        bindings::default_accounts,
    ),
    Check {
        nobody_can: false,
        ..rights(
            "RB-34",
            "A service account of another namespace is given something",
            maps("", "AUTH", "K02", ""),
            "Run it in the namespace that it works on, or take note of who owns it.",
            bindings::across,
        )
    },
    rights(
        "RB-35",
        "A person is given something for good",
        maps("", "AUTH", "K02", "T1078"),
        "Give it for a time, through a profile, or to a group.",
        bindings::people,
    ),
    rights(
        "RB-39",
        "Somebody can remove events",
        maps("", "LOG", "K10", "T1070"),
        "Take it away: events end by themselves.",
        inert::looks,
    ),
    other(
        "SA-01",
        "A Secret holds a token that never ends",
        Area::Accounts,
        maps("3.1.2", "AUTH", "K03", "T1528"),
        "Use tokens that are asked for and end, and remove the Secret.",
        &[Kind::Secret],
        others::kept_tokens,
    ),
    other(
        "SA-02",
        "A Secret holds a token that nobody uses",
        Area::Accounts,
        maps("", "AUTH", "K03", "T1528"),
        "Remove the Secret.",
        &[Kind::Secret, Kind::ConfigMap],
        others::unused_tokens,
    ),
    other(
        "SA-03",
        "A pod has a token in it that it may not need",
        Area::Accounts,
        maps("5.1.6", "POD", "K02", "T1528"),
        "Say automountServiceAccountToken: false where the API is not called.",
        &[
            Kind::ClusterRole,
            Kind::Role,
            Kind::ClusterRoleBinding,
            Kind::RoleBinding,
            Kind::ServiceAccount,
            Kind::Pod,
        ],
        others::mounted,
    ),
    other(
        "AD-01",
        "A namespace enforces no pod security level",
        Area::Admission,
        maps("5.2.1", "POD", "K01", "T1611"),
        "Label it pod-security.kubernetes.io/enforce: baseline, or restricted.",
        &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::Namespace],
        others::pod_security,
    ),
    other(
        "AD-03",
        "A webhook that guards lets requests pass when it is away",
        Area::Admission,
        maps("5.2.1", "POD", "K04", ""),
        "Set failurePolicy: Fail, with more than one copy of what answers.",
        &[Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration],
        others::failing_open,
    ),
    other(
        "AD-05",
        "An admission policy refuses nothing",
        Area::Admission,
        maps("", "POD", "K04", ""),
        "Bind it with the action Deny, or remove it.",
        &[Kind::ValidatingAdmissionPolicy, Kind::ValidatingAdmissionPolicyBinding],
        others::policies,
    ),
    other(
        "AD-07",
        "A namespace has no bound on what is made in it",
        Area::Admission,
        maps("", "NET", "", "T1496"),
        "Give it a ResourceQuota.",
        &[
            Kind::ClusterRole,
            Kind::Role,
            Kind::ClusterRoleBinding,
            Kind::RoleBinding,
            Kind::Namespace,
            Kind::ResourceQuota,
            Kind::LimitRange,
        ],
        others::quotas,
    ),
];
