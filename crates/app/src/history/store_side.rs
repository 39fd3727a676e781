//! The history on the disk and the gateway, as the product's history has them.

use super::ports::{Answer, GatewaySide, StoreSide};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_audit::{Draft, Linked, SealKey, SealPublic};
use sallyport_gateway::Gateway;
use sallyport_store::{Buckets, Checked, Cursor, Filter, History, HistoryState, Page, Tip, TopBy};
use tokio::sync::watch;

impl GatewaySide for Gateway {
    fn recording(&self, works: bool) {
        self.recording(works);
    }
}

impl StoreSide for History {
    fn set_aside(&self) -> Option<String> {
        self.set_aside().map(ToOwned::to_owned)
    }
    fn append(&self, draft: Draft) -> Answer<'_, u64> {
        self.append(draft).boxed()
    }
    fn append_waiting(&self, draft: Draft) -> Answer<'_, u64> {
        self.append_waiting(draft).boxed()
    }
    fn append_durable(&self, draft: Draft) -> Answer<'_, u64> {
        self.append_durable(draft).boxed()
    }
    fn until_durable(&self, sequence: u64) -> BoxFuture<'_, ()> {
        self.until_durable(sequence).boxed()
    }
    fn subscribe(&self) -> watch::Receiver<Tip> {
        self.subscribe()
    }
    fn state(&self) -> watch::Receiver<HistoryState> {
        self.state()
    }
    fn page(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> Answer<'_, Page> {
        self.page(filter, cursor, limit).boxed()
    }
    fn count(&self, filter: Filter) -> Answer<'_, u64> {
        self.count(filter).boxed()
    }
    fn buckets(&self, filter: Filter, from: i64, step: i64, buckets: usize) -> Answer<'_, Buckets> {
        self.buckets(filter, from, step, buckets).boxed()
    }
    fn top(&self, filter: Filter, by: TopBy, most: usize) -> Answer<'_, Vec<(String, u64)>> {
        self.top(filter, by, most).boxed()
    }
    fn range(&self) -> Answer<'_, Option<(i64, i64)>> {
        self.range().boxed()
    }
    fn read_from(&self, sequence: u64, limit: usize) -> Answer<'_, Vec<Linked>> {
        self.read_from(sequence, limit).boxed()
    }
    fn seal_key(&self) -> Option<SealPublic> {
        self.seal_key()
    }
    fn seal(&self) -> Answer<'_, u64> {
        self.seal().boxed()
    }
    fn renew_seal(&self, next: SealKey) -> Answer<'_, ()> {
        self.renew_seal(next).boxed()
    }
    fn is_handing_over(&self) -> bool {
        self.is_handing_over()
    }
    fn check(&self) -> Answer<'_, Checked> {
        self.check().boxed()
    }
    fn close(&self) -> Answer<'_, ()> {
        self.close().boxed()
    }
}
