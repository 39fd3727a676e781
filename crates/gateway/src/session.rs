//! One session as the gateway holds it: who it is, until when, with which token, and everything that runs for it.

use crate::call::{Call, CutReason};
use crate::call_state::CallState;
use crate::error::GatewayError;
use crate::held::Held;
use crate::lanes::Lanes;
use crate::live::{Ledger, LiveCall};
use crate::recorder::Recorder;
use crate::refusal::Refusal;
use crate::standing::Standing;
use crate::target::Target;
use crate::upstream::Upstream;
use sallyport_model::{ClusterName, SessionId};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, mpsc, oneshot};
use url::Url;

/// How long a cut may take before it is reported as it stands. It takes a millisecond; this bounds a bug.
const CUT_WITHIN: Duration = Duration::from_secs(1);

/// The longest the end's timer sleeps at a time: after the machine was suspended, the end is noticed this soon.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(5);

/// What a cut ended.
#[derive(Clone, Debug)]
pub struct CutReport {
    /// Why.
    pub reason: CutReason,
    /// The calls that were under way, with what they had moved.
    pub streams: Vec<LiveCall>,
    /// From the first refusal to the last task gone.
    pub took: Duration,
    /// Whether every task was seen to end within a second.
    pub complete: bool,
}

/// The end, on two clocks: the monotonic one can't be set, the wall clock goes on while the machine sleeps.
/// Whichever gets there first ends the session.
#[derive(Clone, Copy)]
pub(crate) struct End {
    at: Instant,
    wall: SystemTime,
}

impl End {
    /// `end` and `now` in Unix seconds by the hub's clock; `None` when nothing is left.
    pub(crate) fn after(now: i64, end: i64, wall: SystemTime) -> Option<Self> {
        let left = Duration::from_secs(u64::try_from(end.checked_sub(now)?).ok().filter(|left| *left > 0)?);
        Some(Self { at: Instant::now().checked_add(left)?, wall: wall.checked_add(left)? })
    }

    fn left(&self, wall: SystemTime) -> Duration {
        let by_wall = self.wall.duration_since(wall).unwrap_or(Duration::ZERO);
        self.at.saturating_duration_since(Instant::now()).min(by_wall)
    }
}

/// Reads the wall clock; another one in tests.
pub(crate) type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What of the calls that began under an earlier standing goes on.
pub(crate) type Keeps = Arc<dyn Fn(&Target) -> bool + Send + Sync>;

enum State {
    Open { standing: Arc<Standing>, keeps: Option<Keeps>, recorder: Recorder, end: End },
    Closed(CutReason),
}

pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) cluster: ClusterName,
    /// Its cluster's loopback port; its certificate is worth nothing on another.
    pub(crate) port: u16,
    pub(crate) impersonation: bool,
    held: Held,
    lanes: Arc<Lanes>,
    ledger: Ledger,
    state: RwLock<State>,
    end_moved: Notify,
    wall: WallClock,
    slow_after: Duration,
    notice: Mutex<Option<oneshot::Sender<CutReport>>>,
    endpoint: String,
}

/// What a call is made with.
pub(crate) struct Admitted {
    pub(crate) standing: Arc<Standing>,
    pub(crate) recorder: Recorder,
}

impl Session {
    pub(crate) fn new(
        standing: Standing,
        upstream: &Upstream,
        port: u16,
        lanes: Arc<Lanes>,
        held: Held,
        (end, wall, slow_after): (End, WallClock, Duration),
        calls: mpsc::Sender<Call>,
    ) -> Self {
        Self {
            id: standing.session.clone(),
            cluster: standing.cluster.clone(),
            port,
            impersonation: upstream.allow_impersonation,
            held,
            lanes,
            ledger: Ledger::default(),
            state: RwLock::new(State::Open {
                standing: Arc::new(standing),
                keeps: None,
                recorder: Recorder::start(calls),
                end,
            }),
            end_moved: Notify::new(),
            wall,
            slow_after,
            notice: Mutex::new(None),
            endpoint: upstream.endpoint.to_string(),
        }
    }

    /// Whom to tell of the cut.
    pub(crate) fn tell_cut(&self, notice: oneshot::Sender<CutReport>) {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner) = Some(notice);
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    pub(crate) fn lanes(&self) -> &Arc<Lanes> {
        &self.lanes
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn is_open(&self) -> bool {
        self.cut_reason().is_none()
    }

    pub(crate) fn cut_reason(&self) -> Option<CutReason> {
        match &*self.read() {
            State::Open { .. } => None,
            State::Closed(reason) => Some(*reason),
        }
    }

    /// Lets a call in, or says why not. The clocks are looked at for every call, so that nothing depends on a timer
    /// being on time.
    pub(crate) fn admit(&self) -> Result<Admitted, Refusal> {
        let closed = |why| Refusal::Closed { cluster: self.cluster.clone(), why };
        match &*self.read() {
            State::Closed(reason) => Err(closed(*reason)),
            State::Open { end, .. } if end.left((self.wall)()).is_zero() => Err(closed(CutReason::Expired)),
            State::Open { standing, recorder, .. } => {
                Ok(Admitted { standing: standing.clone(), recorder: recorder.clone() })
            }
        }
    }

    /// Goes on with another token, until another end; open streams keep the one they were opened with, and those that
    /// nothing `keeps` are cut.
    pub(crate) fn extend(
        &self,
        standing: Standing,
        endpoint: &str,
        end: End,
        keeps: Keeps,
    ) -> Result<Vec<LiveCall>, GatewayError> {
        if Url::parse(endpoint).ok().is_none_or(|url| url.as_str() != self.endpoint) {
            return Err(GatewayError::OtherPermit("endpoint"));
        }
        match &mut *self.write() {
            State::Closed(_) => return Err(GatewayError::NotOpen(self.id.clone())),
            // Its timer may be a moment late, or the machine have slept.
            State::Open { end: old_end, .. } if old_end.left((self.wall)()).is_zero() => {
                return Err(GatewayError::Ended(self.id.clone()));
            }
            State::Open { standing: old, end: old_end, keeps: old_keeps, .. } => {
                if old.cluster != standing.cluster {
                    return Err(GatewayError::OtherPermit("cluster"));
                }
                if old.user != standing.user {
                    return Err(GatewayError::OtherPermit("user"));
                }
                *old = Arc::new(standing);
                *old_end = end;
                *old_keeps = Some(keeps.clone());
            }
        }
        self.end_moved.notify_one();
        Ok(self.ledger.stop(|target| keeps(target)))
    }

    /// Cuts a call that was let in before the session was extended, where what it is about is not kept.
    pub(crate) fn outlives(&self, standing: &Arc<Standing>, call: &CallState) {
        if let State::Open { standing: now, keeps: Some(keeps), .. } = &*self.read()
            && !Arc::ptr_eq(now, standing)
            && !keeps(&call.target)
        {
            call.stop.cancel();
        }
    }

    /// Refuses from now on, then drops everything that runs. Only the first cut does so; `None` for a later one.
    pub(crate) async fn cut(&self, reason: CutReason) -> Option<CutReport> {
        self.cut_where(reason, |_| true).await
    }

    /// The same, where its end is still as wanted.
    async fn cut_where(&self, reason: CutReason, wanted: impl Fn(&End) -> bool) -> Option<CutReport> {
        let began = Instant::now();
        {
            let mut state = self.write();
            match &*state {
                State::Open { end, .. } if wanted(end) => {}
                State::Open { .. } | State::Closed(_) => return None,
            }
            // Drops the token with the old state, and this session's hold on the history's channel.
            *state = State::Closed(reason);
        }
        let streams = self.ledger.open_calls();
        let complete = self.held.end(CUT_WITHIN).await;
        self.lanes.clear();
        let took = began.elapsed();
        if !complete {
            tracing::error!(session = %self.id, "a cut session still has a running task");
        }
        let report = CutReport { reason, streams, took, complete };
        if let Some(notice) = self.notice.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever opened the session need not listen.
            let _ = notice.send(report.clone());
        }
        Some(report)
    }

    /// Ends the session by itself, and tells of calls that go on for long. Runs beside it and not within what a cut drops.
    pub(crate) async fn watch_end(&self) -> Option<CutReport> {
        loop {
            let left = match &*self.read() {
                State::Closed(_) => return None,
                State::Open { end, .. } => end.left((self.wall)()),
            };
            if left.is_zero() {
                // It may have been extended since it was looked at.
                match self.cut_where(CutReason::Expired, |end| end.left((self.wall)()).is_zero()).await {
                    None if self.is_open() => continue,
                    report => return report,
                }
            }
            self.ledger.tell_slow(self.slow_after);
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK_AT_CLOCK).min(self.slow_after)) => {}
                () = self.end_moved.notified() => {}
                () = self.held.cut_token().cancelled() => return None,
            }
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whoever opened the session that it was cut, by whom ever.
pub type CutNotice = oneshot::Receiver<CutReport>;
