//! A look into a log store, in place: its last records into an archive that is asked and then forgotten.

use crate::FeedError;
use crate::import::UnderWay;
use crate::pull::{Puller, mark};
use sallyport_archive::{Archive, Batch, Cancel, Source};
use sallyport_engine::{Engine, EngineError, Pulled, Text, Wanted};
use sallyport_events::Counts;
use sallyport_model::ClusterName;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// Records of a page.
const PAGE: usize = 1000;
/// How far back the first question goes, in nanoseconds; each that comes back with less than a page goes further.
const STEP: i64 = 3_600_000_000_000;
const FURTHER: i64 = 6;
/// Loki answers for about 30 days at once (`max_query_length`).
const STEP_MOST: i64 = 30 * 24 * STEP;
/// How far from an end of a stretch the first and the last record of it are looked for at first, and among how many: a
/// store's own filter may give those of other clusters, too.
const EDGE: i64 = STEP / 6;
const ENDS: [usize; 2] = [100, PAGE];
/// Bytes of records that are held at once; what is older is for the next look.
const BYTES: usize = 64 << 20;

/// What to look at.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which records.
    pub wanted: Wanted,
    /// From this moment on, in nanoseconds of Unix time.
    pub from: i64,
    /// Before this one.
    pub to: i64,
    /// At most about so many, the last ones.
    pub most: usize,
    /// For no longer than this.
    pub within: Duration,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Records that the store gave and that were not seen before.
    pub records: u64,
    /// All that it gave, those that were seen before as well.
    pub given: usize,
    /// What was counted in them.
    pub counts: Counts,
    /// Where it stopped, in nanoseconds of Unix time: before that moment nothing was looked at. `None` where all was.
    pub before: Option<i64>,
    /// Why it stopped there, where the store broke off after it had answered in part.
    pub broke: Option<String>,
}

/// Reads the last records of a store into an archive, which has to be an empty one.
///
/// # Errors
/// As [`InPlace::look`].
pub fn look(archive: &Archive, source: &Source, engine: &Engine, look: &Look) -> Result<Answered, FeedError> {
    InPlace::default().look(archive, source, engine, look, &Cancel::default())
}

/// What was seen of one question to a store, over as many looks as somebody makes: each reads another stretch of time into
/// the same archive, and what two of them see is kept once.
#[derive(Debug, Default)]
pub struct InPlace {
    seen: HashSet<[u8; 16]>,
    looks: u64,
}

impl InPlace {
    /// Records that were seen so far.
    pub fn records(&self) -> usize {
        self.seen.len()
    }

    /// Reads the last records of a stretch of time. Where [`Wanted::called`] is empty each record is of the cluster that
    /// the store names, and one without a name is counted and not kept; else all are of `source`'s.
    ///
    /// # Errors
    /// [`FeedError::Engine`] when nothing could be read, [`FeedError::TooManyAtOnce`], or what the archive said; one that
    /// was cancelled kept nothing.
    pub fn look(
        &mut self,
        archive: &Archive,
        source: &Source,
        engine: &Engine,
        look: &Look,
        cancel: &Cancel,
    ) -> Result<Answered, FeedError> {
        let mut puller = Puller::new(archive, source, engine, &look.wanted)?.cancelled_by(cancel);
        let mut answered = Answered::default();
        let mut found = last(&puller, look, &mut answered)?;
        answered.given = found.len();
        found.retain(|record| match &record.text {
            // What is said of another cluster stands for nothing that is said of this one.
            Text::Whole(line) => {
                let cluster = record.cluster.as_deref().unwrap_or_default();
                self.seen.insert(mark(&format!("{cluster}\0{line}")))
            }
            Text::TooLong => true,
        });
        found.sort_by_key(|record| record.at);
        answered.records = found.len() as u64;
        self.looks += 1;
        let mut under_way = UnderWay::new(archive);
        for (cluster, of_cluster) in by_cluster(source, &look.wanted, found, &mut answered.counts) {
            let file = format!("look-{}-{cluster}", self.looks);
            let source = Source { id: source.id.clone(), cluster };
            let begun = |at: i64| Batch::new(&source, &file, at as u64);
            let mut batch = begun(look.from).begins_here();
            for of_one_moment in of_cluster.chunk_by(|one, other| one.at == other.at) {
                puller.new_records(of_one_moment, &mut batch);
                let end = of_one_moment.first().map_or(look.from, |one| one.at + 1);
                batch.read_to(end as u64);
                if batch.is_full() {
                    under_way.hand(std::mem::replace(&mut batch, begun(end)))?;
                }
            }
            under_way.hand(batch)?;
        }
        under_way.all()?;
        answered.counts.add(&puller.pulled.counts);
        Ok(answered)
    }

    /// The first and the last record of a cluster in a stretch of time, in nanoseconds of Unix time: whether a store has
    /// what is told of it at all, whatever else was asked. None where it has nothing of it then.
    ///
    /// # Errors
    /// [`FeedError::Engine`] when it does not answer, or that it was cancelled.
    pub fn ends(
        &self,
        archive: &Archive,
        source: &Source,
        engine: &Engine,
        look: &Look,
        cancel: &Cancel,
    ) -> Result<Option<(i64, i64)>, FeedError> {
        let all = Wanted { words: Vec::new(), also: Vec::new(), parts: Vec::new(), ..look.wanted.clone() };
        let puller = Puller::new(archive, source, engine, &all)?.cancelled_by(cancel);
        // A busy cluster tells of something at every moment, and sorting a day of it for one record takes long.
        let end = |newest: bool| {
            for span in [EDGE, STEP_MOST] {
                let (from, to) = match newest {
                    true => (look.from.max(look.to.saturating_sub(span)), look.to),
                    false => (look.from, look.to.min(look.from.saturating_add(span))),
                };
                for most in ENDS {
                    if let Some(record) = one(&puller, (from, to), newest, most)? {
                        return Ok(Some(record.at));
                    }
                }
            }
            Ok::<_, FeedError>(None)
        };
        Ok(end(false)?.zip(end(true)?))
    }
}

/// The first or the last record of a stretch that is ours, among so many, or among as many as one answer holds.
fn one(
    puller: &Puller<'_>,
    (from, to): (i64, i64),
    newest: bool,
    mut most: usize,
) -> Result<Option<Pulled>, FeedError> {
    loop {
        match puller.one(from, to, newest, most) {
            Err(FeedError::Engine(EngineError::TooLarge { .. })) if most > 1 => most = (most / 4).max(1),
            found => return found,
        }
    }
}

/// The last records, and how far back they go.
fn last(puller: &Puller<'_>, look: &Look, answered: &mut Answered) -> Result<Vec<Pulled>, FeedError> {
    let began = Instant::now();
    let (mut found, mut to, mut most): (Vec<Pulled>, i64, usize) = (Vec::new(), look.to, PAGE);
    let (mut step, mut bytes) = (STEP, 0);
    while to > look.from {
        if found.len() >= look.most || bytes >= BYTES || began.elapsed() >= look.within {
            answered.before = Some(to);
            break;
        }
        let from = look.from.max(to.saturating_sub(step));
        let page = match puller.last(from, to, most) {
            Err(FeedError::Engine(EngineError::TooLarge { .. })) if most > 1 => {
                most = (most / 4).max(1);
                continue;
            }
            // What it said before is so all the same.
            Err(FeedError::Engine(error)) if to < look.to => {
                (answered.before, answered.broke) = (Some(to), Some(error.to_string()));
                break;
            }
            page => page?,
        };
        let (Some(newest), Some(oldest)) = (page.first().map(|one| one.at), page.last().map(|one| one.at))
        else {
            (to, step) = (from, step.saturating_mul(FURTHER).min(STEP_MOST));
            continue;
        };
        let before = found.len();
        if page.len() < most {
            found.extend(page);
            (to, step) = (from, step.saturating_mul(FURTHER).min(STEP_MOST));
        } else if newest == oldest {
            // Of the oldest moment it may have more: it is the newest of the next page, unless it fills this one.
            found.extend(puller.moment(oldest)?);
            to = oldest;
        } else {
            found.extend(page.into_iter().filter(|one| one.at > oldest));
            to = oldest + 1;
        }
        bytes += found[before..].iter().map(|record| record.text.bytes()).sum::<usize>();
    }
    Ok(found)
}

/// Whether a store can be asked for a text as a word: it stands in JSON as it is, and begins and ends as a word does.
pub fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:@=".contains(c);
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.chars().all(is_plain) && ends(text.chars().next()) && ends(text.chars().next_back())
}

/// Records by the cluster that they are of; of which that is not known, they are counted and left out.
fn by_cluster(
    source: &Source,
    wanted: &Wanted,
    found: Vec<Pulled>,
    counts: &mut Counts,
) -> BTreeMap<ClusterName, Vec<Pulled>> {
    let mut by = BTreeMap::new();
    if !wanted.called.is_empty() {
        by.insert(source.cluster.clone(), found);
        return by;
    }
    let mut nameless = 0;
    for record in found {
        match record.cluster.as_ref().and_then(|cluster| cluster.parse::<ClusterName>().ok()) {
            Some(cluster) => by.entry(cluster).or_insert_with(Vec::new).push(record),
            None => nameless += 1,
        }
    }
    if nameless > 0 {
        *counts.foreign.entry("a record that names no cluster".to_owned()).or_default() += nameless;
    }
    by
}
