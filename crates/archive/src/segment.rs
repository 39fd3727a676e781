//! A segment: one database with everything that belongs to some hundred megabytes of events, so that what is too old is
//! removed by removing a file, and what is damaged keeps to itself.

mod schema;
mod tables;
mod words;
mod write;

pub(crate) use schema::name;
pub(crate) use write::{Active, Kept, Packed};

use crate::ArchiveError;
use crate::block::{Meta, Part};
use crate::cache::Cache;
use crate::column::Column;
use rusqlite::{Connection, OptionalExtension as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use words::Words;

/// What is known of a segment at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// Its blocks, in the order the calls came in.
    pub(crate) blocks: Vec<Arc<Meta>>,
    pub(crate) events: u64,
    pub(crate) at_min: i64,
    pub(crate) at_max: i64,
    /// The latest moment of which an event is in here, as far as the desktop's clock had come when it arrived.
    pub(crate) newest: i64,
    /// Its file, in bytes.
    pub(crate) bytes: u64,
}

impl View {
    pub(crate) fn push(&mut self, meta: Arc<Meta>) {
        if self.blocks.is_empty() {
            (self.at_min, self.at_max) = (meta.at_min, meta.at_max);
        }
        self.at_min = self.at_min.min(meta.at_min);
        self.at_max = self.at_max.max(meta.at_max);
        self.events += meta.calls as u64;
        self.blocks.push(meta);
    }
}

/// Why a block was not read: it is damaged, or it was merged into another since it was looked up.
#[derive(Debug)]
pub(crate) enum Unread {
    Merged,
    Damaged(ArchiveError),
}

impl From<ArchiveError> for Unread {
    fn from(error: ArchiveError) -> Self {
        Self::Damaged(error)
    }
}

/// A segment, for whoever reads.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
    view: RwLock<Arc<View>>,
    reader: Mutex<Reader>,
    cache: Arc<Cache>,
}

#[derive(Debug, Default)]
struct Reader {
    db: Option<Connection>,
    words: Words,
}

/// The number in a segment's name.
pub(crate) fn number(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix("segment-")?.strip_suffix(".db")?.parse().ok()
}

pub(crate) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("segment-{number:08}.db"))
}

/// What a segment says at its opening.
pub(crate) struct Opened {
    pub(crate) segment: Segment,
    /// Whether the last of it could not be read: it is in a log that only somebody who may write can fold in.
    pub(crate) lacks_log: bool,
}

impl Segment {
    pub(crate) fn open(path: &Path, number: u32, cache: Arc<Cache>) -> Result<Opened, ArchiveError> {
        let (db, lacks_log) = schema::open_to_read(path)?;
        let file = schema::name(path);
        let mut view = read_view(&db, &file)?;
        view.bytes = size(path);
        let segment = Self {
            number,
            path: path.to_owned(),
            view: RwLock::new(Arc::new(view)),
            reader: Mutex::new(Reader { db: Some(db), words: Words::default() }),
            cache,
        };
        Ok(Opened { segment, lacks_log })
    }

    pub(crate) fn view(&self) -> Arc<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn publish(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    /// Lets go of the file, and does something while nobody reads it.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.db = None;
        work()
    }

    /// How much memory its words take.
    pub(crate) fn words_size(&self) -> usize {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).words.size()
    }

    /// Lets go of them; they are read again when somebody asks.
    pub(crate) fn forget_words(&self) {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).words = Words::default();
    }

    /// How far each file was kept and what was counted, as this segment knows it.
    pub(crate) fn kept(&self) -> Result<Kept, ArchiveError> {
        self.with_db(|db, _| {
            let mut kept = Kept::default();
            let mut statement = db.prepare("SELECT source, file, kept, noted, sum FROM position")?;
            let rows = statement.query_map([], |row| {
                let (source, file): (String, String) = (row.get(0)?, row.get(1)?);
                let (to, noted) = (row.get::<_, i64>(2)? as u64, row.get(3)?);
                let is_as_written =
                    tables::position_sum(&source, &file, to, noted) == row.get::<_, i64>(4)?;
                Ok((is_as_written, ((source, file), (to, noted))))
            })?;
            let mut is_whole = true;
            for row in rows {
                let (is_as_written, position) = row?;
                is_whole &= is_as_written;
                kept.positions.extend([position]);
            }
            if !is_whole {
                return Ok(None);
            }
            let mut statement = db.prepare("SELECT source, what, count FROM tally")?;
            let rows = statement
                .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)? as u64)))?;
            for row in rows {
                kept.tallies.extend([row?]);
            }
            Ok(Some(kept))
        })?
        .ok_or_else(|| self.damaged("how far files were read is not what was written"))
    }

    pub(crate) fn damaged(&self, why: impl std::fmt::Display) -> ArchiveError {
        ArchiveError::Damaged { file: schema::name(&self.path), why: why.to_string() }
    }

    pub(crate) fn with_db<T>(
        &self,
        work: impl FnOnce(&Connection, &mut Words) -> Result<T, rusqlite::Error>,
    ) -> Result<T, ArchiveError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let Reader { db, words } = &mut *reader;
        let db = match db {
            Some(db) => db,
            none => none.insert(schema::open_to_read(&self.path)?.0),
        };
        work(db, words).map_err(ArchiveError::sql(&schema::name(&self.path), "read"))
    }

    /// A column of a block, or its times, numbers or ids.
    pub(crate) fn part(&self, meta: &Meta, part: u8) -> Result<Arc<Part>, Unread> {
        let key = (self.number, meta.id, part);
        if let Some(part) = self.cache.get(key) {
            return Ok(part);
        }
        let read = self.with_db(|db, _| {
            let mut statement = db.prepare_cached("SELECT frame FROM part WHERE key = ?")?;
            statement
                .query_row([part_key(meta.id, part)], |row| {
                    let frame = row.get_ref(0)?.as_blob()?;
                    Ok(Part::read(part, frame, meta.calls))
                })
                .optional()
        })?;
        match read {
            Some(Ok(part)) => {
                let part = Arc::new(part);
                self.cache.put(key, part.clone(), part.size(meta.calls));
                Ok(part)
            }
            Some(Err(why)) => Err(self.damaged(format!("block {}: {why}", meta.id)).into()),
            None if self.view().blocks.iter().any(|block| block.id == meta.id) => {
                Err(self.damaged(format!("block {} lacks a part", meta.id)).into())
            }
            None => Err(Unread::Merged),
        }
    }

    /// The word of a text, if any call of the segment has it.
    pub(crate) fn word(&self, column: Column, text: &str) -> Result<Option<u32>, ArchiveError> {
        if text.is_empty() {
            return Ok(Some(0));
        }
        // No index: comparing some ten thousand words that are in memory takes as long as finding one on the disk, and
        // an index that is damaged would say in silence that there is none.
        Ok(self.words_where(column, |word| word == text)?.first().copied())
    }

    /// The texts of some words of a column; U+FFFD for one that is damaged.
    pub(crate) fn texts(&self, column: Column, words: &[u32]) -> Result<Vec<String>, ArchiveError> {
        self.with_db(|db, known| known.texts(db, column, words))
    }

    /// The words of a column that contain a text, in whatever case.
    pub(crate) fn containing(&self, column: Column, text: &str) -> Result<Vec<u32>, ArchiveError> {
        self.with_db(|db, known| {
            known.load(db, column, u32::MAX)?;
            Ok(known.is_whole(column).then(|| known.containing(column, text)))
        })?
        .ok_or_else(|| self.damaged("some words are not what was written"))
    }

    /// The words of a column for which something holds.
    pub(crate) fn words_where(
        &self,
        column: Column,
        holds: impl Fn(&str) -> bool,
    ) -> Result<Vec<u32>, ArchiveError> {
        self.with_db(|db, known| {
            known.load(db, column, u32::MAX)?;
            Ok(known.is_whole(column).then(|| known.matching(column, holds)))
        })?
        .ok_or_else(|| self.damaged("some words are not what was written"))
    }
}

/// The row of a part: of which block, and which one.
fn part_key(block: i64, part: u8) -> i64 {
    block << 8 | i64::from(part)
}

fn size(path: &Path) -> u64 {
    let of = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    of(path) + of(&path.with_extension("db-wal"))
}

fn read_view(db: &Connection, file: &str) -> Result<View, ArchiveError> {
    let fail = || ArchiveError::sql(file, "read");
    let mut view = View::default();
    let sql = "SELECT id, first, calls, at_min, at_max, zone, sum FROM block ORDER BY id";
    let mut statement = db.prepare(sql).map_err(fail())?;
    let blocks = statement
        .query_map([], |row| {
            let meta = Meta {
                id: row.get(0)?,
                first: row.get::<_, i64>(1)? as u64,
                calls: row.get::<_, i64>(2)? as usize,
                at_min: row.get(3)?,
                at_max: row.get(4)?,
                zone: row.get::<_, Vec<u8>>(5)?.into(),
            };
            Ok((row.get::<_, i64>(6)? == meta.sum(), meta))
        })
        .map_err(fail())?;
    let mut blocks = blocks.collect::<Result<Vec<_>, _>>().map_err(fail())?;
    // Blocks that were merged get a later id and keep the place of their first call.
    blocks.sort_by_key(|(_, block)| block.first);
    for (is_as_written, block) in blocks {
        if !is_as_written || block.calls == 0 || block.calls > crate::coding::BLOCK_MOST {
            let why = format!("what it says of block {} is not what was written", block.id);
            return Err(ArchiveError::Damaged { file: file.to_owned(), why });
        }
        view.push(Arc::new(block));
    }
    view.newest = note(db, "newest").map_err(fail())?.unwrap_or(i64::MIN);
    Ok(view)
}

/// A number that the segment keeps about itself.
pub(crate) fn note(db: &Connection, name: &str) -> Result<Option<i64>, rusqlite::Error> {
    db.query_row("SELECT value FROM note WHERE name = ?", [name], |row| row.get(0)).optional()
}
