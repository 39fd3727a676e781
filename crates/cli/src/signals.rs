//! The signals that end what runs until somebody ends it.

use crate::end::Stop;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM.
pub(crate) struct Signals {
    int: Signal,
    term: Signal,
}

impl Signals {
    /// Those that come from now on; in a runtime.
    pub(crate) fn new() -> Result<Self, Stop> {
        let on = |kind| signal(kind).map_err(|error| Stop(format!("signals can't be waited for: {error}")));
        Ok(Self { int: on(SignalKind::interrupt())?, term: on(SignalKind::terminate())? })
    }

    /// Returns when one has come.
    pub(crate) async fn come(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }

    /// Waits so long; whether one came.
    pub(crate) async fn come_within(&mut self, long: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.come() => true,
            () = tokio::time::sleep(long) => false,
        }
    }
}
