//! Events as they were read, out of what is kept of them: for whoever compares them with something else. And what came in
//! since somebody looked last.

use super::page::read;
use super::{Answer, Bounds, Call, Clock, TRIES, gather};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Part;
use crate::call_id::CallId;
use crate::coding::uuid;
use crate::column::{AT, AUDIT_ID, Column, FORBID};
use crate::filter::Filter;
use crate::segment::Unread;
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

/// What came in since somebody looked last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// The calls that fit, in the order in which they came in.
    pub calls: Vec<Call>,
    /// Up to which call everything was looked at.
    pub upto: Option<CallId>,
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
        let mut answer = Answer::begun(self, Events::default());
        let (mut calls, mut cursor): (Vec<Call>, _) = (Vec::new(), None);
        loop {
            let page = self.page(filter, cursor, PAGE.min(most - calls.len()), &clock.left())?;
            answer.is_whole &= page.is_whole;
            answer.damaged = answer.damaged.max(page.damaged);
            calls.extend(page.value.calls);
            cursor = page.value.next;
            answer.value.has_more = cursor.is_some();
            if cursor.is_none() || calls.len() >= most || !page.is_whole {
                break;
            }
        }
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

    /// Calls that fit and came in after one, at most about `limit`: a block is told of as a whole.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn arrived(
        &self,
        filter: &Filter,
        after: Option<CallId>,
        limit: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Arrived>, ArchiveError> {
        let clock = Clock::start(bounds);
        for _ in 0..TRIES {
            match self.try_arrived(filter, after, limit, &clock) {
                Ok(answer) => return Ok(answer),
                // Once more, with the blocks there are now.
                Err(Unread::Merged) => {}
                Err(Unread::Damaged(error)) => return Err(error),
            }
        }
        let nothing = Arrived { calls: Vec::new(), upto: after };
        Ok(Answer { is_whole: false, ..Answer::begun(self, nothing) })
    }

    fn try_arrived(
        &self,
        filter: &Filter,
        after: Option<CallId>,
        limit: usize,
        clock: &Clock,
    ) -> Result<Answer<Arrived>, Unread> {
        let mut answer = Answer::begun(self, Arrived { calls: Vec::new(), upto: after });
        for segment in self.shared.to_read() {
            let view = segment.view();
            let id = |place: u64| CallId::new(segment.number, place);
            let is_new = |place: u64| after.is_none_or(|after| id(place) > after);
            let wanted = match filter.of(&segment, &view) {
                Ok(wanted) => wanted,
                Err(error) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    answer.damaged += view.events;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let mut blocks: Vec<_> =
                view.blocks.iter().filter(|meta| is_new(meta.first + meta.calls as u64 - 1)).collect();
            blocks.sort_by_key(|meta| meta.first);
            for meta in blocks {
                if answer.value.calls.len() >= limit {
                    return Ok(answer);
                }
                if clock.is_over()? {
                    answer.is_whole = false;
                    return Ok(answer);
                }
                let hits = wanted.as_ref().map(|wanted| wanted.in_block(&segment, meta)).transpose();
                let found = hits.and_then(|hits| {
                    let Some(hits) = hits.flatten() else { return Ok(Vec::new()) };
                    let places = hits.calls(meta.calls).map(|call| meta.first + call as u64);
                    let ids: Vec<u64> = places.filter(|at| is_new(*at)).map(|at| id(at).number()).collect();
                    if ids.is_empty() { Ok(Vec::new()) } else { read(&segment, meta, &ids) }
                });
                match found {
                    Ok(calls) => answer.value.calls.extend(calls),
                    Err(Unread::Damaged(error)) if error.is_damage() => {
                        self.shared.problem(Problem::segment(&error));
                        answer.damaged += meta.calls as u64;
                    }
                    Err(error) => return Err(error),
                }
                answer.value.upto = Some(id(meta.first + meta.calls as u64 - 1));
            }
        }
        Ok(answer)
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
