//! The file of a segment.

use crate::ArchiveError;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What this Sallyport writes.
const VERSION: i64 = 1;

/// Rows that would say something else without anybody noticing have a sum; frames have a checksum of their own.
/// A block's columns are rows of `part`, a raw part's key is the place of its first event; everything that belongs to
/// the same calls is written in one transaction.
const TABLES: &str = "
CREATE TABLE block (
  id INTEGER PRIMARY KEY, first INTEGER NOT NULL, calls INTEGER NOT NULL,
  at_min INTEGER NOT NULL, at_max INTEGER NOT NULL, zone BLOB NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE TABLE part (key INTEGER PRIMARY KEY, frame BLOB NOT NULL) STRICT;
CREATE TABLE raw (first INTEGER PRIMARY KEY, calls INTEGER NOT NULL, frame BLOB NOT NULL) STRICT;
CREATE TABLE word (
  kind INTEGER NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID, STRICT;
CREATE TABLE heat (
  hour INTEGER NOT NULL, cluster INTEGER NOT NULL,
  calls INTEGER NOT NULL, writes INTEGER NOT NULL, failed INTEGER NOT NULL, denied INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  PRIMARY KEY (hour, cluster)
) WITHOUT ROWID, STRICT;
CREATE TABLE position (
  source TEXT NOT NULL, file TEXT NOT NULL, kept INTEGER NOT NULL, noted INTEGER NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (source, file)
) WITHOUT ROWID, STRICT;
CREATE TABLE tally (
  source TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (source, what)
) WITHOUT ROWID, STRICT;
CREATE TABLE bad (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, file TEXT NOT NULL,
  line INTEGER NOT NULL, offset INTEGER NOT NULL, why TEXT NOT NULL
) STRICT;
CREATE TABLE note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
";

/// Opens a segment for writing, or makes it.
pub(crate) fn open_to_write(path: &Path) -> Result<Connection, ArchiveError> {
    let file = name(path);
    if !path.try_exists().map_err(ArchiveError::io(path, "looked for"))? {
        make(path)?;
    }
    let fail = |doing| ArchiveError::sql(&file, doing);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(fail("opened"))?;
    db.busy_timeout(Duration::from_secs(2)).map_err(fail("opened"))?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(fail("opened"))?;
    // What is acknowledged is on the disk.
    db.pragma_update(None, "synchronous", "FULL").map_err(fail("opened"))?;
    db.pragma_update(None, "wal_autocheckpoint", 2048).map_err(fail("opened"))?;
    db.pragma_update(None, "journal_size_limit", 64 << 20).map_err(fail("opened"))?;
    version(&db, &file)?;
    Ok(db)
}

/// Makes an empty segment. It gets its name when it is whole, so that one with that name which can't be read is damaged, and
/// never what a process left that was killed while it made it.
fn make(path: &Path) -> Result<(), ArchiveError> {
    let (file, new) = (name(path), path.with_extension("new"));
    let begun = [new.clone(), path.with_extension("new-journal")];
    for left in begun.iter().filter(|left| left.exists()) {
        fs::remove_file(left).map_err(ArchiveError::io(left, "removed"))?;
    }
    // Made here and not by SQLite, so that it is private from its first moment; -wal and -shm inherit the mode.
    let mut options = fs::OpenOptions::new();
    options.append(true).create_new(true).mode(0o600);
    options.open(&new).map_err(ArchiveError::io(&new, "made"))?;
    let fail = || ArchiveError::sql(&file, "made");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(&new, flags).map_err(fail())?;
    // Columns are 2 to 16 kB: on smaller pages they would lie in chains, and half of each page would be empty.
    db.pragma_update(None, "page_size", 16384).map_err(fail())?;
    db.pragma_update(None, "synchronous", "FULL").map_err(fail())?;
    let tx = db.transaction().map_err(fail())?;
    tx.execute_batch(TABLES).map_err(fail())?;
    tx.pragma_update(None, "user_version", VERSION).map_err(fail())?;
    tx.commit().map_err(fail())?;
    db.close().map_err(|(_, error)| fail()(error))?;
    fs::rename(&new, path).map_err(ArchiveError::io(path, "named"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(ArchiveError::io(folder, "written"))
}

/// Opens a segment for reading. On a disk that can only be read, and with a log beside the file, what is in the log is
/// left out; the second of the answer says so.
pub(crate) fn open_to_read(path: &Path) -> Result<(Connection, bool), ArchiveError> {
    let file = name(path);
    let open = |uri: String| -> Result<Connection, rusqlite::Error> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let db = Connection::open_with_flags(uri, flags)?;
        db.busy_timeout(Duration::from_secs(2))?;
        db.pragma_update(None, "cache_size", -8192)?;
        let _: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok(db)
    };
    match open(uri(path, "")) {
        Ok(db) => {
            version(&db, &file)?;
            Ok((db, false))
        }
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen) => {
            let db = open(uri(path, "?immutable=1")).map_err(ArchiveError::sql(&file, "opened"))?;
            version(&db, &file)?;
            let log = path.with_extension("db-wal");
            Ok((db, fs::metadata(log).is_ok_and(|log| log.len() > 0)))
        }
        // Whoever wrote here was killed in the middle of a change that has to be taken back, as of the journal's mode when
        // a segment is opened or closed: without that nothing of it could be read for good, acknowledged or not.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly) => {
            take_back(path).map_err(ArchiveError::sql(&file, "taken back to what is acknowledged"))?;
            let db = open(uri(path, "")).map_err(ArchiveError::sql(&file, "opened"))?;
            version(&db, &file)?;
            Ok((db, false))
        }
        Err(error) => Err(ArchiveError::sql(&file, "opened")(error)),
    }
}

/// Lets SQLite roll back what a killed process left half done. Only for whoever holds the archive.
fn take_back(path: &Path) -> Result<(), rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(uri(path, ""), flags)?;
    db.busy_timeout(Duration::from_secs(2))?;
    let _: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(())
}

fn version(db: &Connection, file: &str) -> Result<i64, ArchiveError> {
    let found: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(ArchiveError::sql(file, "read"))?;
    if found > VERSION {
        return Err(ArchiveError::Newer { file: file.to_owned(), found, known: VERSION });
    }
    Ok(found)
}

/// The file as SQLite's URI, in which a few characters of a path stand for something else.
fn uri(path: &Path, query: &str) -> String {
    let path = path.to_string_lossy();
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}{query}")
}

/// The file's name, for errors.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
