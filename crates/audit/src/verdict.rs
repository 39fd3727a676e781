//! What checking a history comes to.

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
    /// An earlier start found it broken and said so in this entry; the text is from there.
    FoundEarlier(String),
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
            Self::FoundEarlier(why) => write!(f, "found at an earlier start: {why}"),
        }
    }
}
