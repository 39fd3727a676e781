//! What was acknowledged and not handed on yet: files of lines in a folder, bounded in all.

mod lines;

use lines::{number, whole_lines};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes at which a file is closed and the next begun.
const FILE_BYTES: u64 = 8 << 20;
/// What is put aside may be this part of all that may wait, so that it never keeps out what comes.
const ASIDE: u64 = 4;
const LOCK: &str = "collect.lock";
const TAKEN: &str = "taken.json";
const REFUSED: &str = "refused.jsonl";

/// Why nothing could be kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// As much is waiting as may.
    #[error("{held} bytes wait to be handed on, and at most {most} may: nothing more is taken")]
    Full {
        /// What waits.
        held: u64,
        /// What may.
        most: u64,
    },
    /// As much is put aside as may.
    #[error(
        "`{}` holds {held} bytes of what the store refuses, and at most {most} may: what comes waits until it is moved away",
        .path.display()
    )]
    Aside {
        /// Which file.
        path: PathBuf,
        /// What it holds.
        held: u64,
        /// What it may.
        most: u64,
    },
    /// Another process has the folder.
    #[error("another `sallyport audit collect` has `{}`", .0.display())]
    Locked(PathBuf),
    /// The file system refused.
    #[error("`{}` could not be {doing}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> SpoolError {
    let path = path.to_owned();
    move |source| SpoolError::Io { path, doing, source }
}

/// A place in what waits: a file by its number, and a byte of it at which a line begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: u64,
    pub(crate) byte: u64,
}

/// Some lines that wait.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) lines: Vec<Vec<u8>>,
    /// Where the next ones are.
    pub(crate) to: Place,
}

/// The folder. One process at a time; its files are for its user alone. Everything here blocks.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    most: u64,
    /// The last file, while it is written: held through what the disk does, and taken before the list.
    active: Mutex<Option<(u64, File)>>,
    /// Those that were put aside, by a hash: what is sent again after a store's death is refused again. Held through what
    /// the disk does, too.
    aside: Mutex<HashSet<u64>>,
    /// Never held while the disk does something.
    inner: Mutex<Inner>,
    _lock: File,
}

#[derive(Debug, Default)]
struct Inner {
    /// The files by their numbers, with how long each is on the disk.
    files: BTreeMap<u64, u64>,
    /// One that is being written, and stays.
    written_to: Option<u64>,
    next: u64,
    taken: Place,
    /// What the disk has of that.
    written: Place,
    refused: u64,
}

impl Inner {
    fn held(&self) -> u64 {
        let taken = if self.files.contains_key(&self.taken.file) { self.taken.byte } else { 0 };
        self.files.values().sum::<u64>().saturating_sub(taken) + self.refused
    }
}

impl Spool {
    /// Opens a folder or makes it; at most `most` bytes wait in it. What a killed process left half written was never
    /// acknowledged, and is cut off.
    ///
    /// # Errors
    /// [`SpoolError::Locked`], or what the file system said.
    pub fn open(dir: &Path, most: u64) -> Result<Self, SpoolError> {
        if !dir.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io(dir, "made"))?;
        }
        let lock_path = dir.join(LOCK);
        let lock = private(true).open(&lock_path).map_err(io(&lock_path, "opened"))?;
        if lock.try_lock().is_err() {
            return Err(SpoolError::Locked(dir.to_owned()));
        }
        let (mut inner, mut aside) = (Inner::default(), HashSet::new());
        for entry in fs::read_dir(dir).map_err(io(dir, "listed"))? {
            let path = entry.map_err(io(dir, "listed"))?.path();
            if let Some(number) = number(&path) {
                inner.files.insert(number, whole_lines(&path)?);
            }
        }
        let refused = dir.join(REFUSED);
        if refused.is_file() {
            inner.refused = whole_lines(&refused)?;
            let mut lines = BufReader::new(File::open(&refused).map_err(io(&refused, "opened"))?);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).map_err(io(&refused, "read"))? > 0 {
                aside.insert(hash(&line));
                line.clear();
            }
        }
        // One that can't be read leads back to the beginning: sent again is better than not at all.
        let taken = fs::read(dir.join(TAKEN)).ok();
        inner.taken = taken.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        if inner.files.get(&inner.taken.file).is_some_and(|length| inner.taken.byte > *length) {
            inner.taken.byte = 0;
        }
        inner.written = inner.taken;
        let last = inner.files.keys().next_back().copied().unwrap_or_default();
        inner.next = last.max(inner.taken.file) + 1;
        Ok(Self {
            dir: dir.to_owned(),
            most,
            active: Mutex::default(),
            aside: Mutex::new(aside),
            inner: Mutex::new(inner),
            _lock: lock,
        })
    }

    /// Keeps lines, each with its line feed. They are on the disk when this returns.
    ///
    /// # Errors
    /// [`SpoolError::Full`], or what the disk said: nothing of them is kept then.
    pub fn append(&self, lines: &[u8]) -> Result<(), SpoolError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut active = held_by(&self.active);
        let (number, length) = {
            let mut inner = self.lock();
            let held = inner.held();
            if held + lines.len() as u64 > self.most {
                return Err(SpoolError::Full { held, most: self.most });
            }
            let last = active.as_ref().and_then(|(last, _)| Some((*last, *inner.files.get(last)?)));
            let (number, length) = last.filter(|(_, length)| *length < FILE_BYTES).unwrap_or((inner.next, 0));
            // A number is used once, also where nothing comes of its file.
            inner.next = inner.next.max(number + 1);
            inner.files.insert(number, length);
            inner.written_to = Some(number);
            (number, length)
        };
        let written = self.write(&mut active, number, length, lines);
        let mut inner = self.lock();
        inner.written_to = None;
        match &written {
            Ok(()) => drop(inner.files.insert(number, length + lines.len() as u64)),
            Err(_) if active.is_none() && length == 0 => drop(inner.files.remove(&number)),
            Err(_) => {}
        }
        written
    }

    fn write(
        &self,
        active: &mut Option<(u64, File)>,
        number: u64,
        length: u64,
        lines: &[u8],
    ) -> Result<(), SpoolError> {
        let path = self.path(number);
        let mut file = match active.take() {
            Some((last, file)) if last == number => file,
            _ => {
                let file = private(false).create_new(true).open(&path).map_err(io(&path, "made"))?;
                // Its name has to be on the disk as well.
                File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(io(&self.dir, "written"))?;
                file
            }
        };
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        // Where that fails too, the next lines go into a file of their own; half a line is cut off at the next start, and
        // lies behind what is read until then. Else it goes on, and no file is left for each try.
        let is_whole = written.is_ok() || file.set_len(length).and_then(|()| file.sync_data()).is_ok();
        *active = is_whole.then_some((number, file));
        written.map_err(io(&path, "written"))
    }

    /// Bytes that wait.
    pub fn held(&self) -> u64 {
        self.lock().held()
    }

    /// Where the lines begin that nobody has.
    pub(crate) fn taken(&self) -> Place {
        self.lock().taken
    }

    /// The next lines from a place on; `None` when there are none.
    pub(crate) fn next(
        &self,
        from: Place,
        lines: usize,
        bytes: usize,
    ) -> Result<Option<Waiting>, SpoolError> {
        let files = self.lock().files.clone();
        for (number, length) in files.range(from.file..) {
            let byte = if *number == from.file { from.byte } else { 0 };
            if byte >= *length {
                continue;
            }
            let path = self.path(*number);
            let mut file = File::open(&path).map_err(io(&path, "opened"))?;
            file.seek(SeekFrom::Start(byte)).map_err(io(&path, "read"))?;
            let mut rest = BufReader::new(file.take(length - byte));
            let mut waiting = Waiting { lines: Vec::new(), to: Place { file: *number, byte } };
            let mut size = 0;
            while waiting.lines.len() < lines && size < bytes {
                let mut line = Vec::new();
                let read = rest.read_until(b'\n', &mut line).map_err(io(&path, "read"))?;
                if read == 0 {
                    break;
                }
                size += read;
                waiting.to.byte += read as u64;
                waiting.lines.push(line);
            }
            return Ok(Some(waiting));
        }
        Ok(None)
    }

    /// The last lines, so many at most, from a place on.
    pub(crate) fn newest(&self, from: Place, lines: usize, bytes: u64) -> Result<Vec<Vec<u8>>, SpoolError> {
        let files = self.lock().files.clone();
        let mut newest = Vec::new();
        for (number, length) in files.range(from.file..).rev() {
            let begin = if *number == from.file { from.byte } else { 0 };
            let at = begin.max(length.saturating_sub(bytes));
            let path = self.path(*number);
            let mut file = File::open(&path).map_err(io(&path, "opened"))?;
            file.seek(SeekFrom::Start(at)).map_err(io(&path, "read"))?;
            let mut text = Vec::new();
            file.take(length.saturating_sub(at)).read_to_end(&mut text).map_err(io(&path, "read"))?;
            // In the middle of a file, the first one is half a line.
            let all: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            let whole = all.iter().skip(usize::from(at > begin)).rev();
            newest.extend(whole.take(lines - newest.len()).map(|line| line.to_vec()));
            if newest.len() >= lines {
                break;
            }
        }
        Ok(newest)
    }

    /// What lies before a place is somebody else's now, and is deleted.
    ///
    /// # Errors
    /// What the disk said. It is somebody else's all the same; what could not be deleted or written down is tried again
    /// with the next place.
    pub(crate) fn take_to(&self, to: Place) -> Result<(), SpoolError> {
        // Off the list first, so that nothing is written into one that is deleted.
        let (to, is_written, done) = {
            let mut inner = self.lock();
            inner.taken = inner.taken.max(to);
            let (to, writing) = (inner.taken, inner.written_to);
            let is_done = |number: &u64, length: &mut u64| {
                let is_before = *number < to.file || *number == to.file && *length <= to.byte;
                is_before && writing != Some(*number)
            };
            let done: Vec<(u64, u64)> = inner.files.extract_if(.., is_done).collect();
            (to, inner.written == to, done)
        };
        // The files before the place: that takes no room, and makes some on a disk that is full. What is not there is not
        // sent again, whatever the place says that is written down.
        let mut deleted = Ok(());
        for (number, length) in done {
            let path = self.path(number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    self.lock().files.insert(number, length);
                    deleted = deleted.and(Err(io(&path, "removed")(error)));
                }
                _ => {}
            }
        }
        if !is_written {
            let (path, temp) = (self.dir.join(TAKEN), self.dir.join("taken.new"));
            let text = serde_json::to_vec(&to).unwrap_or_default();
            private(false)
                .create(true)
                .truncate(true)
                .open(&temp)
                .and_then(|mut file| file.write_all(&text))
                .and_then(|()| fs::rename(&temp, &path))
                .map_err(io(&path, "written"))?;
            self.lock().written = to;
        }
        deleted
    }

    /// Puts lines aside that nobody takes; one that is there already stays there once.
    ///
    /// # Errors
    /// What the disk said: none of them is put aside then.
    pub(crate) fn refuse(&self, lines: &[impl AsRef<[u8]>]) -> Result<(), SpoolError> {
        let path = self.dir.join(REFUSED);
        let mut aside = held_by(&self.aside);
        if !path.exists() {
            // Somebody has moved it away, to see to it.
            self.lock().refused = 0;
            aside.clear();
        }
        let (mut new, mut text) = (HashSet::new(), Vec::new());
        for line in lines.iter().map(AsRef::as_ref) {
            if !aside.contains(&hash(line)) && new.insert(hash(line)) {
                text.extend_from_slice(line);
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        let (held, most) = (self.lock().refused, self.most / ASIDE);
        if held + text.len() as u64 > most {
            return Err(SpoolError::Aside { path, held, most });
        }
        let mut file = private(true).append(true).open(&path).map_err(io(&path, "opened"))?;
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_data()) {
            // Half of it would be taken for a line.
            let _ = file.set_len(held);
            return Err(io(&path, "written")(error));
        }
        self.lock().refused += text.len() as u64;
        aside.extend(new);
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("events-{number:012}.jsonl"))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        held_by(&self.inner)
    }
}

fn held_by<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line);
    hasher.finish()
}

fn private(create: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(create).mode(0o600);
    options
}

#[cfg(test)]
mod tests;
