//! What was last seen of the hub's guardrails, and what it came to.

use sallyport_api::HubSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The verdict on what the watches have seen, until they see something else, and what the last probes came to.
#[derive(Default)]
pub(crate) struct HubSeen {
    set: Mutex<Option<Result<HubSet, String>>>,
    let_through: Mutex<Option<String>>,
}

impl HubSeen {
    /// To be judged anew.
    pub(crate) fn changed(&self) {
        *lock(&self.set) = None;
    }

    /// What the last probes were let through by, in words.
    pub(crate) fn probed(&self, let_through: Option<String>) {
        *lock(&self.let_through) = let_through;
    }

    /// Which set it is, or why it is none that counts: judged once for each change.
    pub(crate) fn set(&self, judge: impl FnOnce() -> Result<HubSet, String>) -> Result<HubSet, String> {
        let set = lock(&self.set).get_or_insert_with(judge).clone()?;
        match &*lock(&self.let_through) {
            Some(which) => Err(format!("the hub's {which}; nothing is granted until it was seen to refuse")),
            None => Ok(set),
        }
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_a_change_is_judged_once_and_a_probe_that_is_let_through_outweighs_the_comparison() {
        let seen = HubSeen::default();
        assert_eq!(seen.set(|| Ok(HubSet::Own)), Ok(HubSet::Own));
        assert_eq!(seen.set(|| Err("asked again".into())), Ok(HubSet::Own), "nothing has changed");
        seen.probed(Some("a let its probe through".into()));
        assert!(seen.set(|| Ok(HubSet::Own)).is_err_and(|why| why.contains("a let its probe through")));
        seen.changed();
        assert_eq!(seen.set(|| Err("b differs".into())), Err("b differs".into()));
        seen.changed();
        seen.probed(None);
        assert_eq!(seen.set(|| Ok(HubSet::Before)), Ok(HubSet::Before));
    }
}
