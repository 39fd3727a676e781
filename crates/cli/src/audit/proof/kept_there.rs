//! What a log store has of how a history was, asked in place.

use super::anchors::Anchors;
use super::args::Verify;
use crate::audit::stop;
use crate::audit::times::told;
use crate::end::Stop;
use sallyport_audit::ANCHOR_KIND;
use sallyport_engine::{Ask, Engine, EngineError, Kind, Pulled, Target, Text, Wanted};
use sallyport_model::Digest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How much of a stretch of time is read. What many may write to, somebody may fill with what looks like an anchor: that ends
/// the reading of one stretch, and of no other.
#[derive(Clone, Copy)]
struct Bounds {
    /// Records of one answer.
    page: usize,
    /// Records of one stretch: an anchor for each five minutes of work is 8,000.
    records: usize,
    /// Bytes of one stretch.
    bytes: usize,
    /// Records of one moment: more than that no store gives at once.
    moment: usize,
    /// For one stretch.
    within: Duration,
}

const BOUNDS: Bounds =
    Bounds { page: 1000, records: 50_000, bytes: 256 << 20, moment: 5000, within: Duration::from_secs(120) };

/// How much time one stretch is, in nanoseconds: Loki refuses questions about more than 30 days.
const WINDOW: i64 = 28 * 86_400_000_000_000;
/// How far ahead of ours the clock of whoever made them may be.
const AHEAD: i64 = 86_400_000_000_000;

/// Asks for the anchors of these keys, the newest first. With none it asks for nothing: there is nothing to tell one
/// history's from another's.
pub(super) fn ask(
    anchors: &mut Anchors,
    target: &Target,
    args: &Verify,
    keys: &BTreeSet<Digest>,
) -> Result<(), Stop> {
    let filter = match target.kind() {
        Kind::VictoriaLogs => r#"source:="sallyport""#,
        Kind::Loki => r#"{source="sallyport"}"#,
        Kind::Otlp => {
            return Err(Stop::new(
                "--anchors-from: nothing can be asked of OTLP. Name the store behind the collector, or what it wrote with \
                 --anchors",
            ));
        }
    };
    if keys.is_empty() {
        return Ok(());
    }
    let engine = args.store.engine(target)?;
    let wanted = Wanted {
        filter: Some(filter.to_owned()),
        words: keys.iter().map(ToString::to_string).collect(),
        also: vec![vec![ANCHOR_KIND.to_owned()]],
        ..Wanted::default()
    };
    let now = jiff::Timestamp::now();
    let from = args.since.at(now).saturating_mul(1000).max(0);
    let now = now.as_microsecond().saturating_mul(1000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(stop)?;
    let place = engine.target().to_string();
    let mut reading = Reading { anchors, store: &engine, place, wanted: &wanted, bounds: BOUNDS };
    runtime.block_on(reading.all(from, now.saturating_add(AHEAD)))
}

/// Where records are.
trait Records {
    fn page(&self, ask: &Ask<'_>) -> impl Future<Output = Result<Vec<Pulled>, EngineError>>;
}

impl Records for Engine {
    async fn page(&self, ask: &Ask<'_>) -> Result<Vec<Pulled>, EngineError> {
        self.page(ask).await
    }
}

struct Reading<'a, S> {
    anchors: &'a mut Anchors,
    store: &'a S,
    place: String,
    wanted: &'a Wanted,
    bounds: Bounds,
}

impl<S: Records> Reading<'_, S> {
    async fn all(&mut self, from: i64, mut end: i64) -> Result<(), Stop> {
        while end > from {
            let begin = end.saturating_sub(WINDOW).max(from);
            if let Some(upto) = self.stretch(begin, end).await? {
                let (begin, upto) = (told(begin / 1000), told(upto / 1000));
                self.anchors.unread.push(format!(
                    "{} has more between {begin} and {upto} that looks like an anchor of these keys than is read, and that \
                     stretch was not looked at",
                    self.place
                ));
            }
            end = begin;
        }
        Ok(())
    }

    /// Reads a stretch of time, the newest first. The moment before which it was not read, where that would be too much.
    async fn stretch(&mut self, begin: i64, end: i64) -> Result<Option<i64>, Stop> {
        let until = Instant::now() + self.bounds.within;
        let (mut to, mut most, mut read, mut bytes) = (end, self.bounds.page, 0, 0);
        while to > begin {
            if read >= self.bounds.records || bytes >= self.bounds.bytes {
                return Ok(Some(to));
            }
            let ask = Ask { from: begin, to, most, newest: true, wanted: self.wanted };
            let page = match timeout_at(until, self.store.page(&ask)).await {
                Ok(Ok(page)) => page,
                // Of fewer an answer may be short enough.
                Ok(Err(EngineError::TooLarge { .. })) if most > 1 => {
                    most = (most / 4).max(1);
                    continue;
                }
                Ok(Err(EngineError::TooLarge { .. })) | Err(_) => return Ok(Some(to)),
                Ok(Err(error)) => return Err(stop(error)),
            };
            read += page.len();
            bytes += self.take(&page);
            let Some(last) = page.last().filter(|_| page.len() >= most) else { break };
            let after = last.at.saturating_add(1);
            // Those of the same moment once more, unless the page has no others.
            to = if after < to { after } else { self.moment(last.at, until).await? };
        }
        Ok(None)
    }

    /// Reads all of one moment, of which there is more than a page: it is before that moment that it goes on.
    async fn moment(&mut self, at: i64, until: Instant) -> Result<i64, Stop> {
        let most = self.bounds.moment;
        let ask = Ask { from: at, to: at.saturating_add(1), most, newest: true, wanted: self.wanted };
        let is_whole = match timeout_at(until, self.store.page(&ask)).await {
            Ok(Ok(page)) => {
                self.take(&page);
                page.len() < most
            }
            Ok(Err(EngineError::TooLarge { .. })) | Err(_) => false,
            Ok(Err(error)) => return Err(stop(error)),
        };
        if !is_whole {
            let at = told(at / 1000);
            self.anchors.unread.push(format!(
                "{} has more of one moment, {at}, that looks like an anchor of these keys than is read, and not all of it \
                 was looked at",
                self.place
            ));
        }
        Ok(at)
    }

    /// How many bytes it was.
    fn take(&mut self, page: &[Pulled]) -> usize {
        for record in page {
            match &record.text {
                Text::Whole(line) => match serde_json::from_str::<Value>(line) {
                    Ok(value) => self.anchors.vouched(&value, &self.place),
                    Err(_) => self.anchors.other += 1,
                },
                Text::TooLong => self.anchors.other += 1,
            }
        }
        page.iter().map(|record| record.text.bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::{Checkpoint, SealKey};
    use std::cell::RefCell;

    const DAY: i64 = 86_400_000_000_000;
    const SMALL: Bounds =
        Bounds { page: 10, records: 100, bytes: 1 << 20, moment: 50, within: Duration::from_secs(60) };

    /// Records by their moment, the oldest first.
    struct Fake {
        all: Vec<Pulled>,
        /// An answer of more is too large.
        most: usize,
        asked: RefCell<usize>,
    }

    impl Records for Fake {
        async fn page(&self, ask: &Ask<'_>) -> Result<Vec<Pulled>, EngineError> {
            *self.asked.borrow_mut() += 1;
            let there = self.all.iter().rev().filter(|one| one.at >= ask.from && one.at < ask.to);
            let page: Vec<Pulled> = there.take(ask.most).cloned().collect();
            match page.len() > self.most {
                true => Err(EngineError::TooLarge { host: "logs".to_owned(), most: 1 }),
                false => Ok(page),
            }
        }
    }

    fn genuine(last: u64) -> String {
        let (origin, root) = (Digest::of(b"o"), Digest::of(b"r"));
        Checkpoint::sign(&SealKey::new([3; 32]), origin, (1, last), root, 1_000, None).handed_on()
    }

    /// Another each time, under the same key.
    fn forged(number: i64) -> String {
        let genuine = genuine(5);
        let forged = genuine.replace("\\\"time\\\":1000", &format!("\\\"time\\\":{number}"));
        assert!(forged != genuine || number == 1000);
        forged
    }

    fn at(at: i64, text: String) -> Pulled {
        Pulled { at, cluster: None, text: Text::Whole(text) }
    }

    async fn read(mut all: Vec<Pulled>, most: usize) -> (Anchors, usize) {
        all.sort_by_key(|one| one.at);
        let (mut anchors, store) = (Anchors::default(), Fake { all, most, asked: RefCell::default() });
        let wanted = Wanted::default();
        let mut reading = Reading {
            anchors: &mut anchors,
            store: &store,
            place: "logs".to_owned(),
            wanted: &wanted,
            bounds: SMALL,
        };
        reading.all(0, 100 * DAY).await.unwrap();
        (anchors, store.asked.into_inner())
    }

    fn sequences(anchors: &Anchors) -> Vec<u64> {
        anchors.noted.iter().map(|noted| noted.anchor.sequence).collect()
    }

    #[tokio::test]
    async fn p18_what_is_made_up_does_not_end_the_look_for_what_was_signed() {
        let flood = |from: i64, many: i64| (0..many).map(move |n| at(from + n, forged(from + n)));
        // All of it is read, and counted.
        let all = flood(90 * DAY, 60).chain([at(10 * DAY, genuine(5)), at(95 * DAY, genuine(9))]);
        let (anchors, _) = read(all.collect(), 1000).await;
        assert_eq!((sequences(&anchors), anchors.forged.count), (vec![9, 5], 60));
        assert!(anchors.unread.is_empty(), "{:?}", anchors.unread);
        // More than is read of a stretch: the others are read, and that is said.
        let all = flood(90 * DAY, 500).chain([at(10 * DAY, genuine(5)), at(95 * DAY, genuine(9))]);
        let (anchors, asked) = read(all.collect(), 1000).await;
        assert_eq!(sequences(&anchors), [9, 5]);
        assert!(anchors.forged.count >= 90 && asked < 30, "{} {asked}", anchors.forged.count);
        assert_eq!(anchors.unread.len(), 1, "{:?}", anchors.unread);
        assert!(anchors.unread[0].contains("logs has more between 1970-"), "{:?}", anchors.unread);
    }

    #[tokio::test]
    async fn p18_a_crowd_of_one_moment_hides_nothing() {
        let moment = 50 * DAY;
        let crowd = |many: i64| (0..many).map(move |n| at(moment, forged(n)));
        let all = [at(moment, genuine(5))].into_iter().chain(crowd(40)).chain([at(moment - 1, genuine(4))]);
        let (anchors, _) = read(all.collect(), 1000).await;
        let mut found = sequences(&anchors);
        found.sort_unstable();
        assert_eq!((found, anchors.forged.count, anchors.unread.len()), (vec![4, 5], 40, 0));
        // One that is larger than a store gives is said, and what was before it is read.
        let all = [at(moment, genuine(5))].into_iter().chain(crowd(90)).chain([at(moment - 1, genuine(4))]);
        let (anchors, _) = read(all.collect(), 1000).await;
        assert!(sequences(&anchors).contains(&4), "{:?}", anchors.noted);
        assert!(
            anchors.unread.len() == 1 && anchors.unread[0].contains("one moment"),
            "{:?}",
            anchors.unread
        );
    }

    #[tokio::test]
    async fn answers_that_are_too_large_are_asked_for_in_parts() {
        let all = (0..30).map(|n| at(40 * DAY + n, forged(n))).chain([at(30 * DAY, genuine(5))]);
        let (anchors, _) = read(all.collect(), 3).await;
        assert_eq!((sequences(&anchors), anchors.forged.count), (vec![5], 30));
        assert!(anchors.unread.is_empty(), "{:?}", anchors.unread);
        // Not even one: nothing of it is known, and that is said.
        let (anchors, _) = read(vec![at(40 * DAY, genuine(5)), at(90 * DAY, forged(1))], 0).await;
        assert!(anchors.noted.is_empty() && anchors.unread.len() == 2, "{:?}", anchors.unread);
    }
}
