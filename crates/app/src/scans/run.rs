//! Scans of several clusters, a few at a time: each cluster's from its turn to its session's last proof.

use super::ports::{Left, Ways};
use crate::desk::AppError;
use futures::future::BoxFuture;
use sallyport_ipc::{ScanRun, ScanState};
use sallyport_model::ClusterName;
use sallyport_scan::Reading;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// So many clusters at once: each reads four lists at a time.
pub(super) const AT_ONCE: usize = 4;

/// Takes what was read of a cluster, and says when it is kept.
pub(super) type Keeps =
    Arc<dyn Fn(ClusterName, Reading) -> BoxFuture<'static, Result<(), AppError>> + Send + Sync>;

/// The scans of one run of the app in one workspace.
pub(super) struct Run {
    begun_at: i64,
    all: Mutex<BTreeMap<ClusterName, One>>,
    turns: Semaphore,
    told: Arc<dyn Fn() + Send + Sync>,
}

struct One {
    state: ScanState,
    stop: CancellationToken,
    /// Whether its task goes on: what is over may be begun again.
    is_live: bool,
}

impl Run {
    /// Nothing yet; `told` hears of each change.
    pub(super) fn new(begun_at: i64, told: Arc<dyn Fn() + Send + Sync>) -> Arc<Self> {
        Arc::new(Self { begun_at, all: Mutex::default(), turns: Semaphore::new(AT_ONCE), told })
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<ClusterName, One>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to scan these; one that is being scanned is left alone.
    pub(super) fn begin(self: &Arc<Self>, ways: Arc<dyn Ways>, keeps: Keeps, clusters: &[ClusterName]) {
        let mut begun = Vec::new();
        for cluster in clusters {
            let mut all = self.all();
            if all.get(cluster).is_some_and(|one| one.is_live) {
                continue;
            }
            let stop = CancellationToken::new();
            let one = One { state: ScanState::Waiting, stop: stop.clone(), is_live: true };
            all.insert(cluster.clone(), one);
            begun.push((cluster.clone(), stop));
        }
        (self.told)();
        for (cluster, stop) in begun {
            let (run, ways, keeps) = (self.clone(), ways.clone(), keeps.clone());
            tokio::spawn(async move {
                // Whatever becomes of the task, nobody is told for ever that it goes on.
                let over = Over { run: &run, cluster: &cluster };
                let ended = run.scan(&*ways, &keeps, &cluster, &stop).await;
                run.say(&cluster, ended);
                drop(over);
            });
        }
    }

    /// Nothing may be asked for there now.
    pub(super) fn refuse(&self, cluster: &ClusterName, error: &AppError) {
        let state = ScanState::Failed { error: error.view() };
        let mut all = self.all();
        if all.get(cluster).is_none_or(|one| !one.is_live) {
            all.insert(cluster.clone(), One { state, stop: CancellationToken::new(), is_live: false });
        }
    }

    /// Gives up one, or all: what is open is left.
    pub(super) fn stop(&self, cluster: Option<&ClusterName>) {
        let all = self.all();
        let wanted = all.iter().filter(|(name, _)| cluster.is_none_or(|one| one == *name));
        wanted.for_each(|(_, one)| one.stop.cancel());
    }

    /// How far each is.
    pub(super) fn states(&self) -> BTreeMap<ClusterName, ScanState> {
        self.all().iter().map(|(name, one)| (name.clone(), one.state.clone())).collect()
    }

    /// How far all of it is; none was begun yet.
    pub(super) fn view(&self) -> Option<ScanRun> {
        let all = self.all();
        let count = |of: fn(&ScanState) -> bool| {
            u32::try_from(all.values().filter(|one| of(&one.state)).count()).unwrap_or(u32::MAX)
        };
        (!all.is_empty()).then(|| ScanRun {
            begun_at: self.begun_at,
            total: count(|_| true),
            done: count(|state| matches!(state, ScanState::Done { .. } | ScanState::Unproven { .. })),
            failed: count(|state| matches!(state, ScanState::Failed { .. })),
            cancelled: count(|state| *state == ScanState::Cancelled),
            is_over: all.values().all(|one| !one.is_live),
        })
    }

    fn say(&self, cluster: &ClusterName, state: ScanState) {
        if let Some(one) = self.all().get_mut(cluster) {
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
            turn = self.turns.acquire() => turn,
        };
        let Ok(turn) = turn else { return ScanState::Cancelled };
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
            visit.opened().await?;
            let reading = visit.read(&told).await?;
            keeps(cluster.clone(), reading).await
        };
        let read = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            read = read => Some(read),
        };
        self.say(cluster, ScanState::Closing { session: session.clone() });
        visit.leave().await;
        // An API server remembers a token for ten seconds: others need not wait for that proof.
        drop(turn);
        match (read, visit.proven().await) {
            // What is not known to be gone is told before everything else.
            (_, Left::Unproven) => ScanState::Unproven { session },
            (None, Left::Proven) => ScanState::Cancelled,
            (Some(Err(error)), Left::Proven) => ScanState::Failed { error: error.view() },
            (Some(Ok(())), Left::Proven) => ScanState::Done { session },
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
        if let Some(one) = self.run.all().get_mut(self.cluster) {
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
