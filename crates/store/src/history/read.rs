//! Reading the history: pages, counts, exports, and the walk of `verify`.

use super::{FILE, row};
use crate::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sallyport_audit::{Action, ChainKey, Entry, Head, Linked, Verdict};
use sallyport_model::{ClusterName, RequestUid, SessionId, UserName};
use std::time::{Duration, Instant};

/// Which entries are wanted; what is not set does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// On this cluster.
    pub cluster: Option<ClusterName>,
    /// Of this session.
    pub session: Option<SessionId>,
    /// Of this request.
    pub request: Option<RequestUid>,
    /// By this user.
    pub user: Option<UserName>,
    /// Of one of these actions; empty is any.
    pub actions: Vec<Action>,
    /// Containing this text in any of their fields, in whatever case.
    pub text: Option<String>,
    /// Not before this moment (microseconds of Unix time).
    pub from: Option<i64>,
    /// Before this moment (microseconds of Unix time).
    pub to: Option<i64>,
}

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The time of the last entry looked at.
    pub at: i64,
    /// Its place.
    pub sequence: u64,
}

/// Some entries, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Those that fit.
    pub entries: Vec<Entry>,
    /// Where the next page starts; none when nothing older is left.
    pub next: Option<Cursor>,
    /// Rows that are no entries and were left out; `verify` names the first.
    pub unreadable: u64,
}

const MOST: usize = 1000;
/// How long one page looks for a text.
const BUDGET: Duration = Duration::from_millis(250);

fn clauses(filter: &Filter, cursor: Option<Cursor>) -> (String, Vec<Value>) {
    let mut sql = String::from(" WHERE 1");
    let mut values: Vec<Value> = Vec::new();
    let mut equal = |column: &str, value: Option<&str>| {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {column} = ?"));
            values.push(value.to_owned().into());
        }
    };
    equal("session", filter.session.as_ref().map(SessionId::as_str));
    equal("request", filter.request.as_ref().map(RequestUid::as_str));
    equal("cluster", filter.cluster.as_ref().map(ClusterName::as_str));
    equal("user", filter.user.as_ref().map(UserName::as_str));
    if !filter.actions.is_empty() {
        let marks = vec!["?"; filter.actions.len()].join(",");
        sql.push_str(&format!(" AND action IN ({marks})"));
        values.extend(filter.actions.iter().map(|action| Value::from(action.as_str().to_owned())));
    }
    if let Some(from) = filter.from {
        sql.push_str(" AND at >= ?");
        values.push(from.into());
    }
    if let Some(to) = filter.to {
        sql.push_str(" AND at < ?");
        values.push(to.into());
    }
    if let Some(cursor) = cursor {
        sql.push_str(" AND (at, sequence) < (?, ?)");
        values.extend([cursor.at.into(), (cursor.sequence as i64).into()]);
    }
    (sql, values)
}

pub(super) fn page(
    db: &Connection,
    filter: &Filter,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, MOST);
    let text = filter.text.as_deref().map(str::to_lowercase).filter(|text| !text.is_empty());
    let (clauses, values) = clauses(filter, cursor);
    let sql = format!("SELECT {} FROM entry{clauses} ORDER BY at DESC, sequence DESC", row::COLUMNS);
    let fail = || StoreError::sql(FILE, "read");
    let mut statement = db.prepare_cached(&sql).map_err(fail())?;
    let mut rows = statement.query(params_from_iter(values)).map_err(fail())?;
    let started = Instant::now();
    let mut page = Page::default();
    while let Some(found) = rows.next().map_err(fail())? {
        match row::read(found) {
            Ok(linked) => {
                let entry = linked.entry;
                page.next = Some(Cursor { at: entry.at, sequence: entry.sequence });
                if text.as_deref().is_none_or(|text| contains(&entry, text)) {
                    page.entries.push(entry);
                }
            }
            Err(_) => page.unreadable += 1,
        }
        if page.entries.len() == limit || (text.is_some() && started.elapsed() > BUDGET) {
            // One look further: a `next` that leads to an empty page is a click for nothing.
            let more = rows.next().map_err(fail())?.is_some();
            page.next = page.next.filter(|_| more);
            return Ok(page);
        }
    }
    page.next = None;
    Ok(page)
}

fn contains(entry: &Entry, text: &str) -> bool {
    let fields = [
        Some(entry.action.as_str()),
        Some(entry.outcome.as_str()),
        entry.user.as_ref().map(UserName::as_str),
        entry.cluster.as_ref().map(ClusterName::as_str),
        entry.request.as_ref().map(RequestUid::as_str),
        entry.grant.as_ref().map(|id| id.as_str()),
        entry.session.as_ref().map(SessionId::as_str),
        entry.jti.as_ref().map(|id| id.as_str()),
        entry.audit_id.as_ref().map(|id| id.as_str()),
    ];
    fields.into_iter().flatten().any(|field| field.to_lowercase().contains(text))
        || entry.detail.to_json().to_lowercase().contains(text)
}

pub(super) fn count(db: &Connection, filter: &Filter) -> Result<u64, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    let text = filter.text.as_deref().map(str::to_lowercase).filter(|text| !text.is_empty());
    let (clauses, values) = clauses(filter, None);
    let Some(text) = text else {
        let sql = format!("SELECT count(*) FROM entry{clauses}");
        let count: i64 = db.query_row(&sql, params_from_iter(values), |row| row.get(0)).map_err(fail())?;
        return Ok(count.max(0) as u64);
    };
    let sql = format!("SELECT {} FROM entry{clauses}", row::COLUMNS);
    let mut statement = db.prepare_cached(&sql).map_err(fail())?;
    let mut rows = statement.query(params_from_iter(values)).map_err(fail())?;
    let mut count = 0;
    while let Some(found) = rows.next().map_err(fail())? {
        count += u64::from(row::read(found).is_ok_and(|linked| contains(&linked.entry, &text)));
    }
    Ok(count)
}

pub(super) fn from(db: &Connection, sequence: u64, limit: usize) -> Result<Vec<Linked>, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    let sql = format!("SELECT {} FROM entry WHERE sequence >= ? ORDER BY sequence LIMIT ?", row::COLUMNS);
    let mut statement = db.prepare_cached(&sql).map_err(fail())?;
    let limit = limit.min(10_000) as i64;
    let mut rows = statement.query([sequence as i64, limit]).map_err(fail())?;
    let mut out = Vec::new();
    while let Some(found) = rows.next().map_err(fail())? {
        out.extend(row::read(found));
    }
    Ok(out)
}

pub(super) fn verify(
    db: &Connection,
    head: Option<&Head>,
    key: Option<&ChainKey>,
) -> Result<Verdict, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    let sql = format!("SELECT {} FROM entry ORDER BY sequence", row::COLUMNS);
    let mut statement = db.prepare(&sql).map_err(fail())?;
    let mut rows = statement.query([]).map_err(fail())?;
    let mut broke = None;
    let entries = std::iter::from_fn(|| match rows.next() {
        Ok(found) => found.map(row::read),
        Err(error) => {
            broke = Some(error);
            None
        }
    });
    let verdict = sallyport_audit::verify(entries, head, key);
    match broke {
        // A walk that stopped in the middle says nothing about the rest.
        Some(error) => Err(fail()(error)),
        None => Ok(verdict),
    }
}
