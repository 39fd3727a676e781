//! A look into a log store, in place: its last records into an archive that is asked and then forgotten.

use crate::FeedError;
use crate::import::UnderWay;
use crate::pull::Puller;
use sallyport_archive::{Archive, Batch, Source};
use sallyport_engine::{Engine, EngineError, Pulled, Wanted};
use sallyport_events::Counts;
use std::time::{Duration, Instant};

/// Records of a page.
const PAGE: usize = 1000;

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
    /// Records that the store gave.
    pub records: u64,
    /// What was counted in them.
    pub counts: Counts,
    /// Where it stopped, in nanoseconds of Unix time: before that moment nothing was looked at. `None` where all was.
    pub before: Option<i64>,
}

/// Reads the last records of a store into an archive, which has to be an empty one.
///
/// # Errors
/// [`FeedError::Engine`], [`FeedError::TooManyAtOnce`], or what the archive said.
pub fn look(archive: &Archive, source: &Source, engine: &Engine, look: &Look) -> Result<Answered, FeedError> {
    let mut puller = Puller::new(archive, source, engine, &look.wanted)?;
    let began = Instant::now();
    let (mut found, mut to, mut most): (Vec<Pulled>, i64, usize) = (Vec::new(), look.to, PAGE);
    let mut before = None;
    while to > look.from {
        if found.len() >= look.most || began.elapsed() >= look.within {
            before = Some(to);
            break;
        }
        let page = match puller.last(look.from, to, most) {
            Err(EngineError::TooLarge { .. }) if most > 1 => {
                most /= 4;
                continue;
            }
            page => page?,
        };
        let (Some(newest), Some(oldest)) = (page.first().map(|one| one.at), page.last().map(|one| one.at))
        else {
            break;
        };
        if page.len() < most {
            found.extend(page);
            break;
        }
        // Of the oldest moment it may have more: it is the newest of the next page, unless it fills this one.
        if newest == oldest {
            found.extend(puller.moment(oldest)?);
            to = oldest;
        } else {
            found.extend(page.into_iter().filter(|one| one.at > oldest));
            to = oldest + 1;
        }
    }
    found.sort_by_key(|record| record.at);
    let begun = |at: i64| Batch::new(source, "look", at as u64);
    let mut batch = begun(look.from).begins_here();
    let mut under_way = UnderWay::new(archive);
    for of_one_moment in found.chunk_by(|one, other| one.at == other.at) {
        puller.new_records(of_one_moment, &mut batch);
        let end = of_one_moment.first().map_or(look.from, |one| one.at + 1);
        batch.read_to(end as u64);
        if batch.is_full() {
            under_way.hand(std::mem::replace(&mut batch, begun(end)))?;
        }
    }
    under_way.hand(batch)?;
    under_way.all()?;
    Ok(Answered { records: found.len() as u64, counts: puller.pulled.counts, before })
}
