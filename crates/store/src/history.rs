//! The append-only history: one table, one writer thread, one head file.

mod at_rest;
mod beside;
mod edge;
mod head;
mod kept;
mod open;
mod queue;
mod read;
mod row;
mod seal;
mod writer;

pub use beside::{Recorded, read_beside};
pub use kept::{Checked, Kept, LastCheckpoint};
pub use read::{Bucket, Buckets, CallFilter, Cursor, Filter, Page, TopBy, Went};
pub use seal::Sealing;

use crate::{InstanceLock, StoreError, file};
use queue::Queue;
use rusqlite::Connection;
use sallyport_audit::{Action, Chain, ChainKey, Draft, Linked, SealKey, SealPublic, Verdict};
use sallyport_model::Digest;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

pub(crate) const FILE: &str = "history.db";

/// How much may wait, and how long.
#[derive(Clone, Copy, Debug)]
pub struct HistoryOptions {
    /// Most entries in memory that are not on disk yet.
    pub waiting: usize,
    /// How long an append waits for a place in memory, or for the disk when it must be durable.
    pub deadline: Duration,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self { waiting: 8192, deadline: Duration::from_secs(10) }
    }
}

/// The last entry that is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its place; 0 before the first.
    pub sequence: u64,
    /// Its link: whoever notes it elsewhere can later prove everything up to it.
    pub hash: Digest,
    /// The Merkle root over all entries up to it; none when some are missing.
    pub root: Option<Digest>,
    /// The last entry that a checkpoint covers; 0 without one.
    pub sealed: u64,
}

/// How writing goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryState {
    /// Entries reach the disk.
    Writing,
    /// The disk takes nothing; entries wait in memory and nothing is dropped.
    Stalled {
        /// Since when, in microseconds of Unix time.
        since: i64,
        /// What the disk said.
        why: String,
        /// How many entries wait.
        waiting: usize,
    },
    /// It was closed.
    Closed,
}

/// The history of one data directory. Cheap to clone; all clones are the same history.
#[derive(Clone)]
pub struct History {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    key: Option<ChainKey>,
    seal: Mutex<Option<SealPublic>>,
    /// Fingerprints of the keys that are ours.
    ours: Mutex<Vec<Digest>>,
    options: HistoryOptions,
    queue: Arc<Queue>,
    reader: Mutex<Connection>,
    writer: Mutex<Option<std::thread::JoinHandle<Result<(), StoreError>>>>,
    set_aside: Option<String>,
}

impl History {
    /// Opens the history of a data directory, or begins one.
    ///
    /// A damaged file is moved aside and a new chain begins that says so; a missing end, a head that does not fit
    /// and an unclean stop each become an entry. With no key the history is kept, but only ever "unanchored".
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Newer`] when a later Sallyport wrote it,
    /// else what disk or database said.
    pub async fn open(dir: &Path, key: Option<ChainKey>) -> Result<Self, StoreError> {
        Self::open_with(dir, key, None, HistoryOptions::default()).await
    }

    /// Like [`History::open`], and seals it: checkpoints are signed with every 1024 entries, after five minutes, when it is
    /// opened and closed, and when somebody asks.
    ///
    /// # Errors
    /// As [`History::open`].
    pub async fn open_sealed(dir: &Path, key: ChainKey, sealing: Sealing) -> Result<Self, StoreError> {
        Self::open_with(dir, Some(key), Some(sealing), HistoryOptions::default()).await
    }

    /// Like [`History::open`], with other bounds.
    ///
    /// # Errors
    /// As [`History::open`].
    pub async fn open_with(
        dir: &Path,
        key: Option<ChainKey>,
        sealing: Option<Sealing>,
        options: HistoryOptions,
    ) -> Result<Self, StoreError> {
        let dir = dir.to_owned();
        let (history, begun) = blocking(move || Self::open_blocking(dir, key, sealing, options)).await?;
        // What a start has to say is on disk before anything else happens. A disk that takes nothing is no reason
        // not to start: `state` tells.
        let mut tip = history.subscribe();
        let _ = tokio::time::timeout(Duration::from_secs(1), tip.wait_for(|tip| tip.sequence >= begun)).await;
        Ok(history)
    }

    fn open_blocking(
        dir: PathBuf,
        key: Option<ChainKey>,
        sealing: Option<Sealing>,
        options: HistoryOptions,
    ) -> Result<(Self, u64), StoreError> {
        // A lock of its own: two writers would fork the chain, whatever the caller locked before.
        let lock = InstanceLock::take_named(&dir, "history.lock")?;
        let ours = sealing.iter().flat_map(Sealing::fingerprints).collect();
        let opened = open::open(&dir, key.as_ref(), sealing)?;
        let seal = opened.tree.key();
        let queue = Arc::new(Queue::new(opened.chain.sequence(), opened.tip, options.waiting));
        queue.set_handing_over(opened.tree.is_handing_over());
        let begun = opened.chain.sequence() + opened.first.len() as u64;
        for draft in opened.first {
            queue.push_always(draft);
        }
        let reader = file::open_to_read(&dir, FILE)?;
        let writer =
            writer::Writer::new(opened.db, opened.chain, opened.tree, dir.clone(), queue.clone(), lock);
        let writer = std::thread::Builder::new()
            .name("history-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(StoreError::io(&dir, "given a writer thread"))?;
        let (writer, reader) = (Mutex::new(Some(writer)), Mutex::new(reader));
        let (seal, ours) = (Mutex::new(seal), Mutex::new(ours));
        let shared =
            Shared { dir, key, seal, ours, options, queue, reader, writer, set_aside: opened.set_aside };
        Ok((Self { shared: Arc::new(shared) }, begun))
    }

    /// The name of the damaged file that was moved aside when this was opened, to be told to the person.
    pub fn set_aside(&self) -> Option<&str> {
        self.shared.set_aside.as_deref()
    }

    /// Gives the entry its place and hands it to the writer; it is on disk within 100 ms of a healthy disk. Waits
    /// only when as many entries wait as may.
    ///
    /// # Errors
    /// [`StoreError::Stalled`] when no place came free within the deadline (counted in the gap entry that follows),
    /// [`StoreError::Closed`].
    pub async fn append(&self, draft: Draft) -> Result<u64, StoreError> {
        self.shared.queue.push(draft, self.shared.options.deadline).await
    }

    /// Like [`History::append`], for what must not be given up: waits for a place as long as it takes.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn append_waiting(&self, draft: Draft) -> Result<u64, StoreError> {
        self.shared.queue.push(draft, Duration::MAX).await
    }

    /// Returns when the entry with that place is on disk, or never will be: the history was closed without it.
    pub async fn until_durable(&self, sequence: u64) {
        let (mut tip, mut state) = (self.subscribe(), self.state());
        tokio::select! {
            // The senders live as long as this does.
            _ = tip.wait_for(|tip| tip.sequence >= sequence) => {}
            _ = state.wait_for(|state| *state == HistoryState::Closed) => {}
        }
    }

    /// Like [`History::append`], and returns when the entry is on disk.
    ///
    /// # Errors
    /// As [`History::append`]; [`StoreError::NotDurable`] when it has its place but the disk did not take it within
    /// the deadline.
    pub async fn append_durable(&self, draft: Draft) -> Result<u64, StoreError> {
        let sequence = self.append(draft).await?;
        let mut tip = self.shared.queue.tip();
        let written = tip.wait_for(|tip| tip.sequence >= sequence);
        match tokio::time::timeout(self.shared.options.deadline, written).await {
            Ok(Ok(_)) => Ok(sequence),
            Ok(Err(_)) | Err(_) => Err(StoreError::NotDurable { sequence }),
        }
    }

    /// Follows the last entry on disk: changes whenever entries were added.
    pub fn subscribe(&self) -> watch::Receiver<Tip> {
        self.shared.queue.tip()
    }

    /// Follows how writing goes.
    pub fn state(&self) -> watch::Receiver<HistoryState> {
        self.shared.queue.state()
    }

    /// Entries that fit, newest first, from `cursor` (a page's `next`) on; at most `limit`, at most 1000.
    ///
    /// A text filter looks at rows for a quarter of a second at most: the page may then hold fewer, even no,
    /// entries and still have a `next`.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read.
    pub async fn page(
        &self,
        filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.reading(move |db| read::page(db, &filter, cursor, limit)).await
    }

    /// How many entries fit.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read.
    pub async fn count(&self, filter: Filter) -> Result<u64, StoreError> {
        self.reading(move |db| read::count(db, &filter)).await
    }

    /// How many entries fit in each of `buckets` stretches of `step` microseconds from `from` on. A text filter looks at
    /// rows for a second at most, and the answer says so.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read.
    pub async fn buckets(
        &self,
        filter: Filter,
        from: i64,
        step: i64,
        buckets: usize,
    ) -> Result<Buckets, StoreError> {
        self.reading(move |db| read::buckets(db, &filter, from, step, buckets)).await
    }

    /// Who or what occurs most often, the most frequent first; a text of the filter is not looked for.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read.
    pub async fn top(
        &self,
        filter: Filter,
        by: TopBy,
        most: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.reading(move |db| read::top(db, &filter, by, most)).await
    }

    /// The moments of the first and the last entry, in microseconds of Unix time; none of an empty history.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read.
    pub async fn range(&self) -> Result<Option<(i64, i64)>, StoreError> {
        self.reading(read::range).await
    }

    /// Entries with their links in the order of the chain, from a place on, for an export; at most 10,000.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file can't be read. Rows that are no entries are left out: `verify` names
    /// them.
    pub async fn read_from(&self, sequence: u64, limit: usize) -> Result<Vec<Linked>, StoreError> {
        self.reading(move |db| read::from(db, sequence, limit)).await
    }

    /// The key that others check checkpoints with; none without a keyring.
    pub fn seal_key(&self) -> Option<SealPublic> {
        *self.shared.seal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a key's word for the one after it is not on disk yet: until then there can't be another, and both are needed
    /// at the next start.
    pub fn is_handing_over(&self) -> bool {
        self.shared.queue.is_handing_over()
    }

    /// Has another key sign from now on. The one before it signs once more, over all there is and an entry that says so, and
    /// names it there; returns when that is on disk. `next` is kept already, and so is the one before: whoever dies in
    /// between opens with both ([`Sealing::former`]) and finds the same done.
    ///
    /// # Errors
    /// [`StoreError::NoSeal`] where nothing is sealed, or entries are missing so that nothing can be;
    /// [`StoreError::HandingOver`] while the last one is not over; [`StoreError::NotDurable`] when the disk did not take it
    /// within the deadline: it is tried again by itself; [`StoreError::Closed`].
    pub async fn renew_seal(&self, next: SealKey) -> Result<(), StoreError> {
        let mut tip = self.subscribe();
        if self.seal_key().is_none() || tip.borrow().root.is_none() {
            return Err(StoreError::NoSeal);
        }
        let (public, zero) = (*next.public(), Digest::from([0; 32]));
        let chain = Chain::resume(self.shared.key.clone(), 0, zero).sealed_with(public.id());
        let said = chain.beginning("a new sealing key, named by the one before it");
        let sequence = self.shared.queue.hand_over(next, said)?;
        self.shared.ours.lock().unwrap_or_else(PoisonError::into_inner).push(public.fingerprint());
        *self.shared.seal.lock().unwrap_or_else(PoisonError::into_inner) = Some(public);
        let kept = async {
            while tip.borrow_and_update().sealed < sequence || self.is_handing_over() {
                // Whether it is handed over is said after the tip is: looked at once more a moment later.
                let _ = tokio::time::timeout(Duration::from_millis(20), tip.changed()).await;
            }
        };
        tokio::time::timeout(self.shared.options.deadline, kept)
            .await
            .map_err(|_| StoreError::NotDurable { sequence })
    }

    /// Makes a checkpoint over everything appended before, and returns when it is on disk; says up to which entry. Without a
    /// key, 0.
    ///
    /// # Errors
    /// [`StoreError::Closed`]; [`StoreError::NotDurable`] when the disk did not take it within the deadline.
    pub async fn seal(&self) -> Result<u64, StoreError> {
        if self.seal_key().is_none() {
            return Ok(0);
        }
        let mut tip = self.subscribe();
        let sequence = self.shared.queue.ask()?;
        let kept = tip.wait_for(|tip| tip.sealed >= sequence);
        match tokio::time::timeout(self.shared.options.deadline, kept).await {
            Ok(Ok(tip)) => Ok(tip.sealed),
            Ok(Err(_)) | Err(_) => Err(StoreError::NotDurable { sequence }),
        }
    }

    /// Checks the whole history against its links, the head on disk and its checkpoints (P18). Reads every row, on a
    /// connection of its own, while writing goes on.
    ///
    /// # Errors
    /// [`StoreError`] when the file can't be read at all; what is wrong *in* it is the verdict.
    pub async fn check(&self) -> Result<Checked, StoreError> {
        let shared = self.shared.clone();
        let ours = shared.ours.lock().unwrap_or_else(PoisonError::into_inner).clone();
        blocking(move || Kept::open(&shared.dir)?.check(shared.key.as_ref(), &ours)).await
    }

    /// What [`History::check`] comes to, in one verdict.
    ///
    /// # Errors
    /// As [`History::check`].
    pub async fn verify(&self) -> Result<Verdict, StoreError> {
        Ok(self.check().await?.verdict())
    }

    /// Writes all that waits and an entry that says this was a stop in order. Appending fails afterwards.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when the disk takes nothing; what the last write said.
    pub async fn close(&self) -> Result<(), StoreError> {
        let writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return Ok(()) };
        self.shared.queue.stop(Some(Draft::new(Action::AppStopped)));
        blocking(move || writer.join().unwrap_or(Err(StoreError::Closed))).await
    }

    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        blocking(move || read(&shared.reader.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What waits is still written; without `close` the next start finds no stop and says so.
        self.queue.stop(None);
    }
}

/// Runs blocking work off the async threads. A panic in it is a bug and stays one.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the runtime is shut down, where nobody waits for the answer any more.
            Err(_) => panic!("the runtime is shutting down"),
        },
    }
}

/// Now, in microseconds of Unix time.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
