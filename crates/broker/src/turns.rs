//! One decision at a time for a person under a profile, where it counts what was decided before.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// A person and a profile, by their names.
type Pair = (String, String);

/// Whose turn it is. A pair is kept for as long as somebody has its turn or waits for it.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Pair, Weak<Turn<()>>>>);

impl Turns {
    /// Waits until nobody else decides on this person under this profile; the next one may when the guard is dropped.
    pub(crate) async fn wait(&self, user: &str, profile: &str) -> OwnedMutexGuard<()> {
        self.of((user.to_owned(), profile.to_owned())).lock_owned().await
    }

    fn of(&self, pair: Pair) -> Arc<Turn<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = all.get(&pair).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::new(Turn::new(()));
        all.insert(pair, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn attack_20_one_at_a_time_for_a_person_and_a_profile() {
        let turns = Turns::default();
        let first = turns.wait("ann", "debug").await;
        let late = |user, profile| tokio::time::timeout(Duration::from_secs(1), turns.wait(user, profile));
        assert!(late("ann", "debug").await.is_err());
        assert!(late("ann", "view").await.is_ok() && late("bob", "debug").await.is_ok());
        drop(first);
        assert!(late("ann", "debug").await.is_ok());
        drop(turns.wait("kim", "view").await);
        assert_eq!(turns.0.lock().expect("free").len(), 1, "those that nobody waits for are gone");
    }
}
