//! A history's file as somebody opens it who does not write it, and leaves no trace: neither log nor index is made beside one at
//! rest, and nothing that was read while its app wrote there is taken for what was there.

use super::{FILE, row};
use crate::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// How often a file is looked at again that was opened by its app meanwhile.
const TRIES: usize = 5;

/// What changes with a file that is written to: which it is, how long, and when that was.
type Stamp = (u64, u64, u64, i64, i64);

/// A file that is taken for one at rest, as it was when that was seen.
pub(super) struct Still(Option<Stamp>);

impl Still {
    /// Whether the file has a log, and how it is where it has none.
    pub(super) fn of(dir: &Path) -> Result<(bool, Self), StoreError> {
        let has_log = has_log(dir)?;
        Ok((has_log, Self(if has_log { None } else { Some(stamp(dir)?) })))
    }

    /// Whether it may be read wrongly since, also by an app that came and went.
    pub(super) fn is_disturbed(&self, dir: &Path) -> Result<bool, StoreError> {
        match self.0 {
            None => Ok(false),
            Some(before) => Ok(has_log(dir)? || before != stamp(dir)?),
        }
    }
}

/// Reads again what was written to meanwhile: a file that is taken for one at rest may be read wrongly then, also by an app
/// that came and went.
pub(super) fn undisturbed<T>(
    dir: &Path,
    mut read: impl FnMut(bool) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    for _ in 0..TRIES {
        let (has_log, still) = Still::of(dir)?;
        let read = read(has_log);
        if !still.is_disturbed(dir)? {
            return read;
        }
    }
    Err(StoreError::Busy { file: FILE })
}

fn stamp(dir: &Path) -> Result<Stamp, StoreError> {
    let path = dir.join(FILE);
    let file = fs::metadata(&path).map_err(StoreError::io(&path, "opened"))?;
    Ok((file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

/// Whether the app has it open, or died with it open.
fn has_log(dir: &Path) -> Result<bool, StoreError> {
    let path = dir.join(FILE);
    let is_there = |end: &str| fs::metadata(dir.join(format!("{FILE}{end}"))).ok().map(|file| file.len());
    match fs::metadata(&path) {
        Ok(file) if file.is_file() => {}
        Ok(_) => return Err(StoreError::NoHistory { dir: dir.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::NoHistory { dir: dir.to_owned() });
        }
        Err(error) => return Err(StoreError::io(&path, "opened")(error)),
    }
    match (is_there("-wal"), is_there("-shm")) {
        // SQLite would make the index anew, which takes somebody who may write here.
        (Some(1..), None) => Err(StoreError::Unfolded { file: FILE }),
        (Some(_), Some(_)) => Ok(true),
        _ => Ok(false),
    }
}

/// Opens it as it is at this moment, with its version.
///
/// # Errors
/// [`StoreError::Newer`] when a later Sallyport wrote it, else what the database said.
pub(super) fn open(dir: &Path, has_log: bool) -> Result<(Connection, i64), StoreError> {
    let fail = || StoreError::sql(FILE, "opened");
    let path = dir.join(FILE).to_string_lossy().into_owned();
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    // At rest it has neither log nor index, and SQLite is to make none.
    let at_rest = if has_log { "" } else { "?immutable=1" };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(format!("file:{path}{at_rest}"), flags).map_err(fail())?;
    db.busy_timeout(Duration::from_secs(2)).map_err(fail())?;
    // Whoever reads it may be somebody else than whose file it is: nothing that stands in it is run.
    db.execute_batch("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON").map_err(fail())?;
    // Everything that is read from here on is of one moment.
    let fail = || StoreError::sql(FILE, "read");
    db.execute_batch("BEGIN").map_err(fail())?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail())?;
    let known = row::MIGRATIONS.steps.len() as i64;
    if found > known {
        return Err(StoreError::Newer { file: FILE, found, known });
    }
    Ok((db, found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// An app that starts and stops while somebody reads leaves no log behind, and another file.
    #[test]
    fn what_was_written_to_meanwhile_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, b"at rest").unwrap();
        let write = || fs::File::options().append(true).open(&path).unwrap().write_all(b"!").unwrap();
        let mut reads = 0;
        let read = undisturbed(dir.path(), |has_log| {
            assert!(!has_log);
            reads += 1;
            if reads == 1 {
                write();
            }
            Ok(reads)
        });
        assert_eq!(read.unwrap(), 2);
        // One that is written to all the time is not read at all.
        let busy = undisturbed(dir.path(), |_| {
            write();
            Ok(())
        });
        assert!(matches!(busy, Err(StoreError::Busy { .. })));
        // Another in its place is another.
        let mut reads = 0;
        let read = undisturbed(dir.path(), |_| {
            reads += 1;
            if reads == 1 {
                let new = dir.path().join("new");
                fs::write(&new, fs::read(&path).unwrap()).unwrap();
                fs::rename(new, &path).unwrap();
            }
            Ok(reads)
        });
        assert_eq!(read.unwrap(), 2);
    }
}
