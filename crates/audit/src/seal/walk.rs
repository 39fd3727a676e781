//! Checking a history against its checkpoints: with nothing but the public key, or with none, which tells less.

use super::SealPublic;
use super::checkpoint::{Checkpoint, RESTATED};
use super::compare::{Present, compare};
use super::keys::Keys;
use super::tree::{Edge, leaf};
use crate::{Action, Entry, Fault, Linked, Unreadable};
use sallyport_model::Digest;

/// Leaves of a longer stretch are not kept beside its checkpoint.
const STRETCH: usize = 8192;

/// A checkpoint as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    /// It, or what is wrong with its text.
    pub checkpoint: Result<Checkpoint, String>,
}

/// What somebody else noted of this history: an `AccessRequest` on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// How many entries there were.
    pub sequence: u64,
    /// The root over them.
    pub root: Digest,
    /// Who noted it: for the person.
    pub what: String,
    /// When, in microseconds of Unix time, by the hub's clock.
    pub time: Option<i64>,
}

/// What a history has to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Fingerprints of keys of which one has to have sealed it; empty when none is known.
    pub keys: &'a [Digest],
    /// What it has to have been.
    pub anchors: &'a [Anchor],
    /// How far it is sealed by its head.
    pub sealed: u64,
}

/// What checking against checkpoints came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seals {
    /// There is no checkpoint, and no entry says that there must be.
    Never {
        /// How many entries.
        entries: u64,
    },
    /// Nothing contradicts.
    Sealed(Sealed),
    /// Something was changed.
    Broken {
        /// The first entry that is not as it was sealed, or is missing.
        first_bad: u64,
        /// What was done.
        why: Fault,
    },
}

/// How far a history is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// How many entries there are.
    pub entries: u64,
    /// The last that a checkpoint covers.
    pub until: u64,
    /// How many checkpoints.
    pub checkpoints: usize,
    /// When the last was made, in microseconds of Unix time.
    pub time: i64,
    /// The key that signed it.
    pub key: SealPublic,
    /// It is the key that was asked for, or one that such a key named.
    pub is_trusted: bool,
    /// The last entry that another key sealed, which did not name its successor. The key vouches for it as it found it.
    pub other_key_until: Option<u64>,
    /// From here on nothing is sealed, because there was no key.
    pub unsealed_from: Option<u64>,
    /// How many anchors it meets.
    pub anchors: usize,
}

/// Checks entries in their stored order against `checkpoints` in the order they were kept in. `leaves` gives those that
/// were kept beside one, by its place; without them what was done is not named, only where. `trusted` are fingerprints of
/// keys; with none nobody says whose the signatures are.
pub fn verify_seals(
    entries: impl Iterator<Item = Result<Linked, Unreadable>>,
    checkpoints: &[Stored],
    leaves: impl FnMut(usize) -> Vec<Digest>,
    wanted: &Wanted<'_>,
) -> Seals {
    let mut anchors: Vec<&Anchor> = wanted.anchors.iter().collect();
    anchors.sort_by_key(|anchor| anchor.sequence);
    let told = look(checkpoints, wanted.keys);
    let mut walk = Walk {
        good: &told.good,
        leaves,
        passed: 0,
        edge: Edge::default(),
        trial: Edge::default(),
        is_contiguous: true,
        first: None,
        range: Vec::new(),
        anchors: &anchors,
        met: 0,
        unmet: None,
        sealed: wanted.sealed,
        found: Found::default(),
    };
    match walk.all(entries).and_then(|()| walk.end(&told)) {
        Ok(seals) => seals,
        Err((first_bad, why)) => Seals::Broken { first_bad, why },
    }
}

type Bad = (u64, Fault);

/// What checkpoints say of themselves.
struct Told<'a> {
    /// Those before the first that is bad.
    good: Vec<(&'a Checkpoint, usize)>,
    bad: Option<Bad>,
    is_trusted: bool,
    other_key_until: Option<u64>,
}

fn look<'a>(stored: &'a [Stored], trusted: &[Digest]) -> Told<'a> {
    let mut keys = Keys::new(trusted);
    let (mut good, mut bad) = (Vec::new(), None);
    for (place, stored) in stored.iter().enumerate() {
        let taken = match &stored.checkpoint {
            Ok(checkpoint) => keys.take(checkpoint).map(|()| checkpoint),
            Err(why) => Err((keys.due(), Fault::CheckpointForged(why.clone()))),
        };
        match taken {
            Ok(checkpoint) => good.push((checkpoint, place)),
            Err(found) => {
                bad = Some(found);
                break;
            }
        }
    }
    let bad = bad.or_else(|| keys.end().err());
    Told { good, bad, is_trusted: keys.is_trusted(), other_key_until: keys.other_key_until() }
}

/// What entries say about sealing.
#[derive(Default)]
struct Found {
    last: u64,
    /// Where the last chain began that says that it is not sealed.
    unsealed: Option<u64>,
    /// The last entry that can't be without a checkpoint.
    must: u64,
    is_sealed: bool,
}

impl Found {
    fn see(&mut self, entry: &Entry) {
        self.last = entry.sequence;
        if entry.action == Action::ChainBegun {
            self.is_sealed = entry.detail.get("seal").is_some_and(|seal| seal.is_string());
            self.unsealed = (!self.is_sealed).then(|| self.unsealed.unwrap_or(entry.sequence));
        }
        // Each of these is kept in one transaction with a checkpoint.
        let whole = matches!(entry.action, Action::ChainBegun | Action::AppStarted | Action::AppStopped);
        if self.is_sealed && whole {
            self.must = entry.sequence;
        }
    }
}

struct Walk<'a, L> {
    good: &'a [(&'a Checkpoint, usize)],
    leaves: L,
    /// How many checkpoints were found to hold.
    passed: usize,
    /// The tree at the last that did.
    edge: Edge,
    /// The tree with what was read since.
    trial: Edge,
    is_contiguous: bool,
    /// The first entry's leaf.
    first: Option<Digest>,
    range: Vec<Present>,
    anchors: &'a [&'a Anchor],
    met: usize,
    /// The first anchor that is not met. The checkpoint over that stretch tells more exactly what was done to it, where it
    /// does not hold either.
    unmet: Option<Bad>,
    sealed: u64,
    found: Found,
}

impl<L: FnMut(usize) -> Vec<Digest>> Walk<'_, L> {
    fn all(&mut self, mut entries: impl Iterator<Item = Result<Linked, Unreadable>>) -> Result<(), Bad> {
        while let Some(next) = entries.next() {
            let entry = next.map_err(|bad| (bad.sequence, Fault::Unreadable(bad.why)))?.entry;
            while self.good.get(self.passed).is_some_and(|(due, _)| entry.sequence > due.last) {
                if !self.pass() {
                    // Where something went that is not in its place any more, is further on.
                    self.range.push(present(&entry));
                    let further = entries.by_ref().take(STRETCH).map_while(Result::ok);
                    self.range.extend(further.map(|linked| present(&linked.entry)));
                    return Err(self.named(false));
                }
                self.as_anchored()?;
            }
            let found = present(&entry);
            self.is_contiguous &= entry.sequence == self.trial.size() + 1;
            self.trial.push(found.leaf);
            self.first.get_or_insert(found.leaf);
            if self.range.len() <= STRETCH {
                self.range.push(found);
            }
            self.found.see(&entry);
            self.anchored();
        }
        Ok(())
    }

    /// Whether the next checkpoint is over what was read.
    fn pass(&mut self) -> bool {
        let (checkpoint, _) = self.good[self.passed];
        let holds = self.is_contiguous
            && self.first == Some(checkpoint.origin)
            && self.trial.size() == checkpoint.last
            && self.trial.root() == checkpoint.root;
        if holds {
            self.passed += 1;
            self.edge = self.trial.clone();
            self.range.clear();
        }
        holds
    }

    /// What was done to the stretch of the next checkpoint, which is not over what was read.
    fn named(&mut self, none_follow: bool) -> Bad {
        let (checkpoint, place) = self.good[self.passed];
        let first = self.edge.size() + 1;
        let mut kept = (self.leaves)(place);
        if folds(&self.edge, &kept, checkpoint) {
            let is_any = self.range.iter().any(|found| kept.contains(&found.leaf));
            if first == 1 && self.first.is_some() && !is_any {
                return (1, Fault::CheckpointForeign);
            }
            let count = kept.len();
            if self.passed + 1 < self.good.len() {
                kept.extend((self.leaves)(self.good[self.passed + 1].1));
            }
            if let Some(bad) = compare(first, &kept, count, &self.range, none_follow) {
                return match bad {
                    (at, Fault::Truncated { .. }) => (at, Fault::Truncated { head: self.head() }),
                    other => other,
                };
            }
        }
        let missing = (first..).zip(&self.range).find(|(due, found)| found.sequence != *due);
        match missing {
            Some((due, _)) => (due, Fault::Deleted),
            None if none_follow && self.found.last < checkpoint.last => {
                (self.found.last + 1, Fault::Truncated { head: self.head() })
            }
            None if self.first.is_some_and(|leaf| leaf != checkpoint.origin) && first == 1 => {
                (1, Fault::CheckpointForeign)
            }
            None => (first, Fault::Changed { until: checkpoint.last }),
        }
    }

    /// The last entry of which any checkpoint tells.
    fn head(&self) -> u64 {
        self.good.last().map_or(0, |(checkpoint, _)| checkpoint.last)
    }

    fn anchored(&mut self) {
        while self.unmet.is_none()
            && let Some(anchor) = self.anchors.get(self.met)
            && anchor.sequence <= self.trial.size()
        {
            if anchor.sequence == self.trial.size() && anchor.root == self.trial.root() {
                self.met += 1;
            } else {
                let from = self.met.checked_sub(1).map_or(1, |before| self.anchors[before].sequence + 1);
                let why = Fault::NotAsAnchored(anchor.what.clone());
                self.unmet = Some((from.min(anchor.sequence), why));
            }
        }
    }

    /// An anchor that is not met, as soon as a checkpoint over its stretch was found to hold.
    fn as_anchored(&mut self) -> Result<(), Bad> {
        self.unmet.take().map_or(Ok(()), Err)
    }

    fn end(&mut self, told: &Told<'_>) -> Result<Seals, Bad> {
        while self.passed < self.good.len() {
            if !self.pass() {
                return Err(self.named(true));
            }
            self.as_anchored()?;
        }
        self.as_anchored()?;
        if let Some(bad) = &told.bad {
            return Err(bad.clone());
        }
        if let Some(anchor) = self.anchors.get(self.met) {
            let (what, head) = (anchor.what.clone(), anchor.sequence);
            return Err((self.found.last + 1, Fault::CutAsAnchored { what, head }));
        }
        let until = self.edge.size();
        if self.sealed > self.found.last {
            return Err((self.found.last + 1, Fault::Truncated { head: self.sealed }));
        }
        let is_due = self.found.must > until || self.sealed > until;
        if is_due || (self.found.is_sealed && self.found.last - until >= RESTATED) {
            return Err((until + 1, Fault::CheckpointMissing));
        }
        let Some((last, _)) = self.good.last() else {
            return Ok(Seals::Never { entries: self.found.last });
        };
        Ok(Seals::Sealed(Sealed {
            entries: self.found.last,
            until,
            checkpoints: self.good.len(),
            time: last.time,
            key: last.key,
            is_trusted: told.is_trusted,
            other_key_until: told.other_key_until,
            unsealed_from: self.found.unsealed.filter(|from| *from > until),
            anchors: self.met,
        }))
    }
}

fn present(entry: &Entry) -> Present {
    let begins = entry.action == Action::ChainBegun;
    Present { sequence: entry.sequence, leaf: leaf(entry), begins }
}

/// Whether leaves that were kept beside a checkpoint are those it is over.
fn folds(edge: &Edge, kept: &[Digest], checkpoint: &Checkpoint) -> bool {
    let mut edge = edge.clone();
    kept.iter().for_each(|leaf| edge.push(*leaf));
    edge.size() == checkpoint.last && edge.root() == checkpoint.root
}
