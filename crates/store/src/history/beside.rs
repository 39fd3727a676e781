//! The history as somebody reads it who does not write it, while the app may be running: nothing is made, folded in or moved
//! aside. Where there is a log, SQLite notes in its index how far somebody reads, so that the app folds it in a little later.

use super::at_rest::{open, undisturbed};
use super::{FILE, row};
use crate::{StoreError, lock};
use rusqlite::{Connection, OptionalExtension as _};
use sallyport_audit::{Action, Entry};
use std::path::Path;

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
    undisturbed(dir, |has_log| {
        let (db, version) = open(dir, has_log)?;
        if version < 1 {
            return Err(StoreError::NoHistory { dir: dir.to_owned() });
        }
        read(&db, dir, calls_from, most)
    })
}

fn read(db: &Connection, dir: &Path, calls_from: i64, most: usize) -> Result<Recorded, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    // Before the rows are: whoever starts now writes what comes after them.
    let is_held = lock::is_held(&dir.join("history.lock"));
    let mut recorded = Recorded::default();
    let words = |calls: bool| {
        let words = Action::ALL.iter().filter(|action| action.is_call() == calls);
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
