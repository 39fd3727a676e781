//! Keeps account of calls: which are open, what they moved, and that each is told of.

use crate::account::Account;
use crate::call::CallOutcome;
use crate::call_state::CallState;
use crate::peer::PeerLookup;
use crate::recorder::Recorder;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::standing::Standing;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A call that is under way. Finished or dropped, it is told of exactly once.
pub(crate) struct InFlight {
    account: Arc<Account>,
    session: Arc<Session>,
    finished: bool,
}

impl InFlight {
    pub(crate) fn begin(
        state: CallState,
        session: Arc<Session>,
        standing: Arc<Standing>,
        recorder: Recorder,
        peer: PeerLookup,
    ) -> Self {
        let state = Arc::new(state);
        let account = Arc::new(Account::new(state.clone(), standing.clone(), recorder, peer));
        session.ledger().opened(account.clone());
        // It may have been extended since the call was let in, and asked which calls go on before it knew of this one.
        session.outlives(&standing, &state);
        Self { account, session, finished: false }
    }

    pub(crate) fn state(&self) -> &Arc<CallState> {
        &self.account.state
    }

    /// Tells of a stream's start, before the API server hears of it.
    pub(crate) fn tell_start(&self) {
        self.account.began(self.state().stream);
    }

    pub(crate) fn answered_with(&self, status: StatusCode) {
        self.state().status.store(status.as_u16(), Relaxed);
    }

    pub(crate) fn finish(mut self, outcome: CallOutcome) {
        self.close(outcome);
    }

    /// Ends it with an answer of the gateway's own.
    pub(crate) fn refuse(mut self, refusal: &Refusal) {
        self.answered_with(refusal.status());
        let said = refusal.to_string();
        self.close(if refusal.is_failure() { CallOutcome::Failed(said) } else { CallOutcome::Refused(said) });
    }

    fn close(&mut self, outcome: CallOutcome) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        // A cut drops the upstream connection too, and which end of a call notices first is chance.
        let outcome = match (outcome, self.session.cut_reason()) {
            (CallOutcome::Failed(_) | CallOutcome::ClientGone, Some(reason)) => CallOutcome::Cut(reason),
            (outcome, _) => outcome,
        };
        self.session.ledger().closed(self.state(), &outcome);
        self.account.ended(outcome);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.close(CallOutcome::ClientGone);
    }
}
