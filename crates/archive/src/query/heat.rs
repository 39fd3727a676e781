//! Calls by cluster and time, from what each segment counts as it is written: no call is looked at.

use super::{Answer, Bounds, Clock};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::coding;
use crate::column::Column;
use crate::status::Problem;
use std::collections::BTreeMap;

const HOUR: i64 = 3_600_000_000;
/// Most stretches of time of one map.
const BUCKETS_MOST: i64 = 2000;

/// Calls by cluster and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heat {
    /// Where the first stretch begins, in microseconds of Unix time: a full hour.
    pub from: i64,
    /// How long each is, in microseconds.
    pub step: i64,
    /// The clusters in the order of their names, each with its stretches.
    pub clusters: BTreeMap<String, Vec<HeatCell>>,
}

/// The calls of one cluster in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeatCell {
    /// All of them; one that has begun and of whose end nothing is told is not among them.
    pub calls: u64,
    /// Those that are no get, list or watch.
    pub writes: u64,
    /// Those with a status of 400 and more, or refused.
    pub failed: u64,
    /// Those that were refused for want of rights or of a sign-in.
    pub denied: u64,
}

impl Archive {
    /// Calls of each cluster in `buckets` stretches of `hours` hours, from the hour in which `from` lies (microseconds
    /// of Unix time).
    ///
    /// # Errors
    /// As [`Archive::count`]; [`ArchiveError::TooMuch`] for more than 2,000 stretches, or stretches that are none.
    pub fn heat(
        &self,
        from: i64,
        hours: u32,
        buckets: u32,
        bounds: &Bounds,
    ) -> Result<Answer<Heat>, ArchiveError> {
        if hours == 0 || i64::from(buckets) > BUCKETS_MOST {
            return Err(ArchiveError::TooMuch("a heat map has at most 2,000 stretches of whole hours"));
        }
        let clock = Clock::start(bounds);
        let (first, hours, buckets) = (from.div_euclid(HOUR), i64::from(hours), i64::from(buckets));
        let end = first.saturating_add(hours * buckets);
        let heat = Heat { from: first * HOUR, step: hours * HOUR, clusters: BTreeMap::new() };
        let mut answer = Answer::begun(self, heat);
        for segment in self.shared.to_read() {
            let view = segment.view();
            if view.events == 0 || view.at_max.div_euclid(HOUR) < first || view.at_min.div_euclid(HOUR) >= end
            {
                continue;
            }
            if clock.is_over()? {
                answer.is_whole = false;
                break;
            }
            let mut is_whole = true;
            let read = segment.with_db(|db, _| {
                let mut statement = db.prepare_cached(
                    "SELECT hour, cluster, calls, writes, failed, denied, sum FROM heat WHERE hour >= ? AND hour < ?",
                )?;
                let rows = statement.query_map([first, end], |row| {
                    let count = |column| row.get::<_, i64>(column).map(|count| count as u64);
                    let cell =
                        HeatCell { calls: count(2)?, writes: count(3)?, failed: count(4)?, denied: count(5)? };
                    let (hour, cluster): (i64, u32) = (row.get(0)?, row.get(1)?);
                    let counts = [hour, cluster.into(), row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
                    is_whole &= coding::sum(&counts, &[]) == row.get::<_, i64>(6)?;
                    Ok((hour, cluster, cell))
                })?;
                rows.collect::<Result<Vec<_>, _>>()
            });
            let why = "its counts for heat maps are not what was written";
            let read = read.and_then(|rows| if is_whole { Ok(rows) } else { Err(segment.damaged(why)) });
            let read = read.and_then(|rows| {
                let mut words: Vec<u32> = rows.iter().map(|(_, cluster, _)| *cluster).collect();
                words.sort_unstable();
                words.dedup();
                let names = segment.texts(Column::Cluster, &words)?;
                Ok((rows, words, names))
            });
            let (rows, words, names) = match read {
                Ok(read) => read,
                Err(error) if error.is_damage() => {
                    self.shared.problem(Problem::segment(&error));
                    answer.damaged += view.events;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut here: Vec<Vec<HeatCell>> = vec![vec![HeatCell::default(); buckets as usize]; words.len()];
            for (hour, cluster, more) in rows {
                let place = words.binary_search(&cluster).unwrap_or_default();
                add(&mut here[place][((hour - first) / hours) as usize], more);
            }
            for (name, cells) in names.into_iter().zip(here) {
                let all = answer
                    .value
                    .clusters
                    .entry(name)
                    .or_insert_with(|| vec![HeatCell::default(); buckets as usize]);
                all.iter_mut().zip(cells).for_each(|(all, more)| add(all, more));
            }
        }
        Ok(answer)
    }
}

fn add(cell: &mut HeatCell, more: HeatCell) {
    cell.calls += more.calls;
    cell.writes += more.writes;
    cell.failed += more.failed;
    cell.denied += more.denied;
}
