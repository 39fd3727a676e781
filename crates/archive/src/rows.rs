//! The columns of some calls in memory.

use crate::column::Column;

/// The columns of some calls: a word for each text, by what the words belong to (a batch, or a segment).
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) codes: [Vec<u32>; Column::ALL.len()],
    pub(crate) at: Vec<i64>,
    /// Microseconds and one; 0 where it is not known.
    pub(crate) took: Vec<i64>,
    pub(crate) offset: Vec<i64>,
    pub(crate) item: Vec<i64>,
    pub(crate) ids: Vec<Box<str>>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.at.len()
    }

    /// Adds calls of which a table says what their codes are here.
    pub(crate) fn extend_coded(&mut self, more: &Self, tables: &[Vec<u32>]) {
        for ((to, from), table) in self.codes.iter_mut().zip(&more.codes).zip(tables) {
            to.extend(from.iter().map(|code| table[*code as usize]));
        }
        self.extend_numbers(more);
    }

    /// Adds calls with the same codes.
    pub(crate) fn extend(&mut self, more: &Self) {
        for (to, from) in self.codes.iter_mut().zip(&more.codes) {
            to.extend_from_slice(from);
        }
        self.extend_numbers(more);
    }

    fn extend_numbers(&mut self, more: &Self) {
        self.at.extend_from_slice(&more.at);
        self.took.extend_from_slice(&more.took);
        self.offset.extend_from_slice(&more.offset);
        self.item.extend_from_slice(&more.item);
        self.ids.extend_from_slice(&more.ids);
    }

    /// Some calls that follow each other.
    pub(crate) fn slice(&self, calls: std::ops::Range<usize>) -> Self {
        self.select(&calls.collect::<Vec<_>>())
    }

    /// Some calls.
    pub(crate) fn select(&self, calls: &[usize]) -> Self {
        let numbers = |of: &[i64]| calls.iter().map(|call| of[*call]).collect();
        Self {
            codes: std::array::from_fn(|column| calls.iter().map(|call| self.codes[column][*call]).collect()),
            at: numbers(&self.at),
            took: numbers(&self.took),
            offset: numbers(&self.offset),
            item: numbers(&self.item),
            ids: calls.iter().map(|call| self.ids[*call].clone()).collect(),
        }
    }
}
