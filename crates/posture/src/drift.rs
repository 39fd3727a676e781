//! What changed between two scans of a cluster: findings, and rights in words. What was not read in one of them cannot be
//! compared, and is never told as gone.

#[cfg(test)]
mod tests;

use crate::area::counts;
use crate::check::{Finding, Judged, Report};
use crate::difference::{Loss, losses};
use crate::fingerprint::About;
use crate::ground::{Ground, said};
use crate::said::{capital, shown};
use crate::severity::Severity;
use crate::snapshot::Kind;
use sallyport_rbac::who::Subject;
use std::collections::BTreeMap;

/// The most rights that are told, each way; how many more there are is told beside them.
pub const RIGHTS_MOST: usize = 500;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    /// Found by the later scan alone, the worst first.
    pub new: Vec<Finding>,
    /// Found by both, and graver or in more places by now.
    pub worse: Vec<Changed>,
    /// Found by both, and less by now.
    pub better: Vec<Changed>,
    /// Found by the earlier one alone, where the later one had all that its check depends on.
    pub gone: Vec<Finding>,
    /// Found by one alone, where the other had not read what its check depends on: why, a sentence for each.
    pub not_comparable: Vec<(Finding, String)>,
    /// How many are as they were.
    pub same: usize,
    /// What people and programs may do by now and could not before.
    pub may: Rights,
    /// What they may not do any more.
    pub may_not: Rights,
    /// Why rights cannot be compared: what was not read in one of the two, a sentence each. Where there is one, what
    /// is missing on one side is not told as new or gone, and `may` and `may_not` are empty.
    pub rights_gaps: Vec<String>,
}

/// A finding that is still there and not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// As it was.
    pub before: Finding,
    /// As it is.
    pub after: Finding,
}

/// Rights that changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rights {
    /// Each, strong ones first.
    pub all: Vec<Right>,
    /// How many more there are.
    pub left_out: usize,
}

/// A right that somebody has by one scan and not by the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Whether it is a plain read; others come first.
    pub plain: bool,
    /// Who.
    pub subject: Subject,
    /// The namespace; none: everywhere.
    pub namespace: Option<String>,
    /// What, as a sentence: "Group x may run commands in pods in payments."
    pub said: String,
    /// Verbs and resources: "create pods/exec".
    pub detail: String,
}

/// What changed from `before` to `after`: each a scan and its report.
pub fn drift(before: (&Ground<'_>, &Report), after: (&Ground<'_>, &Report)) -> Drift {
    let mut drift = Drift::default();
    let had = by_about(before.1);
    let has = by_about(after.1);
    for (about, (judged, finding)) in &has {
        match had.get(about) {
            Some((_, known)) => drift.both(known, finding),
            None => match unread(before.1, judged) {
                None => drift.new.push((*finding).clone()),
                Some(why) => drift.not_comparable.push(((*finding).clone(), format!("before, {why}"))),
            },
        }
    }
    for (about, (judged, finding)) in had.iter().filter(|(about, _)| !has.contains_key(*about)) {
        debug_assert!(!has.contains_key(about));
        match unread(after.1, judged) {
            None => drift.gone.push((*finding).clone()),
            Some(why) => drift.not_comparable.push(((*finding).clone(), format!("by now, {why}"))),
        }
    }
    let order = |a: &Finding, b: &Finding| b.severity.cmp(&a.severity).then_with(|| a.said.cmp(&b.said));
    drift.new.sort_by(order);
    drift.gone.sort_by(order);
    drift.not_comparable.sort_by(|a, b| order(&a.0, &b.0));
    drift.worse.sort_by(|a, b| order(&a.after, &b.after));
    drift.better.sort_by(|a, b| order(&a.after, &b.after));
    drift.rights(before.0, after.0);
    drift
}

type Found<'r> = BTreeMap<About<'r>, (&'r Judged, &'r Finding)>;

fn by_about(report: &Report) -> Found<'_> {
    let each = report.checks.iter().flat_map(|judged| judged.findings.iter().map(move |one| (judged, one)));
    let mut all = Found::new();
    // Of two that are about the same the worse one speaks.
    for (judged, one) in each.filter(|(_, one)| counts(one)) {
        let known = all.entry(one.about()).or_insert((judged, one));
        if one.severity > known.1.severity {
            *known = (judged, one);
        }
    }
    all
}

/// Why a check's findings of another scan are not known to be missing in this one.
fn unread(report: &Report, judged: &Judged) -> Option<String> {
    match report.checks.iter().find(|one| one.check.id == judged.check.id) {
        None => Some("nobody looked".to_owned()),
        Some(one) if !one.gaps.is_empty() => Some(one.gaps.join("; ")),
        Some(one) => match &one.verdict {
            crate::check::Verdict::Unknown(why) | crate::check::Verdict::Provider(why) => Some(why.clone()),
            _ => None,
        },
    }
}

/// How grave a finding is, to compare it with itself: severity, then in how many places.
fn grave(finding: &Finding) -> (Severity, usize) {
    (finding.severity, finding.namespaces.as_ref().map_or(usize::MAX, Vec::len))
}

impl Drift {
    fn both(&mut self, before: &Finding, after: &Finding) {
        let changed = || Changed { before: before.clone(), after: after.clone() };
        let places = |one: &Finding| one.namespaces.clone().unwrap_or_default();
        let elsewhere = before.namespaces.is_some()
            && after.namespaces.is_some()
            && places(after).iter().any(|place| !places(before).contains(place));
        match grave(after).cmp(&grave(before)) {
            std::cmp::Ordering::Greater => self.worse.push(changed()),
            // In as many places, and one of them is another.
            _ if elsewhere && after.severity >= before.severity => self.worse.push(changed()),
            std::cmp::Ordering::Less => self.better.push(changed()),
            std::cmp::Ordering::Equal => self.same += 1,
        }
    }

    fn rights(&mut self, before: &Ground<'_>, after: &Ground<'_>) {
        let gaps = |which: &str, ground: &Ground<'_>| {
            let gaps = ground.snapshot.gaps(Kind::RBAC);
            gaps.into_iter().map(|gap| format!("{which}, {gap}")).collect::<Vec<_>>()
        };
        self.rights_gaps = [gaps("before", before), gaps("by now", after)].concat();
        if !self.rights_gaps.is_empty() {
            return;
        }
        self.may = rights(losses(after.rbac(), before.rbac()), "may");
        self.may_not = rights(losses(before.rbac(), after.rbac()), "may no longer");
    }
}

fn rights(changed: Vec<Loss>, may: &str) -> Rights {
    let mut all = Vec::new();
    for loss in &changed {
        for (namespace, rights) in loss.words() {
            let place = namespace.map_or("everywhere".to_owned(), |name| format!("in {}", shown(name)));
            all.extend(rights.into_iter().map(|right| Right {
                plain: !right.strong,
                subject: loss.subject.clone(),
                namespace: namespace.map(str::to_owned),
                said: format!("{} {may} {} {place}.", capital(&said(&loss.subject)), lower(&right.title)),
                detail: right.detail,
            }));
        }
    }
    all.sort();
    let left_out = all.len().saturating_sub(RIGHTS_MOST);
    all.truncate(RIGHTS_MOST);
    Rights { all, left_out }
}

/// With a small letter at its beginning: a title in the middle of a sentence.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
