//! What the window shows of a session at this moment.

use crate::account::Account;
use crate::call::CallOutcome;
use crate::call_state::CallState;
use crate::target::{StreamKind, Target};
use jiff::Timestamp;
use sallyport_model::AuditId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many finished calls are kept for the window.
const RECENT: usize = 32;

/// A session's counters and open calls.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Calls that reached the gateway, finished ones and open ones.
    pub calls: u64,
    /// Those the gateway refused.
    pub refused: u64,
    /// Those that found no API server, or no answer.
    pub failed: u64,
    /// Body bytes from the client, of finished and open calls.
    pub bytes_in: u64,
    /// Body bytes to the client, of finished and open calls.
    pub bytes_out: u64,
    /// Calls under way, the oldest first.
    pub open: Vec<LiveCall>,
    /// The last finished calls, the newest first.
    pub recent: Vec<LiveCall>,
}

/// One call as a line in the window: no query, no headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCall {
    /// Its audit id.
    pub audit_id: AuditId,
    /// When it arrived.
    pub at: Timestamp,
    /// What it is about.
    pub target: Target,
    /// What kind of stream, if it is one.
    pub stream: Option<StreamKind>,
    /// The status, once there is one.
    pub status: Option<u16>,
    /// How long it took, or how long it has been open.
    pub duration: Duration,
    /// Body bytes from the client.
    pub bytes_in: u64,
    /// Body bytes to the client.
    pub bytes_out: u64,
}

impl LiveCall {
    fn of(state: &CallState) -> Self {
        Self {
            audit_id: state.audit_id.clone(),
            at: state.at,
            target: state.target.clone(),
            stream: state.stream,
            status: state.status(),
            duration: state.began.elapsed(),
            bytes_in: state.bytes_in.load(Relaxed),
            bytes_out: state.bytes_out.load(Relaxed),
        }
    }
}

/// The account a session keeps.
#[derive(Default)]
pub(crate) struct Ledger {
    calls: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    // Audit ids are UUIDv7, so the order of the map is that of arrival.
    open: Mutex<BTreeMap<AuditId, Arc<Account>>>,
    recent: Mutex<VecDeque<LiveCall>>,
}

impl Ledger {
    pub(crate) fn opened(&self, call: Arc<Account>) {
        self.calls.fetch_add(1, Relaxed);
        lock(&self.open).insert(call.state.audit_id.clone(), call);
    }

    /// Tells of those that have been under way for so long and that nobody was told of.
    pub(crate) fn tell_slow(&self, after: Duration) {
        // Apart from the lock: telling takes others.
        let open: Vec<Arc<Account>> = lock(&self.open).values().cloned().collect();
        open.iter().for_each(|call| call.tell_slow(after));
    }

    pub(crate) fn closed(&self, state: &CallState, outcome: &CallOutcome) {
        match outcome {
            CallOutcome::Refused(_) => self.refused.fetch_add(1, Relaxed),
            CallOutcome::Failed(_) => self.failed.fetch_add(1, Relaxed),
            _ => 0,
        };
        self.bytes_in.fetch_add(state.bytes_in.load(Relaxed), Relaxed);
        self.bytes_out.fetch_add(state.bytes_out.load(Relaxed), Relaxed);
        lock(&self.open).remove(&state.audit_id);
        let mut recent = lock(&self.recent);
        recent.truncate(RECENT - 1);
        recent.push_front(LiveCall::of(state));
    }

    pub(crate) fn open_calls(&self) -> Vec<LiveCall> {
        lock(&self.open).values().map(|call| LiveCall::of(&call.state)).collect()
    }

    /// Cuts those under way that nothing allows any more.
    pub(crate) fn stop(&self, keeps: impl Fn(&Target) -> bool) -> Vec<LiveCall> {
        let open = lock(&self.open);
        let over = open.values().map(|call| &call.state).filter(|state| !keeps(&state.target));
        over.map(|state| {
            state.stop.cancel();
            LiveCall::of(state)
        })
        .collect()
    }

    pub(crate) fn live(&self) -> Live {
        let open = self.open_calls();
        Live {
            calls: self.calls.load(Relaxed),
            refused: self.refused.load(Relaxed),
            failed: self.failed.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed) + open.iter().map(|call| call.bytes_in).sum::<u64>(),
            bytes_out: self.bytes_out.load(Relaxed) + open.iter().map(|call| call.bytes_out).sum::<u64>(),
            open,
            recent: lock(&self.recent).iter().cloned().collect(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding one of these; if it did, the account would still be the best there is.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
