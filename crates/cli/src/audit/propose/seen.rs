//! What an archive tells of somebody's calls, as a proposal takes it.

use super::super::query::pages;
use super::super::stop;
use super::super::view::LacksView;
use crate::end::Stop;
use sallyport_archive::{Answer, Archive, Bounds, CallId, Column, Combination, Filter, Marks};
use sallyport_events::{Flaw, Level, Reader, What as FoundWhat};
use sallyport_rbac::propose::{Outcome, Used, to_be};
use sallyport_rbac::question::{Asked, What};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Calls that ask for different things are kept apart, at most so many; where there are more, their names are left out.
const APART_MOST: usize = 50_000;
/// Calls about no resource whose paths are read: those are in the raw events alone.
const PATHS_MOST: usize = 20_000;
/// As many at a time.
const PATHS_AT_ONCE: usize = 1000;

/// Whose calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A person's or an account's, by the name that API servers know.
    Person(String),
    /// A session's, by its account.
    Session(String),
}

impl Whose {
    pub(super) fn filter(&self, filter: Filter) -> Filter {
        match self {
            Self::Person(name) => filter.person(name),
            Self::Session(account) => filter.only(Column::Session, account),
        }
    }

    /// Under whose rights a call was judged, by who signed in and as whom they called.
    fn rights(&self, user: &str, impersonated: &str) -> Rights {
        match self {
            Self::Session(_) if impersonated.is_empty() => Rights::Theirs,
            Self::Session(_) => Rights::ToBeAnother,
            Self::Person(name) if impersonated == name => Rights::Theirs,
            Self::Person(name) if user == name && impersonated.is_empty() => Rights::Theirs,
            Self::Person(_) => Rights::ToBeAnother,
        }
    }
}

/// What rights of theirs a call needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rights {
    /// To do it.
    Theirs,
    /// To be somebody else, who did it.
    ToBeAnother,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) used: Vec<Used>,
    /// Calls that are over, and calls of which only the begin is told.
    pub(super) calls: u64,
    /// The first and the last moment, in microseconds of Unix time.
    pub(super) range: Option<(i64, i64)>,
    /// How many calls each level of the cluster's audit policy told.
    pub(super) levels: BTreeMap<&'static str, u64>,
    /// Events that break off.
    pub(super) partial: u64,
    /// Names were too many to be kept apart.
    pub(super) without_names: bool,
    /// Calls that were not looked at, because there are too many different ones.
    pub(super) others: u64,
    /// Whether calls about no resource were more than are looked at.
    pub(super) has_more_paths: bool,
    /// Whether they impersonated somebody: groups are not in it.
    pub(super) impersonated: bool,
    pub(super) lacks: LacksView,
}

/// An archive, with the time that is left for it.
pub(super) struct Asking<'a> {
    archive: &'a Archive,
    began: Instant,
    within: Duration,
    pub(super) lacks: LacksView,
}

impl<'a> Asking<'a> {
    pub(super) fn new(archive: &'a Archive, within: u64) -> Self {
        let whole = Answer { value: (), is_whole: true, damaged: 0, unread_segments: 0 };
        let lacks = LacksView::of(&whole);
        Self { archive, began: Instant::now(), within: Duration::from_secs(within), lacks }
    }

    fn left(&self) -> Bounds {
        Bounds { within: self.within.saturating_sub(self.began.elapsed()), ..Bounds::default() }
    }

    /// Which texts occur together, and how many calls were one combination too many.
    pub(super) fn apart(
        &mut self,
        filter: &Filter,
        columns: &[Column],
    ) -> Result<(Vec<Combination>, u64), Stop> {
        let answer = self.archive.combinations(filter, columns, APART_MOST, &self.left()).map_err(stop)?;
        self.lacks.and(&answer);
        Ok((answer.value.rows, answer.value.others))
    }
}

const COLUMNS: [Column; 9] = [
    Column::Verb,
    Column::Resource,
    Column::Subresource,
    Column::Namespace,
    Column::Code,
    Column::Decision,
    Column::User,
    Column::Impersonated,
    // The last: it is left out where names are too many.
    Column::Name,
];

pub(super) fn seen(asking: &mut Asking<'_>, whose: &Whose, filter: &Filter) -> Result<Seen, Stop> {
    let filter = whose.filter(filter.clone());
    let mut seen = Seen::default();
    let mut used: BTreeMap<String, Used> = BTreeMap::new();
    let ended = filter.clone().ended();
    // What only began may go on still: a watch or an exec that nobody ended was let in all the same.
    let begun = filter.clone().begun().only(Column::Decision, "allow");
    for (filter, is_over) in [(&ended, true), (&begun, false)] {
        let (mut rows, mut others) = asking.apart(filter, &COLUMNS)?;
        if others > 0 {
            seen.without_names = true;
            (rows, others) = asking.apart(filter, &COLUMNS[..COLUMNS.len() - 1])?;
        }
        seen.others = seen.others.max(others);
        for row in &rows {
            let text = |column: Column| {
                COLUMNS
                    .iter()
                    .position(|one| *one == column)
                    .and_then(|at| row.texts.get(at))
                    .map_or("", String::as_str)
            };
            let outcome = outcome(text(Column::Code), text(Column::Decision));
            let (asked, is_another) = match whose.rights(text(Column::User), text(Column::Impersonated)) {
                Rights::Theirs if text(Column::Resource).is_empty() => {
                    if is_over {
                        seen.count(row);
                    }
                    continue;
                }
                Rights::Theirs => (on(&text), false),
                Rights::ToBeAnother => (to_be(text(Column::Impersonated)), true),
            };
            if is_over {
                seen.count(row);
            }
            // Whether the impersonation was refused or what came after it, the log does not say.
            if is_another && outcome != Outcome::Allowed {
                continue;
            }
            seen.impersonated |= is_another;
            let created = is_over
                && !is_another
                && text(Column::Code) == "201"
                && matches!(text(Column::Verb), "patch" | "update");
            note(&mut used, asked, outcome, created, row, is_over);
        }
    }
    paths(asking, whose, &ended, &mut seen, &mut used)?;
    let (rows, _) = asking.apart(&filter, &[Column::Marks])?;
    for row in &rows {
        let marks = Marks::read(row.texts.first().map_or("", String::as_str));
        if marks.flaws.has(Flaw::Partial) {
            seen.partial += row.calls;
        }
        let level = match marks.level {
            Some(Level::RequestResponse) => "RequestResponse",
            Some(Level::Request) => "Request",
            Some(Level::Metadata) => "Metadata",
            Some(Level::None) => "None",
            None => "not said",
        };
        *seen.levels.entry(level).or_default() += row.calls;
    }
    seen.used = used.into_values().collect();
    seen.lacks = asking.lacks;
    Ok(seen)
}

impl Seen {
    fn count(&mut self, row: &Combination) {
        self.calls = self.calls.saturating_add(row.calls);
        let (first, last) = self.range.unwrap_or((row.first, row.last));
        self.range = Some((first.min(row.first), last.max(row.last)));
    }
}

/// Calls that asked for the same with the same outcome are one. A begin adds no call where the end is told.
fn note(
    used: &mut BTreeMap<String, Used>,
    asked: Asked,
    outcome: Outcome,
    created: bool,
    row: &Combination,
    is_over: bool,
) {
    let key = format!("{asked:?} {outcome:?} {created}");
    let Combination { calls, first, last, .. } = *row;
    match used.get_mut(&key) {
        Some(_) if !is_over => {}
        Some(one) => {
            one.calls = one.calls.saturating_add(calls);
            one.first = one.first.min(first);
            one.last = one.last.max(last);
        }
        None => drop(used.insert(key, Used { asked, outcome, created, calls, first, last })),
    }
}

fn on<'r>(text: &impl Fn(Column) -> &'r str) -> Asked {
    // As kubectl writes it: what is behind the first dot is the group.
    let (resource, group) = text(Column::Resource).split_once('.').unwrap_or((text(Column::Resource), ""));
    Asked {
        verb: text(Column::Verb).to_owned(),
        what: What::Resource {
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: text(Column::Subresource).to_owned(),
            name: text(Column::Name).to_owned(),
        },
        namespace: Some(text(Column::Namespace)).filter(|name| !name.is_empty()).map(str::to_owned),
    }
}

/// What came of a call.
fn outcome(code: &str, decision: &str) -> Outcome {
    let is_allowed = match decision {
        "allow" => Some(true),
        "forbid" => Some(false),
        _ => None,
    };
    Outcome::of(code.parse().ok(), is_allowed)
}

/// Paths that are no resources' stand in the raw events alone.
fn paths(
    asking: &mut Asking<'_>,
    whose: &Whose,
    filter: &Filter,
    seen: &mut Seen,
    used: &mut BTreeMap<String, Used>,
) -> Result<(), Stop> {
    let filter = filter.clone().only(Column::Resource, "");
    let within = asking.left().within.as_secs().max(1);
    let answer = pages(asking.archive, &filter, PATHS_MOST, within).map_err(stop)?;
    asking.lacks.and(&answer);
    seen.has_more_paths = answer.value.has_more;
    for calls in answer.value.calls.chunks(PATHS_AT_ONCE) {
        let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
        for (call, raw) in calls.iter().zip(asking.archive.raws(&ids)) {
            let is_theirs =
                whose.rights(call.text(Column::User), call.text(Column::Impersonated)) == Rights::Theirs;
            let raw = match raw {
                Ok(raw) if is_theirs => raw,
                Ok(_) => continue,
                Err(error) if error.is_damage() => {
                    let damaged = Answer { value: (), is_whole: true, damaged: 1, unread_segments: 0 };
                    asking.lacks.and(&damaged);
                    continue;
                }
                Err(error) => return Err(stop(error)),
            };
            let Some(path) = path(&raw) else { continue };
            let asked =
                Asked { verb: call.text(Column::Verb).to_owned(), what: What::Path(path), namespace: None };
            let outcome = outcome(call.text(Column::Code), call.text(Column::Decision));
            let row = Combination { texts: Vec::new(), calls: 1, first: call.at, last: call.at };
            note(used, asked, outcome, false, &row, true);
        }
    }
    Ok(())
}

/// The path of an event about no resource, without what was asked behind it.
fn path(raw: &str) -> Option<String> {
    let mut path = None;
    Reader::new().document(raw.as_bytes(), &mut |found| {
        if let FoundWhat::Event(event) = found.what
            && event.object.is_none()
        {
            path = Some(event.path()).filter(|path| path.starts_with('/')).map(|path| path.into_owned());
        }
    });
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_call_is_what_the_log_says_and_never_more() {
        for (code, decision, expected) in [
            ("200", "allow", Outcome::Allowed),
            ("403", "allow", Outcome::Refused),
            ("200", "forbid", Outcome::Refused),
            ("401", "", Outcome::Refused),
            ("101", "", Outcome::Allowed),
            ("404", "", Outcome::Allowed),
            ("429", "", Outcome::Untold),
            ("500", "allow", Outcome::Allowed),
            ("500", "", Outcome::Untold),
            ("", "", Outcome::Untold),
            ("", "allow", Outcome::Allowed),
            ("ok", "", Outcome::Untold),
        ] {
            assert_eq!(outcome(code, decision), expected, "{code} {decision}");
        }
    }

    #[test]
    fn a_path_is_that_of_an_event_and_of_no_resource() {
        let event = |uri: &str, more: &str| {
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"get","requestURI":"{uri}"{more}}}"#
            )
        };
        assert_eq!(path(&event("/metrics?x=y", "")).as_deref(), Some("/metrics"));
        assert_eq!(path(&event("/logs/%2A?x=%2F", "")).as_deref(), Some("/logs/*"));
        assert_eq!(path(&event("/logs/%ff", "")).as_deref(), Some("/logs/\u{fffd}"));
        assert_eq!(path(&event("metrics", "")), None);
        assert_eq!(path("{"), None);
        assert_eq!(path("null"), None);
    }

    #[test]
    fn whose_rights_a_call_needed_is_told_from_who_made_it() {
        let dana = Whose::Person("dana".to_owned());
        assert_eq!(dana.rights("dana", ""), Rights::Theirs);
        assert_eq!(dana.rights("admin", "dana"), Rights::Theirs);
        assert_eq!(dana.rights("dana", "root"), Rights::ToBeAnother);
        let account = to_be("system:serviceaccount:ci:robot");
        assert_eq!(account.said(), "impersonate serviceaccounts named robot in ci");
        assert_eq!(to_be("root").said(), "impersonate users named root");
    }
}
