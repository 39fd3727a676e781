//! Which request is looked at next: one worker per request, people in turn, timers and backoff in one place.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// A request on the hub: namespace and name.
pub(crate) type Key = (String, String);

/// Work by person: whoever asks three hundred times waits behind themselves and not before the others (attack 19).
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    /// Who has work waiting, in turn; each person once.
    turn: VecDeque<String>,
    lanes: HashMap<String, VecDeque<Key>>,
    waiting: HashSet<Key>,
    running: HashSet<Key>,
    /// Woken while running: looked at once more, by the person's name.
    again: HashMap<Key, String>,
    later: BTreeSet<(Instant, Key)>,
    alarms: HashMap<Key, (Instant, String)>,
}

impl Queue {
    /// Has `key` looked at as soon as it is its person's turn. Any number of calls before that are one.
    pub(crate) fn push(&self, key: Key, person: &str) {
        self.lock().push(key, person);
        self.changed.notify_one();
    }

    /// Has `key` looked at at `when`, or earlier if an earlier time was set.
    pub(crate) fn push_at(&self, key: Key, person: &str, when: Instant) {
        self.lock().push_at(key, person, when);
        self.changed.notify_one();
    }

    /// The next request; nobody else gets it before [`Queue::done`].
    pub(crate) async fn pop(&self) -> Key {
        loop {
            let changed = self.changed.notified();
            let alarm = {
                let mut inner = self.lock();
                inner.ring(Instant::now());
                if let Some(key) = inner.pop() {
                    // A notification is for one worker; if there is more to do, the next one is told.
                    if !inner.turn.is_empty() {
                        self.changed.notify_one();
                    }
                    return key;
                }
                inner.later.first().map(|(when, _)| *when)
            };
            match alarm {
                None => changed.await,
                Some(when) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(when) => {}
                },
            }
        }
    }

    /// Gives `key` back.
    pub(crate) fn done(&self, key: &Key) {
        self.lock().done(key);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is complete before anything can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, key: Key, person: &str) {
        if let Some((when, _)) = self.alarms.remove(&key) {
            self.later.remove(&(when, key.clone()));
        }
        if self.running.contains(&key) {
            self.again.insert(key, person.to_owned());
        } else if self.waiting.insert(key.clone()) {
            let lane = self.lanes.entry(person.to_owned()).or_default();
            if lane.is_empty() {
                self.turn.push_back(person.to_owned());
            }
            lane.push_back(key);
        }
    }

    fn push_at(&mut self, key: Key, person: &str, when: Instant) {
        if self.waiting.contains(&key) || self.again.contains_key(&key) {
            return;
        }
        if let Some((earlier, _)) = self.alarms.get(&key) {
            if *earlier <= when {
                return;
            }
            self.later.remove(&(*earlier, key.clone()));
        }
        self.later.insert((when, key.clone()));
        self.alarms.insert(key, (when, person.to_owned()));
    }

    fn ring(&mut self, now: Instant) {
        while self.later.first().is_some_and(|(when, _)| *when <= now) {
            let (_, key) = self.later.pop_first().expect("there is a first");
            let (_, person) = self.alarms.remove(&key).expect("every entry has its alarm");
            self.push(key, &person);
        }
    }

    fn pop(&mut self) -> Option<Key> {
        let person = self.turn.pop_front()?;
        let lane = self.lanes.get_mut(&person)?;
        let key = lane.pop_front()?;
        if lane.is_empty() {
            self.lanes.remove(&person);
        } else {
            self.turn.push_back(person);
        }
        self.waiting.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    fn done(&mut self, key: &Key) {
        self.running.remove(key);
        if let Some(person) = self.again.remove(key) {
            self.push(key.clone(), &person);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn key(name: &str) -> Key {
        ("team".into(), name.into())
    }

    #[tokio::test]
    async fn attack_19_people_take_turns() {
        let queue = Queue::default();
        for n in 0..300 {
            queue.push(key(&format!("flood-{n}")), "mallory");
        }
        queue.push(key("a"), "ann");
        queue.push(key("b"), "bob");
        let first: Vec<String> =
            [queue.pop().await, queue.pop().await, queue.pop().await].map(|k| k.1).into();
        assert_eq!(first, ["flood-0", "a", "b"]);
        assert_eq!(queue.pop().await.1, "flood-1");
    }

    #[tokio::test]
    async fn one_worker_per_request_and_nothing_is_missed() {
        let queue = Queue::default();
        queue.push(key("a"), "ann");
        queue.push(key("a"), "ann");
        let got = queue.pop().await;
        queue.push(key("a"), "ann");
        assert!(
            tokio::time::timeout(Duration::from_millis(20), queue.pop()).await.is_err(),
            "it is being worked on"
        );
        queue.done(&got);
        assert_eq!(queue.pop().await, got);
        queue.done(&got);
        assert!(tokio::time::timeout(Duration::from_millis(20), queue.pop()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn p10_the_earliest_alarm_counts_and_a_push_clears_it() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.push_at(key("a"), "ann", start + Duration::from_secs(60));
        queue.push_at(key("a"), "ann", start + Duration::from_secs(5));
        queue.push_at(key("a"), "ann", start + Duration::from_secs(600));
        let got = queue.pop().await;
        assert_eq!(start.elapsed().as_secs(), 5);
        queue.done(&got);
        queue.push_at(key("a"), "ann", start + Duration::from_secs(60));
        queue.push(key("a"), "ann");
        let got = queue.pop().await;
        assert_eq!(start.elapsed().as_secs(), 5);
        queue.done(&got);
        assert!(tokio::time::timeout(Duration::from_secs(600), queue.pop()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_set_while_running_rings_after_it() {
        let queue = Queue::default();
        queue.push(key("a"), "ann");
        let got = queue.pop().await;
        queue.push_at(key("a"), "ann", Instant::now() + Duration::from_secs(1));
        queue.done(&got);
        assert_eq!(queue.pop().await, got);
    }
}
