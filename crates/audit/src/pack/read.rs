//! Checking a pack: with the public key alone, on a machine that has nothing of ours.

use super::line::{LeftOut, Line, PackEnd, PackHead};
use crate::seal::{Keys, Present, compare};
use crate::{Anchor, Edge, Entry, Fault, Sealed, leaf};
use sallyport_model::Digest;

/// Leaves of a longer stretch are not remembered: what was done in one is not named, only where.
const STRETCH: usize = 8192;

/// What checking a pack came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackVerdict {
    /// Nothing contradicts.
    Sealed(Box<PackTold>),
    /// Something was changed.
    Broken {
        /// The first entry that is not as it was sealed, or is missing.
        first_bad: u64,
        /// What was done.
        why: Fault,
    },
    /// It does not begin as a pack does.
    NoPack(String),
}

/// What a pack holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackTold {
    /// What it says of itself. Nobody signs that.
    pub head: PackHead,
    /// How much of each is in it.
    pub end: PackEnd,
    /// How far it is sealed, and by whom.
    pub sealed: Sealed,
    /// Anchors of which it says nothing: they are within what was left out, or it is older than they are.
    pub unknown_anchors: usize,
}

/// Reads a pack to its end. `keys` are fingerprints of which one has to have sealed it, `anchors` what it has to have been;
/// `seen` is shown each entry as it is read, before anybody knows whether it holds.
pub fn verify_pack(
    mut lines: impl Iterator<Item = Result<String, String>>,
    keys: &[Digest],
    anchors: &[Anchor],
    mut seen: impl FnMut(&Entry),
) -> PackVerdict {
    let head = match lines.next().map(|line| line.map(|line| Line::parse(&line))) {
        Some(Ok(Ok(Line::Head(head)))) if head.version == 1 => head,
        Some(Ok(Ok(Line::Head(head)))) => {
            return PackVerdict::NoPack(format!("it has version {}, this Sallyport knows 1", head.version));
        }
        Some(Ok(Ok(_))) => return PackVerdict::NoPack("its first line is another one's".to_owned()),
        Some(Ok(Err(error))) => return PackVerdict::NoPack(error.to_string()),
        Some(Err(why)) => return PackVerdict::NoPack(why),
        None => return PackVerdict::NoPack("it is empty".to_owned()),
    };
    let mut anchors: Vec<&Anchor> = anchors.iter().collect();
    anchors.sort_by_key(|anchor| anchor.sequence);
    let mut pack = Pack {
        origin: head.origin,
        keys: Keys::new(keys),
        edge: Edge::default(),
        sealed: Edge::default(),
        claimed: Edge::default(),
        range: Vec::new(),
        leaves: Vec::new(),
        counted: PackEnd::default(),
        anchors: &anchors,
        met: 0,
        unknown: 0,
        unmet: None,
    };
    match pack.all(&mut lines, &mut seen) {
        Ok(end) => match pack.told(head, end) {
            Ok(told) => PackVerdict::Sealed(Box::new(told)),
            Err((first_bad, why)) => PackVerdict::Broken { first_bad, why },
        },
        Err((first_bad, why)) => PackVerdict::Broken { first_bad, why },
    }
}

type Bad = (u64, Fault);

struct Pack<'a> {
    origin: Digest,
    keys: Keys<'a>,
    /// The tree with everything that was read.
    edge: Edge,
    /// The tree at the last checkpoint that held.
    sealed: Edge,
    /// The tree with the leaves that entries are said to have had.
    claimed: Edge,
    /// Entries since the last checkpoint, and the leaves they are said to have had.
    range: Vec<Present>,
    leaves: Vec<Digest>,
    counted: PackEnd,
    anchors: &'a [&'a Anchor],
    met: usize,
    unknown: usize,
    /// The first anchor that is not met: told once a checkpoint over its stretch was found to hold, which tells more exactly
    /// what was done where it does not.
    unmet: Option<Bad>,
}

impl Pack<'_> {
    fn due(&self) -> u64 {
        self.edge.size() + 1
    }

    fn all(
        &mut self,
        lines: &mut impl Iterator<Item = Result<String, String>>,
        seen: &mut impl FnMut(&Entry),
    ) -> Result<PackEnd, Bad> {
        while let Some(line) = lines.next() {
            let line = line.and_then(|line| Line::parse(&line).map_err(|error| error.to_string()));
            match line.map_err(|why| (self.due(), Fault::Unreadable(why)))? {
                Line::Head(_) => return Err((self.due(), Fault::Inserted)),
                Line::Entry(entry, claimed) => {
                    self.placed(entry.sequence, lines)?;
                    seen(&entry);
                    self.entry(&entry, claimed)?;
                }
                Line::LeftOut(left) => {
                    self.placed(left.from, lines)?;
                    self.left_out(left)?;
                }
                Line::Checkpoint(checkpoint) => {
                    if checkpoint.last > self.edge.size() {
                        return Err((self.due(), Fault::Deleted));
                    }
                    self.keys.take(&checkpoint)?;
                    if checkpoint.last < self.edge.size() {
                        return Err((checkpoint.last + 1, Fault::Inserted));
                    }
                    if checkpoint.origin != self.origin {
                        return Err((1, Fault::CheckpointForeign));
                    }
                    if checkpoint.root != self.edge.root() {
                        return Err(self.named(checkpoint.root));
                    }
                    if self.claimed.root() != checkpoint.root {
                        return Err(self.mislabelled());
                    }
                    self.as_anchored()?;
                    self.counted.checkpoints += 1;
                    self.sealed = self.edge.clone();
                    self.claimed = self.edge.clone();
                    self.range.clear();
                    self.leaves.clear();
                }
                Line::End(end) => {
                    self.as_anchored()?;
                    let ended = lines.next().is_none();
                    return if ended { Ok(end) } else { Err((self.due(), Fault::Inserted)) };
                }
            }
        }
        Err((self.due(), Fault::BreaksOff))
    }

    /// Every line begins where the last one ended.
    fn placed(&self, from: u64, rest: &mut impl Iterator<Item = Result<String, String>>) -> Result<(), Bad> {
        let due = self.due();
        if from < due {
            return Err((from, Fault::Inserted));
        }
        if from == due {
            return Ok(());
        }
        let is_elsewhere = rest.filter_map(Result::ok).any(|line| match Line::parse(&line) {
            Ok(Line::Entry(entry, _)) => entry.sequence == due,
            Ok(Line::LeftOut(left)) => left.from == due,
            _ => false,
        });
        Err((due, if is_elsewhere { Fault::Reordered } else { Fault::Deleted }))
    }

    fn entry(&mut self, entry: &Entry, claimed: Digest) -> Result<(), Bad> {
        let leaf = leaf(entry);
        if entry.sequence == 1 && claimed != self.origin {
            return Err((1, Fault::CheckpointForeign));
        }
        self.edge.push(leaf);
        self.claimed.push(claimed);
        self.counted.entries += 1;
        if self.range.len() <= STRETCH {
            let begins = entry.action == crate::Action::ChainBegun;
            self.range.push(Present { sequence: entry.sequence, leaf, begins });
            self.leaves.push(claimed);
        }
        self.anchored();
        Ok(())
    }

    fn left_out(&mut self, left: LeftOut) -> Result<(), Bad> {
        let bad = || (left.from, Fault::Unreadable("what is left out is no part of a tree".to_owned()));
        if left.from == 1 {
            // The first says which history it is.
            return Err((1, Fault::Deleted));
        }
        let count = left.to.checked_sub(left.from).and_then(|more| more.checked_add(1)).ok_or_else(bad)?;
        let level = count.is_power_of_two().then(|| count.ilog2()).ok_or_else(bad)?;
        self.edge.push_subtree(level, left.hash).map_err(|_| bad())?;
        self.claimed.push_subtree(level, left.hash).map_err(|_| bad())?;
        self.counted.left_out += count;
        self.anchored();
        Ok(())
    }

    fn as_anchored(&mut self) -> Result<(), Bad> {
        self.unmet.take().map_or(Ok(()), Err)
    }

    fn anchored(&mut self) {
        while self.unmet.is_none()
            && let Some(anchor) = self.anchors.get(self.met + self.unknown)
            && anchor.sequence <= self.edge.size()
        {
            if anchor.sequence < self.edge.size() {
                self.unknown += 1;
            } else if anchor.root == self.edge.root() {
                self.met += 1;
            } else {
                self.unmet = Some((self.sealed.size() + 1, Fault::NotAsAnchored(anchor.what.clone())));
            }
        }
    }

    /// Every entry is as it was sealed, and beside one stands another leaf than its own.
    fn mislabelled(&self) -> Bad {
        let wrong = self.range.iter().zip(&self.leaves).find(|(found, claimed)| found.leaf != **claimed);
        let first = self.sealed.size() + 1;
        wrong.map_or((first, Fault::Changed { until: self.edge.size() }), |(found, _)| {
            (found.sequence, Fault::Edited)
        })
    }

    /// A root that is not what was signed: which entry it is, if the leaves that were sealed are all there.
    fn named(&self, root: Digest) -> Bad {
        let first = self.sealed.size() + 1;
        let changed = (first, Fault::Changed { until: self.edge.size() });
        if self.claimed.root() != root || self.range.len() > STRETCH {
            return changed;
        }
        // Between what was left out each entry is compared as if nothing were.
        let now: Vec<Present> =
            (1..).zip(&self.range).map(|(sequence, found)| Present { sequence, ..*found }).collect();
        let found = compare(1, &self.leaves, self.leaves.len(), &now, false);
        found.map_or(changed, |(at, why)| (self.range[at as usize - 1].sequence, why))
    }

    fn told(mut self, head: PackHead, end: PackEnd) -> Result<PackTold, Bad> {
        let until = self.sealed.size();
        if self.edge.size() > until {
            return Err((until + 1, Fault::CheckpointMissing));
        }
        self.counted.unsealed = end.unsealed;
        if self.counted != end {
            return Err((until + 1, Fault::Unreadable("its end counts something else".to_owned())));
        }
        let Some(last) = self.keys.last().cloned() else { return Err((1, Fault::CheckpointMissing)) };
        self.keys.end()?;
        for anchor in &self.anchors[self.met + self.unknown..] {
            // It was made after somebody noted more than it holds.
            if anchor.time.is_some_and(|noted| noted.saturating_add(SKEW) < last.time) {
                let (what, head) = (anchor.what.clone(), anchor.sequence);
                return Err((until + 1, Fault::CutAsAnchored { what, head }));
            }
            self.unknown += 1;
        }
        let sealed = Sealed {
            entries: until + end.unsealed,
            until,
            checkpoints: usize::try_from(end.checkpoints).unwrap_or(usize::MAX),
            time: last.time,
            key: last.key,
            is_trusted: self.keys.is_trusted(),
            other_key_until: self.keys.other_key_until(),
            unsealed_from: None,
            anchors: self.met,
        };
        Ok(PackTold { head, end, sealed, unknown_anchors: self.unknown })
    }
}

/// How far the hub's clock and the desktop's may be apart, in microseconds: more are refused when signing in.
const SKEW: i64 = 60_000_000;
