//! Everything that runs for a session, so that all of it can be ended at once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns tasks that are dropped where they stand when the session is cut: connections close, bodies end, splices
/// stop, without anyone having to be asked.
#[derive(Clone, Default)]
pub(crate) struct Held {
    tracker: TaskTracker,
    cut: CancellationToken,
}

impl Held {
    pub(crate) fn cut_token(&self) -> &CancellationToken {
        &self.cut
    }

    pub(crate) fn spawn<F>(&self, task: F)
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let cut = self.cut.clone();
        self.tracker.spawn(async move {
            let mut task = pin!(task);
            // Looked at before each step: what another task's end would make this one say is not said any more. Waiting
            // for the cut is left to the outer one, which asks for it only when the task itself has nothing to do.
            let step = poll_fn(|cx| if cut.is_cancelled() { Poll::Pending } else { task.as_mut().poll(cx) });
            cut.run_until_cancelled(step).await;
        });
    }

    /// Drops every task and waits until the last is gone; `within` only bounds a task that never yields.
    pub(crate) async fn end(&self, within: Duration) -> bool {
        self.cut.cancel();
        self.tracker.close();
        timeout(within, self.tracker.wait()).await.is_ok()
    }
}

impl<F> hyper::rt::Executor<F> for Held
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn p13_no_task_goes_on_because_another_was_cut() {
        let held = Held::default();
        let went_on = Arc::new(AtomicBool::new(false));
        let (kept, lost) = tokio::sync::oneshot::channel::<()>();
        held.spawn(async move {
            std::future::pending::<()>().await;
            drop(kept);
        });
        let seen = went_on.clone();
        held.spawn(async move {
            let _ = lost.await;
            seen.store(true, Ordering::Relaxed);
        });
        tokio::task::yield_now().await;
        assert!(held.end(Duration::from_secs(5)).await);
        assert!(!went_on.load(Ordering::Relaxed), "a call would have answered that its API server is gone");
    }
}
