//! One event as it was written, and a walk through all that is stored.

use super::{Bounds, Clock};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::{self, Meta};
use crate::call_id::CallId;
use crate::column::{AUDIT_ID, Column};
use crate::raw;
use crate::segment::{Segment, Unread};
use crate::status::{Checked, Problem};
use rusqlite::OptionalExtension as _;

impl Archive {
    /// The event as it was written, without its secrets.
    ///
    /// # Errors
    /// [`ArchiveError::Gone`] when there is none, [`ArchiveError::Damaged`] when its frame is not what was written.
    pub fn raw(&self, id: CallId) -> Result<String, ArchiveError> {
        let segments = self.shared.segments();
        let segment = segments.iter().find(|segment| segment.number == id.segment());
        let segment = segment.ok_or(ArchiveError::Gone(id))?;
        let found = segment.with_db(|db, _| {
            let sql = "SELECT first, calls, frame FROM raw WHERE first <= ? ORDER BY first DESC LIMIT 1";
            db.prepare_cached(sql)?
                .query_row([id.place() as i64], |row| {
                    let (first, calls): (i64, i64) = (row.get(0)?, row.get(1)?);
                    let at = (id.place() as i64 - first) as usize;
                    let frame = row.get_ref(2)?.as_blob()?;
                    Ok((at < calls as usize).then(|| raw::one(frame, at)))
                })
                .optional()
        })?;
        match found.flatten() {
            None => Err(ArchiveError::Gone(id)),
            Some(Ok(text)) => text.ok_or_else(|| segment.damaged("a frame of raw events lacks some")),
            Some(Err(why)) => Err(segment.damaged(format!("the raw events around {id}: {why}"))),
        }
    }

    /// Events with this `auditID`, by their places; several are no contradiction, since clients choose it and
    /// aggregated API servers repeat it. Looks through everything in the time there is: where a credential or a moment
    /// is known, a page with a filter is the faster way.
    ///
    /// # Errors
    /// As [`Archive::count`].
    pub fn with_audit_id(
        &self,
        id: &str,
        bounds: &Bounds,
    ) -> Result<super::Answer<Vec<CallId>>, ArchiveError> {
        let mut all = Vec::new();
        let answer = super::gather(
            self,
            &crate::Filter::default(),
            bounds,
            |found: &mut Vec<CallId>, segment, meta, _| {
                let part = segment.part(meta, AUDIT_ID)?;
                if let block::Part::Ids(ids) = &*part {
                    let places = ids.find(id).into_iter();
                    found.extend(places.map(|place| CallId::new(segment.number, meta.first + place as u64)));
                }
                Ok(())
            },
            |found, _| {
                all.extend(found);
                Ok(())
            },
        )?;
        Ok(super::Answer { value: all, is_whole: answer.is_whole, damaged: answer.damaged })
    }

    /// Reads everything that is stored and compares it with its checksums.
    ///
    /// # Errors
    /// [`ArchiveError::Canceled`], [`ArchiveError::TooMuch`] when the time is over; what is wrong in the archive is
    /// the answer.
    pub fn verify(&self, bounds: &Bounds) -> Result<Checked, ArchiveError> {
        let clock = Clock::start(bounds);
        let mut checked = Checked { problems: self.shared.problems(), ..Checked::default() };
        for segment in self.shared.segments() {
            for column in Column::ALL {
                if let Err(error) = segment.words_where(column, |_| false) {
                    checked.problems.push(Problem::segment(&error));
                }
            }
            match segment
                .with_db(|db, _| db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)))
            {
                Ok(said) if said == "ok" => {}
                Ok(said) => checked.problems.push(Problem::segment(&segment.damaged(said))),
                Err(error) => checked.problems.push(Problem::segment(&error)),
            }
            if let Err(error) = segment.kept() {
                checked.problems.push(Problem::segment(&error));
            }
            for meta in &segment.view().blocks {
                if clock.is_over()? {
                    return Err(ArchiveError::TooMuch(
                        "there was no time to look at everything: give it more",
                    ));
                }
                match check(&segment, meta) {
                    Ok(()) => checked.events += meta.calls as u64,
                    // Merged just now, so it was read just now.
                    Err(Unread::Merged) => checked.events += meta.calls as u64,
                    Err(Unread::Damaged(error)) => {
                        checked.damaged += meta.calls as u64;
                        checked.problems.push(Problem::segment(&error));
                    }
                }
            }
        }
        checked.problems.sort();
        checked.problems.dedup();
        Ok(checked)
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
            let read = raw::unpack(row.get_ref(2)?.as_blob()?);
            Ok((at, calls, read.map(|(_, ends)| ends.len() as i64)))
        })?;
        rows.collect::<Result<Vec<_>, _>>()
    })?;
    let mut upto = first;
    for (at, calls, read) in frames {
        match read {
            Ok(found) if found == calls && at <= upto => upto = upto.max(at + calls),
            Ok(_) => return Err(segment.damaged(format!("block {} lacks raw events", meta.id)).into()),
            Err(why) => return Err(segment.damaged(format!("raw events from {at} on: {why}")).into()),
        }
    }
    if upto < end {
        return Err(segment.damaged(format!("block {} lacks raw events", meta.id)).into());
    }
    Ok(())
}
