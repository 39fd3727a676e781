use crate::{Engine, EngineError, Record};

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

/// Records that a store does not take.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Which, by their places.
    pub of: Vec<usize>,
    /// What it said of the first of them.
    pub said: Option<EngineError>,
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

impl Engine {
    /// Hands records on, and finds out which of them the store does not take: one that it refuses (400, 413, 422) keeps
    /// nobody else back. The second is which those were: where that is all of them, it may be about the request and not about
    /// them.
    ///
    /// # Errors
    /// As [`Engine::push`], of anything that is not about the records themselves.
    pub async fn push_each(&self, records: &[Record]) -> Result<(Pushed, Refusals), EngineError> {
        let (mut pushed, mut refused) = (Pushed::default(), Refusals::default());
        // The next part is the last.
        let mut parts = vec![(0, records.len())];
        while let Some((begin, end)) = parts.pop() {
            if begin == end {
                continue;
            }
            match self.push(&records[begin..end]).await {
                // OTLP says how many it does not take and not which: found out as below. What it has taken of them it gets
                // again, under the same id.
                Ok(more) if more.rejected > 0 && end - begin > 1 => halve(&mut parts, begin, end),
                Ok(more) => {
                    if more.rejected > 0 {
                        refused.of.push(begin);
                        refused.said.get_or_insert_with(|| EngineError::Refused {
                            host: self.target().host(),
                            status: 200,
                            said: "it does not take the event".to_owned(),
                            again: None,
                        });
                    }
                    pushed.add(more);
                }
                Err(error) if error.is_about_records() && end - begin > 1 => halve(&mut parts, begin, end),
                Err(error) if error.is_about_records() => {
                    pushed.rejected += 1;
                    refused.of.push(begin);
                    refused.said.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok((pushed, refused))
    }
}

/// The first half is next.
fn halve(parts: &mut Vec<(usize, usize)>, begin: usize, end: usize) {
    let middle = begin.midpoint(end);
    parts.push((middle, end));
    parts.push((begin, middle));
}
