//! The archive of one folder: its segments, who writes them, and what is wrong with them.

use crate::ArchiveError;
use crate::batch::Batch;
use crate::cache::Cache;
use crate::segment::{self, Kept, Segment};
use crate::shared::{Options, Shared};
use crate::status::{Acknowledged, BadLine, Problem, Retained, Status, WriterState};
use crate::writer::{self, Job, REMOVED};
use sallyport_store::{FileLock, NotHeld};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// What one process at a time holds.
const LOCK: &str = "archive.lock";
/// Lines of bad input that are handed out.
const BAD_MOST: i64 = 1000;

/// Audit events of many clusters, found by what they say. Cheap to share behind an [`Arc`]; everything here blocks, so
/// an async caller puts it where blocking is allowed.
#[derive(Debug)]
pub struct Archive {
    pub(crate) shared: Arc<Shared>,
    jobs: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    // None where nothing can be written.
    _lock: Option<FileLock>,
}

/// A batch on its way to the disk.
#[derive(Debug)]
pub struct Pending(Receiver<Result<Acknowledged, ArchiveError>>);

impl Pending {
    /// Returns when the batch is on the disk, or is not going to be.
    ///
    /// # Errors
    /// What the disk said; [`ArchiveError::Hole`] when a batch before it was not kept. Nothing of it is kept then, and
    /// the same batch can be made and appended again.
    pub fn wait(self) -> Result<Acknowledged, ArchiveError> {
        self.0.recv().unwrap_or(Err(ArchiveError::Closed))
    }
}

impl Archive {
    /// Opens the archive of a folder, or begins one. A segment that can't be read is a problem of [`Archive::status`]
    /// and keeps nobody from the rest. On a disk that can only be read the archive can be asked and takes no events.
    ///
    /// # Errors
    /// [`ArchiveError::Locked`] when another process has it, [`ArchiveError::Newer`] when a later Sallyport wrote it,
    /// else what the file system said.
    pub fn open(dir: &Path, options: Options) -> Result<Self, ArchiveError> {
        if !dir.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(ArchiveError::io(dir, "made"))?;
        }
        let held = dir.join(LOCK);
        let lock = match FileLock::take(&held) {
            Ok(lock) => Some(lock),
            Err(NotHeld::Io { source, .. }) if source.kind() == ErrorKind::ReadOnlyFilesystem => None,
            Err(NotHeld::Io { doing, source }) => return Err(ArchiveError::io(&held, doing)(source)),
            Err(NotHeld::By(pid)) => return Err(ArchiveError::Locked { dir: dir.to_owned(), pid }),
        };
        let cache = Arc::new(Cache::new(options.cache_bytes));
        let (mut segments, mut problems, mut last, mut is_whole) = (Vec::new(), BTreeSet::new(), 0, false);
        let mut unread = 0;
        for (number, path) in files(dir)? {
            last = number;
            is_whole = false;
            match Segment::open(&path, number, cache.clone()) {
                Ok(opened) => {
                    if opened.lacks_log {
                        unread += 1;
                        let file = segment::name(&path);
                        let what = format!(
                            "the segment `{file}` lacks what its log `{file}-wal` holds, which can't be folded in on a \
                             disk that can only be read"
                        );
                        problems.insert(Problem { what });
                    }
                    is_whole = true;
                    segments.push(Arc::new(opened.segment));
                }
                Err(error @ ArchiveError::Newer { .. }) => return Err(error),
                Err(error) => {
                    unread += 1;
                    problems.insert(Problem::segment(&error));
                }
            }
        }
        let (kept, unreadable) = carried_on(&segments);
        problems.extend(unreadable);
        // Never on after a segment that can't be read: its places are taken.
        let writes_to = if is_whole { last } else { last + 1 };
        let state = if lock.is_some() { WriterState::Writing } else { WriterState::ReadOnly };
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            options,
            cache,
            segments: RwLock::new(segments),
            writes_to: Mutex::new(writes_to),
            unread,
            problems: Mutex::new(problems),
            state: Mutex::new(state),
            kept: Mutex::new(kept.clone()),
            keep: Mutex::default(),
        });
        let (mut jobs, mut threads) = (None, Vec::new());
        if lock.is_some() {
            let started = writer::start(shared.clone(), kept);
            let (sender, packer, writer) = started.map_err(ArchiveError::io(dir, "given its threads"))?;
            jobs = Some(sender);
            threads = vec![packer, writer];
        }
        Ok(Self { shared, jobs: Mutex::new(jobs), threads: Mutex::new(threads), _lock: lock })
    }

    /// Whether there is an archive in a folder: a segment, whatever may be wrong with it. Nothing is written there.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] when the folder can't be listed.
    pub fn is_in(dir: &Path) -> Result<bool, ArchiveError> {
        Ok(!files(dir)?.is_empty())
    }

    /// Hands over a batch; waits only while as many wait for the disk as may. Batches of a file are kept in the order
    /// they are handed over.
    ///
    /// # Errors
    /// [`ArchiveError::ReadOnly`], [`ArchiveError::Closed`].
    pub fn append(&self, batch: Batch) -> Result<Pending, ArchiveError> {
        let (reply, answer) = channel();
        self.hand(Job::Append(Box::new(batch), reply))?;
        Ok(Pending(answer))
    }

    /// From now on keeps events that long, and in that many bytes: in place of what the options said.
    pub fn keep(&self, keep: Option<Duration>, keep_bytes: Option<u64>) {
        *self.shared.keep.lock().unwrap_or_else(PoisonError::into_inner) = Some((keep, keep_bytes));
    }

    /// Removes what is too old or too much by [`Archive::keep`] or the options, segment by segment, and counts it for good. `now` is in microseconds of Unix time.
    ///
    /// # Errors
    /// What the file system said; what was removed until then is gone.
    pub fn retain(&self, now: i64) -> Result<Retained, ArchiveError> {
        let (reply, answer) = channel();
        self.hand(Job::Retain(now, reply))?;
        answer.recv().unwrap_or(Err(ArchiveError::Closed))
    }

    fn hand(&self, job: Job) -> Result<(), ArchiveError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match jobs {
            Some(jobs) => jobs.send(job).map_err(|_| ArchiveError::Closed),
            None if self.shared.state() == WriterState::ReadOnly => {
                Err(ArchiveError::ReadOnly(self.shared.dir.clone()))
            }
            None => Err(ArchiveError::Closed),
        }
    }

    /// Up to which byte a file of a source is kept: where to read on. `None` when nothing is known of it.
    pub fn kept_to(&self, source: &str, file: &str) -> Option<u64> {
        let kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.positions.get(&(source.to_owned(), file.to_owned())).map(|(to, _)| *to)
    }

    /// The files of a source whose names begin so, in their order, each with the byte up to which it is kept.
    pub fn kept_files(&self, source: &str, begin: &str) -> Vec<(String, u64)> {
        let kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source =
            kept.positions.iter().filter(|((of, file), _)| of == source && file.starts_with(begin));
        let mut files: Vec<_> = of_source.map(|((_, file), (to, _))| (file.clone(), *to)).collect();
        files.sort();
        files
    }

    /// What is in here and how it goes.
    pub fn status(&self) -> Status {
        let views: Vec<_> = self.shared.segments().iter().map(|segment| segment.view()).collect();
        let filled = || views.iter().filter(|view| view.events > 0);
        let first = filled().map(|view| view.at_min).min();
        let last = filled().map(|view| view.at_max).max();
        let mut tallies: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((source, what), count) in
            &self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner).tallies
        {
            tallies.entry(source.clone()).or_default().insert(what.clone(), *count);
        }
        // No source is called so.
        let removed = tallies.remove(REMOVED.0).and_then(|tally| tally.get(REMOVED.1).copied());
        Status {
            state: self.shared.state(),
            segments: views.len(),
            unread_segments: self.shared.unread,
            events: views.iter().map(|view| view.events).sum(),
            bytes: views.iter().map(|view| view.bytes).sum(),
            range: first.zip(last),
            tallies,
            removed: removed.unwrap_or_default(),
            problems: self.shared.problems(),
        }
    }

    /// Lines that could not be read, the latest first: at most a thousand, all are counted in the tallies.
    ///
    /// # Errors
    /// [`ArchiveError::Database`] when a segment can't be read.
    pub fn bad_lines(&self) -> Result<Vec<BadLine>, ArchiveError> {
        let mut all = Vec::new();
        for segment in self.shared.segments().iter().rev() {
            let more = segment.with_db(|db, _| {
                let sql = "SELECT source, file, line, offset, why FROM bad ORDER BY id DESC LIMIT ?";
                let mut statement = db.prepare_cached(sql)?;
                let lines = statement.query_map([BAD_MOST - all.len() as i64], |row| {
                    Ok(BadLine {
                        source: row.get(0)?,
                        file: row.get(1)?,
                        line: row.get::<_, i64>(2)? as u64,
                        offset: row.get::<_, i64>(3)? as u64,
                        why: row.get(4)?,
                    })
                })?;
                lines.collect::<Result<Vec<_>, _>>()
            })?;
            all.extend(more);
            if all.len() as i64 >= BAD_MOST {
                break;
            }
        }
        Ok(all)
    }

    /// Writes what waits and closes the files. Appending fails afterwards.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A panic there was told where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.close();
    }
}

/// The segments of a folder, by their numbers.
fn files(dir: &Path) -> Result<BTreeMap<u32, PathBuf>, ArchiveError> {
    let fail = || ArchiveError::io(dir, "listed");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(fail())? {
        let path = entry.map_err(fail())?.path();
        if let Some(number) = segment::number(&path) {
            found.insert(number, path);
        }
    }
    Ok(found)
}

/// What the last segment that can say it carries on.
fn carried_on(segments: &[Arc<Segment>]) -> (Kept, Vec<Problem>) {
    let mut problems = Vec::new();
    for segment in segments.iter().rev() {
        match segment.kept() {
            Ok(kept) => return (kept, problems),
            Err(error) => problems.push(Problem::segment(&error)),
        }
    }
    (Kept::default(), problems)
}
