//! Writing a pack while its entries go by, once.

use super::line::{LeftOut, Line, PackEnd, PackHead};
use crate::seal::node;
use crate::{Action, Checkpoint, Entry, leaf};
use sallyport_model::Digest;
use std::collections::VecDeque;

/// Makes the lines of a pack. Entries are handed over in their order, from the first; those after the last checkpoint are
/// counted and not written.
#[derive(Debug)]
pub struct PackWriter {
    checkpoints: VecDeque<Checkpoint>,
    cuts: VecDeque<u64>,
    at: u64,
    until: u64,
    /// Subtrees of entries that were left out since the last line, by how many levels they have.
    gap: Vec<(u32, Digest)>,
    end: PackEnd,
}

impl PackWriter {
    /// With the history's checkpoints, in their order, and sequences at which a reader shall know the root besides. Gives the
    /// first line too.
    pub fn new(head: PackHead, checkpoints: Vec<Checkpoint>, cuts: &[u64]) -> (Self, Line) {
        let mut cuts = cuts.to_vec();
        cuts.sort_unstable();
        let until = checkpoints.last().map_or(0, |checkpoint| checkpoint.last);
        let (checkpoints, cuts) = (checkpoints.into(), cuts.into());
        let made = Self { checkpoints, cuts, at: 0, until, gap: Vec::new(), end: PackEnd::default() };
        (made, Line::Head(head))
    }

    /// The next entry, and whether it is selected; the first entry and those that begin a chain are in every pack. Gives what
    /// has to be written, in this order.
    pub fn push(&mut self, entry: &Entry, is_selected: bool) -> Vec<Line> {
        self.at += 1;
        if self.at > self.until {
            self.end.unsealed += 1;
            return Vec::new();
        }
        let mut lines = Vec::new();
        if is_selected || self.at == 1 || entry.action == Action::ChainBegun {
            self.close_gap(self.at - 1, &mut lines);
            self.end.entries += 1;
            lines.push(Line::Entry(Box::new(entry.clone()), leaf(entry)));
        } else {
            self.end.left_out += 1;
            self.leave_out(leaf(entry));
        }
        while self.cuts.front().is_some_and(|cut| *cut <= self.at) {
            self.cuts.pop_front();
            self.close_gap(self.at, &mut lines);
        }
        if self.checkpoints.front().is_some_and(|checkpoint| checkpoint.last == self.at) {
            self.close_gap(self.at, &mut lines);
            self.end.checkpoints += 1;
            lines.extend(self.checkpoints.pop_front().map(Line::Checkpoint));
        }
        lines
    }

    /// The last line.
    pub fn end(self) -> Line {
        Line::End(self.end)
    }

    fn leave_out(&mut self, leaf: Digest) {
        self.gap.push((0, leaf));
        while let [.., (left, a), (right, b)] = self.gap.as_slice()
            && left == right
            && self.at.is_multiple_of(2 << left)
        {
            let merged = (left + 1, node(a, b));
            self.gap.truncate(self.gap.len() - 2);
            self.gap.push(merged);
        }
    }

    /// Ends a gap at `to`, its last entry.
    fn close_gap(&mut self, to: u64, lines: &mut Vec<Line>) {
        let count: u64 = self.gap.iter().map(|(level, _)| 1u64 << level).sum();
        let mut from = to + 1 - count;
        for (level, hash) in self.gap.drain(..) {
            let to = from + (1 << level) - 1;
            lines.push(Line::LeftOut(LeftOut { from, to, hash }));
            from = to + 1;
        }
    }
}
