//! Between everyone who appends and the one who writes: a bounded line in which every entry already has its place.

use super::{HistoryState, Tip, now};
use crate::StoreError;
use sallyport_audit::{Draft, Entry, SealKey};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

pub(super) struct Queue {
    line: Mutex<Line>,
    wake: Condvar,
    /// One permit per entry that may still wait in memory. Given back when an entry is on disk.
    places: Semaphore,
    tip: watch::Sender<Tip>,
    state: watch::Sender<HistoryState>,
    /// A key has its word for the next one not on disk yet.
    is_handing_over: AtomicBool,
}

struct Line {
    next: u64,
    entries: VecDeque<Entry>,
    /// Entries that found no place while the disk took nothing.
    refused: u64,
    stopped: bool,
    /// Somebody wants a checkpoint over what is there.
    is_asked: bool,
    /// The key that signs from now on.
    next_key: Option<SealKey>,
}

/// What the writer has to do next.
pub(super) struct Taken {
    pub(super) entries: Vec<Entry>,
    /// A checkpoint is wanted with them.
    pub(super) is_asked: bool,
    /// The key that signs from these entries on; the one before it vouches for it.
    pub(super) next_key: Option<SealKey>,
}

impl Queue {
    pub(super) fn new(last: u64, tip: Tip, places: usize) -> Self {
        let line = Line {
            next: last + 1,
            entries: VecDeque::new(),
            refused: 0,
            stopped: false,
            is_asked: false,
            next_key: None,
        };
        Self {
            line: Mutex::new(line),
            wake: Condvar::new(),
            places: Semaphore::new(places),
            tip: watch::Sender::new(tip),
            state: watch::Sender::new(HistoryState::Writing),
            is_handing_over: AtomicBool::new(false),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn push(&self, draft: Draft, deadline: Duration) -> Result<u64, StoreError> {
        match tokio::time::timeout(deadline, self.places.acquire()).await {
            Ok(Ok(place)) => place.forget(),
            Ok(Err(_)) => return Err(StoreError::Closed),
            Err(_) => return Err(self.refuse()),
        }
        self.enter(draft)
    }

    fn refuse(&self) -> StoreError {
        let mut line = self.line();
        line.refused += 1;
        StoreError::Stalled { waiting: line.entries.len() }
    }

    fn enter(&self, draft: Draft) -> Result<u64, StoreError> {
        let mut line = self.line();
        if line.stopped {
            return Err(StoreError::Closed);
        }
        Ok(self.place(&mut line, draft))
    }

    /// For the history's own entries, which take no place: they are few, and must not wait for what they tell of.
    pub(super) fn push_always(&self, draft: Draft) {
        let mut line = self.line();
        self.place(&mut line, draft);
    }

    fn place(&self, line: &mut Line, draft: Draft) -> u64 {
        // Under the lock, so that the line's order is the order of the sequences.
        let sequence = line.next;
        line.next += 1;
        line.entries.push_back(draft.place(sequence, now()));
        self.wake.notify_one();
        sequence
    }

    /// The next entries, at most `most`; waits for one, for somebody who asks for a checkpoint, or for `until`, when there may
    /// be none. None after the stop, when nothing is left.
    pub(super) fn take(&self, most: usize, until: Option<Instant>) -> Option<Taken> {
        let mut line = self.line();
        while line.entries.is_empty() && !line.is_asked {
            if line.stopped {
                return None;
            }
            line = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.wake.wait(line).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.wake.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let count = line.entries.len().min(most);
        let entries = line.entries.drain(..count).collect();
        let is_asked = line.is_asked && line.entries.is_empty();
        line.is_asked &= !line.entries.is_empty();
        Some(Taken { entries, is_asked, next_key: line.next_key.take() })
    }

    /// Hands the next key to the writer, with the entry that says so; says which that is. The key before it has to have been
    /// handed over itself.
    pub(super) fn hand_over(&self, next: SealKey, draft: Draft) -> Result<u64, StoreError> {
        let mut line = self.line();
        if line.stopped {
            return Err(StoreError::Closed);
        }
        // Under the lock: of two who ask at once one is told to wait.
        if self.is_handing_over.swap(true, Ordering::SeqCst) {
            return Err(StoreError::HandingOver);
        }
        line.next_key = Some(next);
        line.is_asked = true;
        Ok(self.place(&mut line, draft))
    }

    pub(super) fn is_handing_over(&self) -> bool {
        self.is_handing_over.load(Ordering::SeqCst)
    }

    /// Whether the writer still has a key whose word for the next one is not on disk.
    pub(super) fn set_handing_over(&self, still: bool) {
        // Under the lock, so that a key that was handed in meanwhile is not forgotten.
        let line = self.line();
        self.is_handing_over.store(still || line.next_key.is_some(), Ordering::SeqCst);
    }

    /// Asks for a checkpoint over everything that has its place by now; says up to which entry that is.
    pub(super) fn ask(&self) -> Result<u64, StoreError> {
        let mut line = self.line();
        if line.stopped {
            return Err(StoreError::Closed);
        }
        line.is_asked = true;
        self.wake.notify_one();
        Ok(line.next - 1)
    }

    /// Waits, at most `time`; says whether the stop was asked for.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let line = self.line();
        let (line, _) = self
            .wake
            .wait_timeout_while(line, time, |line| !line.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        line.stopped
    }

    pub(super) fn written(&self, entries: usize, tip: Tip) {
        // More permits than were taken would be a second bound; the history's own entries took none, so the count
        // may drift up by those few.
        self.places.add_permits(entries);
        self.tip.send_replace(tip);
    }

    pub(super) fn sealed(&self, tip: Tip) {
        self.tip.send_replace(tip);
    }

    pub(super) fn waiting(&self) -> usize {
        self.line().entries.len()
    }

    pub(super) fn take_refused(&self) -> u64 {
        std::mem::take(&mut self.line().refused)
    }

    /// Nothing enters any more; `last` is the last that did.
    pub(super) fn stop(&self, last: Option<Draft>) {
        let mut line = self.line();
        if let Some(draft) = last.filter(|_| !line.stopped) {
            self.place(&mut line, draft);
        }
        line.stopped = true;
        drop(line);
        self.places.close();
        self.wake.notify_all();
    }

    pub(super) fn set_state(&self, state: HistoryState) {
        self.state.send_replace(state);
    }

    pub(super) fn tip(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    pub(super) fn state(&self) -> watch::Receiver<HistoryState> {
        self.state.subscribe()
    }
}
