//! The words of a segment in memory, for reading: loaded when a column is first asked about, and what came since.

use crate::coding;
use crate::column::Column;
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;

/// A word that is looked for on the disk takes as long as so many that are read one after the other.
const SINGLY: usize = 16;
/// So many words are looked through at once, where most have nothing of what is looked for.
const AT_ONCE: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Words {
    columns: [Loaded; Column::ALL.len()],
}

/// The words of a column, from 1 on, one after the other.
#[derive(Debug, Default)]
struct Loaded {
    text: String,
    /// The same in small letters, byte for byte, where somebody looked for a text and it is not the same.
    small: Option<String>,
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

    /// The words that contain a text in small letters; only ASCII is the same in either case. Many words at a time: most
    /// have nothing of it, and going from one to the next takes longer than looking through both.
    fn containing(&mut self, wanted: &str) -> Vec<u32> {
        let is_small = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if self.small.as_ref().is_none_or(|small| small.len() != self.text.len()) {
            self.small = (!is_small(&self.text)).then(|| self.text.to_ascii_lowercase());
        }
        let text = self.small.as_deref().unwrap_or(&self.text);
        let (mut words, mut begin, mut first) = (Vec::new(), 0, 1_u32);
        for ends in self.ends.chunks(AT_ONCE) {
            let end = ends.last().copied().unwrap_or(begin);
            let is_in = text.get(begin..end).is_some_and(|all| all.contains(wanted));
            let mut from = begin;
            for (word, end) in (first..).zip(ends) {
                if is_in && text.get(from..*end).is_some_and(|word| word.contains(wanted)) {
                    words.push(word);
                }
                from = *end;
            }
            (begin, first) = (end, first + ends.len() as u32);
        }
        words
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

    /// The texts of some words; U+FFFD for one that is damaged. A few of many are looked for one by one: a page names a
    /// hundred objects, and a column has hundreds of thousands.
    pub(crate) fn texts(
        &mut self,
        db: &Connection,
        column: Column,
        words: &[u32],
    ) -> Result<Vec<String>, rusqlite::Error> {
        let (known, most) = (self.known(column), words.iter().copied().max().unwrap_or_default());
        let mut singly: BTreeMap<u32, String> =
            words.iter().filter(|word| **word as usize > known).map(|word| (*word, String::new())).collect();
        if singly.len() * SINGLY >= most as usize - known.min(most as usize) {
            self.load(db, column, most)?;
            singly.clear();
        }
        if !singly.is_empty() {
            let mut statement = db.prepare_cached("SELECT text, sum FROM word WHERE kind = ? AND id = ?")?;
            for (word, text) in &mut singly {
                let found = statement
                    .query_row((column as u8, *word), |row| {
                        let text = String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned();
                        Ok((row.get::<_, i64>(1)? == sum(column, *word, &text)).then_some(text))
                    })
                    .optional()?;
                *text = found.flatten().unwrap_or_else(|| '\u{fffd}'.to_string());
            }
        }
        let text = |word: &u32| match singly.get(word) {
            Some(text) => text.clone(),
            None => self.text(column, *word).to_owned(),
        };
        Ok(words.iter().map(text).collect())
    }

    /// How many words of a column are in memory.
    fn known(&self, column: Column) -> usize {
        self.columns[column as usize].ends.len()
    }

    /// Whether all words of a column are as they were written, as far as they were loaded.
    pub(crate) fn is_whole(&self, column: Column) -> bool {
        self.columns[column as usize].damaged == 0
    }

    pub(crate) fn text(&self, column: Column, word: u32) -> &str {
        self.columns[column as usize].text(word)
    }

    pub(crate) fn containing(&mut self, column: Column, text: &str) -> Vec<u32> {
        if text.is_ascii() {
            return self.columns[column as usize].containing(&text.to_ascii_lowercase());
        }
        let wanted = text.to_lowercase();
        self.matching(column, |word| word.to_lowercase().contains(&wanted))
    }

    pub(crate) fn matching(&self, column: Column, holds: impl Fn(&str) -> bool) -> Vec<u32> {
        self.columns[column as usize].all().filter(|(_, text)| holds(text)).map(|(word, _)| word).collect()
    }

    /// About how much memory they take.
    pub(crate) fn size(&self) -> usize {
        let of = |one: &Loaded| {
            let small = one.small.as_ref().map_or(0, String::capacity);
            one.text.capacity() + small + one.ends.capacity() * 8
        };
        self.columns.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Loaded {
        let mut loaded = Loaded::default();
        for text in texts {
            loaded.text.push_str(text);
            loaded.ends.push(loaded.text.len());
        }
        loaded
    }

    #[test]
    fn a_text_is_found_in_whatever_case() {
        for (text, wanted, is) in [
            ("payments/Checkout", "check", true),
            ("abc", "abcd", false),
            ("abc", "", true),
            ("", "a", false),
            ("aab", "ab", true),
            ("ÄB\u{fffd}", "b", true),
        ] {
            assert_eq!(of(&[text]).containing(wanted), if is { vec![1] } else { vec![] }, "{text} {wanted}");
        }
    }

    /// As one word after the other says, also where a text would stand across two of them, and when words came since.
    #[test]
    fn words_are_found_as_if_each_was_looked_at() {
        let texts: Vec<String> =
            (0..1000).map(|n| format!("{}-{}X", ["web", "Über", ""][n % 3], n * 7)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut loaded = of(&texts[..700]);
        for (upto, wanted) in [(700, "web"), (700, "77"), (1000, "x"), (1000, "7xw"), (1000, "-"), (1000, "")]
        {
            let more: Vec<&str> = texts[loaded.ends.len()..upto].to_vec();
            for text in more {
                loaded.text.push_str(text);
                loaded.ends.push(loaded.text.len());
            }
            let expected: Vec<u32> = (1..)
                .zip(&texts[..upto])
                .filter(|(_, text)| text.to_ascii_lowercase().contains(wanted))
                .map(|(word, _)| word)
                .collect();
            assert_eq!(loaded.containing(wanted), expected, "{wanted}");
        }
    }
}
