//! Questions to an archive, or to a log store in its place.

use super::args::{Decided, Listing, Query, StageOf, Which, WhoDeleted};
use super::place::Place;
use super::view::{CallView, DeletionView, LacksView, QueryView, RankView, WhoDeletedView};
use super::{bounds, open, plain, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use crate::say::say;
use sallyport_archive::{Archive, Bounds, Call, CallId, Column, Filter, How, ObjectRef};
use sallyport_events::Stage;
use sallyport_report::handed::{self, ToldCall};
use std::time::{Duration, Instant};

/// Events that are read at a time.
const PAGE: usize = 1000;
/// Lines of a ranking.
const RANKED: usize = 1000;
/// Deletions of each way.
const DELETIONS: usize = 200;

pub(super) fn query(args: &Query) -> Result<(String, End), Stop> {
    let began = Instant::now();
    let place = Place::of(args)?;
    let archive = place.archive();
    let every = filter(&args.which);
    // Of a call whose every stage is told, the end alone: each is found and counted once.
    let is_by_call = args.which.stage.is_empty() && !args.which.all_stages;
    let filter = if is_by_call { every.clone().ended() } else { every.clone() };
    let is_lines = matches!(args.output, Listing::Csv | Listing::Ocsf);
    if is_lines && (args.raw || args.count || args.by.is_some()) {
        return Err(Stop::new(
            "-o csv and -o ocsf write calls, one on each line: they go with none of --raw, --count and --by",
        ));
    }
    if args.raw {
        return raw(&place, &filter, args);
    }
    let within = bounds(args.within);
    let (mut view, mut lacks, mut found);
    let (mut lines, mut in_part) = (String::new(), 0);
    if let Some(by) = args.by {
        let most = RANKED.min(args.limit as usize);
        let answer = archive.top(&filter, by.column(), most, &within).map_err(stop)?;
        lacks = LacksView::of(&answer);
        let ranks = answer.value.first.into_iter().map(|(text, calls)| RankView { text, calls });
        let by: Vec<_> = ranks.collect();
        found = !by.is_empty();
        view = QueryView { by: Some(by), others: Some(answer.value.others), ..QueryView::default() };
    } else if args.count {
        let answer = archive.count(&filter, &within).map_err(stop)?;
        lacks = LacksView::of(&answer);
        found = answer.value > 0;
        view = QueryView { count: Some(answer.value), ..QueryView::default() };
    } else {
        let answer = archive.pages(&filter, args.limit as usize, &within).map_err(stop)?;
        lacks = LacksView::of(&answer);
        found = !answer.value.calls.is_empty();
        let has_more = answer.value.next.is_some();
        if is_lines {
            (lines, in_part) = written(archive, &answer.value.calls, args.output)?;
        }
        let calls = answer.value.calls.iter().map(CallView::of).collect();
        view = QueryView { calls: Some(calls), has_more, ..QueryView::default() };
    }
    if is_by_call {
        let left = Duration::from_secs(args.within).saturating_sub(began.elapsed());
        let bounds = Bounds { within: left, ..Bounds::default() };
        let begun = archive.count(&every.begun(), &bounds).map_err(stop)?;
        lacks.and(&begun);
        view.begun = begun.value;
        found |= begun.value > 0;
    }
    lacks.of_store(place.before());
    let is_whole = lacks.is_nothing() && in_part == 0;
    view.lacks = lacks;
    let text = match args.output {
        Listing::Text => view.told(),
        Listing::Json => plain::json(&answer::json(&view)?),
        Listing::Csv | Listing::Ocsf => {
            // Whoever reads the lines as such reads no sentence among them.
            view.beside().lines().for_each(say);
            if in_part > 0 {
                say(&format!(
                    "{in_part} calls are told by what is kept to find them: their events are damaged."
                ));
            }
            lines
        }
    };
    Ok((text, end(found, is_whole)))
}

/// A line for each call, as they are handed on, and of how many the event's own text is damaged: those are told by what is
/// kept to find them.
fn written(archive: &Archive, calls: &[Call], output: Listing) -> Result<(String, u64), Stop> {
    let (mut text, mut in_part) = (String::new(), 0);
    if output == Listing::Csv {
        handed::csv_head(&mut text);
        calls.iter().for_each(|call| ToldCall::of(call, None).csv(&mut text));
        return Ok((text, 0));
    }
    for calls in calls.chunks(PAGE) {
        let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
        for (call, raw) in calls.iter().zip(archive.raws(&ids)) {
            let raw = match raw {
                Ok(raw) => Some(raw),
                Err(error) if error.is_damage() => {
                    in_part += 1;
                    None
                }
                Err(error) => return Err(stop(error)),
            };
            let mut line = String::new();
            ToldCall::of(call, raw.as_deref()).ocsf(&mut line);
            text.push_str(&plain::line(line.trim_end()));
            text.push('\n');
        }
    }
    Ok((text, in_part))
}

pub(super) fn who_deleted(args: &WhoDeleted) -> Result<(String, End), Stop> {
    let archive = open(&args.archive, false)?;
    let object = ObjectRef {
        cluster: args.cluster.clone(),
        resource: args.resource.clone(),
        namespace: args.namespace.clone(),
        name: args.name.clone(),
    };
    let answer = archive.deletions(&object, DELETIONS, &bounds(args.within)).map_err(stop)?;
    let lacks = LacksView::of(&answer);
    let is_whole = lacks.is_nothing();
    let deletions = answer.value.found.iter().map(|one| DeletionView {
        how: match one.how {
            How::Named => "named",
            How::Collection => "collection",
            How::Namespace => "namespace",
            How::Evicted => "evicted",
            How::Kind => "kind",
        },
        call: CallView::of(&one.call),
    });
    let view = WhoDeletedView {
        deletions: deletions.collect(),
        has_more: answer.value.has_more,
        begun: answer.value.begun,
        untold: answer.value.untold,
        lacks,
    };
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, end(!view.deletions.is_empty(), is_whole)))
}

fn end(found: bool, is_whole: bool) -> End {
    match (found, is_whole) {
        (_, false) => End::Unanswered,
        (true, true) => End::Good,
        (false, true) => End::Found,
    }
}

pub(super) fn filter(which: &Which) -> Filter {
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
    let resources = which.resource.iter().map(|resource| match resource.split_once('/') {
        Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
        None => (resource.clone(), None),
    });
    filter = filter.resources(resources.collect());
    for stage in &which.stage {
        filter = match stage {
            StageOf::RequestReceived => filter.stage(Stage::RequestReceived),
            StageOf::ResponseStarted => filter.stage(Stage::ResponseStarted),
            StageOf::ResponseComplete => filter.stage(Stage::ResponseComplete),
            StageOf::Panic => filter.stage(Stage::Panic),
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

/// The events as they were written. One that is damaged is missing, and makes the answer less than whole.
fn raw(place: &Place, filter: &Filter, args: &Query) -> Result<(String, End), Stop> {
    let archive = place.archive();
    let answer = archive.pages(filter, args.limit as usize, &bounds(args.within)).map_err(stop)?;
    let (mut text, mut is_whole) = (String::new(), answer.lacks_nothing() && place.before().is_none());
    for calls in answer.value.calls.chunks(PAGE) {
        let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
        for event in archive.raws(&ids) {
            match event {
                // One line each, whatever stands in it.
                Ok(event) => {
                    text.push_str(&plain::line(&event));
                    text.push('\n');
                }
                Err(error) if error.is_damage() => is_whole = false,
                Err(error) => return Err(stop(error)),
            }
        }
    }
    Ok((text, end(!answer.value.calls.is_empty(), is_whole)))
}
