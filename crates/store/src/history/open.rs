//! What a start finds, and the entries it begins with because of it.

use super::seal::{Sealing, Tree};
use super::{FILE, Tip, head, now, row, seal};
use crate::{StoreError, file};
use rusqlite::{Connection, OptionalExtension as _};
use sallyport_audit::{Action, Chain, ChainKey, Draft, Head, HeadError, Linked, Outcome, SealPublic};
use sallyport_model::Digest;
use std::path::Path;

pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) chain: Chain,
    pub(super) tree: Tree,
    pub(super) tip: Tip,
    /// What has to be said before anything else.
    pub(super) first: Vec<Draft>,
    pub(super) set_aside: Option<String>,
}

pub(super) fn open(
    dir: &Path,
    key: Option<&ChainKey>,
    sealing: Option<Sealing>,
) -> Result<Opened, StoreError> {
    let head = head::read(dir)?;
    let (db, last, set_aside) = match open_file(dir) {
        Ok((db, last)) => (db, last, None),
        Err(error) if error.is_damage() => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the history is damaged and is set aside"
            );
            let name = file::set_aside(dir, FILE)?;
            let (db, last) = open_file(dir)?;
            (db, last, Some(name))
        }
        Err(error) => return Err(error),
    };
    let (sequence, hash) =
        last.as_ref().map_or((0, Digest::from([0; 32])), |last| (last.sequence, last.link));
    let tree = Tree::resume(dir, &db, sequence, sealing)?;
    let mut chain = Chain::resume(key.cloned(), sequence, hash);
    if let Some(seal) = tree.key() {
        chain = chain.sealed_with(seal.id());
    }
    chain.sealed(tree.sealed());
    let mut first = Vec::new();
    if let Some(begin) =
        beginning(&db, &chain, last.as_ref(), head.as_ref(), key, set_aside.as_deref(), tree.key())?
    {
        first.push(begin);
    }
    if let Some(last) = last.filter(|last| last.action != Action::AppStopped.as_str()) {
        let gap = Draft::new(Action::Gap).outcome(Outcome::Unknown).detail("why", "unclean stop");
        first.push(gap.detail("from", last.at).detail("to", now()));
    }
    first.push(Draft::new(Action::AppStarted).detail("version", env!("CARGO_PKG_VERSION")));
    let tip = Tip { sequence, hash, root: tree.root(), sealed: tree.sealed() };
    Ok(Opened { db, chain, tree, tip, first, set_aside })
}

/// The last row, as far as resuming needs it: it may be damaged in every other respect.
struct Last {
    sequence: u64,
    at: i64,
    action: String,
    link: Digest,
}

fn open_file(dir: &Path) -> Result<(Connection, Option<Last>), StoreError> {
    let db = file::open(dir, &row::MIGRATIONS)?;
    let last = db
        .query_row("SELECT sequence, at, action, link FROM entry ORDER BY sequence DESC LIMIT 1", [], |row| {
            Ok(Last {
                sequence: row.get::<_, i64>(0)?.max(0) as u64,
                at: row.get(1)?,
                action: row.get(2)?,
                // A link of another length can't be continued from; `verify` names the row.
                link: row.get::<_, [u8; 32]>(3).map_or(Digest::from([0; 32]), Digest::from),
            })
        })
        .optional()
        .map_err(as_damage)?;
    // An unclean stop is when files get damaged: look, for as long as a start may take.
    if last.as_ref().is_some_and(|last| last.action != Action::AppStopped.as_str()) {
        quick_check(&db)?;
    }
    Ok((db, last))
}

fn quick_check(db: &Connection) -> Result<(), StoreError> {
    let pages: i64 =
        db.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(StoreError::sql(FILE, "read"))?;
    // 64 MiB of 4 KiB pages take about 0.2 s; a larger file is left to `verify`.
    if pages > 16_384 {
        return Ok(());
    }
    let said: String = db
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(StoreError::sql(FILE, "checked"))?;
    if said == "ok" { Ok(()) } else { Err(corrupt(said)) }
}

fn corrupt(said: String) -> StoreError {
    let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    StoreError::sql(FILE, "checked")(rusqlite::Error::SqliteFailure(damage, Some(said)))
}

/// A database at our version without our table, or with other types in it, is as damaged as one of noise.
fn as_damage(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure) => {
            StoreError::sql(FILE, "read")(error)
        }
        _ => corrupt(error.to_string()),
    }
}

/// The beginning of a new chain, when one is due: at the very first start, under another key, or because what is
/// there does not fit the head.
fn beginning(
    db: &Connection,
    chain: &Chain,
    last: Option<&Last>,
    head: Option<&Result<Head, HeadError>>,
    key: Option<&ChainKey>,
    set_aside: Option<&str>,
    seal: Option<SealPublic>,
) -> Result<Option<Draft>, StoreError> {
    if let Some(name) = set_aside {
        let said = format!("{FILE} was not readable and is kept as {name}");
        return Ok(Some(chain.beginning_after(&said, 1)));
    }
    let Some(last) = last else {
        return Ok(Some(match head {
            None => chain.beginning("first"),
            Some(_) => chain.beginning_after(&format!("{FILE} was missing, but there was a head for it"), 1),
        }));
    };
    let (current, sealed_by) = current_keys(db)?;
    let same = current.as_deref() == key.map(ChainKey::id);
    let same_seal = sealed_by == seal.map(|seal| seal.id());
    // Under which key they are is for the entries to say, so whoever cuts them off can seal what is left under a key of
    // their own, or under none. A head that only our key can make is judged all the same.
    let ours = head.is_some_and(|head| head.as_ref().is_ok_and(|head| key.is_some() && head.is_under(key)));
    let found = if same || ours { damage(db, last, head, key)? } else { cut_off(last, head).err() };
    let found = match (found, seal::reach(db)?) {
        // No checkpoint runs ahead of its entries.
        (None, reach) if reach > last.sequence => {
            Some((format!("the end was cut off: there was a checkpoint of entry {reach}"), last.sequence + 1))
        }
        (found, _) => found,
    };
    Ok(match found {
        Some((said, first_bad)) => Some(chain.beginning_after(&said, first_bad)),
        None if !same => Some(chain.beginning("another key")),
        None => (!same_seal).then(|| chain.beginning("another seal")),
    })
}

/// What shows under any key: a head that is missing or none, and entries that are missing at the end.
fn cut_off<'a>(last: &Last, head: Option<&'a Result<Head, HeadError>>) -> Result<&'a Head, (String, u64)> {
    let after = last.sequence + 1;
    match head {
        None => Err(("the head was missing".to_owned(), after)),
        Some(Err(error)) => Err((error.to_string(), after)),
        Some(Ok(head)) if head.sequence > last.sequence => {
            Err((format!("the end was cut off: there was an entry {}", head.sequence), after))
        }
        Some(Ok(head)) => Ok(head),
    }
}

fn damage(
    db: &Connection,
    last: &Last,
    head: Option<&Result<Head, HeadError>>,
    key: Option<&ChainKey>,
) -> Result<Option<(String, u64)>, StoreError> {
    let head = match cut_off(last, head) {
        Ok(head) => head,
        Err(found) => return Ok(Some(found)),
    };
    if !head.is_under(key) {
        return Ok(Some(("the head was not made by this Sallyport".to_owned(), last.sequence + 1)));
    }
    let named: Option<Vec<u8>> = db
        .query_row("SELECT link FROM entry WHERE sequence = ?", [head.sequence as i64], |row| row.get(0))
        .optional()
        .map_err(StoreError::sql(FILE, "read"))?;
    if named.as_deref() != Some(head.hash.bytes()) {
        return Ok(Some(("the head names another entry".to_owned(), head.sequence)));
    }
    Ok(None)
}

/// The ids of the keys that the last chain says it is under: its own, and that of its checkpoints.
fn current_keys(db: &Connection) -> Result<(Option<String>, Option<String>), StoreError> {
    let sql = format!("SELECT {} FROM entry WHERE action = ? ORDER BY sequence DESC LIMIT 1", row::COLUMNS);
    let begun: Option<Result<Linked, _>> = db
        .query_row(&sql, [Action::ChainBegun.as_str()], |row| Ok(row::read(row)))
        .optional()
        .map_err(StoreError::sql(FILE, "read"))?;
    let begun = begun.and_then(Result::ok);
    let said = |what: &str| Some(begun.as_ref()?.entry.detail.text(what)?.to_owned());
    Ok((said("chain"), said("seal")))
}
