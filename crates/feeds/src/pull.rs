//! Records of a log store into the archive, from the moment up to which they are kept.
//!
//! A store has no bytes to count. What is stable there is the time that it gives each record, to the nanosecond, and the
//! record itself. So a "file" is an hour of one question (store, tenant, filter), its "bytes" are nanoseconds, and all
//! records of one nanosecond belong into one batch: where it is read on is kept in the same transaction as the events
//! themselves, and a process that is killed in between reads on from there.
//!
//! What arrives late is before that place. So each pull looks again at a stretch before it and keeps what is not there
//! yet, known by its time and text, in a file of its own beside the hour's.

mod late;

use crate::FeedError;
use crate::import::UnderWay;
use late::Late;
use sallyport_archive::{Archive, ArchiveError, Batch, Cancel, Source};
use sallyport_engine::{Ask, Engine, EngineError, Kind, Pulled, Text, Wanted};
use sallyport_events::{Bad, Counts, Foreign, Found, Position, Reader, What};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::time::Duration;
use tokio::runtime::Runtime;

const HOUR: i64 = 3_600_000_000_000;
/// How far is looked for the next record; Loki answers for about 30 days at once (`max_query_length`).
const LOOK: i64 = 30 * 24 * HOUR;
/// How often whoever waits for a store looks whether the answer is still wanted.
const LISTEN: Duration = Duration::from_millis(20);
/// Records of a page.
const PAGE: usize = 1000;
/// Records of one nanosecond; of Loki 5,000, which is the most that it gives.
const TIES: usize = 50_000;
const TIES_LOKI: usize = 5000;

/// What to pull.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Which records.
    pub wanted: Wanted,
    /// Where to begin the first time, in nanoseconds of Unix time.
    pub since: i64,
    /// Up to when.
    pub until: i64,
    /// How far to look again before the place up to which it is kept, for what came late; in nanoseconds.
    pub overlap: i64,
    /// To look again from then on, however long ago.
    pub again: Option<i64>,
}

/// What became of it. All of it is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PulledIn {
    /// What the question is called in the archive.
    pub identity: String,
    /// The moment from which on was looked, in nanoseconds of Unix time.
    pub from: i64,
    /// The moment up to which it is kept.
    pub to: i64,
    /// Records that the store gave.
    pub records: u64,
    /// Events that were kept.
    pub events: u64,
    /// Those of them that came late.
    pub late: u64,
    /// Events that were looked at again and are kept already.
    pub again: u64,
    /// What was counted in what was new.
    pub counts: Counts,
}

/// Reads a store into the archive. With an error, what was kept before stays kept, and the next pull goes on from there.
///
/// # Errors
/// [`FeedError::Engine`], [`FeedError::TooManyAtOnce`], or what the archive said.
pub fn pull(archive: &Archive, source: &Source, engine: &Engine, pull: &Pull) -> Result<PulledIn, FeedError> {
    let mut puller = Puller::new(archive, source, engine, &pull.wanted)?;
    let kept = archive.kept_files(&source.id, &puller.pulled.identity);
    let last = kept.iter().map(|(_, to)| *to as i64).max();
    let from = match last {
        Some(last) => last.saturating_sub(pull.overlap),
        None => pull.since,
    };
    let from = pull.again.map_or(from, |again| again.min(from)).max(0);
    (puller.pulled.from, puller.pulled.to) = (from, last.unwrap_or(from));
    let mut hour = from - from % HOUR;
    while hour < pull.until {
        let before = puller.pulled.records;
        puller.hour(hour, from.max(hour), pull.until.min(hour + HOUR))?;
        hour += HOUR;
        if puller.pulled.records == before && hour < pull.until {
            hour = puller.first_after(hour, pull.until)?;
        }
    }
    Ok(puller.pulled)
}

/// What a question is called: by all that decides about its answer, so that none is taken for the rest of another.
fn identity(engine: &Engine, wanted: &Wanted) -> String {
    let mut digest = Sha256::new();
    let filter = wanted.filter.as_deref().unwrap_or_default();
    let (target, tenant) = (engine.target().to_string(), engine.tenant());
    let parts = [target.as_str(), tenant, filter, &wanted.label, &wanted.called];
    let words =
        wanted.words.iter().chain(wanted.also.iter().flatten()).chain(&wanted.parts).map(String::as_str);
    for part in parts.into_iter().chain(words) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let short: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{short}/", engine.target().kind().name())
}

/// Told of whole moments, and up to where they are all there is.
type Each<'e, P> = dyn FnMut(&mut P, &[Pulled], i64) -> Result<(), FeedError> + 'e;

pub(crate) struct Puller<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) source: &'a Source,
    engine: &'a Engine,
    wanted: &'a Wanted,
    runtime: Runtime,
    cancel: Cancel,
    reader: Reader,
    pub(crate) pulled: PulledIn,
}

impl<'a> Puller<'a> {
    pub(crate) fn new(
        archive: &'a Archive,
        source: &'a Source,
        engine: &'a Engine,
        wanted: &'a Wanted,
    ) -> Result<Self, FeedError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(FeedError::io(std::path::Path::new("the network"), "begun"))?;
        let pulled = PulledIn { identity: identity(engine, wanted), ..PulledIn::default() };
        let cancel = Cancel::default();
        Ok(Self { archive, source, engine, wanted, runtime, cancel, reader: Reader::new(), pulled })
    }

    fn hour(&mut self, hour: i64, from: i64, to: i64) -> Result<(), FeedError> {
        let file = format!("{}{}", self.pulled.identity, hour / HOUR);
        let kept = self.archive.kept_to(&self.source.id, &file);
        let new = kept.map_or(from, |kept| (kept as i64).max(from));
        if from < new.min(to) {
            self.look_again(&file, from, new.min(to))?;
        }
        if new < to {
            self.read_on(&file, kept.is_none(), new, to)?;
        }
        Ok(())
    }

    /// The hour of the first record from an hour on, or the last that is to be read: where nothing is, not every hour is
    /// asked for.
    fn first_after(&self, hour: i64, until: i64) -> Result<i64, FeedError> {
        let to = until.min(hour.saturating_add(LOOK));
        let first = self.ask(hour, to, 1)?.first().map_or(to - 1, |first| first.at);
        Ok(first - first % HOUR)
    }

    /// What is not read yet, up to `to`.
    fn read_on(&mut self, file: &str, is_first: bool, from: i64, to: i64) -> Result<(), FeedError> {
        let (archive, source) = (self.archive, self.source);
        let begun = |at: i64| Batch::new(source, file, at as u64);
        let mut batch = if is_first { begun(from).begins_here() } else { begun(from) };
        let mut under_way = UnderWay::new(archive);
        let read = self.pages(from, to, &mut |puller, records, end| {
            for of_one_moment in records.chunk_by(|one, other| one.at == other.at) {
                puller.new_records(of_one_moment, &mut batch);
            }
            batch.read_to(end as u64);
            if batch.is_full() {
                under_way.hand(std::mem::replace(&mut batch, begun(end)))?;
            }
            Ok(())
        });
        // What was read whole is kept, whatever became of the rest.
        let handed = under_way.hand(batch);
        let kept = under_way.all();
        self.pulled.events += under_way.events();
        self.pulled.to = self.pulled.to.max(under_way.to() as i64);
        read?;
        handed?;
        kept
    }

    /// Once more over what was read already.
    fn look_again(&mut self, file: &str, from: i64, to: i64) -> Result<(), FeedError> {
        let mut late = Late::of(self.archive, self.source, file, (from, to))?;
        let read = self.pages(from, to, &mut |puller, records, _| {
            for record in records {
                if !puller.is_ours(record) {
                    continue;
                }
                let Text::Whole(line) = &record.text else { continue };
                let at = Position { offset: record.at as u64, line: 1, item: 0 };
                puller.reader.one(at, line.as_bytes(), &mut |found| late.take(&found));
                late.hand_if_full()?;
            }
            Ok(())
        });
        let (kept, again) = late.end()?;
        self.pulled.events += kept;
        self.pulled.late += kept;
        self.pulled.again += again;
        read
    }

    /// Records page by page, in their order.
    fn pages(&mut self, from: i64, to: i64, each: &mut Each<'_, Self>) -> Result<(), FeedError> {
        let (mut at, mut most) = (from, PAGE);
        while at < to {
            let page = match self.ask(at, to, most) {
                Err(EngineError::TooLarge { .. }) if most > 1 => {
                    most /= 4;
                    continue;
                }
                page => page?,
            };
            let (first, last) = match &page[..] {
                [first, .., last] => (first.at, last.at),
                [one] => (one.at, one.at),
                [] => (at, at),
            };
            if page.len() < most {
                self.pulled.records += page.len() as u64;
                each(self, &page, to)?;
                return Ok(());
            }
            let (page, end) = if first == last {
                // It may have more of this moment than fit into a page.
                (self.moment(last)?, last + 1)
            } else {
                // Of the last moment it may have more: it is the first of the next page.
                let whole = page.partition_point(|record| record.at < last);
                (page[..whole].to_vec(), last)
            };
            self.pulled.records += page.len() as u64;
            each(self, &page, end)?;
            at = end;
        }
        Ok(())
    }

    /// All records of one moment.
    pub(crate) fn moment(&self, at: i64) -> Result<Vec<Pulled>, FeedError> {
        let most = if self.engine.target().kind() == Kind::Loki { TIES_LOKI } else { TIES };
        let all = self.ask(at, at + 1, most)?;
        if all.len() >= most {
            return Err(FeedError::TooManyAtOnce { at, most });
        }
        Ok(all)
    }

    fn ask(&self, from: i64, to: i64, most: usize) -> Result<Vec<Pulled>, EngineError> {
        let ask = Ask { from, to, most, newest: false, wanted: self.wanted };
        self.runtime.block_on(self.engine.page(&ask))
    }

    /// The last records before a moment, the newest first.
    pub(crate) fn last(&self, from: i64, to: i64, most: usize) -> Result<Vec<Pulled>, FeedError> {
        let ask = Ask { from, to, most, newest: true, wanted: self.wanted };
        self.until_cancelled(&ask)
    }

    /// The first record of a stretch that is ours, or the last, among so many.
    pub(crate) fn one(
        &self,
        from: i64,
        to: i64,
        newest: bool,
        among: usize,
    ) -> Result<Option<Pulled>, FeedError> {
        let page = self.until_cancelled(&Ask { from, to, most: among, newest, wanted: self.wanted })?;
        Ok(page.into_iter().find(|record| self.is_ours(record)))
    }

    /// As long as somebody wants the answer.
    fn until_cancelled(&self, ask: &Ask<'_>) -> Result<Vec<Pulled>, FeedError> {
        self.runtime.block_on(async {
            let cancelled = async {
                while !self.cancel.is_cancelled() {
                    tokio::time::sleep(LISTEN).await;
                }
            };
            tokio::select! {
                page = self.engine.page(ask) => Ok(page?),
                () = cancelled => Err(FeedError::Archive(ArchiveError::Canceled)),
            }
        })
    }

    fn is_ours(&self, record: &Pulled) -> bool {
        let of_every = self.wanted.called.is_empty();
        record.cluster.as_ref().is_none_or(|cluster| of_every || *cluster == self.wanted.called)
    }

    /// What takes a question back.
    pub(crate) fn cancelled_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// All records of one moment. One that is there twice, to the letter, was delivered twice.
    pub(crate) fn new_records(&mut self, records: &[Pulled], batch: &mut Batch) {
        let mut seen = HashSet::new();
        let mut item = 0;
        for record in records {
            let position = Position { offset: record.at as u64, line: 1, item };
            let foreign = |kind: &str| What::Foreign(Foreign { kind: kind.to_owned() });
            let odd = match &record.text {
                // Nothing of it is kept, and its cluster is named by nobody whom we believe.
                _ if !self.is_ours(record) => Some(foreign("a record of another cluster")),
                Text::TooLong => Some(What::Bad(Bad::TooLong)),
                Text::Whole(line) if !seen.insert(mark(line)) => {
                    Some(foreign("a record that was there already"))
                }
                Text::Whole(_) => None,
            };
            let counts = &mut self.pulled.counts;
            let mut take = |found: &Found<'_>| {
                counts.note(&found.what);
                batch.push(found);
                item = found.position.item + 1;
            };
            let bytes = match (odd, &record.text) {
                (Some(what), _) => {
                    take(&Found { position, what });
                    0
                }
                (None, Text::Whole(line)) => {
                    self.reader.one(position, line.as_bytes(), &mut |found| take(&found));
                    line.len() as u64
                }
                (None, Text::TooLong) => 0,
            };
            batch.read(1, 0, bytes);
            self.pulled.counts.lines += 1;
            self.pulled.counts.bytes += bytes;
        }
    }
}

/// What tells texts apart.
pub(crate) fn mark(text: &str) -> [u8; 16] {
    let digest = Sha256::digest(text);
    std::array::from_fn(|at| digest[at])
}
