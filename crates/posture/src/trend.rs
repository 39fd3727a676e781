//! How a cluster did over time: small points, and which of them can be compared.

use crate::area::{counts, is_answered};
use crate::check::{Finding, Report, Verdict};
use crate::severity::Severity;
use sallyport_model::Digest;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// Points kept of one cluster.
pub const POINTS_MOST: usize = 400;

/// Two points whose coverage differs by more than this many checks in a hundred are not compared.
const COVERAGE_MAY_DIFFER: usize = 5;

/// How many findings of each severity, those left out that have no effect, come with Kubernetes or are excepted.
/// They compare by the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Critical.
    pub critical: usize,
    /// High.
    pub high: usize,
    /// Medium.
    pub medium: usize,
    /// Low.
    pub low: usize,
    /// Good to know.
    pub info: usize,
}

/// One scan in the trend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// When, in seconds since 1970.
    pub at: i64,
    /// From 0 to 100, of the checks that came to an answer; none: none did. Never shown without `covered`.
    pub score: Option<u8>,
    /// Checks that came to an answer, and all.
    pub covered: (usize, usize),
    /// What was found.
    pub counts: Counts,
    /// How many findings somebody excepted.
    pub excepted: usize,
    /// Which checks came to an answer, as a digest: two points with the same one were asked the same.
    pub asked: String,
}

/// What a report is in the trend. `at`: seconds since 1970.
pub fn point(report: &Report, at: i64, excepted: impl Fn(&Finding) -> bool) -> Point {
    let mut found = Counts::default();
    let mut left = 0;
    for finding in report.checks.iter().flat_map(|one| &one.findings).filter(|one| counts(one)) {
        if excepted(finding) {
            left += 1;
        } else {
            found.add(finding.severity);
        }
    }
    let answered: Vec<&str> =
        report.checks.iter().filter(|one| is_answered(one)).map(|one| one.check.id).collect();
    let mut asked = String::new();
    for byte in Digest::of(answered.join(" ").as_bytes()).bytes().iter().take(8) {
        let _ = write!(asked, "{byte:02x}");
    }
    Point {
        at,
        score: score(report, &excepted),
        covered: (answered.len(), report.checks.len()),
        counts: found,
        excepted: left,
        asked,
    }
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        let place = match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        };
        *place += 1;
    }
}

/// What one check that found something this bad takes away of itself, in hundredths.
fn loss(severity: Severity) -> usize {
    match severity {
        Severity::Critical => 100,
        Severity::High => 80,
        Severity::Medium => 50,
        Severity::Low => 20,
        Severity::Info => 5,
    }
}

/// The mean of what is left of each check that came to an answer. One critical finding among many passes is no good
/// cluster, so what is found caps it: below 50 with a critical one, below 80 with a high one.
fn score(report: &Report, excepted: &impl Fn(&Finding) -> bool) -> Option<u8> {
    let (mut sum, mut many, mut worst) = (0, 0, None);
    for judged in &report.checks {
        // What was found was found, whatever else was not read.
        if !is_answered(judged) && judged.verdict != Verdict::Fail
            || matches!(judged.verdict, Verdict::NotApplicable(_))
        {
            continue;
        }
        let own =
            judged.findings.iter().filter(|one| counts(one) && !excepted(one)).map(|one| one.severity).max();
        many += 1;
        sum += 100 - own.map_or(0, loss);
        worst = worst.max(own);
    }
    let cap = match worst {
        Some(Severity::Critical) => 49,
        Some(Severity::High) => 79,
        _ => 100,
    };
    let mean = (many > 0).then(|| sum / many)?;
    u8::try_from(mean.min(cap)).ok()
}

/// What two points come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Compared {
    /// The later one found less, the worst counting first.
    Better,
    /// As much.
    Same,
    /// More.
    Worse,
    /// They did not look at the same, and a difference would say nothing: why.
    NotComparable(String),
}

/// Compares two scans of a cluster.
pub fn compare(before: &Point, after: &Point) -> Compared {
    let share = |point: &Point| (point.covered.0 * 100).checked_div(point.covered.1).unwrap_or_default();
    let (had, has) = (share(before), share(after));
    if before.score.is_none() || after.score.is_none() {
        return Compared::NotComparable("one of them came to no answer at all".to_owned());
    }
    if before.asked != after.asked && had.abs_diff(has) > COVERAGE_MAY_DIFFER {
        return Compared::NotComparable(format!(
            "one had {had} % of its checks answered and the other {has} %"
        ));
    }
    match after.counts.cmp(&before.counts) {
        std::cmp::Ordering::Less => Compared::Better,
        std::cmp::Ordering::Equal => Compared::Same,
        std::cmp::Ordering::Greater => Compared::Worse,
    }
}

/// A cluster's points, the oldest first, and never more than [`POINTS_MOST`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Point>", into = "Vec<Point>")]
pub struct Trend {
    points: Vec<Point>,
}

/// What was kept may have been edited: it is put in order and bounded again.
impl From<Vec<Point>> for Trend {
    fn from(points: Vec<Point>) -> Self {
        let mut trend = Self::default();
        points.into_iter().for_each(|point| trend.add(point));
        trend
    }
}

impl From<Trend> for Vec<Point> {
    fn from(trend: Trend) -> Self {
        trend.points
    }
}

impl Trend {
    /// The points, the oldest first.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Takes in one more, in its place by time; of one that is there already the later word counts. Where there are too
    /// many, the older half is thinned out, the first and the last point stay.
    pub fn add(&mut self, point: Point) {
        match self.points.binary_search_by_key(&point.at, |one| one.at) {
            Ok(at) => {
                if let Some(known) = self.points.get_mut(at) {
                    *known = point;
                }
            }
            Err(at) => self.points.insert(at, point),
        }
        if self.points.len() > POINTS_MOST {
            let old = self.points.len() / 2;
            let mut at = 0;
            self.points.retain(|_| {
                at += 1;
                at == 1 || at > old || at % 2 == 1
            });
        }
    }

    /// The last against the one before it.
    pub fn last(&self) -> Option<Compared> {
        let [.., before, after] = self.points.as_slice() else { return None };
        Some(compare(before, after))
    }
}
