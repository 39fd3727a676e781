//! Calls, newest first, page by page.

use super::{Answer, Bounds, Clock, TRIES};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::{self, Meta, Part};
use crate::call_id::CallId;
use crate::column::{AT, AUDIT_ID, Column, FORBID, ITEM, OFFSET, TOOK};
use crate::filter::Filter;
use crate::marks::Marks;
use crate::segment::{Segment, Unread};
use crate::status::Problem;
use sallyport_events::is_denied;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// Most calls of a page.
const PAGE_MOST: usize = 1000;

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The moment of the last call that was looked at, in microseconds of Unix time.
    pub at: i64,
    /// Which one that was; calls of one moment are told apart by it.
    pub id: u64,
}

/// One call as the archive finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which one it is.
    pub id: CallId,
    /// When it happened, in microseconds of Unix time, by the API server's clock.
    pub at: i64,
    /// How long it took, in microseconds, if that is known.
    pub took: Option<u64>,
    /// `auditID`: the client's to choose, so that it proves nothing by itself.
    pub audit_id: String,
    /// The byte at which its line begins in its file.
    pub offset: u64,
    /// Which of the line's events it was.
    pub item: u64,
    /// What it says of itself.
    pub marks: Marks,
    texts: Vec<String>,
}

impl Call {
    /// What a column says of it; empty where it says nothing.
    pub fn text(&self, column: Column) -> &str {
        self.texts.get(column as usize).map_or("", String::as_str)
    }

    /// The HTTP status, if there is one.
    pub fn code(&self) -> Option<u16> {
        self.text(Column::Code).parse().ok()
    }

    /// Whether it was denied ([`sallyport_events::is_denied`]).
    pub fn is_denied(&self) -> bool {
        is_denied(self.text(Column::Decision) == FORBID, self.code())
    }
}

/// Some calls, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Those that fit.
    pub calls: Vec<Call>,
    /// Where the next page starts; `None` when nothing older is left. Where the time was over before the page was
    /// full, it leads on to what was not looked at.
    pub next: Option<Cursor>,
}

/// A block that may have wanted calls.
struct Candidate {
    segment: Arc<Segment>,
    meta: Arc<Meta>,
}

impl Archive {
    /// Calls that fit, newest first, from `cursor` (a page's `next`) on; at most `limit`, at most 1,000. What came in
    /// late is where it happened.
    ///
    /// # Errors
    /// [`ArchiveError::Canceled`], or what the disk said. Damaged events are counted in the answer.
    pub fn page(
        &self,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Page>, ArchiveError> {
        let clock = Clock::start(bounds);
        let limit = limit.clamp(1, PAGE_MOST);
        for _ in 0..TRIES {
            match self.try_page(filter, cursor, limit, &clock) {
                Ok(answer) => return Ok(answer),
                // Once more, with the blocks there are now.
                Err(Unread::Merged) => {}
                Err(Unread::Damaged(error)) => return Err(error),
            }
        }
        Ok(Answer { is_whole: false, ..Answer::begun(self, Page { calls: Vec::new(), next: cursor }) })
    }

    /// Calls that fit, newest first, page by page within one stretch of time for all of them; at most `most`. Each page is
    /// handed on as it is read. Says where to go on, where more is left.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn each_page(
        &self,
        filter: &Filter,
        most: usize,
        bounds: &Bounds,
        mut each: impl FnMut(Vec<Call>),
    ) -> Result<Answer<Option<Cursor>>, ArchiveError> {
        let clock = Clock::start(bounds);
        let (mut all, mut looked) = (Answer::begun(self, None), 0);
        loop {
            let page = self.page(filter, all.value, PAGE_MOST.min(most - looked), &clock.left())?;
            looked += page.value.calls.len();
            each(page.value.calls);
            (all.value, all.is_whole) = (page.value.next, page.is_whole);
            all.damaged = all.damaged.max(page.damaged);
            if all.value.is_none() || looked >= most || !all.is_whole {
                return Ok(all);
            }
        }
    }

    /// The same as one long page.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn pages(&self, filter: &Filter, most: usize, bounds: &Bounds) -> Result<Answer<Page>, ArchiveError> {
        let mut calls = Vec::new();
        let answer = self.each_page(filter, most, bounds, |page| calls.extend(page))?;
        let next = answer.value;
        Ok(answer.with(Page { calls, next }))
    }

    fn try_page(
        &self,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
        clock: &Clock,
    ) -> Result<Answer<Page>, Unread> {
        let mut answer = Answer::begun(self, Page::default());
        let below = cursor.map_or((i64::MAX, u64::MAX), |cursor| (cursor.at, cursor.id));
        let (_, to) = filter.range();
        // Whatever is behind the cursor needs no second look.
        let filter = filter.clone().to(to.min(below.0.saturating_add(1)));
        let (mut candidates, mut wanted) = (Vec::new(), BTreeMap::new());
        for segment in self.shared.to_read() {
            let view = segment.view();
            match filter.of(&segment, &view) {
                Ok(Some(found)) => {
                    let blocks = view.blocks.iter().filter(|meta| found.may_be_in(meta));
                    candidates.extend(
                        blocks.map(|meta| Candidate { segment: segment.clone(), meta: meta.clone() }),
                    );
                    wanted.insert(segment.number, found);
                }
                Ok(None) => {}
                Err(error) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    answer.damaged += view.events;
                }
                Err(error) => return Err(error.into()),
            }
        }
        candidates.sort_by_key(|one| Reverse((one.meta.at_max, one.segment.number, one.meta.first)));

        // The newest found so far, the oldest of them on top; one more than a page, to know whether there is a next.
        let mut newest: BinaryHeap<Reverse<(i64, u64, usize)>> = BinaryHeap::new();
        // The moment above which everything was looked at.
        let mut looked_to = None;
        for (at, Candidate { segment, meta }) in candidates.iter().enumerate() {
            if newest.len() > limit && newest.peek().is_some_and(|oldest| oldest.0.0 > meta.at_max) {
                break;
            }
            if clock.is_over()? {
                answer.is_whole = false;
                looked_to = Some(meta.at_max);
                break;
            }
            let Some(wanted) = wanted.get(&segment.number) else { continue };
            let found = wanted.in_block(segment, meta).and_then(|hits| match hits {
                Some(hits) => Ok(Some((hits, segment.part(meta, AT)?))),
                None => Ok(None),
            });
            match found {
                Ok(Some((hits, part))) => {
                    let Part::Numbers(times) = &*part else { continue };
                    for call in hits.calls(meta.calls) {
                        let id = CallId::new(segment.number, meta.first + call as u64).number();
                        let key = (times[call], id);
                        if key >= below
                            || (newest.len() > limit && newest.peek().is_some_and(|o| (o.0.0, o.0.1) > key))
                        {
                            continue;
                        }
                        newest.push(Reverse((key.0, key.1, at)));
                        if newest.len() > limit + 1 {
                            newest.pop();
                        }
                    }
                }
                Ok(None) => {}
                Err(Unread::Damaged(error)) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    answer.damaged += meta.calls as u64;
                }
                Err(error) => return Err(error),
            }
        }
        let mut found: Vec<(i64, u64, usize)> = newest.into_iter().map(|Reverse(one)| one).collect();
        found.sort_unstable_by_key(|one| Reverse(*one));
        if let Some(looked_to) = looked_to {
            // What lies at or below it may have neighbours that nobody looked at.
            found.retain(|(at, _, _)| *at > looked_to);
            answer.value.next = Some(Cursor { at: looked_to.saturating_add(1), id: 0 });
        }
        if found.len() > limit {
            found.truncate(limit);
            answer.value.next = found.last().map(|(at, id, _)| Cursor { at: *at, id: *id });
        }
        answer.value.calls = self.calls(&candidates, &found, &mut answer.damaged)?;
        Ok(answer)
    }

    /// The calls in full, block by block, in the order they were asked for.
    fn calls(
        &self,
        candidates: &[Candidate],
        found: &[(i64, u64, usize)],
        damaged: &mut u64,
    ) -> Result<Vec<Call>, Unread> {
        let mut by_block: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, (_, _, candidate)) in found.iter().enumerate() {
            by_block.entry(*candidate).or_default().push(place);
        }
        let mut calls: Vec<Option<Call>> = vec![None; found.len()];
        for (candidate, places) in by_block {
            let Candidate { segment, meta } = &candidates[candidate];
            let ids: Vec<u64> = places.iter().map(|place| found[*place].1).collect();
            match read(segment, meta, &ids) {
                Ok(read) => places.iter().zip(read).for_each(|(place, call)| calls[*place] = Some(call)),
                Err(Unread::Damaged(error)) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    *damaged += ids.len() as u64;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(calls.into_iter().flatten().collect())
    }
}

/// Calls of one block.
pub(super) fn read(segment: &Segment, meta: &Meta, ids: &[u64]) -> Result<Vec<Call>, Unread> {
    let place = |id: u64| (CallId::from_number(id).place() - meta.first) as usize;
    let mut calls: Vec<Call> = ids
        .iter()
        .map(|id| Call {
            id: CallId::from_number(*id),
            at: 0,
            took: None,
            audit_id: String::new(),
            offset: 0,
            item: 0,
            marks: Marks::default(),
            texts: Vec::with_capacity(Column::ALL.len()),
        })
        .collect();
    for number in block::parts() {
        match &*segment.part(meta, number)? {
            Part::Codes(codes) => {
                let Some(column) = Column::ALL.get(usize::from(number)) else { continue };
                let words: Vec<u32> = ids.iter().map(|id| codes.word(place(*id))).collect();
                let texts = segment.texts(*column, &words)?;
                calls.iter_mut().zip(texts).for_each(|(call, text)| call.texts.push(text));
            }
            Part::Numbers(numbers) => {
                for call in &mut calls {
                    let value = numbers[place(call.id.number())];
                    match number {
                        AT => call.at = value,
                        TOOK => call.took = value.checked_sub(1).and_then(|took| u64::try_from(took).ok()),
                        OFFSET => call.offset = value as u64,
                        ITEM => call.item = value as u64,
                        _ => {}
                    }
                }
            }
            Part::Ids(read) if number == AUDIT_ID => {
                calls.iter_mut().for_each(|call| call.audit_id = read.text(place(call.id.number())));
            }
            Part::Ids(_) => {}
        }
    }
    for call in &mut calls {
        call.marks = Marks::read(call.text(Column::Marks));
    }
    Ok(calls)
}
