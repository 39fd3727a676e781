//! Keeps account of calls: which are open, what they moved, and that each is told of.

use crate::call::{Call, CallOutcome, CallPhase};
use crate::call_state::CallState;
use crate::peer::PeerLookup;
use crate::recorder::Recorder;
use crate::refusal::Refusal;
use crate::session::{Session, Standing};
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// A call that is under way. Finished or dropped, it is told of exactly once.
pub(crate) struct InFlight {
    state: Arc<CallState>,
    session: Arc<Session>,
    standing: Arc<Standing>,
    recorder: Recorder,
    peer: PeerLookup,
    told: AtomicBool,
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
        session.ledger().opened(state.clone());
        // It may have been extended since the call was let in, and asked which calls go on before it knew of this one.
        session.outlives(&standing, &state);
        Self { state, session, standing, recorder, peer, told: AtomicBool::new(false), finished: false }
    }

    pub(crate) fn state(&self) -> &Arc<CallState> {
        &self.state
    }

    /// Tells of a stream's start, before the API server hears of it.
    pub(crate) fn tell_start(&self) {
        self.tell(CallPhase::Started, CallOutcome::Open);
    }

    pub(crate) fn answered_with(&self, status: StatusCode) {
        self.state.status.store(status.as_u16(), Relaxed);
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
        self.session.ledger().closed(&self.state, &outcome);
        self.tell(CallPhase::Ended, outcome);
    }

    fn tell(&self, phase: CallPhase, outcome: CallOutcome) {
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
            stream: state.stream,
            user_agent: state.user_agent.clone(),
            kubectl: state.kubectl.clone(),
            impersonates: state.impersonates.clone(),
            peer: None,
        };
        // The first that is told of a call gives its place back: a stream holds none while it is open, and one that was
        // refused before it began has no start.
        let frees = !self.told.swap(true, Relaxed);
        self.recorder.tell(call, self.peer.clone(), frees);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.close(CallOutcome::ClientGone);
    }
}
