//! What is told of a call: that it is over, once, and of some before that that they are under way.

use crate::call::{Call, CallOutcome, CallPhase};
use crate::call_state::CallState;
use crate::peer::PeerLookup;
use crate::recorder::Recorder;
use crate::standing::Standing;
use crate::target::StreamKind;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

impl Account {
    pub(crate) fn new(
        state: Arc<CallState>,
        standing: Arc<Standing>,
        recorder: Recorder,
        peer: PeerLookup,
    ) -> Self {
        Self { state, standing, recorder, peer, told: Mutex::new(Told::Nothing) }
    }

    /// Tells that it is under way, where it has been for so long: the cluster may have told of it long before its client
    /// has taken the answer, and a call that only the cluster knows of came from elsewhere.
    pub(crate) fn tell_slow(&self, after: Duration) {
        if self.state.began.elapsed() >= after {
            self.began(Some(StreamKind::Slow));
        }
    }

    // Under the lock, so that no call begins after it was over.
    pub(crate) fn began(&self, stream: Option<StreamKind>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == Told::Nothing {
            *told = Told::Began;
            self.tell(CallPhase::Started, CallOutcome::Open, stream, true);
        }
    }

    pub(crate) fn ended(&self, outcome: CallOutcome) {
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
