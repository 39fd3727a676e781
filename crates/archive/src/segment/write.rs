//! The segment that is written to.

use super::tables::{self, MergeError, carry, insert, learn, note_batch, set_note};
use super::{Segment, View, note, part_key, schema, size};
use crate::ArchiveError;
use crate::batch::Batch;
use crate::block::{self, FULL, Meta};
use crate::cache::Cache;
use crate::column::Column;
use crate::raw::RawPart;
use crate::rows::Rows;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Blocks that are not full, at which they are merged whatever they hold.
const SMALL_MOST: usize = 64;

/// What every segment carries on from the one before: how far each file was kept, and what was counted of each source.
/// So the newest segment knows all of it, whichever older ones are gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// By source and file: up to which byte, and when that was noted (microseconds of Unix time).
    pub(crate) positions: BTreeMap<(String, String), (u64, i64)>,
    /// By source and what is counted.
    pub(crate) tallies: BTreeMap<(String, String), u64>,
}

/// A batch whose raw events are packed, without what was kept before.
pub(crate) struct Packed {
    pub(crate) batch: Batch,
    pub(crate) raw: Vec<RawPart>,
}

/// The segment that is written to, and what is known of it in memory. Whatever fails in a transaction is taken back
/// here as well.
pub(crate) struct Active {
    db: Connection,
    pub(crate) segment: Arc<Segment>,
    words: [HashMap<Arc<str>, u32>; Column::ALL.len()],
    word_bytes: u64,
    next_block: i64,
    next_call: u64,
    /// The calls of the last blocks, which are not full, and those blocks.
    tail: Rows,
    small: Vec<Meta>,
    newest: i64,
    pub(crate) made: i64,
}

/// What a transaction changes here once it is on disk.
struct Change {
    tail: Rows,
    small: Vec<Meta>,
    written: Vec<Meta>,
    merged: bool,
    next_block: i64,
    next_call: u64,
    newest: i64,
}

impl Active {
    /// Opens a segment to write on, or begins one with what is carried on.
    pub(crate) fn open(
        path: &Path,
        segment: Option<Arc<Segment>>,
        cache: &Arc<Cache>,
        kept: &Kept,
        now: i64,
    ) -> Result<Self, ArchiveError> {
        let file = schema::name(path);
        let fail = |doing| ArchiveError::sql(&file, doing);
        let mut db = schema::open_to_write(path)?;
        let made = match note(&db, "made").map_err(fail("read"))? {
            Some(made) => made,
            None => {
                let tx = db.transaction().map_err(fail("made"))?;
                carry(&tx, kept).map_err(fail("made"))?;
                set_note(&tx, "made", now).map_err(fail("made"))?;
                tx.commit().map_err(fail("made"))?;
                now
            }
        };
        let segment = match segment {
            Some(segment) => segment,
            None => {
                let number = super::number(path).unwrap_or_default();
                Arc::new(Segment::open(path, number, cache.clone())?.segment)
            }
        };
        let mut words: [HashMap<Arc<str>, u32>; Column::ALL.len()] = Default::default();
        let mut word_bytes = 0;
        {
            let mut statement = db.prepare("SELECT kind, id, text FROM word").map_err(fail("read"))?;
            let mut rows = statement.query([]).map_err(fail("read"))?;
            while let Some(row) = rows.next().map_err(fail("read"))? {
                let (kind, id): (u8, u32) =
                    (row.get(0).map_err(fail("read"))?, row.get(1).map_err(fail("read"))?);
                let text: String = row.get(2).map_err(fail("read"))?;
                word_bytes += text.len() as u64;
                if let Some(words) = words.get_mut(usize::from(kind)) {
                    words.insert(text.into(), id);
                }
            }
        }
        let newest = note(&db, "newest").map_err(fail("read"))?.unwrap_or(i64::MIN);
        let view = segment.view();
        let mut active = Self {
            db,
            words,
            word_bytes,
            next_block: view.blocks.iter().map(|block| block.id).max().unwrap_or_default() + 1,
            next_call: view.blocks.last().map_or(0, |block| block.first + block.calls as u64),
            tail: Rows::default(),
            small: Vec::new(),
            newest,
            made,
            segment,
        };
        active.find_tail(&view);
        Ok(active)
    }

    /// Reads the last blocks that are not full, so that they are merged with what comes.
    fn find_tail(&mut self, view: &View) {
        let small = view.blocks.iter().rev().take_while(|block| block.calls < FULL).count();
        for meta in &view.blocks[view.blocks.len() - small..] {
            let mut rows = self.tail.clone();
            let read = block::append(&mut rows, meta.calls, &mut |part| self.segment.part(meta, part).ok());
            // One that can't be read stays as it is, and is told of when somebody asks for it.
            if read.is_none() {
                self.tail = Rows::default();
                self.small.clear();
                continue;
            }
            self.tail = rows;
            self.small.push((**meta).clone());
        }
    }

    /// About how many bytes it takes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        size(&self.segment.path)
    }

    /// Bytes of its words, which are in memory while it is written.
    pub(crate) fn word_bytes(&self) -> u64 {
        self.word_bytes
    }

    /// Writes a count down that belongs to no batch.
    pub(crate) fn note_tally(
        &mut self,
        (source, what): (&str, &str),
        count: u64,
    ) -> Result<(), ArchiveError> {
        let file = schema::name(&self.segment.path);
        tables::set_tally(&self.db, source, what, count).map_err(ArchiveError::sql(&file, "written"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next_call == 0
    }

    /// Writes batches, all of them or none, and returns when they are on the disk.
    pub(crate) fn append(&mut self, batches: &[Packed], kept: &Kept, now: i64) -> Result<(), ArchiveError> {
        let mut added = Vec::new();
        let done = self.transaction(batches, kept, now, &mut added);
        match done {
            Ok(change) => {
                self.publish(change);
                Ok(())
            }
            Err(error) => {
                for (column, text) in added {
                    self.words[column].remove(&text);
                    self.word_bytes = self.word_bytes.saturating_sub(text.len() as u64);
                }
                Err(error)
            }
        }
    }

    fn transaction(
        &mut self,
        batches: &[Packed],
        kept: &Kept,
        now: i64,
        added: &mut Vec<(usize, Arc<str>)>,
    ) -> Result<Change, ArchiveError> {
        let file = schema::name(&self.segment.path);
        let fail = || ArchiveError::sql(&file, "written");
        let tx = self.db.transaction().map_err(fail())?;
        let mut rows = Rows::default();
        for packed in batches {
            let codes =
                learn(&tx, &mut self.words, &mut self.word_bytes, added, &packed.batch).map_err(fail())?;
            rows.extend_coded(&packed.batch.rows, &codes);
        }
        tables::heat(&tx, &rows, &self.words).map_err(fail())?;
        let newest = rows.at.iter().map(|at| (*at).min(now)).max().unwrap_or(i64::MIN).max(self.newest);
        if newest > i64::MIN {
            set_note(&tx, "newest", newest).map_err(fail())?;
        }
        let mut at = self.next_call;
        for part in batches.iter().flat_map(|packed| &packed.raw) {
            let mut statement = tx.prepare_cached("INSERT INTO raw VALUES (?, ?, ?)").map_err(fail())?;
            statement.execute(params![at as i64, part.calls as i64, part.frame]).map_err(fail())?;
            at += part.calls as u64;
        }
        for packed in batches {
            note_batch(&tx, &packed.batch, kept).map_err(fail())?;
        }

        let mut change = Change {
            tail: Rows::default(),
            small: Vec::new(),
            written: Vec::new(),
            merged: false,
            next_block: self.next_block,
            next_call: self.next_call + rows.len() as u64,
            newest,
        };
        let calls = rows.len();
        let merges =
            !self.small.is_empty() && (self.tail.len() + calls >= FULL || self.small.len() >= SMALL_MOST);
        let (first, rows) = if merges {
            // What lies in small blocks is written again with what comes, in full ones.
            for meta in &self.small {
                let keys = part_key(meta.id, 0)..=part_key(meta.id, u8::MAX);
                tx.execute("DELETE FROM part WHERE key BETWEEN ? AND ?", [keys.start(), keys.end()])
                    .map_err(fail())?;
                tx.execute("DELETE FROM block WHERE id = ?", [meta.id]).map_err(fail())?;
            }
            change.merged = true;
            let first = self.small.first().map_or(self.next_call, |meta| meta.first);
            tables::merge_raw(&tx, first, change.next_call).map_err(|why| match why {
                MergeError::Sql(error) => fail()(error),
                MergeError::Damaged(why) => self.segment.damaged(why),
            })?;
            let mut all = self.tail.clone();
            all.extend(&rows);
            (first, all)
        } else {
            (self.next_call, rows)
        };
        let mut from = 0;
        while from < rows.len() {
            let to = (from + FULL).min(rows.len());
            let written = block::write(change.next_block, first + from as u64, &rows, from..to)
                .map_err(ArchiveError::io(&self.segment.path, "packed"))?;
            insert(&tx, &written).map_err(fail())?;
            change.next_block += 1;
            if to - from < FULL {
                change.tail = rows.slice(from..to);
                change.small.push(written.meta.clone());
            }
            change.written.push(written.meta);
            from = to;
        }
        if !merges && change.small.len() == change.written.len() {
            // Only a little came: it stands beside what is small already.
            let mut tail = self.tail.clone();
            tail.extend(&change.tail);
            change.tail = tail;
            change.small.splice(0..0, self.small.iter().cloned());
        }
        tx.commit().map_err(fail())?;
        Ok(change)
    }

    fn publish(&mut self, change: Change) {
        let before = self.segment.view();
        let mut view = View { newest: change.newest, ..View::default() };
        let gone = |id: i64| change.merged && self.small.iter().any(|meta| meta.id == id);
        for block in before.blocks.iter().filter(|block| !gone(block.id)) {
            view.push(block.clone());
        }
        for meta in change.written {
            view.push(Arc::new(meta));
        }
        view.bytes = self.bytes();
        self.segment.publish(view);
        (self.tail, self.small) = (change.tail, change.small);
        (self.next_block, self.next_call, self.newest) = (change.next_block, change.next_call, change.newest);
    }

    /// Folds its log in, so that it is one file that is only read from here on.
    pub(crate) fn seal(self) -> Result<(), ArchiveError> {
        let file = schema::name(&self.segment.path);
        let Self { db, segment, .. } = self;
        segment.alone(|| {
            let mode: String = db
                .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))
                .map_err(ArchiveError::sql(&file, "closed"))?;
            if mode != "delete" {
                tracing::warn!(file, mode, "a segment keeps its log: somebody reads it");
            }
            db.close().map_err(|(_, error)| ArchiveError::sql(&file, "closed")(error))
        })
    }
}
