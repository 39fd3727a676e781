//! `report`: one HTML page on one cluster or many.

use crate::args::{FailOn, ReportArgs};
use crate::end::{End, Stop};
use crate::exceptions::Excepting;
use crate::html::{self, Cluster, Page};
use crate::source::Asking;
use crate::view::ReportView;
use crate::words::shown;
use sallyport_posture::fix::propose;
use sallyport_posture::fleet::{self, Around, Limits, Scanned, Traits};
use sallyport_posture::path::{Goal, Path as Way};
use sallyport_posture::{Finding, Ground, Origin, Report, Severity, Snapshot};
use sallyport_scan::Reading;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Clusters whose worst findings get an exact fix on the page: each is worked out several times for it.
const FIXED: usize = 12;
/// Findings of a cluster that get one.
const FIXES: usize = 5;
/// Ways of a cluster that are drawn.
const WAYS: usize = 8;

pub(crate) fn report(args: &ReportArgs) -> Result<(String, End), Stop> {
    let sources = sources(args)?;
    let with_fixes = sources.len() <= FIXED;
    let excepting = Excepting::read(args.exceptions.as_deref(), "")?;
    let now = jiff::Timestamp::now();
    let (mut clusters, mut reports, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut worst: Option<Severity> = None;
    for source in sources {
        let (name, reading) = read(source, args)?;
        if reading.is_empty() {
            return Err(crate::source::nothing(&reading));
        }
        let name = own_name(name, &mut names);
        let excepting = excepting.for_cluster(&name);
        let (cluster, report) = cluster(&name, &reading, &excepting, now.as_second(), with_fixes);
        let open = cluster.report.counted().filter(|one| !one.inert && one.excepted.is_none());
        worst = worst.max(open.map(|one| one.severity.into()).max());
        clusters.push(cluster);
        reports.push((name, report));
    }
    let seen: Vec<(&str, &Report)> = reports.iter().map(|(name, report)| (name.as_str(), report)).collect();
    let stale = excepting.stale_in(&seen);
    let found = worst.is_some_and(|worst| args.fail_on.holds(worst))
        || (args.fail_on != FailOn::Never && stale.iter().any(|one| args.fail_on.holds(one.severity.into())));
    let mut scanned: Vec<Scanned> = clusters.iter().map(|one| one.scanned.clone()).collect();
    fleet::order(&mut scanned);
    let page = Page {
        weaknesses: fleet::weaknesses(&scanned),
        shared: fleet::shared(&scanned, &[], &Limits::default(), now.as_second()),
        coverage: fleet::coverage(&scanned, scanned.len()),
        scanned,
        clusters,
        stale,
        made: format!("{} UTC", now.strftime("%Y-%m-%d %H:%M")),
    };
    let text = html::page(&page);
    let end = if found { End::Found } else { End::Good };
    match &args.out {
        Some(path) => {
            crate::write::write(&text, path)?;
            Ok((String::new(), end))
        }
        None => Ok((text, end)),
    }
}

/// Where one cluster is read from.
enum From<'a> {
    Files(PathBuf),
    Context(Option<&'a str>),
}

fn sources(args: &ReportArgs) -> Result<Vec<From<'_>>, Stop> {
    let mut all = Vec::new();
    for path in &args.paths {
        match args.each && path.is_dir() {
            true => all.extend(files_of(path)?.into_iter().map(From::Files)),
            false => all.push(From::Files(path.clone())),
        }
    }
    if !args.kubeconfig.is_empty() {
        match args.context.as_slice() {
            [] => all.push(From::Context(None)),
            contexts => all.extend(contexts.iter().map(|name| From::Context(Some(name)))),
        }
    }
    if all.is_empty() {
        return Err(Stop::new("the folders hold no file that could be a cluster: *.json, *.yaml or *.yml"));
    }
    Ok(all)
}

/// The files of a folder, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let failed = |error: std::io::Error| {
        Stop(format!("{} can't be read: {error}", shown(&folder.display().to_string())))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
        if path.is_file() && ["json", "yaml", "yml"].contains(&ending.as_str()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(source: From<'_>, args: &ReportArgs) -> Result<(String, Reading), Stop> {
    match source {
        From::Files(path) => Ok((crate::source::name_of(&path), crate::source::files(&path, &args.whole)?)),
        From::Context(context) => {
            let asking = if args.no_probes { Asking::Rights } else { Asking::RightsAndDoor };
            let reading = crate::source::cluster(&args.kubeconfig, context, asking)?;
            let name = context.map_or_else(|| reading.source.clone(), str::to_owned);
            Ok((name, reading))
        }
    }
}

/// No two clusters of a page are called the same.
fn own_name(name: String, names: &mut BTreeSet<String>) -> String {
    let mut own = name.clone();
    let mut number = 2;
    while !names.insert(own.clone()) {
        own = format!("{name} ({number})");
        number += 1;
    }
    own
}

fn cluster(
    name: &str,
    reading: &Reading,
    excepting: &Excepting,
    now: i64,
    with_fixes: bool,
) -> (Cluster, Report) {
    let snapshot: Snapshot = reading.snapshot();
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let view = ReportView::of(reading, &report, excepting, |kind| snapshot.coverage(kind));
    let at = reading.taken.as_deref().and_then(|taken| taken.parse::<jiff::Timestamp>().ok());
    let around = Around {
        traits: Traits::of(&ground),
        at: at.map(jiff::Timestamp::as_second),
        now,
        ..Around::default()
    };
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
    let proposed = worst.into_iter().take(wanted).map(|one| propose(&ground, one, None, None)).collect();
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
                    crate::words::named(kind, cut.namespace.as_deref(), &cut.binding),
                    cut.closes,
                    cut.of
                )
            });
            return (all, paths.own(), cut);
        }
    }
    (Vec::new(), 0, None)
}
