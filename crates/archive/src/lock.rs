//! One process for each archive.

use crate::ArchiveError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

const FILE: &str = "archive.lock";

/// Held as long as this lives; the kernel lets go of it when the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Self, ArchiveError> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(ArchiveError::io(&path, "opened"))?;
        // A process that is just being started from the holder shares its files between fork and exec, and would make
        // a lock that was let go of look held: tried for a quarter of a second.
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < 25 => {
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut said = String::new();
                    // Who holds it is a courtesy: what can't be read is not told.
                    let _ = file.read_to_string(&mut said);
                    return Err(ArchiveError::Locked { dir: dir.to_owned(), pid: said.trim().parse().ok() });
                }
                Err(TryLockError::Error(error)) => return Err(ArchiveError::io(&path, "locked")(error)),
            }
        }
        // A full disk must not keep anybody from looking: the lock holds without the process id.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Emptied, not removed: a file that is removed could be locked twice, by its old and its new name.
        let _ = self.file.set_len(0);
    }
}
