//! The grid: every cluster of the inventory and every one that a scan is kept of, and what all of that comes to.

use super::exception::{Entry, Standing};
use super::kept::{Index, KeptScan};
use super::words::{area, cell, id, severity, verdict};
use super::{Open, Scans};
use crate::desk::{AppError, now_ms};
use crate::inventory::{ScanProfile, Scannable};
use crate::person::Signed;
use sallyport_ipc::{
    DriftWay, EnvironmentKind, PostureArea, PostureCluster, PostureDriftLine, PostureVerdict, PostureView,
    Practice, ScanRun, ScanState, Shown, TrendPoint, WeakPlace, Weakness,
};
use sallyport_model::ClusterName;
use sallyport_posture::area::Area;
use sallyport_posture::fleet::{self, About, Around, Limits, Line, Scanned, Traits};
use sallyport_posture::practice::{self, Ours, Practised};
use sallyport_posture::{Ground, Verdict};
use sallyport_scan::Reading;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Weaknesses that are told, of many.
const WEAKNESSES: usize = 300;
/// Clusters that are named of one.
const PLACES: usize = 20;
/// Lines of what changed.
const DRIFT: usize = 200;
/// Points of the trend.
const POINTS: usize = 60;
/// Seconds after which what is shown is worked out anew although nothing was scanned.
const ANEW: i64 = 3600;

/// What a reading comes to.
pub(super) fn scanned(
    cluster: &str,
    reading: &Reading,
    environment: &str,
    ours: &Ours,
    exceptions: &[Entry],
    (at, now): (i64, i64),
) -> KeptScan {
    let snapshot = reading.snapshot();
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let standing = Standing::of(exceptions, now);
    let around = Around {
        ours: Some(ours),
        traits: Traits {
            tier: Some(environment.to_owned()).filter(|tier| !tier.is_empty()),
            ..Traits::of(&ground)
        },
        at: Some(at),
        now,
    };
    let findings = report.checks.iter().flat_map(|judged| &judged.findings);
    KeptScan {
        excepted: standing.counts(cluster, findings),
        scanned: Scanned::of(cluster, &report, around, |finding| standing.covers(cluster, finding)),
        environment: environment.to_owned(),
        ours: ours.clone(),
        drift: None,
    }
}

impl Scans {
    /// The team's word for a cluster's environment.
    pub(super) fn environment(&self, signed: &Signed, cluster: &ClusterName) -> String {
        let all = self.inventory.scannable(&signed.workspace);
        all.into_iter()
            .find(|one| one.name == cluster.as_str())
            .map(|one| one.environment)
            .unwrap_or_default()
    }

    /// The grid. What takes long with thousands of clusters is worked out once for each change of what is kept.
    pub(super) async fn grid(&self, signed: &Signed, open: &Open) -> Result<PostureView, AppError> {
        let inventory = self.inventory.scannable(&signed.workspace);
        let together = self.together(open, &inventory).await?;
        let by_name: BTreeMap<&str, &Scannable> =
            inventory.iter().map(|one| (one.name.as_str(), one)).collect();
        let states = open.run.states();
        let now = now_ms() / 1000;
        let (profile, cannot_scan) = match self.inventory.scan_profile(&signed.workspace) {
            ScanProfile::One(name) => (Some(Shown::of(&name)), None),
            ScanProfile::None => (None, Some(NO_PROFILE.into())),
            ScanProfile::NotKnown => (None, Some("The hub has not said yet what you may ask for.".into())),
        };
        let known = open.known();
        let (index, all) = (&known.index, &known.scanned);
        let names: BTreeSet<&str> =
            by_name.keys().copied().chain(index.clusters.keys().map(String::as_str)).collect();
        let cluster = |name: &&str| {
            let state = name.parse().ok().and_then(|name: ClusterName| states.get(&name).cloned());
            cluster(name, by_name.get(*name).copied(), state, all.get(*name).map(|one| &one.scanned), index)
        };
        Ok(PostureView {
            profile,
            cannot_scan,
            run: open.run.view().or_else(|| cut_off(index)),
            clusters: names.iter().map(cluster).collect(),
            practices: together.practices.clone(),
            weaknesses: together.weaknesses.clone(),
            drift: together.drift.clone(),
            drift_more: together.drift_more,
            exceptions: super::exceptions::views(&known, now),
            trend: together.trend.clone(),
            notes: known.problems.iter().map(Shown::from).collect(),
        })
    }

    /// One row of it.
    pub(super) fn row(&self, signed: &Signed, open: &Open, name: &str) -> PostureCluster {
        let inventory = self.inventory.scannable(&signed.workspace);
        let known = open.known();
        let state = name.parse().ok().and_then(|name: ClusterName| open.run.states().get(&name).cloned());
        let of = inventory.iter().find(|one| one.name == name);
        cluster(name, of, state, known.scanned.get(name).map(|one| &one.scanned), &known.index)
    }

    /// What all that is kept comes to together.
    async fn together(&self, open: &Open, inventory: &[Scannable]) -> Result<Arc<Together>, AppError> {
        let mut grid = open.grid.lock().await;
        let (changes, all, index) = {
            let known = open.known();
            let all: Vec<Arc<KeptScan>> = known.scanned.values().cloned().collect();
            (known.changes, all, known.index.clone())
        };
        let mut never: BTreeSet<String> = inventory.iter().map(|one| one.name.clone()).collect();
        for one in &all {
            never.remove(&one.scanned.cluster);
        }
        let now = now_ms() / 1000;
        if let Some((of, together)) = grid.as_ref()
            && *of == changes
            && together.never == never
            && now - together.at < ANEW
        {
            return Ok(together.clone());
        }
        let worked_out =
            tokio::task::spawn_blocking(move || Arc::new(Together::of(&all, &index, never, now)));
        let together = worked_out
            .await
            .map_err(|e| AppError::failed("Sallyport failed over what is kept").because(e))?;
        *grid = Some((changes, together.clone()));
        Ok(together)
    }
}

/// What several clusters come to together.
pub(super) struct Together {
    /// When it was worked out, Unix seconds: proofs grow old by themselves.
    at: i64,
    /// Clusters that no scan is kept of.
    never: BTreeSet<String>,
    practices: Vec<Practice>,
    weaknesses: Vec<Weakness>,
    drift: Vec<PostureDriftLine>,
    drift_more: u32,
    trend: Vec<TrendPoint>,
}

impl Together {
    fn of(all: &[Arc<KeptScan>], index: &Index, never: BTreeSet<String>, now: i64) -> Self {
        let scanned: Vec<Scanned> =
            all.iter().map(|one| Scanned { practices: fresh(one, now), ..one.scanned.clone() }).collect();
        let (mut drift, mut left_out) = (Vec::new(), 0_u32);
        for one in all.iter().filter_map(|one| one.drift.as_ref()) {
            drift.extend(one.lines.iter().cloned());
            left_out = left_out.saturating_add(one.more);
        }
        // What widens first, and what is newest of that.
        drift.sort_by_key(|line| (line.way != DriftWay::Wider, std::cmp::Reverse(line.since)));
        let drift_more = left_out.saturating_add(count(drift.len().saturating_sub(DRIFT)));
        drift.truncate(DRIFT);
        let names: Vec<String> = never.iter().cloned().collect();
        Self {
            at: now,
            practices: practices(&scanned),
            weaknesses: weaknesses(&scanned, &names, now),
            drift,
            drift_more,
            trend: trend(index),
            never,
        }
    }
}

/// The practices of a kept scan as they stand by now: what rests on a proof is not known any more once that is a day old.
pub(super) fn fresh(kept: &KeptScan, now: i64) -> Vec<Practised> {
    let old = kept.scanned.at.is_none_or(|at| now - at > ANEW * 24);
    let rests = |own: &Practised| own.verdict == Verdict::Pass && own.practice.may_rest_on_ours();
    let stale = |mut own: Practised| {
        if old && rests(&own) {
            let why = "What Sallyport last proved of it is older than a day: scan again.".to_owned();
            own.verdict = Verdict::Unknown(why.clone());
            own.gaps.push(why);
        }
        own
    };
    kept.scanned.practices.iter().cloned().map(stale).collect()
}

const NO_PROFILE: &str = "You may ask for no profile that scans. An admin gives your group the verb request on a profile with the \
    role sallyport:posture, and the ClusterRole sallyport:scanner in the namespace sallyport-scans of the hub.";

/// A run of an earlier start that was not done.
pub(super) fn cut_off(index: &Index) -> Option<ScanRun> {
    let begun = index.run.as_ref().filter(|begun| !begun.left.is_empty())?;
    let left = u32::try_from(begun.left.len()).unwrap_or(u32::MAX);
    Some(ScanRun { begun_at: begun.at, total: left, done: 0, failed: 0, cancelled: left, is_over: true })
}

fn cluster(
    name: &str,
    known: Option<&Scannable>,
    state: Option<ScanState>,
    scanned: Option<&Scanned>,
    index: &Index,
) -> PostureCluster {
    let is_left = index.run.as_ref().is_some_and(|run| run.left.iter().any(|left| left == name));
    // What an earlier start did not get to.
    let none = if is_left { ScanState::Cancelled } else { ScanState::None };
    let covered = scanned.map_or((0, 0), |one| one.point.covered);
    PostureCluster {
        name: name.into(),
        environment: known.map_or(EnvironmentKind::Other, |one| one.kind),
        environment_word: known.map(|one| Shown::from(&one.environment)).unwrap_or_default(),
        scan: state.unwrap_or(none),
        scanned_at: scanned.and_then(|one| one.at).map(|at| at.saturating_mul(1000)),
        version: scanned
            .and_then(|one| one.traits.version)
            .map(|(major, minor)| format!("{major}.{minor}").into()),
        coverage: percent(covered),
        cells: scanned.map(|one| one.cells.iter().map(cell).collect()).unwrap_or_default(),
    }
}

pub(super) fn percent((some, all): (usize, usize)) -> u32 {
    let of_hundred = (some * 100).checked_div(all).unwrap_or_default();
    u32::try_from(of_hundred).unwrap_or(100)
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// The ten over all clusters; none where nothing was scanned.
fn practices(scanned: &[Scanned]) -> Vec<Practice> {
    if scanned.is_empty() {
        return Vec::new();
    }
    let across = practice::across(scanned.iter().map(|one| (one.cluster.as_str(), one.practices.as_slice())));
    let of = |across: practice::Across| {
        let fails = across.fail.len();
        let worst = match (fails, across.unknown, across.provider) {
            (1.., ..) => PostureVerdict::Fail,
            (0, 1.., _) => PostureVerdict::Unknown,
            (0, 0, 1..) => PostureVerdict::Provider,
            _ => PostureVerdict::Pass,
        };
        // What is said of it where it is worst.
        let told = scanned.iter().filter_map(|one| {
            let own = one.practices.iter().find(|own| own.practice == across.practice)?;
            Some((one, own))
        });
        let speaks = told.max_by_key(|(_, own)| (verdict(&own.verdict) == worst, own.worst));
        let (mut evidence, mut gap, mut next) = (Vec::new(), None, None);
        if let Some((one, own)) = speaks {
            let here = |text: &String| Shown::from(format!("{}: {text}", one.cluster));
            evidence = own.evidence.iter().map(here).collect();
            gap = own.gaps.first().map(here);
            next = own.next.as_deref().map(Shown::from);
        }
        Practice {
            number: count(
                practice::Practice::ALL.iter().position(|one| *one == across.practice).unwrap_or_default()
                    + 1,
            ),
            name: across.practice.title().into(),
            verdict: worst,
            evidence,
            gap,
            next,
            kept: count(across.pass),
            broken: count(fails),
            unknown: count(across.unknown + across.provider),
        }
    };
    across.into_iter().map(of).collect()
}

/// What to fix first, and what only shows when several clusters are looked at together.
fn weaknesses(scanned: &[Scanned], never: &[String], now: i64) -> Vec<Weakness> {
    let by_name: BTreeMap<&str, &Scanned> = scanned.iter().map(|one| (one.cluster.as_str(), one)).collect();
    let own = fleet::weaknesses(scanned).into_iter().map(|one| {
        let (first_in, first) = &one.first;
        let of_first = by_name
            .get(first_in.as_str())
            .and_then(|of| of.lines.iter().find(|line| line.fingerprint == *first));
        let about = of_first
            .map(|line| &line.about)
            .filter(|about| matches!(about, About::Group(_) | About::Account(..)));
        let place = |cluster: &String| {
            // The worst finding of that check there; that of the first one is named exactly.
            let of = by_name.get(cluster.as_str());
            // The same weakness is about the same, as far as it is about somebody.
            let is_same =
                |line: &&Line| line.check == one.check && about.is_none_or(|about| line.about == *about);
            let line = of.and_then(|of| of.lines.iter().find(is_same));
            let (first, finding) = &one.first;
            let finding = if first == cluster { Some(finding) } else { line.map(|line| &line.fingerprint) };
            Some(WeakPlace { cluster: cluster.into(), finding: finding?.clone() })
        };
        let mut clusters: Vec<&String> = one.clusters.iter().collect();
        clusters.sort_by_key(|cluster| **cluster != one.first.0);
        Weakness {
            id: id(&[&one.check, &one.title]),
            check: one.check.as_str().into(),
            area: Area::of(&one.check).map_or(PostureArea::Rights, area),
            title: one.title.as_str().into(),
            verdict: PostureVerdict::Fail,
            severity: severity(one.severity),
            about: one.detail.as_str().into(),
            places: clusters.iter().take(PLACES).filter_map(|cluster| place(cluster)).collect(),
            more: count(clusters.len().saturating_sub(PLACES)),
            is_excepted: one.excepted == one.findings,
        }
    });
    let between = fleet::shared(scanned, never, &Limits::default(), now);
    let between = between.into_iter().flat_map(|shared| {
        let (check, title) = (shared.check, shared.title);
        shared.found.into_iter().map(move |found| Weakness {
            id: id(&[&check, &found.said]),
            check: check.as_str().into(),
            area: PostureArea::Credentials,
            title: found.said.as_str().into(),
            verdict: PostureVerdict::Fail,
            severity: severity(found.severity),
            about: title.as_str().into(),
            // There is no finding on one of them alone.
            places: found
                .clusters
                .iter()
                .take(PLACES)
                .map(|cluster| WeakPlace { cluster: cluster.into(), finding: String::new() })
                .collect(),
            more: count(found.clusters.len().saturating_sub(PLACES)),
            is_excepted: false,
        })
    });
    let mut all: Vec<Weakness> = own.chain(between).collect();
    // Each kind is in its order; this mixes the two.
    all.sort_by_key(|one| (one.is_excepted, std::cmp::Reverse(one.severity)));
    all.truncate(WEAKNESSES);
    all
}

/// How all clusters did together: at each scan, the last point of every cluster by then.
fn trend(index: &Index) -> Vec<TrendPoint> {
    let mut moments: Vec<(i64, &str, &sallyport_posture::trend::Point)> = index
        .clusters
        .iter()
        .flat_map(|(name, points)| points.iter().map(move |point| (point.at, name.as_str(), point)))
        .collect();
    moments.sort_by_key(|(at, name, _)| (*at, *name));
    let mut last: BTreeMap<&str, &sallyport_posture::trend::Point> = BTreeMap::new();
    let mut days: BTreeMap<i64, TrendPoint> = BTreeMap::new();
    let mut day = None;
    for (at, name, point) in moments {
        let today = at.div_euclid(24 * 3600);
        // One point for each day: the last.
        if let Some((before, of)) = day.filter(|(before, _)| *before != today) {
            days.insert(before, together(of, last.values().copied()));
        }
        last.insert(name, point);
        day = Some((today, at));
    }
    if let Some((today, at)) = day {
        days.insert(today, together(at, last.values().copied()));
    }
    let over = days.len().saturating_sub(POINTS);
    days.into_values().skip(over).collect()
}

pub(super) fn together<'p>(
    at: i64,
    points: impl Iterator<Item = &'p sallyport_posture::trend::Point>,
) -> TrendPoint {
    let mut sum = TrendPoint {
        at: at.saturating_mul(1000),
        clusters: 0,
        coverage: 0,
        critical: 0,
        high: 0,
        medium: 0,
        low: 0,
    };
    let mut covered = (0, 0);
    for point in points {
        sum.clusters += 1;
        covered = (covered.0 + point.covered.0, covered.1 + point.covered.1);
        sum.critical += count(point.counts.critical);
        sum.high += count(point.counts.high);
        sum.medium += count(point.counts.medium);
        sum.low += count(point.counts.low);
    }
    sum.coverage = percent(covered);
    sum
}
