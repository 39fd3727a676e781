//! Handing on. The desktop's notifications may be slow, absent or gone, and nobody waits for them: what is told is put
//! into a short queue, and each is given up after a while.

use crate::desk::{Host, Notification, Notifier};
use futures::future::BoxFuture;
use sallyport_ipc::Shown;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long one may take.
pub(super) const WITHIN: Duration = Duration::from_secs(2);
/// How many wait at most. Those that wait longest are stale, and go first.
const QUEUE: usize = 16;

/// What waits to be shown.
pub(super) struct Post {
    host: Arc<dyn Host>,
    stop: CancellationToken,
    within: Duration,
    queue: Mutex<VecDeque<Notification>>,
    more: Notify,
}

impl Post {
    /// Empty. `stop` ends [`Post::deliver`]; each call of the host's notifier gets `within`.
    pub(super) fn new(host: Arc<dyn Host>, stop: CancellationToken, within: Duration) -> Self {
        Self { host, stop, within, queue: Mutex::default(), more: Notify::new() }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Notification>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one at the end, and never waits.
    pub(super) fn put(&self, notification: Notification) {
        let mut queue = self.queue();
        if notification.replaces {
            queue.retain(|other| !other.replaces);
        }
        if queue.len() >= QUEUE {
            queue.pop_front();
            tracing::warn!("a notification was dropped: the desktop takes them too slowly");
        }
        queue.push_back(notification);
        drop(queue);
        self.more.notify_one();
    }

    /// Shows one after another, until the app ends.
    pub(super) async fn deliver(&self) {
        let delivering = async {
            loop {
                let next = self.queue().pop_front();
                match next {
                    Some(next) => self.show(next).await,
                    None => self.more.notified().await,
                }
            }
        };
        tokio::select! {
            () = delivering => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn show(&self, notification: Notification) {
        if let Err(why) = self.call(self.within, |notifier| notifier.show(notification)).await {
            tracing::warn!(%why, "a notification was not shown");
        }
    }

    /// Why none can be shown at the moment, where that is so. Asked anew each time.
    pub(super) async fn trouble(&self) -> Option<Shown> {
        // Somebody waits for the answer.
        self.call(self.within / 2, Notifier::ready).await.err().map(Shown::from)
    }

    async fn call<'a>(
        &'a self,
        within: Duration,
        call: impl FnOnce(&'a dyn Notifier) -> BoxFuture<'a, Result<(), String>>,
    ) -> Result<(), String> {
        let Some(notifier) = self.host.notifier() else {
            return Err("Sallyport can't show any on this system yet".to_owned());
        };
        let slow = || format!("the desktop's notification service did not answer within {within:?}");
        tokio::time::timeout(within, call(notifier)).await.unwrap_or_else(|_| Err(slow()))
    }
}

#[cfg(test)]
mod tests;
