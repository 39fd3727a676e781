//! Who may do what.

use super::{
    About, Area, Check, Look, Looks, Maps, RBAC, RBAC_AND_ACCOUNTS, RBAC_AND_CONFIG, RBAC_AND_PODS, maps,
};
use crate::check::{Verdict, bindings, ended, granted, inert, shipped, unused, wildcard};
use crate::ground::Ground;
use crate::snapshot::Kind;

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

pub(super) const CHECKS: &[Check] = &[
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
    Check {
        reads: RBAC_AND_CONFIG,
        about: About(granted::about_dns),
        ..rights(
            "RB-23",
            "Somebody can change where names lead",
            maps("", "NET", "K02", "T1557"),
            "Limit it to what installs CoreDNS.",
            granted::dns,
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
    Check {
        nobody_can: false,
        ..rights(
            "RB-36",
            "A role or a binding gives nobody anything",
            maps("", "AUTH", "K02", ""),
            "Remove it, after a look at who keeps it in a repository.",
            unused::looks,
        )
    },
    Check {
        nobody_can: false,
        about: About(shipped::about),
        ..rights(
            "RB-38",
            "What Kubernetes ships was changed, or is widened",
            maps("5.1.1", "AUTH", "K02", "T1098.006"),
            "Remove it, and the API server makes it anew when it starts; give what is needed by a role of your own, without \
             the label that puts it into another.",
            shipped::looks,
        )
    },
    rights(
        "RB-39",
        "Somebody can remove events",
        maps("", "LOG", "K10", "T1070"),
        "Take it away: events end by themselves.",
        inert::looks,
    ),
    rights(
        "RB-40",
        "Somebody can read all logs or all ConfigMaps",
        maps("", "AUTH", "K03", "T1552.007"),
        "Give it in the namespaces where it is needed.",
        granted::reads,
    ),
    Check {
        nobody_can: false,
        about: About(ended::about),
        ..rights(
            "RB-42",
            "A grant for a time is there after its end",
            maps("", "AUTH", "K02", "T1078"),
            "Remove it, and look why its broker did not.",
            ended::looks,
        )
    },
];
