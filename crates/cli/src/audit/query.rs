//! Questions to an archive.

use super::args::{Decided, Query, Which, WhoDeleted};
use super::times::told;
use super::{bounds, open, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use sallyport_archive::{Archive, ArchiveError, Bounds, Call, CallId, Column, Filter, How, ObjectRef};
use sallyport_events::Flaw;
use sallyport_report::words::shown;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Calls of one page of the archive.
const PAGE: usize = 1000;
/// Lines of a ranking.
const RANKED: usize = 1000;
/// Deletions of each way.
const DELETIONS: usize = 20;

pub(super) fn query(args: &Query) -> Result<(String, End), Stop> {
    let archive = open(&args.archive, false)?;
    let filter = filter(&args.which);
    let bounds = bounds(args.within);
    if args.raw {
        return raw(&archive, &filter, args);
    }
    let mut view = QueryView { is_whole: true, ..QueryView::default() };
    let found;
    if let Some(by) = args.by {
        let most = RANKED.min(args.limit as usize);
        let answer = archive.top(&filter, by.column(), most, &bounds).map_err(stop)?;
        (view.is_whole, view.damaged) = (answer.is_whole, answer.damaged);
        let ranks = answer.value.first.into_iter().map(|(text, calls)| RankView { text, calls });
        view.by = Some(ranks.collect());
        view.others = Some(answer.value.others);
        found = view.by.as_ref().is_some_and(|by| !by.is_empty());
    } else if args.count {
        let answer = archive.count(&filter, &bounds).map_err(stop)?;
        (view.is_whole, view.damaged) = (answer.is_whole, answer.damaged);
        view.count = Some(answer.value);
        found = answer.value > 0;
    } else {
        let pages = pages(&archive, &filter, args.limit as usize, args.within).map_err(stop)?;
        (view.is_whole, view.damaged, view.has_more) = (pages.is_whole, pages.damaged, pages.has_more);
        found = !pages.calls.is_empty();
        view.calls = Some(pages.calls.iter().map(CallView::of).collect());
    }
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => answer::json(&view)?,
    };
    Ok((text, end(found, view.is_whole && view.damaged == 0)))
}

pub(super) fn who_deleted(args: &WhoDeleted) -> Result<(String, End), Stop> {
    let archive = open(&args.archive, false)?;
    let object = ObjectRef {
        cluster: args.cluster.clone(),
        resource: args.resource.clone(),
        namespace: args.namespace.clone(),
        name: args.name.clone(),
    };
    let answer = archive.deletions(&object, DELETIONS, &bounds(60)).map_err(stop)?;
    let deletions = answer.value.iter().map(|one| DeletionView {
        how: match one.how {
            How::Named => "named",
            How::Collection => "collection",
            How::Namespace => "namespace",
        },
        call: CallView::of(&one.call),
    });
    let view =
        WhoDeletedView { deletions: deletions.collect(), is_whole: answer.is_whole, damaged: answer.damaged };
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => answer::json(&view)?,
    };
    Ok((text, end(!view.deletions.is_empty(), view.is_whole && view.damaged == 0)))
}

fn end(found: bool, is_whole: bool) -> End {
    match (found, is_whole) {
        (_, false) => End::Unanswered,
        (true, true) => End::Good,
        (false, true) => End::Found,
    }
}

fn filter(which: &Which) -> Filter {
    let mut filter = Filter::default();
    let lists = [
        (Column::Cluster, &which.cluster),
        (Column::Verb, &which.verb),
        (Column::Namespace, &which.namespace),
        (Column::Name, &which.name),
        (Column::Credential, &which.credential),
        (Column::Session, &which.session),
    ];
    for (column, texts) in lists {
        filter = texts.iter().fold(filter, |filter, text| filter.only(column, text));
    }
    for resource in &which.resource {
        filter = match resource.split_once('/') {
            Some((resource, subresource)) => {
                filter.only(Column::Resource, resource).only(Column::Subresource, subresource)
            }
            None => filter.only(Column::Resource, resource),
        };
    }
    if let Some(decided) = which.decision {
        let text = if decided == Decided::Allow { "allow" } else { "forbid" };
        filter = filter.only(Column::Decision, text);
    }
    if let Some(person) = &which.person {
        filter = filter.person(person);
    }
    if let Some(text) = &which.text {
        filter = filter.text(text);
    }
    if let Some((from, to)) = which.code {
        filter = filter.codes(from, to);
    }
    let now = jiff::Timestamp::now();
    if let Some(since) = which.since {
        filter = filter.from(since.at(now));
    }
    if let Some(until) = which.until {
        filter = filter.to(until.at(now));
    }
    filter
}

#[derive(Debug, Default)]
struct Pages {
    calls: Vec<Call>,
    has_more: bool,
    is_whole: bool,
    damaged: u64,
}

/// Page by page, within one stretch of time for all.
fn pages(archive: &Archive, filter: &Filter, limit: usize, within: u64) -> Result<Pages, ArchiveError> {
    let began = Instant::now();
    let mut pages = Pages { is_whole: true, ..Pages::default() };
    let mut cursor = None;
    loop {
        let left = Duration::from_secs(within).saturating_sub(began.elapsed());
        let bounds = Bounds { within: left, ..Bounds::default() };
        let most = PAGE.min(limit - pages.calls.len());
        let answer = archive.page(filter, cursor, most, &bounds)?;
        pages.calls.extend(answer.value.calls);
        pages.is_whole &= answer.is_whole;
        pages.damaged = pages.damaged.max(answer.damaged);
        cursor = answer.value.next;
        pages.has_more = cursor.is_some();
        if cursor.is_none() || pages.calls.len() >= limit || !pages.is_whole {
            return Ok(pages);
        }
    }
}

/// The events as they were written. One that is damaged is missing, and makes the answer less than whole.
fn raw(archive: &Archive, filter: &Filter, args: &Query) -> Result<(String, End), Stop> {
    let pages = pages(archive, filter, args.limit as usize, args.within).map_err(stop)?;
    let (mut text, mut is_whole) = (String::new(), pages.is_whole && pages.damaged == 0);
    for call in &pages.calls {
        match archive.raw(CallId::from_number(call.id.number())) {
            // One line each, whatever stands in it.
            Ok(event) => {
                text.push_str(&event.replace(['\n', '\r'], " "));
                text.push('\n');
            }
            Err(error) if error.is_damage() => is_whole = false,
            Err(error) => return Err(stop(error)),
        }
    }
    Ok((text, end(!pages.calls.is_empty(), is_whole)))
}
