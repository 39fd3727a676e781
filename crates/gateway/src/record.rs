//! Keeps account of calls: which are open, what they moved, and that each is told of.

use crate::call::{Call, CallOutcome, CallPhase};
use crate::call_state::CallState;
use crate::peer::PeerLookup;
use crate::recorder::Recorder;
use crate::refusal::Refusal;
use crate::session::{Session, Standing};
use crate::target::StreamKind;
use http::StatusCode;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A call that is under way. Finished or dropped, it is told of exactly once.
pub(crate) struct InFlight {
    account: Arc<Account>,
    session: Arc<Session>,
    finished: bool,
}

/// What is told of a call, and how much of that was told.
pub(crate) struct Account {
    pub(crate) state: Arc<CallState>,
    standing: Arc<Standing>,
    recorder: Recorder,
    peer: PeerLookup,
    told: Mutex<Told>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Began,
    Ended,
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
        let told = Mutex::new(Told::Nothing);
        let account = Account { state: state.clone(), standing: standing.clone(), recorder, peer, told };
        let account = Arc::new(account);
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

impl Account {
    /// Tells that it is under way, where it has been for so long: the cluster may have told of it long before its client
    /// has taken the answer, and a call that only the cluster knows of came from elsewhere.
    pub(crate) fn tell_slow(&self, after: Duration) {
        if self.state.began.elapsed() >= after {
            self.began(Some(StreamKind::Slow));
        }
    }

    // Under the lock, so that no call begins after it was over.
    fn began(&self, stream: Option<StreamKind>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == Told::Nothing {
            *told = Told::Began;
            self.tell(CallPhase::Started, CallOutcome::Open, stream, true);
        }
    }

    fn ended(&self, outcome: CallOutcome) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // The first that is told of a call gives its place back: a stream holds none while it is open, and one that was
        // refused before it began has no start.
        let is_first = std::mem::replace(&mut *told, Told::Ended) == Told::Nothing;
        self.tell(CallPhase::Ended, outcome, self.state.stream, is_first);
    }

    fn tell(&self, phase: CallPhase, outcome: CallOutcome, stream: Option<StreamKind>, frees: bool) {
        let (state, standing) = (&self.state, &self.standing);
        let call = Call {
            phase,
            session: standing.session.clone(),
            request: standing.request.clone(),
            grant: standing.grant.clone(),
            cluster: standing.cluster.clone(),
            user: standing.user.clone(),
            jti: standing.jti.clone(),
            audit_id: state.audit_id.clone(),
            at: state.at,
            method: state.method.as_str().to_owned(),
            path_and_query: state.path_and_query.clone(),
            target: state.target.clone(),
            status: state.status(),
            outcome,
            duration: if phase == CallPhase::Ended { state.began.elapsed() } else { Duration::ZERO },
            bytes_in: state.bytes_in.load(Relaxed),
            bytes_out: state.bytes_out.load(Relaxed),
            stream,
            user_agent: state.user_agent.clone(),
            kubectl: state.kubectl.clone(),
            impersonates: state.impersonates.clone(),
            peer: None,
        };
        self.recorder.tell(call, self.peer.clone(), frees);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.close(CallOutcome::ClientGone);
    }
}
