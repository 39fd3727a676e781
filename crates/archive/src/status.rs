//! How an archive is doing, in what its owner is told.

use crate::ArchiveError;
use std::collections::BTreeMap;

/// What became of a batch: it is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// Events that were kept.
    pub events: u64,
    /// Events that were there already, by their position.
    pub duplicates: u64,
    /// Up to which byte the file is kept: where to read on.
    pub to: u64,
}

/// How writing goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriterState {
    /// Events reach the disk.
    Writing,
    /// The disk takes nothing: whoever appends is told so and keeps what they have.
    Stalled {
        /// Since when, in microseconds of Unix time.
        since: i64,
        /// What the disk said.
        why: String,
    },
    /// The disk can only be read.
    ReadOnly,
    /// It was closed.
    Closed,
}

/// Something that is wrong with what is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// In words, with the file it is about.
    pub what: String,
}

impl Problem {
    pub(crate) fn segment(error: &ArchiveError) -> Self {
        Self { what: error.to_string() }
    }
}

/// What was removed for its age, or for room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// How many segments went.
    pub segments: u64,
    /// How many events were in them.
    pub events: u64,
    /// How many bytes of disk.
    pub bytes: u64,
    /// Nothing was removed for its age, because the clock is behind events that have arrived already.
    pub clock_went_back: bool,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Of which source.
    pub source: String,
    /// In which of its files.
    pub file: String,
    /// Which line, from 1.
    pub line: u64,
    /// The byte at which it begins.
    pub offset: u64,
    /// Why.
    pub why: String,
}

/// What an archive holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// How writing goes.
    pub state: WriterState,
    /// Segments that can be read.
    pub segments: usize,
    /// Segments that are there and can't be read, or not to their end; the problems say why. What is in them is missing
    /// from every answer.
    pub unread_segments: usize,
    /// Events in the segments that can be read.
    pub events: u64,
    /// What they take on disk, in bytes.
    pub bytes: u64,
    /// The first and the last moment of which there is an event, in microseconds of Unix time.
    pub range: Option<(i64, i64)>,
    /// What was counted of each source since it was first read, by what: `events`, `duplicates`, `lines`, `blank`,
    /// `bytes`, `partial`, `redactions`, `clipped`, `untimed`, `bad: …`, `foreign: …`. Removing old segments does not
    /// change it.
    pub tallies: BTreeMap<String, BTreeMap<String, u64>>,
    /// Events that were removed because they were too old or too much, since it was begun.
    pub removed: u64,
    /// What is wrong with what is stored.
    pub problems: Vec<Problem>,
}

/// What a walk through everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Events whose fields and raw text are as they were written.
    pub events: u64,
    /// Events of which something is damaged.
    pub damaged: u64,
    /// What is wrong, segment by segment.
    pub problems: Vec<Problem>,
}
