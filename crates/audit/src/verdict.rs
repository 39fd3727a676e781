//! What checking a history comes to.

use sallyport_model::Digest;
use std::fmt;

/// A row that is no entry at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {sequence} is not readable: {why}")]
pub struct Unreadable {
    /// Its place.
    pub sequence: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What checking a history came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry is as it was written, none is missing, and the end is where the head says.
    Verified {
        /// How many entries.
        entries: u64,
    },
    /// Nothing contradicts, but entries up to `until` are not under the key at hand, so anyone could have made them.
    Unanchored {
        /// How many entries.
        entries: u64,
        /// The last entry that is not under the key.
        until: u64,
        /// Why.
        why: Unanchored,
    },
    /// Something was changed.
    Broken {
        /// The first entry that is not as it was written, or is missing.
        first_bad: u64,
        /// What was done.
        why: Fault,
    },
}

/// Why a history is not anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanchored {
    /// There is no key: no keyring.
    NoKey,
    /// Part of it was written without a key.
    WrittenWithout,
    /// Part of it was written under a key that is not at hand any more.
    OtherKey,
}

/// What was done to a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The entry says something else than when it was written.
    Edited,
    /// One or more entries are missing from here.
    Deleted,
    /// The entry was never written by Sallyport.
    Inserted,
    /// The entry stands in another one's place.
    Reordered,
    /// The end is missing; the head knows an entry with this sequence.
    Truncated {
        /// The last entry that existed.
        head: u64,
    },
    /// The row is no entry.
    Unreadable(String),
    /// The first entry is not the beginning of a chain.
    NotBegun,
    /// The head is gone.
    HeadMissing,
    /// The head was not made under the key.
    HeadForged,
    /// The head names another link for this entry.
    HeadMismatch,
    /// One of the entries up to here says something else than when they were sealed, or is missing, or is one too many.
    Changed {
        /// The last of them.
        until: u64,
    },
    /// It ends before its last line.
    BreaksOff,
    /// From here on there must be a checkpoint, and there is none.
    CheckpointMissing,
    /// What stands in a checkpoint's place was not signed; the text says how that shows.
    CheckpointForged(String),
    /// The checkpoints are those of another history.
    CheckpointForeign,
    /// From here on it is sealed with the key of this fingerprint, which no key before it named.
    Resealed(Digest),
    /// It is not what it was when somebody else noted how it was; the text says who.
    NotAsAnchored(String),
    /// It was longer when somebody else noted how it was.
    CutAsAnchored {
        /// Who.
        what: String,
        /// How many entries there were.
        head: u64,
    },
    /// An earlier start found it broken and said so in this entry; the text is from there.
    FoundEarlier(String),
}

impl Fault {
    /// The kind of it in one word, for programs. Never changed once released.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::Truncated { .. } | Self::CutAsAnchored { .. } => "truncated",
            Self::Unreadable(_) => "unreadable",
            Self::NotBegun => "beginning_cut",
            Self::HeadMissing => "head_missing",
            Self::HeadForged => "head_forged",
            Self::HeadMismatch => "head_mismatch",
            Self::Changed { .. } => "changed",
            Self::BreaksOff => "breaks_off",
            Self::CheckpointMissing => "checkpoint_missing",
            Self::CheckpointForged(_) => "checkpoint_forged",
            Self::CheckpointForeign => "checkpoint_foreign",
            Self::Resealed(_) => "resealed",
            Self::NotAsAnchored(_) => "not_as_anchored",
            Self::FoundEarlier(_) => "found_earlier",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("the entry was edited"),
            Self::Deleted => f.write_str("entries were deleted here"),
            Self::Inserted => f.write_str("the entry was inserted"),
            Self::Reordered => f.write_str("entries were put in another order"),
            Self::Truncated { head } => write!(f, "the end was cut off: there was an entry {head}"),
            Self::Unreadable(why) => write!(f, "the entry is not readable: {why}"),
            Self::NotBegun => f.write_str("the beginning was cut off"),
            Self::HeadMissing => f.write_str("the head that is kept apart is missing"),
            Self::HeadForged => f.write_str("the head that is kept apart was not made by this Sallyport"),
            Self::HeadMismatch => f.write_str("the head that is kept apart names another entry"),
            Self::Changed { until } => {
                write!(f, "entries were edited, deleted or inserted between here and entry {until}")
            }
            Self::BreaksOff => f.write_str("it breaks off here: its end is missing"),
            Self::CheckpointMissing => f.write_str("a checkpoint is missing: it was removed"),
            Self::CheckpointForged(why) => write!(f, "a checkpoint was not made by this Sallyport: {why}"),
            Self::CheckpointForeign => f.write_str("the checkpoints are another history's"),
            Self::Resealed(key) => {
                write!(f, "it is sealed again with another key, {key}, which no key before it named")
            }
            Self::NotAsAnchored(what) => {
                write!(f, "the history is not what it was when {what} was made: it was changed or begun anew")
            }
            Self::CutAsAnchored { what, head } => {
                write!(f, "the end was cut off: when {what} was made there was an entry {head}")
            }
            Self::FoundEarlier(why) => write!(f, "found at an earlier start: {why}"),
        }
    }
}
