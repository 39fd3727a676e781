//! Opening a SQLite file the way all of ours are opened, and bringing it to the newest version.

use crate::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// The steps to the newest version, each run once, in order. Frozen: a step that was released is never edited.
pub(crate) struct Migrations {
    pub(crate) file: &'static str,
    pub(crate) steps: &'static [&'static str],
}

/// Opens or makes the file for writing: WAL, every commit on disk before it returns.
pub(crate) fn open(dir: &Path, migrations: &Migrations) -> Result<Connection, StoreError> {
    let path = dir.join(migrations.file);
    crate::lock::private_dir(dir)?;
    // Made by us, not by SQLite, so that it is private from its first moment; -wal and -shm inherit the mode.
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(StoreError::io(&path, "opened"))?;
    let fail = |doing| StoreError::sql(migrations.file, doing);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(&path, flags).map_err(fail("opened"))?;
    db.busy_timeout(Duration::from_secs(2)).map_err(fail("opened"))?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(fail("opened"))?;
    db.pragma_update(None, "synchronous", "FULL").map_err(fail("opened"))?;
    db.pragma_update(None, "journal_size_limit", 16 << 20).map_err(fail("opened"))?;
    migrate(&mut db, migrations)?;
    Ok(db)
}

/// Opens the file for reading only.
pub(crate) fn open_to_read(dir: &Path, file: &'static str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(dir.join(file), flags).map_err(StoreError::sql(file, "opened"))?;
    db.busy_timeout(Duration::from_secs(2)).map_err(StoreError::sql(file, "opened"))?;
    Ok(db)
}

fn migrate(db: &mut Connection, migrations: &Migrations) -> Result<(), StoreError> {
    let fail = |doing| StoreError::sql(migrations.file, doing);
    let known = migrations.steps.len() as i64;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail("read"))?;
    if found > known {
        return Err(StoreError::Newer { file: migrations.file, found, known });
    }
    for (step, version) in migrations.steps.iter().zip(1i64..).skip(found.max(0) as usize) {
        let tx = db.transaction().map_err(fail("migrated"))?;
        tx.execute_batch(step).map_err(fail("migrated"))?;
        tx.pragma_update(None, "user_version", version).map_err(fail("migrated"))?;
        tx.commit().map_err(fail("migrated"))?;
    }
    Ok(())
}

/// Moves a damaged file and what belongs to it out of the way; says where to.
pub(crate) fn set_aside(dir: &Path, file: &str) -> Result<String, StoreError> {
    let stamp = jiff::Timestamp::now().as_second();
    let mut name = format!("{file}.unreadable-{stamp}");
    let mut again = 1;
    while dir.join(&name).exists() {
        again += 1;
        name = format!("{file}.unreadable-{stamp}-{again}");
    }
    for suffix in ["", "-wal", "-shm"] {
        let from = dir.join(format!("{file}{suffix}"));
        match fs::rename(&from, dir.join(format!("{name}{suffix}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io(&from, "moved aside")(error));
            }
            _ => {}
        }
    }
    Ok(name)
}
