use super::{AppError, Desk, now_ms};
use sallyport_model::ErrorCode;
use std::collections::VecDeque;
use std::sync::PoisonError;

/// How many are kept.
const MOST: usize = 50;

/// A command that failed: when (Unix milliseconds), which, and how.
pub(crate) type Fault = (i64, &'static str, ErrorCode);

/// The last commands that failed.
pub(super) type Faults = std::sync::Mutex<VecDeque<Fault>>;

impl Desk {
    /// Remembers how a command ended, if it failed.
    pub(crate) fn met<T>(&self, command: &'static str, done: Result<T, AppError>) -> Result<T, AppError> {
        if let Err(error) = &done {
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            if faults.len() == MOST {
                faults.pop_front();
            }
            faults.push_back((now_ms(), command, error.code()));
        }
        done
    }

    /// The last commands that failed, the oldest first. Their words are in the log.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
