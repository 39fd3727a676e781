//! Questions: each with bounds, and each says how much of its answer is missing.

mod about;
mod arrival;
mod count;
mod events;
mod heat;
mod page;
mod raw;
mod together;

pub use about::{Deletion, Deletions, How, ObjectRef};
pub use arrival::{Arrivals, InPlace};
pub use count::{Histogram, Top};
pub use events::{Events, Kept};
pub use heat::{Heat, HeatCell};
pub use page::{Call, Cursor, Page};
pub use together::{Combination, Combinations};

use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Meta;
use crate::filter::{Filter, Wanted};
use crate::segment::{Segment, Unread, View};
use crate::status::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a segment whose blocks are merged just now is looked at again.
const TRIES: usize = 5;

/// Says that an answer is not wanted any more; noticed between two blocks, within a millisecond or so.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// The answer is not wanted any more.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was taken back.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long a question may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// What was found until then is the answer, and it says that it is not the whole.
    pub within: Duration,
    /// Whoever asked may take the question back.
    pub cancel: Cancel,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { within: Duration::from_secs(2), cancel: Cancel::default() }
    }
}

/// An answer, and what it lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was found.
    pub value: T,
    /// Whether everything was looked at within the time there was.
    pub is_whole: bool,
    /// Events that could not be looked at because they are damaged; some of them may fit.
    pub damaged: u64,
    /// Segments that could not be opened when the archive was, or not to their end: nobody knows what is in them, and
    /// [`Archive::status`] says why.
    pub unread_segments: usize,
}

impl<T> Answer<T> {
    /// One that lacks what every answer of this archive lacks.
    pub(crate) fn begun(archive: &Archive, value: T) -> Self {
        Self { value, is_whole: true, damaged: 0, unread_segments: archive.shared.unread }
    }

    /// The same of another value.
    pub(crate) fn with<U>(self, value: U) -> Answer<U> {
        let Self { is_whole, damaged, unread_segments, .. } = self;
        Answer { value, is_whole, damaged, unread_segments }
    }

    /// Whether nothing is missing: all was looked at in time, nothing is damaged, and every segment could be opened.
    pub fn lacks_nothing(&self) -> bool {
        self.is_whole && self.damaged == 0 && self.unread_segments == 0
    }
}

pub(crate) struct Clock {
    began: Instant,
    bounds: Bounds,
}

impl Clock {
    pub(crate) fn start(bounds: &Bounds) -> Self {
        Self { began: Instant::now(), bounds: bounds.clone() }
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> Result<bool, ArchiveError> {
        if self.bounds.cancel.0.load(Ordering::Relaxed) {
            return Err(ArchiveError::Canceled);
        }
        Ok(self.began.elapsed() >= self.bounds.within)
    }

    /// The bounds of a question that is a part of this one.
    pub(crate) fn left(&self) -> Bounds {
        let within = self.bounds.within.saturating_sub(self.began.elapsed());
        Bounds { within, cancel: self.bounds.cancel.clone() }
    }
}

/// Goes through the blocks that may have wanted calls, segment by segment; what is gathered of a segment counts only
/// when all of its blocks were as they were looked up.
pub(crate) fn gather<T: Default>(
    archive: &Archive,
    filter: &Filter,
    bounds: &Bounds,
    mut block: impl FnMut(&mut T, &Segment, &Meta, &Wanted) -> Result<(), Unread>,
    mut take: impl FnMut(T, &Segment) -> Result<(), ArchiveError>,
) -> Result<Answer<()>, ArchiveError> {
    let clock = Clock::start(bounds);
    let mut answer = Answer::begun(archive, ());
    'segments: for segment in archive.shared.to_read() {
        for _ in 0..TRIES {
            let view = segment.view();
            let wanted = match filter.of(&segment, &view) {
                Ok(Some(wanted)) => wanted,
                Ok(None) => continue 'segments,
                Err(error) if error.is_damage() => {
                    archive.shared.problem(Problem::segment(&error));
                    answer.damaged += view.events;
                    continue 'segments;
                }
                Err(error) => return Err(error),
            };
            let mut gathered = T::default();
            let looked = in_segment(archive, &segment, &view, &wanted, &clock, &mut gathered, &mut block)?;
            // Merged meanwhile: once more, with the blocks there are now.
            let Some((is_whole, damaged)) = looked else { continue };
            answer.is_whole &= is_whole;
            answer.damaged += damaged;
            match take(gathered, &segment) {
                Err(error) if error.is_damage() => {
                    archive.shared.problem(Problem::segment(&error));
                    answer.damaged += view.events;
                }
                taken => taken?,
            }
            if !is_whole {
                return Ok(answer);
            }
            continue 'segments;
        }
        answer.is_whole = false;
    }
    Ok(answer)
}

/// Whether all was looked at and how many events were damaged; `None` when blocks were merged meanwhile.
fn in_segment<T>(
    archive: &Archive,
    segment: &Segment,
    view: &View,
    wanted: &Wanted,
    clock: &Clock,
    gathered: &mut T,
    block: &mut impl FnMut(&mut T, &Segment, &Meta, &Wanted) -> Result<(), Unread>,
) -> Result<Option<(bool, u64)>, ArchiveError> {
    let mut damaged = 0;
    for meta in &view.blocks {
        if !wanted.may_be_in(meta) {
            continue;
        }
        if clock.is_over()? {
            return Ok(Some((false, damaged)));
        }
        match block(gathered, segment, meta, wanted) {
            Ok(()) => {}
            Err(Unread::Merged) => return Ok(None),
            Err(Unread::Damaged(error)) if error.is_damage() => {
                archive.shared.problem(Problem::segment(&error));
                damaged += meta.calls as u64;
            }
            Err(Unread::Damaged(error)) => return Err(error),
        }
    }
    Ok(Some((true, damaged)))
}
