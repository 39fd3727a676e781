//! Calls in the order in which they came in, for whoever hands them on.

use super::page::{Call, read};
use super::{Answer, Bounds, Clock, TRIES};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Meta;
use crate::call_id::CallId;
use crate::segment::{Segment, Unread};
use crate::status::Problem;

/// Most calls of an answer.
const MOST: usize = 1000;

/// Some calls, oldest arrival first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The calls.
    pub calls: Vec<Call>,
    /// The last call that was looked at: where to go on after, also over what is damaged.
    pub upto: Option<CallId>,
}

/// What is in the place that a call had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InPlace {
    /// A call, by its id and moment: the same for as long as the archive is.
    Call(String),
    /// Nothing that can be read any more: it was removed for its age, or is damaged.
    Gone,
    /// The archive never had so many: it is another one, or was made anew.
    Never,
}

impl Archive {
    /// What is in the place that a call had when somebody wrote that place down.
    ///
    /// # Errors
    /// What the disk said.
    pub fn in_place(&self, id: CallId) -> Result<InPlace, ArchiveError> {
        let segments = self.shared.to_read();
        // What can't be opened now may have had it.
        let beyond = if self.shared.unread > 0 { InPlace::Gone } else { InPlace::Never };
        let Some(segment) = segments.iter().find(|segment| segment.number == id.segment()) else {
            let is_before = segments.iter().any(|segment| segment.number > id.segment());
            return Ok(if is_before { InPlace::Gone } else { beyond });
        };
        for _ in 0..TRIES {
            let view = segment.view();
            let holds = |meta: &&std::sync::Arc<Meta>| {
                (meta.first..meta.first + meta.calls as u64).contains(&id.place())
            };
            let Some(meta) = view.blocks.iter().find(holds) else { return Ok(beyond) };
            match read(segment, meta, &[id.number()]) {
                Ok(calls) => {
                    let call = calls.first().map(|call| format!("{}@{}", call.audit_id, call.at));
                    return Ok(call.map_or(InPlace::Gone, InPlace::Call));
                }
                // Once more, with the blocks there are now.
                Err(Unread::Merged) => {}
                Err(Unread::Damaged(error)) if error.is_damage() => return Ok(InPlace::Gone),
                Err(Unread::Damaged(error)) => return Err(error),
            }
        }
        Ok(InPlace::Gone)
    }

    /// Calls that came in after one, in that order; at most `most`, at most 1,000. An empty answer that is whole says that
    /// there are no more.
    ///
    /// # Errors
    /// [`ArchiveError::Canceled`], or what the disk said. Damaged events are counted in the answer, and passed over.
    pub fn arrivals(
        &self,
        after: Option<CallId>,
        most: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Arrivals>, ArchiveError> {
        let clock = Clock::start(bounds);
        let most = most.clamp(1, MOST);
        for _ in 0..TRIES {
            match self.try_arrivals(after, most, &clock) {
                Ok(answer) => return Ok(answer),
                // Once more, with the blocks there are now.
                Err(Unread::Merged) => {}
                Err(Unread::Damaged(error)) => return Err(error),
            }
        }
        Ok(Answer { is_whole: false, ..Answer::begun(self, Arrivals::default()) })
    }

    fn try_arrivals(
        &self,
        after: Option<CallId>,
        most: usize,
        clock: &Clock,
    ) -> Result<Answer<Arrivals>, Unread> {
        let mut answer = Answer::begun(self, Arrivals::default());
        let mut segments = self.shared.to_read();
        segments.sort_by_key(|segment| segment.number);
        for segment in segments {
            // Of an earlier segment nothing is left, of a later one everything.
            let from = match after {
                Some(after) if after.segment() > segment.number => continue,
                Some(after) if after.segment() == segment.number => after.place() + 1,
                _ => 0,
            };
            self.of_segment(&segment, from, most, clock, &mut answer)?;
            if answer.value.calls.len() >= most || !answer.is_whole {
                break;
            }
        }
        Ok(answer)
    }

    fn of_segment(
        &self,
        segment: &Segment,
        from: u64,
        most: usize,
        clock: &Clock,
        answer: &mut Answer<Arrivals>,
    ) -> Result<(), Unread> {
        for meta in &segment.view().blocks {
            let end = meta.first + meta.calls as u64;
            let left = most - answer.value.calls.len();
            if end <= from {
                continue;
            }
            if left == 0 {
                return Ok(());
            }
            if clock.is_over()? {
                answer.is_whole = false;
                return Ok(());
            }
            let begin = meta.first.max(from);
            let end = end.min(begin + left as u64);
            let ids: Vec<u64> =
                (begin..end).map(|place| CallId::new(segment.number, place).number()).collect();
            match read(segment, meta, &ids) {
                Ok(calls) => answer.value.calls.extend(calls),
                Err(Unread::Damaged(error)) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    answer.damaged += ids.len() as u64;
                }
                Err(error) => return Err(error),
            }
            answer.value.upto = ids.last().map(|id| CallId::from_number(*id));
        }
        Ok(())
    }
}
