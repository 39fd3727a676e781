//! The history as somebody reads it who does not write it, while the app may be running: nothing is made, folded in or moved
//! aside. Where there is a log, SQLite notes in its index how far somebody reads, so that the app folds it in a little later.

use super::{FILE, row};
use crate::{StoreError, lock};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use sallyport_audit::{Action, Entry};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// How often a file is looked at again that was opened by its app meanwhile.
const TRIES: usize = 5;

/// What a history holds, for whoever joins it with something else.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Every step, whenever it was, and the calls from a moment on; by their places.
    pub entries: Vec<Entry>,
    /// The first moment of which there is an entry, in microseconds of Unix time.
    pub first: Option<i64>,
    /// That of the last entry.
    pub last: Option<i64>,
    /// When rows were written that are no entries, as far as they say: another version's, or somebody's edits.
    pub unreadable: Vec<i64>,
    /// Whether there are more calls than were wanted.
    pub has_more: bool,
    /// Whether the app writes here right now, or stopped in order: then nothing is missing that came after the last entry.
    /// Where neither is known it may have died.
    pub is_complete: bool,
}

/// Reads a history beside its app: all steps, and the calls from `calls_from` on (microseconds of Unix time), at most
/// `most` of them, the oldest first. Blocks.
///
/// # Errors
/// [`StoreError::NoHistory`]; [`StoreError::Newer`] when a later Sallyport wrote it; [`StoreError::Unfolded`] when its
/// newest entries lie in a log that only the app can fold in; else what the disk or the database said.
pub fn read_beside(dir: &Path, calls_from: i64, most: usize) -> Result<Recorded, StoreError> {
    undisturbed(dir, |has_log| open(dir, has_log).and_then(|db| read(&db, dir, calls_from, most)))
}

/// Reads again what was written to meanwhile: a file that is taken for one at rest may be read wrongly then, also by an app
/// that came and went.
fn undisturbed<T>(dir: &Path, mut read: impl FnMut(bool) -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 0..TRIES {
        let (has_log, before) = (has_log(dir)?, stamp(dir)?);
        let read = read(has_log);
        if has_log || !self::has_log(dir)? && before == stamp(dir)? {
            return read;
        }
    }
    Err(StoreError::Busy { file: FILE })
}

/// What changes with a file that is written to: which it is, how long, and when that was.
fn stamp(dir: &Path) -> Result<(u64, u64, u64, i64, i64), StoreError> {
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

fn open(dir: &Path, has_log: bool) -> Result<Connection, StoreError> {
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
    Ok(db)
}

fn read(db: &Connection, dir: &Path, calls_from: i64, most: usize) -> Result<Recorded, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    // One moment of it.
    db.execute_batch("BEGIN").map_err(fail())?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail())?;
    let known = row::MIGRATIONS.steps.len() as i64;
    if found > known {
        return Err(StoreError::Newer { file: FILE, found, known });
    }
    if found < 1 {
        return Err(StoreError::NoHistory { dir: dir.to_owned() });
    }
    // Before the rows are: whoever starts now writes what comes after them.
    let is_held = lock::is_held(&dir.join("history.lock"));
    let mut recorded = Recorded::default();
    let is_call = |action: &Action| {
        matches!(action, Action::Call | Action::CallRefused | Action::StreamStart | Action::StreamEnd)
    };
    let words = |calls: bool| {
        let words = Action::ALL.iter().filter(|action| is_call(action) == calls);
        words.map(|action| format!("'{action}'")).collect::<Vec<_>>().join(",")
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX - 1);
    let steps = format!("SELECT {} FROM entry WHERE action IN ({})", row::COLUMNS, words(false));
    let calls = format!(
        "SELECT {} FROM entry WHERE action IN ({}) AND at >= {calls_from} ORDER BY at LIMIT {}",
        row::COLUMNS,
        words(true),
        most + 1
    );
    let mut taken = 0;
    for (sql, is_calls) in [(steps, false), (calls, true)] {
        let mut statement = db.prepare(&sql).map_err(fail())?;
        let mut rows = statement.query([]).map_err(fail())?;
        while let Some(found) = rows.next().map_err(fail())? {
            if is_calls && taken == most {
                recorded.has_more = true;
                break;
            }
            taken += i64::from(is_calls);
            match row::read(found) {
                Ok(linked) => recorded.entries.push(linked.entry),
                // Its time is what is left to say when something is missing.
                Err(_) => recorded.unreadable.push(found.get(1).unwrap_or(calls_from)),
            }
        }
    }
    recorded.entries.sort_by_key(|entry| entry.sequence);
    recorded.first = db.query_row("SELECT min(at) FROM entry", [], |row| row.get(0)).map_err(fail())?;
    let last: Option<(i64, String)> = db
        .query_row("SELECT at, action FROM entry ORDER BY sequence DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(fail())?;
    recorded.is_complete =
        is_held || last.as_ref().is_some_and(|(_, action)| action == Action::AppStopped.as_str());
    recorded.last = last.map(|(at, _)| at);
    Ok(recorded)
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
