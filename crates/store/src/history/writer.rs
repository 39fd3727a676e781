//! The one thread that writes: takes what waits, commits it at once, renews the head.

use super::queue::Queue;
use super::seal::{Made, Tree};
use super::{HistoryState, Tip, edge, head, now, row, seal};
use crate::{InstanceLock, StoreError};
use rusqlite::{Connection, TransactionBehavior};
use sallyport_audit::{Action, Chain, Draft, Linked, Outcome};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Entries of one commit. While one commit waits for the disk the next fills, so the slower the disk, the larger
/// the commits, and none waits for more than two.
const BATCH: usize = 4096;
/// How often a disk that takes nothing is tried.
const RETRY: Duration = Duration::from_millis(200);
/// How long a stop waits for such a disk.
const GIVE_UP: Duration = Duration::from_secs(2);

pub(super) struct Writer {
    db: Connection,
    chain: Chain,
    tree: Tree,
    dir: PathBuf,
    queue: Arc<Queue>,
    stall: Option<Stall>,
    // Held to the end: whoever opens next must find everything written.
    _lock: InstanceLock,
}

struct Stall {
    since: i64,
    why: String,
}

impl Writer {
    pub(super) fn new(
        db: Connection,
        chain: Chain,
        tree: Tree,
        dir: PathBuf,
        queue: Arc<Queue>,
        lock: InstanceLock,
    ) -> Self {
        Self { db, chain, tree, dir, queue, stall: None, _lock: lock }
    }

    pub(super) fn run(mut self) -> Result<(), StoreError> {
        let mut end = Ok(());
        while let Some(taken) = self.queue.take(BATCH, self.tree.due()) {
            if let Some(next) = taken.next_key {
                self.chain = self.chain.sealed_with(next.public().id());
                self.tree.hand_over_to(next);
            }
            let linked: Vec<Linked> = taken
                .entries
                .into_iter()
                .map(|entry| {
                    let link = self.chain.append(&entry);
                    self.tree.push(&entry);
                    Linked { entry, link }
                })
                .collect();
            let checkpoint = self.tree.checkpoint(linked.iter().map(|linked| &linked.entry), taken.is_asked);
            if linked.is_empty() {
                self.seal(checkpoint);
            } else if let Err(left) = self.write(&linked, checkpoint) {
                end = Err(StoreError::Lost { entries: left });
                break;
            }
            self.queue.set_handing_over(self.tree.is_handing_over());
        }
        let head = self.chain.head();
        if let Some(kept) = self.tree.to_keep().filter(|kept| end.is_ok() && kept.size() == head.sequence)
            && let Err(error) = edge::write(&self.dir, kept, head.hash)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the next start reads all entries");
        }
        // Folds the WAL into the file; without it the next start does.
        let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        self.queue.set_state(HistoryState::Closed);
        end
    }

    /// Keeps a checkpoint that no entry waits for. A disk that takes nothing is tried again with the next entries.
    fn seal(&mut self, checkpoint: Option<Made>) {
        if let Some(made) = checkpoint {
            let kept = self.commit(&[], Some(&made)).and_then(|()| {
                self.is_sealed(Some(&made));
                head::write(&self.dir, &self.chain.head())
            });
            if let Err(error) = kept {
                tracing::warn!(error = &error as &dyn std::error::Error, "a checkpoint could not be kept");
                self.tree.put_off();
            }
        }
        self.queue.sealed(self.tip());
    }

    fn is_sealed(&mut self, checkpoint: Option<&Made>) {
        if let Some(made) = checkpoint {
            self.tree.kept(made);
            self.chain.sealed(self.tree.sealed());
        }
    }

    fn tip(&self) -> Tip {
        Tip {
            sequence: self.chain.sequence(),
            hash: self.chain.head().hash,
            root: self.tree.root(),
            sealed: self.tree.sealed(),
        }
    }

    /// Tries until the disk takes them; gives up only after a stop, with the number of entries left.
    fn write(&mut self, linked: &[Linked], checkpoint: Option<Made>) -> Result<(), usize> {
        let mut give_up = None;
        self.persist(linked.len(), &mut give_up, |writer| writer.commit(linked, checkpoint.as_ref()))?;
        self.is_sealed(checkpoint.as_ref());
        self.queue.written(linked.len(), self.tip());
        self.persist(0, &mut give_up, |writer| head::write(&writer.dir, &writer.chain.head()))?;
        if let Some(stall) = self.stall.take() {
            self.queue.set_state(HistoryState::Writing);
            let gap = Draft::new(Action::Gap).outcome(Outcome::Failed).detail("why", stall.why);
            let gap = gap.detail("from", stall.since).detail("to", now()).detail("waited", linked.len());
            self.queue.push_always(gap.detail("refused", self.queue.take_refused()));
        }
        Ok(())
    }

    fn persist(
        &mut self,
        entries: usize,
        give_up: &mut Option<Instant>,
        mut attempt: impl FnMut(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), usize> {
        loop {
            let Err(error) = attempt(self) else { return Ok(()) };
            let waiting = entries + self.queue.waiting();
            if self.stall.is_none() {
                tracing::error!(error = &error as &dyn std::error::Error, "the history can't be written");
            }
            let why = chain_of(&error);
            let stall = self.stall.get_or_insert_with(|| Stall { since: now(), why });
            self.queue.set_state(HistoryState::Stalled {
                since: stall.since,
                why: stall.why.clone(),
                waiting,
            });
            if self.queue.pause(RETRY) {
                let until = give_up.get_or_insert_with(|| Instant::now() + GIVE_UP);
                if Instant::now() >= *until {
                    return Err(waiting);
                }
                std::thread::sleep(RETRY);
            }
        }
    }

    fn commit(&mut self, linked: &[Linked], checkpoint: Option<&Made>) -> Result<(), StoreError> {
        let mut write = || {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut statement = row::prepare_insert(&tx)?;
                for entry in linked {
                    row::insert(&mut statement, entry)?;
                }
            }
            if let Some(made) = checkpoint {
                seal::insert(&tx, made)?;
            }
            tx.commit()
        };
        write().map_err(StoreError::sql(super::FILE, "written"))
    }
}

/// The whole chain of an error in one line, for the state and the gap entry.
fn chain_of(error: &StoreError) -> String {
    let mut out = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        out.push_str(": ");
        out.push_str(&error.to_string());
        source = error.source();
    }
    out
}
