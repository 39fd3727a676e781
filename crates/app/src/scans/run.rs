//! Scans of several clusters, a few at a time: each cluster's from its turn to its session's last proof.

use super::ports::{Left, Ways};
use super::turns::Turns;
use crate::desk::AppError;
use futures::future::BoxFuture;
use sallyport_ipc::{ErrorView, ScanRun, ScanState};
use sallyport_model::{ClusterName, ErrorCode};
use sallyport_scan::Reading;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Takes what was read of a cluster by a session, and says when it is kept.
pub(super) type Keeps =
    Arc<dyn Fn(ClusterName, String, Reading) -> BoxFuture<'static, Result<(), AppError>> + Send + Sync>;
/// Hears how a scan ended.
pub(super) type Ends = Arc<dyn Fn(ClusterName, ScanState) -> BoxFuture<'static, ()> + Send + Sync>;

/// What came of a scan, its session's end aside.
enum Came {
    Kept,
    Failed(AppError),
    GivenUp,
}

/// The scans of one run of the app in one workspace.
pub(super) struct Run {
    all: Mutex<All>,
    turns: Turns,
    told: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct All {
    /// When the first of those that were begun together was, Unix milliseconds.
    begun_at: i64,
    clusters: BTreeMap<ClusterName, One>,
    /// Why those that wait need not be tried: the person has to prove first who they are.
    refused: Option<ErrorView>,
}

struct One {
    state: ScanState,
    stop: CancellationToken,
    /// Whether its task goes on: what is over may be begun again.
    is_live: bool,
}

impl Run {
    /// Nothing yet; `told` hears of each change.
    pub(super) fn new(told: Arc<dyn Fn() + Send + Sync>) -> Arc<Self> {
        Arc::new(Self { all: Mutex::default(), turns: Turns::new(), told })
    }

    fn all(&self) -> std::sync::MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to scan these, `now` in Unix milliseconds; one that is being scanned is left alone. What was over before is
    /// forgotten once nothing goes on.
    pub(super) fn begin(
        self: &Arc<Self>,
        ways: Arc<dyn Ways>,
        (keeps, ends): (Keeps, Ends),
        clusters: &[ClusterName],
        now: i64,
    ) {
        let mut begun = Vec::new();
        {
            let mut all = self.all();
            if all.clusters.values().all(|one| !one.is_live) {
                *all = All { begun_at: now, ..All::default() };
            }
            all.refused = None;
            for cluster in clusters {
                if all.clusters.get(cluster).is_some_and(|one| one.is_live) {
                    continue;
                }
                let stop = CancellationToken::new();
                let one = One { state: ScanState::Waiting, stop: stop.clone(), is_live: true };
                all.clusters.insert(cluster.clone(), one);
                begun.push((cluster.clone(), stop));
            }
        }
        (self.told)();
        for (cluster, stop) in begun {
            let (run, ways, keeps, ends) = (self.clone(), ways.clone(), keeps.clone(), ends.clone());
            tokio::spawn(async move {
                // Whatever becomes of the task, nobody is told for ever that it goes on.
                let over = Over { run: &run, cluster: &cluster };
                let ended = run.scan(&*ways, &keeps, &cluster, &stop).await;
                run.say(&cluster, ended.clone());
                drop(over);
                ends(cluster.clone(), ended).await;
            });
        }
    }

    /// Gives up one, or all: what is open is left.
    pub(super) fn stop(&self, cluster: Option<&ClusterName>) {
        let all = self.all();
        let wanted = all.clusters.iter().filter(|(name, _)| cluster.is_none_or(|one| one == *name));
        wanted.for_each(|(_, one)| one.stop.cancel());
    }

    /// How far each is.
    pub(super) fn states(&self) -> BTreeMap<ClusterName, ScanState> {
        self.all().clusters.iter().map(|(name, one)| (name.clone(), one.state.clone())).collect()
    }

    /// Whether somebody gave this one up.
    pub(super) fn is_given_up(&self, cluster: &ClusterName) -> bool {
        self.all().clusters.get(cluster).is_some_and(|one| one.stop.is_cancelled())
    }

    /// How far all of it is; none was begun yet.
    pub(super) fn view(&self) -> Option<ScanRun> {
        let all = self.all();
        let count = |of: fn(&ScanState) -> bool| {
            u32::try_from(all.clusters.values().filter(|one| of(&one.state)).count()).unwrap_or(u32::MAX)
        };
        (!all.clusters.is_empty()).then(|| ScanRun {
            begun_at: all.begun_at,
            total: count(|_| true),
            done: count(|state| {
                matches!(state, ScanState::Done { .. } | ScanState::Unproven { error: None, .. })
            }),
            failed: count(|state| {
                matches!(state, ScanState::Failed { .. } | ScanState::Unproven { error: Some(_), .. })
            }),
            cancelled: count(|state| *state == ScanState::Cancelled),
            is_over: all.clusters.values().all(|one| !one.is_live),
        })
    }

    fn say(&self, cluster: &ClusterName, state: ScanState) {
        if let Some(one) = self.all().clusters.get_mut(cluster) {
            one.state = state;
        }
        (self.told)();
    }

    /// From its turn to the last proof. Whatever happens after it has begun to open, it is left.
    async fn scan(
        &self,
        ways: &dyn Ways,
        keeps: &Keeps,
        cluster: &ClusterName,
        stop: &CancellationToken,
    ) -> ScanState {
        let turn = tokio::select! {
            biased;
            () = stop.cancelled() => return ScanState::Cancelled,
            turn = self.turns.next() => turn,
        };
        if let Some(error) = self.all().refused.clone() {
            return ScanState::Failed { error };
        }
        let mut visit = match ways.begin(cluster) {
            Ok(visit) => visit,
            Err(error) => return ScanState::Failed { error: error.view() },
        };
        let session = visit.session();
        self.say(cluster, ScanState::Opening { session: session.clone() });
        let told = |done, total| {
            self.say(cluster, ScanState::Reading { session: session.clone(), done, total });
        };
        let read = async {
            let turn = self.turns.open(turn, visit.opened()).await?;
            Ok((turn, visit.read(&told).await?))
        };
        let read = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            read = read => Some(read),
        };
        let (turn, read) = match read {
            Some(Ok((turn, reading))) => (Some(turn), Some(Ok(reading))),
            Some(Err(error)) => (None, Some(Err(error))),
            None => (None, None),
        };
        self.say(cluster, ScanState::Closing { session: session.clone() });
        // What was read needs no session any more; and what is being kept is kept whole, whatever is given up meanwhile.
        let keeping = async {
            match read {
                None => Came::GivenUp,
                Some(Err(error)) => Came::Failed(error),
                Some(Ok(reading)) => match keeps(cluster.clone(), session.clone(), reading).await {
                    Ok(()) => Came::Kept,
                    Err(error) if error.code() == ErrorCode::Cancelled => Came::GivenUp,
                    Err(error) => Came::Failed(error),
                },
            }
        };
        let ((), came) = tokio::join!(visit.leave(), keeping);
        if let Came::Failed(error) = &came
            && error.code() == ErrorCode::StepUpNeeded
        {
            self.all().refused = Some(error.view());
        }
        // An API server remembers a token for ten seconds: others need not wait for that proof.
        drop(turn);
        match (came, visit.proven().await) {
            (Came::Kept, Left::Proven) => ScanState::Done { session },
            (Came::Failed(error), Left::Proven) => ScanState::Failed { error: error.view() },
            (Came::GivenUp, Left::Proven) => ScanState::Cancelled,
            (Came::Kept, Left::Unproven) => ScanState::Unproven { session, error: None },
            (Came::Failed(error), Left::Unproven) => {
                ScanState::Unproven { session, error: Some(error.view()) }
            }
            (Came::GivenUp, Left::Unproven) => {
                let error = AppError::new(ErrorCode::Cancelled, "the scan was given up");
                ScanState::Unproven { session, error: Some(error.view()) }
            }
        }
    }
}

/// Marks a scan as over, also when its task fails.
struct Over<'a> {
    run: &'a Run,
    cluster: &'a ClusterName,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        if let Some(one) = self.run.all().clusters.get_mut(self.cluster) {
            one.is_live = false;
            let is_over = matches!(
                one.state,
                ScanState::Done { .. }
                    | ScanState::Unproven { .. }
                    | ScanState::Failed { .. }
                    | ScanState::Cancelled
            );
            if !is_over {
                let error = AppError::failed("Sallyport failed over this scan")
                    .hint("Its session is listed until it is closed. The log has the details.");
                one.state = ScanState::Failed { error: error.view() };
            }
        }
        (self.run.told)();
    }
}
