//! What log stores have of a page of the timeline.

use super::seen::{Page, Question, no_further};
use super::wanted::wanted as words_of;
use super::{For, NEWEST, OLDER, Place, Said, key, twins_in};
use crate::desk::AppError;
use crate::evidence::filter::Both;
use crate::evidence::merge::{Looked, Side, StoreCursor};
use crate::evidence::raws::replicas;
use crate::evidence::row::RowId;
use crate::evidence::{Evidence, saved, unreadable};
use sallyport_archive::{Archive, ArchiveError, Bounds, Call, Cursor, Filter};
use sallyport_ipc::{Shown, StoreLacks, TieBy, TimelineFilter};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is looked for.
pub(in crate::evidence) struct Asked<'a> {
    pub(in crate::evidence) filter: &'a TimelineFilter,
    pub(in crate::evidence) accounts: &'a [String],
    pub(in crate::evidence) limit: usize,
}

/// What a page has of all stores.
#[derive(Default)]
pub(in crate::evidence) struct OfStores {
    pub(in crate::evidence) looked: Vec<(String, Looked<StoreCursor>)>,
    /// The Audit-IDs of rows that are tied by them.
    pub(in crate::evidence) ids: HashMap<Shown, Shown>,
    pub(in crate::evidence) lacks: Vec<StoreLacks>,
}

impl Evidence {
    /// What stores have of a page. `at` is where each goes on; none for the newest page.
    pub(in crate::evidence) async fn stores_page(
        self: &Arc<Self>,
        wanted: &Both,
        at: Option<&Vec<(String, Side<StoreCursor>)>>,
        asked: &Asked<'_>,
    ) -> Result<OfStores, AppError> {
        let mut out = OfStores::default();
        let Some(calls) = &wanted.calls else { return Ok(out) };
        let limit = asked.limit;
        let stores = self.desk.prefs.audit_stores().await.map_err(saved::unkept)?;
        let (mut asks, mut froms) = (Vec::new(), Vec::new());
        for store in stores {
            let place = at.map_or(Side::Begin, |all| {
                all.iter().find(|(id, _)| *id == store.id).map_or(Side::End, |(_, place)| *place)
            });
            let Some(words) = words_of(&store, asked.filter, asked.accounts) else { continue };
            if place == Side::End {
                out.looked.push((store.id, over()));
                continue;
            }
            let question = Question { store, wanted: words, from: wanted.from, to: wanted.to };
            let of_store = self.stores.place(For::Timeline, question);
            let cursor = match place {
                Side::After(cursor) if cursor.look == of_store.number => Some(cursor.call),
                // It was begun anew: what is of that moment comes once more rather than not at all.
                Side::After(cursor) => Some(Cursor { at: cursor.call.at, id: u64::MAX }),
                _ => None,
            };
            let wait = if at.is_none() { NEWEST } else { OLDER };
            let number = of_store.number;
            froms.push(cursor.map_or(Side::Begin, |call| Side::After(StoreCursor { look: number, call })));
            let calls = calls.clone();
            asks.push(async move {
                let answered = self.answer(&of_store, wait, move |seen| {
                    let page = seen.page(&calls, cursor, limit)?;
                    let failed = page.why.clone().filter(|_| page.has_failed);
                    Ok(Said { what: page, failed })
                });
                let answered = answered.await;
                (of_store, answered)
            });
        }
        let mut others: Vec<Arc<Archive>> = self.archive(false).await.ok().flatten().into_iter().collect();
        let answers = futures::future::join_all(asks).await;
        for ((place, answered), from) in answers.into_iter().zip(froms) {
            let id = place.question.store.id.clone();
            let page = match answered {
                Ok(page) => page,
                Err(lacks) => {
                    out.lacks.push(lacks);
                    out.looked.push((id, over()));
                    continue;
                }
            };
            let is_last = page.before.is_none() && page.next.is_none();
            match &page.why {
                Some(why) => {
                    let has_failed = page.has_failed;
                    out.lacks.push(StoreLacks { has_failed, ..place.lacks(why, page.before) });
                }
                None if is_last && wanted.from.is_none() => out.lacks.push(place.lacks(&no_further(), None)),
                None => {}
            }
            let looked = self.looked(&place, from, page, calls, &others, &mut out.ids).await?;
            others.extend(self.stores.archive(place.number));
            out.looked.push((id, looked));
        }
        Ok(out)
    }

    /// Rows of one store, without those that other places tell of as well, and where it goes on.
    async fn looked(
        &self,
        place: &Place,
        from: Side<StoreCursor>,
        page: Page,
        filter: &Filter,
        others: &[Arc<Archive>],
        ids: &mut HashMap<Shown, Shown>,
    ) -> Result<Looked<StoreCursor>, AppError> {
        let number = place.number;
        let Some(archive) = self.stores.archive(number) else { return Ok(over()) };
        let (others, filter) = (others.to_vec(), filter.clone());
        let Page { calls, next, before, why, .. } = page;
        let compared = tokio::task::spawn_blocking(move || {
            let mut twins = HashSet::new();
            for other in &others {
                twins.extend(twins_in(other, &filter, &calls, &Bounds::default())?.0);
            }
            let calls: Vec<Call> =
                calls.into_iter().filter(|call| key(call).is_none_or(|key| !twins.contains(&key))).collect();
            let replicas = replicas(&archive, &calls);
            Ok::<_, ArchiveError>((calls, replicas))
        });
        let compared = compared.await.map_err(|e| AppError::failed("the store was not asked").because(e))?;
        let (calls, replicas) = compared.map_err(unreadable)?;
        let mut rows = self.rows(calls.iter(), &replicas).await?;
        for (call, row) in calls.iter().zip(&mut rows) {
            row.id = RowId::Seen(number, call.id, call.at).shown();
            if row.tie.as_ref().is_some_and(|tie| tie.by == TieBy::AuditId) {
                ids.insert(row.id.clone(), Shown::from(&call.audit_id));
            }
        }
        let cursor = |call: Cursor| StoreCursor { look: number, call };
        let rows = calls
            .iter()
            .zip(rows)
            .map(|(call, row)| (call.at, cursor(Cursor { at: call.at, id: call.id.number() }), row));
        // What is older was seen, or will be looked for from there on; where it can't be, this side is at its end.
        let unseen = before.filter(|_| why.is_none()).map(|at| Cursor { at, id: 0 });
        let next = next.or(unseen).map(|call| (call.at, cursor(call)));
        Ok(Looked { rows: rows.collect(), next, from })
    }
}

/// Nothing (more) of a side.
fn over<C>() -> Looked<C> {
    Looked { rows: Vec::new(), next: None, from: Side::End }
}
