//! Reading the history: pages, counts, exports, and the walk of `verify`.

use super::{FILE, row};
use crate::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sallyport_audit::{Action, Entry, Linked, Outcome, Unreadable};
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
    /// What the calls among them were; anything but its default leaves out all that is no call.
    pub call: CallFilter,
}

/// Which calls through the gateway are wanted; what is not set does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// The verb, or the kind of stream.
    pub verb: Option<String>,
    /// The resource without its group, with a subresource or not: `pods`, `pods/exec`. `pods` is those below it, too.
    pub resource: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// The HTTP status, both ends included.
    pub status: Option<(u16, u16)>,
    /// Refused, by whomever.
    pub is_refused: bool,
}

/// By what entries are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopBy {
    /// Who.
    User,
    /// Where.
    Cluster,
}

/// What happened in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Entries.
    pub entries: u64,
    /// Those among them that were refused or failed.
    pub failed: u64,
}

/// Entries by time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// Each stretch of time.
    pub each: Vec<Bucket>,
    /// Whether all entries were looked at in the time there was for a text.
    pub is_whole: bool,
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
/// How long counting by time does.
const BUCKETS_BUDGET: Duration = Duration::from_secs(1);

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
    calls(&filter.call, &mut sql, &mut values);
    if let Some(cursor) = cursor {
        sql.push_str(" AND (at, sequence) < (?, ?)");
        values.extend([cursor.at.into(), (cursor.sequence as i64).into()]);
    }
    (sql, values)
}

/// What a call was stands in its detail, as `app` writes it: `verb`, `status`, and `what`, which is
/// `pods/exec web-0 in payments` with what there is of it.
fn calls(call: &CallFilter, sql: &mut String, values: &mut Vec<Value>) {
    const WHAT: &str = "coalesce(json_extract(detail, '$.what'), '')";
    const STATUS: &str = "json_extract(detail, '$.status')";
    if let Some(verb) = &call.verb {
        sql.push_str(" AND json_extract(detail, '$.verb') = ?");
        values.push(verb.clone().into());
    }
    if let Some(resource) = &call.resource {
        let begins = format!("substr({WHAT}, 1, length(?) + 1) IN (? || ' ', ? || '/')");
        sql.push_str(&format!(" AND ({WHAT} = ? OR {begins})"));
        values.extend(std::iter::repeat_n(Value::from(resource.clone()), 4));
    }
    if let Some(namespace) = &call.namespace {
        sql.push_str(&format!(" AND substr({WHAT}, -length(?)) = ?"));
        let end = Value::from(format!(" in {namespace}"));
        values.extend([end.clone(), end]);
    }
    if let Some(name) = &call.name {
        sql.push_str(&format!(" AND instr({WHAT} || ' ', ?) > 0"));
        values.push(format!(" {name} ").into());
    }
    if let Some((from, to)) = call.status {
        sql.push_str(&format!(" AND {STATUS} BETWEEN ? AND ?"));
        values.extend([i64::from(from).into(), i64::from(to).into()]);
    }
    if call.is_refused {
        sql.push_str(" AND outcome = ?");
        values.push(Outcome::Refused.as_str().to_owned().into());
    }
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

pub(super) fn buckets(
    db: &Connection,
    filter: &Filter,
    from: i64,
    step: i64,
    buckets: usize,
) -> Result<Buckets, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    let step = step.max(1);
    let to = from.saturating_add(step.saturating_mul(i64::try_from(buckets).unwrap_or(i64::MAX)));
    let filter = Filter {
        from: Some(filter.from.map_or(from, |first| first.max(from))),
        to: Some(filter.to.map_or(to, |end| end.min(to))),
        ..filter.clone()
    };
    let mut out = Buckets { each: vec![Bucket::default(); buckets], is_whole: true };
    let text = filter.text.as_deref().map(str::to_lowercase).filter(|text| !text.is_empty());
    let (clauses, values) = clauses(&filter, None);
    let Some(text) = text else {
        let sql = format!(
            "SELECT (at - {from}) / {step}, count(*), sum(outcome IN ('{}', '{}')) FROM entry{clauses} GROUP BY 1",
            Outcome::Refused,
            Outcome::Failed
        );
        let mut statement = db.prepare(&sql).map_err(fail())?;
        let mut rows = statement.query(params_from_iter(values)).map_err(fail())?;
        while let Some(row) = rows.next().map_err(fail())? {
            let number = |at: usize| row.get::<_, i64>(at);
            let place = number(0).map_err(fail())?;
            if let Some(bucket) = usize::try_from(place).ok().and_then(|at| out.each.get_mut(at)) {
                bucket.entries += number(1).map_err(fail())?.unsigned_abs();
                bucket.failed += number(2).map_err(fail())?.unsigned_abs();
            }
        }
        return Ok(out);
    };
    let sql = format!("SELECT {} FROM entry{clauses} ORDER BY at DESC", row::COLUMNS);
    let mut statement = db.prepare(&sql).map_err(fail())?;
    let mut rows = statement.query(params_from_iter(values)).map_err(fail())?;
    let started = Instant::now();
    while let Some(found) = rows.next().map_err(fail())? {
        if started.elapsed() > BUCKETS_BUDGET {
            out.is_whole = false;
            break;
        }
        let Ok(linked) = row::read(found) else { continue };
        if contains(&linked.entry, &text) {
            let is_failed = matches!(linked.entry.outcome, Outcome::Refused | Outcome::Failed);
            let place = linked.entry.at.saturating_sub(from) / step;
            if let Some(bucket) = usize::try_from(place).ok().and_then(|at| out.each.get_mut(at)) {
                bucket.entries += 1;
                bucket.failed += u64::from(is_failed);
            }
        }
    }
    Ok(out)
}

pub(super) fn top(
    db: &Connection,
    filter: &Filter,
    by: TopBy,
    most: usize,
) -> Result<Vec<(String, u64)>, StoreError> {
    let column = match by {
        TopBy::User => "user",
        TopBy::Cluster => "cluster",
    };
    let (clauses, mut values) = clauses(&Filter { text: None, ..filter.clone() }, None);
    let sql = format!(
        "SELECT {column}, count(*) FROM entry{clauses} AND {column} IS NOT NULL
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
    );
    values.push(i64::try_from(most.min(MOST)).unwrap_or(0).into());
    let fail = || StoreError::sql(FILE, "read");
    let mut statement = db.prepare_cached(&sql).map_err(fail())?;
    let rows = statement
        .query_map(params_from_iter(values), |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0).unsigned_abs()))
        })
        .map_err(fail())?;
    rows.collect::<Result<_, _>>().map_err(fail())
}

pub(super) fn range(db: &Connection) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT (SELECT min(at) FROM entry), (SELECT max(at) FROM entry)";
    let range = db.query_row(sql, [], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?)));
    range.map(|(first, last): (_, Option<i64>)| first.zip(last)).map_err(StoreError::sql(FILE, "read"))
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

/// Hands all entries, in their stored order, to whoever walks them.
pub(super) fn walk<T>(
    db: &Connection,
    walked: impl FnOnce(&mut dyn Iterator<Item = Result<Linked, Unreadable>>) -> T,
) -> Result<T, StoreError> {
    let fail = || StoreError::sql(FILE, "read");
    let sql = format!("SELECT {} FROM entry ORDER BY sequence", row::COLUMNS);
    let mut statement = db.prepare(&sql).map_err(fail())?;
    let mut rows = statement.query([]).map_err(fail())?;
    let mut broke = None;
    let mut entries = std::iter::from_fn(|| match rows.next() {
        Ok(found) => found.map(row::read),
        Err(error) => {
            broke = Some(error);
            None
        }
    });
    let done = walked(&mut entries);
    match broke {
        // A walk that stopped in the middle says nothing about the rest.
        Some(error) => Err(fail()(error)),
        None => Ok(done),
    }
}
