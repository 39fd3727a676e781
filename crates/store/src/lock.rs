use crate::StoreError;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that one process holds at a time. Held as long as this lives; the kernel lets go of it when the process ends in
/// whatever way, so nothing stale is ever in the way.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

/// Why a file is not held.
#[derive(Debug)]
pub enum NotHeld {
    /// Another process, or another part of this one, holds it: who, if they said so.
    By(Option<u32>),
    /// The file system refused.
    Io {
        /// What was tried: "opened", "locked".
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

impl FileLock {
    /// Takes the lock of a file, which is made (0600) when missing, and says in it who has it. Blocks for up to a quarter
    /// of a second when it is held.
    ///
    /// # Errors
    /// [`NotHeld`].
    pub fn take(path: &Path) -> Result<Self, NotHeld> {
        let failed = |doing| move |source| NotHeld::Io { doing, source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(failed("opened"))?;
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut said = String::new();
                // Who holds it is a courtesy: what can't be read is not told.
                let _ = file.read_to_string(&mut said);
                return Err(NotHeld::By(said.trim().parse().ok()));
            }
            Err(TryLockError::Error(source)) => return Err(failed("locked")(source)),
        }
        let mut say = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        // The lock holds without it, and a full disk must keep nobody from starting.
        if let Err(error) = say() {
            tracing::warn!(%error, "the process id could not be written to the lock");
        }
        Ok(Self { file })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Emptied, not removed: a file that is removed could be locked twice, by its old and its new name.
        let _ = self.file.set_len(0);
    }
}

/// Tries for a quarter of a second: a process that is just being started from the holder shares its files for the
/// moment between fork and exec, and would make a lock that was let go of look held.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..25 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            done => return done,
        }
    }
    file.try_lock()
}

/// Whether somebody holds a lock, without trying to take it: the process that wrote its id there, by what the kernel
/// tells of locks (Linux's /proc/locks). What can't be told counts as not held.
pub(crate) fn is_held(path: &Path) -> bool {
    let Ok(about) = fs::metadata(path) else { return false };
    let Ok(pid) = fs::read_to_string(path) else { return false };
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return false };
    let (pid, inode) = (pid.trim(), about.ino().to_string());
    // `1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF`. Which device it is, file systems in layers tell in two ways.
    !pid.is_empty()
        && locks.lines().any(|line| {
            let parts: Vec<&str> = line.split_whitespace().collect();
            matches!(parts[..], [_, "FLOCK", _, "WRITE", of, place, ..]
                if of == pid && place.rsplit(':').next() == Some(&inode))
        })
}

/// One process per data directory.
#[derive(Debug)]
pub struct InstanceLock {
    _file: FileLock,
    dir: PathBuf,
}

impl InstanceLock {
    /// Takes the lock of a data directory, which is made (0700) when missing. Blocks as [`FileLock::take`] does.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder's process id when another process, or another part of this one, has
    /// it; [`StoreError::Io`] when the directory can't be used.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        Self::take_named(dir, "instance.lock")
    }

    pub(crate) fn take_named(dir: &Path, name: &str) -> Result<Self, StoreError> {
        private_dir(dir)?;
        let path = dir.join(name);
        let file = FileLock::take(&path).map_err(|why| match why {
            NotHeld::By(pid) => StoreError::Locked { dir: dir.to_owned(), pid },
            NotHeld::Io { doing, source } => StoreError::io(&path, doing)(source),
        })?;
        Ok(Self { _file: file, dir: dir.to_owned() })
    }

    /// The data directory it locks.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// A directory only its owner may look into.
pub(crate) fn private_dir(dir: &Path) -> Result<(), StoreError> {
    if !fs::metadata(dir).is_ok_and(|m| m.is_dir()) {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(StoreError::io(dir, "created"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_it_and_may_follow() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        let first = InstanceLock::take(&data).unwrap();
        let Err(StoreError::Locked { pid, .. }) = InstanceLock::take(&data) else { panic!("locked twice") };
        assert_eq!(pid, Some(std::process::id()));
        drop(first);
        InstanceLock::take(&data).unwrap();
    }
}
