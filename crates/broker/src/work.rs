//! Who works on requests: so many at once, and none of them kept from it by one that only waits for a moment to pass.

use crate::{
    broker::{Broker, lane_of},
    queue::Key,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep},
};

pub(crate) const BACKOFF_FIRST: Duration = Duration::from_millis(100);

tokio::task_local! {
    /// Rung by whoever works on a request as it has nothing to do for a while.
    static AT_REST: Arc<Notify>;
}

/// Waits for a moment to pass. A worker goes on to the next request meanwhile: where a hundred sessions end at once, each waits
/// a second to see that nothing of it comes back, and the others' rights would stay until then. What it does afterwards, a look
/// and a write, it does beside the workers.
pub(crate) async fn rest(pause: Duration) {
    // Who is no worker keeps nobody from work.
    let _ = AT_REST.try_with(|at_rest| at_rest.notify_one());
    sleep(pause).await;
}

/// How often each request failed in a row.
#[derive(Default)]
pub(crate) struct Tries(Mutex<HashMap<Key, u32>>);

impl Tries {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, key: &Key, most: Duration) -> Duration {
        let mut tries = self.lock();
        let count = tries.entry(key.clone()).or_insert(0);
        *count += 1;
        BACKOFF_FIRST.saturating_mul(1 << (*count - 1).min(12)).min(most)
    }

    fn succeeded(&self, key: &Key) {
        self.lock().remove(key);
    }
}

impl Broker {
    /// Works on requests for ever. Any number of these run side by side; whatever one has begun ends with it.
    pub(crate) async fn work(self: Arc<Self>, tries: Arc<Tries>) {
        let mut begun = JoinSet::new();
        loop {
            // Those that were at rest end while nothing is to do, too.
            let key = tokio::select! {
                key = self.queue.pop() => key,
                Some(over) = begun.join_next_with_id() => {
                    ended(over);
                    continue;
                }
            };
            let at_rest = Arc::new(Notify::new());
            let (broker, tries) = (self.clone(), tries.clone());
            let one = begun.spawn(AT_REST.scope(at_rest.clone(), async move {
                broker.work_on(&key, &tries).await;
            }));
            loop {
                tokio::select! {
                    Some(over) = begun.join_next_with_id() => if ended(over) == one.id() { break },
                    () = at_rest.notified() => break,
                }
            }
        }
    }

    async fn work_on(&self, key: &Key, tries: &Tries) {
        let done = self.reconcile(key).await;
        let lane = self.stores.requests.get(&key.0, &key.1).map(|r| lane_of(&r)).unwrap_or_default();
        match done {
            Ok(rest) => {
                tries.succeeded(key);
                if let Some(moment) = rest {
                    self.queue.push_at(key.clone(), &lane, Instant::now() + self.until(moment));
                }
            }
            Err(failure) => {
                let wait = tries.failed(key, self.config.backoff_most);
                tracing::warn!(request = ?key, %failure, again_ms = wait.as_millis(), "not done yet");
                self.tell(key, &failure).await;
                self.queue.push_at(key.clone(), &lane, Instant::now() + wait);
            }
        }
        self.queue.done(key);
    }
}

/// Which one it was. A panic of any is the worker's own, and with it the leader's: what it was at would never be looked at again.
fn ended(over: Result<(Id, ()), JoinError>) -> Id {
    match over {
        Ok((id, ())) => id,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => error.id(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_most_and_starts_anew_after_success() {
        let (tries, key, most) =
            (Tries::default(), ("team".to_owned(), "r".to_owned()), Duration::from_secs(30));
        let waits: Vec<_> = (0..12).map(|_| tries.failed(&key, most).as_millis()).collect();
        assert_eq!(waits[..4], [100, 200, 400, 800]);
        assert_eq!(waits[11], 30_000);
        tries.succeeded(&key);
        assert_eq!(tries.failed(&key, most).as_millis(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn p13_whoever_rests_says_so_before_and_waits_all_the_same() {
        let (at_rest, began) = (Arc::new(Notify::new()), Instant::now());
        let resting = AT_REST.scope(at_rest.clone(), rest(Duration::from_secs(1)));
        let told = async {
            at_rest.notified().await;
            began.elapsed()
        };
        let ((), told) = tokio::join!(resting, told);
        assert_eq!((told, began.elapsed()), (Duration::ZERO, Duration::from_secs(1)));
        rest(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(2), "whoever is no worker waits too");
    }
}
