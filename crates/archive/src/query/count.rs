//! How many, over time and by what.

use super::{Answer, Bounds, gather};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Part;
use crate::column::{AT, Column};
use crate::filter::Filter;
use std::collections::HashMap;

/// Most buckets of a histogram: more than any window has pixels for.
const BUCKETS_MOST: usize = 5000;
/// Most lines of a ranking.
const TOP_MOST: usize = 1000;

/// How many calls in each stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Where the first bucket begins, in microseconds of Unix time.
    pub from: i64,
    /// How long each is, in microseconds.
    pub step: i64,
    /// Calls in each.
    pub calls: Vec<u64>,
}

/// How often each text of a column occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// The most frequent, the most frequent first; those that are alike in the order of their texts.
    pub first: Vec<(String, u64)>,
    /// Calls with any other text.
    pub others: u64,
}

impl Archive {
    /// How many calls fit.
    ///
    /// # Errors
    /// [`ArchiveError::Canceled`], or what the disk said. Damaged events are counted in the answer.
    pub fn count(&self, filter: &Filter, bounds: &Bounds) -> Result<Answer<u64>, ArchiveError> {
        let mut all = 0;
        let answer = gather(
            self,
            filter,
            bounds,
            |count: &mut u64, segment, meta, wanted| {
                *count += wanted.in_block(segment, meta)?.map_or(0, |hits| hits.count as u64);
                Ok(())
            },
            |count, _| {
                all += count;
                Ok(())
            },
        )?;
        Ok(answer.with(all))
    }

    /// How many calls fit in each of `buckets` stretches of `step` microseconds from `from` on.
    ///
    /// # Errors
    /// As [`Archive::count`]; [`ArchiveError::TooMuch`] for more than 5,000 buckets, or a step that is none.
    pub fn histogram(
        &self,
        filter: &Filter,
        from: i64,
        step: i64,
        buckets: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Histogram>, ArchiveError> {
        if step <= 0 || buckets > BUCKETS_MOST {
            return Err(ArchiveError::TooMuch(
                "a histogram has at most 5,000 buckets, each longer than nothing",
            ));
        }
        let (first, end) = filter.range();
        let to = from.saturating_add(step.saturating_mul(buckets as i64));
        let filter = filter.clone().from(first.max(from)).to(end.min(to));
        let mut histogram = Histogram { from, step, calls: vec![0; buckets] };
        let answer = gather(
            self,
            &filter,
            bounds,
            |counts: &mut Vec<u64>, segment, meta, wanted| {
                counts.resize(buckets, 0);
                let Some(hits) = wanted.in_block(segment, meta)? else { return Ok(()) };
                let bucket = |at: i64| (at.saturating_sub(from) / step).clamp(0, buckets as i64 - 1) as usize;
                // Most blocks are shorter than a bucket of a long histogram.
                if bucket(meta.at_min) == bucket(meta.at_max) {
                    counts[bucket(meta.at_min)] += hits.count as u64;
                    return Ok(());
                }
                let part = segment.part(meta, AT)?;
                let Part::Numbers(at) = &*part else { return Ok(()) };
                for call in hits.calls(meta.calls) {
                    counts[bucket(at[call])] += 1;
                }
                Ok(())
            },
            |counts, _| {
                histogram.calls.iter_mut().zip(counts).for_each(|(all, more)| *all += more);
                Ok(())
            },
        )?;
        Ok(answer.with(histogram))
    }

    /// The texts of a column that occur most often among the calls that fit, at most `most` of them.
    ///
    /// # Errors
    /// As [`Archive::count`]; [`ArchiveError::TooMuch`] for more than 1,000.
    pub fn top(
        &self,
        filter: &Filter,
        column: Column,
        most: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Top>, ArchiveError> {
        if most > TOP_MOST {
            return Err(ArchiveError::TooMuch("a ranking has at most 1,000 lines: narrow the filter"));
        }
        let mut all: HashMap<String, u64> = HashMap::new();
        let answer = gather(
            self,
            filter,
            bounds,
            |counts: &mut HashMap<u32, u64>, segment, meta, wanted| {
                let Some(hits) = wanted.in_block(segment, meta)? else { return Ok(()) };
                let part = segment.part(meta, column as u8)?;
                let Part::Codes(codes) = &*part else { return Ok(()) };
                let mut here = vec![0_u64; codes.words.len()];
                hits.calls(meta.calls).for_each(|call| here[codes.place(call)] += 1);
                for (word, count) in codes.words.iter().zip(here).filter(|(_, count)| *count > 0) {
                    *counts.entry(*word).or_default() += count;
                }
                Ok(())
            },
            |counts, segment| {
                let (words, counts): (Vec<u32>, Vec<u64>) = counts.into_iter().unzip();
                for (text, count) in segment.texts(column, &words)?.into_iter().zip(counts) {
                    *all.entry(text).or_default() += count;
                }
                Ok(())
            },
        )?;
        let mut first: Vec<_> = all.into_iter().collect();
        first.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let others = first.iter().skip(most).map(|(_, count)| count).sum();
        first.truncate(most);
        Ok(answer.with(Top { first, others }))
    }
}
