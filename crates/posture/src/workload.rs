//! Which workload makes which pods, and which tokens are in them.

#[cfg(test)]
mod tests;

use crate::evidence::Object;
use crate::snapshot::{Controller, Kind, Meta, Pod, Snapshot, TokenVolume, Workload};
use sallyport_rbac::who::Subject;
use std::collections::{HashMap, HashSet};

/// What has tokens in it: a workload that nothing makes which was read, or a pod that none of them makes.
#[derive(Clone, Debug)]
pub(crate) struct Carrier<'s> {
    pub(crate) kind: Kind,
    pub(crate) meta: &'s Meta,
    pub(crate) account: &'s str,
    /// Whether a token of the account is in its pods.
    pub(crate) mounts: bool,
    /// Tokens that they ask for beside it.
    pub(crate) tokens: Vec<&'s TokenVolume>,
    /// Who makes it, and is not among what was read.
    pub(crate) maker: Option<&'s Controller>,
}

impl Carrier<'_> {
    /// The account as a subject.
    pub(crate) fn subject(&self) -> Subject {
        Subject::account(namespace(self.meta), self.account)
    }
}

fn namespace(meta: &Meta) -> &str {
    meta.namespace.as_deref().unwrap_or_default()
}

/// Workloads by their names.
struct Makers<'s> {
    all: &'s [Workload],
    by_name: HashMap<(Kind, &'s str, &'s str), usize>,
}

impl<'s> Makers<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        let key = |one: &'s Workload| (one.kind, namespace(&one.meta), one.meta.name.as_str());
        let by_name = snapshot.workloads.iter().enumerate().map(|(at, one)| (key(one), at)).collect();
        Self { all: &snapshot.workloads, by_name }
    }

    /// The place of the workload that a controller is; none: it was not read, or is another of that name.
    fn place(&self, namespace: &'s str, controller: &'s Controller) -> Option<usize> {
        let kind =
            Kind::named(&controller.kind, &controller.group).filter(|kind| Kind::WORKLOADS.contains(kind))?;
        let at = *self.by_name.get(&(kind, namespace, controller.name.as_str()))?;
        let same = match (&self.all.get(at)?.meta.uid, &controller.uid) {
            (Some(own), Some(named)) => own == named,
            _ => true,
        };
        same.then_some(at)
    }

    /// The place of the workload that makes another: a Deployment its ReplicaSets, and a CronJob its Jobs. Whatever else is
    /// written as an owner, anybody could have written, and nothing is passed over for it.
    fn above(&self, one: &'s Workload) -> Option<usize> {
        let at = self.place(namespace(&one.meta), one.controller.as_ref()?)?;
        let kind = self.all.get(at)?.kind;
        matches!((one.kind, kind), (Kind::ReplicaSet, Kind::Deployment) | (Kind::Job, Kind::CronJob))
            .then_some(at)
    }

    /// The place of the workload that makes a pod, in the end.
    fn top(&self, pod: &'s Pod) -> Option<usize> {
        let at = self.place(namespace(&pod.meta), pod.controller.as_ref()?)?;
        Some(self.above(self.all.get(at)?).unwrap_or(at))
    }
}

/// Everything that has tokens in it and is as asked for. Of pods that no workload makes which was read, one for each account.
pub(crate) fn carriers<'s>(
    snapshot: &'s Snapshot,
    wanted: impl Fn(&Carrier<'s>) -> bool,
) -> Vec<Carrier<'s>> {
    let unmounted: HashSet<(&str, &str)> = snapshot
        .accounts
        .iter()
        .filter(|one| one.automount == Some(false))
        .map(|one| (namespace(&one.meta), one.meta.name.as_str()))
        .collect();
    let mounts = |meta: &Meta, account: &str, automount: Option<bool>, tokens: &[TokenVolume]| {
        automount.unwrap_or(!unmounted.contains(&(namespace(meta), account)))
            || tokens.iter().any(|token| token.audience.is_empty())
    };
    let makers = Makers::of(snapshot);
    let carrier = |one: &'s Workload| Carrier {
        kind: one.kind,
        meta: &one.meta,
        account: &one.account,
        mounts: mounts(&one.meta, &one.account, one.automount, &one.tokens),
        tokens: one.tokens.iter().collect(),
        maker: one.controller.as_ref(),
    };
    let is_top = |one: &'s Workload| makers.above(one).is_none();
    let mut tops: HashMap<usize, Carrier<'s>> = HashMap::new();
    let mut order: Vec<usize> = Vec::new();
    for (at, one) in snapshot.workloads.iter().enumerate().filter(|(_, one)| is_top(one)) {
        tops.insert(at, carrier(one));
        order.push(at);
    }
    let mut alone: Vec<Carrier<'s>> = Vec::new();
    for pod in &snapshot.pods {
        let has = mounts(&pod.meta, &pod.account, pod.automount, &pod.tokens);
        let top = makers.top(pod);
        // Pods of before a change may have what the template has not any more, until they are made anew.
        if let Some(top) = top.and_then(|at| tops.get_mut(&at)).filter(|top| top.account == pod.account) {
            top.mounts |= has;
            for token in &pod.tokens {
                if !top.tokens.contains(&token) {
                    top.tokens.push(token);
                }
            }
            continue;
        }
        alone.push(Carrier {
            kind: Kind::Pod,
            meta: &pod.meta,
            account: &pod.account,
            mounts: has,
            tokens: pod.tokens.iter().collect(),
            maker: pod.controller.as_ref(),
        });
    }
    let mut told: HashSet<(&str, &str)> = HashSet::new();
    let mut found: Vec<Carrier<'s>> =
        order.iter().filter_map(|at| tops.remove(at)).filter(|one| wanted(one)).collect();
    let alone = alone.into_iter().filter(|one| wanted(one));
    found.extend(alone.filter(|one| told.insert((namespace(one.meta), one.account))));
    found
}

/// The places of the pods that a workload makes.
pub(crate) fn pods_of(snapshot: &Snapshot, workload: usize) -> Vec<usize> {
    let makers = Makers::of(snapshot);
    snapshot
        .pods
        .iter()
        .enumerate()
        .filter(|(_, pod)| makers.top(pod) == Some(workload))
        .map(|(at, _)| at)
        .collect()
}

/// The place of the workload that an object is.
pub(crate) fn find(snapshot: &Snapshot, object: &Object) -> Option<usize> {
    snapshot.workloads.iter().position(|one| {
        one.kind.name() == object.kind
            && one.meta.name == object.name
            && one.meta.namespace == object.namespace
    })
}
