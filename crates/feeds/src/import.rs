//! A file into the archive, from where it is kept up to.

use crate::which::which;
use crate::{FeedError, LogFile};
use sallyport_archive::{Acknowledged, Archive, Batch, Pending, Source};
use sallyport_events::{Bad, Counts, Found, Position, Reader, What};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::Read;
use std::path::PathBuf;

/// Bad lines of a file that are named; all are counted.
pub const BAD_NAMED: usize = 100;
/// What is read of a file at a time.
const CHUNK: usize = 1 << 20;
/// Batches that may be on their way to the disk.
const UNDER_WAY: usize = 8;

/// A line that could not be read as events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHere {
    /// Where it is.
    pub position: Position,
    /// Why.
    pub bad: Bad,
}

/// What became of a file. All of it is on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Which file.
    pub path: PathBuf,
    /// What it is called in the archive.
    pub identity: String,
    /// The byte from which on it was read: what lies before was kept already.
    pub from: u64,
    /// The byte up to which it is kept.
    pub to: u64,
    /// What was counted in what was read now.
    pub counts: Counts,
    /// Events that were kept.
    pub events: u64,
    /// The first lines that could not be read.
    pub bad: Vec<BadHere>,
    /// Bytes of a last line that has not ended: read once it has.
    pub unended: u64,
    /// Why it could not be read to its end.
    pub broken: Option<String>,
}

/// Reads a file into the archive from where it is kept up to. With `has_ended` nobody writes to it any more, so that a
/// last line without its end is a line as well.
///
/// # Errors
/// What the file system or the archive said; [`FeedError::Alike`]. What was kept before stays kept, and the next import
/// goes on from there.
pub fn import(
    archive: &Archive,
    source: &Source,
    file: &LogFile,
    has_ended: bool,
) -> Result<Imported, FeedError> {
    let (identity, from) = which(archive, source, file)?;
    let mut imported = Imported {
        path: file.path().to_owned(),
        identity,
        from,
        to: from,
        counts: Counts::default(),
        events: 0,
        bad: Vec::new(),
        unended: 0,
        broken: None,
    };
    let Some((bytes, lines)) = file.bytes_from(from, &mut |_| ())? else { return Ok(imported) };
    let mut under_way = UnderWay::new(archive);
    let read = if let Some(whole) = file.document() {
        document(&mut under_way, source, whole, &mut imported)
    } else {
        let reader = Reader::resumed(Position { offset: from, line: lines + 1, item: 0 });
        by_lines(&mut under_way, source, file, has_ended, (reader, bytes), &mut imported)
    };
    // What was handed over is waited for whatever became of the rest.
    let kept = under_way.all();
    read?;
    kept?;
    imported.events = under_way.kept.events;
    imported.to = imported.to.max(under_way.kept.to);
    Ok(imported)
}

fn document(
    under_way: &mut UnderWay<'_>,
    source: &Source,
    whole: &[u8],
    imported: &mut Imported,
) -> Result<(), FeedError> {
    let mut reader = Reader::new();
    let mut batch = Batch::new(source, &imported.identity, 0);
    reader.document(whole, &mut |found| take(&mut batch, &mut imported.bad, &found));
    imported.counts = reader.counts().clone();
    // Nothing of it is read again.
    batch.read(imported.counts.lines, imported.counts.blank, whole.len() as u64);
    batch.read_to(whole.len() as u64);
    under_way.hand(batch)
}

fn by_lines(
    under_way: &mut UnderWay<'_>,
    source: &Source,
    file: &LogFile,
    has_ended: bool,
    (mut reader, mut bytes): (Reader, Box<dyn Read>),
    imported: &mut Imported,
) -> Result<(), FeedError> {
    let mut at = imported.from;
    let mut told = Counts::default();
    let mut batch = Batch::new(source, &imported.identity, at);
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = match bytes.read(&mut chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                imported.broken = Some(file.unread(at, error).to_string());
                break;
            }
        };
        if length == 0 {
            imported.broken = file.got_shorter(at).map(|error| error.to_string());
            break;
        }
        at += length as u64;
        reader.push(&chunk[..length], &mut |found| take(&mut batch, &mut imported.bad, &found));
        if batch.is_full() {
            let next = Batch::new(source, &imported.identity, reader.unread().offset);
            under_way.hand(close(std::mem::replace(&mut batch, next), &reader, &mut told))?;
        }
    }
    let unended = at - reader.unread().offset;
    if unended > 0 && imported.broken.is_none() {
        if has_ended || file.has_ended() || is_whole(reader.unended()) {
            reader.finish(&mut |found| take(&mut batch, &mut imported.bad, &found));
        } else {
            imported.unended = unended;
        }
    }
    imported.to = reader.unread().offset;
    imported.counts = reader.counts().clone();
    // A line that was not read is none that was counted.
    imported.counts.bytes = imported.to - imported.from;
    if imported.to > imported.from {
        under_way.hand(close(batch, &reader, &mut told))?;
    }
    Ok(())
}

/// Whether a last line without its end says all it has to say: the JSON in it is whole.
pub(crate) fn is_whole(line: Option<&[u8]>) -> bool {
    let Some(line) = line else { return false };
    let start = line.iter().position(|byte| matches!(byte, b'{' | b'['));
    start.is_some_and(|start| serde_json::from_slice::<Value>(&line[start..]).is_ok())
}

pub(crate) fn take(batch: &mut Batch, bad: &mut Vec<BadHere>, found: &Found<'_>) {
    if let What::Bad(why) = found.what
        && bad.len() < BAD_NAMED
    {
        bad.push(BadHere { position: found.position, bad: why });
    }
    batch.push(found);
}

/// A batch that knows how far it goes and what was counted since the last.
pub(crate) fn close(mut batch: Batch, reader: &Reader, told: &mut Counts) -> Batch {
    let counts = reader.counts();
    let to = reader.unread().offset;
    batch.read(counts.lines - told.lines, counts.blank - told.blank, counts.bytes - told.bytes);
    batch.read_to(to);
    *told = counts.clone();
    batch
}

/// Batches on their way to the disk.
pub(crate) struct UnderWay<'a> {
    archive: &'a Archive,
    waiting: VecDeque<Pending>,
    kept: Acknowledged,
}

impl<'a> UnderWay<'a> {
    pub(crate) fn new(archive: &'a Archive) -> Self {
        Self { archive, waiting: VecDeque::new(), kept: Acknowledged::default() }
    }

    /// Events that are on the disk.
    pub(crate) fn events(&self) -> u64 {
        self.kept.events
    }

    /// Up to where.
    pub(crate) fn to(&self) -> u64 {
        self.kept.to
    }

    pub(crate) fn hand(&mut self, batch: Batch) -> Result<(), FeedError> {
        self.waiting.push_back(self.archive.append(batch)?);
        while self.waiting.len() > UNDER_WAY {
            self.next()?;
        }
        Ok(())
    }

    pub(crate) fn all(&mut self) -> Result<(), FeedError> {
        while !self.waiting.is_empty() {
            self.next()?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(), FeedError> {
        if let Some(pending) = self.waiting.pop_front() {
            let kept = pending.wait()?;
            self.kept.events += kept.events;
            self.kept.duplicates += kept.duplicates;
            self.kept.to = self.kept.to.max(kept.to);
        }
        Ok(())
    }
}
