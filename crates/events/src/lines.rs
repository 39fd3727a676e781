//! Bytes, as they come, into lines: bounded in memory whatever they are.

use crate::{LINE_MOST, Position};
use memchr::memchr;

/// A line, or that one was too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// The bytes of one line, without its line feed.
    Whole(Position, &'a [u8]),
    /// It was longer than [`LINE_MOST`], and skipped.
    TooLong(Position),
}

/// Where lines begin and end. Holds no more than one line.
#[derive(Debug)]
pub(crate) struct Lines {
    /// What there is of a line that has not ended yet.
    rest: Vec<u8>,
    /// Where that line begins.
    at: Position,
    /// How long the line is so far when it is too long to be kept.
    skipped: Option<u64>,
}

impl Lines {
    /// From a place on: the beginning of a line.
    pub(crate) fn from(offset: u64, line: u64) -> Self {
        Self { rest: Vec::new(), at: Position { offset, line: line.max(1), item: 0 }, skipped: None }
    }

    /// Where the line begins that has not ended yet: from here on it has to be read again by whoever comes later.
    pub(crate) fn at(&self) -> Position {
        self.at
    }

    /// What there is of the line that has not ended yet; `None` if that is too long to be kept.
    pub(crate) fn unended(&self) -> Option<&[u8]> {
        self.skipped.is_none().then_some(&self.rest[..])
    }

    /// Takes what comes next, and tells of each line that ends in it.
    pub(crate) fn push(&mut self, mut chunk: &[u8], each: &mut impl FnMut(Line<'_>)) {
        while let Some(end) = memchr(b'\n', chunk) {
            let (head, tail) = chunk.split_at(end);
            chunk = &tail[1..];
            if self.rest.is_empty() && self.skipped.is_none() && head.len() <= LINE_MOST {
                each(Line::Whole(self.at, head));
                self.next(head.len() as u64 + 1);
            } else {
                self.keep(head);
                self.ends(1, each);
            }
        }
        self.keep(chunk);
    }

    /// Nothing comes any more: what has not ended is a line too.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Line<'_>)) {
        if !self.rest.is_empty() || self.skipped.is_some() {
            self.ends(0, each);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        match &mut self.skipped {
            Some(length) => *length += part.len() as u64,
            None if self.rest.len() + part.len() > LINE_MOST => {
                self.skipped = Some((self.rest.len() + part.len()) as u64);
                self.rest = Vec::new();
            }
            None => self.rest.extend_from_slice(part),
        }
    }

    fn ends(&mut self, line_feed: u64, each: &mut impl FnMut(Line<'_>)) {
        let length = match self.skipped.take() {
            Some(length) => {
                each(Line::TooLong(self.at));
                length
            }
            None => {
                each(Line::Whole(self.at, &self.rest));
                self.rest.len() as u64
            }
        };
        self.rest.clear();
        // One long line is no reason to hold on to so much.
        self.rest.shrink_to(1024 * 1024);
        self.next(length + line_feed);
    }

    fn next(&mut self, length: u64) {
        self.at.offset += length;
        self.at.line += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<(Position, Option<Vec<u8>>)> {
        let mut out = Vec::new();
        let mut each = |line: Line<'_>| match line {
            Line::Whole(at, bytes) => out.push((at, Some(bytes.to_vec()))),
            Line::TooLong(at) => out.push((at, None)),
        };
        let mut lines = Lines::from(0, 1);
        for chunk in chunks {
            lines.push(chunk, &mut each);
        }
        lines.finish(&mut each);
        out
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let long = vec![b'x'; LINE_MOST + 1];
        let just = vec![b'y'; LINE_MOST];
        let found = lines(&[b"a\n", &long[..5], &long[5..], b"zz\nb\n", &just, b"\n", b"c"]);
        let shapes: Vec<_> = found.iter().map(|(at, line)| (at.line, line.as_ref().map(Vec::len))).collect();
        assert_eq!(shapes, [(1, Some(1)), (2, None), (3, Some(1)), (4, Some(LINE_MOST)), (5, Some(1))]);
        assert_eq!(found[2].0.offset, 2 + LINE_MOST as u64 + 1 + 3);
        // In one piece it is the same.
        let whole = [b"a\n", &long[..], b"zz\nb\n", &just, b"\nc"].concat();
        assert_eq!(lines(&[&whole]), found);
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_come(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let found = lines(&chunks);
            prop_assert_eq!(&found, &lines(&[&text]));
            for (at, line) in found {
                let line = line.unwrap();
                prop_assert_eq!(&text[at.offset as usize..][..line.len()], &line[..]);
            }
        }
    }
}
