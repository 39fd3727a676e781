//! AD-07: namespaces where pods can be made without end.

use super::Finding;
use super::others::{finding, shown};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Kind, Quota, SYSTEM_NAMESPACES};
use std::collections::{HashMap, HashSet};

/// What every pod takes some of. A quota of other things alone, as load balancers, leaves pods without end.
const TAKEN_BY_PODS: [&str; 8] =
    ["pods", "count/pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// Scopes that every pod is in one of.
const HALVES: [(&str, &str); 2] = [("Terminating", "NotTerminating"), ("BestEffort", "NotBestEffort")];

/// What bounds a namespace, of what is there for it.
#[derive(Default)]
struct Bounds {
    /// Whether pods are bounded.
    holds: bool,
    /// Scopes that are bounded by themselves.
    scopes: HashSet<String>,
    /// Whether there is a quota or a range at all.
    is_there: bool,
}

impl Bounds {
    fn quota(&mut self, quota: &Quota) {
        self.is_there = true;
        let hard = quota.hard.iter().flatten();
        if !hard.into_iter().any(|own| TAKEN_BY_PODS.contains(&own.as_str())) {
            return;
        }
        match quota.scopes.as_slice() {
            [] => self.holds = true,
            [one] => drop(self.scopes.insert(one.clone())),
            // Of pods that are in all of several scopes.
            _ => {}
        }
    }

    fn hold(&self) -> bool {
        let both = |(one, other): &(&str, &str)| self.scopes.contains(*one) && self.scopes.contains(*other);
        self.holds || HALVES.iter().any(both)
    }
}

/// AD-07.
pub(super) fn quotas(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let snapshot = ground.snapshot;
    if !snapshot.has_all(Kind::ResourceQuota) || !snapshot.has_all(Kind::LimitRange) {
        return Vec::new();
    }
    let mut bounded: HashMap<&str, Bounds> = HashMap::new();
    for quota in &snapshot.quotas {
        bounded.entry(quota.meta.namespace.as_deref().unwrap_or_default()).or_default().quota(quota);
    }
    for range in &snapshot.limits {
        let own = bounded.entry(range.meta.namespace.as_deref().unwrap_or_default()).or_default();
        own.is_there = true;
        own.holds |= range.bounds == Some(true);
    }
    let mut findings = Vec::new();
    for namespace in &snapshot.namespaces {
        let somebody =
            ground.rights.place(&namespace.name).is_some_and(|place| ground.makers.contains(&place));
        let own = bounded.get(namespace.name.as_str());
        if !somebody || SYSTEM_NAMESPACES.contains(&namespace.name.as_str()) || own.is_some_and(Bounds::hold)
        {
            continue;
        }
        let what = match own.is_some_and(|own| own.is_there) {
            true => "has a ResourceQuota or a LimitRange that bounds nothing that every pod takes",
            false => "has neither a ResourceQuota nor a LimitRange",
        };
        let sentence =
            format!("Namespace {} {what}, and pods can be made there without end.", shown(&namespace.name));
        let mut found = finding(check, "Namespace", namespace, Severity::Low, sentence);
        found.namespaces = Some(vec![namespace.name.clone()]);
        findings.push(found);
    }
    findings
}
