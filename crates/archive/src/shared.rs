//! What everybody who has an archive open shares: its segments, how writing goes, what is wrong.

use crate::ArchiveError;
use crate::cache::Cache;
use crate::segment::{self, Kept, Segment};
use crate::status::{Problem, WriterState};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Memory for the words of segments that were asked, in bytes.
const WORDS_MOST: usize = 96 << 20;

/// How large, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes at which a segment is closed and the next begun: what is removed at once.
    pub segment_bytes: u64,
    /// Age at which it is, so that little is not kept for long with what is old.
    pub segment_age: Duration,
    /// How long events are kept, by when they happened; for good without it.
    pub keep: Option<Duration>,
    /// How many bytes of disk they may take; as many as there are without it.
    pub keep_bytes: Option<u64>,
    /// Memory for columns that were read lately, in bytes.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 256 << 20,
            segment_age: Duration::from_secs(86_400),
            keep: None,
            keep_bytes: None,
            cache_bytes: 64 << 20,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) cache: Arc<Cache>,
    /// In the order of their numbers.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    pub(crate) writes_to: Mutex<u32>,
    /// How many segments are there and could not be opened, or not to their end: every answer lacks what is in them.
    pub(crate) unread: usize,
    pub(crate) problems: Mutex<BTreeSet<Problem>>,
    pub(crate) state: Mutex<WriterState>,
    pub(crate) kept: Mutex<Kept>,
    /// How long and how many bytes, if that was said anew since it was opened.
    pub(crate) keep: Mutex<Option<(Option<Duration>, Option<u64>)>>,
}

impl Shared {
    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The segments, for a question: what words of earlier ones take of memory stays bounded.
    pub(crate) fn to_read(&self) -> Vec<Arc<Segment>> {
        let segments = self.segments();
        let held: usize = segments.iter().map(|segment| segment.words_size()).sum();
        if held > WORDS_MOST {
            segments.iter().for_each(|segment| segment.forget_words());
        }
        segments
    }

    pub(crate) fn to_write(&self) -> (PathBuf, Option<Arc<Segment>>) {
        let number = *self.writes_to.lock().unwrap_or_else(PoisonError::into_inner);
        let segment = self.segments().into_iter().find(|segment| segment.number == number);
        (segment::path(&self.dir, number), segment)
    }

    pub(crate) fn skip_segment(&self) {
        *self.writes_to.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    pub(crate) fn add(&self, segment: Arc<Segment>) {
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
    }

    pub(crate) fn remove(&self, segment: &Segment) -> Result<(), ArchiveError> {
        // The file first: one that is forgotten and still there would be back with the next start.
        fs::remove_file(&segment.path).map_err(ArchiveError::io(&segment.path, "removed"))?;
        for end in ["db-wal", "db-shm"] {
            // Not there in a segment that was closed in order.
            let _ = fs::remove_file(segment.path.with_extension(end));
        }
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.retain(|other| other.number != segment.number);
        Ok(())
    }

    /// How long events are kept, and how many bytes they may take.
    pub(crate) fn keep(&self) -> (Option<Duration>, Option<u64>) {
        let said = *self.keep.lock().unwrap_or_else(PoisonError::into_inner);
        said.unwrap_or((self.options.keep, self.options.keep_bytes))
    }

    pub(crate) fn problem(&self, problem: Problem) {
        tracing::error!(what = problem.what, "the archive has a problem");
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).insert(problem);
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn state(&self) -> WriterState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_state(&self, state: WriterState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(crate) fn stalled(&self, error: &ArchiveError) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match &*state {
            WriterState::Stalled { since, .. } => *since,
            _ => {
                tracing::error!(error = error as &dyn std::error::Error, "events can't be written");
                now()
            }
        };
        *state = WriterState::Stalled { since, why: error.to_string() };
    }

    pub(crate) fn set_kept(&self, kept: &Kept) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept.clone();
    }
}

/// Now, in microseconds of Unix time.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
