//! Calls in the order in which they came in, for whoever shows them or hands them on.

use super::page::{Call, read};
use super::{Answer, Bounds, Clock, TRIES};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Meta;
use crate::call_id::CallId;
use crate::filter::{Filter, Wanted};
use crate::segment::{Segment, Unread};
use crate::status::Problem;

/// Most calls of an answer.
const MOST: usize = 1000;

/// Some calls, oldest arrival first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The calls that fit.
    pub calls: Vec<Call>,
    /// The last call that was looked at: where to go on after, also over what does not fit or is damaged. Where nothing was
    /// looked at, the one that was asked with.
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

    /// Calls that fit and came in after one, in that order; at most `most`, at most 1,000. An answer that got no further and is
    /// whole says that there are no more.
    ///
    /// # Errors
    /// [`ArchiveError::Canceled`], or what the disk said. Damaged events are counted in the answer, and passed over.
    pub fn arrivals(
        &self,
        filter: &Filter,
        after: Option<CallId>,
        most: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Arrivals>, ArchiveError> {
        let clock = Clock::start(bounds);
        let most = most.clamp(1, MOST);
        for _ in 0..TRIES {
            match self.try_arrivals(filter, after, most, &clock) {
                Ok(answer) => return Ok(answer),
                // Once more, with the blocks there are now.
                Err(Unread::Merged) => {}
                Err(Unread::Damaged(error)) => return Err(error),
            }
        }
        let nothing = Arrivals { calls: Vec::new(), upto: after };
        Ok(Answer { is_whole: false, ..Answer::begun(self, nothing) })
    }

    fn try_arrivals(
        &self,
        filter: &Filter,
        after: Option<CallId>,
        most: usize,
        clock: &Clock,
    ) -> Result<Answer<Arrivals>, Unread> {
        let mut answer = Answer::begun(self, Arrivals { calls: Vec::new(), upto: after });
        for segment in self.shared.to_read() {
            // Of an earlier segment nothing is left, of a later one everything.
            let from = match after {
                Some(after) if after.segment() > segment.number => continue,
                Some(after) if after.segment() == segment.number => after.place() + 1,
                _ => 0,
            };
            self.of_segment(filter, &segment, from, most, clock, &mut answer)?;
            if answer.value.calls.len() >= most || !answer.is_whole {
                break;
            }
        }
        Ok(answer)
    }

    fn of_segment(
        &self,
        filter: &Filter,
        segment: &Segment,
        from: u64,
        most: usize,
        clock: &Clock,
        answer: &mut Answer<Arrivals>,
    ) -> Result<(), Unread> {
        let view = segment.view();
        let id = |place: u64| CallId::new(segment.number, place);
        let wanted = filter.of(segment, &view).map_err(Unread::from);
        let wanted = self.unless_damaged(wanted)?;
        for meta in &view.blocks {
            let end = meta.first + meta.calls as u64;
            if end <= from {
                continue;
            }
            let left = most - answer.value.calls.len();
            if left == 0 {
                return Ok(());
            }
            if clock.is_over()? {
                answer.is_whole = false;
                return Ok(());
            }
            let new = |wanted: &Option<Wanted>| -> Result<(Vec<Call>, Option<CallId>), Unread> {
                let hits =
                    wanted.as_ref().map(|wanted| wanted.in_block(segment, meta)).transpose()?.flatten();
                let Some(hits) = hits else { return Ok((Vec::new(), None)) };
                let places = hits.calls(meta.calls).map(|call| meta.first + call as u64);
                let mut ids = places.filter(|at| *at >= from).map(|at| id(at).number());
                let these: Vec<u64> = ids.by_ref().take(left).collect();
                // Where there are more, it is gone on after the last of these.
                let cut = these.last().filter(|_| ids.next().is_some()).copied();
                let calls = if these.is_empty() { Vec::new() } else { read(segment, meta, &these)? };
                Ok((calls, cut.map(CallId::from_number)))
            };
            let found = match &wanted {
                Some(wanted) => self.unless_damaged(new(wanted))?,
                None => None,
            };
            let mut upto = id(end - 1);
            match found {
                Some((calls, cut)) => {
                    upto = cut.unwrap_or(upto);
                    answer.value.calls.extend(calls);
                }
                None => answer.damaged += end - meta.first.max(from),
            }
            answer.value.upto = Some(upto);
        }
        Ok(())
    }

    /// What was read; `None` where it is damaged, which is noted.
    fn unless_damaged<T>(&self, read: Result<T, Unread>) -> Result<Option<T>, Unread> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Unread::Damaged(error)) if error.is_damage() => {
                self.shared.problem(Problem::segment(&error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
