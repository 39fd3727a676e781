//! Checkpoints as they are kept: each in the transaction of the entries that it ends with, so that one never lacks the other.

use super::{FILE, edge, now, row};
use crate::StoreError;
use rusqlite::{Connection, OptionalExtension as _, params};
use sallyport_audit::{
    Action, Checkpoint, CheckpointError, Edge, Entry, RESTATED, SealKey, SealPublic, Stored, leaf,
};
use sallyport_model::Digest;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long entries stay without a checkpoint at most, while nothing else makes one due.
const AGE: Duration = Duration::from_secs(300);
/// Leaves of a longer stretch are not kept beside its checkpoint: they only serve to name what was done to it.
const STRETCH: usize = 8192;

/// What signs checkpoints.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The key.
    pub key: SealKey,
    /// The key before it, which vouches for it in its last checkpoint. It is not needed after that.
    pub former: Option<SealKey>,
}

impl Sealing {
    /// Of its keys.
    pub fn fingerprints(&self) -> impl Iterator<Item = Digest> {
        std::iter::once(&self.key).chain(&self.former).map(|key| key.public().fingerprint())
    }
}

/// The tree over all entries, and what of it is sealed.
pub(super) struct Tree {
    sealing: Option<Sealing>,
    origin: Option<Digest>,
    /// None when entries are missing: nothing that is true could be signed.
    edge: Option<Edge>,
    sealed: u64,
    leaves: Vec<Digest>,
    since: Option<Instant>,
}

/// A checkpoint about to be kept.
pub(super) struct Made {
    last: u64,
    signed: String,
    edge: Vec<u8>,
    leaves: Vec<u8>,
    by: SealPublic,
}

impl Tree {
    /// As it is on disk: from the last checkpoint on where that holds, or where nobody signs any from the last stop on; else
    /// from the entries.
    pub(super) fn resume(
        dir: &Path,
        db: &Connection,
        last: u64,
        sealing: Option<Sealing>,
    ) -> Result<Self, StoreError> {
        let fresh = Self {
            sealing,
            origin: None,
            edge: Some(Edge::default()),
            sealed: 0,
            leaves: Vec::new(),
            since: None,
        };
        let mut tree = fresh;
        // What is signed is never what only a file says.
        let kept = if tree.sealing.is_none() { edge::read(dir, db)? } else { None };
        let Some(newest) = newest(db)? else {
            if let Some(kept) = kept {
                tree.origin = first(db)?;
                tree.go_on(db, kept)?;
            } else {
                tree.read(db, 1, None)?;
            }
            return Ok(tree);
        };
        tree.origin = first(db)?;
        let holds = newest.checkpoint.as_ref().ok().filter(|checkpoint| {
            checkpoint.last <= last && checkpoint.is_signed() && Some(checkpoint.origin) == tree.origin
        });
        let edge = holds.and_then(|checkpoint| {
            let edge = Edge::resume(checkpoint.last, newest.edge.clone()).ok()?;
            (edge.root() == checkpoint.root).then_some(edge)
        });
        match (edge, holds) {
            (Some(edge), Some(checkpoint)) => {
                tree.sealed = checkpoint.last;
                let later = kept.filter(|kept| kept.size() > edge.size());
                tree.go_on(db, later.unwrap_or(edge))?;
            }
            (_, holds) => {
                // What the next checkpoint says that it begins with contradicts the last: `verify` tells, from now on.
                tree.sealed = last;
                let wanted = holds.map(|checkpoint| (checkpoint.last, checkpoint.root));
                tree.read(db, 1, wanted)?;
            }
        }
        tree.hand_over(newest.checkpoint.as_ref().ok());
        Ok(tree)
    }

    /// From an edge on, with what is there behind it.
    fn go_on(&mut self, db: &Connection, edge: Edge) -> Result<(), StoreError> {
        let from = edge.size() + 1;
        self.edge = Some(edge);
        self.read(db, from, None)
    }

    /// The former key is asked for its word once, and only if it signed the last checkpoint.
    fn hand_over(&mut self, newest: Option<&Checkpoint>) {
        if let Some(sealing) = &mut self.sealing {
            let signed_last = |former: &SealKey| {
                newest.is_some_and(|last| last.key == *former.public() && last.next.is_none())
            };
            sealing.former = sealing.former.take().filter(signed_last);
        }
    }

    /// Another key signs from now on; the one before it does so once more, and names it. Without a key there is none to
    /// vouch for the next.
    pub(super) fn hand_over_to(&mut self, next: SealKey) {
        if let Some(sealing) = &mut self.sealing {
            let former = std::mem::replace(&mut sealing.key, next);
            // One that has not been handed over itself stays the one that vouches.
            sealing.former.get_or_insert(former);
        }
    }

    /// Whether the word of a key for the next one is not on disk yet.
    pub(super) fn is_handing_over(&self) -> bool {
        self.sealing.as_ref().is_some_and(|sealing| sealing.former.is_some())
    }

    /// Adds what is there from `from` on. `wanted`: a size at which the root has to be this for it to count as sealed.
    fn read(&mut self, db: &Connection, from: u64, wanted: Option<(u64, Digest)>) -> Result<(), StoreError> {
        let fail = || StoreError::sql(FILE, "read");
        let sql = format!("SELECT {} FROM entry WHERE sequence >= ? ORDER BY sequence", row::COLUMNS);
        let mut statement = db.prepare(&sql).map_err(fail())?;
        let mut rows = statement.query([from as i64]).map_err(fail())?;
        while let Some(found) = rows.next().map_err(fail())? {
            match row::read(found) {
                Ok(linked) => self.push(&linked.entry),
                Err(_) => self.edge = None,
            }
            let Some(edge) = &self.edge else { return Ok(()) };
            if wanted == Some((edge.size(), edge.root())) {
                self.sealed = edge.size();
                self.leaves.clear();
            }
        }
        Ok(())
    }

    /// One more entry.
    pub(super) fn push(&mut self, entry: &Entry) {
        let leaf = leaf(entry);
        if entry.sequence == 1 {
            self.origin = Some(leaf);
        }
        self.edge = self.edge.take().filter(|edge| edge.size() + 1 == entry.sequence);
        if let Some(edge) = &mut self.edge {
            edge.push(leaf);
            if self.leaves.len() <= STRETCH {
                self.leaves.push(leaf);
            }
            self.since.get_or_insert_with(Instant::now);
        }
    }

    /// What has to be kept beside the history to go on at the next start: nothing where checkpoints have it.
    pub(super) fn to_keep(&self) -> Option<&Edge> {
        self.edge.as_ref().filter(|edge| self.sealing.is_none() && edge.size() > 0)
    }

    /// The root over all entries.
    pub(super) fn root(&self) -> Option<Digest> {
        self.edge.as_ref().map(Edge::root)
    }

    /// The last entry that a checkpoint covers.
    pub(super) fn sealed(&self) -> u64 {
        self.sealed
    }

    /// Who signs.
    pub(super) fn key(&self) -> Option<SealPublic> {
        self.sealing.as_ref().map(|sealing| *sealing.key.public())
    }

    /// When the next checkpoint is due, if nothing makes it so before. None where there would be none then: whoever waits
    /// for that moment would come back to it for ever.
    pub(super) fn due(&self) -> Option<Instant> {
        let (_, edge, _) = (self.sealing.as_ref()?, self.edge.as_ref()?, self.origin?);
        self.since.filter(|_| edge.size() > self.sealed).map(|since| since + AGE)
    }

    /// The checkpoint that belongs to these entries, which were pushed before, if one does.
    pub(super) fn checkpoint<'e>(
        &self,
        mut entries: impl Iterator<Item = &'e Entry>,
        is_asked: bool,
    ) -> Option<Made> {
        let (sealing, edge, origin) = (self.sealing.as_ref()?, self.edge.as_ref()?, self.origin?);
        let waiting = edge.size().saturating_sub(self.sealed);
        let whole = |entry: &Entry| {
            matches!(entry.action, Action::ChainBegun | Action::AppStarted | Action::AppStopped)
        };
        let is_old = self.due().is_some_and(|due| due <= Instant::now());
        let is_due = is_asked || is_old || waiting >= RESTATED || entries.any(whole);
        if waiting == 0 || !is_due {
            return None;
        }
        let next = *sealing.key.public();
        let (key, next) = match &sealing.former {
            Some(former) => (former, Some(next)),
            None => (&sealing.key, None),
        };
        let range = (self.sealed + 1, edge.size());
        let checkpoint = Checkpoint::sign(key, origin, range, edge.root(), now(), next);
        let leaves = if self.leaves.len() <= STRETCH { bytes(&self.leaves) } else { Vec::new() };
        Some(Made {
            last: checkpoint.last,
            signed: checkpoint.to_json(),
            edge: bytes(edge.hashes()),
            leaves,
            by: checkpoint.key,
        })
    }

    /// It is tried again later.
    pub(super) fn put_off(&mut self) {
        self.since = Some(Instant::now());
    }

    /// It is on disk.
    pub(super) fn kept(&mut self, made: &Made) {
        self.sealed = made.last;
        self.leaves.clear();
        self.since = None;
        if let Some(sealing) = &mut self.sealing {
            sealing.former = sealing.former.take().filter(|former| *former.public() != made.by);
        }
    }
}

pub(super) fn insert(db: &Connection, made: &Made) -> rusqlite::Result<()> {
    let sql = "INSERT INTO checkpoint (last, signed, edge, leaves) VALUES (?,?,?,?)";
    db.prepare_cached(sql)?.execute(params![made.last as i64, made.signed, made.edge, made.leaves])?;
    Ok(())
}

/// A checkpoint and the tree at it, as they are kept: neither was looked at.
pub(super) struct Newest {
    /// Which one it is.
    pub(super) number: i64,
    /// Up to which entry it says that it goes, beside the checkpoint.
    pub(super) last: i64,
    pub(super) checkpoint: Result<Checkpoint, CheckpointError>,
    edge: Vec<Digest>,
}

/// The one that was kept last.
pub(super) fn newest(db: &Connection) -> Result<Option<Newest>, StoreError> {
    let sql = "SELECT signed, edge, id, last FROM checkpoint ORDER BY id DESC LIMIT 1";
    db.query_row(sql, [], |row| {
        let signed = row.get::<_, String>(0).unwrap_or_default();
        let edge = row.get::<_, Vec<u8>>(1).unwrap_or_default();
        let (number, last) = (row.get(2)?, row.get(3).unwrap_or_default());
        Ok(Newest { number, last, checkpoint: Checkpoint::parse(&signed), edge: digests(&edge) })
    })
    .optional()
    .map_err(StoreError::sql(FILE, "read"))
}

/// The last entry that any checkpoint tells of; 0 when there is none.
pub(super) fn reach(db: &Connection) -> Result<u64, StoreError> {
    let last: Option<i64> = db
        .query_row("SELECT max(last) FROM checkpoint", [], |row| row.get(0))
        .map_err(StoreError::sql(FILE, "read"))?;
    Ok(last.unwrap_or(0).max(0) as u64)
}

fn first(db: &Connection) -> Result<Option<Digest>, StoreError> {
    let sql = format!("SELECT {} FROM entry WHERE sequence = 1", row::COLUMNS);
    let found = db.query_row(&sql, [], |row| Ok(row::read(row))).optional();
    let found = found.map_err(StoreError::sql(FILE, "read"))?;
    Ok(found.and_then(Result::ok).map(|linked| leaf(&linked.entry)))
}

/// All of them in the order they were kept in. Their ids, by which [`leaves`] finds what was kept beside.
pub(super) fn all(db: &Connection) -> Result<(Vec<i64>, Vec<Stored>), StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    let mut statement = db.prepare("SELECT id, signed FROM checkpoint ORDER BY id").map_err(fail())?;
    let rows = statement.query_map([], |row| {
        let text = row.get::<_, String>(1).map_err(|_| "it is no text".to_owned());
        let checkpoint = text.and_then(|text| Checkpoint::parse(&text).map_err(|error| error.to_string()));
        Ok((row.get::<_, i64>(0)?, Stored { checkpoint }))
    });
    rows.map_err(fail())?
        .collect::<rusqlite::Result<Vec<_>>>()
        .map(|all| all.into_iter().unzip())
        .map_err(fail())
}

/// The leaves beside a checkpoint; none where they were not kept or can't be read.
pub(super) fn leaves(db: &Connection, id: i64) -> Vec<Digest> {
    let found =
        db.query_row("SELECT leaves FROM checkpoint WHERE id = ?", [id], |row| row.get::<_, Vec<u8>>(0));
    found.map_or_else(|_| Vec::new(), |bytes| digests(&bytes))
}

fn bytes(digests: &[Digest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| *digest.bytes()).collect()
}

/// None of noise.
fn digests(bytes: &[u8]) -> Vec<Digest> {
    let (whole, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() { whole.iter().map(|bytes| Digest::from(*bytes)).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;

    fn tree() -> Tree {
        let sealing = Some(Sealing { key: SealKey::new([3; 32]), former: None });
        let edge = Some(Edge::default());
        Tree { sealing, origin: None, edge, sealed: 0, leaves: Vec::new(), since: None }
    }

    fn entry(sequence: u64) -> Entry {
        Draft::new(Action::Call).place(sequence, sequence as i64)
    }

    /// The writer sleeps until a checkpoint is due: a moment that is past and brings none would keep a processor busy.
    #[test]
    fn nothing_is_due_where_no_checkpoint_can_be_made() {
        let mut whole = tree();
        assert_eq!(whole.due(), None, "of nothing there is none");
        whole.push(&entry(1));
        assert!(whole.due().is_some());
        let made = whole.checkpoint(std::iter::empty(), true).unwrap();
        whole.kept(&made);
        assert_eq!(whole.due(), None);
        whole.push(&entry(2));
        assert!(whole.due().is_some());

        let mut holed = tree();
        [1, 2, 4].iter().for_each(|n| holed.push(&entry(*n)));
        assert!(
            holed.checkpoint(std::iter::empty(), true).is_none() && holed.due().is_none(),
            "one is missing"
        );
        let mut unread = tree();
        unread.push(&entry(1));
        unread.edge = None;
        assert_eq!(unread.due(), None, "one could not be read");
        // As it is resumed where the last checkpoint contradicts what is there.
        let mut ahead = tree();
        ahead.sealed = 9;
        ahead.push(&entry(1));
        assert!(ahead.checkpoint(std::iter::empty(), true).is_none() && ahead.due().is_none());
        let mut headless = Tree { edge: Edge::resume(0, Vec::new()).ok(), ..tree() };
        headless.push(&entry(1));
        headless.origin = None;
        assert_eq!(headless.due(), None, "of what begins with nothing that is known");
    }
}
