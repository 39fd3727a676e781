//! Reading the history: pages, counts, exports, and the walk of `verify`.

use super::{FILE, row};
use crate::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sallyport_audit::{Action, Entry, Linked, Outcome, Unreadable};
use sallyport_model::{ClusterName, RequestUid, SessionId, UserName};
use std::time::{Duration, Instant};

/// Which entries are wanted; what is not set does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// How it went.
    pub went: Option<Went>,
}

/// How a call or a step went, as a filter asks for it: each is one of these, or was not proven either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// It was let through, and went well.
    Allowed,
    /// Refused, by whomever.
    Refused,
    /// It was let through, and failed.
    Failed,
}

impl Went {
    fn is_of(self, entry: &Entry) -> bool {
        let is_refused = entry.outcome == Outcome::Refused;
        let has_failed = entry.outcome == Outcome::Failed
            || entry.detail.number("status").is_some_and(|status| (400..=599).contains(&status));
        match self {
            Self::Allowed => entry.outcome == Outcome::Ok && !has_failed,
            Self::Refused => is_refused,
            Self::Failed => has_failed && !is_refused,
        }
    }
}

/// By what entries are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopBy {
    /// Who.
    User,
    /// Where.
    Cluster,
    /// What was done.
    Action,
    /// In which session.
    Session,
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
    /// Whether all entries were looked at in the time there was: where not, the newest were.
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
/// How long one page looks for what no index knows.
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
    if let Some(cursor) = cursor {
        sql.push_str(" AND (at, sequence) < (?, ?)");
        values.extend([cursor.at.into(), (cursor.sequence as i64).into()]);
    }
    (sql, values)
}

/// What is asked of each entry by itself: no index knows it, so that looking for it has a time.
struct Look<'a> {
    text: Option<String>,
    call: &'a CallFilter,
}

impl<'a> Look<'a> {
    /// `None` where every entry that the database finds fits.
    fn of(filter: &'a Filter) -> Option<Self> {
        let text = filter.text.as_deref().map(str::to_lowercase).filter(|text| !text.is_empty());
        let is_any = text.is_none() && filter.call == CallFilter::default();
        (!is_any).then_some(Self { text, call: &filter.call })
    }

    fn fits(&self, entry: &Entry) -> bool {
        self.call.fits(entry) && self.text.as_deref().is_none_or(|text| contains(entry, text))
    }
}

impl CallFilter {
    /// What a call was stands in its detail, as `app` writes it: `verb`, `status`, and `what`, which is
    /// `pods/exec web-0 in payments` with what there is of it. None of these has a blank in it.
    fn fits(&self, entry: &Entry) -> bool {
        if *self == Self::default() {
            return true;
        }
        let text = |key: &str| entry.detail.text(key).unwrap_or_default();
        let words: Vec<&str> = text("what").split(' ').collect();
        let resource = words.first().copied().unwrap_or_default();
        let (name, namespace) = match words.get(1..).unwrap_or_default() {
            ["in", namespace] => (None, Some(*namespace)),
            [name, "in", namespace] => (Some(*name), Some(*namespace)),
            [name] => (Some(*name), None),
            _ => (None, None),
        };
        let is_of = |wanted: &str| {
            let below = resource.strip_prefix(wanted);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        };
        let status = || entry.detail.number("status");
        self.verb.as_deref().is_none_or(|wanted| text("verb") == wanted)
            && self.resource.as_deref().is_none_or(is_of)
            && self.namespace.as_deref().is_none_or(|wanted| namespace == Some(wanted))
            && self.name.as_deref().is_none_or(|wanted| name == Some(wanted))
            && self.status.is_none_or(|(from, to)| {
                status().is_some_and(|status| (u64::from(from)..=u64::from(to)).contains(&status))
            })
            && self.went.is_none_or(|went| went.is_of(entry))
    }
}

pub(super) fn page(
    db: &Connection,
    filter: &Filter,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, MOST);
    let look = Look::of(filter);
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
                if look.as_ref().is_none_or(|look| look.fits(&entry)) {
                    page.entries.push(entry);
                }
            }
            Err(_) => page.unreadable += 1,
        }
        if page.entries.len() == limit || (look.is_some() && started.elapsed() > BUDGET) {
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
    let (clauses, values) = clauses(filter, None);
    let Some(look) = Look::of(filter) else {
        let sql = format!("SELECT count(*) FROM entry{clauses}");
        let count: i64 = db.query_row(&sql, params_from_iter(values), |row| row.get(0)).map_err(fail())?;
        return Ok(count.max(0) as u64);
    };
    let sql = format!("SELECT {} FROM entry{clauses}", row::COLUMNS);
    let mut statement = db.prepare_cached(&sql).map_err(fail())?;
    let mut rows = statement.query(params_from_iter(values)).map_err(fail())?;
    let mut count = 0;
    while let Some(found) = rows.next().map_err(fail())? {
        count += u64::from(row::read(found).is_ok_and(|linked| look.fits(&linked.entry)));
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
    let mut put = |at: i64, is_failed: bool| {
        let place = at.saturating_sub(from) / step;
        if let Some(bucket) = usize::try_from(place).ok().and_then(|at| out.each.get_mut(at)) {
            bucket.entries += 1;
            bucket.failed += u64::from(is_failed);
        }
    };
    let look = Look::of(&filter);
    let (clauses, values) = clauses(&filter, None);
    // Where nothing is asked of an entry by itself, it is not read as a whole.
    let columns = if look.is_some() { row::COLUMNS } else { "at, outcome" };
    // The newest first: they are right, whatever there is no time for.
    let sql = format!("SELECT {columns} FROM entry{clauses} ORDER BY at DESC");
    let mut statement = db.prepare(&sql).map_err(fail())?;
    let mut rows = statement.query(params_from_iter(values)).map_err(fail())?;
    let (started, mut read, mut is_whole) = (Instant::now(), 0u64, true);
    while let Some(found) = rows.next().map_err(fail())? {
        read += 1;
        // Asking for the time takes longer than a row does.
        if read.is_multiple_of(64) && started.elapsed() > BUCKETS_BUDGET {
            is_whole = false;
            break;
        }
        match &look {
            Some(look) => {
                let Ok(linked) = row::read(found) else { continue };
                if look.fits(&linked.entry) {
                    let outcome = linked.entry.outcome;
                    put(linked.entry.at, matches!(outcome, Outcome::Refused | Outcome::Failed));
                }
            }
            None => {
                let (Ok(at), Ok(outcome)) = (found.get(0), found.get_ref(1)) else { continue };
                let is = |outcome: Outcome, said: &[u8]| said == outcome.as_str().as_bytes();
                let said = outcome.as_bytes().unwrap_or_default();
                put(at, is(Outcome::Refused, said) || is(Outcome::Failed, said));
            }
        }
    }
    out.is_whole = is_whole;
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
        TopBy::Action => "action",
        TopBy::Session => "session",
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
