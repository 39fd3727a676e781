//! What came late: looked for among all that is kept of its hour.

use super::mark;
use crate::FeedError;
use crate::import::UnderWay;
use sallyport_archive::{Archive, Batch, Bounds, Call, CallId, Column, Filter, Source};
use sallyport_events::{Found, What};
use std::collections::HashSet;
use std::time::Duration;

/// Calls that are asked for at once.
const PAGE: usize = 1000;

/// What is kept of a stretch of time, and what is found beside it.
pub(super) struct Late<'a> {
    archive: &'a Archive,
    source: &'a Source,
    file: String,
    kept: HashSet<(u64, [u8; 16])>,
    batch: Option<Batch>,
    under_way: UnderWay<'a>,
    again: u64,
}

impl<'a> Late<'a> {
    /// Reads what is kept from a moment on and before another, in nanoseconds, under a file's name and those beside it.
    pub(super) fn of(
        archive: &'a Archive,
        source: &'a Source,
        file: &str,
        (from, to): (i64, i64),
    ) -> Result<Self, FeedError> {
        let mut filter = Filter::default().only(Column::Source, &source.id).only(Column::File, file);
        for (name, _) in archive.kept_files(&source.id, &format!("{file}+")) {
            filter = filter.only(Column::File, &name);
        }
        let bounds = Bounds { within: Duration::from_secs(600), ..Bounds::default() };
        let (mut kept, mut cursor) = (HashSet::new(), None);
        loop {
            let page = archive.page(&filter, cursor, PAGE, &bounds)?.value;
            let is_in = |call: &&Call| (from as u64..to as u64).contains(&call.offset);
            let mut calls: Vec<&Call> = page.calls.iter().filter(is_in).collect();
            // What lies together is unpacked once.
            calls.sort_by_key(|call| call.id);
            let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
            for (call, raw) in calls.iter().zip(archive.raws(&ids)) {
                match raw {
                    Ok(raw) => drop(kept.insert((call.offset, mark(&raw)))),
                    // It is kept once more, which is better than not at all.
                    Err(error) if error.is_damage() => {}
                    Err(error) => return Err(error.into()),
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let under_way = UnderWay::new(archive);
        Ok(Self { archive, source, file: file.to_owned(), kept, batch: None, under_way, again: 0 })
    }

    /// Keeps an event that is not there yet.
    pub(super) fn take(&mut self, found: &Found<'_>) {
        let What::Event(event) = &found.what else { return };
        let at = found.position.offset;
        if !self.kept.insert((at, mark(&event.raw))) {
            self.again += 1;
            return;
        }
        if self.batch.is_none() {
            self.batch = Some(self.begun(at));
        }
        if let Some(batch) = &mut self.batch {
            batch.push(found);
            batch.read_to(at + 1);
        }
    }

    /// Of the first file beside the hour's that is kept no further than this.
    fn begun(&self, at: u64) -> Batch {
        let mut number = 1_u64;
        loop {
            let name = format!("{}+{number}", self.file);
            match self.archive.kept_to(&self.source.id, &name) {
                None => return Batch::new(self.source, &name, at).begins_here(),
                Some(kept) if kept <= at => return Batch::new(self.source, &name, kept),
                Some(_) => number += 1,
            }
        }
    }

    /// Between two records: those of one moment that are kept later go into another file.
    pub(super) fn hand_if_full(&mut self) -> Result<(), FeedError> {
        if self.batch.as_ref().is_some_and(Batch::is_full) {
            self.hand()?;
        }
        Ok(())
    }

    fn hand(&mut self) -> Result<(), FeedError> {
        if let Some(batch) = self.batch.take() {
            self.under_way.hand(batch)?;
            // Where the next one begins is known once this one is kept.
            self.under_way.all()?;
        }
        Ok(())
    }

    /// How many were kept, and how many were there already.
    pub(super) fn end(mut self) -> Result<(u64, u64), FeedError> {
        self.hand()?;
        Ok((self.under_way.events(), self.again))
    }
}
