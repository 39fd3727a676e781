//! Calls by a session's account that its gateway did not send: both sides compared, and what is found told as an entry.

use super::Evidence;
use super::filter::of_accounts;
use super::timeline::{account, event};
use crate::desk::AppError;
use sallyport_archive::{Archive, ArchiveError, Bounds, Call, Column, Filter};
use sallyport_audit::{Action, Draft, Entry, Outcome};
use sallyport_events::{Act, Event, Known, Reconciled, Record, Told, fold, reconcile};
use sallyport_model::{AuditId, ClusterName, Jti};
use sallyport_store::Filter as Entries;
use std::collections::HashSet;

/// Calls of a session that are compared; of longer ones the newest.
pub(super) const CALLS_MOST: usize = 5_000;
/// Calls of the archive that are read at once.
const CHUNK: usize = 1_000;
/// Sessions of a cluster that are looked at after reading, the newest.
const SESSIONS: usize = 50;
/// Bypasses that are known already, to tell none twice.
const KNOWN: usize = 1_000;
/// How long an entry may take to the disk, in microseconds.
const LATE: i64 = 1_000_000;

/// The calls of some accounts, and what the comparison needs of them.
pub(super) struct OfSession {
    /// Newest first, every stage.
    pub(super) calls: Vec<Call>,
    /// Folded, with which of `calls` each begins at.
    pub(super) events: Vec<Event<'static>>,
    pub(super) place: Vec<usize>,
    pub(super) has_more: bool,
    pub(super) lacks: sallyport_ipc::LacksView,
    pub(super) range: Option<(i64, i64)>,
}

/// Reads the calls of these accounts on a cluster.
pub(super) fn of_session(
    archive: &Archive,
    cluster: &str,
    accounts: &[String],
    bounds: &Bounds,
) -> Result<OfSession, ArchiveError> {
    let filter = of_accounts(Filter::default().only(Column::Cluster, cluster), accounts);
    let (mut calls, mut cursor, mut lacks) = (Vec::new(), None, sallyport_ipc::LacksView::default());
    let has_more = loop {
        let page = archive.page(&filter, cursor, CHUNK.min(CALLS_MOST - calls.len()), bounds)?;
        lacks = super::both(lacks, &super::lacks(&page));
        calls.extend(page.value.calls);
        cursor = page.value.next;
        if cursor.is_none() || calls.len() >= CALLS_MOST || !page.is_whole {
            break cursor.is_some();
        }
    };
    let ids: Vec<_> = calls.iter().map(|call| call.id).collect();
    let mut read = Vec::with_capacity(calls.len());
    for (at, raw) in archive.raws(&ids).into_iter().enumerate() {
        let Ok(raw) = raw else {
            lacks.damaged += 1;
            continue;
        };
        event(&raw, &mut |event| read.push((at, event.clone().into_owned())));
    }
    let (events, place) = folded(read, &calls);
    Ok(OfSession { calls, events, place, has_more, lacks, range: archive.status().range })
}

/// The moments of each call as one, with a call that stands for it.
fn folded(read: Vec<(usize, Event<'static>)>, calls: &[Call]) -> (Vec<Event<'static>>, Vec<usize>) {
    // Oldest first, as they were written.
    let mut read = read;
    read.sort_by_key(|(at, _)| calls.get(*at).map(|call| (call.at, call.id)));
    let places: Vec<(String, Option<i64>, usize)> =
        read.iter().map(|(at, event)| (event.audit_id.to_string(), event.at(), *at)).collect();
    let events = fold(read.into_iter().map(|(_, event)| event));
    let place = events.iter().map(|event| {
        let of = |(id, at, _): &&(String, Option<i64>, usize)| *id == event.audit_id && *at == event.at();
        let exact = places.iter().rev().find(of);
        let alike = || places.iter().find(|(id, ..)| *id == event.audit_id);
        exact.or_else(alike).map_or(0, |(.., at)| *at)
    });
    let place = place.collect();
    (events, place)
}

/// Both sides of a session, compared.
pub(super) fn compared(of: &OfSession, known: &Known, own: &Record) -> Reconciled {
    let (from, to) = of.range.unwrap_or_default();
    let cluster = Record { from, to, ..Record::default() };
    // The policy of the cluster is not known here, nor whether these are the events of all of its API servers.
    reconcile(&of.events, known, &cluster, own, Told::default())
}

impl Evidence {
    /// How far this desktop's own record goes.
    pub(super) async fn own_record(&self) -> Result<Record, AppError> {
        let gaps = Entries { actions: vec![Action::Gap], ..Entries::default() };
        let gaps = self.history.entries(gaps, None, 1_000).await?;
        let moment = |entry: &Entry, key: &str| entry.detail.get(key).and_then(serde_json::Value::as_i64);
        let gaps = gaps
            .entries
            .iter()
            .filter_map(|entry| Some(moment(entry, "from")?..moment(entry, "to")?.saturating_add(1)));
        let (from, _) = self.history.range().await?.unwrap_or_default();
        let now = jiff::Timestamp::now().as_microsecond();
        Ok(Record { from, to: now, gaps: gaps.collect(), late: LATE })
    }

    /// Looks through what was read of a cluster for calls by sessions of this desktop that their gateway did not send,
    /// and notes each that was not noted before.
    pub(super) async fn look_for_bypasses(&self, cluster: &ClusterName) {
        if let Err(error) = self.note_bypasses(cluster).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what was read was not compared with the history");
        }
    }

    async fn note_bypasses(&self, cluster: &ClusterName) -> Result<(), AppError> {
        let of_cluster = |actions| Entries { cluster: Some(cluster.clone()), actions, ..Entries::default() };
        let granted = self.history.entries(of_cluster(vec![Action::Granted]), None, SESSIONS).await?;
        let noted = self.history.entries(of_cluster(vec![Action::Bypass]), None, KNOWN).await?;
        let mut noted: HashSet<String> = noted.entries.iter().filter_map(event_of).collect();
        let record = self.own_record().await?;
        for entry in &granted.entries {
            let (Some(request), Some(account)) = (&entry.request, account(entry)) else { continue };
            let name = cluster.to_string();
            let kind = format!("bypass {request}");
            let of = self.ask(&kind, move |archive, bounds| of_session(archive, &name, &[account], bounds));
            let Some(of) = of.await? else { return Ok(()) };
            if of.calls.is_empty() {
                continue;
            }
            let (entries, _) = self.of_request(request).await?;
            let known = Known::of(entries.iter());
            for bypass in compared(&of, &known, &record).bypass {
                let event = &of.events[bypass.event];
                let id = name_of(event);
                if noted.insert(id.clone()) {
                    self.history.note(draft(entry, event, &id)).await;
                }
            }
        }
        Ok(())
    }

    /// The entries of a request, oldest first, and whether there are more.
    pub(super) async fn of_request(
        &self,
        request: &sallyport_model::RequestUid,
    ) -> Result<(Vec<Entry>, bool), AppError> {
        let filter = Entries { request: Some(request.clone()), ..Entries::default() };
        let (mut entries, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.history.entries(filter.clone(), cursor, 1_000).await?;
            entries.extend(page.entries);
            cursor = page.next;
            if cursor.is_none() || entries.len() >= 2 * CALLS_MOST {
                entries.reverse();
                return Ok((entries, cursor.is_some()));
            }
        }
    }
}

/// What a bypass is called in its entry, so that it is told once however often its log is read.
fn name_of(event: &Event<'_>) -> String {
    format!("{}@{}", event.audit_id, event.at().unwrap_or_default())
}

fn event_of(entry: &Entry) -> Option<String> {
    entry.detail.get("event").and_then(|event| event.as_str()).map(str::to_owned)
}

fn draft(granted: &Entry, event: &Event<'_>, id: &str) -> Draft {
    let command = event.command.join(" ");
    let mut draft = Draft::new(Action::Bypass)
        .outcome(Outcome::Unknown)
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
