mod probes;

#[cfg(test)]
pub(crate) use probes::each;
pub(crate) use probes::{Combination, Found, about, combinations};

use crate::{Rule, ways::way_in};
use probes::{ALWAYS, IDENTITIES, READS, SYSTEM};
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
    // From here on: what a session may have in its namespaces, and what nobody should have for good.
    /// Read secrets.
    ReadSecrets,
    /// Write secrets; one that is made for a ServiceAccount is filled with a token of its.
    WriteSecrets,
    /// Run commands in, attach to, forward ports of or reach pods and services.
    Exec,
    /// Add debug containers to pods.
    DebugContainers,
    /// Make pods, which run as any ServiceAccount of their namespace.
    RunPods,
    /// Change pods that are there: with another image they run other code, as their ServiceAccount.
    ChangePods,
    /// Make volumes, which may be a folder of a node.
    WriteVolumes,
    /// Move pods of others to a node of one's own.
    TakePods,
    /// Remove events, which say what happened.
    RemoveEvents,
    /// Write configuration, which is who may sign in or where names lead in kube-system.
    WriteConfig,
    /// Ask for certificates.
    RequestCertificates,
}

impl DangerKind {
    /// What it is, as the end of a sentence: "writing roles with more rights than one holds".
    pub fn words(self) -> &'static str {
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
            Self::ReadSecrets => "reading secrets",
            Self::WriteSecrets => "changing secrets",
            Self::Exec => "running commands in pods or reaching them",
            Self::DebugContainers => "adding debug containers to pods",
            Self::RunPods => "making pods, which run as any service account of their namespace",
            Self::ChangePods => "changing pods, which then run another image as their service account",
            Self::WriteVolumes => "making volumes, which may be a folder of a node",
            Self::TakePods => "moving pods of others to a node of one's own",
            Self::RemoveEvents => "removing events",
            Self::WriteConfig => "changing configuration",
            Self::RequestCertificates => "asking for certificates",
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
    for (group, resource) in IDENTITIES {
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
