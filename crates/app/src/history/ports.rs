//! What the history asks of the disk and of the gateway. The product answers with [`super::store_side`], the tests of this part
//! with fakes.

use futures::future::BoxFuture;
use sallyport_audit::{Draft, Linked, SealKey, SealPublic};
use sallyport_store::{Buckets, Checked, Cursor, Filter, HistoryState, Page, StoreError, Tip, TopBy};
use tokio::sync::watch;

/// What an act comes to.
pub(super) type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The history as it is kept; as [`sallyport_store::History`], whose words these are.
pub(super) trait StoreSide: Send + Sync + 'static {
    /// The name of the damaged file that was moved aside when it was opened.
    fn set_aside(&self) -> Option<String>;
    /// Gives the entry its place; waits for one in memory for as long as it may.
    fn append(&self, draft: Draft) -> Answer<'_, u64>;
    /// The same, for as long as it takes.
    fn append_waiting(&self, draft: Draft) -> Answer<'_, u64>;
    /// The same as the first, and returns when it is on disk.
    fn append_durable(&self, draft: Draft) -> Answer<'_, u64>;
    /// Returns when that entry is on disk, or never will be.
    fn until_durable(&self, sequence: u64) -> BoxFuture<'_, ()>;
    /// Follows the last entry on disk.
    fn subscribe(&self) -> watch::Receiver<Tip>;
    /// Follows how writing goes.
    fn state(&self) -> watch::Receiver<HistoryState>;
    /// Entries that fit, newest first.
    fn page(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> Answer<'_, Page>;
    fn count(&self, filter: Filter) -> Answer<'_, u64>;
    fn buckets(&self, filter: Filter, from: i64, step: i64, buckets: usize) -> Answer<'_, Buckets>;
    fn top(&self, filter: Filter, by: TopBy, most: usize) -> Answer<'_, Vec<(String, u64)>>;
    /// The moments of the first and the last entry.
    fn range(&self) -> Answer<'_, Option<(i64, i64)>>;
    /// Entries with their links, from a place on.
    fn read_from(&self, sequence: u64, limit: usize) -> Answer<'_, Vec<Linked>>;
    /// The key that others check checkpoints with.
    fn seal_key(&self) -> Option<SealPublic>;
    /// Makes a checkpoint, and says up to which entry.
    fn seal(&self) -> Answer<'_, u64>;
    /// Has the key in force name the next, which seals from then on.
    fn renew_seal(&self, next: SealKey) -> Answer<'_, ()>;
    /// Whether a key's word for the next one is not on the disk yet.
    fn is_handing_over(&self) -> bool;
    /// Checks the whole of it.
    fn check(&self) -> Answer<'_, Checked>;
    /// Writes all that waits and that this was a stop in order.
    fn close(&self) -> Answer<'_, ()>;
}

/// The gateway, as whoever writes calls down holds it back.
pub(crate) trait GatewaySide: Sync {
    /// Says whether the history can keep what is recorded now.
    fn recording(&self, works: bool);
}
