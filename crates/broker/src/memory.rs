//! What the leader remembers of grants beside what hub and target say.

use sallyport_model::Ending;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is remembered of grants, by name.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<String, Remembered>>);

#[derive(Clone, Default)]
struct Remembered {
    /// How the broker ended it without the hub.
    ending: Option<Ending>,
    /// How often unplanned bindings were removed from it.
    removals: u32,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The broker ends `grant` by itself; the first word is kept.
    pub(crate) fn ended(&self, grant: &str, ending: Ending) {
        self.lock().entry(grant.to_owned()).or_default().ending.get_or_insert(ending);
    }

    pub(crate) fn ending(&self, grant: &str) -> Option<Ending> {
        self.lock().get(grant)?.ending.clone()
    }

    pub(crate) fn forget(&self, grant: &str) {
        self.lock().remove(grant);
    }

    /// Bindings that nobody planned were removed once more; how often by now.
    pub(crate) fn removed_strays(&self, grant: &str) -> u32 {
        let mut known = self.lock();
        let one = known.entry(grant.to_owned()).or_default();
        one.removals += 1;
        one.removals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_model::EndReason;

    #[test]
    fn fault_a10_the_brokers_own_first_word_is_kept() {
        let memory = Memory::default();
        memory.ended("g-a", Ending::new(EndReason::Revoked, "silent"));
        memory.ended("g-a", Ending::new(EndReason::Expired, "late"));
        assert_eq!(memory.ending("g-a"), Some(Ending::new(EndReason::Revoked, "silent")));
        memory.forget("g-a");
        assert_eq!(memory.ending("g-a"), None);
    }
}
