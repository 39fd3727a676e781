//! What was acknowledged and not handed on yet: files of lines in a folder, bounded in all.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes at which a file is closed and the next begun.
const FILE_BYTES: u64 = 8 << 20;
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
    inner: Mutex<Inner>,
    _lock: File,
}

#[derive(Debug, Default)]
struct Inner {
    /// The files by their numbers, with how long each is on the disk.
    files: BTreeMap<u64, u64>,
    /// The last one, while it is written.
    active: Option<File>,
    next: u64,
    taken: Place,
    refused: u64,
    /// Those that were put aside, by a hash: what is sent again after a store's death is refused again.
    put_aside: HashSet<u64>,
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
        let mut inner = Inner::default();
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
                inner.put_aside.insert(hash(&line));
                line.clear();
            }
        }
        // One that can't be read leads back to the beginning: sent again is better than not at all.
        let taken = fs::read(dir.join(TAKEN)).ok();
        inner.taken = taken.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        if inner.files.get(&inner.taken.file).is_some_and(|length| inner.taken.byte > *length) {
            inner.taken.byte = 0;
        }
        let last = inner.files.keys().next_back().copied().unwrap_or_default();
        inner.next = last.max(inner.taken.file) + 1;
        Ok(Self { dir: dir.to_owned(), most, inner: Mutex::new(inner), _lock: lock })
    }

    /// Keeps lines, each with its line feed. They are on the disk when this returns.
    ///
    /// # Errors
    /// [`SpoolError::Full`], or what the disk said: nothing of them is kept then.
    pub fn append(&self, lines: &[u8]) -> Result<(), SpoolError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut inner = self.lock();
        let held = inner.held();
        if held + lines.len() as u64 > self.most {
            return Err(SpoolError::Full { held, most: self.most });
        }
        let number = inner.next - 1;
        let length = inner.files.get(&number).copied().unwrap_or_default();
        let (mut file, number, length) = match inner.active.take() {
            Some(file) if length < FILE_BYTES => (file, number, length),
            _ => {
                let number = inner.next;
                let path = self.path(number);
                // Whatever becomes of this one, the next is another.
                inner.next += 1;
                let file = private(false).create_new(true).open(&path).map_err(io(&path, "made"))?;
                inner.files.insert(number, 0);
                // Its name has to be on the disk as well.
                File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(io(&self.dir, "written"))?;
                (file, number, 0)
            }
        };
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Where that fails too, the next lines go into a file of their own; half a line is cut off at the next start,
            // and lies behind what is read until then.
            let _ = file.set_len(length).and_then(|()| file.sync_data());
            return Err(io(&self.path(number), "written")(error));
        }
        inner.files.insert(number, length + lines.len() as u64);
        inner.active = Some(file);
        Ok(())
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

    /// The last lines that were kept, at most so many, of the file that was written last.
    pub(crate) fn newest(&self, lines: usize) -> Result<Vec<Vec<u8>>, SpoolError> {
        let last = self.lock().files.iter().rev().find(|(_, length)| **length > 0).map(|(number, _)| *number);
        let (mut at, mut newest) = (Place { file: last.unwrap_or_default(), byte: 0 }, VecDeque::new());
        while let Some(waiting) = self.next(at, lines, usize::MAX)? {
            at = waiting.to;
            newest.extend(waiting.lines);
            while newest.len() > lines {
                newest.pop_front();
            }
        }
        Ok(newest.into())
    }

    /// What lies before a place is somebody else's now, and is deleted: first, since that takes no room on a disk that is
    /// full. Where the rest fails, nothing is lost: after a start some of it is sent again.
    ///
    /// # Errors
    /// What the file system said. What can't be deleted now is tried again with the next place.
    pub(crate) fn take_to(&self, to: Place) -> Result<(), SpoolError> {
        let mut inner = self.lock();
        if to <= inner.taken {
            return Ok(());
        }
        inner.taken = to;
        let done: Vec<u64> = inner
            .files
            .iter()
            .filter(|(number, length)| **number < to.file || **number == to.file && **length <= to.byte)
            .map(|(number, _)| *number)
            .collect();
        let mut deleted = Ok(());
        for number in done {
            if number + 1 == inner.next {
                inner.active = None;
            }
            let path = self.path(number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    deleted = Err(io(&path, "removed")(error))
                }
                _ => drop(inner.files.remove(&number)),
            }
        }
        let (path, temp) = (self.dir.join(TAKEN), self.dir.join("taken.new"));
        let text = serde_json::to_vec(&to).unwrap_or_default();
        private(false)
            .create(true)
            .truncate(true)
            .open(&temp)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&temp, &path))
            .map_err(io(&path, "written"))?;
        deleted
    }

    /// Puts lines aside that nobody takes; one that is there already stays there once.
    pub(crate) fn refuse(&self, lines: &[&[u8]]) -> Result<(), SpoolError> {
        let mut inner = self.lock();
        let mut new: HashMap<u64, &[u8]> = HashMap::new();
        for line in lines.iter().filter(|line| !inner.put_aside.contains(&hash(line))) {
            new.insert(hash(line), line);
        }
        if new.is_empty() {
            return Ok(());
        }
        let all: Vec<u8> = new.values().copied().flatten().copied().collect();
        let path = self.dir.join(REFUSED);
        let mut file = private(true).append(true).open(&path).map_err(io(&path, "opened"))?;
        if let Err(error) = file.write_all(&all).and_then(|()| file.sync_data()) {
            // Half a line would be taken for the beginning of the next.
            let _ = file.set_len(inner.refused);
            return Err(io(&path, "written")(error));
        }
        inner.refused += all.len() as u64;
        inner.put_aside.extend(new.keys());
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("events-{number:012}.jsonl"))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("events-")?.strip_suffix(".jsonl")?.parse().ok()
}

/// How long a file is, without half a line at its end.
fn whole_lines(path: &Path) -> Result<u64, SpoolError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io(path, "opened"))?;
    let mut end = file.seek(SeekFrom::End(0)).map_err(io(path, "read"))?;
    let length = end;
    let mut chunk = vec![0; 64 * 1024];
    while end > 0 {
        let begin = end.saturating_sub(chunk.len() as u64);
        let part = &mut chunk[..(end - begin) as usize];
        file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(part)).map_err(io(path, "read"))?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = begin + at as u64 + 1;
            break;
        }
        end = begin;
    }
    if end < length {
        file.set_len(end).and_then(|()| file.sync_all()).map_err(io(path, "cut"))?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests;
