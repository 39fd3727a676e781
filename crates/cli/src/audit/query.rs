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

/// What a query found. Of `calls`, `count` and `by` the one is there that was asked for.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryView {
    /// The calls, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<Vec<CallView>>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// How many there are of each, the most frequent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Vec<RankView>>,
    /// Calls that fit none of `by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<u64>,
    /// Whether older calls fit that `--limit` left out.
    has_more: bool,
    /// Whether everything was looked at within the time there was.
    is_whole: bool,
    /// Events that could not be looked at because they are damaged.
    damaged: u64,
}

/// How many calls have this text.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RankView {
    /// The text; empty of those that have none.
    text: String,
    /// How many.
    calls: u64,
}

/// A call. What it does not say is not there.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CallView {
    /// Which one, in this archive.
    id: u64,
    /// When it happened, by the API server's clock: RFC 3339, UTC, milliseconds.
    at: String,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<u64>,
    cluster: String,
    person: String,
    /// As whom, if they impersonated.
    #[serde(skip_serializing_if = "String::is_empty", rename = "as")]
    impersonated: String,
    verb: String,
    /// With its group, and its subresource behind a slash.
    #[serde(skip_serializing_if = "String::is_empty")]
    resource: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    /// `allow` or `forbid`.
    #[serde(skip_serializing_if = "String::is_empty")]
    decision: String,
    /// Why, in the authorizer's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// What an exec starts.
    #[serde(skip_serializing_if = "String::is_empty")]
    command: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    client: String,
    /// Several are separated by commas; all but the last can be set by the client.
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    credential: String,
    /// The session account that made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    session: String,
    /// The client's to choose: it proves nothing by itself.
    audit_id: String,
    source: String,
    /// Something of the event is missing.
    is_partial: bool,
}

/// Calls that may have removed an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WhoDeletedView {
    /// The calls, newest first.
    deletions: Vec<DeletionView>,
    /// Whether everything was looked at within the time there was.
    is_whole: bool,
    /// Events that could not be looked at because they are damaged.
    damaged: u64,
}

/// A call that may have removed it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeletionView {
    /// `named`; `collection`: with others of its kind, whether it was among them only the call's answer says;
    /// `namespace`: with its namespace.
    how: &'static str,
    call: CallView,
}

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

impl CallView {
    fn of(call: &Call) -> Self {
        let text = |column| call.text(column).to_owned();
        let resource = match (call.text(Column::Resource), call.text(Column::Subresource)) {
            (resource, "") => resource.to_owned(),
            (resource, subresource) => format!("{resource}/{subresource}"),
        };
        Self {
            id: call.id.number(),
            at: told(call.at),
            took: call.took,
            cluster: text(Column::Cluster),
            person: text(Column::User),
            impersonated: text(Column::Impersonated),
            verb: text(Column::Verb),
            resource,
            namespace: text(Column::Namespace),
            name: text(Column::Name),
            code: call.code(),
            decision: text(Column::Decision),
            reason: text(Column::Reason),
            command: text(Column::Command),
            client: text(Column::UserAgent),
            address: text(Column::Address),
            credential: text(Column::Credential),
            session: text(Column::Session),
            audit_id: call.audit_id.clone(),
            source: text(Column::Source),
            is_partial: call.marks.flaws.has(Flaw::Partial),
        }
    }

    /// `2026-11-29T20:15:00.123Z  eu-1  200  dana  delete deployments.apps payments/checkout`.
    fn line(&self) -> String {
        let code = self.code.map_or("  –".to_owned(), |code| code.to_string());
        let who = match &*self.person {
            "" => "nobody".to_owned(),
            person => shown(person),
        };
        let whom = match &*self.impersonated {
            "" => String::new(),
            other => format!(" as {}", shown(other)),
        };
        let what = match (&*self.namespace, &*self.name) {
            ("", "") => String::new(),
            ("", name) => format!(" {}", shown(name)),
            (namespace, "") => format!(" in {}", shown(namespace)),
            (namespace, name) => format!(" {}/{}", shown(namespace), shown(name)),
        };
        let command = match &*self.command {
            "" => String::new(),
            command => format!(": {}", shown(command)),
        };
        let partial = if self.is_partial { "  (in part)" } else { "" };
        format!(
            "{}  {}  {code}  {who}{whom}  {} {}{what}{command}{partial}",
            self.at,
            shown(&self.cluster),
            shown(&self.verb),
            shown(&self.resource),
        )
    }
}

impl QueryView {
    fn told(&self) -> String {
        let mut text = String::new();
        // Writing to a String never fails.
        if let Some(count) = self.count {
            let _ = writeln!(text, "{count}");
        }
        for one in self.by.iter().flatten() {
            let _ = writeln!(
                text,
                "{:>10}  {}",
                one.calls,
                if one.text.is_empty() { "–".into() } else { shown(&one.text) }
            );
        }
        if let Some(others @ 1..) = self.others {
            let _ = writeln!(text, "{others:>10}  others");
        }
        for call in self.calls.iter().flatten() {
            let _ = writeln!(text, "{}", call.line());
        }
        let nothing =
            self.calls.as_ref().is_some_and(Vec::is_empty) || self.by.as_ref().is_some_and(Vec::is_empty);
        if nothing {
            text.push_str("Nothing was found.\n");
        }
        if self.has_more {
            text.push_str("There are older ones: --limit shows more.\n");
        }
        lacks(&mut text, self.is_whole, self.damaged);
        text
    }
}

impl WhoDeletedView {
    fn told(&self) -> String {
        let mut text = String::new();
        for one in &self.deletions {
            let how = match one.how {
                "collection" => "  (with others of its kind: whether it was among them, this does not say)",
                "namespace" => "  (with its namespace)",
                _ => "",
            };
            let _ = writeln!(text, "{}{how}", one.call.line());
        }
        if self.deletions.is_empty() {
            text.push_str(
                "No call that removed it was found. What no log that was read tells of is not known.\n",
            );
        }
        lacks(&mut text, self.is_whole, self.damaged);
        text
    }
}

fn lacks(text: &mut String, is_whole: bool, damaged: u64) {
    if !is_whole {
        text.push_str(
            "Not all was looked at in the time there was: there may be more. --within gives it more.\n",
        );
    }
    if damaged > 0 {
        let _ = writeln!(
            text,
            "{damaged} events are damaged and were not looked at: `sallyport audit status` says where."
        );
    }
}
