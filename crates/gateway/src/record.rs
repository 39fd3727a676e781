//! Keeps account of calls: which are open, what they moved, and that each is told of.

use crate::call::{Call, CallOutcome, CallPhase};
use crate::peer::PeerLookup;
use crate::refusal::{Refusal, Tone};
use crate::session::{Session, Standing};
use crate::target::{StreamKind, Target};
use http::{Method, StatusCode};
use jiff::Timestamp;
use sallyport_model::AuditId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

/// How many finished calls may wait for the history before new ones wait too: its backpressure.
const BACKLOG: usize = 1024;

/// How long a call waits for the name of the program that made it.
const PEER_WAIT: Duration = Duration::from_secs(1);

/// The way into the history. Telling never waits and never loses; what may wait is a new call.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::UnboundedSender<Told>,
    backlog: Arc<Semaphore>,
}

struct Told {
    call: Call,
    peer: PeerLookup,
    /// Whether the call's place in the history is free again with this.
    frees: bool,
}

impl Recorder {
    /// Starts the task that hands calls on. It ends when the session is cut and the last call has been told, and
    /// with it `calls` closes.
    pub(crate) fn start(calls: mpsc::Sender<Call>) -> Self {
        let (queue, mut told) = mpsc::unbounded_channel::<Told>();
        let backlog = Arc::new(Semaphore::new(BACKLOG));
        let recorder = Self { queue, backlog: backlog.clone() };
        tokio::spawn(async move {
            while let Some(Told { mut call, peer, frees }) = told.recv().await {
                call.peer = timeout(PEER_WAIT, peer).await.ok().flatten();
                if calls.send(call).await.is_err() {
                    backlog.close();
                    tracing::error!("nobody records the calls of a session any more; it serves none");
                    return;
                }
                if frees {
                    backlog.add_permits(1);
                }
            }
        });
        recorder
    }

    /// Waits until entries reach the disk, and for a place among those that wait for it. No history, no call.
    pub(crate) async fn place(
        &self,
        recording: &watch::Receiver<bool>,
        within: Duration,
    ) -> Result<(), Refusal> {
        let waiting = async {
            if !*recording.borrow() {
                recording.clone().wait_for(|recording| *recording).await.ok()?;
            }
            self.backlog.acquire().await.ok()
        };
        match timeout(within, waiting).await {
            Ok(Some(place)) => {
                place.forget();
                Ok(())
            }
            Ok(None) | Err(_) => Err(Refusal::Unrecorded),
        }
    }

    fn tell(&self, call: Call, peer: PeerLookup, frees: bool) {
        // The receiving task ends early only when nobody listens, which `place` reports.
        let _ = self.queue.send(Told { call, peer, frees });
    }
}

/// What is known of a call while it runs.
pub(crate) struct CallState {
    pub(crate) audit_id: AuditId,
    pub(crate) at: Timestamp,
    pub(crate) began: Instant,
    pub(crate) method: Method,
    pub(crate) tone: Tone,
    pub(crate) path_and_query: String,
    pub(crate) target: Target,
    pub(crate) stream: Option<StreamKind>,
    pub(crate) user_agent: Option<String>,
    pub(crate) impersonates: Option<String>,
    pub(crate) status: AtomicU16,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
}

impl CallState {
    pub(crate) fn status(&self) -> Option<u16> {
        Some(self.status.load(Relaxed)).filter(|status| *status != 0)
    }
}

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
