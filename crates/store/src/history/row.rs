//! The table `entry` and its rows.

use crate::file::Migrations;
use rusqlite::{CachedStatement, Connection, Row, params};
use sallyport_audit::{Detail, Entry, Linked, Unreadable};
use sallyport_model::{AuditId, Digest, GrantUid, Jti, RequestUid, SessionId};
use std::str::FromStr;

/// Each filter of the Audit view has its index ending in the order of the view; partial, as most entries lack most
/// fields. The triggers keep our own mistakes from rewriting history; against others there is the chain.
pub(super) const MIGRATIONS: Migrations = Migrations {
    file: super::FILE,
    steps: &["
CREATE TABLE entry (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  user TEXT,
  cluster TEXT,
  request TEXT,
  grant_uid TEXT,
  session TEXT,
  jti TEXT,
  audit_id TEXT,
  detail TEXT NOT NULL,
  redactions INTEGER NOT NULL,
  link BLOB NOT NULL
) STRICT;
CREATE INDEX entry_at ON entry (at);
CREATE INDEX entry_action ON entry (action, at);
CREATE INDEX entry_user ON entry (user, at) WHERE user IS NOT NULL;
CREATE INDEX entry_cluster ON entry (cluster, at) WHERE cluster IS NOT NULL;
CREATE INDEX entry_session ON entry (session, at) WHERE session IS NOT NULL;
CREATE INDEX entry_request ON entry (request, at) WHERE request IS NOT NULL;
CREATE TRIGGER entry_is_not_edited BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are not edited'); END;
CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are not deleted'); END;
", "
CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  signed TEXT NOT NULL,
  edge BLOB NOT NULL,
  leaves BLOB NOT NULL
) STRICT;
CREATE TRIGGER checkpoint_is_not_edited BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are not edited'); END;
CREATE TRIGGER checkpoint_is_not_deleted BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoints are not deleted'); END;
"],
};

pub(super) const COLUMNS: &str = "sequence, at, action, outcome, user, cluster, request, grant_uid, session, jti, \
                                  audit_id, detail, redactions, link";

pub(super) fn prepare_insert(db: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    db.prepare_cached(&format!("INSERT INTO entry ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"))
}

pub(super) fn insert(statement: &mut CachedStatement<'_>, linked: &Linked) -> rusqlite::Result<usize> {
    let entry = &linked.entry;
    statement.execute(params![
        entry.sequence as i64,
        entry.at,
        entry.action.as_str(),
        entry.outcome.as_str(),
        entry.user.as_ref().map(|v| v.as_str()),
        entry.cluster.as_ref().map(|v| v.as_str()),
        entry.request.as_ref().map(RequestUid::as_str),
        entry.grant.as_ref().map(GrantUid::as_str),
        entry.session.as_ref().map(SessionId::as_str),
        entry.jti.as_ref().map(Jti::as_str),
        entry.audit_id.as_ref().map(AuditId::as_str),
        entry.detail.to_json(),
        entry.redactions,
        linked.link.bytes().as_slice(),
    ])
}

/// Reads a row of [`COLUMNS`]. Whatever was done to the file, this says so and never panics.
pub(super) fn read(row: &Row<'_>) -> Result<Linked, Unreadable> {
    let sequence = row.get::<_, i64>(0).unwrap_or(0).max(0) as u64;
    parse(row, sequence).map_err(|why| Unreadable { sequence, why })
}

fn parse(row: &Row<'_>, sequence: u64) -> Result<Linked, String> {
    let text = |column: usize| row.get::<_, String>(column).map_err(|_| wrong(row, column));
    let maybe = |column: usize| row.get::<_, Option<String>>(column).map_err(|_| wrong(row, column));
    let link: [u8; 32] = row.get(13).map_err(|_| wrong(row, 13))?;
    let entry = Entry {
        sequence,
        at: row.get(1).map_err(|_| wrong(row, 1))?,
        action: parsed(&text(2)?)?,
        outcome: parsed(&text(3)?)?,
        user: maybe(4)?.as_deref().map(parsed).transpose()?,
        cluster: maybe(5)?.as_deref().map(parsed).transpose()?,
        request: maybe(6)?.map(RequestUid::new),
        grant: maybe(7)?.map(GrantUid::new),
        session: maybe(8)?.map(SessionId::new),
        jti: maybe(9)?.map(Jti::new),
        audit_id: maybe(10)?.map(AuditId::new),
        detail: Detail::from_stored(&text(11)?)?,
        redactions: row.get(12).map_err(|_| wrong(row, 12))?,
    };
    Ok(Linked { entry, link: Digest::from(link) })
}

fn wrong(row: &Row<'_>, column: usize) -> String {
    format!("its {} has another type", row.as_ref().column_name(column).unwrap_or("column"))
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
