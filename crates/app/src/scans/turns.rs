//! How many clusters are scanned at once, and how one that does not open gives way to others.

use crate::desk::AppError;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// So many clusters at once: each reads four lists at a time.
pub(super) const AT_ONCE: usize = 4;
/// So many more may wait to be opened: what waits for a broker reads nothing, but it is something that was asked for.
pub(super) const GIVE_WAY: usize = 12;
/// How long one that is not open yet keeps its turn. A broker that is alive opens within a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// The turns of one run.
pub(super) struct Turns {
    reading: Semaphore,
    aside: Semaphore,
}

/// Somebody's turn, until it is dropped.
pub(super) type Turn<'a> = SemaphorePermit<'a>;

impl Turns {
    pub(super) const fn new() -> Self {
        Self { reading: Semaphore::const_new(AT_ONCE), aside: Semaphore::const_new(GIVE_WAY) }
    }

    /// Waits for a turn.
    pub(super) async fn next(&self) -> Turn<'_> {
        // Never closed, so that there is always one to come.
        self.reading.acquire().await.expect("nobody closes it")
    }

    /// Waits with a turn until something is open. When that takes long others come first, as far as there is room to
    /// wait aside; once it is open it waits for a turn again.
    ///
    /// # Errors
    /// When it does not open.
    pub(super) async fn open<'a>(
        &'a self,
        turn: Turn<'a>,
        opened: impl Future<Output = Result<(), AppError>>,
    ) -> Result<Turn<'a>, AppError> {
        let mut opened = pin!(opened);
        tokio::select! {
            biased;
            opened = &mut opened => return opened.map(|()| turn),
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let Ok(aside) = self.aside.try_acquire() else {
            return opened.await.map(|()| turn);
        };
        drop(turn);
        opened.await?;
        let turn = self.next().await;
        drop(aside);
        Ok(turn)
    }
}
