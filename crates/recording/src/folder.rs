//! All recordings of a data directory: `<session>/<terminal>/`, each with its index and its segments.

use crate::About;
use crate::cast::{Cast, CastError, Moment, Screen, parse};
use crate::index::{Index, IndexError, Part};
use crate::recorder::Recorder;
use crate::segment::{self, Found, Key, file_name};
use crate::told::{Bounds, RecordingError, Told};
use sallyport_model::is_plain_id;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Most recordings that are looked at.
const MOST: usize = 100_000;
/// How many segments without a line in the index are looked for.
const LEFT_MOST: u32 = 10_000;

/// How long and how much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What ended longer ago is removed.
    pub age: Duration,
    /// The oldest are removed until all of them take no more on the disk, bytes.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { age: Duration::from_secs(90 * 24 * 3600), bytes: 4 << 30 }
    }
}

/// A recording that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Of which session.
    pub session: String,
    /// Of which terminal.
    pub terminal: String,
    /// How much it took on the disk, bytes.
    pub bytes: u64,
}

/// A recording that a process left behind, closed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What it is of.
    pub about: About,
    /// The segments that were not in its index. None of what is not sealed where there is a key.
    pub parts: Vec<Part>,
    /// The last moment that is there, Unix milliseconds.
    pub ends_ms: i64,
    /// Why a segment of it can't be read, where that is so.
    pub damaged: Option<String>,
}

/// A segment, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// What it holds.
    Read {
        /// The size it begins with.
        screen: Screen,
        /// When it began, Unix milliseconds.
        begins_ms: i64,
        /// What happened.
        moments: Vec<Moment>,
        /// It is what its index says, or it is still written.
        whole: bool,
    },
    /// There is no such segment.
    Missing,
    /// It is sealed with a key that is not there, or was changed.
    Unreadable,
}

/// The recordings of a data directory.
#[derive(Clone, Debug)]
pub struct Recordings {
    dir: PathBuf,
    key: Option<Key>,
    bounds: Bounds,
}

impl Recordings {
    /// Those in a folder, which is made with the first. New ones are sealed where there is a key.
    pub fn new(dir: PathBuf, key: Option<Key>, bounds: Bounds) -> Self {
        Self { dir, key, bounds }
    }

    /// Begins one. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`RecordingError`]: nothing is begun.
    pub fn begin(
        &self,
        about: About,
        screen: Screen,
    ) -> Result<(Recorder, mpsc::UnboundedReceiver<Told>), RecordingError> {
        let Some(dir) = self.place(&about.session, &about.terminal) else {
            let source = io::Error::new(ErrorKind::InvalidInput, "a session or a terminal has no proper id");
            return Err(RecordingError { dir: self.dir.clone(), source });
        };
        Recorder::begin(&dir, about, self.key.clone(), screen, self.bounds)
    }

    /// The folder of one. What is no id of ours leads nowhere.
    fn place(&self, session: &str, terminal: &str) -> Option<PathBuf> {
        (is_plain_id(session) && is_plain_id(terminal)).then(|| self.dir.join(session).join(terminal))
    }

    /// One's index; `None` where there is no such recording.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn index(&self, session: &str, terminal: &str) -> Result<Option<Index>, IndexError> {
        let Some(dir) = self.place(session, terminal) else { return Ok(None) };
        match Index::read(&dir) {
            Err(IndexError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Ok(index) if index.about.session != session || index.about.terminal != terminal => {
                Err(IndexError::Damaged("it is another recording's".to_owned()))
            }
            read => read.map(Some),
        }
    }

    /// Those of a session, with the terminal's id; the first begun first. What can't be read stands last.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn of(&self, session: &str) -> io::Result<Vec<(String, Result<Index, IndexError>)>> {
        let Some(place) = self.place(session, "x") else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for terminal in names(place.parent().unwrap_or(&place))? {
            match self.index(session, &terminal) {
                Ok(Some(index)) => found.push((terminal, Ok(index))),
                Ok(None) => {}
                Err(error) => found.push((terminal, Err(error))),
            }
        }
        found.sort_by_key(|(_, index)| index.as_ref().map_or(i64::MAX, |index| index.begins_ms));
        Ok(found)
    }

    /// All sessions that something is kept of.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn sessions(&self) -> io::Result<Vec<String>> {
        names(&self.dir)
    }

    /// One segment of a recording, by its number from 1.
    ///
    /// # Errors
    /// When it could not be read, or is no asciicast.
    pub fn page(&self, index: &Index, number: u32) -> io::Result<Page> {
        let Some(dir) = self.place(&index.about.session, &index.about.terminal) else {
            return Ok(Page::Missing);
        };
        let path = dir.join(file_name(number, index.sealed));
        let found = segment::read(&path, self.key.as_ref(), index.sealed, &index.place(number))?;
        let text = match found {
            Found::Text { text } => text,
            Found::Missing => return Ok(Page::Missing),
            Found::Unreadable => return Ok(Page::Unreadable),
        };
        let part = number.checked_sub(1).and_then(|at| index.parts.get(usize::try_from(at).ok()?));
        let whole = match part {
            Some(part) => segment::sha256(&text) == part.sha256,
            // The last frame may be under way.
            None => true,
        };
        // What is not sealed and not what it was says nothing about what was on screen.
        if !whole && (!index.sealed || text.is_empty()) {
            return Ok(Page::Unreadable);
        }
        match parse(&text) {
            Ok(Cast { screen, begins_ms, moments }) => {
                let begins_ms = part.map_or(begins_ms, |part| part.begins_ms);
                Ok(Page::Read { screen, begins_ms, moments, whole })
            }
            Err(CastError::Header | CastError::Event(_)) => Ok(Page::Unreadable),
        }
    }

    /// The text of a segment, asciicast v2, as far as it is whole; whether it is what its index says is for whoever asks. `None`
    /// where there is none, or it can't be read.
    ///
    /// # Errors
    /// What the disk said.
    pub fn text(&self, index: &Index, number: u32) -> io::Result<Option<Vec<u8>>> {
        let Some(dir) = self.place(&index.about.session, &index.about.terminal) else { return Ok(None) };
        let path = dir.join(file_name(number, index.sealed));
        match segment::read(&path, self.key.as_ref(), index.sealed, &index.place(number))? {
            Found::Text { text } => Ok(Some(text)),
            Found::Missing | Found::Unreadable => Ok(None),
        }
    }

    /// Closes what a process that was killed left open. To be called while nobody records.
    pub fn close_left(&self) -> Vec<Left> {
        let mut left = Vec::new();
        for session in self.sessions().unwrap_or_default() {
            let all = self.of(&session).unwrap_or_default();
            for index in all.into_iter().filter_map(|(_, index)| index.ok()) {
                if index.ends_ms.is_none() {
                    left.push(self.close_one(index));
                }
            }
        }
        left
    }

    fn close_one(&self, mut index: Index) -> Left {
        let mut parts = Vec::new();
        let mut damaged = None;
        // Whoever has no key can put a folder here and say that it was not sealed: nothing in it is vouched for.
        let is_vouched_for = index.sealed || self.key.is_none();
        if !is_vouched_for {
            damaged = Some("it is not sealed, though recordings are by now".to_owned());
        }
        let first = index.next();
        for number in (first..first.saturating_add(LEFT_MOST)).take_while(|_| is_vouched_for) {
            match self.page(&index, number) {
                Ok(Page::Read { .. }) => match self.part_of(&index, number) {
                    Ok(Some(part)) => {
                        index.parts.push(part.clone());
                        parts.push(part);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        damaged = Some(error.to_string());
                        break;
                    }
                },
                Ok(Page::Missing) => break,
                Ok(Page::Unreadable) => {
                    damaged = Some(format!("segment {number} can't be read"));
                    break;
                }
                Err(error) => {
                    damaged = Some(format!("segment {number}: {error}"));
                    break;
                }
            }
        }
        let ends_ms = index.parts.last().map_or(index.begins_ms, |part| part.ends_ms);
        index.ends_ms = Some(ends_ms);
        index.cut_off = true;
        if let Some(dir) = self.place(&index.about.session, &index.about.terminal)
            && let Err(error) = index.write(&dir)
        {
            tracing::warn!(%error, "the index of a recording that was cut off could not be closed");
        }
        Left { about: index.about, parts, ends_ms, damaged }
    }

    /// The line of the index for a segment that has none.
    fn part_of(&self, index: &Index, number: u32) -> io::Result<Option<Part>> {
        let Some(dir) = self.place(&index.about.session, &index.about.terminal) else { return Ok(None) };
        let path = dir.join(file_name(number, index.sealed));
        let found = segment::read(&path, self.key.as_ref(), index.sealed, &index.place(number))?;
        let Found::Text { text } = found else { return Ok(None) };
        let Ok(Cast { screen, begins_ms, moments }) = parse(&text) else { return Ok(None) };
        let before = index.parts.last().map_or(index.begins_ms, |part| part.ends_ms);
        let begins_ms = begins_ms.max(before);
        let last = moments.last().map_or(0, |moment| moment.at_us / 1000);
        Ok(Some(Part {
            number,
            begins_ms,
            ends_ms: begins_ms.saturating_add(i64::try_from(last).unwrap_or(i64::MAX)),
            bytes: text.len() as u64,
            sha256: segment::sha256(&text),
            columns: screen.columns,
            rows: screen.rows,
        }))
    }

    /// Removes a recording.
    ///
    /// # Errors
    /// When it could not be removed.
    pub fn remove(&self, session: &str, terminal: &str) -> io::Result<Option<Removed>> {
        let Some(dir) = self.place(session, terminal) else { return Ok(None) };
        if !dir.is_dir() {
            return Ok(None);
        }
        let bytes = size(&dir);
        fs::remove_dir_all(&dir)?;
        // With its last recording the session's folder goes; with others in it, it stays.
        let _ = dir.parent().map(fs::remove_dir);
        Ok(Some(Removed { session: session.to_owned(), terminal: terminal.to_owned(), bytes }))
    }

    /// Removes what is too old, and the oldest of what is too much. What is still written stays.
    pub fn keep_within(&self, limits: Limits) -> Vec<Removed> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let oldest = i64::try_from(now.saturating_sub(limits.age.as_millis())).unwrap_or(i64::MAX);
        let mut over = Vec::new();
        let mut sum = 0u64;
        for session in self.sessions().unwrap_or_default() {
            for (terminal, index) in self.of(&session).unwrap_or_default() {
                let bytes = self.place(&session, &terminal).map_or(0, |dir| size(&dir));
                sum = sum.saturating_add(bytes);
                // One whose index can't be read is nobody's evidence for long: the oldest of all.
                let ends_ms = index.map_or(Some(i64::MIN), |index| index.ends_ms);
                over.extend(ends_ms.map(|ends_ms| (ends_ms, session.clone(), terminal, bytes)));
            }
        }
        over.sort();
        let mut removed = Vec::new();
        for (ends_ms, session, terminal, bytes) in over {
            if sum <= limits.bytes && (ends_ms >= oldest || ends_ms == i64::MIN) {
                continue;
            }
            match self.remove(&session, &terminal) {
                Ok(gone) => {
                    sum = sum.saturating_sub(bytes);
                    removed.extend(gone);
                }
                Err(error) => tracing::warn!(%error, "an old recording could not be removed"),
            }
        }
        removed
    }
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_dir = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let all = entries.filter_map(Result::ok).filter(is_dir).take(MOST);
    let mut names: Vec<_> = all.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// What a recording takes on the disk, bytes.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum()
}
