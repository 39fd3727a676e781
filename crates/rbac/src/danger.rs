use crate::{Rule, ways::way_in};
use sallyport_model::{NamespaceName, Scope};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A right that no session may have, and the rule that gives it (promise P11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Danger {
    /// Which right.
    pub kind: DangerKind,
    /// The rule that gives it.
    pub rule: Rule,
    /// The verb it was found with, as the rule spells it.
    pub verb: String,
    /// The resource it was found on.
    pub resource: String,
}

/// The rights no session may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DangerKind {
    /// Write roles with more than one holds.
    Escalate,
    /// Bind roles one does not hold.
    Bind,
    /// Act as someone else.
    Impersonate,
    /// Reach every kubelet past admission and audit; a `get` is enough (kubernetes#133515 and KEP-2862).
    NodesProxy,
    /// Mint tokens of ServiceAccounts, which outlive the session.
    MintTokens,
    /// Approve or sign certificates, which cannot be taken back.
    ApproveCertificates,
    /// Write admission policies or webhooks, the guardrails themselves.
    WriteAdmission,
    /// Write roles or bindings, which outlive the session.
    WriteRbac,
    /// Write Sallyport's own objects.
    WriteAccess,
    /// Write what serves the API itself: API services and custom resource definitions.
    WriteApi,
    /// Change something in kube-* and sallyport-* namespaces or cluster-scoped objects.
    WriteSystem,
    /// Run commands in, attach to or forward ports of pods in kube-* and sallyport-* namespaces.
    ExecSystem,
    /// Read secrets of kube-* and sallyport-* namespaces, among them tokens.
    ReadSystemSecrets,
    /// Write the revisions that controllers make pods from.
    WriteRevisions,
    /// Write what controllers report and act upon: a pod's address, a StatefulSet's current revision.
    WriteStatus,
    /// Write where Services send their traffic.
    WriteEndpoints,
    /// Write namespaces, whose labels switch pod security, injectors and sessions on and off.
    WriteNamespaces,
    /// Write ServiceAccounts, whose annotations are roles in somebody's cloud.
    WriteAccounts,
    /// Put pods on nodes past the scheduler.
    PlacePods,
    /// Call subresources that nobody here knows in kube-* and sallyport-* namespaces.
    WayInSystem,
}

impl DangerKind {
    fn words(self) -> &'static str {
        match self {
            Self::Escalate => "writing roles with more rights than one holds",
            Self::Bind => "binding roles one does not hold",
            Self::Impersonate => "acting as someone else",
            Self::NodesProxy => "reaching every node past admission and audit",
            Self::MintTokens => "minting tokens that outlive the session",
            Self::ApproveCertificates => "approving or signing certificates",
            Self::WriteAdmission => "changing admission policies or webhooks",
            Self::WriteRbac => "changing roles or bindings",
            Self::WriteAccess => "changing Sallyport's own objects",
            Self::WriteApi => "changing what serves the API",
            Self::WriteSystem => "changing things in kube-* and sallyport-* namespaces too",
            Self::ExecSystem => "running commands in kube-* and sallyport-* namespaces too",
            Self::ReadSystemSecrets => "reading the secrets of kube-* and sallyport-* namespaces too",
            Self::WriteRevisions => "changing the revisions that controllers make pods from",
            Self::WriteStatus => "changing what controllers report and act upon",
            Self::WriteEndpoints => "changing where Services send their traffic",
            Self::WriteNamespaces => "changing namespaces",
            Self::WriteAccounts => "changing service accounts",
            Self::PlacePods => "putting pods on nodes past the scheduler",
            Self::WayInSystem => {
                "a subresource that may be a way in, in kube-* and sallyport-* namespaces too"
            }
        }
    }
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| sallyport_model::clip(&sallyport_model::visible(text), 80);
        write!(
            f,
            "role {} allows `{}` on `{}`: {}",
            self.rule.role,
            shown(&self.verb),
            shown(&self.resource),
            self.kind.words()
        )
    }
}

/// Whether a namespace holds the system or Sallyport itself: no session is ever bound in one.
pub fn is_protected(namespace: &NamespaceName) -> bool {
    ["kube-", "sallyport-"].iter().any(|prefix| namespace.as_str().starts_with(prefix))
}

/// What in these effective rules no session may have, in order of the rules; empty when there is nothing.
///
/// Names a rule is limited to are not taken as an excuse: a name says little about what stands behind it. The rights
/// that promise P11 lists are refused in any scope; what reaches the system's namespaces only where `scope` does.
/// `get` on `pods/exec` and the like counts as exec, because a WebSocket upgrade is a GET (kubernetes#78741).
pub fn dangers(rules: &[Rule], scope: &Scope) -> Vec<Danger> {
    let mut out: Vec<Danger> = Vec::new();
    let mut push = |danger: Danger| {
        if !out.iter().any(|d| d.kind == danger.kind && d.rule == danger.rule) {
            out.push(danger);
        }
    };
    for rule in rules {
        ALWAYS.iter().filter_map(|probe| probe.found_in(rule)).for_each(&mut push);
        impersonation(rule).into_iter().for_each(&mut push);
        if reaches_system(scope) {
            system_write(rule).into_iter().for_each(&mut push);
            SYSTEM.iter().filter_map(|probe| probe.found_in(rule)).for_each(&mut push);
            unknown_way_in(rule).into_iter().for_each(&mut push);
        }
    }
    out
}

fn reaches_system(scope: &Scope) -> bool {
    match scope {
        Scope::ClusterWide => true,
        Scope::Namespaces(names) => names.iter().any(is_protected),
    }
}

/// One dangerous combination: any of the verbs on any of the resources (`resource/subresource`) of a group.
struct Probe {
    kind: DangerKind,
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
}

const RBAC: &str = "rbac.authorization.k8s.io";
const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const READS: &[&str] = &["get", "list", "watch"];
const EVERY: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

const ALWAYS: &[Probe] = &[
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

const SYSTEM: &[Probe] = &[
    Probe {
        kind: DangerKind::ExecSystem,
        verbs: EVERY,
        group: "",
        resources: &["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"],
    },
    Probe { kind: DangerKind::ReadSystemSecrets, verbs: READS, group: "", resources: &["secrets"] },
];

impl Probe {
    fn found_in(&self, rule: &Rule) -> Option<Danger> {
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

/// `impersonate` on an identity, and the verbs of constrained impersonation (KEP-5284) on anything:
/// `impersonate:user-info`, `impersonate-on:user-info:list` and so on. Verbs of that kind exist for nothing else,
/// so their mere presence is enough.
fn impersonation(rule: &Rule) -> Option<Danger> {
    let found = |verb: &str, resource: &str| {
        let (verb, resource) = (verb.to_owned(), resource.to_owned());
        Some(Danger { kind: DangerKind::Impersonate, rule: rule.clone(), verb, resource })
    };
    if let Some(verb) = rule.verbs.iter().find(|v| v.starts_with("impersonate")) {
        return found(verb, rule.resources.first().map_or("nothing", String::as_str));
    }
    for (group, resource) in [
        ("", "users"),
        ("", "groups"),
        ("", "serviceaccounts"),
        ("authentication.k8s.io", "uids"),
        ("authentication.k8s.io", "users"),
        ("authentication.k8s.io", "groups"),
        ("authentication.k8s.io", "serviceaccounts"),
        ("authentication.k8s.io", "nodes"),
    ] {
        if rule.allows_some("impersonate", group, resource, "") {
            return found("impersonate", resource);
        }
    }
    // `userextras/<key>`: any key at all, so look at the entry and not at one key.
    let on_extras =
        rule.resources.iter().any(|r| r == "*" || r == "userextras" || r.starts_with("userextras/"));
    let in_group = rule.api_groups.iter().any(|g| g == "*" || g == "authentication.k8s.io");
    (on_extras && in_group && rule.verb("impersonate")).then(|| found("impersonate", "userextras")).flatten()
}

/// Resources whose `create` only asks the API server a question.
const REVIEWS: &[(&str, &str)] = &[
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

/// Any verb but a read, on anything but a review: which resources live in namespaces is not known here (custom
/// ones least of all), so where the scope reaches the system, only reads pass.
fn system_write(rule: &Rule) -> Option<Danger> {
    let verb = rule.verbs.iter().find(|v| !READS.contains(&v.as_str()))?;
    let is_review = |resource: &String| {
        let known = |group: &String| REVIEWS.contains(&(group.as_str(), resource.as_str()));
        verb == "create" && rule.api_groups.iter().all(known)
    };
    let resource = match rule.api_groups.is_empty() {
        true => None,
        false => rule.resources.iter().find(|r| !is_review(r)),
    }?;
    Some(Danger {
        kind: DangerKind::WriteSystem,
        rule: rule.clone(),
        verb: verb.clone(),
        resource: resource.clone(),
    })
}

/// A subresource that nobody here knows, with any verb: where the scope reaches the system, it does not pass as a read.
fn unknown_way_in(rule: &Rule) -> Option<Danger> {
    let (_, resource) = way_in(rule)?;
    let verb = rule.verbs.first()?.clone();
    Some(Danger { kind: DangerKind::WayInSystem, rule: rule.clone(), verb, resource: resource.to_owned() })
}

#[cfg(test)]
mod tests;
