//! Where clusters' audit events come from: files of this machine that a person named. Nothing is read before somebody
//! says so, and one source is read at a time.

use super::filter::bad;
use super::gaps::{self, Place, Places, Reading};
use super::saved::unkept;
use super::{Evidence, number};
use crate::desk::{AppError, now_ms};
use sallyport_archive::{Archive, Bounds, Column, Filter, Source};
use sallyport_audit::{Action, Draft};
use sallyport_feeds::{FeedError, Imported};
use sallyport_ipc::{Event, Shown, SourceState, SourceView, SourcesView};
use sallyport_model::{ClusterName, clip, visible};
use sallyport_store::AuditSource;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Sources that are kept.
pub(super) const MOST: usize = 200;
/// The longest path, in bytes (`PATH_MAX` of Linux).
const PATH_MOST: usize = 4096;
/// Things that were left out which are named; all are counted.
const NAMED: usize = 20;
/// Between two hints that a source got on.
const HINTS: Duration = Duration::from_millis(300);
/// Between two looks at what is followed, and how much longer than a look took that is at least: it takes a fifth of a
/// processor at most.
const LOOKS: Duration = Duration::from_secs(1);
const SHARE: u32 = 4;
/// How long may be looked for the newest event of a cluster.
const NEWEST: Duration = Duration::from_millis(500);
/// How often the timeline is looked at anew for what log stores have.
const ASKS: Duration = Duration::from_secs(5);

/// What sources do.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) states: Arc<Mutex<HashMap<String, SourceState>>>,
    /// Says to whoever reads that it is not wanted any more. A reader takes the number there was when it was asked.
    stops: Arc<AtomicU64>,
    /// One source is read at a time.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    /// Where the paths of each source led.
    places: Arc<Mutex<HashMap<String, Places>>>,
    follows: AtomicBool,
    /// Which of the readers that follow is wanted: one that was told to stop while it slept finds another number.
    follower: AtomicU64,
}

/// How long a file was and when it was written last, when it was read.
pub(super) type Seen = HashMap<PathBuf, (u64, Option<SystemTime>)>;

impl Evidence {
    pub(crate) async fn sources(&self) -> Result<SourcesView, AppError> {
        let kept = self.desk.prefs.audit_sources().await.map_err(unkept)?;
        let (status, mut problems) = match self.archive(false).await {
            Ok(archive) => (archive.map(|archive| archive.status()), Vec::new()),
            Err(error) => (None, vec![Shown::from(error.message())]),
        };
        problems.extend(status.iter().flat_map(|status| &status.problems).map(|one| Shown::from(&one.what)));
        if let Some(sallyport_archive::WriterState::Stalled { why, .. }) = status.as_ref().map(|s| &s.state) {
            problems.push(Shown::from(format!("events can't be written: {why}")));
        }
        let states = self.sources.states.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let tallies = |id: &str| {
            let counted = status.as_ref().and_then(|status| status.tallies.get(id));
            let counted = counted.into_iter().flatten();
            counted.map(|(what, often)| (Shown::from(what), number(*often))).collect()
        };
        let sources = kept.into_iter().map(|source| SourceView {
            tallies: tallies(&source.id),
            state: states.get(&source.id).cloned().unwrap_or(SourceState::Idle),
            cluster: Shown::of(&source.cluster),
            path: Shown::from(source.path.display().to_string()),
            is_store: false,
            id: Shown::from(source.id),
        });
        let mut sources: Vec<SourceView> = sources.collect();
        for store in self.desk.prefs.audit_stores().await.map_err(unkept)? {
            sources.push(SourceView {
                state: states.get(&store.id).cloned().unwrap_or(SourceState::Idle),
                cluster: store.cluster.as_ref().map(Shown::of).unwrap_or_default(),
                path: Shown::from(&store.address),
                is_store: true,
                tallies: Vec::new(),
                id: Shown::from(store.id),
            });
        }
        let keep = self.desk.prefs.audit_keep().await.map_err(unkept)?;
        Ok(SourcesView {
            sources,
            removed: status.as_ref().map_or(0, |status| number(status.removed)),
            keep_days: keep.days,
            keep_bytes: number(super::keep::bytes(keep)),
            events: status.as_ref().map_or(0, |status| number(status.events)),
            bytes: status.as_ref().map_or(0, |status| number(status.bytes)),
            from_us: status.as_ref().and_then(|status| status.range).map(|range| range.0),
            to_us: status.as_ref().and_then(|status| status.range).map(|range| range.1),
            problems,
            follows: self.sources.follows.load(Ordering::Relaxed),
        })
    }

    pub(crate) async fn source_add(self: &Arc<Self>, cluster: String, path: String) -> Result<(), AppError> {
        let cluster: ClusterName =
            cluster.trim().parse().map_err(|e: sallyport_model::NameError| bad(e.to_string()))?;
        let path = place(&path, std::env::home_dir().as_deref())?;
        let there = path.clone();
        let there = tokio::task::spawn_blocking(move || std::fs::metadata(there));
        let there = there.await.map_err(|e| AppError::failed("the place was not looked at").because(e))?;
        if let Err(error) = there {
            return Err(bad(format!("nothing can be read at {}: {error}", visible(&path.to_string_lossy())))
                .hint("Say the whole path of a log file, or of a folder of them."));
        }
        let kept = self.desk.prefs.audit_sources().await.map_err(unkept)?;
        if kept.len() >= MOST {
            return Err(bad(format!("{MOST} sources are kept already"))
                .hint("Put logs of a cluster into one folder, and name that."));
        }
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|e| AppError::failed("no id could be drawn").because(e))?;
        let id = format!("{cluster}-{:08x}", u32::from_be_bytes(random));
        let source = AuditSource { id: id.clone(), cluster: cluster.clone(), path: path.clone() };
        if !self.desk.prefs.add_audit_source(source).await.map_err(unkept)? {
            return Err(bad(format!("this is a source of {cluster} already")));
        }
        let draft = Draft::new(Action::SettingsChanged).cluster(&cluster);
        let draft = draft.detail("setting", "audit source").detail("path", path.display().to_string());
        self.history.note(draft.detail("source", &id)).await;
        self.source_read(Some(id)).await
    }

    pub(crate) async fn source_remove(&self, source: String) -> Result<(), AppError> {
        let is_store = self.desk.prefs.remove_audit_store(source.clone()).await.map_err(unkept)?;
        self.stores.forget(&source);
        if !is_store && !self.desk.prefs.remove_audit_source(source.clone()).await.map_err(unkept)? {
            return Err(bad("there is no such source").hint("Load the list anew."));
        }
        self.sources.states.lock().unwrap_or_else(PoisonError::into_inner).remove(&source);
        let draft = Draft::new(Action::SettingsChanged).detail("setting", "audit source");
        self.history.note(draft.detail("source", &source).detail("removed", true)).await;
        self.desk.host.tell(Event::EvidenceChanged);
        Ok(())
    }

    pub(crate) async fn source_read(self: &Arc<Self>, source: Option<String>) -> Result<(), AppError> {
        let kept = self.desk.prefs.audit_sources().await.map_err(unkept)?;
        let wanted: Vec<AuditSource> =
            kept.into_iter().filter(|one| source.as_ref().is_none_or(|id| *id == one.id)).collect();
        let stores = self.desk.prefs.audit_stores().await.map_err(unkept)?;
        let stores: Vec<_> =
            stores.into_iter().filter(|one| source.as_ref().is_none_or(|id| *id == one.id)).collect();
        if wanted.is_empty() && stores.is_empty() && source.is_some() {
            return Err(bad("there is no such source").hint("Load the list anew."));
        }
        for store in stores {
            tokio::spawn(self.clone().try_store(store));
        }
        let evidence = self.clone();
        let asked = self.sources.stops.load(Ordering::Relaxed);
        tokio::spawn(async move {
            for one in wanted {
                evidence.read(one, asked, None).await;
            }
        });
        Ok(())
    }

    pub(crate) async fn source_stop(&self) -> Result<(), AppError> {
        self.stop_reading();
        Ok(())
    }

    pub(super) fn stop_reading(&self) {
        self.sources.stops.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) async fn follow_sources(self: &Arc<Self>, on: bool) -> Result<(), AppError> {
        let was = self.sources.follows.swap(on, Ordering::Relaxed);
        if on && !was {
            let own = self.sources.follower.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::spawn(self.clone().follow(own));
        }
        Ok(())
    }

    /// Reads on what changed, as long as somebody looks.
    async fn follow(self: Arc<Self>, own: u64) {
        let (mut seen, mut told) = (Seen::new(), Instant::now());
        let is_wanted = || {
            self.sources.follows.load(Ordering::Relaxed)
                && self.sources.follower.load(Ordering::Relaxed) == own
        };
        while is_wanted() && !self.desk.stop.is_cancelled() {
            let began = Instant::now();
            let asked = self.sources.stops.load(Ordering::Relaxed);
            for one in self.desk.prefs.audit_sources().await.unwrap_or_default() {
                seen = self.read(one, asked, Some(seen)).await.unwrap_or_default();
            }
            if told.elapsed() >= ASKS && self.desk.prefs.audit_stores().await.is_ok_and(|all| !all.is_empty())
            {
                told = Instant::now();
                self.desk.host.tell(Event::EvidenceChanged);
            }
            let wait = LOOKS.max(began.elapsed() * SHARE);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.desk.stop.cancelled() => return,
            }
        }
    }

    /// Reads one source into the archive. With `seen`, files that did not change since are passed over.
    async fn read(self: &Arc<Self>, source: AuditSource, asked: u64, seen: Option<Seen>) -> Option<Seen> {
        let turn = self.sources.turn.lock().await;
        if self.sources.stops.load(Ordering::Relaxed) != asked {
            return seen;
        }
        let reader = Reader {
            source: Source { id: source.id.clone(), cluster: source.cluster.clone() },
            path: source.path,
            states: self.sources.states.clone(),
            stops: self.sources.stops.clone(),
            asked,
            desk: self.desk.clone(),
            told: Instant::now() - HINTS,
            places: self.sources.places.clone(),
            missing: Vec::new(),
        };
        let is_followed = seen.is_some();
        let done = match self.archive(true).await {
            Ok(Some(archive)) => {
                let mut seen = seen;
                let read = tokio::task::spawn_blocking(move || {
                    let mut reader = reader;
                    let mut done = reader.all(&archive, &mut seen);
                    if let Ok(read) = done.as_mut().map(|read| (read.events > 0).then_some(read)) {
                        read.into_iter().for_each(|read| retain(&archive, read));
                    }
                    (done, seen, reader.missing)
                });
                let read = read.await.map_err(|e| AppError::failed("reading broke off").because(e));
                match read {
                    Ok((done, seen, missing)) => {
                        self.note_gaps(&source.id, Some(&source.cluster), missing).await;
                        Ok((done, seen))
                    }
                    Err(error) => Err(error),
                }
            }
            Ok(None) => return seen,
            Err(error) => Err(error),
        };
        let (state, seen, events) = match done {
            Ok((Ok(read), seen)) => {
                let events = read.events;
                (Some(read.state()), seen, events)
            }
            Ok((Err(error), seen)) => {
                let why = Shown::from(format!("{error}{}", what_to_do(&error)));
                (Some(SourceState::Failed { at: now_ms(), why }), seen, 0)
            }
            Err(error) => {
                let why = Shown::from(error.message());
                (Some(SourceState::Failed { at: now_ms(), why }), None, 0)
            }
        };
        // A look that found nothing new says nothing new.
        if let Some(state) =
            state.filter(|state| !is_followed || events > 0 || matches!(state, SourceState::Failed { .. }))
        {
            let mut states = self.sources.states.lock().unwrap_or_else(PoisonError::into_inner);
            let before = states.insert(source.id, state.clone());
            drop(states);
            if before.as_ref() != Some(&state) {
                self.desk.host.tell(Event::EvidenceChanged);
            }
        }
        // Nobody who reads waits for the comparison: it takes as long as there are sessions.
        drop(turn);
        match events > 0 {
            true if is_followed => self.look_soon(&source.cluster),
            true => self.look_for_bypasses(&source.cluster).await,
            false => {}
        }
        seen
    }
}

/// What a file says of what may be missing.
fn note(reading: &mut Reading, imported: &Imported) {
    let at = jiff::Timestamp::now().as_microsecond();
    let place = Place { identity: imported.identity.clone(), to: imported.to, at };
    reading.is_new |= imported.events > 0;
    if let (Some(why), true) = (&imported.broken, imported.to > imported.from) {
        reading.broken.push((imported.path.clone(), place.clone(), why.clone()));
    }
    reading.files.push((imported.path.clone(), place));
}

/// Removes what is too much, and says so.
fn retain(archive: &Archive, read: &mut Read) {
    match archive.retain(jiff::Timestamp::now().as_microsecond()) {
        Ok(retained) => super::keep::removed(&retained).into_iter().for_each(|what| read.leave(what)),
        Err(error) => read.leave(format!("what is too old could not be removed: {error}")),
    }
}

/// What to do about a file that can't be read.
fn what_to_do(error: &FeedError) -> &'static str {
    match error {
        FeedError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            ". Let this user read it: API servers write their logs for root alone, so a copy or a group is needed"
        }
        FeedError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            ". If its rotation renamed it, name the folder instead"
        }
        _ => "",
    }
}

/// A place as a person writes it; `~/` is their home.
pub(super) fn place(text: &str, home: Option<&Path>) -> Result<PathBuf, AppError> {
    let text = text.trim();
    if visible(text) != text || text.len() > PATH_MOST {
        return Err(bad("the path holds characters that are not seen, or is too long").hint("Write it anew."));
    }
    let path = match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    };
    if !path.is_absolute() {
        return Err(bad("the path is no whole path").hint("Begin it with / or ~/."));
    }
    Ok(path)
}

/// What was read of a source.
#[derive(Debug, Default)]
struct Read {
    events: i64,
    bad: i64,
    foreign: i64,
    left: Vec<Shown>,
    left_count: i64,
}

impl Read {
    fn leave(&mut self, what: String) {
        self.left_count += 1;
        if self.left.len() < NAMED {
            self.left.push(Shown::from(clip(&what, 500)));
        }
    }

    fn take(&mut self, imported: &Imported) {
        let counts = &imported.counts;
        self.events += number(imported.events);
        self.bad += number(counts.bad.values().sum());
        self.foreign += number(counts.foreign.values().sum());
        if let Some(why) = &imported.broken {
            self.leave(why.clone());
        }
    }

    fn state(self) -> SourceState {
        let Self { events, bad, foreign, left, left_count } = self;
        SourceState::Read { at: now_ms(), events, bad, foreign, left, left_count }
    }
}

/// Reads one source, where blocking is allowed.
struct Reader {
    source: Source,
    path: PathBuf,
    states: Arc<Mutex<HashMap<String, SourceState>>>,
    stops: Arc<AtomicU64>,
    asked: u64,
    desk: Arc<crate::desk::Desk>,
    told: Instant,
    places: Arc<Mutex<HashMap<String, Places>>>,
    /// What was found to be missing.
    missing: Vec<gaps::Gap>,
}

impl Reader {
    fn all(&mut self, archive: &Archive, seen: &mut Option<Seen>) -> Result<Read, FeedError> {
        let found = sallyport_feeds::files(&self.path)?;
        let mut read = Read::default();
        let places = {
            let all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(&self.source.id).cloned().unwrap_or_default()
        };
        let mut reading = Reading { is_whole: true, ..Reading::default() };
        // Looked at once something is read: whoever follows a quiet log asks for nothing.
        let mut before = None;
        for skipped in &found.skipped {
            read.leave(format!("{} is {}, which is not followed", skipped.path.display(), skipped.what));
        }
        let of = found.files.len();
        for (files, named) in found.files.iter().enumerate() {
            if self.stops.load(Ordering::Relaxed) != self.asked {
                read.leave(format!("{} files, because reading was stopped", of - files));
                reading.is_whole = false;
                break;
            }
            let now = std::fs::metadata(&named.path).ok().map(|about| (about.len(), about.modified().ok()));
            if let (Some(seen), Some(now)) = (seen.as_ref(), now)
                && seen.get(&named.path) == Some(&now)
            {
                let place = places.get(&named.path).cloned();
                reading.files.extend(place.map(|place| (named.path.clone(), place)));
                continue;
            }
            if seen.is_none() {
                self.tell(files, of);
            }
            before.get_or_insert_with(|| self.before(archive));
            let imported =
                named.open().and_then(|file| sallyport_feeds::import(archive, &self.source, &file, false));
            match imported {
                Ok(imported) => {
                    read.take(&imported);
                    note(&mut reading, &imported);
                    if let (Some(seen), Some(now)) = (seen.as_mut(), now) {
                        seen.insert(named.path.clone(), now);
                    }
                }
                // A full disk is so for all of them.
                Err(error @ FeedError::Archive(_)) => return Err(error),
                // The only one there is, and it can't be read.
                Err(error) if of == 1 => return Err(error),
                Err(error) => {
                    reading.is_whole = false;
                    read.leave(error.to_string());
                }
            }
        }
        (reading.before, reading.newest) = before.unwrap_or_default();
        self.missing = gaps::missing(&self.source.id, &places, &reading);
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let places = all.entry(self.source.id.clone()).or_default();
        gaps::go_on(places, reading.files, reading.is_whole);
        Ok(read)
    }

    /// The files of the source of which something is kept before it is read, and the newest moment of its cluster.
    fn before(&self, archive: &Archive) -> (HashSet<String>, Option<i64>) {
        let before = archive.kept_files(&self.source.id, "").into_iter().map(|(file, _)| file).collect();
        let of_cluster = Filter::default().only(Column::Cluster, self.source.cluster.as_str());
        let bounds = Bounds { within: NEWEST, ..Bounds::default() };
        let newest = archive.page(&of_cluster, None, 1, &bounds).ok();
        (before, newest.and_then(|page| page.value.calls.first().map(|call| call.at)))
    }

    fn tell(&mut self, files: usize, of: usize) {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let state = SourceState::Reading { files: small(files), of: small(of) };
        self.states.lock().unwrap_or_else(PoisonError::into_inner).insert(self.source.id.clone(), state);
        if self.told.elapsed() >= HINTS {
            self.told = Instant::now();
            self.desk.host.tell(Event::EvidenceChanged);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_whole_path_of_characters_that_are_seen() {
        let home = Path::new("/home/dana");
        assert_eq!(place(" ~/logs ", Some(home)).unwrap(), Path::new("/home/dana/logs"));
        assert_eq!(place("/var/log/kubernetes", None).unwrap(), Path::new("/var/log/kubernetes"));
        for odd in ["", "logs", "../logs", "~", "/tmp/a\u{202e}b", "/tmp/a\nb", "/tmp/\0"] {
            assert!(place(odd, Some(home)).is_err(), "{odd:?}");
        }
        assert!(place(&format!("/{}", "x".repeat(PATH_MOST)), None).is_err());
    }
}
