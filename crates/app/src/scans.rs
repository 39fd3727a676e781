//! Where clusters are weak. Each scan is a session under the profile made for it ([`visit`]), several at a time ([`run`]); what
//! it read is kept sealed on this computer ([`kept`]), and everything that is shown is worked out from that: looking contacts
//! nobody. Nothing is scanned by itself, and no scan changes what it found. Of fixes those that set a field of a workload are
//! made when the person says so, through a session of theirs ([`mend`]); no other is (promise P11).

mod crossing;
mod detail;
mod drift;
mod exception;
mod exceptions;
mod fleet;
mod kept;
mod mend;
mod narrow;
mod ours;
mod ports;
mod proposed;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod turns;
mod used;
mod visit;
mod who;
mod words;

use crate::desk::{AppError, Desk, now_ms};
use crate::history::Recorder;
use crate::inventory::Inventory;
use crate::person::{Person, Signed, WorkspaceId};
use crate::sessions::Sessions;
use futures::FutureExt as _;
use kept::{Index, Kept, KeptScan, Which, Whose};
pub(crate) use narrow::WhoCalled;
use ports::Ways;
use run::Run;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_ipc::{Event, PostureDrift, PostureView, ScanState};
use sallyport_model::{ClusterName, ErrorCode, NameError, SessionId};
use sallyport_posture::practice::Ours;
use sallyport_scan::Reading;
use sallyport_vault::Shelf;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use visit::BySessions;
pub(crate) use visit::Held;

/// Between two hints that something changed.
const HINTS: Duration = Duration::from_millis(300);
/// Clusters that may be asked for at once: as many as a fleet has.
const CLUSTERS_MOST: usize = 5_000;

/// Scans, and what is kept of them.
pub(crate) struct Scans {
    desk: Arc<Desk>,
    history: Recorder,
    person: Arc<Person>,
    inventory: Arc<Inventory>,
    sessions: Arc<Sessions>,
    shelf: Shelf,
    /// For each workspace where somebody is signed in and has looked.
    open: tokio::sync::Mutex<BTreeMap<WorkspaceId, Arc<Open>>>,
    /// The fix that was tried last and would be taken.
    tried: Mutex<Option<mend::Tried>>,
    changed: Arc<Notify>,
}

/// What is known of one person's scans at a hub.
pub(super) struct Open {
    whose: Whose,
    known: Mutex<Known>,
    run: Arc<Run>,
    /// One changes what is kept at a time: what was read of two clusters is not judged at once either.
    keeping: tokio::sync::Mutex<()>,
    /// What was worked out of all that is kept, and for which of its changes.
    grid: tokio::sync::Mutex<Option<(u64, Arc<fleet::Together>)>>,
}

#[derive(Default)]
pub(super) struct Known {
    index: Index,
    scanned: BTreeMap<String, Arc<KeptScan>>,
    /// What could not be read of what is kept.
    problems: Vec<String>,
    /// Counts its changes.
    changes: u64,
}

/// What a reading is compared with.
enum Since {
    /// The reading before, where there is one that can be read.
    Before(Option<Box<Reading>>),
    /// It is the same reading, judged anew: what changed before it is known.
    AsItWas(Option<PostureDrift>),
}

/// What is known of a cluster beside what was read of it.
struct Beside {
    environment: String,
    ours: Ours,
    /// When it was read, Unix seconds.
    at: i64,
}

impl Open {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scans {
    /// Nothing is read before somebody looks. Where the key that everything is sealed with can't be kept, nothing of it outlives
    /// the app.
    pub(crate) async fn new(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
        sessions: Arc<Sessions>,
    ) -> Self {
        let dir = desk.dirs.data.join("scans");
        let shelf = Shelf::open(&desk.vault, &dir).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "scans are kept in memory, since their key can't be");
            Shelf::in_memory(&dir)
        });
        let (open, tried, changed) = Default::default();
        Self { desk, history, person, inventory, sessions, shelf, open, tried, changed }
    }

    /// Hints that something changed, a few times a second at most, until the app ends.
    pub(crate) async fn hint(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.desk.stop.cancelled() => return,
            }
            self.desk.host.tell(Event::PostureChanged);
            tokio::time::sleep(HINTS).await;
        }
    }

    /// Nobody is signed in there any more: what is being scanned is given up, and what is kept stays sealed.
    pub(crate) async fn clear(&self, workspace: &WorkspaceId) {
        if let Some(open) = self.open.lock().await.remove(workspace) {
            open.run.stop(None);
        }
        self.changed.notify_one();
    }

    /// What is kept, read from the shelf when somebody looks for the first time.
    async fn open(&self, signed: &Signed) -> Result<Arc<Open>, AppError> {
        let whose = Whose::of(signed);
        let mut all = self.open.lock().await;
        if let Some(open) = all.get(&signed.workspace).filter(|open| open.whose == whose) {
            return Ok(open.clone());
        }
        let kept = Kept { shelf: &self.shelf, whose: &whose };
        let mut known = Known::default();
        match kept.index().await? {
            Some(index) => known.index = index,
            // What is not on the list is found by the names of the clusters there are.
            None => {
                known.problems.push(
                    "The list of scans, with its exceptions, was changed or is of another version: it was put aside.".to_owned(),
                );
                let names =
                    self.inventory.scannable(&signed.workspace).into_iter().map(|one| (one.name, Vec::new()));
                known.index.clusters.extend(names);
            }
        }
        for cluster in known.index.clusters.keys() {
            match kept.scanned(cluster).await {
                Ok(Some(scanned)) => drop(known.scanned.insert(cluster.clone(), Arc::new(scanned))),
                Ok(None) => {}
                Err(error) => known.problems.push(format!("{cluster}: {}", error.message())),
            }
        }
        let changed = self.changed.clone();
        let run = Run::new(Arc::new(move || changed.notify_one()));
        let (known, keeping, grid) = (Mutex::new(known), Default::default(), Default::default());
        let open = Arc::new(Open { whose, known, run, keeping, grid });
        // Signed out meanwhile: nothing of it is held.
        if !signed.stop.is_cancelled() {
            all.insert(signed.workspace.clone(), open.clone());
        }
        Ok(open)
    }

    fn kept<'s>(&'s self, open: &'s Open) -> Kept<'s> {
        Kept { shelf: &self.shelf, whose: &open.whose }
    }

    /// The grid, and what to fix first.
    ///
    /// # Errors
    /// When nobody is signed in, or what is kept can't be read.
    pub(crate) async fn fleet(&self) -> Result<PostureView, AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        self.judge_what_ended(&open).await;
        self.grid(&signed, &open).await
    }

    /// Begins to scan; one that is being scanned is left alone. `held` says of a cluster why nothing may be asked for there, and
    /// is asked again when its turn comes.
    ///
    /// # Errors
    /// When nobody is signed in, or one of the names is none.
    pub(crate) async fn begin(self: &Arc<Self>, clusters: &[String], held: Held) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        if clusters.len() > CLUSTERS_MOST {
            return Err(AppError::new(
                ErrorCode::BadInput,
                format!("at most {CLUSTERS_MOST} clusters at once"),
            ));
        }
        let named = |e: NameError| AppError::new(ErrorCode::BadInput, e.to_string());
        let clusters: Vec<ClusterName> =
            clusters.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(named)?;
        let open = self.open(&signed).await?;
        let names: Vec<String> = clusters.iter().map(ToString::to_string).collect();
        {
            let _one = open.keeping.lock().await;
            self.change_index(&open, |index| {
                index.begin(&names, now_ms());
                Ok(())
            })
            .await?;
        }
        let draft = Draft::new(Action::Scan).user(&signed.who.user).detail("begun", names.len() as u64);
        self.history.note(draft).await;
        let ways: Arc<dyn Ways> = Arc::new(self.ways(signed.clone(), held));
        let (scans, to, by) = (self.clone(), open.clone(), signed.clone());
        let keeps: run::Keeps = Arc::new(move |cluster, session, reading| {
            let (scans, open, signed) = (scans.clone(), to.clone(), by.clone());
            async move { scans.keep(&open, &signed, (&cluster, &session), reading).await }.boxed()
        });
        let scans = self.clone();
        let ends: run::Ends = Arc::new(move |cluster, state| {
            let (scans, signed) = (scans.clone(), signed.clone());
            async move { scans.note_end(&signed, &cluster, &state).await }.boxed()
        });
        open.run.begin(ways, (keeps, ends), &clusters, now_ms());
        Ok(())
    }

    /// What did not end as wanted is an entry; what was kept says so itself.
    async fn note_end(&self, signed: &Signed, cluster: &ClusterName, state: &ScanState) {
        let draft = Draft::new(Action::Scan).cluster(cluster).user(&signed.who.user);
        let draft = match state {
            ScanState::Failed { error } => {
                draft.outcome(Outcome::Failed).detail("why", error.message.as_str())
            }
            ScanState::Cancelled => draft.outcome(Outcome::Failed).detail("why", "it was given up"),
            ScanState::Unproven { session, error } => {
                let why =
                    error.as_ref().map_or("the end of its session was not shown", |error| &error.message);
                draft.outcome(Outcome::Unknown).session(&SessionId::new(session.as_str())).detail("why", why)
            }
            _ => return,
        };
        self.history.note(draft).await;
    }

    fn ways(&self, signed: Arc<Signed>, held: Held) -> BySessions {
        BySessions {
            desk: self.desk.clone(),
            person: self.person.clone(),
            inventory: self.inventory.clone(),
            sessions: self.sessions.clone(),
            signed,
            held,
        }
    }

    /// Gives up the scan of one cluster, or of all.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub(crate) async fn stop(&self, cluster: Option<String>) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let named = |e: NameError| AppError::new(ErrorCode::BadInput, e.to_string());
        let cluster: Option<ClusterName> = cluster.map(|name| name.parse()).transpose().map_err(named)?;
        open.run.stop(cluster.as_ref());
        Ok(())
    }

    /// Keeps what was read of a cluster by a session, with what it comes to.
    async fn keep(
        &self,
        open: &Open,
        signed: &Signed,
        (cluster, session): (&ClusterName, &str),
        reading: Reading,
    ) -> Result<(), AppError> {
        let _one = open.keeping.lock().await;
        if open.run.is_given_up(cluster) {
            return Err(AppError::new(ErrorCode::Cancelled, "the scan was given up"));
        }
        let (kept, name) = (self.kept(open), cluster.as_str());
        // First, so that whatever is written after it is found when it is to be deleted.
        let is_listed = open.known().index.clusters.contains_key(name);
        if !is_listed {
            self.change_index(open, |index| {
                index.clusters.entry(name.to_owned()).or_default();
                Ok(())
            })
            .await?;
        }
        // What can't be read any more is nothing to compare with.
        let before = kept.reading(name, Which::Last).await.ok().flatten();
        let beside = Beside {
            environment: self.environment(signed, cluster),
            ours: self.ours(signed, cluster, &reading).await,
            at: now_ms() / 1000,
        };
        let since = Since::Before(before.map(Box::new));
        // Whatever fails here leaves what was kept before as it was.
        let (scanned, reading) = self.judged(open, name, reading, beside, since).await?;
        kept.keep_reading(name, &reading).await?;
        let point = scanned.scanned.point.clone();
        self.keep_judged(open, name, scanned).await?;
        let draft = Draft::new(Action::Scan)
            .cluster(cluster)
            .user(&signed.who.user)
            .session(&SessionId::new(session))
            .detail("checks", point.covered.0 as u64)
            .detail("critical", point.counts.critical as u64)
            .detail("high", point.counts.high as u64);
        self.history.note(draft).await;
        self.change_index(open, |index| {
            index.is_done(name, point);
            Ok(())
        })
        .await
    }

    /// Works out what a reading comes to.
    async fn judged(
        &self,
        open: &Open,
        cluster: &str,
        reading: Reading,
        beside: Beside,
        since: Since,
    ) -> Result<(KeptScan, Reading), AppError> {
        let (name, now) = (cluster.to_owned(), now_ms() / 1000);
        let exceptions = open.known().index.exceptions.clone();
        let judged = tokio::task::spawn_blocking(move || {
            let drift = match since {
                Since::Before(before) => before.map(|before| drift::between(&name, &before, &reading)),
                Since::AsItWas(drift) => drift,
            };
            let Beside { environment, ours, at } = beside;
            let scanned = fleet::scanned(&name, &reading, &environment, &ours, &exceptions, (at, now));
            (KeptScan { drift, ..scanned }, reading)
        });
        judged.await.map_err(|e| AppError::failed("Sallyport failed over what was read").because(e))
    }

    /// Keeps what a reading came to. Whoever calls holds `keeping`.
    async fn keep_judged(&self, open: &Open, cluster: &str, judged: KeptScan) -> Result<(), AppError> {
        self.kept(open).keep_scanned(cluster, &judged).await?;
        let mut known = open.known();
        known.changes += 1;
        known.scanned.insert(cluster.to_owned(), Arc::new(judged));
        Ok(())
    }

    /// Changes the list of what is kept, here and on the shelf. Whoever calls holds `keeping`.
    async fn change_index(
        &self,
        open: &Open,
        change: impl FnOnce(&mut Index) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        let mut index = open.known().index.clone();
        change(&mut index)?;
        self.kept(open).keep_index(&index).await?;
        {
            let mut known = open.known();
            known.changes += 1;
            known.index = index;
        }
        self.changed.notify_one();
        Ok(())
    }

    /// Deletes what is kept of one cluster, or of all.
    ///
    /// # Errors
    /// When nobody is signed in, or it can't be deleted.
    pub(crate) async fn forget(&self, cluster: Option<String>) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        // What is being scanned would come back.
        let named = |name: &String| name.parse::<ClusterName>().ok();
        match &cluster {
            Some(one) => named(one).iter().for_each(|name| open.run.stop(Some(name))),
            None => open.run.stop(None),
        }
        let _one = open.keeping.lock().await;
        let clusters: Vec<String> = match cluster {
            Some(one) => vec![one],
            // Also what a list that was lost does not name.
            None => {
                let inventory = self.inventory.scannable(&signed.workspace).into_iter().map(|one| one.name);
                let mut all: Vec<String> =
                    open.known().index.clusters.keys().cloned().chain(inventory).collect();
                all.sort();
                all.dedup();
                all
            }
        };
        for cluster in &clusters {
            self.kept(&open).forget(cluster).await?;
            open.known().scanned.remove(cluster);
        }
        self.change_index(&open, |index| {
            index.forget(&clusters);
            Ok(())
        })
        .await?;
        let draft = Draft::new(Action::ScanForgotten).user(&signed.who.user);
        self.history.note(draft.detail("clusters", clusters.len() as u64)).await;
        Ok(())
    }
}
