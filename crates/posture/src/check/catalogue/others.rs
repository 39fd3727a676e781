//! Accounts of programs, and admission.

use super::{About, Area, Check, Look, Looks, Maps, maps};
use crate::check::{bounded, flow, others, pods, policies, webhooks, workloads};
use crate::snapshot::Kind;

/// What whoever has a token in a pod is worth depends on.
const MOUNTS: &[Kind] = &[
    Kind::ClusterRole,
    Kind::Role,
    Kind::ClusterRoleBinding,
    Kind::RoleBinding,
    Kind::ServiceAccount,
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::Job,
    Kind::CronJob,
];

const PODS: &[Kind] = &[
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::Job,
    Kind::CronJob,
];

/// Who can make pods where.
const MAKERS: &[Kind] =
    &[Kind::ClusterRole, Kind::Role, Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::Namespace];

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
pub(super) const CHECKS: &[Check] = &[
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
    Check {
        nobody_can: true,
        ..other(
            "SA-03",
            "A pod has a token in it that it may not need",
            Area::Accounts,
            maps("5.1.6", "POD", "K02", "T1528"),
            "Say automountServiceAccountToken: false where the API is not called.",
            MOUNTS,
            workloads::mounted,
        )
    },
    Check {
        nobody_can: true,
        ..other(
            "SA-04",
            "Pods run as the account default, which holds rights",
            Area::Accounts,
            maps("5.1.5", "POD", "K02", "T1528"),
            "Give what needs the rights an account of its own, and say automountServiceAccountToken: false elsewhere.",
            MOUNTS,
            workloads::as_default,
        )
    },
    other(
        "SA-05",
        "A token in a pod lives for longer than a day",
        Area::Accounts,
        maps("", "AUTH", "K02", "T1528"),
        "Ask for a token that lives for an hour: the kubelet renews it.",
        PODS,
        workloads::long_lived,
    ),
    Check {
        nobody_can: true,
        ..other(
            "SA-08",
            "An account that leads to everything has its token on every node",
            Area::Accounts,
            maps("5.1.6", "POD", "K02", "T1611"),
            "Give what runs on each node the rights for its own node alone, and what needs more an account and a program of \
             its own.",
            MOUNTS,
            workloads::on_every_node,
        )
    },
    Check {
        about: About(pods::enforced),
        ..other(
            "AD-01",
            "A namespace enforces no pod security level",
            Area::Admission,
            maps("5.2.1", "POD", "K01", "T1611"),
            "Label it pod-security.kubernetes.io/enforce: baseline, or restricted, and leave the admission plugin PodSecurity \
             on.",
            MAKERS,
            pods::pod_security,
        )
    },
    Check {
        about: About(pods::tried),
        ..other(
            "AD-02",
            "A namespace takes a privileged pod",
            Area::Admission,
            maps("5.2.2", "POD", "K01", "T1611"),
            "Label it pod-security.kubernetes.io/enforce: baseline, or restricted; then try again.",
            MAKERS,
            pods::taken,
        )
    },
    other(
        "AD-03",
        "A webhook that guards lets requests pass when it is away",
        Area::Admission,
        maps("5.2.1", "POD", "K04", ""),
        "Set failurePolicy: Fail, with more than one copy of what answers.",
        &[Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration],
        webhooks::failing_open,
    ),
    Check {
        about: About(policies::about),
        ..other(
            "AD-05",
            "An admission policy refuses or changes nothing, or passes over some",
            Area::Admission,
            maps("", "POD", "K04", ""),
            "Bind it with the action Deny and to namespaces by their names, or remove it.",
            &[
                Kind::ValidatingAdmissionPolicy,
                Kind::ValidatingAdmissionPolicyBinding,
                Kind::MutatingAdmissionPolicy,
                Kind::MutatingAdmissionPolicyBinding,
            ],
            policies::looks,
        )
    },
    Check {
        nobody_can: true,
        ..other(
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
            bounded::quotas,
        )
    },
    other(
        "AP-12",
        "Somebody's requests wait for nothing, or make those of the system wait",
        Area::Server,
        maps("", "", "", "T1499"),
        "Take them out of the FlowSchema, or give it a priority level of its own and a matchingPrecedence above 900.",
        &[Kind::FlowSchema],
        flow::exempt,
    ),
];
