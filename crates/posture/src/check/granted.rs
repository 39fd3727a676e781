//! RB-23 and RB-40: rights that lead nowhere by themselves, and that not everybody should hold.

use super::Finding;
use super::ways::capital;
use crate::evidence::Evidence;
use crate::ground::{Ground, Origin, said};
use crate::rights::is_full;
use crate::severity::Severity;
use crate::snapshot::Kind;
use sallyport_rbac::who::{AUTHENTICATED, MASTERS, Subject, UNAUTHENTICATED};
use sallyport_rbac::{Ask, Rule};
use std::collections::{BTreeMap, HashMap};

/// Evidence kept for each finding.
const EVIDENCE_MOST: usize = 40;

/// What is gathered of one subject.
#[derive(Default)]
struct Holds {
    /// The binding, and the place and rule of its role.
    proof: Vec<(usize, usize, usize)>,
    /// Which of the questions.
    what: Vec<usize>,
}

/// Whoever a binding that holds in `namespace` (none: everywhere) gives one of `asks`. Roles that allow everything are told
/// of elsewhere (RB-01, RB-02).
fn holders<'g>(
    ground: &'g Ground<'_>,
    asks: &[Ask<'_>],
    namespace: Option<&str>,
) -> BTreeMap<&'g Subject, Holds> {
    let rbac = &ground.rights.rbac;
    // Each role once, however many bind it: its first rule for each question.
    let mut weighed: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    let mut held: BTreeMap<&Subject, Holds> = BTreeMap::new();
    for (at, (binding, place)) in rbac.bindings().iter().enumerate() {
        if !binding.holds_in(namespace) {
            continue;
        }
        let given = weighed.entry(*place).or_insert_with(|| {
            let rules = ground.rights.role(*place).map(|role| role.rules.as_slice()).unwrap_or_default();
            if rules.iter().any(is_full) {
                return Vec::new();
            }
            let first = |ask: &Ask<'_>| rules.iter().position(|rule: &Rule| rule.allows(*ask));
            asks.iter().enumerate().filter_map(|(which, ask)| Some((which, first(ask)?))).collect()
        });
        for subject in binding.subjects.iter().filter(|_| !given.is_empty()) {
            let own = held.entry(subject).or_default();
            for (which, rule) in given.iter() {
                if !own.what.contains(which) {
                    own.what.push(*which);
                }
                if !own.proof.contains(&(at, *place, *rule)) {
                    own.proof.push((at, *place, *rule));
                }
            }
        }
    }
    held.retain(|subject, _| subject.name() != MASTERS);
    held
}

fn finding(
    ground: &Ground<'_>,
    check: &'static str,
    subject: &Subject,
    holds: &Holds,
    severity: Severity,
    what: &str,
) -> Finding {
    let evidence = |(at, place, rule): &(usize, usize, usize)| {
        Some(Evidence { binding: ground.object(*at), role: ground.role_object(*place)?, rule: Some(*rule) })
    };
    Finding {
        check,
        inert: false,
        severity,
        subject: Some(subject.clone()),
        object: None,
        namespaces: None,
        evidence: holds.proof.iter().take(EVIDENCE_MOST).filter_map(evidence).collect(),
        said: format!("{} can {what}.", capital(&said(subject))),
        origin: holds.proof.iter().map(|(at, ..)| ground.origin(*at)).max().unwrap_or(Origin::Own),
    }
}

const fn on(
    verb: &'static str,
    resource: &'static str,
    subresource: &'static str,
    name: &'static str,
) -> Ask<'static> {
    Ask::Resource { verb, group: "", resource, subresource, name }
}

const SYSTEM: &str = "kube-system";
const DNS: &str = "coredns";

/// Whether kube-system has the ConfigMap of CoreDNS, as far as that was read.
pub(super) fn has_dns(ground: &Ground<'_>) -> bool {
    let is = |one: &crate::snapshot::Meta| one.name == DNS && one.namespace.as_deref() == Some(SYSTEM);
    ground.snapshot.configs.iter().any(is)
}

/// Parts of Kubernetes: whoever is in them has more than this.
fn is_system(subject: &Subject) -> bool {
    let everybody = [AUTHENTICATED, UNAUTHENTICATED, "system:anonymous"].contains(&subject.name())
        || subject.name().starts_with("system:serviceaccounts");
    match subject.as_account() {
        Some((namespace, _)) => namespace == SYSTEM,
        None => subject.name().starts_with("system:") && !everybody,
    }
}

/// RB-23. Who sees each name resolved can send each connection elsewhere.
pub(super) fn dns(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    if !has_dns(ground) {
        return Vec::new();
    }
    let asks = [on("update", "configmaps", "", DNS), on("patch", "configmaps", "", DNS)];
    let mut held = holders(ground, &asks, Some(SYSTEM));
    // Removing it and making another is as good.
    let mut makes = holders(ground, &[on("create", "configmaps", "", "")], Some(SYSTEM));
    for (subject, removes) in holders(ground, &[on("delete", "configmaps", "", DNS)], Some(SYSTEM)) {
        if let Some(makes) = makes.remove(subject) {
            let own = held.entry(subject).or_default();
            own.proof.extend(removes.proof.into_iter().chain(makes.proof));
        }
    }
    let what = "change what CoreDNS answers (ConfigMap coredns in kube-system): where each name of the cluster leads";
    held.iter()
        .filter(|(subject, _)| !is_system(subject))
        .map(|(subject, holds)| finding(ground, check, subject, holds, Severity::Medium, what))
        .collect()
}

/// RB-40.
pub(super) fn reads(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let asks = [
        on("get", "pods", "log", ""),
        on("get", "configmaps", "", ""),
        on("list", "configmaps", "", ""),
        on("watch", "configmaps", "", ""),
    ];
    holders(ground, &asks, None)
        .iter()
        .map(|(subject, holds)| {
            let what = match (holds.what.contains(&0), holds.what.iter().any(|which| *which > 0)) {
                (true, true) => {
                    "read the logs of all pods and all ConfigMaps, which often hold what is meant for few"
                }
                (true, false) => "read the logs of all pods, which often hold what is meant for few",
                (false, _) => "read all ConfigMaps, which often hold what is meant for few",
            };
            finding(ground, check, subject, holds, Severity::Low, what)
        })
        .collect()
}

/// What RB-23 depends on beside roles.
pub(super) fn about_dns(ground: &Ground<'_>) -> Option<super::Verdict> {
    (!has_dns(ground) && ground.snapshot.has_all(Kind::ConfigMap))
        .then(|| super::Verdict::NotApplicable("kube-system has no ConfigMap coredns".to_owned()))
}
