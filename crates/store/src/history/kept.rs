//! A history as it lies on disk, read beside whoever writes it and changed by nobody.

use super::at_rest::{self, Still};
use super::{FILE, head, read, seal};
use crate::StoreError;
use rusqlite::Connection;
use sallyport_audit::{
    Anchor, ChainKey, Checkpoint, Fault, Head, Linked, Seals, Stored, Unreadable, Verdict, Wanted, verify,
    verify_seals,
};
use sallyport_model::Digest;
use std::path::{Path, PathBuf};

/// A history on disk at one moment. Blocks; opening and reading it makes no file and takes no lock. What is read while an app
/// begins to write to a file that was at rest is not told: that is [`StoreError::Busy`].
pub struct Kept {
    dir: PathBuf,
    still: Still,
    db: Connection,
    head: Option<Head>,
    has_checkpoints: bool,
}

/// What checking a history came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// By the links and the head, for whoever has the chain's key.
    pub chain: Verdict,
    /// By the checkpoints, for everybody.
    pub seals: Seals,
}

impl Checked {
    /// Both in one: what either contradicts is broken, and told is what is wrong first.
    pub fn verdict(self) -> Verdict {
        match (self.chain, self.seals) {
            (Verdict::Broken { first_bad: chain, why: said }, Seals::Broken { first_bad, why })
                // Where both tell of one entry, whoever has what was sealed knows better what was done to it.
                if first_bad < chain
                    || (first_bad == chain && said == Fault::Edited && !matches!(why, Fault::Changed { .. })) =>
            {
                Verdict::Broken { first_bad, why }
            }
            (broken @ Verdict::Broken { .. }, _) => broken,
            (_, Seals::Broken { first_bad, why }) => Verdict::Broken { first_bad, why },
            (chain, _) => chain,
        }
    }
}

/// The last checkpoint of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastCheckpoint {
    /// Nothing was ever sealed.
    Never,
    /// There is one that the key it names signed.
    Signed(Box<Checkpoint>),
    /// What should be the last is none, or was not the last: which, and why.
    Broken(String),
}

impl Kept {
    /// Opens the history of a data directory for reading.
    ///
    /// # Errors
    /// [`StoreError::NoHistory`]; [`StoreError::Newer`] when a later Sallyport wrote it; [`StoreError::Unfolded`] when its
    /// newest entries lie in a log that only the app can fold in; [`StoreError::Database`] when it can't be read.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        // The head first: it never runs ahead of the rows, so rows read later have all it knows.
        let head = head::read(dir)?.and_then(Result::ok);
        let (has_log, still) = Still::of(dir)?;
        let (db, version) = at_rest::open(dir, has_log)?;
        Ok(Self { dir: dir.to_owned(), still, db, head, has_checkpoints: version > 1 })
    }

    /// What was read, where nothing was written to a file at rest meanwhile.
    fn undisturbed<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.still.is_disturbed(&self.dir)? { Err(StoreError::Busy { file: FILE }) } else { read }
    }

    /// The checkpoints in the order they were made, and what was kept beside each.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read; [`StoreError::Busy`].
    pub fn checkpoints(&self) -> Result<Vec<Stored>, StoreError> {
        Ok(self.sealed()?.1)
    }

    /// The last checkpoint. Reads nothing else: what else was done to the history, [`Kept::seals`] says.
    ///
    /// # Errors
    /// As [`Kept::checkpoints`].
    pub fn newest(&self) -> Result<LastCheckpoint, StoreError> {
        if !self.has_checkpoints {
            return Ok(LastCheckpoint::Never);
        }
        let newest = self.undisturbed(seal::newest(&self.db))?;
        // It was read before the rows, so that they have all it knows.
        let sealed = self.head.as_ref().map_or(0, |head| head.sealed);
        let Some(newest) = newest else {
            return Ok(match sealed {
                0 => LastCheckpoint::Never,
                sealed => LastCheckpoint::Broken(format!(
                    "all of them are gone, though its head says that it was sealed up to entry {sealed}"
                )),
            });
        };
        let which = format!("checkpoint {} (up to entry {})", newest.number, newest.last);
        Ok(match newest.checkpoint {
            Err(error) => LastCheckpoint::Broken(format!("{which}: {error}")),
            Ok(checkpoint) if !checkpoint.is_signed() => {
                LastCheckpoint::Broken(format!("{which} is not signed by the key that it names"))
            }
            Ok(checkpoint) if checkpoint.last < sealed => LastCheckpoint::Broken(format!(
                "{which} was not the last: its head says that it was sealed up to entry {sealed}"
            )),
            Ok(checkpoint) => LastCheckpoint::Signed(Box::new(checkpoint)),
        })
    }

    fn sealed(&self) -> Result<(Vec<i64>, Vec<Stored>), StoreError> {
        if self.has_checkpoints {
            self.undisturbed(seal::all(&self.db))
        } else {
            Ok((Vec::new(), Vec::new()))
        }
    }

    /// Hands all entries, in their stored order, to whoever walks them.
    ///
    /// # Errors
    /// [`StoreError::Database`] when reading broke off, [`StoreError::Busy`]: whatever the walk came to is not given then.
    pub fn walk<T>(
        &self,
        walked: impl FnOnce(&mut dyn Iterator<Item = Result<Linked, Unreadable>>) -> T,
    ) -> Result<T, StoreError> {
        self.undisturbed(read::walk(&self.db, walked))
    }

    /// Checks everything, with the keys that are at hand: the chain's, and fingerprints of those that seal.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read; [`StoreError::Busy`].
    pub fn check(&self, key: Option<&ChainKey>, keys: &[Digest]) -> Result<Checked, StoreError> {
        let chain = self.walk(|entries| verify(entries, self.head.as_ref(), key))?;
        Ok(Checked { chain, seals: self.seals(keys, &[])? })
    }

    /// Checks what the checkpoints say, with nothing but fingerprints of public keys, and what others noted.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read; [`StoreError::Busy`].
    pub fn seals(&self, keys: &[Digest], anchors: &[Anchor]) -> Result<Seals, StoreError> {
        let (ids, checkpoints) = self.sealed()?;
        let sealed = self.head.as_ref().map_or(0, |head| head.sealed);
        let wanted = Wanted { keys, anchors, sealed };
        let leaves = |place: usize| ids.get(place).map_or_else(Vec::new, |id| seal::leaves(&self.db, *id));
        self.walk(|entries| verify_seals(entries, &checkpoints, leaves, &wanted))
    }
}
