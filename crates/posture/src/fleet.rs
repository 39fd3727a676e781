//! Many clusters beside each other: the grid, the same weakness in many of them as one line, and what only shows when
//! several are looked at together.
//!
//! What is kept of a cluster is small ([`Scanned`]), so that thousands are held at once without their snapshots.

mod shared;
#[cfg(test)]
mod tests;
mod traits;
mod weakness;

pub use shared::{Found, Held, Limits, Provider, Shared, Traits, shared};
pub use weakness::{Weakness, weaknesses};

use crate::area::{Cell, cells, counts};
use crate::check::{Finding, Report};
use crate::practice::{Ours, Practised, practices};
use crate::severity::Severity;
use crate::trend::{Point, point};
use sallyport_rbac::who::Subject;
use serde::{Deserialize, Serialize};

/// Findings kept of one cluster, the worst first.
const LINES_MOST: usize = 500;

/// What the fleet keeps of one scan of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scanned {
    /// The cluster's name in the inventory, or how its source is called.
    pub cluster: String,
    /// When it was read, in seconds since 1970; none: not known.
    pub at: Option<i64>,
    /// The cells, in the grid's order.
    pub cells: Vec<Cell>,
    /// The ten practices.
    pub practices: Vec<Practised>,
    /// Its findings, the worst first.
    pub lines: Vec<Line>,
    /// How many more there are than are kept.
    pub left_out: usize,
    /// Its place in the trend: score, coverage, counts.
    pub point: Point,
    /// What may be the same in other clusters.
    pub traits: Traits,
}

/// One finding, as the fleet keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The check's id.
    pub check: String,
    /// What was found, a sentence.
    pub said: String,
    /// How bad.
    pub severity: Severity,
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// Whom it is about.
    pub about: About,
    /// Whether it holds everywhere in the cluster.
    pub everywhere: bool,
    /// Otherwise in how many namespaces.
    pub namespaces: usize,
    /// Whether somebody excepted it.
    pub excepted: bool,
}

/// Whom or what a finding is about, as far as it says that two are the same weakness.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum About {
    /// A group, by its name; where the cluster's own name stands in it, `*`.
    Group(String),
    /// A service account, by namespace and name, likewise.
    Account(String, String),
    /// A person: those of one check are one weakness.
    Person(String),
    /// An object, by its kind: those of one check are one weakness.
    Object(String),
    /// The cluster.
    Cluster,
}

/// What a scan is kept with.
#[derive(Clone, Debug, Default)]
pub struct Around<'a> {
    /// What Sallyport has proven of this cluster.
    pub ours: Option<&'a Ours>,
    /// What may be the same in other clusters.
    pub traits: Traits,
    /// When it was read, in seconds since 1970.
    pub at: Option<i64>,
    /// The present, in seconds since 1970.
    pub now: i64,
}

impl Scanned {
    /// What the fleet keeps of a report; `excepted` says of a finding whether somebody excepted it.
    pub fn of(
        cluster: &str,
        report: &Report,
        around: Around<'_>,
        excepted: impl Fn(&Finding) -> bool,
    ) -> Self {
        let nothing = Ours::default();
        let mut lines: Vec<Line> = report
            .checks
            .iter()
            .flat_map(|judged| &judged.findings)
            .filter(|finding| counts(finding))
            .map(|finding| line(cluster, finding, excepted(finding)))
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse((line.severity, line.everywhere, line.namespaces)));
        let left_out = lines.len().saturating_sub(LINES_MOST);
        lines.truncate(LINES_MOST);
        Self {
            cluster: cluster.to_owned(),
            at: around.at,
            cells: cells(report, &excepted),
            practices: practices(report, around.ours.unwrap_or(&nothing), around.now, &excepted),
            lines,
            left_out,
            point: point(report, around.at.unwrap_or(around.now), &excepted),
            traits: around.traits,
        }
    }

    /// The worst that nobody excepted.
    pub fn worst(&self) -> Option<Severity> {
        self.cells.iter().filter_map(|cell| cell.worst).max()
    }
}

fn line(cluster: &str, finding: &Finding, excepted: bool) -> Line {
    Line {
        check: finding.check.to_owned(),
        said: finding.said.clone(),
        severity: finding.severity,
        fingerprint: finding.fingerprint(),
        about: about(cluster, finding),
        everywhere: finding.namespaces.is_none(),
        namespaces: finding.namespaces.as_ref().map_or(0, Vec::len),
        excepted,
    }
}

fn about(cluster: &str, finding: &Finding) -> About {
    // A group that is named after its cluster is the same in each.
    let same = |name: &str| match cluster.len() {
        0..3 => name.to_owned(),
        _ => name.replace(cluster, "*"),
    };
    match &finding.subject {
        Some(Subject::Group(name)) => About::Group(same(name)),
        Some(subject @ Subject::User(name)) => match subject.as_account() {
            Some((namespace, account)) => About::Account(same(namespace), same(account)),
            None => About::Person(name.clone()),
        },
        None => match &finding.object {
            Some(object) => About::Object(object.kind.to_owned()),
            None => About::Cluster,
        },
    }
}

/// How far a fleet was scanned: shown beside every number of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FleetCoverage {
    /// Clusters with a scan, of all.
    pub scanned: (usize, usize),
    /// Checks that came to an answer, of all of all clusters: one that was never scanned has as many as the others, and
    /// none answered.
    pub checks: (usize, usize),
}

/// How far; `clusters`: how many there are, scanned or not.
pub fn coverage(scanned: &[Scanned], clusters: usize) -> FleetCoverage {
    let each = scanned.iter().map(|one| one.point.covered.1).max().unwrap_or_default();
    let never = clusters.saturating_sub(scanned.len());
    let sum = |of: fn(&Scanned) -> usize| scanned.iter().map(of).sum::<usize>();
    FleetCoverage {
        scanned: (scanned.len(), clusters.max(scanned.len())),
        checks: (sum(|one| one.point.covered.0), sum(|one| one.point.covered.1) + never * each),
    }
}

/// The order of the grid: the worst first, then what is least known, then by name.
pub fn order(scanned: &mut [Scanned]) {
    scanned.sort_by(|a, b| {
        let known = |one: &Scanned| one.point.covered.1.saturating_sub(one.point.covered.0);
        (b.worst(), b.point.counts, known(b))
            .cmp(&(a.worst(), a.point.counts, known(a)))
            .then_with(|| a.cluster.cmp(&b.cluster))
    });
}
