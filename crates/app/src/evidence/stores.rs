//! Log stores that a team has, asked in place: what the timeline shows of them is read when somebody looks, page by page,
//! and forgotten with the question. Nothing waits for a store longer than a moment: what it did not say is said, and the
//! window is told when it has answered.

mod seen;
mod source;
mod wanted;

use super::filter::Both;
use super::merge::{Looked, Side, StoreCursor};
use super::raws::replicas;
use super::row::RowId;
use super::{Evidence, number, unreadable};
use crate::desk::{AppError, now_ms};
use sallyport_archive::{Archive, ArchiveError, Bounds, Call, Cancel, Column, Cursor, Filter};
use sallyport_engine::Target;
use sallyport_feeds::FeedError;
use sallyport_ipc::{Event, Shown, SourceState, StoreLacks, TieBy, TimelineFilter};
use sallyport_model::ErrorCode;
use sallyport_store::AuditStore;
use seen::{BACK_DAYS, Page, Question, Seen};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The folder of what was seen, in the data directory. What lies there at a start is of a process that was killed.
const FOLDER: &str = "audit-seen";
/// How long the newest page waits for a store, and an older one.
const NEWEST: Duration = Duration::from_millis(2500);
const OLDER: Duration = Duration::from_secs(25);
/// Calls that are compared with those of another place at once, and how often.
const COMPARED: usize = 1000;
const COMPARES: usize = 10;

/// What was seen of log stores.
#[derive(Default)]
pub(super) struct Stores {
    places: Mutex<Vec<Arc<Place>>>,
    numbers: AtomicU64,
    is_clean: AtomicBool,
}

/// One question to one store, the last of that store.
struct Place {
    number: u64,
    question: Question,
    cancel: Cancel,
    seen: Arc<tokio::sync::Mutex<Option<Seen>>>,
    archive: Mutex<Option<Arc<Archive>>>,
    /// Somebody was told that it has not answered yet.
    is_awaited: AtomicBool,
}

/// What is looked for.
pub(super) struct Asked<'a> {
    pub(super) filter: &'a TimelineFilter,
    pub(super) accounts: &'a [String],
    pub(super) limit: usize,
}

/// What a page has of all stores.
#[derive(Default)]
pub(super) struct OfStores {
    pub(super) looked: Vec<(String, Looked<StoreCursor>)>,
    /// The Audit-IDs of rows that are tied by them.
    pub(super) ids: HashMap<Shown, Shown>,
    pub(super) lacks: Vec<StoreLacks>,
}

impl Stores {
    /// The place of a question. Another question to the same store takes the one before it back.
    fn place(&self, question: Question) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.iter().find(|place| place.question == question) {
            return place.clone();
        }
        places.retain(|place| {
            let is_other = place.question.store.id != question.store.id;
            if !is_other {
                place.cancel.cancel();
            }
            is_other
        });
        let place = Arc::new(Place {
            number: self.numbers.fetch_add(1, Ordering::Relaxed) + 1,
            question,
            cancel: Cancel::default(),
            seen: Arc::default(),
            archive: Mutex::default(),
            is_awaited: AtomicBool::new(false),
        });
        places.push(place.clone());
        place
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
    /// What stores have of a page. `at` is where each goes on; none for the newest page.
    pub(super) async fn stores_page(
        self: &Arc<Self>,
        wanted: &Both,
        at: Option<&Vec<(String, Side<StoreCursor>)>>,
        asked: &Asked<'_>,
    ) -> Result<OfStores, AppError> {
        let mut out = OfStores::default();
        let Some(calls) = &wanted.calls else { return Ok(out) };
        let stores = self.desk.prefs.audit_stores().await.map_err(super::saved::unkept)?;
        let (mut asks, mut froms) = (Vec::new(), Vec::new());
        for store in stores {
            let place = at.map_or(Side::Begin, |all| {
                all.iter().find(|(id, _)| *id == store.id).map_or(Side::End, |(_, place)| *place)
            });
            let Some(words) = wanted::wanted(&store, asked.filter, asked.accounts) else { continue };
            if place == Side::End {
                out.looked.push((store.id, over()));
                continue;
            }
            let question = Question { store, wanted: words, from: wanted.from, to: wanted.to };
            let of_store = self.stores.place(question);
            let cursor = match place {
                Side::After(cursor) if cursor.look == of_store.number => Some(cursor.call),
                // It was begun anew: what is of that moment comes once more rather than not at all.
                Side::After(cursor) => Some(Cursor { at: cursor.call.at, id: u64::MAX }),
                _ => None,
            };
            let wait = if at.is_none() { NEWEST } else { OLDER };
            let number = of_store.number;
            froms.push(cursor.map_or(Side::Begin, |call| Side::After(StoreCursor { look: number, call })));
            asks.push(self.answer(of_store, calls.clone(), cursor, asked.limit, wait));
        }
        let mut others: Vec<Arc<Archive>> = self.archive(false).await.ok().flatten().into_iter().collect();
        let answers = futures::future::join_all(asks).await;
        for ((place, answered), from) in answers.into_iter().zip(froms) {
            let id = place.question.store.id.clone();
            let name = Shown::from(host(&place.question.store));
            let lacking = |why: String, before_us, is_pending| StoreLacks {
                store: name.clone(),
                why: Shown::from(sallyport_model::clip(&why, 500)),
                before_us,
                is_pending,
            };
            let page = match answered {
                Ok(Some(page)) => page,
                // Another question took it back, and whoever asked that tells when it is answered.
                Err(error) if error.code() == ErrorCode::Cancelled => {
                    out.lacks.push(lacking("is asked anew".into(), None, true));
                    out.looked.push((id, over()));
                    continue;
                }
                Ok(None) => {
                    out.lacks.push(lacking("has not answered yet".into(), None, true));
                    out.looked.push((id, over()));
                    continue;
                }
                Err(error) => {
                    out.lacks.push(lacking(error.message().to_owned(), None, false));
                    out.looked.push((id, over()));
                    continue;
                }
            };
            let is_last = page.before.is_none() && page.next.is_none();
            match &page.why {
                Some(why) => out.lacks.push(lacking(why.clone(), page.before, false)),
                None if is_last && wanted.from.is_none() => {
                    let why =
                        format!("was asked for the last {BACK_DAYS} days: name a range for what is older");
                    out.lacks.push(lacking(why, None, false));
                }
                None => {}
            }
            let looked = self.looked(&place, from, page, calls, &others, &mut out.ids).await?;
            others.extend(self.stores.archive(place.number));
            out.looked.push((id, looked));
        }
        Ok(out)
    }

    /// Rows of one store, without those that other places tell of as well, and where it goes on.
    async fn looked(
        &self,
        place: &Place,
        from: Side<StoreCursor>,
        page: Page,
        filter: &Filter,
        others: &[Arc<Archive>],
        ids: &mut HashMap<Shown, Shown>,
    ) -> Result<Looked<StoreCursor>, AppError> {
        let number = place.number;
        let Some(archive) = self.stores.archive(number) else { return Ok(over()) };
        let (others, filter) = (others.to_vec(), filter.clone());
        let Page { calls, next, before, why } = page;
        let compared = tokio::task::spawn_blocking(move || {
            let mut twins = HashSet::new();
            for other in &others {
                twins.extend(twins_in(other, &filter, &calls)?);
            }
            let calls: Vec<Call> =
                calls.into_iter().filter(|call| key(call).is_none_or(|key| !twins.contains(&key))).collect();
            let replicas = replicas(&archive, &calls);
            Ok::<_, ArchiveError>((calls, replicas))
        });
        let compared = compared.await.map_err(|e| AppError::failed("the store was not asked").because(e))?;
        let (calls, replicas) = compared.map_err(unreadable)?;
        let mut rows = self.rows(&calls, &replicas).await?;
        for (call, row) in calls.iter().zip(&mut rows) {
            row.id = RowId::Seen(number, call.id, call.at).shown();
            if row.tie.as_ref().is_some_and(|tie| tie.by == TieBy::AuditId) {
                ids.insert(row.id.clone(), Shown::from(&call.audit_id));
            }
        }
        let cursor = |call: Cursor| StoreCursor { look: number, call };
        let rows = calls
            .iter()
            .zip(rows)
            .map(|(call, row)| (call.at, cursor(Cursor { at: call.at, id: call.id.number() }), row));
        // What is older was seen, or will be looked for from there on; where it can't be, this side is at its end.
        let unseen = before.filter(|_| why.is_none()).map(|at| Cursor { at, id: 0 });
        let next = next.or(unseen).map(|call| (call.at, cursor(call)));
        Ok(Looked { rows: rows.collect(), next, from })
    }

    /// What a store answers within a while; none when it did not, and then its answer is told of.
    async fn answer(
        self: &Arc<Self>,
        place: Arc<Place>,
        filter: Filter,
        at: Option<Cursor>,
        limit: usize,
        wait: Duration,
    ) -> (Arc<Place>, Result<Option<Page>, AppError>) {
        let mut answering = tokio::spawn(self.clone().ask_store(place.clone(), filter, at, limit));
        let answered = match tokio::time::timeout(wait, &mut answering).await {
            Ok(Ok(page)) => page.map(Some),
            Ok(Err(error)) => Err(AppError::failed("the store was not asked").because(error)),
            Err(_) => {
                place.is_awaited.store(true, Ordering::Release);
                if answering.is_finished() && place.is_awaited.swap(false, Ordering::AcqRel) {
                    self.desk.host.tell(Event::EvidenceChanged);
                }
                Ok(None)
            }
        };
        (place, answered)
    }

    async fn ask_store(
        self: Arc<Self>,
        place: Arc<Place>,
        filter: Filter,
        at: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, AppError> {
        let mut turn = place.seen.clone().lock_owned().await;
        let (folder, of_place) = (self.desk.dirs.data.join(FOLDER), place.clone());
        let is_first = !self.stores.is_clean.swap(true, Ordering::Relaxed);
        let asked = tokio::task::spawn_blocking(move || {
            if is_first {
                let _ = std::fs::remove_dir_all(&folder);
            }
            if turn.as_ref().is_none_or(Seen::is_full) {
                let seen = Seen::new(of_place.question.clone(), &folder, of_place.cancel.clone())?;
                let mut archive = of_place.archive.lock().unwrap_or_else(PoisonError::into_inner);
                *archive = Some(seen.archive());
                *turn = Some(seen);
            }
            let Some(seen) = turn.as_mut() else { return Err(FeedError::Archive(ArchiveError::Canceled)) };
            let page = seen.page(&filter, at, limit)?;
            Ok((page, seen.told()))
        });
        let asked = asked.await.map_err(|e| AppError::failed("the store was not asked").because(e))?;
        let answered = match asked {
            Ok((page, told)) => {
                let state = match &page.why {
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
                Ok(page)
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

/// Nothing (more) of a side.
fn over<C>() -> Looked<C> {
    Looked { rows: Vec::new(), next: None, from: Side::End }
}

/// A store, for people: its host and port.
fn host(store: &AuditStore) -> String {
    store.address.parse::<Target>().map_or_else(|_| store.address.clone(), |target| target.host())
}

/// What says that two events are the same one. The Audit-ID is the client's to choose, so that all else that is shown of
/// them has to be the same as well: whoever repeats one hides nothing.
fn key(call: &Call) -> Option<String> {
    if call.audit_id.is_empty() {
        return None;
    }
    let columns = [
        Column::Cluster,
        Column::Verb,
        Column::Resource,
        Column::Subresource,
        Column::Namespace,
        Column::Name,
        Column::User,
        Column::Impersonated,
        Column::Code,
    ];
    let mut key = format!("{}\0{}\0{}", call.audit_id, call.at, call.marks.stages.bits());
    for column in columns {
        key.push('\0');
        key.push_str(call.text(column));
    }
    Some(key)
}

/// The events that another place tells of in the time of some calls. It is asked with the same filter.
fn twins_in(other: &Archive, filter: &Filter, calls: &[Call]) -> Result<HashSet<String>, ArchiveError> {
    let mut keys = HashSet::new();
    let (Some(newest), Some(oldest)) = (calls.first(), calls.last()) else { return Ok(keys) };
    let of_time = filter.clone().from(oldest.at).to(newest.at.saturating_add(1));
    let mut cursor = None;
    for _ in 0..COMPARES {
        let page = other.page(&of_time, cursor, COMPARED, &Bounds::default())?;
        keys.extend(page.value.calls.iter().filter_map(key));
        cursor = page.value.next;
        if cursor.is_none() || !page.is_whole {
            break;
        }
    }
    Ok(keys)
}
