//! Where clusters are weak. Each scan is a session under the profile made for it ([`visit`]), several at a time ([`run`]); what
//! it read is kept sealed on this computer ([`kept`]), and everything that is shown is worked out from that: looking contacts
//! nobody. Nothing is scanned by itself, and nothing that a scan found is changed by one.

mod detail;
mod drift;
mod exceptions;
mod fleet;
mod kept;
mod ports;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod visit;
mod who;
mod words;

use crate::desk::{AppError, Desk, now_ms};
use crate::history::Recorder;
use crate::inventory::Inventory;
use crate::person::{Person, Signed, WorkspaceId};
use crate::sessions::Sessions;
use futures::FutureExt as _;
use kept::{Begun, Index, Kept, KeptScan, Which, Whose};
use ports::Ways;
use run::Run;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{Event, PostureView};
use sallyport_model::{ClusterName, ErrorCode, NameError};
use sallyport_posture::practice::Ours;
use sallyport_scan::Reading;
use sallyport_vault::Shelf;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use visit::BySessions;

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
    changed: Arc<Notify>,
}

/// What is known of one person's scans at a hub.
pub(super) struct Open {
    whose: Whose,
    known: Mutex<Known>,
    run: Arc<Run>,
    /// One writes the index at a time.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(super) struct Known {
    index: Index,
    scanned: BTreeMap<String, Arc<KeptScan>>,
    /// What could not be read of what is kept.
    problems: Vec<String>,
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
    /// Nothing is read before somebody looks.
    ///
    /// # Errors
    /// When the key that everything is sealed with can't be kept.
    pub(crate) async fn new(
        desk: Arc<Desk>,
        history: Recorder,
        person: Arc<Person>,
        inventory: Arc<Inventory>,
        sessions: Arc<Sessions>,
    ) -> Result<Self, AppError> {
        let shelf = Shelf::open(&desk.vault, &desk.dirs.data.join("scans")).await.map_err(|e| {
            AppError::failed("what is kept of scans can't be opened")
                .hint("Check the disk and the directory's owner; the log has the details.")
                .because(e)
        })?;
        let (open, changed) = Default::default();
        Ok(Self { desk, history, person, inventory, sessions, shelf, open, changed })
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
        let mut known = Known { index: kept.index().await?, ..Known::default() };
        for cluster in known.index.clusters.keys() {
            match kept.scanned(cluster).await {
                Ok(Some(scanned)) => drop(known.scanned.insert(cluster.clone(), Arc::new(scanned))),
                Ok(None) => {}
                Err(error) => known.problems.push(format!("{cluster}: {}", error.message())),
            }
        }
        let changed = self.changed.clone();
        let run = Run::new(now_ms(), Arc::new(move || changed.notify_one()));
        let open = Open { whose, known: Mutex::new(known), run, writing: tokio::sync::Mutex::default() };
        let open = Arc::new(open);
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
        Ok(self.grid(&signed, &open))
    }

    /// Begins to scan; one that is being scanned is left alone. `held` says of a cluster why nothing may be asked for there.
    ///
    /// # Errors
    /// When nobody is signed in, or one of the names is none.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        clusters: &[String],
        held: impl Fn(&ClusterName) -> Option<AppError>,
    ) -> Result<(), AppError> {
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
        let begun = Begun { at: now_ms(), left: clusters.iter().map(ToString::to_string).collect() };
        self.change_index(&open, |index| index.run = Some(begun)).await?;
        let ways: Arc<dyn Ways> = Arc::new(self.ways(signed));
        let (scans, to) = (self.clone(), open.clone());
        let keeps: run::Keeps = Arc::new(move |cluster, reading| {
            let (scans, open) = (scans.clone(), to.clone());
            async move { scans.keep(&open, &cluster, reading).await }.boxed()
        });
        let (kept_off, free): (Vec<_>, Vec<_>) =
            clusters.into_iter().partition(|cluster| held(cluster).is_some());
        for cluster in &kept_off {
            if let Some(error) = held(cluster) {
                open.run.refuse(cluster, &error);
            }
        }
        open.run.begin(ways, keeps, &free);
        Ok(())
    }

    fn ways(&self, signed: Arc<Signed>) -> BySessions {
        BySessions {
            desk: self.desk.clone(),
            person: self.person.clone(),
            inventory: self.inventory.clone(),
            sessions: self.sessions.clone(),
            signed,
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

    /// Keeps what was read of a cluster, with what it comes to.
    async fn keep(&self, open: &Open, cluster: &ClusterName, reading: Reading) -> Result<(), AppError> {
        let kept = self.kept(open);
        // What can't be read any more is nothing to compare with.
        let before = kept.reading(cluster.as_str(), Which::Last).await.ok().flatten();
        kept.keep_reading(cluster.as_str(), &reading).await?;
        let signed = self.person.is_signed_in();
        let known = Beside {
            environment: signed
                .as_deref()
                .map(|signed| self.environment(signed, cluster))
                .unwrap_or_default(),
            ours: self.ours(signed.as_deref(), cluster),
            at: now_ms() / 1000,
        };
        let scanned = self.judge(open, cluster.as_str(), reading, known, before).await?;
        let point = scanned.scanned.point.clone();
        let draft = Draft::new(Action::Scan)
            .cluster(cluster)
            .detail("checks", point.covered.0 as u64)
            .detail("critical", point.counts.critical as u64)
            .detail("high", point.counts.high as u64);
        let draft = match signed {
            Some(signed) => draft.user(&signed.who.user),
            None => draft,
        };
        self.history.note(draft).await;
        self.change_index(open, |index| {
            let points = index.clusters.entry(cluster.to_string()).or_default();
            points.push(point);
            let over = points.len().saturating_sub(sallyport_posture::trend::POINTS_MOST);
            points.drain(..over);
            if let Some(run) = &mut index.run {
                run.left.retain(|left| left != cluster.as_str());
            }
        })
        .await
    }

    /// Works out what a reading comes to, and keeps that.
    async fn judge(
        &self,
        open: &Open,
        cluster: &str,
        reading: Reading,
        known: Beside,
        before: Option<Reading>,
    ) -> Result<Arc<KeptScan>, AppError> {
        let (name, now) = (cluster.to_owned(), now_ms() / 1000);
        let (exceptions, drift) = {
            let known = open.known();
            let drift = known.scanned.get(cluster).and_then(|one| one.drift.clone());
            (known.index.exceptions.clone(), drift)
        };
        let judged = tokio::task::spawn_blocking(move || {
            let drift = match &before {
                Some(before) => Some(drift::between(&name, before, &reading)),
                // The same reading, judged anew.
                None => drift,
            };
            let Beside { environment, ours, at } = known;
            KeptScan { drift, ..fleet::scanned(&name, &reading, &environment, &ours, &exceptions, (at, now)) }
        });
        let judged =
            judged.await.map_err(|e| AppError::failed("Sallyport failed over what was read").because(e))?;
        let judged = Arc::new(judged);
        self.kept(open).keep_scanned(cluster, &judged).await?;
        open.known().scanned.insert(cluster.to_owned(), judged.clone());
        Ok(judged)
    }

    /// Changes the list of what is kept, here and on the shelf.
    async fn change_index(&self, open: &Open, change: impl FnOnce(&mut Index)) -> Result<(), AppError> {
        let _one = open.writing.lock().await;
        let mut index = open.known().index.clone();
        change(&mut index);
        self.kept(open).keep_index(&index).await?;
        open.known().index = index;
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
        let clusters: Vec<String> = match cluster {
            Some(one) => vec![one],
            None => open.known().index.clusters.keys().cloned().collect(),
        };
        for cluster in &clusters {
            self.kept(&open).forget(cluster).await?;
            open.known().scanned.remove(cluster);
            self.change_index(&open, |index| drop(index.clusters.remove(cluster))).await?;
        }
        let draft = Draft::new(Action::ScanForgotten)
            .user(&signed.who.user)
            .detail("clusters", clusters.len() as u64);
        self.history.note(draft).await;
        Ok(())
    }
}
