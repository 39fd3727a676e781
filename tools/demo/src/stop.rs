//! How the demo is stopped: Ctrl+C, the end of the terminal, or `kill`. All of them are natural ways to end it.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears the signals that ask the demo to end. Once it exists none of them ends this program by itself, so that what
/// was started is removed, however often Ctrl+C is pressed.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    // Ctrl+Z would stop us and leave the fleet running, and make would wait for a shell that does not know.
    _suspend: Signal,
}

impl Stop {
    /// Hears from now on.
    ///
    /// # Errors
    /// When the kernel refuses a handler.
    pub(crate) fn hear() -> Result<Self> {
        let of = |kind, name| signal(kind).with_context(|| format!("hear {name}"));
        Ok(Self {
            interrupt: of(SignalKind::interrupt(), "SIGINT")?,
            terminate: of(SignalKind::terminate(), "SIGTERM")?,
            hangup: of(SignalKind::hangup(), "SIGHUP")?,
            _suspend: of(SignalKind::from_raw(nix::sys::signal::Signal::SIGTSTP as i32), "SIGTSTP")?,
        })
    }

    /// Waits for one, and names what a person did.
    pub(crate) async fn asked(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl+C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "the end of its terminal",
        }
    }
}
