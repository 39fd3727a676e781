use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was counted since the start. Nothing is left out without being in here.
#[derive(Debug, Default)]
pub struct Counts {
    pub(crate) bodies: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) partial: AtomicU64,
    pub(crate) redactions: AtomicU64,
    pub(crate) foreign: AtomicU64,
    pub(crate) bad: AtomicU64,
    pub(crate) unfit: AtomicU64,
    pub(crate) put_off: AtomicU64,
    pub(crate) strangers: AtomicU64,
    pub(crate) handed_on: AtomicU64,
    pub(crate) clipped: AtomicU64,
    pub(crate) rejected: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Bodies that were acknowledged: all of their events are on the disk.
    pub bodies: u64,
    /// Events in them.
    pub events: u64,
    /// Events of which something is missing.
    pub partial: u64,
    /// Secrets that were taken out.
    pub redactions: u64,
    /// What stood between the events and is none.
    pub foreign: u64,
    /// What ought to be an event and can't be read as one.
    pub bad: u64,
    /// Bodies that are no list of events, or too long.
    pub unfit: u64,
    /// Bodies that were put off, because disk or memory was used up, or they did not come in time.
    pub put_off: u64,
    /// Connections without a certificate of ours.
    pub strangers: u64,
    /// Events that the store said it has, again ones included.
    pub handed_on: u64,
    /// Events that were cut for the store.
    pub clipped: u64,
    /// Events that the store does not take; they stay in `refused.jsonl`.
    pub rejected: u64,
}

impl Counts {
    /// Now.
    pub fn now(&self) -> Counted {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            bodies: of(&self.bodies),
            events: of(&self.events),
            partial: of(&self.partial),
            redactions: of(&self.redactions),
            foreign: of(&self.foreign),
            bad: of(&self.bad),
            unfit: of(&self.unfit),
            put_off: of(&self.put_off),
            strangers: of(&self.strangers),
            handed_on: of(&self.handed_on),
            clipped: of(&self.clipped),
            rejected: of(&self.rejected),
        }
    }
}

pub(crate) fn add(count: &AtomicU64, many: u64) {
    count.fetch_add(many, Ordering::Relaxed);
}
