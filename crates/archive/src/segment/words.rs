//! The words of a segment in memory, for reading: loaded when a column is first asked about, and what came since.

use crate::coding;
use crate::column::Column;
use rusqlite::Connection;

#[derive(Debug, Default)]
pub(crate) struct Words {
    columns: [Loaded; Column::ALL.len()],
}

/// The words of a column, from 1 on, one after the other.
#[derive(Debug, Default)]
struct Loaded {
    text: String,
    ends: Vec<usize>,
    damaged: usize,
}

/// What stands beside a word.
pub(super) fn sum(column: Column, word: u32, text: &str) -> i64 {
    coding::sum(&[i64::from(column as u8), word.into()], text.as_bytes())
}

impl Loaded {
    fn text(&self, word: u32) -> &str {
        let Some(at) = (word as usize).checked_sub(1) else { return "" };
        let begin = if at == 0 { 0 } else { self.ends.get(at - 1).copied().unwrap_or_default() };
        self.ends.get(at).and_then(|end| self.text.get(begin..*end)).unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..=self.ends.len() as u32).map(|word| (word, self.text(word)))
    }
}

impl Words {
    /// Loads a column at least up to a word; all there are for [`u32::MAX`].
    pub(crate) fn load(&mut self, db: &Connection, column: Column, upto: u32) -> Result<(), rusqlite::Error> {
        let loaded = &mut self.columns[column as usize];
        let known = loaded.ends.len();
        if known >= upto as usize {
            return Ok(());
        }
        let mut statement =
            db.prepare_cached("SELECT id, text, sum FROM word WHERE kind = ? AND id > ? ORDER BY id")?;
        let mut rows = statement.query((column as u8, known as i64))?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            // A word is at most a few megabytes of numbers away from the last, whatever a damaged file says.
            if id <= loaded.ends.len() as i64 || id > loaded.ends.len() as i64 + (1 << 20) {
                return Err(rusqlite::Error::IntegralValueOutOfRange(0, id));
            }
            // Numbers without a gap, or the texts would be somebody else's.
            while (loaded.ends.len() as i64) < id - 1 {
                loaded.ends.push(loaded.text.len());
                loaded.damaged += 1;
            }
            let text = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?);
            if row.get::<_, i64>(2)? == sum(column, id as u32, &text) {
                loaded.text.push_str(&text);
            } else {
                loaded.text.push('\u{fffd}');
                loaded.damaged += 1;
            }
            loaded.ends.push(loaded.text.len());
        }
        Ok(())
    }

    /// Whether all words of a column are as they were written, as far as they were loaded.
    pub(crate) fn is_whole(&self, column: Column) -> bool {
        self.columns[column as usize].damaged == 0
    }

    pub(crate) fn text(&self, column: Column, word: u32) -> &str {
        self.columns[column as usize].text(word)
    }

    pub(crate) fn containing(&self, column: Column, text: &str) -> Vec<u32> {
        if text.is_ascii() {
            let wanted = text.to_ascii_lowercase();
            return self.matching(column, |word| contains(word.as_bytes(), wanted.as_bytes()));
        }
        let wanted = text.to_lowercase();
        self.matching(column, |word| word.to_lowercase().contains(&wanted))
    }

    pub(crate) fn matching(&self, column: Column, holds: impl Fn(&str) -> bool) -> Vec<u32> {
        self.columns[column as usize].all().filter(|(_, text)| holds(text)).map(|(word, _)| word).collect()
    }

    /// About how much memory they take.
    pub(crate) fn size(&self) -> usize {
        self.columns.iter().map(|one| one.text.capacity() + one.ends.capacity() * 8).sum()
    }
}

/// Whether a text contains another, which is in small letters; only ASCII is the same in either case.
fn contains(text: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return true };
    let Some(last) = text.len().checked_sub(wanted.len()) else { return false };
    (0..=last).any(|at| {
        text[at].to_ascii_lowercase() == *first && text[at..at + wanted.len()].eq_ignore_ascii_case(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_whatever_case() {
        for (text, wanted, is) in [
            ("payments/Checkout", "check", true),
            ("abc", "abcd", false),
            ("abc", "", true),
            ("", "a", false),
            ("aab", "ab", true),
        ] {
            assert_eq!(contains(text.as_bytes(), wanted.as_bytes()), is, "{text} {wanted}");
        }
    }
}
