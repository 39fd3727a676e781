//! What a recorder and its writer say to each other and to whoever listens.

use crate::index::Part;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How large things get.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// A segment is closed at so many bytes of text.
    pub segment_bytes: u64,
    /// And after so long.
    pub segment_time: Duration,
    /// A recording that has so many bytes of text is written no more: what is shown and typed waits, as with a full disk.
    pub total_bytes: u64,
    /// So many bytes are kept in memory while nothing can be written; then whoever tells more waits.
    pub held_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 20,
            segment_time: Duration::from_secs(300),
            total_bytes: 1 << 30,
            held_bytes: 4 << 20,
        }
    }
}

/// What a disk takes no longer for. One that takes longer hangs, which is no better than one that fails.
pub(crate) const HANGS: Duration = Duration::from_secs(5);

/// Why a recording was not begun.
#[derive(Debug, thiserror::Error)]
#[error("a recording can't be begun in `{}`: {source}", .dir.display())]
pub struct RecordingError {
    /// Its folder.
    pub dir: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// How a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// What is told is on the disk within a second.
    Recording,
    /// Nothing can be written now; what is told is kept in memory, up to a bound, and written as soon as it can be.
    Stopped {
        /// Why, as the system says it.
        why: String,
    },
    /// It is over.
    Over,
}

/// What is worth an entry, in the order in which it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A segment is closed and on the disk.
    Closed(Part),
    /// Nothing can be written.
    Stopped {
        /// Why, as the system says it.
        why: String,
        /// Since when, Unix milliseconds.
        since_ms: i64,
    },
    /// It is written again, and nothing of what was told meanwhile is missing.
    GoesOn {
        /// Since when it was not, Unix milliseconds.
        since_ms: i64,
    },
    /// It ended while nothing could be written: so many bytes that were told are missing.
    Lost {
        /// How many.
        bytes: u64,
        /// Why, as the system says it.
        why: String,
        /// Since when, Unix milliseconds.
        since_ms: i64,
    },
}

/// What a terminal tells its writer.
pub(crate) enum Piece {
    Output(Instant, Vec<u8>),
    Input(Instant, Vec<u8>),
}
