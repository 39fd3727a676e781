//! What API servers' audit logs tell, beside the history: the archive under the data directory, where its events come
//! from, and one timeline of both sides.
//!
//! The archive is opened with the first question and made with the first source. All of it blocks, so every question goes
//! to a thread of its own, two at a time; a newer question of the same kind takes the older one back.

mod about;
mod bypass;
mod call;
mod chain;
mod command;
mod export;
mod filter;
mod gaps;
mod granted;
mod heat;
mod keep;
mod merge;
mod raws;
mod review;
mod role;
mod row;
mod saved;
mod session;
mod sources;
mod stores;
mod ties;
mod timeline;
mod used;

pub(crate) use export::{Beside, GivenUp, ReadTape};
pub(crate) use granted::kept;
pub(crate) use used::SeenOn;
#[cfg(test)]
pub(crate) use used::seen_in;

use crate::desk::{AppError, Desk};
use crate::history::Recorder;
use sallyport_archive::{Answer, Archive, ArchiveError, Bounds, Cancel, Options};
use sallyport_ipc::{LacksView, Shown};
use sallyport_model::{ClusterName, ErrorCode};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};

/// The folder of the archive, in the data directory.
const FOLDER: &str = "audit";
/// How long a question may take; what was found until then is the answer, and it says so.
const WITHIN: Duration = Duration::from_secs(3);
/// Questions that are answered at the same time.
const AT_ONCE: usize = 2;

/// The clusters' side of the audit.
pub(crate) struct Evidence {
    desk: Arc<Desk>,
    history: Recorder,
    archive: tokio::sync::Mutex<Option<Arc<Archive>>>,
    ties: tokio::sync::Mutex<ties::Ties>,
    sources: sources::Sources,
    stores: stores::Stores,
    exports: export::Exports,
    /// Gaps that were found in this hour.
    gaps: Mutex<gaps::Hourly>,
    permits: Arc<Semaphore>,
    /// Clusters that will be looked through for bypasses once more.
    looks: Mutex<HashSet<ClusterName>>,
    /// When each was looked through last.
    looked: Mutex<HashMap<ClusterName, Instant>>,
    /// Whether what was kept before this run is looked through, or was.
    has_looked: AtomicBool,
    /// Somebody asks, before what was kept could be looked through.
    look_again: Notify,
    /// One comparison at a time: what two find at once, both would note.
    comparing: tokio::sync::Mutex<()>,
    /// The last question of each kind, to take it back.
    asked: Mutex<HashMap<String, Cancel>>,
}

impl Evidence {
    pub(crate) fn new(desk: Arc<Desk>, history: Recorder) -> Arc<Self> {
        Arc::new(Self {
            desk,
            history,
            archive: tokio::sync::Mutex::default(),
            ties: tokio::sync::Mutex::default(),
            sources: sources::Sources::default(),
            stores: stores::Stores::default(),
            exports: export::Exports::default(),
            gaps: Mutex::default(),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            looks: Mutex::default(),
            looked: Mutex::default(),
            has_looked: AtomicBool::new(false),
            look_again: Notify::new(),
            comparing: tokio::sync::Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// Looks at what is kept, where something is to be read: what was not compared in an earlier run is compared now. An
    /// archive that somebody else may write to is left alone until the window asks for it.
    pub(crate) async fn begin(self: &Arc<Self>) {
        if self.desk.prefs.audit_sources().await.is_ok_and(|sources| !sources.is_empty()) {
            self.look_once();
        }
    }

    fn look_once(self: &Arc<Self>) {
        if !self.has_looked.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.clone().look_until_all_is_seen());
        } else {
            self.look_again.notify_one();
        }
    }

    fn folder(&self) -> PathBuf {
        self.desk.dirs.data.join(FOLDER)
    }

    /// The archive, if there is one; with `make` it is begun where there is none.
    async fn archive(&self, make: bool) -> Result<Option<Arc<Archive>>, AppError> {
        let mut open = self.archive.lock().await;
        if let Some(archive) = &*open {
            return Ok(Some(archive.clone()));
        }
        let folder = self.folder();
        let keep = self.desk.prefs.audit_keep().await.map_err(saved::unkept)?;
        let opened = tokio::task::spawn_blocking(move || {
            let is_there = folder.is_dir() && Archive::is_in(&folder)?;
            if !is_there && !make {
                return Ok(None);
            }
            let archive = Archive::open(&folder, Options::default())?;
            keep::said_to(&archive, keep);
            Ok(Some(archive))
        });
        let opened = opened.await.map_err(|e| AppError::failed("the archive was not opened").because(e))?;
        *open = opened.map_err(unreadable)?.map(Arc::new);
        let problems = open.iter().flat_map(|archive| archive.status().problems);
        let gaps = problems.map(|problem| gaps::Gap::of_archive(&problem.what)).collect();
        self.note_gaps(FOLDER, None, gaps).await;
        Ok(open.clone())
    }

    /// Asks the archive, where blocking is allowed. `None` where there is no archive.
    async fn ask<T: Send + 'static>(
        &self,
        kind: &str,
        question: impl FnOnce(&Archive, &Bounds) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<Option<T>, AppError> {
        self.ask_of(None, kind, question).await
    }

    /// The same of what was seen of a log store. `None` where that is not kept any more.
    async fn ask_of<T: Send + 'static>(
        &self,
        look: Option<u64>,
        kind: &str,
        question: impl FnOnce(&Archive, &Bounds) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<Option<T>, AppError> {
        let cancel = Cancel::default();
        let older = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(kind.to_owned(), cancel.clone())
        };
        older.inspect(Cancel::cancel);
        let archive = match look {
            None => self.archive(false).await?,
            Some(look) => self.stores.archive(look),
        };
        let Some(archive) = archive else { return Ok(None) };
        let permit = self.permits.clone().acquire_owned().await;
        let bounds = Bounds { within: WITHIN, cancel };
        let answered = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            question(&archive, &bounds)
        });
        let answered =
            answered.await.map_err(|e| AppError::failed("the archive could not be asked").because(e))?;
        answered.map(Some).map_err(unreadable)
    }

    /// Writes what waits. Reading of sources ends.
    pub(crate) async fn close(&self) {
        self.stop_reading();
        self.note_all_counted().await;
        self.end_export(GivenUp::Quit).await;
        self.stores.close(&self.desk.dirs.data);
        let Some(archive) = self.archive.lock().await.take() else { return };
        let closing = tokio::task::spawn_blocking(move || archive.close());
        if tokio::time::timeout(Duration::from_secs(3), closing).await.is_err() {
            tracing::error!(
                "the archive of audit events did not close within 3 s; what it acknowledged is kept"
            );
        }
    }
}

/// Why the archive can't be asked, for people.
fn unreadable(error: ArchiveError) -> AppError {
    match error {
        ArchiveError::Canceled => AppError::new(ErrorCode::Cancelled, "a newer question took its place"),
        ArchiveError::Locked { pid, .. } => {
            let by = pid.map_or_else(|| "another program".to_owned(), |pid| format!("process {pid}"));
            AppError::failed(format!("the archive of the clusters' audit events is in use by {by}"))
                .hint("Let `sallyport audit` or the other window finish, then try again.")
                .retry()
        }
        ArchiveError::Newer { .. } => {
            AppError::failed("the archive of the clusters' audit events was written by a newer Sallyport")
                .hint("Start that version, or move the folder `audit` out of the data directory.")
        }
        ArchiveError::TooMuch(what) => AppError::new(ErrorCode::BadInput, what),
        ArchiveError::Gone(_) => {
            AppError::new(ErrorCode::BadInput, "this call is not kept any more").hint("Load the list anew.")
        }
        other => AppError::failed("the clusters' audit events can't be read")
            .hint("`sallyport audit status --archive` on the folder `audit` of the data directory says more.")
            .because(other),
    }
}

/// What was asked, or why there is no answer: another side is there all the same, and what is missing is said.
///
/// # Errors
/// That a newer question took its place.
async fn or_lacks<T>(
    asked: impl Future<Output = Result<Option<T>, AppError>>,
) -> Result<(Option<T>, LacksView), AppError> {
    match asked.await {
        Ok(answer) => Ok((answer, LacksView::default())),
        Err(error) if error.code() == ErrorCode::Cancelled => Err(error),
        Err(error) => {
            let why = Some(Shown::from(error.message()));
            Ok((None, LacksView { why, ..LacksView::default() }))
        }
    }
}

/// What is left of the time that a question has.
fn left(bounds: &Bounds, began: Instant) -> Bounds {
    Bounds { within: bounds.within.saturating_sub(began.elapsed()), cancel: bounds.cancel.clone() }
}

/// What an answer lacks, for the window.
fn lacks<T>(answer: &Answer<T>) -> LacksView {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    LacksView {
        is_cut: !answer.is_whole,
        damaged: number(answer.damaged),
        unread_files: number(answer.unread_segments as u64),
        ..LacksView::default()
    }
}

/// Of two answers that are shown as one.
fn both(one: LacksView, other: &LacksView) -> LacksView {
    LacksView {
        is_cut: one.is_cut || other.is_cut,
        damaged: one.damaged.max(other.damaged),
        unread_files: one.unread_files.max(other.unread_files),
        why: one.why.or_else(|| other.why.clone()),
        stores: one.stores.into_iter().chain(other.stores.iter().cloned()).collect(),
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
