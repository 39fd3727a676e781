//! `report`: one HTML page on one cluster or many.

use crate::args::{FailOn, ReportArgs};
use crate::end::{End, Stop};
use crate::exceptions;
use crate::source::Asking;
use sallyport_posture::Severity;
use sallyport_report::gather::{Beside, Gathered};
use sallyport_report::html;
use sallyport_report::words::shown;
use sallyport_scan::Reading;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) fn report(args: &ReportArgs) -> Result<(String, End), Stop> {
    let sources = sources(args)?;
    let excepting = exceptions::read(args.exceptions.as_deref(), "")?;
    let mut gathered = Gathered::new(excepting, sources.len(), jiff::Timestamp::now());
    let mut names = BTreeSet::new();
    let mut worst: Option<Severity> = None;
    for source in sources {
        let (name, reading) = read(source, args)?;
        if reading.is_empty() {
            return Err(crate::source::nothing(&reading));
        }
        let name = own_name(name, &mut names);
        worst = worst.max(gathered.add(&name, &reading, &Beside::default()));
    }
    let page = gathered.page(&[]);
    let found = worst.is_some_and(|worst| args.fail_on.holds(worst))
        || (args.fail_on != FailOn::Never
            && page.stale.iter().any(|one| args.fail_on.holds(one.severity.into())));
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
