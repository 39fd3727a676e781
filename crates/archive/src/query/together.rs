//! Which texts of several columns occur together, and how often.

use super::{Answer, Bounds, gather};
use crate::ArchiveError;
use crate::archive::Archive;
use crate::block::Part;
use crate::column::{AT, Column};
use crate::filter::Filter;
use std::collections::HashMap;

/// Most combinations that are kept apart, so that no question fills the memory: some hundred bytes each.
const COMBINATIONS_MOST: usize = 500_000;

/// Which texts occur together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Combinations {
    /// Each combination once, in the order of their texts.
    pub rows: Vec<Combination>,
    /// Calls of combinations that were one too many, and are in no row. Where there are some, the rows are those that
    /// were met first, and not the most frequent.
    pub others: u64,
}

/// One combination of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// The text of each column that was asked for, in that order; empty where a call says nothing.
    pub texts: Vec<String>,
    /// How many calls have it.
    pub calls: u64,
    /// The moment of the first of them, in microseconds of Unix time.
    pub first: i64,
    /// The moment of the last.
    pub last: i64,
}

/// How many calls, and between which moments.
#[derive(Clone, Copy, Debug)]
struct Met {
    calls: u64,
    first: i64,
    last: i64,
}

impl Met {
    fn at(at: i64) -> Self {
        Self { calls: 1, first: at, last: at }
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Rows by their keys, at most so many; of what is one too many, how many calls it was.
#[derive(Debug, Default)]
struct Rows<K> {
    rows: HashMap<K, Met>,
    others: u64,
}

impl<K: std::hash::Hash + Eq> Rows<K> {
    fn add(&mut self, key: K, met: Met, most: usize) {
        let is_full = self.rows.len() >= most;
        match self.rows.get_mut(&key) {
            Some(known) => known.add(met),
            None if is_full => self.others += met.calls,
            None => drop(self.rows.insert(key, met)),
        }
    }
}

impl Archive {
    /// Which texts of these columns occur together among the calls that fit: at most `most` combinations.
    ///
    /// # Errors
    /// As [`Archive::count`]; [`ArchiveError::TooMuch`] for more than 500,000, or for no column.
    pub fn combinations(
        &self,
        filter: &Filter,
        columns: &[Column],
        most: usize,
        bounds: &Bounds,
    ) -> Result<Answer<Combinations>, ArchiveError> {
        if most > COMBINATIONS_MOST || columns.is_empty() {
            return Err(ArchiveError::TooMuch(
                "at most 500,000 combinations of one column or more are kept apart: narrow the filter",
            ));
        }
        let mut all: Rows<Vec<String>> = Rows::default();
        let answer = gather(
            self,
            filter,
            bounds,
            |met: &mut Rows<Vec<u32>>, segment, meta, wanted| {
                let Some(hits) = wanted.in_block(segment, meta)? else { return Ok(()) };
                let times = segment.part(meta, AT)?;
                let Part::Numbers(times) = &*times else { return Ok(()) };
                let mut parts = Vec::with_capacity(columns.len());
                for column in columns {
                    parts.push(segment.part(meta, *column as u8)?);
                }
                let mut key = Vec::with_capacity(columns.len());
                for call in hits.calls(meta.calls) {
                    key.clear();
                    key.extend(parts.iter().map(|part| match &**part {
                        Part::Codes(codes) => codes.word(call),
                        _ => 0,
                    }));
                    let here = Met::at(times[call]);
                    match met.rows.get_mut(&key) {
                        Some(known) => known.add(here),
                        None => met.add(key.clone(), here, most),
                    }
                }
                Ok(())
            },
            |met, segment| {
                let (keys, counts): (Vec<Vec<u32>>, Vec<Met>) = met.rows.into_iter().unzip();
                let mut rows = vec![Vec::with_capacity(columns.len()); keys.len()];
                for (at, column) in columns.iter().enumerate() {
                    let words: Vec<u32> = keys.iter().map(|key| key[at]).collect();
                    let texts = segment.texts(*column, &words)?;
                    rows.iter_mut().zip(texts).for_each(|(row, text)| row.push(text));
                }
                all.others += met.others;
                rows.into_iter().zip(counts).for_each(|(row, met)| all.add(row, met, most));
                Ok(())
            },
        )?;
        let Rows { rows, others } = all;
        let rows = rows.into_iter().map(|(texts, met)| Combination {
            texts,
            calls: met.calls,
            first: met.first,
            last: met.last,
        });
        let mut rows: Vec<Combination> = rows.collect();
        rows.sort_by(|a, b| a.texts.cmp(&b.texts));
        Ok(answer.with(Combinations { rows, others }))
    }
}
