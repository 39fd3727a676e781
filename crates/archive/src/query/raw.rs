//! One event as it was written, and a walk through all that is stored.

use super::{Answer, Bounds, Call, Clock, Cursor};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::{self, Meta, Part};
use crate::call_id::CallId;
use crate::column::{AUDIT_ID, Column};
use crate::filter::Filter;
use crate::marks::Marks;
use crate::raw::Frame;
use crate::segment::{Segment, Unread};
use crate::status::{Checked, Problem};
use rusqlite::OptionalExtension as _;
use sallyport_events::Flaw;
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many segments at most are read through at once.
const TOGETHER: usize = 4;
/// Calls whose events are read one after the other before the next are looked for.
const AT_ONCE: usize = 500;
/// So often in a row a page may get no further for blocks that are merged just now.
const STUCK: usize = 100;

impl Archive {
    /// The event as it was written, without its secrets.
    ///
    /// # Errors
    /// [`ArchiveError::Gone`] when there is none, [`ArchiveError::Damaged`] when its frame is not what was written.
    pub fn raw(&self, id: CallId) -> Result<String, ArchiveError> {
        self.raws(&[id]).next().unwrap_or(Err(ArchiveError::Gone(id)))
    }

    /// Several of them, in the order of their ids here, each as [`Archive::raw`] gives it. What lies together is
    /// unpacked once. Each is read when it is asked for: an event may be megabytes long, and there are thousands.
    pub fn raws<'a>(
        &self,
        ids: &'a [CallId],
    ) -> impl Iterator<Item = Result<String, ArchiveError>> + use<'a> {
        let segments = self.shared.segments();
        // The frame that was read last: of which segment, from which place on.
        let mut last: Option<(u32, i64, Frame)> = None;
        let read = move |id: CallId| {
            let segment = segments.iter().find(|segment| segment.number == id.segment());
            let segment = segment.ok_or(ArchiveError::Gone(id))?;
            let place = id.place() as i64;
            let is_there = last.as_ref().is_some_and(|(number, first, frame)| {
                *number == segment.number && (*first..*first + frame.len() as i64).contains(&place)
            });
            if !is_there {
                last = Some(frame_of(segment, id)?);
            }
            let text = last.as_ref().and_then(|(_, first, frame)| frame.text((place - first) as usize));
            text.map(Cow::into_owned).ok_or_else(|| segment.damaged("a frame of raw events lacks some"))
        };
        ids.iter().copied().map(read)
    }

    /// Calls that fit, newest first, each with its event as [`Archive::raw`] gives it, or without one where its frame is
    /// damaged or gone by now: until all were handed on, `take` says that it is enough, or the time is over.
    ///
    /// # Errors
    /// As [`Archive::page`].
    pub fn each_raw(
        &self,
        filter: &Filter,
        bounds: &Bounds,
        mut take: impl FnMut(&Call, Option<&str>) -> bool,
    ) -> Result<Answer<()>, ArchiveError> {
        let clock = Clock::start(bounds);
        let (mut all, mut at, mut stuck) = (Answer::begun(self, ()), None::<Cursor>, 0);
        loop {
            let page = self.page(filter, at, AT_ONCE, &clock.left())?;
            all.damaged = all.damaged.max(page.damaged);
            let ids: Vec<CallId> = page.value.calls.iter().map(|call| call.id).collect();
            for (call, raw) in page.value.calls.iter().zip(self.raws(&ids)) {
                if clock.is_over()? {
                    all.is_whole = false;
                    return Ok(all);
                }
                let raw = match raw {
                    Ok(raw) => Some(raw),
                    Err(error) if error.is_damage() || matches!(error, ArchiveError::Gone(_)) => None,
                    Err(error) => return Err(error),
                };
                if !take(call, raw.as_deref()) {
                    return Ok(all);
                }
            }
            // Its blocks are merged just now: once more.
            let is_merged = page.value.calls.is_empty() && page.value.next == at && !page.is_whole;
            stuck = if is_merged { stuck + 1 } else { 0 };
            at = page.value.next;
            if (at.is_none() && page.is_whole) || stuck > STUCK || clock.is_over()? {
                all.is_whole = at.is_none() && page.is_whole;
                return Ok(all);
            }
        }
    }

    /// Reads everything that is stored and compares it with its checksums.
    ///
    /// # Errors
    /// [`ArchiveError::Canceled`], [`ArchiveError::TooMuch`] when the time is over; what is wrong in the archive is
    /// the answer.
    pub fn verify(&self, bounds: &Bounds) -> Result<Checked, ArchiveError> {
        let clock = Clock::start(bounds);
        let segments = self.shared.segments();
        let next = AtomicUsize::new(0);
        let look = || -> Result<Checked, ArchiveError> {
            let mut checked = Checked::default();
            while let Some(segment) = segments.get(next.fetch_add(1, Ordering::Relaxed)) {
                whole(segment, &clock, &mut checked)?;
            }
            Ok(checked)
        };
        // Each has the raw events of one block in memory.
        let threads =
            std::thread::available_parallelism().map_or(1, usize::from).min(TOGETHER).min(segments.len());
        let looked: Vec<Result<Checked, ArchiveError>> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(look)).collect();
            let mine = look();
            let others = others.into_iter().map(|other| match other.join() {
                Ok(looked) => looked,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            std::iter::once(mine).chain(others).collect()
        });
        let mut checked = Checked { problems: self.shared.problems(), ..Checked::default() };
        for looked in looked {
            let looked = looked?;
            checked.events += looked.events;
            checked.damaged += looked.damaged;
            checked.problems.extend(looked.problems);
        }
        checked.problems.sort();
        checked.problems.dedup();
        Ok(checked)
    }
}

/// Everything of a segment.
fn whole(segment: &Segment, clock: &Clock, checked: &mut Checked) -> Result<(), ArchiveError> {
    for column in Column::ALL {
        if let Err(error) = segment.words_where(column, |_| false) {
            checked.problems.push(Problem::segment(&error));
        }
    }
    match segment.with_db(|db, _| db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))) {
        Ok(said) if said == "ok" => {}
        Ok(said) => checked.problems.push(Problem::segment(&segment.damaged(said))),
        Err(error) => checked.problems.push(Problem::segment(&error)),
    }
    if let Err(error) = segment.kept() {
        checked.problems.push(Problem::segment(&error));
    }
    for meta in &segment.view().blocks {
        if clock.is_over()? {
            return Err(ArchiveError::TooMuch("there was no time to look at everything: give it more"));
        }
        match check(segment, meta) {
            Ok(()) => checked.events += meta.calls as u64,
            // Merged just now, so it was read just now.
            Err(Unread::Merged) => checked.events += meta.calls as u64,
            Err(Unread::Damaged(error)) => {
                checked.damaged += meta.calls as u64;
                checked.problems.push(Problem::segment(&error));
            }
        }
    }
    Ok(())
}

fn frame_of(segment: &Segment, id: CallId) -> Result<(u32, i64, Frame), ArchiveError> {
    let place = id.place() as i64;
    let found = segment.with_db(|db, _| {
        let sql = "SELECT first, calls, frame FROM raw WHERE first <= ? ORDER BY first DESC LIMIT 1";
        db.prepare_cached(sql)?
            .query_row([place], |row| {
                let (first, calls): (i64, i64) = (row.get(0)?, row.get(1)?);
                let frame = row.get_ref(2)?.as_blob()?;
                Ok((place - first < calls).then(|| (first, Frame::read(frame))))
            })
            .optional()
    })?;
    match found.flatten() {
        None => Err(ArchiveError::Gone(id)),
        Some((first, Ok(frame))) => Ok((segment.number, first, frame)),
        Some((_, Err(why))) => Err(segment.damaged(format!("the raw events around {id}: {why}"))),
    }
}

fn check(segment: &Segment, meta: &Meta) -> Result<(), Unread> {
    for part in block::parts() {
        segment.part(meta, part)?;
    }
    let (first, end) = (meta.first as i64, meta.first as i64 + meta.calls as i64);
    let frames = segment.with_db(|db, _| {
        // Frames that begin before the block may reach into it.
        let sql = "SELECT first, calls, frame FROM raw WHERE first < ?2 AND first >=
                   coalesce((SELECT max(first) FROM raw WHERE first <= ?1), ?1) ORDER BY first";
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map([first, end], |row| {
            let (at, calls): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((at, calls, Frame::read(row.get_ref(2)?.as_blob()?)))
        })?;
        rows.collect::<Result<Vec<_>, _>>()
    })?;
    let lacks = || Unread::from(segment.damaged(format!("block {} lacks raw events", meta.id)));
    let ids = segment.part(meta, AUDIT_ID)?;
    let mut upto: Option<i64> = None;
    for (at, calls, frame) in frames {
        let frame = frame.map_err(|why| segment.damaged(format!("raw events from {at} on: {why}")))?;
        // One that begins before another ends would be read for the calls of both.
        if frame.len() as i64 != calls || at > upto.unwrap_or(first) || upto.is_some_and(|upto| at < upto) {
            return Err(lacks());
        }
        for place in at.max(first)..(at + calls).min(end) {
            let raw = frame.text((place - at) as usize).ok_or_else(lacks)?;
            if is_of_another(segment, meta, &ids, (place - first) as usize, &raw)? {
                let why = format!("the raw event {place} is that of another call");
                return Err(segment.damaged(why).into());
            }
        }
        upto = Some(at + calls);
    }
    if upto.is_none_or(|upto| upto < end) {
        return Err(lacks());
    }
    Ok(())
}

/// Whether a raw event has another `auditID` than the call it stands for. It can't be told of one that was cut, or whose
/// id may be written in another way.
fn is_of_another(segment: &Segment, meta: &Meta, ids: &Part, at: usize, raw: &str) -> Result<bool, Unread> {
    let Part::Ids(ids) = ids else { return Ok(false) };
    let id = ids.text(at);
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_plain || raw.contains(&id) || raw.contains("\\u") {
        return Ok(false);
    }
    let Part::Codes(marks) = &*segment.part(meta, Column::Marks as u8)? else { return Ok(false) };
    let texts = segment.texts(Column::Marks, &[marks.word(at)])?;
    let flaws = texts.first().map(|text| Marks::read(text).flaws).unwrap_or_default();
    Ok(!flaws.has(Flaw::Partial) && !flaws.has(Flaw::Clipped))
}
