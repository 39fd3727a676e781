//! What was seen of one question to one log store: an archive that is asked as every other, and how far it goes. It is
//! made for the question, grows with each look back or on, and goes with its folder when another question is asked.

use sallyport_archive::{Archive, ArchiveError, Bounds, Call, Cancel, Cursor, Filter, Options, Source};
use sallyport_engine::{Access, Bounds as StoreBounds, Engine, EngineError, Target, Wanted};
use sallyport_events::Counts;
use sallyport_feeds::{Answered, FeedError, InPlace, Look};
use sallyport_model::ClusterName;
use sallyport_store::AuditStore;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a store is left alone after it answered, and how much longer than its answer took that is at least.
const FRESH: Duration = Duration::from_secs(3);
const SHARE: u32 = 4;
/// How long one that failed is.
const FAILED: Duration = Duration::from_secs(5);
/// Records of a look.
const RECORDS: usize = 1000;
/// Records of a question, over all looks.
pub(super) const RECORDS_MOST: usize = 50_000;
/// Bytes of the disk that a question may fill, which a store decides about, and the history is on the same one.
const BYTES_MOST: u64 = 512 << 20;
/// And no more than this part of what is free there.
const OF_FREE: u64 = 4;
/// For one look. What was seen until then is the answer, and it says so.
const WITHIN: Duration = Duration::from_secs(8);
/// For all looks of one page.
const PAGE: Duration = Duration::from_secs(15);
/// How far back is looked where no range is named.
const BACK_DAYS: i64 = 90;
const BACK: i64 = BACK_DAYS * 24 * 3_600_000_000;
/// That it was looked no further back than that.
pub(super) fn no_further() -> String {
    format!("was asked for the last {BACK_DAYS} days: name a range for what is older")
}

/// A store has the moment when an event was written, and we ask by when a call arrived: this far behind the end of a range
/// its end is looked for, in microseconds. Watches may last longer, and are found where they ended.
const LONGEST_CALL: i64 = 3_600_000_000;
/// What came late is looked for this far back, and clocks may be ahead of ours by that; in microseconds.
const LATE: i64 = 120_000_000;
const AHEAD: i64 = 60_000_000;

/// Bytes that a question may fill of a disk that has `free` left.
fn room(free: u64) -> u64 {
    BYTES_MOST.min(free / OF_FREE)
}

/// That it was looked no further for want of room, and what can be done.
fn no_room(room: u64) -> String {
    let mib = room >> 20;
    match room < BYTES_MOST {
        true => format!("{mib} MiB of it were looked at, for the disk is nearly full: make room, or filter"),
        false => format!("{mib} MiB of it were looked at: filter, or name a range of time"),
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) store: AuditStore,
    pub(super) wanted: Wanted,
    /// In microseconds of Unix time.
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
}

/// Whom to ask.
pub(super) fn engine(store: &AuditStore) -> Result<Engine, EngineError> {
    let target: Target = store.address.parse().map_err(|e: sallyport_engine::TargetError| {
        EngineError::Access { what: store.address.clone(), why: e.to_string() }
    })?;
    let access = Access::read(store.ca.as_deref(), store.credential.as_deref(), &store.tenant)?;
    let bounds = StoreBounds {
        connect: Duration::from_secs(5),
        silent: Duration::from_secs(10),
        whole: Duration::from_secs(20),
        bytes: 32 << 20,
    };
    Engine::bounded(target, &access, bounds)
}

/// What a page has of a store.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) calls: Vec<Call>,
    /// Where more of what was seen is.
    pub(super) next: Option<Cursor>,
    /// In microseconds: at or after that moment all calls were seen; none where all were.
    pub(super) before: Option<i64>,
    /// Why it goes no further back, where it does not.
    pub(super) why: Option<String>,
    /// That is because it did not answer.
    pub(super) has_failed: bool,
}

/// How far a store was looked at for all that it has of a question.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// In microseconds: at or after that moment all calls were seen; none where all were, or none.
    pub(super) before: Option<i64>,
    /// Why it goes no further, where it does not.
    pub(super) why: Option<String>,
    /// From when to when the store has anything of the cluster in the time that was asked for, in microseconds.
    pub(super) ends: Option<(i64, i64)>,
    /// It did not answer, so that nothing or not all of it is known.
    pub(super) has_failed: bool,
}

/// What became of looks.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) records: u64,
    pub(super) counts: Counts,
    pub(super) took: Duration,
}

pub(super) struct Seen {
    question: Question,
    // Dropped before its folder.
    archive: Arc<Archive>,
    source: Source,
    engine: Engine,
    in_place: InPlace,
    cancel: Cancel,
    /// Up to when it was looked, in microseconds.
    upto: i64,
    /// Before this moment nothing was looked at, in nanoseconds.
    before: Option<i64>,
    looked: Option<(Instant, Duration)>,
    /// It answered once.
    has_seen: bool,
    failed: Option<(Instant, String)>,
    /// From when to when it has anything of the cluster, and up to when that was looked at.
    ends: Option<(i64, Option<(i64, i64)>)>,
    told: Told,
    /// Records that it gave in looks back, however often.
    given: usize,
    /// Bytes of the disk that it may fill.
    room: u64,
    _folder: TempDir,
}

impl Seen {
    /// Asks nobody anything yet. Blocks.
    pub(super) fn new(question: Question, folder: &Path, cancel: Cancel) -> Result<Self, FeedError> {
        let engine = engine(&question.store)?;
        let io = |source| FeedError::Io { path: folder.to_owned(), doing: "made", source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let folder = tempfile::Builder::new().prefix("look-").tempdir_in(folder).map_err(io)?;
        // A file system that does not say is taken for one with room: writing tells.
        let free = rustix::fs::statvfs(folder.path()).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let archive = Arc::new(Archive::open(folder.path(), Options::default())?);
        // Of every cluster each record names its own; this one stands for none of them.
        let nobody = || "unnamed".parse::<ClusterName>().ok();
        let cluster = question.wanted.called.parse().ok().or_else(nobody);
        let cluster = cluster.ok_or(FeedError::Archive(ArchiveError::Canceled))?;
        let source = Source { id: question.store.id.clone(), cluster };
        Ok(Self {
            question,
            archive,
            source,
            engine,
            in_place: InPlace::default(),
            cancel,
            upto: 0,
            before: None,
            looked: None,
            has_seen: false,
            failed: None,
            ends: None,
            told: Told::default(),
            given: 0,
            room: room(free.unwrap_or(u64::MAX)),
            _folder: folder,
        })
    }

    /// As every other archive is asked.
    pub(super) fn archive(&self) -> Arc<Archive> {
        self.archive.clone()
    }

    /// What the looks since the last time came to.
    pub(super) fn told(&mut self) -> Told {
        std::mem::take(&mut self.told)
    }

    /// Calls that fit, at most `limit`; the store is asked for what was not seen yet. Blocks.
    ///
    /// # Errors
    /// When it was taken back, or what was seen can't be kept. That the store did not answer is said in the page.
    pub(super) fn page(
        &mut self,
        filter: &Filter,
        at: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, FeedError> {
        let began = Instant::now();
        let mut why = match at {
            Some(_) if self.has_seen => None,
            _ => self.newest()?,
        };
        if !self.has_seen {
            let has_failed = self.failed.is_some();
            return Ok(Page { calls: Vec::new(), next: None, before: None, why, has_failed });
        }
        loop {
            let bounds = Bounds { within: WITHIN, cancel: self.cancel.clone() };
            let page = self.archive.page(filter, at, limit, &bounds)?.value;
            let before = self.before_us();
            let ready =
                page.calls.iter().filter(|call| before.is_none_or(|before| call.at >= before)).count();
            let is_enough = ready >= limit || before.is_none() || began.elapsed() >= PAGE;
            if why.is_none() && !is_enough {
                why = self.back()?;
                if why.is_none() {
                    continue;
                }
            }
            let mut calls = page.calls;
            let next = page.next.filter(|_| ready == calls.len());
            calls.truncate(ready);
            let has_failed = why.is_some() && self.failed.is_some();
            return Ok(Page { calls, next, before, why, has_failed });
        }
    }

    /// A moment is seen in whole where all that ended since then is.
    fn before_us(&self) -> Option<i64> {
        self.before.map(|nanos| nanos.div_euclid(1000) + i64::from(nanos.rem_euclid(1000) > 0))
    }

    /// Looks back until all that the store has of the question was seen, or for as long as that may take: asked again, it
    /// goes on from there. With `of_cluster` it is looked at from when to when it tells of the cluster, too. Blocks.
    ///
    /// # Errors
    /// As [`Seen::page`].
    pub(super) fn whole(&mut self, of_cluster: bool) -> Result<Reach, FeedError> {
        let began = Instant::now();
        let mut why = self.newest()?;
        while self.has_seen && why.is_none() && self.before.is_some() {
            if began.elapsed() >= PAGE {
                why = Some("has more than was looked at so far".to_owned());
                break;
            }
            why = self.back()?;
        }
        let ends = match of_cluster && self.has_seen && self.failed.is_none() {
            true => self.ends()?,
            false => None,
        };
        // What was seen before it failed stays, and says up to when it goes.
        if let (Some((_, failed)), None) = (&self.failed, &why) {
            why = Some(failed.clone());
        }
        let before = self.before_us().filter(|_| self.has_seen);
        Ok(Reach { before, why, ends, has_failed: self.failed.is_some() })
    }

    /// From when to when the store has anything of the cluster, in microseconds.
    fn ends(&mut self) -> Result<Option<(i64, i64)>, FeedError> {
        if let Some((upto, ends)) = self.ends
            && upto == self.upto
        {
            return Ok(ends);
        }
        let now = jiff::Timestamp::now().as_microsecond();
        let from = self.question.from.unwrap_or_else(|| now.saturating_sub(BACK)).max(0);
        let to = self.question.to.map_or(i64::MAX, |to| to.saturating_add(LONGEST_CALL)).min(now + AHEAD);
        let look = Look {
            wanted: self.question.wanted.clone(),
            from: from.saturating_mul(1000),
            to: to.saturating_mul(1000),
            most: 0,
            within: WITHIN,
        };
        match self.in_place.ends(&self.archive, &self.source, &self.engine, &look, &self.cancel) {
            Ok(ends) => {
                let ends = ends.map(|(from, to)| (from.div_euclid(1000), to.div_euclid(1000)));
                self.ends = Some((self.upto, ends));
                Ok(ends)
            }
            Err(FeedError::Engine(error)) => {
                self.failed = Some((Instant::now(), error.to_string()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The first look, or what is new since the last one.
    fn newest(&mut self) -> Result<Option<String>, FeedError> {
        if let Some((at, why)) = &self.failed
            && at.elapsed() < FAILED
        {
            return Ok(Some(why.clone()));
        }
        let now = jiff::Timestamp::now().as_microsecond();
        let end = self.question.to.map_or(i64::MAX, |to| to.saturating_add(LONGEST_CALL));
        let to = now.saturating_add(AHEAD).min(end);
        let from = self.question.from.unwrap_or_else(|| now.saturating_sub(BACK)).max(0);
        let is_fresh = self.looked.is_some_and(|(at, took)| at.elapsed() < FRESH.max(took * SHARE));
        if self.has_seen && self.upto >= end {
            // No look is left that would take it back: whatever is asked next says whether it answers again.
            self.failed = None;
            return Ok(None);
        }
        if self.has_seen && is_fresh {
            return Ok(None);
        }
        let (since, most) = match self.has_seen {
            true => (self.upto.saturating_sub(LATE).max(from), RECORDS_MOST),
            false => (from, RECORDS),
        };
        match self.look(since, to, most) {
            Ok(answered) => {
                // With a hole between what was seen and what is new, what is older counts as unseen from there on.
                if !self.has_seen || answered.before.is_some() {
                    self.before = answered.before;
                }
                (self.upto, self.has_seen) = (now, true);
                Ok(answered.broke)
            }
            Err(FeedError::Engine(error)) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// It holds so much that another one should be begun.
    pub(super) fn is_full(&self) -> bool {
        self.in_place.records() >= 2 * RECORDS_MOST || self.bytes() >= self.room.saturating_mul(2)
    }

    fn bytes(&self) -> u64 {
        self.archive.status().bytes
    }

    /// Looks further back; why not, if it does not.
    fn back(&mut self) -> Result<Option<String>, FeedError> {
        let Some(before) = self.before else { return Ok(None) };
        // Those that it gives again and again count as well: a store must not be looked at for ever.
        if self.in_place.records().max(self.given) >= RECORDS_MOST {
            return Ok(Some(format!(
                "{RECORDS_MOST} of its records were looked at: filter, or name a range of time"
            )));
        }
        if self.bytes() >= self.room {
            return Ok(Some(no_room(self.room)));
        }
        let now = jiff::Timestamp::now().as_microsecond();
        let from = self.question.from.unwrap_or_else(|| now.saturating_sub(BACK)).max(0);
        let look = self.look_nanos(from.saturating_mul(1000), before, RECORDS);
        match look {
            Ok(answered) => {
                self.given = self.given.saturating_add(answered.given);
                self.before = answered.before;
                Ok(answered.broke)
            }
            Err(FeedError::Engine(error)) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    fn look(&mut self, from: i64, to: i64, most: usize) -> Result<Answered, FeedError> {
        self.look_nanos(from.saturating_mul(1000), to.saturating_add(1).saturating_mul(1000), most)
    }

    fn look_nanos(&mut self, from: i64, to: i64, most: usize) -> Result<Answered, FeedError> {
        let look = Look { wanted: self.question.wanted.clone(), from, to, most, within: WITHIN };
        let began = Instant::now();
        let answered = self.in_place.look(&self.archive, &self.source, &self.engine, &look, &self.cancel);
        self.looked = Some((Instant::now(), began.elapsed()));
        self.told.took += began.elapsed();
        match answered {
            Ok(answered) => {
                // What it said before it broke off is so all the same, and it is left alone for a while.
                self.failed = answered.broke.clone().map(|why| (Instant::now(), why));
                self.told.records += answered.records;
                self.told.counts.add(&answered.counts);
                Ok(answered)
            }
            Err(error) => {
                self.failed = Some((Instant::now(), error.to_string()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_fills_a_part_of_what_the_disk_has_left_and_says_so() {
        assert_eq!((room(u64::MAX), room(40 << 20), room(0)), (BYTES_MOST, 10 << 20, 0));
        assert!(no_room(room(40 << 20)).contains("10 MiB of it were looked at, for the disk is nearly full"));
        assert!(no_room(BYTES_MOST).ends_with("name a range of time"));
    }
}
