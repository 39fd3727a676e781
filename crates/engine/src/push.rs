use crate::{Engine, EngineError, Kind, Record};
use std::collections::VecDeque;
use std::future::Future;

/// Records of one request at most.
pub const PUSH_MOST: usize = 1000;
/// Bytes of events of one request at most.
pub const PUSH_BYTES: usize = 4 << 20;

/// What became of records that were handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Those that the store said it has.
    pub records: u64,
    /// Those of them that were cut, because stores do not take them whole.
    pub clipped: u64,
    /// Those that it said it does not take, and never will.
    pub rejected: u64,
}

impl Pushed {
    pub(crate) fn all(records: &[Record]) -> Self {
        Self {
            records: records.len() as u64,
            clipped: records.iter().filter(|record| record.is_clipped).count() as u64,
            rejected: 0,
        }
    }

    /// With those of another request.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.clipped += other.clipped;
        self.rejected += other.rejected;
    }
}

/// As many parts of a request are tried before it is doubted that the store takes anything of this kind.
const PARTS: usize = 16;

/// What became of each of some records.
#[derive(Debug, Default)]
pub struct Each {
    /// In all.
    pub pushed: Pushed,
    /// Those that the store does not take, by their places.
    pub refused: Vec<usize>,
    /// What it said of the last of those.
    pub why: Option<EngineError>,
}

impl Engine {
    /// Hands records on, and finds out which of them the store does not take: one that it refuses (400, 413, 422) keeps
    /// nobody else back.
    ///
    /// A store that takes none of them may refuse whatever comes this way, for its configuration or ours. So `newest`,
    /// some others, are tried then: where it takes none of those either, none of these is refused.
    ///
    /// # Errors
    /// As [`Engine::push`], of anything that is not about the records themselves; what the store said, where it is not
    /// known to take anything.
    pub async fn push_each(
        &self,
        records: &[Record],
        newest: impl Future<Output = Vec<Record>>,
    ) -> Result<Each, EngineError> {
        match self.parted(records, true).await {
            Err(error) if error.is_about_records() => {
                let newest = newest.await;
                // What is sent here is sent again in its turn, under the same id.
                match self.parted(&newest[..newest.len().min(PARTS)], true).await {
                    Ok(taken) if taken.pushed.records > 0 => self.parted(records, false).await,
                    Err(other) if !other.is_about_records() => Err(other),
                    _ => Err(error),
                }
            }
            sent => sent,
        }
    }

    /// Whether the store lives: it is asked to take nothing.
    ///
    /// # Errors
    /// As [`Engine::push`].
    pub async fn answers(&self) -> Result<(), EngineError> {
        match self.push(&[]).await {
            // Loki has a status for just that (`MissingStreamsErrorMsg` in its distributor).
            Err(EngineError::Refused { status: 422, .. }) if self.target.kind() == Kind::Loki => Ok(()),
            answered => answered.map(|_| ()),
        }
    }

    /// The larger parts first, so that one which is taken is found soon. In doubt it ends with what the store said, once
    /// [`PARTS`] of them were tried and nothing was taken.
    async fn parted(&self, records: &[Record], is_in_doubt: bool) -> Result<Each, EngineError> {
        let mut each = Each::default();
        let mut parts = VecDeque::from([(0, records.len())]);
        let (mut tried, mut is_taking) = (0, false);
        while let Some((begin, end)) = parts.pop_front() {
            if begin == end {
                continue;
            }
            tried += 1;
            let why = match self.push(&records[begin..end]).await {
                // OTLP says how many it does not take and not which: found out as below. What it has taken of them it gets
                // again, under the same id.
                Ok(more) if more.rejected > 0 => {
                    is_taking |= more.records > 0;
                    EngineError::Rejected { host: self.target.host() }
                }
                Ok(more) => {
                    is_taking = true;
                    each.pushed.add(more);
                    continue;
                }
                Err(error) if error.is_about_records() => error,
                Err(error) => return Err(error),
            };
            if end - begin > 1 {
                let middle = begin.midpoint(end);
                parts.extend([(begin, middle), (middle, end)]);
            } else {
                each.pushed.rejected += 1;
                each.refused.push(begin);
            }
            // All parts of that size, and the larger ones before.
            let is_enough = tried + 1 >= 2 * PARTS || each.refused.len() == records.len();
            if is_in_doubt && !is_taking && is_enough {
                return Err(why);
            }
            each.why = Some(why);
        }
        each.refused.sort_unstable();
        Ok(each)
    }
}
