//! A disk that is as the test wants it: it takes entries at once, later or never, and answers with what was kept or not at all.

use crate::history::Recorder;
use crate::history::ports::{Answer, GatewaySide, StoreSide};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_audit::{Action, Draft, Entry, Linked, SealKey, SealPublic, Seals, Verdict};
use sallyport_model::Digest;
use sallyport_store::{Buckets, Checked, Cursor, Filter, HistoryState, Page, StoreError, Tip, TopBy};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// Entries of so many calls.
pub(super) fn calls(count: usize) -> Vec<Draft> {
    (0..count).map(|n| Draft::new(Action::Call).detail("n", n)).collect()
}

/// Waits until it is so, by a clock that stands still while somebody works.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap_or_else(|_| panic!("{what}: never"));
}

/// What the gateway was told, in its order.
#[derive(Default)]
pub(super) struct FakeGateway(Mutex<Vec<bool>>);

impl FakeGateway {
    pub(super) fn told(&self) -> Vec<bool> {
        self.0.lock().unwrap().clone()
    }
}

impl GatewaySide for FakeGateway {
    fn recording(&self, works: bool) {
        self.0.lock().unwrap().push(works);
    }
}

pub(super) struct FakeStore {
    entries: Mutex<Vec<Entry>>,
    tip: watch::Sender<Tip>,
    pub(super) state: watch::Sender<HistoryState>,
    /// Whether entries wait for the disk.
    stops: AtomicBool,
    /// What a call is answered with instead, the next answer first; `None`: with what it is asked for.
    fails: Mutex<BTreeMap<&'static str, VecDeque<Option<StoreError>>>>,
    /// The calls that are never answered.
    pub(super) hangs: Mutex<BTreeSet<&'static str>>,
    /// The place of a row that is no entry; 0: there is none.
    pub(super) damaged: AtomicU64,
    /// Whether no entry is missing.
    pub(super) is_whole: AtomicBool,
    pub(super) verdict: Mutex<Verdict>,
    /// How many entries were wanted of each page.
    pub(super) pages: Mutex<Vec<usize>>,
    pub(super) sealed: AtomicU64,
}

impl FakeStore {
    pub(super) fn new() -> Arc<Self> {
        let tip = Tip { sequence: 0, hash: Digest::of(b""), root: None, sealed: 0 };
        Arc::new(Self {
            entries: Mutex::default(),
            tip: watch::Sender::new(tip),
            state: watch::Sender::new(HistoryState::Writing),
            stops: AtomicBool::new(false),
            fails: Mutex::default(),
            hangs: Mutex::default(),
            damaged: AtomicU64::new(0),
            is_whole: AtomicBool::new(true),
            verdict: Mutex::new(Verdict::Verified { entries: 7 }),
            pages: Mutex::default(),
            sealed: AtomicU64::new(0),
        })
    }

    /// The history over it.
    pub(super) fn recorder(self: &Arc<Self>) -> Recorder {
        Recorder::keeping(self.clone())
    }

    /// From now on, instead of an answer, one after another.
    pub(super) fn fails(&self, call: &'static str, with: impl IntoIterator<Item = Option<StoreError>>) {
        self.fails.lock().unwrap().entry(call).or_default().extend(with);
    }

    pub(super) fn disk_stops(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// What waits is on it.
    pub(super) fn disk_goes_on(&self) {
        self.stops.store(false, Ordering::Relaxed);
        self.take();
    }

    fn take(&self) {
        if !self.stops.load(Ordering::Relaxed) {
            let sequence = self.entries.lock().unwrap().len() as u64;
            let root = self.is_whole.load(Ordering::Relaxed).then(|| Digest::of(&sequence.to_be_bytes()));
            self.tip.send_replace(Tip { sequence, hash: Digest::of(b"link"), root, sealed: 0 });
        }
    }

    /// Puts an entry there, at a second.
    pub(super) fn keep(&self, at: i64, draft: Draft) {
        self.place(at * 1_000_000, draft);
    }

    fn place(&self, at: i64, draft: Draft) -> u64 {
        let mut entries = self.entries.lock().unwrap();
        let sequence = entries.len() as u64 + 1;
        entries.push(draft.place(sequence, at));
        drop(entries);
        self.take();
        sequence
    }

    /// What was written, by its actions.
    pub(super) fn actions(&self) -> Vec<Action> {
        self.entries.lock().unwrap().iter().map(|entry| entry.action).collect()
    }

    pub(super) fn last(&self) -> Entry {
        self.entries.lock().unwrap().last().expect("something was written").clone()
    }

    async fn says<T>(&self, call: &'static str, answer: impl FnOnce() -> T) -> Result<T, StoreError> {
        if self.hangs.lock().unwrap().contains(call) {
            futures::future::pending::<()>().await;
        }
        let fails = self.fails.lock().unwrap().get_mut(call).and_then(VecDeque::pop_front).flatten();
        fails.map_or_else(|| Ok(answer()), Err)
    }

    fn fitting(&self, filter: &Filter) -> Vec<Entry> {
        let fits = |entry: &&Entry| {
            (filter.actions.is_empty() || filter.actions.contains(&entry.action))
                && filter.cluster.as_ref().is_none_or(|cluster| entry.cluster.as_ref() == Some(cluster))
                && filter.session.as_ref().is_none_or(|session| entry.session.as_ref() == Some(session))
                && filter.from.is_none_or(|from| entry.at >= from)
        };
        self.entries.lock().unwrap().iter().rev().filter(fits).cloned().collect()
    }
}

impl StoreSide for FakeStore {
    fn set_aside(&self) -> Option<String> {
        None
    }
    fn append(&self, draft: Draft) -> Answer<'_, u64> {
        self.says("append", || self.place(1, draft)).boxed()
    }
    fn append_waiting(&self, draft: Draft) -> Answer<'_, u64> {
        self.says("append_waiting", || self.place(1, draft)).boxed()
    }
    fn append_durable(&self, draft: Draft) -> Answer<'_, u64> {
        self.says("append_durable", || self.place(1, draft)).boxed()
    }
    fn until_durable(&self, sequence: u64) -> BoxFuture<'_, ()> {
        async move {
            let mut tip = self.tip.subscribe();
            let _ = tip.wait_for(|tip| tip.sequence >= sequence).await;
        }
        .boxed()
    }
    fn subscribe(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }
    fn state(&self) -> watch::Receiver<HistoryState> {
        self.state.subscribe()
    }
    fn page(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> Answer<'_, Page> {
        let page = move || {
            self.pages.lock().unwrap().push(limit);
            let below = cursor.map_or(u64::MAX, |cursor| cursor.sequence);
            let mut entries = self.fitting(&filter);
            entries.retain(|entry| entry.sequence < below);
            let has_more = entries.len() > limit;
            entries.truncate(limit);
            let next = entries.last().map(|last| Cursor { at: last.at, sequence: last.sequence });
            let damaged = self.damaged.load(Ordering::Relaxed);
            let before = entries.len();
            entries.retain(|entry| entry.sequence != damaged);
            let unreadable = (before - entries.len()) as u64;
            Page { entries, next: next.filter(|_| has_more), unreadable }
        };
        self.says("page", page).boxed()
    }
    fn count(&self, filter: Filter) -> Answer<'_, u64> {
        self.says("count", move || self.fitting(&filter).len() as u64).boxed()
    }
    fn buckets(&self, _: Filter, _: i64, _: i64, _: usize) -> Answer<'_, Buckets> {
        self.says("buckets", Buckets::default).boxed()
    }
    fn top(&self, _: Filter, _: TopBy, _: usize) -> Answer<'_, Vec<(String, u64)>> {
        self.says("top", Vec::new).boxed()
    }
    fn range(&self) -> Answer<'_, Option<(i64, i64)>> {
        self.says("range", || None).boxed()
    }
    fn read_from(&self, sequence: u64, limit: usize) -> Answer<'_, Vec<Linked>> {
        let from = move || {
            let entries = self.entries.lock().unwrap();
            let found = entries.iter().filter(|entry| entry.sequence >= sequence).take(limit);
            found.map(|entry| Linked { entry: entry.clone(), link: Digest::of(b"link") }).collect()
        };
        self.says("read_from", from).boxed()
    }
    fn seal_key(&self) -> Option<SealPublic> {
        None
    }
    fn seal(&self) -> Answer<'_, u64> {
        self.says("seal", || self.sealed.fetch_add(1, Ordering::Relaxed)).boxed()
    }
    fn renew_seal(&self, _: SealKey) -> Answer<'_, ()> {
        self.says("renew_seal", || ()).boxed()
    }
    fn is_handing_over(&self) -> bool {
        false
    }
    fn check(&self) -> Answer<'_, Checked> {
        let checked =
            || Checked { chain: self.verdict.lock().unwrap().clone(), seals: Seals::Never { entries: 7 } };
        self.says("check", checked).boxed()
    }
    fn close(&self) -> Answer<'_, ()> {
        self.says("close", || ()).boxed()
    }
}
