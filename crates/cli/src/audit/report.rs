//! `report`: who had access to what, when, by whose word, and what proves it, as one page or as JSON.

use super::args::ReportArgs;
use super::said::said;
use super::{bounds, open, plain, stop};
use crate::answer::{self, Answer};
use crate::args::Whole;
use crate::end::{End, Stop};
use crate::exceptions;
use crate::source;
use crate::write::write;
use sallyport_archive::{Archive, Column, Filter};
use sallyport_report::access::{AccessView, Facts, Reading, SeenAccount, SeenAccounts};
use sallyport_report::html;
use sallyport_report::view::ReportView;
use sallyport_report::words::shown;
use sallyport_store::read_beside;
use std::path::Path;

/// Calls of the history that are read.
const CALLS_MOST: usize = 500_000;
/// Accounts of sessions that are kept apart.
const ACCOUNTS_MOST: usize = 100_000;

pub(super) fn report(args: &ReportArgs) -> Result<(String, End), Stop> {
    let now = jiff::Timestamp::now();
    let (from, to) = (args.since.at(now), args.until.map_or(now.as_microsecond(), |until| until.at(now)));
    if from >= to {
        return Err(Stop::new("--since is not before --until (or now)"));
    }
    let recorded = read_beside(&args.history, from, CALLS_MOST).map_err(said)?;
    let seen = match &args.archive {
        Some(dir) => Some(seen(&open(dir, false)?, (from, to), args.within)?),
        None => None,
    };
    let readings: Vec<Reading> =
        args.posture.iter().map(|path| reading(path, args)).collect::<Result<_, _>>()?;
    let is_whole = seen.as_ref().is_none_or(|seen| seen.is_whole)
        && !recorded.has_more
        && recorded.unreadable.is_empty();
    let facts = Facts {
        entries: &recorded.entries,
        from,
        to,
        reach: recorded.first.zip(recorded.last),
        is_complete: recorded.is_complete,
        unreadable: &recorded.unreadable,
        has_more_calls: recorded.has_more,
        seen,
        readings,
    };
    let view = AccessView::of(facts, now.as_microsecond());
    let end = match (is_whole, view.is_clean()) {
        (false, _) => End::Unanswered,
        (true, false) => End::Found,
        (true, true) => End::Good,
    };
    let text = match args.output {
        Answer::Text => html::access(&view, (from, to)),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    match &args.out {
        Some(path) => {
            write(&text, path)?;
            Ok((String::new(), end))
        }
        None => Ok((text, end)),
    }
}

/// What API servers told of session accounts in that time, and how far each cluster's logs reach.
fn seen(archive: &Archive, (from, to): (i64, i64), within: u64) -> Result<SeenAccounts, Stop> {
    let bounds = bounds(within);
    let filter = Filter::default().ended().from(from).to(to);
    let columns = [Column::Cluster, Column::Session];
    let answer = archive.combinations(&filter, &columns, ACCOUNTS_MOST, &bounds).map_err(stop)?;
    let is_whole = answer.lacks_nothing() && answer.value.others == 0;
    let found = answer.value.rows.into_iter().filter_map(|row| {
        let [cluster, account] = <[String; 2]>::try_from(row.texts).ok()?;
        Some(SeenAccount { cluster, account, calls: row.calls, first: row.first, last: row.last })
    });
    Ok(SeenAccounts::of(found, is_whole))
}

/// A snapshot that `posture scan --save` kept; its file says of which cluster.
fn reading(path: &Path, args: &ReportArgs) -> Result<Reading, Stop> {
    let whole = Whole { whole: args.whole.clone() };
    let reading = source::files(path, &whole)?;
    if reading.is_empty() {
        return Err(source::nothing(&reading));
    }
    let judged = ReportView::judge(&reading, &exceptions::read(None, "")?);
    let Some(taken) = &judged.read.taken else {
        return Err(Stop(format!(
            "{} does not say when it was read: use what `sallyport posture scan --save` kept",
            shown(&path.display().to_string())
        )));
    };
    // Readings of one cluster lie in files that begin alike: `eu-1.2026-11-01.json`.
    let name = source::name_of(path);
    let cluster = name.split_once('.').map_or(name.as_str(), |(cluster, _)| cluster);
    Ok(Reading::of(cluster, taken, &reading.snapshot(), &judged.practices))
}
