//! Log stores that a team has, asked in place: what the timeline shows of them is read when somebody looks, page by page,
//! and forgotten with the question. Nothing waits for a store longer than a moment: what it did not say is said, and the
//! window is told when it has answered.

mod page;
mod seen;
mod source;
mod twins;
mod wanted;
mod whole;

pub(super) use page::{Asked, OfStores};
pub(super) use twins::{key, twins_in};
pub(super) use wanted::{deletions, wanted};

use super::{Evidence, number, unreadable};
use crate::desk::{AppError, now_ms};
use sallyport_archive::{Archive, ArchiveError, Cancel};
use sallyport_engine::Target;
use sallyport_feeds::FeedError;
use sallyport_ipc::{Event, Shown, SourceState, StoreLacks};
use sallyport_model::ErrorCode;
use sallyport_store::AuditStore;
use seen::{Question, Seen};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The folder of what was seen, in the data directory. What lies there at a start is of a process that was killed.
const FOLDER: &str = "audit-seen";
/// Bytes of the disk that all questions together may fill.
const SEEN_MOST: u64 = 2 << 30;
/// How long the newest page waits for a store, and an older one.
const NEWEST: Duration = Duration::from_millis(2500);
const OLDER: Duration = Duration::from_secs(25);
/// For what a store is asked. Each has a last question of its own: a page beside the timeline takes nothing back from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// The list of all rows.
    Timeline,
    /// A person's or a cluster's page.
    About,
    /// A session's page.
    Session,
    /// Who deleted something: by its name, with its kind.
    Deleted,
    /// The same, with its namespace.
    DeletedWith,
}

/// What was seen of log stores.
#[derive(Default)]
pub(super) struct Stores {
    places: Mutex<Vec<Arc<Place>>>,
    numbers: AtomicU64,
    is_clean: AtomicBool,
}

/// One question to one store, the last of its kind.
struct Place {
    number: u64,
    why: For,
    question: Question,
    cancel: Cancel,
    seen: Arc<tokio::sync::Mutex<Option<Seen>>>,
    archive: Mutex<Option<Arc<Archive>>>,
    /// Somebody was told that it has not answered yet.
    is_awaited: AtomicBool,
    /// It holds so much that the same question is begun anew, in a place of its own: the numbers of rows and of where a
    /// page goes on mean something in this one alone.
    is_full: AtomicBool,
}

/// What a store said, and why no more where it did not answer.
struct Said<T> {
    what: T,
    failed: Option<String>,
}

impl Place {
    /// What is missing of the store.
    fn lacks(&self, why: &str, before_us: Option<i64>) -> StoreLacks {
        StoreLacks {
            store: Shown::from(host(&self.question.store)),
            why: Shown::from(sallyport_model::clip(why, 500)),
            before_us,
            is_pending: false,
            has_failed: false,
        }
    }
}

impl Stores {
    /// The place of a question. Another one of the same kind to the same store takes the one before it back.
    fn place(&self, why: For, question: Question) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |place: &&Arc<Place>| {
            place.why == why && place.question == question && !place.is_full.load(Ordering::Acquire)
        };
        if let Some(place) = places.iter().find(is_it) {
            return place.clone();
        }
        places.retain(|place| {
            let is_other = place.why != why || place.question.store.id != question.store.id;
            if !is_other {
                place.cancel.cancel();
            }
            is_other
        });
        let place = Arc::new(Place {
            number: self.numbers.fetch_add(1, Ordering::Relaxed) + 1,
            why,
            question,
            cancel: Cancel::default(),
            seen: Arc::default(),
            archive: Mutex::default(),
            is_awaited: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        });
        places.push(place.clone());
        place
    }

    /// Forgets questions, those that were begun first, until what was seen of all others takes no more of the disk than it
    /// may.
    fn make_room(&self, but: u64, most: u64) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |place: &Arc<Place>| {
            let archive = place.archive.lock().unwrap_or_else(PoisonError::into_inner);
            archive.as_ref().map_or(0, |archive| archive.status().bytes)
        };
        let mut all: u64 = places.iter().map(bytes).sum();
        places.retain(|place| {
            if all <= most || place.number == but {
                return true;
            }
            all = all.saturating_sub(bytes(place));
            place.cancel.cancel();
            false
        });
    }

    fn of(&self, look: u64) -> Option<Arc<Place>> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.iter().find(|place| place.number == look).cloned()
    }

    /// What was seen in a look, while it is kept.
    pub(super) fn archive(&self, look: u64) -> Option<Arc<Archive>> {
        self.of(look)?.archive.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which store that was.
    pub(super) fn name_of(&self, look: u64) -> Option<Shown> {
        Some(Shown::from(host(&self.of(look)?.question.store)))
    }

    /// From when to when anything was seen.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let archives = places.iter().filter_map(|place| self.archive(place.number));
        archives.filter_map(|archive| archive.status().range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Forgets what was seen of a store.
    pub(super) fn forget(&self, id: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|place| {
            let is_other = place.question.store.id != id;
            if !is_other {
                place.cancel.cancel();
            }
            is_other
        });
    }

    /// Takes all questions back; nothing that was seen stays on the disk.
    pub(super) fn close(&self, data: &Path) {
        for place in self.places.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            place.cancel.cancel();
        }
        let _ = std::fs::remove_dir_all(data.join(FOLDER));
    }
}

impl Evidence {
    /// What a store answers within a while; else what is to be said in its place, and then its answer is told of.
    async fn answer<T: Send + 'static>(
        self: &Arc<Self>,
        place: &Arc<Place>,
        wait: Duration,
        question: impl FnOnce(&mut Seen) -> Result<Said<T>, FeedError> + Send + 'static,
    ) -> Result<T, StoreLacks> {
        let mut asking = tokio::spawn(self.clone().ask_store(place.clone(), question));
        let answered = match tokio::time::timeout(wait, &mut asking).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) => Err(AppError::failed("the store was not asked").because(error)),
            Err(_) => {
                place.is_awaited.store(true, Ordering::Release);
                if asking.is_finished() && place.is_awaited.swap(false, Ordering::AcqRel) {
                    self.desk.host.tell(Event::EvidenceChanged);
                }
                return Err(StoreLacks { is_pending: true, ..place.lacks("has not answered yet", None) });
            }
        };
        answered.map_err(|error| match error.code() {
            // Another question took it back, and whoever asked that tells when it is answered.
            ErrorCode::Cancelled => StoreLacks { is_pending: true, ..place.lacks("is asked anew", None) },
            _ => StoreLacks { has_failed: true, ..place.lacks(error.message(), None) },
        })
    }

    async fn ask_store<T: Send + 'static>(
        self: Arc<Self>,
        place: Arc<Place>,
        question: impl FnOnce(&mut Seen) -> Result<Said<T>, FeedError> + Send + 'static,
    ) -> Result<T, AppError> {
        let mut turn = place.seen.clone().lock_owned().await;
        let (folder, of_place) = (self.desk.dirs.data.join(FOLDER), place.clone());
        let is_first = !self.stores.is_clean.swap(true, Ordering::Relaxed);
        self.stores.make_room(place.number, SEEN_MOST);
        let asked = tokio::task::spawn_blocking(move || {
            if is_first {
                let _ = std::fs::remove_dir_all(&folder);
            }
            if turn.is_none() {
                let seen = Seen::new(of_place.question.clone(), &folder, of_place.cancel.clone())?;
                let mut archive = of_place.archive.lock().unwrap_or_else(PoisonError::into_inner);
                *archive = Some(seen.archive());
                *turn = Some(seen);
            }
            let Some(seen) = turn.as_mut() else { return Err(FeedError::Archive(ArchiveError::Canceled)) };
            let said = question(seen)?;
            of_place.is_full.store(seen.is_full(), Ordering::Release);
            Ok((said, seen.told()))
        });
        let asked = asked.await.map_err(|e| AppError::failed("the store was not asked").because(e))?;
        let answered = match asked {
            Ok((said, told)) => {
                let state = match &said.failed {
                    Some(why) => Some(SourceState::Failed { at: now_ms(), why: Shown::from(why) }),
                    None if told.took.is_zero() => None,
                    None => Some(SourceState::Answered {
                        at: now_ms(),
                        took_ms: i64::try_from(told.took.as_millis()).unwrap_or(i64::MAX),
                        records: number(told.records),
                        bad: number(told.counts.bad.values().sum()),
                        foreign: number(told.counts.foreign.values().sum()),
                    }),
                };
                state.into_iter().for_each(|state| self.note_store(&place, state));
                Ok(said.what)
            }
            Err(FeedError::Archive(error)) => Err(unreadable(error)),
            Err(error) => {
                let why = Shown::from(error.to_string());
                self.note_store(&place, SourceState::Failed { at: now_ms(), why });
                Err(AppError::failed(error.to_string()))
            }
        };
        if place.is_awaited.swap(false, Ordering::AcqRel) {
            self.desk.host.tell(Event::EvidenceChanged);
        }
        answered
    }

    /// Keeps what became of asking. That it is another kind of thing is told; each answer would have the timeline asked
    /// anew, and so the store.
    fn note_store(&self, place: &Place, state: SourceState) {
        let mut states = self.sources.states.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = std::mem::discriminant(&state);
        let before = states.insert(place.question.store.id.clone(), state);
        drop(states);
        if before.is_none_or(|before| std::mem::discriminant(&before) != kind) {
            self.desk.host.tell(Event::EvidenceChanged);
        }
    }
}

/// A store, for people: its host and port.
fn host(store: &AuditStore) -> String {
    store.address.parse::<Target>().map_or_else(|_| store.address.clone(), |target| target.host())
}
