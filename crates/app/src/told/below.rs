//! Requests and sessions, as the product's telling looks at them.

use super::ports::Below;
use crate::approvals::{Approvals, Asks};
use crate::sessions::{Sessions, Standing};
use std::sync::Arc;
use tokio::sync::watch;

/// The parts that are told of.
pub(super) struct Parts {
    pub(super) sessions: Arc<Sessions>,
    pub(super) approvals: Arc<Approvals>,
}

impl Below for Parts {
    fn asks(&self) -> Asks {
        self.approvals.asks()
    }
    fn standings(&self) -> Vec<Standing> {
        self.sessions.standings()
    }
    fn moves(&self) -> (watch::Receiver<u64>, watch::Receiver<u64>) {
        (self.approvals.moves(), self.sessions.moves())
    }
}
