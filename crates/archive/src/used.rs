//! What an archive tells of somebody's calls, as a proposal takes it (`sallyport_rbac::propose`).

use crate::column::FORBID;
use crate::{Answer, Archive, ArchiveError, Bounds, Call, CallId, Column, Combination, Filter, Marks};
use sallyport_events::{Flaw, Level, event_in};
use sallyport_rbac::propose::{Outcome, Seen, Used, to_be};
use sallyport_rbac::question::{Asked, What};
use std::collections::BTreeMap;
use std::time::Instant;

/// Calls that ask for different things are kept apart, at most so many; where there are more, their names are left out.
const APART_MOST: usize = 50_000;
/// Calls about no resource whose paths are read: those are in the raw events alone.
const PATHS_MOST: usize = 20_000;
/// As many at a time.
const PATHS_AT_ONCE: usize = 1000;

/// Whose calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A person's or an account's, by the name that API servers know.
    Person(String),
    /// A session's, by its account.
    Session(String),
}

impl Whose {
    /// The calls of a filter that are theirs.
    pub fn filter(&self, filter: Filter) -> Filter {
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

/// An archive, with the time that is left for it, and what its answers lack.
struct Asking<'a> {
    archive: &'a Archive,
    began: Instant,
    bounds: &'a Bounds,
    lacks: Answer<()>,
}

impl Asking<'_> {
    fn left(&self) -> Bounds {
        let within = self.bounds.within.saturating_sub(self.began.elapsed());
        Bounds { within, cancel: self.bounds.cancel.clone() }
    }

    /// With what a part of the same answer lacks.
    fn and<T>(&mut self, answer: &Answer<T>) {
        self.lacks.is_whole &= answer.is_whole;
        self.lacks.damaged = self.lacks.damaged.max(answer.damaged);
        self.lacks.unread_segments = self.lacks.unread_segments.max(answer.unread_segments);
    }

    /// Which texts occur together, and how many calls were one combination too many.
    fn apart(
        &mut self,
        filter: &Filter,
        columns: &[Column],
    ) -> Result<(Vec<Combination>, u64), ArchiveError> {
        let answer = self.archive.combinations(filter, columns, APART_MOST, &self.left())?;
        self.and(&answer);
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

/// What somebody did, by the calls of a filter.
///
/// # Errors
/// As [`Archive::page`].
pub fn seen(
    archive: &Archive,
    whose: &Whose,
    filter: &Filter,
    bounds: &Bounds,
) -> Result<Answer<Seen>, ArchiveError> {
    let mut asking = Asking { archive, began: Instant::now(), bounds, lacks: Answer::begun(archive, ()) };
    let asking = &mut asking;
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
                        count(&mut seen, row);
                    }
                    continue;
                }
                Rights::Theirs => (on(&text), false),
                Rights::ToBeAnother => (to_be(text(Column::Impersonated)), true),
            };
            if is_over {
                count(&mut seen, row);
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
        let level = marks.level.map_or("not said", Level::name);
        *seen.levels.entry(level).or_default() += row.calls;
    }
    seen.used = used.into_values().collect();
    Ok(asking.lacks.clone().with(seen))
}

fn count(seen: &mut Seen, row: &Combination) {
    seen.calls = seen.calls.saturating_add(row.calls);
    let (first, last) = seen.range.unwrap_or((row.first, row.last));
    seen.range = Some((first.min(row.first), last.max(row.last)));
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
        FORBID => Some(false),
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
) -> Result<(), ArchiveError> {
    let filter = filter.clone().only(Column::Resource, "");
    let (mut cursor, mut taken) = (None, 0);
    loop {
        let most = PATHS_AT_ONCE.min(PATHS_MOST - taken);
        let answer = asking.archive.page(&filter, cursor, most, &asking.left())?;
        asking.and(&answer);
        taken += answer.value.calls.len();
        path_calls(asking, whose, &answer.value.calls, used)?;
        cursor = answer.value.next;
        seen.has_more_paths = cursor.is_some();
        if cursor.is_none() || taken >= PATHS_MOST || !answer.is_whole {
            return Ok(());
        }
    }
}

/// The paths of these calls.
fn path_calls(
    asking: &mut Asking<'_>,
    whose: &Whose,
    calls: &[Call],
    used: &mut BTreeMap<String, Used>,
) -> Result<(), ArchiveError> {
    let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
    for (call, raw) in calls.iter().zip(asking.archive.raws(&ids)) {
        let is_theirs =
            whose.rights(call.text(Column::User), call.text(Column::Impersonated)) == Rights::Theirs;
        let raw = match raw {
            Ok(raw) if is_theirs => raw,
            Ok(_) => continue,
            Err(error) if error.is_damage() => {
                let damaged = Answer { value: (), is_whole: true, damaged: 1, unread_segments: 0 };
                asking.and(&damaged);
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(path) = path(&raw) else { continue };
        let asked =
            Asked { verb: call.text(Column::Verb).to_owned(), what: What::Path(path), namespace: None };
        let outcome = outcome(call.text(Column::Code), call.text(Column::Decision));
        let row = Combination { texts: Vec::new(), calls: 1, first: call.at, last: call.at };
        note(used, asked, outcome, false, &row, true);
    }
    Ok(())
}

/// The path of an event about no resource, without what was asked behind it.
fn path(raw: &str) -> Option<String> {
    let path = event_in(raw, |event| event.object.is_none().then(|| event.path().into_owned()));
    path.flatten().filter(|path| path.starts_with('/'))
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
