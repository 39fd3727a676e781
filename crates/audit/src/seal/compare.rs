//! What was done to entries, found by comparing their leaves with those that were sealed.

use crate::Fault;
use sallyport_model::Digest;
use std::collections::HashSet;

/// An entry of the stretch that a checkpoint covers, as it is now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    pub(crate) sequence: u64,
    pub(crate) leaf: Digest,
    /// It begins a chain.
    pub(crate) begins: bool,
}

/// The first entry that is not as it was sealed, and what was done there. `sealed` are the leaves from `first` on; of them
/// as many as `count` are this checkpoint's, those behind are only where something may have come from; `present` may go on behind them too, which
/// is where something may have gone to. `none_follow`: nothing is there behind `present`. `None` when they are alike.
pub(crate) fn compare(
    first: u64,
    sealed: &[Digest],
    count: usize,
    present: &[Present],
    none_follow: bool,
) -> Option<(u64, Fault)> {
    let at = (0..count).zip(first..).find(|(i, sequence)| {
        present.get(*i).is_none_or(|found| found.sequence != *sequence || found.leaf != sealed[*i])
    });
    let (at, sequence) = at?;
    // Whatever it was copied from is still there.
    let is_twice = |leaf: Digest| present.iter().filter(|found| found.leaf == leaf).count() > 1;
    let rest: HashSet<Digest> = present.iter().skip(at).map(|found| found.leaf).collect();
    let head = first + count as u64 - 1;
    let is_elsewhere = rest.contains(&sealed[at]);
    let Some(found) = present.get(at) else {
        let why = if none_follow { Fault::Truncated { head } } else { Fault::Deleted };
        return Some((sequence, why));
    };
    let nothing_left = !sealed[at..count].iter().any(|leaf| rest.contains(leaf));
    let belongs = sealed.iter().position(|leaf| *leaf == found.leaf);
    let why = if found.sequence != sequence {
        if is_elsewhere { Fault::Reordered } else { Fault::Deleted }
    } else if found.begins && nothing_left {
        // Whoever cuts a history off passes what follows off as another key's.
        Fault::Truncated { head }
    } else if is_elsewhere {
        if belongs.is_some() && !is_twice(found.leaf) { Fault::Reordered } else { Fault::Inserted }
    } else {
        // Further on in what was sealed, and not there any more because everything moved up: what was between is gone.
        // Still there: it was written over this one.
        let moved_up =
            belongs.is_some_and(|to| to > at && present.get(to).is_none_or(|now| now.leaf != found.leaf));
        if moved_up { Fault::Deleted } else { Fault::Edited }
    };
    Some((sequence, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> Digest {
        Digest::of(&n.to_be_bytes())
    }

    fn numbered(leaves: &[u64]) -> Vec<Present> {
        (11..)
            .zip(leaves)
            .map(|(sequence, n)| Present { sequence, leaf: leaf(*n), begins: *n == 99 })
            .collect()
    }

    #[test]
    fn what_was_done_is_named() {
        let sealed: Vec<Digest> = (11..=16).map(leaf).collect();
        let told = |now: &[Present], none_follow| compare(11, &sealed, 6, now, none_follow);
        let was: Vec<u64> = (11..=16).collect();
        assert_eq!(told(&numbered(&was), false), None);
        let hole: Vec<Present> = numbered(&was).into_iter().filter(|p| p.sequence != 13).collect();
        assert_eq!(told(&hole, false), Some((13, Fault::Deleted)));
        for (now, none_follow, wanted) in [
            (&[11, 12, 77, 14, 15, 16][..], false, Fault::Edited),
            (&[11, 12, 14, 15, 16], false, Fault::Deleted),
            (&[11, 12, 14, 15, 16, 17], false, Fault::Deleted),
            (&[11, 12, 77, 13, 14, 15], false, Fault::Inserted),
            (&[11, 12, 14, 13, 15, 16], false, Fault::Reordered),
            (&[11, 12, 16, 13, 14, 15], false, Fault::Reordered),
            (&[11, 12, 16, 13, 14, 15, 16], false, Fault::Inserted),
            (&[11, 12, 16, 14, 15, 16], false, Fault::Edited),
            (&[11, 12], true, Fault::Truncated { head: 16 }),
            (&[11, 12, 99, 98], true, Fault::Truncated { head: 16 }),
            (&[11, 12, 99, 13, 14, 15], false, Fault::Inserted),
        ] {
            assert_eq!(told(&numbered(now), none_follow), Some((13, wanted)), "{now:?}");
        }
    }
}
