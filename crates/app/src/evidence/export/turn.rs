//! One is written at a time. It ends when it is whole, and before that by a word: of whoever asked for it, or because they sign
//! out or quit, which waits until nothing is left of it.

use crate::desk::AppError;
use crate::evidence::Evidence;
use sallyport_archive::Cancel;
use sallyport_ipc::Event;
use sallyport_model::ErrorCode;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// Between two words on how far it is.
const HINTS: Duration = Duration::from_millis(250);
/// How long signing out and quitting wait for one that was given up.
const ENDS: Duration = Duration::from_secs(3);

/// Why it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// Whoever wanted it wants it no more.
    Asked,
    /// They sign out.
    SignedOut,
    /// Sallyport is quit.
    Quit,
}

/// What is being written, if anything is.
#[derive(Default)]
pub(in crate::evidence) struct Exports {
    running: Mutex<Option<Arc<Running>>>,
    /// Held as long as anything of it is left to be done.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// One that is being written.
pub(super) struct Running {
    pub(super) cancel: Cancel,
    why: OnceLock<GivenUp>,
    evidence: Arc<Evidence>,
    done: AtomicI64,
    of: AtomicI64,
    told: Mutex<Instant>,
    _turn: OwnedMutexGuard<()>,
}

impl Running {
    /// So much more was looked at.
    pub(super) fn passed(&self, more: i64) {
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= HINTS {
            *told = Instant::now();
            let of = self.of.load(Ordering::Relaxed).max(done);
            self.evidence.desk.host.tell(Event::Exporting { done, of });
        }
    }

    /// So much is to be looked at, as far as it was counted.
    pub(super) fn is_of(&self, of: i64) {
        self.of.store(of, Ordering::Relaxed);
    }

    pub(super) fn until_stopped(&self) -> io::Result<()> {
        if self.cancel.is_cancelled() { Err(io::Error::other("it was given up")) } else { Ok(()) }
    }

    /// What whoever asked for it is told.
    pub(super) fn given_up(&self) -> AppError {
        match self.why.get() {
            None | Some(GivenUp::Asked) => {
                AppError::new(ErrorCode::Cancelled, "it was given up; nothing was written")
            }
            Some(GivenUp::SignedOut) => AppError::failed(
                "what was being handed on was given up by the sign-out; nothing is left of it",
            )
            .hint("Sign in and hand it on again."),
            Some(GivenUp::Quit) => AppError::failed(
                "what was being handed on was given up as Sallyport was quit; nothing is left of it",
            )
            .hint("Start Sallyport and hand it on again."),
        }
    }
}

/// Gives the turn back. Whoever does not wait for what is written does not want it.
pub(super) struct Turn<'e>(pub(super) &'e Evidence);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let running = self.0.exports.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.cancel.cancel();
        }
    }
}

impl Evidence {
    pub(super) fn begin_export(self: &Arc<Self>) -> Result<Arc<Running>, AppError> {
        let Ok(turn) = self.exports.turn.clone().try_lock_owned() else {
            return Err(AppError::failed("another selection is being written")
                .hint("Wait until it is there, or stop it."));
        };
        let begun = Arc::new(Running {
            cancel: Cancel::default(),
            why: OnceLock::new(),
            evidence: self.clone(),
            done: AtomicI64::new(0),
            of: AtomicI64::new(0),
            told: Mutex::new(Instant::now()),
            _turn: turn,
        });
        *self.exports.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun.clone());
        Ok(begun)
    }

    /// Gives up what is being written.
    pub(crate) async fn stop_export(&self) -> Result<(), AppError> {
        self.give_up_export(GivenUp::Asked);
        Ok(())
    }

    /// Gives up what is being written; the next that is begun is none of that.
    pub(crate) fn give_up_export(&self, why: GivenUp) {
        let running = self.exports.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*running {
            // Who says so first is why.
            let _ = running.why.set(why);
            running.cancel.cancel();
        }
    }

    /// The same, and waits until nothing is left of it: no half file, and its end on record.
    pub(crate) async fn end_export(&self, why: GivenUp) {
        self.give_up_export(why);
        if tokio::time::timeout(ENDS, self.exports.turn.lock()).await.is_err() {
            tracing::error!(
                "what was being handed on did not end within 3 s; it is removed as soon as it does"
            );
        }
    }
}
