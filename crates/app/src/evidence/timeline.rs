//! One timeline of both sides: pages, counts over time, and what is most frequent.

use super::filter::{self, Both};
use super::merge::{Cursor, Looked, Side, merged};
use super::raws::replicas;
use super::row::{self, RowId};
use super::{Evidence, both, command, lacks, number, or_lacks, stores};
use crate::desk::AppError;
use sallyport_archive::{Call, Column, Cursor as CallCursor, Page as Calls, Top};
use sallyport_events::{Act, join};
use sallyport_ipc::{
    HistogramBin, HistogramView, LacksView, Shown, TieBy, TieView, TimelineFacet, TimelineFilter,
    TimelinePage, TimelineRow, TopLine, TopView,
};
use sallyport_model::RequestUid;
use sallyport_store::{Cursor as OwnCursor, Filter as Entries, Page as Own, TopBy};
use std::collections::HashMap;
use std::sync::Arc;

/// Most rows of a page.
const PAGE_MOST: u32 = 500;
/// Most stretches of time of a histogram.
const BINS_MOST: u32 = 500;
/// Lines of a ranking, and of each of those that it is made of.
const TOP: usize = 20;
pub(super) const TOP_TOLD: usize = 1000;
/// Rows that tell of one call, one from each side, as one: the history's, tied. `ids` are the Audit-IDs of the clusters'
/// rows that the gateway minted for a call: whoever sees an id can send it along, and is not among them; nor is what their
/// token did under it to something else, otherwise or at another time.
fn paired(rows: Vec<TimelineRow>, ids: &HashMap<Shown, Shown>) -> Vec<TimelineRow> {
    let mut own: HashMap<Shown, usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(entry) = &row.entry else { continue };
        if let (Some(id), "call" | "stream_end") = (&entry.ids.audit_id, entry.action.as_str()) {
            own.insert(id.clone(), at);
        }
    }
    let mut ties: HashMap<usize, TieView> = HashMap::new();
    let mut gone = vec![false; rows.len()];
    // The oldest first: an id that is used again is of a call that was there before.
    for (at, row) in rows.iter().enumerate().rev() {
        let Some(place) = ids.get(&row.id).and_then(|id| own.get(id)) else { continue };
        let Some(tie) = row.tie.clone().filter(|_| !ties.contains_key(place)) else { continue };
        ties.insert(*place, TieView { call: Some(row.id.clone()), ..tie });
        gone[at] = true;
    }
    let left = rows.into_iter().enumerate().filter(|(at, _)| !gone[*at]);
    left.map(|(at, row)| TimelineRow { tie: ties.remove(&at).or(row.tie), ..row }).collect()
}

impl Evidence {
    pub(crate) async fn timeline(
        self: &Arc<Self>,
        filter: TimelineFilter,
        before: Option<String>,
        limit: u32,
    ) -> Result<TimelinePage, AppError> {
        self.look_once();
        self.page("timeline", filter, before, limit, true).await
    }

    /// One page of one session, without what log stores have: their answers are the timeline's, one of each, and a replay
    /// asks with each moment that it goes to.
    pub(crate) async fn calls(
        self: &Arc<Self>,
        filter: TimelineFilter,
        before: Option<String>,
        limit: u32,
    ) -> Result<TimelinePage, AppError> {
        if filter.session.is_none() && filter.request.is_none() {
            return Err(filter::bad("no session is named"));
        }
        // What lies before a moment and what lies behind it is asked for at the same time.
        let kind = if filter.from_us.is_some() { "calls behind" } else { "calls before" };
        self.page(kind, filter, before, limit, false).await
    }

    /// A page. Another question of its kind takes back what the archive is asked for it.
    async fn page(
        self: &Arc<Self>,
        kind: &str,
        filter: TimelineFilter,
        before: Option<String>,
        limit: u32,
        has_stores: bool,
    ) -> Result<TimelinePage, AppError> {
        let limit = limit.clamp(1, PAGE_MOST) as usize;
        let cursor = match &before {
            None => Cursor::default(),
            Some(text) => Cursor::parse(text).ok_or_else(|| filter::bad("there is no such page"))?,
        };
        let accounts = self.accounts_of(&filter).await?;
        let wanted = filter::parse(&filter, &accounts)?;
        let asked = stores::Asked { filter: &filter, accounts: &accounts, limit };
        let at = before.is_some().then_some(&cursor.stores);
        let of_stores = async {
            if has_stores {
                self.stores_page(&wanted, at, &asked).await
            } else {
                Ok(stores::OfStores::default())
            }
        };
        // Log stores take longest: they are asked while this machine is.
        let (own, calls, of_stores) = tokio::join!(
            self.own_page(&wanted, cursor.own, limit),
            self.calls_page(kind, &wanted, cursor.calls, limit),
            of_stores,
        );
        let (own, (calls, mut ids, mut lacks), of_stores) = (own?, calls?, of_stores?);
        lacks.stores = of_stores.lacks;
        ids.extend(of_stores.ids);
        let (rows, end) = merged(own, calls, of_stores.looked, limit);
        let is_over = end.is_over();
        let cluster_total = self.kept().await;
        Ok(TimelinePage {
            rows: paired(rows, &ids),
            next: (!is_over).then(|| end.shown()),
            lacks,
            own_total: number(self.history.tip()),
            cluster_total,
        })
    }

    /// Calls that are kept.
    async fn kept(&self) -> i64 {
        let archive = self.archive(false).await.ok().flatten();
        archive.map_or(0, |archive| number(archive.status().events))
    }

    async fn own_page(
        &self,
        wanted: &Both,
        from: Side<OwnCursor>,
        limit: usize,
    ) -> Result<Looked<OwnCursor>, AppError> {
        let at = match (&wanted.own, from) {
            (None, _) | (_, Side::End) => {
                return Ok(Looked { rows: Vec::new(), next: None, from: Side::End });
            }
            (_, Side::Begin) => None,
            (_, Side::After(cursor)) => Some(cursor),
        };
        let own = wanted.own.clone().unwrap_or_default();
        let Own { entries, next, .. } = self.history.entries(own, at, limit).await?;
        let rows = entries.iter().map(|entry| {
            let cursor = OwnCursor { at: entry.at, sequence: entry.sequence };
            (entry.at, cursor, row::own(entry))
        });
        Ok(Looked { rows: rows.collect(), next: next.map(|cursor| (cursor.at, cursor)), from })
    }

    async fn calls_page(
        &self,
        kind: &str,
        wanted: &Both,
        from: Side<CallCursor>,
        limit: usize,
    ) -> Result<(Looked<CallCursor>, HashMap<Shown, Shown>, LacksView), AppError> {
        let nothing =
            |lacks| (Looked { rows: Vec::new(), next: None, from: Side::End }, HashMap::new(), lacks);
        let at = match (&wanted.calls, from) {
            (None, _) | (_, Side::End) => return Ok(nothing(LacksView::default())),
            (_, Side::Begin) => None,
            (_, Side::After(cursor)) => Some(cursor),
        };
        let calls = wanted.calls.clone().unwrap_or_default();
        let asked = self.ask(kind, move |archive, bounds| {
            let page = archive.page(&calls, at, limit, bounds)?;
            let replicas = replicas(archive, &page.value.calls);
            Ok((page, replicas))
        });
        let (answer, why) = or_lacks(asked).await?;
        let Some((page, replicas)) = answer else { return Ok(nothing(why)) };
        let lacks = lacks(&page);
        let Calls { calls, next } = page.value;
        let rows = self.rows(calls.iter(), &replicas).await?;
        let minted = |row: &TimelineRow| row.tie.as_ref().is_some_and(|tie| tie.by == TieBy::AuditId);
        let ids = calls.iter().zip(&rows).filter(|(_, row)| minted(row));
        let ids = ids.map(|(call, row)| (row.id.clone(), Shown::from(&call.audit_id))).collect();
        let rows = calls
            .iter()
            .zip(rows)
            .map(|(call, row)| (call.at, CallCursor { at: call.at, id: call.id.number() }, row));
        let next = next.map(|cursor| (cursor.at, cursor));
        Ok((Looked { rows: rows.collect(), next, from }, ids, lacks))
    }

    /// Calls as rows, each with the look into a log store that it was seen in.
    pub(super) async fn rows_of<'c>(
        &self,
        calls: impl Iterator<Item = (Option<u64>, &'c Call)>,
    ) -> Result<Vec<TimelineRow>, AppError> {
        let (looks, calls): (Vec<Option<u64>>, Vec<&Call>) = calls.unzip();
        let mut rows = self.rows(calls.iter().copied(), &HashMap::new()).await?;
        for ((look, call), row) in looks.into_iter().zip(calls).zip(&mut rows) {
            if let Some(look) = look {
                row.id = RowId::Seen(look, call.id, call.at).shown();
            }
        }
        Ok(rows)
    }

    /// Calls as rows, each with what it belongs to.
    pub(super) async fn rows<'c>(
        &self,
        calls: impl Iterator<Item = &'c Call>,
        replicas: &HashMap<u64, i64>,
    ) -> Result<Vec<TimelineRow>, AppError> {
        let calls: Vec<&Call> = calls.collect();
        let mut ties = self.ties.lock().await;
        ties.read_on(&self.history).await?;
        let rows = calls.into_iter().map(|call| {
            let replicas = replicas.get(&call.id.number()).copied();
            let sentence = Act { replicas, ..row::act(call) }.sentence();
            let known = ties.of(call.text(Column::Cluster));
            let joined = known.map(|known| (join(&row::to_tie(call), known), known));
            let tie = joined.and_then(|(joined, known)| row::tie(&joined, known));
            let command = joined.and_then(|(joined, known)| command::of_call(&joined, known));
            TimelineRow { command, ..row::call(call, &sentence, tie) }
        });
        Ok(rows.collect())
    }

    /// The accounts of the session or the request that a filter names.
    pub(super) async fn accounts_of(&self, filter: &TimelineFilter) -> Result<Vec<String>, AppError> {
        use sallyport_audit::Action::Granted;
        if filter.session.is_none() && filter.request.is_none() {
            return Ok(Vec::new());
        }
        let granted = Entries {
            session: filter.session.clone().map(sallyport_model::SessionId::new),
            request: filter.request.clone().map(RequestUid::new),
            actions: vec![Granted],
            ..Entries::default()
        };
        let page = self.history.entries(granted, None, 100).await?;
        Ok(page.entries.iter().filter_map(account).collect())
    }

    pub(crate) async fn histogram(
        &self,
        filter: TimelineFilter,
        bins: u32,
    ) -> Result<HistogramView, AppError> {
        let bins = bins.clamp(1, BINS_MOST) as usize;
        let accounts = self.accounts_of(&filter).await?;
        let wanted = filter::parse(&filter, &accounts)?;
        let Some((from, to)) = self.range(&wanted).await? else { return Ok(HistogramView::default()) };
        let span = to.saturating_sub(from).max(1);
        let step = span / bins as i64 + i64::from(span % bins as i64 != 0);
        let mut out = HistogramView {
            from_us: from,
            step_us: step,
            bins: vec![HistogramBin::default(); bins],
            lacks: LacksView::default(),
        };
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        if let Some(own) = wanted.own.clone() {
            let counted = self.history.buckets(own, from, step, bins).await?;
            out.lacks.is_cut |= !counted.is_whole;
            for (bin, counted) in out.bins.iter_mut().zip(counted.each) {
                (bin.own, bin.failed) = (small(counted.entries), small(counted.failed));
            }
        }
        if let Some(calls) = wanted.calls.clone() {
            let failed = calls.clone().codes(400, 599);
            let fails = wanted.fails;
            let asked = self.ask("histogram", move |archive, bounds| {
                let all = archive.histogram(&calls, from, step, bins, bounds)?;
                // Where the filter says already how they went, all of them did, or none.
                let failed = match fails {
                    Some(true) => Some(all.clone()),
                    Some(false) => None,
                    None => Some(archive.histogram(&failed, from, step, bins, bounds)?),
                };
                Ok((all, failed))
            });
            let (answer, why) = or_lacks(asked).await?;
            out.lacks = both(out.lacks, &why);
            if let Some((all, failed)) = answer {
                out.lacks = both(out.lacks, &lacks(&all));
                out.lacks =
                    failed.as_ref().map(lacks).map_or(out.lacks.clone(), |more| both(out.lacks, &more));
                let failed = failed.map_or_else(|| vec![0; bins], |failed| failed.value.calls);
                let counts = all.value.calls.into_iter().zip(failed);
                for (bin, (all, failed)) in out.bins.iter_mut().zip(counts) {
                    bin.calls = small(all);
                    bin.failed = bin.failed.saturating_add(small(failed));
                }
            }
        }
        self.stores_counted(&wanted, &filter, &accounts, &mut out).await?;
        Ok(out)
    }

    /// The range that a filter names, else all there is; none where there is nothing.
    async fn range(&self, wanted: &Both) -> Result<Option<(i64, i64)>, AppError> {
        let own = match &wanted.own {
            Some(_) => self.history.range().await?,
            None => None,
        };
        let calls = match &wanted.calls {
            Some(_) => {
                let archive = self.archive(false).await.ok().flatten();
                let kept = archive.and_then(|archive| archive.status().range);
                let seen = self.stores.range();
                let both = kept.zip(seen).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
                both.or(kept).or(seen)
            }
            None => None,
        };
        let (first, last) = match (own, calls) {
            (Some(own), Some(calls)) => (own.0.min(calls.0), own.1.max(calls.1)),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Ok(wanted.from.zip(wanted.to)),
        };
        Ok(Some((wanted.from.unwrap_or(first), wanted.to.unwrap_or(last.saturating_add(1)))))
    }

    pub(crate) async fn top(
        &self,
        filter: TimelineFilter,
        facet: TimelineFacet,
    ) -> Result<TopView, AppError> {
        let wanted = filter::parse(&filter, &self.accounts_of(&filter).await?)?;
        let own = match (facet, wanted.own) {
            (TimelineFacet::Person, Some(own)) => self.history.top(own, TopBy::User, TOP).await?,
            (TimelineFacet::Cluster, Some(own)) => self.history.top(own, TopBy::Cluster, TOP).await?,
            (TimelineFacet::Action, Some(own)) => self.history.top(own, TopBy::Action, TOP).await?,
            (TimelineFacet::Session, Some(own)) => self.history.top(own, TopBy::Session, TOP).await?,
            // What the others are is not told of entries.
            _ => Vec::new(),
        };
        let Some(calls) = wanted.calls else { return Ok(ranked(Top::default(), own)) };
        let column = match facet {
            TimelineFacet::Person => Column::User,
            TimelineFacet::Cluster => Column::Cluster,
            TimelineFacet::Verb => Column::Verb,
            TimelineFacet::Resource => Column::Resource,
            TimelineFacet::Namespace => Column::Namespace,
            TimelineFacet::Code => Column::Code,
            // Both are words of this desktop, and of no cluster.
            TimelineFacet::Action | TimelineFacet::Session => return Ok(ranked(Top::default(), own)),
        };
        let kind = format!("top {facet:?}");
        let asked = self.ask(&kind, move |archive, bounds| archive.top(&calls, column, TOP_TOLD, bounds));
        let (answer, why) = or_lacks(asked).await?;
        let (lacks, told) = match answer {
            Some(answer) => (lacks(&answer), answer.value),
            None => (why, Top::default()),
        };
        Ok(TopView { lacks, ..ranked(told, own) })
    }
}

/// What several sides have most of, ranked anew. What one of them did not name stands with the others.
pub(super) fn ranked(told: Top, more: impl IntoIterator<Item = (String, u64)>) -> TopView {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (text, often) in told.first.into_iter().chain(more).filter(|(text, _)| !text.is_empty()) {
        let count = counts.entry(text).or_default();
        *count = count.saturating_add(often);
    }
    let mut first: Vec<(String, u64)> = counts.into_iter().collect();
    first.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest: u64 = first.iter().skip(TOP).map(|(_, often)| often).sum();
    first.truncate(TOP);
    let line = |(text, often)| TopLine { text: Shown::from(text), calls: number(often) };
    TopView {
        first: first.into_iter().map(line).collect(),
        others: number(told.others.saturating_add(rest)),
        lacks: LacksView::default(),
    }
}

/// The account that an entry says was granted.
pub(super) fn account(entry: &sallyport_audit::Entry) -> Option<String> {
    entry.detail.get("account").and_then(|account| account.as_str()).map(str::to_owned)
}

/// The row that the window asks about.
///
/// # Errors
/// For what is no row.
pub(super) fn id_of(text: &str) -> Result<RowId, AppError> {
    RowId::parse(text).ok_or_else(|| filter::bad("there is no such row").hint("Load the list anew."))
}

#[cfg(test)]
mod tests;
