//! One checkpoint after another: whether each is signed, goes on where the last one ended, and by whose key.

use super::Checkpoint;
use crate::Fault;
use sallyport_model::Digest;

type Bad = (u64, Fault);

/// The checkpoints so far.
pub(crate) struct Keys<'a> {
    trusted: &'a [Digest],
    before: Option<Checkpoint>,
    is_trusted: bool,
    other_key_until: Option<u64>,
}

impl<'a> Keys<'a> {
    /// `trusted` are fingerprints; with none nobody says whose the signatures are.
    pub(crate) fn new(trusted: &'a [Digest]) -> Self {
        Self { trusted, before: None, is_trusted: false, other_key_until: None }
    }

    /// The entry with which the next one has to begin.
    pub(crate) fn due(&self) -> u64 {
        self.before.as_ref().map_or(1, |before| before.last.saturating_add(1))
    }

    pub(crate) fn last(&self) -> Option<&Checkpoint> {
        self.before.as_ref()
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// The last entry that another key sealed, which did not name its successor.
    pub(crate) fn other_key_until(&self) -> Option<u64> {
        self.other_key_until
    }

    /// The next one.
    pub(crate) fn take(&mut self, checkpoint: &Checkpoint) -> Result<(), Bad> {
        let due = self.due();
        if !checkpoint.is_signed() {
            return Err((due, Fault::CheckpointForged("its signature does not hold".to_owned())));
        }
        if self.before.as_ref().is_some_and(|before| before.origin != checkpoint.origin) {
            return Err((due, Fault::CheckpointForeign));
        }
        if checkpoint.first > due {
            return Err((due, Fault::CheckpointMissing));
        }
        if checkpoint.first < due {
            // It was made when the history was shorter than it had been.
            return Err((checkpoint.first, Fault::Truncated { head: due - 1 }));
        }
        let named = self.before.as_ref().map(|before| before.next.unwrap_or(before.key));
        let is_named = named.is_none_or(|named| named == checkpoint.key);
        let known = self.trusted.contains(&checkpoint.key.fingerprint());
        if self.is_trusted && !known && !is_named {
            return Err((checkpoint.first, Fault::Resealed(checkpoint.key.fingerprint())));
        }
        if !is_named {
            self.other_key_until = Some(checkpoint.first - 1);
        }
        self.is_trusted |= known;
        self.before = Some(checkpoint.clone());
        Ok(())
    }

    /// After the last: whether one that was wanted is among them.
    pub(crate) fn end(&self) -> Result<(), Bad> {
        match &self.before {
            Some(last) if !self.trusted.is_empty() && !self.is_trusted => {
                Err((1, Fault::Resealed(last.key.fingerprint())))
            }
            _ => Ok(()),
        }
    }
}
