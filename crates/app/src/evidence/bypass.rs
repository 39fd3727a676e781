//! Calls by a session's account that its gateway did not send: both sides compared, and what is found told as an entry.

mod together;

pub(super) use together::compared;

use super::Evidence;
use super::filter::of_accounts;
use super::timeline::account;
use crate::desk::AppError;
use sallyport_archive::{Answer, Archive, ArchiveError, Bounds, CallId, Column, Events, Filter, Kept};
use sallyport_audit::{Action, Draft, Entry, Outcome};
use sallyport_events::{Act, Event, Known, Reconciled, Record, SKEW, Told, hole, reconcile};
use sallyport_ipc::LacksView;
use sallyport_model::{AuditId, ClusterName, Jti, RequestUid};
use sallyport_store::Filter as Entries;
use std::collections::HashSet;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Calls of a session that are compared; of longer ones the newest.
pub(super) const CALLS_MOST: usize = 5_000;
/// Sessions of a cluster that are looked at after reading, the newest.
const SESSIONS: usize = 50;
/// Bypasses of one session that are noted one by one; fewer than are read at once, to tell none twice.
pub(super) const NOTED_MOST: usize = 200;
/// What the entry beyond them is called.
const MORE: &str = "more";
/// Entries of one request that are loaded.
pub(super) const ENTRIES_MOST: usize = 2 * CALLS_MOST;
/// Clusters that are looked at with the archive's opening.
const CLUSTERS: usize = 100;
/// When to try again what could not be compared.
const AGAIN: Duration = Duration::from_secs(60);
/// Between two looks at a cluster that is followed: what is younger than this is unclear anyway.
const EVERY: Duration = Duration::from_secs(30);
/// How long what was noted is waited for until it is on the disk.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
/// How long an entry may take to the disk, in microseconds.
const LATE: i64 = 1_000_000;
/// Pages of gaps that are looked through, a thousand each.
const GAP_PAGES: usize = 20;

/// Where an event was read: in which look into a log store, or in the archive; which one it is there, and its moment.
pub(super) type Place = (Option<u64>, CallId, i64);

/// What one place has of the calls of some accounts on a cluster.
#[derive(Default)]
pub(super) struct Part {
    /// In which look into a log store; none: in the archive.
    pub(super) look: Option<u64>,
    /// Every stage, in no order.
    pub(super) events: Vec<Kept>,
    pub(super) has_more: bool,
    pub(super) lacks: LacksView,
    /// From when to when it tells of that cluster.
    pub(super) range: Option<(i64, i64)>,
    /// Of which stretch of that it may lack some of these calls.
    pub(super) gap: Option<Range<i64>>,
}

/// The calls of some accounts, and what the comparison needs of them.
#[derive(Default)]
pub(super) struct OfSession {
    /// Folded, oldest first, with where each was read.
    pub(super) events: Vec<Event<'static>>,
    pub(super) place: Vec<Place>,
    pub(super) has_more: bool,
    pub(super) lacks: LacksView,
    /// From when to when anything is told of the cluster, and where that has holes; none where nothing is.
    pub(super) record: Option<Record>,
}

/// From when to when an archive tells of a cluster.
pub(super) fn range_of(
    archive: &Archive,
    cluster: &str,
    bounds: &Bounds,
) -> Result<Answer<Option<(i64, i64)>>, ArchiveError> {
    archive.range_of(&Filter::default().only(Column::Cluster, cluster), bounds)
}

/// Reads the calls of these accounts on a cluster.
pub(super) fn of_accounts_in(
    archive: &Archive,
    cluster: &str,
    accounts: &[String],
    bounds: &Bounds,
) -> Result<Part, ArchiveError> {
    let filter = of_accounts(Filter::default().only(Column::Cluster, cluster), accounts);
    let found = archive.events(&filter, CALLS_MOST, bounds)?;
    let oldest = found.value.events.iter().filter_map(|kept| kept.event.at()).min();
    let gap = match (found.lacks_nothing(), found.value.has_more) {
        (true, false) => None,
        // The newest were read.
        (true, true) => Some(i64::MIN..oldest.unwrap_or(i64::MAX)),
        (false, _) => Some(i64::MIN..i64::MAX),
    };
    let lacks = super::lacks(&found);
    let Events { events, has_more } = found.value;
    Ok(Part { look: None, events, has_more, lacks, range: None, gap })
}

impl OfSession {
    /// What several places tell, as one: an event that two of them have in the same words is one.
    pub(super) fn of(parts: Vec<Part>) -> Self {
        let mut out = Self { record: record_of(&parts), ..Self::default() };
        let mut read = Vec::new();
        for part in parts {
            out.has_more |= part.has_more;
            out.lacks = super::both(std::mem::take(&mut out.lacks), &part.lacks);
            read.push((part.look, part.events));
        }
        (out.events, out.place) = together::together(read).into_iter().unzip();
        out
    }
}

/// From when to when places tell of the cluster, with the holes that all of them have.
fn record_of(parts: &[Part]) -> Option<Record> {
    let mut told: Vec<(i64, i64)> = Vec::new();
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    for part in parts {
        let Some((first, last)) = part.range else { continue };
        (from, to) = (from.min(first), to.max(last));
        match &part.gap {
            None => told.push((first, last)),
            Some(gap) => told.extend([(first, last.min(gap.start)), (first.max(gap.end), last)]),
        }
    }
    if from > to {
        return None;
    }
    told.retain(|(from, to)| from < to);
    told.sort_unstable();
    let (mut gaps, mut upto) = (Vec::new(), from);
    for (begin, end) in told {
        if begin > upto {
            gaps.push(upto..begin);
        }
        upto = upto.max(end);
    }
    if upto < to {
        gaps.push(upto..to.saturating_add(1));
    }
    Some(Record { from, to, gaps, ..Record::default() })
}

/// Some of the events of a session, held against what its gateway sent.
fn compared_alone(of: &OfSession, events: &[Event<'_>], known: &Known, own: &Record) -> Reconciled {
    let cluster = of.record.clone().unwrap_or_default();
    // The policy of the cluster is not known here, nor whether these are the events of all of its API servers.
    reconcile(events, known, &cluster, own, Told::default())
}

/// What the history has of a request.
pub(super) struct OfRequest {
    /// Its steps and calls, oldest first.
    pub(super) entries: Vec<Entry>,
    /// Where there are more calls than are compared, the moment from which on all are among the entries.
    pub(super) from: Option<i64>,
    /// Around rows that can't be read: any call of that time may have been theirs.
    pub(super) gaps: Vec<Range<i64>>,
}

impl OfRequest {
    /// A record of the whole history, as far as the calls of this request go that were loaded.
    pub(super) fn record(&self, whole: &Record) -> Record {
        let mut gaps = whole.gaps.clone();
        gaps.extend(self.gaps.iter().cloned());
        Record { from: self.from.map_or(whole.from, |from| whole.from.max(from)), gaps, ..whole.clone() }
    }
}

/// What says what a session is: few entries each, however many calls there are.
const KEYS: [Action; 5] =
    [Action::Ask, Action::Offer, Action::Approved, Action::Granted, Action::SessionClosed];

/// How far what is kept was looked through.
enum Looked {
    All,
    /// There was no time to find every cluster.
    Part,
    /// There is no archive, or it could not be asked: another program may have it.
    Nothing,
}

/// In how many microseconds what is unclear of a comparison may have settled: where something of it is so young that its
/// entry may be on its way. `None` where waiting changes nothing.
fn settles_in(of: &OfSession, unclear: &[usize], now: i64) -> Option<i64> {
    let settled = unclear.iter().filter_map(|at| {
        let event = of.events.get(*at)?;
        let over = event.completed_at.into_iter().chain(event.at()).max()?;
        Some(over.saturating_add(SKEW).saturating_add(LATE).saturating_sub(now))
    });
    // What a log says is of the future is not waited for.
    settled.filter(|left| (1..=2 * SKEW).contains(left)).max()
}

impl Evidence {
    /// How far this desktop's own record goes.
    pub(super) async fn own_record(&self) -> Result<Record, AppError> {
        let (mut from, _) = self.history.range().await?.unwrap_or_default();
        let now = jiff::Timestamp::now().as_microsecond();
        let (mut holes, mut cursor) = (Vec::new(), None);
        // Most may be of clusters' logs, which those who write those logs can make: they must not shorten this.
        for page in 1..=GAP_PAGES {
            let gaps = Entries { actions: vec![Action::Gap], ..Entries::default() };
            let gaps = self.history.entries(gaps, cursor, 1_000).await?;
            holes.extend(gaps.entries.iter().filter_map(hole));
            if gaps.unreadable > 0 {
                // Any time may have been in the one that can't be read.
                holes.push(i64::MIN..i64::MAX);
            }
            cursor = gaps.next;
            if cursor.is_none() {
                break;
            }
            if page == GAP_PAGES {
                // What was before those that were loaded nobody looked at.
                from = from.max(gaps.entries.last().map_or(now, |oldest| oldest.at));
            }
        }
        Ok(Record { from, to: now, gaps: holes, late: LATE })
    }

    /// Looks through what was read of a cluster for calls by sessions of this desktop that their gateway did not send,
    /// and notes each that was not noted before. What can't be said yet is looked at again, and so is what could not be
    /// compared.
    pub(super) async fn look_for_bypasses(self: &Arc<Self>, cluster: &ClusterName) {
        let again = match self.note_bypasses(cluster).await {
            Ok(again) => again,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what was read was not compared with the history yet");
                Some(AGAIN)
            }
        };
        let Some(wait) = again else { return };
        let is_first = self.looks.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.clone());
        if is_first {
            tokio::spawn(self.clone().look_after(wait, cluster.clone()));
        }
    }

    /// The same beside whoever reads on, who is not to wait for it, and not with every event that comes.
    pub(super) fn look_soon(self: &Arc<Self>, cluster: &ClusterName) {
        let last = self.looked.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).copied();
        let wait = last.map_or(Duration::ZERO, |last| EVERY.saturating_sub(last.elapsed()));
        if self.looks.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.clone()) {
            tokio::spawn(self.clone().look_after(wait, cluster.clone()));
        }
    }

    /// One look, later.
    fn look_after(
        self: Arc<Self>,
        wait: Duration,
        cluster: ClusterName,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.desk.stop.cancelled() => return,
            }
            self.looks.lock().unwrap_or_else(PoisonError::into_inner).remove(&cluster);
            self.look_for_bypasses(&cluster).await;
        })
    }

    /// Looks at every cluster that the archive has events of: what somebody else read into it, or an earlier run that did
    /// not get to compare it. Where that could not be asked it is tried again, and where there was nothing, with the next
    /// question.
    pub(super) async fn look_until_all_is_seen(self: Arc<Self>) {
        loop {
            let is_asked_again = match self.look_at_all().await {
                Looked::All => return,
                // Each question would make another of those that take long.
                Looked::Part => false,
                Looked::Nothing => true,
            };
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = self.look_again.notified(), if is_asked_again => {}
                () = self.desk.stop.cancelled() => return,
            }
        }
    }

    async fn look_at_all(self: &Arc<Self>) -> Looked {
        let asked = self.ask("bypass of all", |archive, bounds| {
            archive.top(&Filter::default(), Column::Cluster, CLUSTERS, bounds)
        });
        let top = match asked.await {
            Ok(Some(top)) => top,
            Ok(None) => return Looked::Nothing,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what is kept was not compared with the history yet");
                return Looked::Nothing;
            }
        };
        for cluster in top.value.first.iter().filter_map(|(name, _)| name.parse().ok()) {
            self.look_for_bypasses(&cluster).await;
        }
        if top.is_whole { Looked::All } else { Looked::Part }
    }

    /// When to look again, if something is left to be said.
    async fn note_bypasses(&self, cluster: &ClusterName) -> Result<Option<Duration>, AppError> {
        let _alone = self.comparing.lock().await;
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.clone(), Instant::now());
        let of_cluster = |actions| Entries { cluster: Some(cluster.clone()), actions, ..Entries::default() };
        let granted = self.history.entries(of_cluster(vec![Action::Granted]), None, SESSIONS).await?;
        let record = self.own_record().await?;
        let mut again: Option<Duration> = None;
        for entry in &granted.entries {
            let (Some(request), Some(account)) = (&entry.request, account(entry)) else { continue };
            let name = cluster.to_string();
            let of =
                self.ask("bypass", move |archive, bounds| of_accounts_in(archive, &name, &[account], bounds));
            let Some(part) = of.await? else { return Ok(None) };
            if part.lacks.is_cut {
                again = again.max(Some(AGAIN));
            }
            if part.events.is_empty() {
                continue;
            }
            let of = OfSession::of(vec![part]);
            let own = self.of_request(request, ENTRIES_MOST).await?;
            let known = Known::of(own.entries.iter());
            let compared = compared(&of, &known, &own.record(&record));
            if let Some(left) = settles_in(&of, &compared.unclear, record.to) {
                let left = Duration::from_micros(left.unsigned_abs()) + Duration::from_secs(1);
                again = again.max(Some(left));
            }
            if !compared.bypass.is_empty() {
                self.note_each(entry, request, &of, &compared).await?;
            }
        }
        Ok(again)
    }

    /// Notes what was not noted before: of one session so many, and that there are more.
    async fn note_each(
        &self,
        granted: &Entry,
        request: &RequestUid,
        of: &OfSession,
        compared: &Reconciled,
    ) -> Result<(), AppError> {
        let filter =
            Entries { request: Some(request.clone()), actions: vec![Action::Bypass], ..Entries::default() };
        // All of them: there are never more.
        let noted = self.history.entries(filter, None, 2 * NOTED_MOST).await?;
        let mut noted: HashSet<String> = noted.entries.iter().filter_map(event_of).collect();
        let mut drafts = Vec::new();
        for bypass in &compared.bypass {
            let event = &of.events[bypass.event];
            let id = name_of(event);
            if noted.contains(&id) {
                continue;
            }
            if noted.len() >= NOTED_MOST {
                if noted.insert(MORE.to_owned()) {
                    drafts.push(more(granted));
                }
                break;
            }
            drafts.push(draft(granted, event, &id));
            noted.insert(id);
        }
        // The next look is to find them.
        self.history.note_all(drafts, WRITTEN_WITHIN).await;
        Ok(())
    }

    /// The entries of a request: what it is, and its newest calls and steps.
    /// Of those at most `most`, and a page of them at least.
    pub(super) async fn of_request(&self, request: &RequestUid, most: usize) -> Result<OfRequest, AppError> {
        let of = |actions| Entries { request: Some(request.clone()), actions, ..Entries::default() };
        let keys = self.history.entries(of(KEYS.to_vec()), None, 1_000).await?;
        let mut entries = keys.entries;
        let rest = Action::ALL.iter().filter(|action| !KEYS.contains(action));
        let rest = of(rest.copied().collect());
        let (mut cursor, mut loaded, mut oldest) = (None, 0, None);
        let mut gaps = Vec::new();
        let from = loop {
            let page = self.history.entries(rest.clone(), cursor, most.min(1_000)).await?;
            if page.unreadable > 0 {
                // They lie behind what came before this page, and before what the next begins with.
                let begin = page.next.and(page.entries.last()).map_or(i64::MIN, |entry| entry.at);
                gaps.push(begin..oldest.unwrap_or(i64::MAX));
            }
            loaded += page.entries.len();
            oldest = page.entries.last().map(|entry| entry.at).or(oldest);
            entries.extend(page.entries);
            cursor = page.next;
            if cursor.is_none() {
                break None;
            }
            if loaded >= most {
                break oldest;
            }
        };
        entries.sort_by_key(|entry| (entry.at, entry.sequence));
        Ok(OfRequest { entries, from, gaps })
    }
}

/// What a bypass is called in its entry, so that it is told once however often its log is read.
fn name_of(event: &Event<'_>) -> String {
    format!("{}@{}", event.audit_id, event.at().unwrap_or_default())
}

fn event_of(entry: &Entry) -> Option<String> {
    entry.detail.get("event").and_then(|event| event.as_str()).map(str::to_owned)
}

/// That there are more than are noted one by one: whoever holds a token makes as many as they like, and each would be kept.
fn more(granted: &Entry) -> Draft {
    let did = format!("more than {NOTED_MOST} calls, of which no more are noted one by one");
    about(granted).detail("event", MORE).detail("did", did)
}

fn draft(granted: &Entry, event: &Event<'_>, id: &str) -> Draft {
    let command = event.command.join(" ");
    let mut draft = about(granted)
        .detail("event", id)
        .detail("did", Act::of(event, &command).sentence())
        .detail("uri", sallyport_audit::redact_url(&event.uri).text)
        .detail("from", event.source_ips.join(", "))
        .audit_id(&AuditId::new(sallyport_model::clip(&event.audit_id, 128)));
    if let Some(code) = event.code {
        draft = draft.detail("status", code);
    }
    if let Some(agent) = &event.user_agent {
        draft = draft.detail("user_agent", agent.as_ref());
    }
    if let Some(jti) = event.jti() {
        draft = draft.jti(&Jti::new(jti));
    }
    draft
}

/// An entry about a session.
fn about(granted: &Entry) -> Draft {
    let mut draft = Draft::new(Action::Bypass).outcome(Outcome::Unknown);
    if let Some(user) = &granted.user {
        draft = draft.user(user);
    }
    if let Some(cluster) = &granted.cluster {
        draft = draft.cluster(cluster);
    }
    if let Some(request) = &granted.request {
        draft = draft.request(request);
    }
    if let Some(session) = &granted.session {
        draft = draft.session(session);
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: Option<(i64, i64)>, gap: Option<Range<i64>>) -> Part {
        Part { range, gap, ..Part::default() }
    }

    #[test]
    fn a_record_of_several_places_has_the_holes_that_all_of_them_have() {
        let of = |parts: &[Part]| {
            let record = record_of(parts)?;
            let gaps: Vec<_> = record.gaps.iter().map(|gap| (gap.start, gap.end)).collect();
            Some((record.from, record.to, gaps))
        };
        let nothing = part(None, Some(i64::MIN..i64::MAX));
        assert_eq!(of(&[]), None);
        assert_eq!(of(std::slice::from_ref(&nothing)), None, "nothing is told of it anywhere");
        assert_eq!(of(&[part(Some((10, 90)), None), nothing]), Some((10, 90, vec![])));
        // One ends before the other begins, and what lies between nobody tells of.
        let two = [part(Some((50, 90)), None), part(Some((10, 30)), None)];
        assert_eq!(of(&two), Some((10, 90, vec![(30, 50)])));
        // What one of them could not look at the other has.
        let two = [part(Some((10, 90)), Some(i64::MIN..60)), part(Some((20, 70)), None)];
        assert_eq!(of(&two), Some((10, 90, vec![(10, 20)])));
        // Nothing was looked at whole: all of it is a hole.
        let one = [part(Some((10, 90)), Some(i64::MIN..i64::MAX))];
        assert_eq!(of(&one), Some((10, 90, vec![(10, 91)])));
        assert_eq!(of(&[part(Some((10, 10)), None)]), Some((10, 10, vec![])));
    }
}
