//! The dangerous combinations, each named once: what promise P11 refuses, and what is a weakness when it stands for good.

use super::{Danger, DangerKind};
use crate::Rule;
use crate::escalation::RBAC;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// One dangerous combination: any of the verbs on any of the resources (`resource/subresource`) of a group.
pub(super) struct Probe {
    kind: DangerKind,
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
}

const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
pub(super) const READS: &[&str] = &["get", "list", "watch"];
const EVERY: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What no session may have in any scope.
pub(super) const ALWAYS: &[Probe] = &[
    Probe {
        kind: DangerKind::Escalate,
        verbs: &["escalate"],
        group: RBAC,
        resources: &["roles", "clusterroles"],
    },
    Probe { kind: DangerKind::Bind, verbs: &["bind"], group: RBAC, resources: &["roles", "clusterroles"] },
    Probe {
        kind: DangerKind::WriteRbac,
        verbs: WRITES,
        group: RBAC,
        resources: &["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
    },
    Probe { kind: DangerKind::NodesProxy, verbs: EVERY, group: "", resources: &["nodes/proxy"] },
    Probe {
        kind: DangerKind::MintTokens,
        verbs: &["create"],
        group: "",
        resources: &["serviceaccounts/token"],
    },
    Probe {
        kind: DangerKind::ApproveCertificates,
        verbs: &["update", "patch"],
        group: "certificates.k8s.io",
        resources: &["certificatesigningrequests/approval", "certificatesigningrequests/status"],
    },
    Probe {
        kind: DangerKind::ApproveCertificates,
        verbs: &["approve", "sign", "attest"],
        group: "certificates.k8s.io",
        resources: &["signers"],
    },
    Probe {
        kind: DangerKind::WriteAdmission,
        verbs: WRITES,
        group: "admissionregistration.k8s.io",
        resources: &[
            "validatingadmissionpolicies",
            "validatingadmissionpolicies/status",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
            "mutatingwebhookconfigurations",
        ],
    },
    Probe {
        kind: DangerKind::WriteAccess,
        verbs: WRITES,
        group: "access.sallyport.dev",
        resources: &[
            "accessgrants",
            "accessgrants/status",
            "accessrequests",
            "accessrequests/status",
            "accessprofiles",
            "accessclusters",
            "accessclusters/status",
        ],
    },
    Probe {
        kind: DangerKind::WriteApi,
        verbs: WRITES,
        group: "apiregistration.k8s.io",
        resources: &["apiservices", "apiservices/status"],
    },
    Probe {
        kind: DangerKind::WriteApi,
        verbs: WRITES,
        group: "apiextensions.k8s.io",
        resources: &["customresourcedefinitions", "customresourcedefinitions/status"],
    },
    // From here on: what a RoleBinding gives, and admission refuses to sessions as well.
    Probe {
        kind: DangerKind::WriteRevisions,
        verbs: WRITES,
        group: "apps",
        resources: &["controllerrevisions"],
    },
    Probe {
        kind: DangerKind::WriteStatus,
        verbs: WRITES,
        group: "",
        resources: &[
            "pods/status",
            "services/status",
            "replicationcontrollers/status",
            "persistentvolumeclaims/status",
            "resourcequotas/status",
        ],
    },
    Probe {
        kind: DangerKind::WriteStatus,
        verbs: WRITES,
        group: "apps",
        resources: &["statefulsets/status", "deployments/status", "daemonsets/status", "replicasets/status"],
    },
    Probe {
        kind: DangerKind::WriteStatus,
        verbs: WRITES,
        group: "batch",
        resources: &["jobs/status", "cronjobs/status"],
    },
    Probe {
        kind: DangerKind::WriteStatus,
        verbs: WRITES,
        group: "networking.k8s.io",
        resources: &["ingresses/status"],
    },
    Probe {
        kind: DangerKind::WriteStatus,
        verbs: WRITES,
        group: "policy",
        resources: &["poddisruptionbudgets/status"],
    },
    Probe {
        kind: DangerKind::WriteStatus,
        verbs: WRITES,
        group: "autoscaling",
        resources: &["horizontalpodautoscalers/status"],
    },
    Probe { kind: DangerKind::WriteEndpoints, verbs: WRITES, group: "", resources: &["endpoints"] },
    Probe {
        kind: DangerKind::WriteEndpoints,
        verbs: WRITES,
        group: "discovery.k8s.io",
        resources: &["endpointslices"],
    },
    Probe {
        kind: DangerKind::WriteNamespaces,
        verbs: WRITES,
        group: "",
        resources: &["namespaces", "namespaces/finalize", "namespaces/status"],
    },
    Probe { kind: DangerKind::WriteAccounts, verbs: WRITES, group: "", resources: &["serviceaccounts"] },
    Probe {
        kind: DangerKind::PlacePods,
        verbs: &["create"],
        group: "",
        resources: &["pods/binding", "bindings"],
    },
];

/// What no session may have where its scope reaches the system.
pub(super) const SYSTEM: &[Probe] = &[
    Probe {
        kind: DangerKind::ExecSystem,
        verbs: EVERY,
        group: "",
        resources: &["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"],
    },
    Probe { kind: DangerKind::ReadSystemSecrets, verbs: READS, group: "", resources: &["secrets"] },
];

impl Probe {
    /// The first of its combinations that a rule gives.
    pub(super) fn found_in(&self, rule: &Rule) -> Option<Danger> {
        for resource in self.resources {
            let (kind, sub) = resource.split_once('/').unwrap_or((resource, ""));
            for verb in self.verbs {
                if rule.allows_some(verb, self.group, kind, sub) {
                    return Some(Danger {
                        kind: self.kind,
                        rule: rule.clone(),
                        verb: (*verb).to_owned(),
                        resource: (*resource).to_owned(),
                    });
                }
            }
        }
        None
    }
}

const CHANGES: &[&str] = &["create", "update", "patch"];

/// What a session may have in its namespaces, and nobody should have for good.
const STANDING: &[Probe] = &[
    Probe { kind: DangerKind::ReadSecrets, verbs: READS, group: "", resources: &["secrets"] },
    Probe { kind: DangerKind::WriteSecrets, verbs: CHANGES, group: "", resources: &["secrets"] },
    Probe {
        kind: DangerKind::Exec,
        verbs: EVERY,
        group: "",
        resources: &["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"],
    },
    Probe {
        kind: DangerKind::DebugContainers,
        verbs: &["update", "patch"],
        group: "",
        resources: &["pods/ephemeralcontainers"],
    },
    Probe { kind: DangerKind::RunPods, verbs: &["create"], group: "", resources: &["pods"] },
    // A pod that is there keeps its ServiceAccount and its volumes, and not its images (`ValidatePodUpdate` of Kubernetes).
    Probe { kind: DangerKind::ChangePods, verbs: &["update", "patch"], group: "", resources: &["pods"] },
    Probe { kind: DangerKind::RunPods, verbs: CHANGES, group: "", resources: &["replicationcontrollers"] },
    Probe {
        kind: DangerKind::RunPods,
        verbs: CHANGES,
        group: "apps",
        resources: &["deployments", "daemonsets", "statefulsets", "replicasets"],
    },
    Probe { kind: DangerKind::RunPods, verbs: CHANGES, group: "batch", resources: &["jobs", "cronjobs"] },
    Probe {
        kind: DangerKind::WriteVolumes,
        verbs: &["create"],
        group: "",
        resources: &["persistentvolumes"],
    },
    Probe {
        kind: DangerKind::TakePods,
        verbs: &["update", "patch"],
        group: "",
        resources: &["nodes", "nodes/status"],
    },
    Probe {
        kind: DangerKind::RemoveEvents,
        verbs: &["delete", "deletecollection"],
        group: "",
        resources: &["events"],
    },
    Probe {
        kind: DangerKind::RemoveEvents,
        verbs: &["delete", "deletecollection"],
        group: "events.k8s.io",
        resources: &["events"],
    },
    Probe {
        kind: DangerKind::WriteConfig,
        verbs: &["update", "patch"],
        group: "",
        resources: &["configmaps"],
    },
    Probe {
        kind: DangerKind::RequestCertificates,
        verbs: &["create"],
        group: "certificates.k8s.io",
        resources: &["certificatesigningrequests"],
    },
];

/// Whom one can act as, by group and resource.
pub(super) const IDENTITIES: [(&str, &str); 8] = [
    ("", "users"),
    ("", "groups"),
    ("", "serviceaccounts"),
    ("authentication.k8s.io", "uids"),
    ("authentication.k8s.io", "users"),
    ("authentication.k8s.io", "groups"),
    ("authentication.k8s.io", "serviceaccounts"),
    ("authentication.k8s.io", "nodes"),
];

/// The ways of acting as somebody: the old one, and by mode (KEP-5284).
const IMPERSONATIONS: &[&str] = &[
    "impersonate",
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:arbitrary-node",
    "impersonate:associated-node",
];

/// One combination that a rule gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: DangerKind,
    pub(crate) verb: &'static str,
    pub(crate) group: &'static str,
    /// `resource` or `resource/subresource`.
    pub(crate) resource: &'static str,
}

/// Calls `found` with every dangerous combination that a rule gives on at least one name, some of them twice.
#[cfg(test)]
pub(crate) fn each(rule: &Rule, mut found: impl FnMut(Found)) {
    about(rule, |one| {
        one.verbs.iter().filter(|verb| rule.verb(verb)).for_each(|verb| found(one.found(verb)));
    });
}

/// Calls `look` with every combination whose group and resource a rule speaks of, whatever its verbs, some of them twice.
pub(crate) fn about(rule: &Rule, mut look: impl FnMut(&'static Combination)) {
    let all = &*COMBINATIONS;
    // Most rules are about what nobody here minds: then nothing more is compared.
    if !rule.api_groups.iter().any(|own| own == "*" || all.groups.contains(own.as_str())) {
        return;
    }
    let wild = rule.resources.iter().any(|entry| entry.as_bytes().first() == Some(&b'*'));
    if wild {
        for one in &all.ordered {
            let (kind, sub) = one.resource.split_once('/').unwrap_or((one.resource, ""));
            if rule.group(one.group) && rule.resource(kind, sub) {
                look(one);
            }
        }
        return;
    }
    for one in rule.resources.iter().filter_map(|entry| all.of.get(entry.as_str())).flatten() {
        if rule.group(one.group) {
            look(one);
        }
    }
}

/// One resource of a probe.
pub(crate) struct Combination {
    /// Its place among all of them.
    pub(crate) at: usize,
    pub(crate) verbs: &'static [&'static str],
    kind: DangerKind,
    group: &'static str,
    resource: &'static str,
}

impl Combination {
    /// The combination with one of its verbs.
    pub(crate) fn found(&self, verb: &'static str) -> Found {
        Found { kind: self.kind, verb, group: self.group, resource: self.resource }
    }
}

/// All of them, by their places: in the order of their resources' names.
pub(crate) fn combinations() -> &'static [&'static Combination] {
    &COMBINATIONS.ordered
}

/// What is dangerous.
struct Combinations {
    ordered: Vec<&'static Combination>,
    /// Of each resource.
    of: HashMap<&'static str, Vec<&'static Combination>>,
    /// The API groups of all of them.
    groups: BTreeSet<&'static str>,
}

static COMBINATIONS: LazyLock<Combinations> = LazyLock::new(|| {
    let probes = ALWAYS.iter().chain(SYSTEM).chain(STANDING);
    let probes = probes.flat_map(|probe| {
        let of = |resource: &&'static str| (probe.kind, probe.verbs, probe.group, *resource);
        probe.resources.iter().map(of)
    });
    let identities = IDENTITIES
        .into_iter()
        .map(|(group, resource)| (DangerKind::Impersonate, IMPERSONATIONS, group, resource));
    let mut all: Vec<_> = probes.chain(identities).collect();
    all.sort_by_key(|(.., resource)| *resource);
    let all = all.into_iter().enumerate().map(|(at, (kind, verbs, group, resource))| Combination {
        at,
        verbs,
        kind,
        group,
        resource,
    });
    // They are there for as long as the program is.
    let ordered: Vec<&'static Combination> = all.map(|one| &*Box::leak(Box::new(one))).collect();
    let mut of: HashMap<&str, Vec<&Combination>> = HashMap::new();
    for one in &ordered {
        of.entry(one.resource).or_default().push(one);
    }
    let groups = ordered.iter().map(|one| one.group).collect();
    Combinations { ordered, of, groups }
});
