//! A page as it is gathered, cluster by cluster: of each no more is held than what will stand on it, however many there are.

use crate::exceptions::Excepting;
use crate::html::{self, Cluster, Page, Told};
use crate::view::ReportView;
use crate::words;
use jiff::Timestamp;
use sallyport_posture::fix::Trial;
use sallyport_posture::fleet::{self, Around, Limits, Scanned, Traits};
use sallyport_posture::path::{Goal, Path as Way};
use sallyport_posture::practice::Ours;
use sallyport_posture::{Finding, Ground, Origin, Report, Severity};
use sallyport_scan::Reading;

/// Clusters whose worst findings get an exact fix on the page: each is worked out several times for it.
const FIXED: usize = 12;
/// Findings of a cluster that get one.
const FIXES: usize = 5;
/// Ways of a cluster that are drawn.
const WAYS: usize = 8;

/// What is known of a cluster beside what was read of it.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What Sallyport has proven of it.
    pub ours: Ours,
    /// The team's word for its environment; empty: the cluster's own traits say.
    pub environment: String,
    /// When it was read, Unix seconds; none: as the reading says.
    pub at: Option<i64>,
}

/// What there is of a page so far.
#[derive(Debug)]
pub struct Gathered {
    excepting: Excepting,
    /// How many clusters there will be.
    of: usize,
    now: Timestamp,
    told: Vec<Told>,
    scanned: Vec<Scanned>,
    /// What each cluster came to, where exceptions are to be held against it.
    reports: Vec<(String, Report)>,
}

impl Gathered {
    /// Nothing yet, of `of` clusters.
    pub fn new(excepting: Excepting, of: usize, now: Timestamp) -> Self {
        let (told, scanned, reports) = Default::default();
        Self { excepting, of, now, told, scanned, reports }
    }

    /// How many clusters are taken in.
    pub fn len(&self) -> usize {
        self.told.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Takes in a cluster; no two of a page have one name. Answers with the worst that has an effect and that nobody answers for.
    pub fn add(&mut self, name: &str, reading: &Reading, beside: &Beside) -> Option<Severity> {
        let excepting = self.excepting.for_cluster(name);
        let (cluster, report) =
            cluster(name, reading, &excepting, beside, self.now.as_second(), self.of <= FIXED);
        let open = cluster.report.counted().filter(|one| !one.inert && one.excepted.is_none());
        let worst = open.map(|one| one.severity.into()).max();
        self.told.push(Told::of(self.told.len(), &cluster, self.of == 1));
        self.scanned.push(cluster.scanned);
        if !self.excepting.is_empty() {
            self.reports.push((name.to_owned(), report));
        }
        worst
    }

    /// The page. `never`: clusters that nobody scanned, by name.
    pub fn page(self, never: &[String]) -> Page {
        let Self { excepting, now, told, mut scanned, reports, .. } = self;
        let seen: Vec<(&str, &Report)> =
            reports.iter().map(|(name, report)| (name.as_str(), report)).collect();
        let stale = excepting.stale_in(&seen);
        fleet::order(&mut scanned);
        Page {
            weaknesses: fleet::weaknesses(&scanned),
            shared: fleet::shared(&scanned, never, &Limits::default(), now.as_second()),
            coverage: fleet::coverage(&scanned, scanned.len() + never.len()),
            scanned,
            clusters: told,
            stale,
            made: format!("{} UTC", now.strftime("%Y-%m-%d %H:%M")),
        }
    }

    /// The page as it is written.
    pub fn html(self, never: &[String]) -> String {
        html::page(&self.page(never))
    }
}

fn cluster(
    name: &str,
    reading: &Reading,
    excepting: &Excepting,
    beside: &Beside,
    now: i64,
    with_fixes: bool,
) -> (Cluster, Report) {
    let snapshot = reading.snapshot();
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let view = ReportView::of(reading, &report, excepting, |kind| snapshot.coverage(kind));
    let taken = || reading.taken.as_deref()?.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let mut traits = Traits::of(&ground);
    if !beside.environment.is_empty() {
        traits.tier = Some(beside.environment.clone());
    }
    let around = Around { ours: Some(&beside.ours), traits, at: beside.at.or_else(taken), now };
    let scanned = Scanned::of(name, &report, around, |one| excepting.of(one).is_some());
    let (ways, many, cut) = ways(&ground);
    let mut worst: Vec<&Finding> = report
        .checks
        .iter()
        .flat_map(|judged| &judged.findings)
        .filter(|one| {
            !one.inert
                && one.origin != Origin::Default
                && one.severity >= Severity::High
                && excepting.of(one).is_none()
        })
        .collect();
    worst.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let wanted = if with_fixes { FIXES } else { 0 };
    worst.truncate(wanted);
    let mut trial = (!worst.is_empty()).then(|| Trial::of(&ground, &report));
    let propose = |one| trial.as_mut().map(|trial| trial.propose(one, None, None));
    let proposed = worst.into_iter().filter_map(propose).collect();
    (Cluster { name: name.to_owned(), report: view, scanned, ways, many_ways: many, cut, proposed }, report)
}

/// Ways of the team's own to everything, or where there is none to a node's root; how many there are; and what to cut.
fn ways(ground: &Ground<'_>) -> (Vec<Way>, usize, Option<String>) {
    for goal in [Goal::ClusterAdmin, Goal::NodeRoot] {
        let Some(paths) = ground.paths(&goal) else { continue };
        let own = paths.iter().filter(|path| path.origin != Origin::Default);
        // Those of one step are the findings themselves.
        let all: Vec<Way> = own.filter(|path| path.hops.len() > 1).take(WAYS).collect();
        if !all.is_empty() {
            let cut = paths.cut().map(|cut| {
                let kind = if cut.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
                format!(
                    "Cut first: {} closes it for {} of {}.",
                    words::named(kind, cut.namespace.as_deref(), &cut.binding),
                    cut.closes,
                    cut.of
                )
            });
            return (all, paths.own(), cut);
        }
    }
    (Vec::new(), 0, None)
}
