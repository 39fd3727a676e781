//! What is missing of clusters' logs, as entries of the history (P19): once for each gap, and no more than a few of a cluster in
//! an hour, with one more that counts the others.
//!
//! A log store that can't be asked for a time is no gap: nothing of it is kept here, and each answer says what it lacks.

mod hourly;

pub(crate) use hourly::Hourly;

use super::Evidence;
use crate::desk::AppError;
use hourly::Held;
use sallyport_audit::{Action, Draft, Entry, Outcome};
use sallyport_model::{ClusterName, clip, visible};
use sallyport_store::Filter as Entries;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

/// Entries of gaps that are looked through for the same.
const LOOKED: usize = 1000;
/// Paths that are remembered of those where nothing is any more, and of all where not each was looked at.
const GONE: usize = 10_000;
const UNSEEN: usize = 200_000;
/// What of a path or a reason an entry holds.
const TEXT_MOST: usize = 500;

/// Where a path of a source led the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, as the archive calls it: by how it begins.
    pub(super) identity: String,
    /// Up to which byte it was read.
    pub(super) to: u64,
    /// When, in microseconds.
    pub(super) at: i64,
}

/// Where each path of a source led, in this run.
pub(super) type Places = HashMap<PathBuf, Place>;

/// Goes on from a reading. Of the paths where nothing is any more those are remembered that were there last: whoever may
/// write to a folder can have a new one at each look.
pub(super) fn go_on(places: &mut Places, files: Vec<(PathBuf, Place)>, is_whole: bool) {
    let here: HashSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    places.extend(files);
    // What was not come to is there all the same.
    let most = if is_whole { here.len() + GONE } else { UNSEEN.max(here.len()) };
    let too_many = places.len().saturating_sub(most);
    if too_many == 0 {
        return;
    }
    let gone = places.iter().filter(|(path, _)| !here.contains(*path));
    let mut gone: Vec<(i64, PathBuf)> = gone.map(|(path, place)| (place.at, path.clone())).collect();
    gone.sort();
    for (_, path) in gone.into_iter().take(too_many) {
        places.remove(&path);
    }
}

/// What one reading of a source found.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Files of which something was kept before, by what the archive calls them.
    pub(super) before: HashSet<String>,
    /// The newest moment of the cluster that was kept before.
    pub(super) newest: Option<i64>,
    /// Each file there is now.
    pub(super) files: Vec<(PathBuf, Place)>,
    /// Files of which something new was read that break off, and why.
    pub(super) broken: Vec<(PathBuf, Place, String)>,
    /// Something new was kept.
    pub(super) is_new: bool,
    /// Every file that is there was looked at.
    pub(super) is_whole: bool,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// By which it is known again.
    key: String,
    /// Up to which byte its file was read: it is the same gap again where that is more.
    byte: Option<u64>,
    /// Why, in words.
    why: String,
    /// After which moment, in microseconds, where that is known.
    from: Option<i64>,
}

impl Gap {
    /// What is wrong with the archive itself.
    pub(super) fn of_archive(what: &str) -> Self {
        let what = clip(&visible(what), TEXT_MOST);
        Self {
            key: format!("archive:{what}"),
            byte: None,
            why: format!("of the archive on this desktop: {what}"),
            from: None,
        }
    }

    /// As an entry has it.
    fn known_by(&self) -> String {
        match self.byte {
            Some(byte) => format!("{}:{byte}", self.key),
            None => self.key.clone(),
        }
    }
}

/// The gaps that are entries already.
#[derive(Default)]
struct Noted {
    all: HashSet<String>,
    /// Of those in a file, the byte up to which the last was.
    bytes: HashMap<String, u64>,
}

impl Noted {
    fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut noted = Self::default();
        for key in entries.filter_map(|entry| entry.detail.text("gap")) {
            if let Some((file, byte)) = key.rsplit_once(':')
                && let Ok(byte) = byte.parse::<u64>()
            {
                let last = noted.bytes.entry(file.to_owned()).or_default();
                *last = byte.max(*last);
            }
            noted.all.insert(key.to_owned());
        }
        noted
    }

    /// A file that grows and breaks off anew at each look is told of at each doubling, and counted in between.
    fn weigh(&self, gap: &Gap) -> Weight {
        let is_noted = self.all.contains(&gap.known_by());
        match (gap.byte, gap.byte.and_then(|_| self.bytes.get(&gap.key))) {
            // What is damaged in the archive is found whenever that is opened.
            (None, _) if is_noted => Weight::Known,
            // What is found of files is found as it happens: at the same place it happened once more.
            (Some(byte), Some(last)) if is_noted || byte < last.saturating_mul(2) => Weight::Again,
            _ => Weight::New,
        }
    }
}

/// What a gap is beside those that are entries already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Another one, or one that has become twice as large.
    New,
    /// The same once more.
    Again,
    /// The very one.
    Known,
}

/// Which file it is, however often it was read from its beginning: one of which all kept calls went for their age is, and
/// is called by its digest, too, from then on ([0032](../../../../docs/adr/0032-a-log-file-is-known-by-how-it-begins.md)).
fn file(identity: &str) -> &str {
    const DIGEST: usize = 32;
    let mut file = identity;
    while let Some((before, digest)) = file.rsplit_once('-')
        && digest.len() == DIGEST
    {
        file = before;
    }
    file
}

/// What a reading shows to be missing. `places` are those of the reading before it.
pub(super) fn missing(source: &str, places: &Places, reading: &Reading) -> Vec<Gap> {
    let named = |path: &Path| clip(&visible(&path.display().to_string()), TEXT_MOST);
    let here: HashSet<&str> = reading.files.iter().map(|(_, place)| file(&place.identity)).collect();
    let broken = reading.broken.iter().map(|(path, place, why)| Gap {
        key: format!("{source}:{}:broken", place.identity),
        byte: Some(place.to),
        why: format!(
            "{} breaks off after byte {}: {}",
            named(path),
            place.to,
            clip(&visible(why), TEXT_MOST)
        ),
        from: reading.newest,
    });
    // Another file stands where one was written to, and that one is nowhere: what came between the two looks is lost.
    // One that was there before and moved on, as numbered ones do, says nothing of the oldest that went: it was read. A
    // reading that is not whole says nothing of what it did not come to.
    let known: HashSet<&str> = places.values().map(|place| file(&place.identity)).collect();
    let rotated = reading.files.iter().filter_map(|(path, now)| {
        let then = places.get(path).filter(|_| reading.is_whole && !known.contains(file(&now.identity)))?;
        (!here.contains(file(&then.identity))).then(|| Gap {
            key: format!("{source}:{}:rotated", then.identity),
            byte: Some(then.to),
            why: format!(
                "{} was rotated or written anew after byte {}, and what was put aside is not among what is read: name \
                 the folder that has both",
                named(path),
                then.to
            ),
            from: Some(then.at),
        })
    });
    let mut gaps: Vec<Gap> = broken.chain(rotated).collect();
    gaps.sort_by_key(Gap::known_by);
    // Of all that was read in an earlier run nothing is left to go on from.
    let is_known = reading.before.iter().any(|identity| here.contains(file(identity)));
    let (true, false, true, true, [(_, first), ..]) = (
        gaps.is_empty(),
        is_known,
        reading.is_whole && reading.is_new,
        !reading.before.is_empty(),
        &reading.files[..],
    ) else {
        return gaps;
    };
    gaps.push(Gap {
        key: format!("{source}:{}:anew", first.identity),
        byte: None,
        why: "none of the log files that were read before is there any more: what was written until the oldest of those \
              that are there begins was not read"
            .to_owned(),
        from: reading.newest,
    });
    gaps
}

fn draft(source: &str, cluster: Option<&ClusterName>, why: &str, (from, to): (i64, i64)) -> Draft {
    let draft = Draft::new(Action::Gap).outcome(Outcome::Unknown).detail("source", source).detail("why", why);
    let draft = draft.detail("from", from.min(to)).detail("to", to);
    match cluster {
        Some(cluster) => draft.cluster(cluster),
        None => draft,
    }
}

/// What counts those that became no entry.
fn counted(cluster: Option<&ClusterName>, held: &Held) -> Draft {
    let Held { source, count, first, from, to } = held;
    let why = match count {
        1 => format!("once more within an hour something was found to be missing: {first}"),
        count => {
            format!("{count} times more within an hour something was found to be missing, first: {first}")
        }
    };
    draft(source, cluster, &why, (*from, *to))
}

impl Evidence {
    fn hourly(&self) -> MutexGuard<'_, Hourly> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is missing, each once: also what an earlier run noted is not noted again. What is too much for entries of
    /// their own is counted in one when its hour is over, or the app ends.
    pub(super) async fn note_gaps(&self, source: &str, cluster: Option<&ClusterName>, gaps: Vec<Gap>) {
        let at = Instant::now();
        let over = self.hourly().over(at);
        self.note_counted(over).await;
        if gaps.is_empty() {
            return;
        }
        let noted = match self.noted_gaps().await {
            Ok(noted) => noted,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "which gaps are noted can't be read: they are noted once more");
                Noted::default()
            }
        };
        let now = jiff::Timestamp::now().as_microsecond();
        let from = |gap: &Gap| gap.from.unwrap_or(now).min(now);
        let (mut new, mut again) = (Vec::new(), Vec::new());
        for gap in gaps {
            match noted.weigh(&gap) {
                Weight::New => new.push(gap),
                Weight::Again => again.push(gap),
                Weight::Known => {}
            }
        }
        let drafts: Vec<Draft> = {
            let mut hourly = self.hourly();
            let beyond = new.split_off(hourly.take(cluster, new.len(), at));
            let more = beyond.len();
            // Those of one reading are told of together.
            let is_told = match new.last_mut() {
                Some(last) if more > 0 => {
                    last.why = format!("{}; and {more} more like it", last.why);
                    true
                }
                _ => false,
            };
            let held = again.into_iter().chain(beyond.into_iter().filter(|_| !is_told));
            for gap in held {
                let (source, from) = (source.to_owned(), from(&gap));
                hourly.hold(cluster, Held { source, count: 1, first: gap.why, from, to: now }, at);
            }
            if let Some(last) = new.last_mut().filter(|_| hourly.is_full(cluster, at)) {
                last.why = format!(
                    "{}. What else is found to be missing within an hour is counted, in one entry after it or as \
                     Sallyport ends",
                    last.why
                );
            }
            let of =
                |gap: &Gap| draft(source, cluster, &gap.why, (from(gap), now)).detail("gap", gap.known_by());
            new.iter().map(of).collect()
        };
        for draft in drafts {
            self.history.note(draft).await;
        }
    }

    /// Notes what was counted so far: the app ends.
    pub(super) async fn note_all_counted(&self) {
        let all = self.hourly().all();
        self.note_counted(all).await;
    }

    async fn note_counted(&self, held: Vec<(Option<ClusterName>, Held)>) {
        for (cluster, held) in held {
            self.history.note(counted(cluster.as_ref(), &held)).await;
        }
    }

    async fn noted_gaps(&self) -> Result<Noted, AppError> {
        let gaps = Entries { actions: vec![Action::Gap], ..Entries::default() };
        let page = self.history.entries(gaps, None, LOOKED).await?;
        Ok(Noted::of(page.entries.iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(identity: &str, to: u64) -> Place {
        Place { identity: identity.to_owned(), to, at: 7 }
    }

    fn read(files: &[(&str, &str)], before: &[&str]) -> Reading {
        Reading {
            before: before.iter().map(|one| (*one).to_owned()).collect(),
            newest: Some(5),
            files: files.iter().map(|(path, identity)| (PathBuf::from(path), at(identity, 100))).collect(),
            broken: Vec::new(),
            is_new: true,
            is_whole: true,
        }
    }

    fn places(of: &[(&str, &str)]) -> Places {
        of.iter().map(|(path, identity)| (PathBuf::from(path), at(identity, 60))).collect()
    }

    #[test]
    fn a_rotation_that_is_followed_is_no_gap_and_one_that_was_missed_is() {
        let was = places(&[("/l/audit.log", "one")]);
        assert_eq!(missing("s", &was, &read(&[("/l/audit.log", "one")], &["one"])), []);
        let moved = read(&[("/l/audit.log", "two"), ("/l/audit-1.log", "one")], &["one"]);
        assert_eq!(missing("s", &was, &moved), []);
        let gaps = missing("s", &was, &read(&[("/l/audit.log", "two")], &["one"]));
        assert_eq!(gaps.len(), 1, "not twice, though nothing is left that was read before");
        assert_eq!((gaps[0].known_by().as_str(), gaps[0].from), ("s:one:rotated:60", Some(7)));
        assert!(gaps[0].why.contains("after byte 60"), "{}", gaps[0].why);
        // What a rotation threw away, as it does one day, was read to its end.
        let pruned = read(&[("/l/audit.log", "two")], &["one", "two"]);
        assert_eq!(missing("s", &places(&[("/l/audit.log", "two"), ("/l/audit-1.log", "one")]), &pruned), []);
    }

    #[test]
    fn numbered_files_move_on_and_what_a_reading_did_not_come_to_is_not_said_to_be_gone() {
        let was = places(&[("/l/a.log", "three"), ("/l/a.log.1", "two"), ("/l/a.log.2", "one")]);
        let moved = [("/l/a.log", "four"), ("/l/a.log.1", "three"), ("/l/a.log.2", "two")];
        let before = ["one", "two", "three"];
        assert_eq!(missing("s", &was, &read(&moved, &before)), [], "the oldest went, which was read");
        // Twice since the last look, of which the one between was never seen: what was written to goes on elsewhere.
        let twice = [("/l/a.log", "five"), ("/l/a.log.1", "four"), ("/l/a.log.2", "two")];
        assert_eq!(missing("s", &was, &read(&twice, &before)).len(), 1);
        let stopped = Reading { is_whole: false, ..read(&[("/l/a.log", "four")], &before) };
        assert_eq!(missing("s", &was, &stopped), []);
    }

    #[test]
    fn after_a_restart_a_source_of_which_nothing_known_is_left_has_a_gap() {
        let none = Places::new();
        let gaps = missing("s", &none, &read(&[("/l/audit.log", "nine")], &["one", "two"]));
        assert_eq!((gaps.len(), gaps[0].from), (1, Some(5)));
        assert_eq!(missing("s", &none, &read(&[("/l/audit.log", "nine")], &[])), [], "the first reading");
        let goes_on = read(&[("/l/audit.log", "nine"), ("/l/audit-8.log", "two")], &["one", "two"]);
        assert_eq!(missing("s", &none, &goes_on), []);
        // One that could not be opened may be the one that goes on.
        let part = Reading { is_whole: false, ..read(&[("/l/audit.log", "nine")], &["one"]) };
        assert_eq!(missing("s", &none, &part), []);
        let nothing = Reading { is_new: false, ..read(&[("/l/audit.log", "nine")], &["one"]) };
        assert_eq!(missing("s", &none, &nothing), []);
        assert_eq!(missing("s", &none, &read(&[], &["one"])), []);
    }

    #[test]
    fn a_file_that_is_read_once_more_for_what_was_removed_is_the_same_file() {
        let digest = "0123456789abcdef".repeat(2);
        assert_eq!(
            (file("one"), file("one-1"), file(&format!("one-1-{digest}-{digest}"))),
            ("one", "one-1", "one-1")
        );
        let again = format!("one-{digest}");
        let reading = read(&[("/l/audit.log", &again)], &["one"]);
        assert_eq!(missing("s", &places(&[("/l/audit.log", "one")]), &reading), []);
        assert_eq!(missing("s", &Places::new(), &reading), []);
        // One that begins alike and is another is one.
        let other = read(&[("/l/audit.log", "one-1")], &["one"]);
        assert_eq!(missing("s", &places(&[("/l/audit.log", "one")]), &other).len(), 1);
    }

    #[test]
    fn what_breaks_off_is_a_gap_in_words_that_can_be_seen() {
        let mut reading = read(&[("/l/a.gz", "one")], &[]);
        reading.broken.push((PathBuf::from("/l/\u{202e}a.gz"), at("one", 9), "x".repeat(10_000)));
        let gaps = missing("s", &Places::new(), &reading);
        assert_eq!(gaps[0].known_by(), "s:one:broken:9");
        assert!(!gaps[0].why.contains('\u{202e}') && gaps[0].why.len() < 3 * TEXT_MOST);
    }

    #[test]
    fn a_file_that_breaks_off_anew_as_it_grows_is_told_of_at_each_doubling() {
        let broken =
            |byte| Gap { key: "s:one:broken".to_owned(), byte: Some(byte), why: String::new(), from: None };
        let entry = |key: &str| Draft::new(Action::Gap).detail("gap", key).place(1, 0);
        let noted =
            Noted::of([entry("s:one:broken:100"), entry("s:one:broken:9"), entry("archive:x")].iter());
        for (byte, is) in
            [(9, Weight::Again), (100, Weight::Again), (101, Weight::Again), (199, Weight::Again)]
        {
            assert_eq!(noted.weigh(&broken(byte)), is, "{byte}");
        }
        assert_eq!(noted.weigh(&broken(200)), Weight::New);
        assert_eq!(noted.weigh(&Gap { key: "s:two:broken".to_owned(), ..broken(1) }), Weight::New);
        assert_eq!(noted.weigh(&Gap::of_archive("x")), Weight::Known);
        assert_eq!(noted.weigh(&Gap::of_archive("y")), Weight::New);
        let none = Noted::of([entry("s:one:broken:0")].iter());
        assert_eq!(none.weigh(&broken(0)), Weight::Again);
    }

    #[test]
    fn a_folder_with_new_names_at_each_look_is_not_remembered_without_end() {
        let mut places = places(&[("/l/audit.log", "one")]);
        for look in 0..12_i64 {
            let file = |n: i64| {
                let place = Place { at: look, ..at("x", 1) };
                (PathBuf::from(format!("/l/{look}-{n}.log")), place)
            };
            let files = (0..1000).map(file).chain([(PathBuf::from("/l/audit.log"), at("one", 60))]);
            go_on(&mut places, files.collect(), true);
        }
        assert_eq!(places.len(), 1001 + GONE);
        let has = |path: &str| places.contains_key(Path::new(path));
        assert!(has("/l/audit.log") && has("/l/11-0.log") && has("/l/1-999.log") && !has("/l/0-0.log"));
        let mut few = super::tests::places(&[("/l/a.log", "one"), ("/l/b.log", "two")]);
        go_on(&mut few, vec![(PathBuf::from("/l/a.log"), at("one", 70))], false);
        assert_eq!(few.len(), 2, "what was not come to");
    }
}
