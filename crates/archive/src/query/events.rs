//! Events as they were read, out of what is kept of them: for whoever compares them with something else.

use super::page::read;
use super::{Answer, Bounds, Call, Clock, gather};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Part;
use crate::call_id::CallId;
use crate::coding::uuid;
use crate::column::{AT, AUDIT_ID, Column, FORBID};
use crate::filter::Filter;
use crate::status::Problem;
use sallyport_events::{Came, Decision, Event, Field, Object, Text, User, event_in};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;

/// Calls of one look into the archive.
const PAGE: usize = 1000;

/// An event, and which one it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Which one.
    pub id: CallId,
    /// What it says, without its text as it was written.
    pub event: Event<'static>,
}

/// Some events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// Those that fit, in the order in which they came in.
    pub events: Vec<Kept>,
    /// Whether there are older ones than were wanted.
    pub has_more: bool,
}

impl Archive {
    /// Events that fit, each read again from its text as it was written; at most `most`, the newest. Of one whose text
    /// was cut there is what its columns say. Others are not unpacked but where they lie beside those that fit.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn events(
        &self,
        filter: &Filter,
        most: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Events>, ArchiveError> {
        let clock = Clock::start(bounds);
        let pages = self.pages(filter, most, &clock.left())?;
        let (is_whole, damaged) = (pages.is_whole, pages.damaged);
        let (mut calls, has_more) = (pages.value.calls, pages.value.next.is_some());
        let found = Events { events: Vec::new(), has_more };
        let mut answer = Answer { is_whole, damaged, ..Answer::begun(self, found) };
        calls.sort_by_key(|call| call.id);
        for calls in calls.chunks(PAGE) {
            if clock.is_over()? {
                answer.is_whole = false;
                return Ok(answer);
            }
            self.again(calls, &mut answer.value.events, &mut answer.damaged)?;
        }
        Ok(answer)
    }

    /// Events that have one of these `auditID`s and fit, at most about `most`; where there are more, the answer is not whole.
    /// Ids that are no UUIDs in small letters are not found. An id is the client's to choose, and anybody may send it as
    /// often as they like.
    ///
    /// # Errors
    /// As [`Archive::count`].
    pub fn with_audit_ids<'i>(
        &self,
        ids: impl IntoIterator<Item = &'i str>,
        filter: &Filter,
        most: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Vec<Kept>>, ArchiveError> {
        let ids: HashSet<[u8; 16]> = ids.into_iter().filter_map(uuid).collect();
        let (mut all, is_cut) = (Vec::new(), Cell::new(false));
        let mut answer = gather(
            self,
            filter,
            bounds,
            |found: &mut Vec<Call>, segment, meta, wanted| {
                let places = match &*segment.part(meta, AUDIT_ID)? {
                    Part::Ids(has) => has.find_any(&ids),
                    _ => Vec::new(),
                };
                if places.is_empty() {
                    return Ok(());
                }
                let Some(hits) = wanted.in_block(segment, meta)? else { return Ok(()) };
                let is_wanted = |at: &usize| hits.marks.as_ref().is_none_or(|marks| marks[*at]);
                let mut places =
                    places.into_iter().filter(is_wanted).map(|at| meta.first + at as u64).peekable();
                if found.len() >= most {
                    is_cut.set(is_cut.get() || places.peek().is_some());
                    return Ok(());
                }
                let these: Vec<u64> = places.map(|at| CallId::new(segment.number, at).number()).collect();
                found.extend(read(segment, meta, &these)?);
                Ok(())
            },
            |found, _| {
                all.extend(found);
                is_cut.set(is_cut.get() || all.len() > most);
                all.truncate(most);
                Ok(())
            },
        )?;
        answer.is_whole &= !is_cut.get();
        let mut kept = Vec::new();
        self.again(&all, &mut kept, &mut answer.damaged)?;
        Ok(answer.with(kept))
    }

    /// The events behind calls, read again.
    fn again(&self, calls: &[Call], into: &mut Vec<Kept>, damaged: &mut u64) -> Result<(), ArchiveError> {
        let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
        for (call, raw) in calls.iter().zip(self.raws(&ids)) {
            match raw {
                Ok(raw) => into.push(Kept { id: call.id, event: event(call, &raw) }),
                Err(error) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    *damaged += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The first and the last moment of calls that fit, in microseconds of Unix time.
    ///
    /// # Errors
    /// As [`Archive::count`].
    pub fn range_of(
        &self,
        filter: &Filter,
        bounds: &Bounds,
    ) -> Result<Answer<Option<(i64, i64)>>, ArchiveError> {
        fn wider(range: &mut Option<(i64, i64)>, (from, to): (i64, i64)) {
            let (low, high) = range.unwrap_or((from, to));
            *range = Some((low.min(from), high.max(to)));
        }
        let mut all = None;
        let answer = gather(
            self,
            filter,
            bounds,
            |range: &mut Option<(i64, i64)>, segment, meta, wanted| {
                let Some(hits) = wanted.in_block(segment, meta)? else { return Ok(()) };
                let Part::Numbers(times) = &*segment.part(meta, AT)? else { return Ok(()) };
                hits.calls(meta.calls).for_each(|call| wider(range, (times[call], times[call])));
                Ok(())
            },
            |range, _| {
                range.into_iter().for_each(|range| wider(&mut all, range));
                Ok(())
            },
        )?;
        Ok(answer.with(all))
    }

    /// The call that came in last.
    pub fn newest(&self) -> Option<CallId> {
        let segments = self.shared.segments();
        segments.iter().rev().find_map(|segment| {
            let view = segment.view();
            let last = view.blocks.last()?;
            Some(CallId::new(segment.number, last.first + last.calls as u64 - 1))
        })
    }
}

fn own(text: &str) -> Text<'static> {
    Cow::Owned(text.to_owned())
}

/// The event behind a call. What was known of it from around its text (who wrapped it, what came before it) is kept in
/// its columns, and goes before what the text says by itself.
fn event(call: &Call, raw: &str) -> Event<'static> {
    // Nobody who asks for many wants each as it was written too.
    let found = event_in(raw, |event| Event { raw: Cow::Borrowed(""), ..event }.into_owned());
    let mut event = found.unwrap_or_else(|| by_columns(call));
    event.audit_id = own(&call.audit_id);
    event.shape = call.marks.shape;
    event.level = call.marks.level;
    event.stages = call.marks.stages;
    event.flaws = call.marks.flaws;
    let lacks_uri = event.uri.is_empty();
    event.provenance = call.marks.provenance;
    if lacks_uri {
        event.provenance.note(Field::Uri, Came::Absent);
    }
    if event.at().is_none_or(|at| at != call.at) {
        event.received_at = Some(call.at);
    }
    let some = |column: Column| Some(call.text(column)).filter(|text| !text.is_empty());
    event.credential = some(Column::Credential).map(own);
    event.account = some(Column::Session).and_then(|account| account.parse().ok());
    event
}

/// What is kept of an event beside its text.
fn by_columns(call: &Call) -> Event<'static> {
    let some = |column: Column| Some(call.text(column)).filter(|text| !text.is_empty());
    let resource = some(Column::Resource).map(|whole| whole.split_once('.').unwrap_or((whole, "")));
    Event {
        verb: own(call.text(Column::Verb)),
        user: User { name: own(call.text(Column::User)), ..User::default() },
        impersonated: some(Column::Impersonated)
            .map(|name| Box::new(User { name: own(name), ..User::default() })),
        source_ips: some(Column::Address).map(|all| all.split(',').map(own).collect()).unwrap_or_default(),
        user_agent: some(Column::UserAgent).map(own),
        object: resource.map(|(resource, group)| Object {
            group: own(group),
            resource: own(resource),
            subresource: own(call.text(Column::Subresource)),
            namespace: own(call.text(Column::Namespace)),
            name: own(call.text(Column::Name)),
            ..Object::default()
        }),
        code: call.code(),
        decision: match call.text(Column::Decision) {
            "allow" => Some(Decision::Allow),
            FORBID => Some(Decision::Forbid),
            _ => None,
        },
        decision_reason: some(Column::Reason).map(own),
        issued_credential: some(Column::Issued).map(own),
        ..Event::default()
    }
}
