//! What one person did, and what was done on one cluster.

use super::stores::{self, For};
use super::timeline::{TOP_TOLD, ranked};
use super::{Evidence, both, filter, lacks, left, number, or_lacks};
use crate::desk::AppError;
use sallyport_archive::{Answer, Archive, ArchiveError, Bounds, Call, Column, Filter, Top};
use sallyport_audit::Action;
use sallyport_ipc::{AboutView, LacksView, SessionLine, Shown, TimelineFilter};
use sallyport_store::Filter as Entries;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// Sessions that are listed.
const SESSIONS: usize = 50;
/// Verbs that change something.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
/// Calls of a log store that are counted at once.
const AT_ONCE: usize = 1000;

/// What is counted.
#[derive(Default)]
struct Counted {
    calls: u64,
    denied: u64,
    writes: u64,
    /// Most frequent, of each of these columns.
    tops: [Top; 3],
    lacks: LacksView,
}

/// What a log store tells of beside that.
#[derive(Default)]
struct More {
    calls: u64,
    denied: u64,
    writes: u64,
    tops: [HashMap<String, u64>; 3],
    lacks: LacksView,
}

impl Evidence {
    pub(crate) async fn about(self: &Arc<Self>, filter: TimelineFilter) -> Result<AboutView, AppError> {
        let of_person = filter.person.as_ref().is_some_and(|person| !person.is_empty());
        if !of_person && filter.cluster.as_ref().is_none_or(String::is_empty) {
            return Err(filter::bad("neither a person nor a cluster is named"));
        }
        let accounts = self.accounts_of(&filter).await?;
        let wanted = filter::parse(&filter, &accounts)?;
        let own = wanted.own.unwrap_or_default();
        let asks = Entries { actions: vec![Action::Ask], ..own.clone() };
        let sessions = self.history.entries(asks, None, SESSIONS).await?;
        let own = self.history.count(own).await?;
        let (reviews, has_more_reviews) = self.reviews(&filter).await?;
        let others = if of_person { Column::Cluster } else { Column::User };
        let columns = [others, Column::Verb, Column::Resource];
        let (mut counted, mut more) = (Counted::default(), More::default());
        if let Some(calls) = wanted.calls {
            let of = calls.clone();
            let here = self.ask("about", move |archive, bounds| count(archive, &of, columns, bounds));
            let there = self.seen_in_stores(For::About, (wanted.from, wanted.to), false, |store| {
                stores::wanted(store, &filter, &accounts)
            });
            let ((here, why), (there, missing)) = tokio::try_join!(or_lacks(here), there)?;
            counted = here.unwrap_or_default();
            more.lacks = both(why, &LacksView { stores: missing, ..LacksView::default() });
            let mut told: Vec<Arc<Archive>> = self.archive(false).await.ok().flatten().into_iter().collect();
            for seen in there {
                let others = told.clone();
                // Before that moment nothing is whole, and it is said.
                let since = seen.before.unwrap_or(i64::MIN).max(wanted.from.unwrap_or(i64::MIN));
                let of = calls.clone().from(since);
                let asked = self.ask_of(Some(seen.look), "about of a store", move |archive, bounds| {
                    count_more(archive, &others, &of, columns, bounds)
                });
                let (one, why) = or_lacks(asked).await?;
                if one.is_none() && why.why.is_none() {
                    more.lacks.stores.push(seen.gone());
                }
                one.into_iter().for_each(|one| more.add(one));
                more.lacks = both(std::mem::take(&mut more.lacks), &why);
                told.push(seen.archive);
            }
        }
        let lines = sessions.entries.iter().filter_map(|entry| {
            let profile = entry.detail.get("profile").and_then(|profile| profile.as_str());
            Some(SessionLine {
                request: Shown::of(entry.request.as_ref()?),
                who: entry.user.as_ref().map(Shown::of).unwrap_or_default(),
                cluster: entry.cluster.as_ref().map(Shown::of).unwrap_or_default(),
                profile: profile.map(Shown::from).unwrap_or_default(),
                at_us: entry.at,
            })
        });
        let [others, verbs, resources] = counted.tops;
        let [more_others, more_verbs, more_resources] = more.tops;
        Ok(AboutView {
            own: number(own),
            calls: number(counted.calls.saturating_add(more.calls)),
            denied: number(counted.denied.saturating_add(more.denied)),
            writes: number(counted.writes.saturating_add(more.writes)),
            others: ranked(others, more_others),
            verbs: ranked(verbs, more_verbs),
            resources: ranked(resources, more_resources),
            sessions: lines.collect(),
            has_more: sessions.next.is_some(),
            reviews,
            has_more_reviews,
            lacks: both(counted.lacks, &more.lacks),
        })
    }
}

impl More {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.denied += other.denied;
        self.writes += other.writes;
        for (all, one) in self.tops.iter_mut().zip(other.tops) {
            one.into_iter().for_each(|(text, often)| *all.entry(text).or_default() += often);
        }
        self.lacks = both(std::mem::take(&mut self.lacks), &other.lacks);
    }

    fn note(&mut self, call: &Call, columns: [Column; 3]) {
        self.calls += 1;
        self.denied += u64::from(call.is_denied());
        self.writes += u64::from(WRITES.contains(&call.text(Column::Verb)));
        for (all, column) in self.tops.iter_mut().zip(columns) {
            *all.entry(call.text(column).to_owned()).or_default() += 1;
        }
    }
}

fn count(
    archive: &Archive,
    calls: &Filter,
    columns: [Column; 3],
    bounds: &Bounds,
) -> Result<Counted, ArchiveError> {
    let all = archive.count(calls, bounds)?;
    let denied = archive.count(&calls.clone().denied(), bounds)?;
    let writes = WRITES.iter().fold(calls.clone(), |calls, verb| calls.only(Column::Verb, *verb));
    let writes = archive.count(&writes, bounds)?;
    let mut missing = both(both(lacks(&all), &lacks(&denied)), &lacks(&writes));
    let mut top = |column| -> Result<Top, ArchiveError> {
        let top: Answer<Top> = archive.top(calls, column, TOP_TOLD, bounds)?;
        missing = both(std::mem::take(&mut missing), &lacks(&top));
        Ok(top.value)
    };
    let [one, two, three] = columns;
    let tops = [top(one)?, top(two)?, top(three)?];
    Ok(Counted { calls: all.value, denied: denied.value, writes: writes.value, tops, lacks: missing })
}

/// Counts what was seen of a log store, without what others tell of as well.
fn count_more(
    seen: &Archive,
    others: &[Arc<Archive>],
    calls: &Filter,
    columns: [Column; 3],
    bounds: &Bounds,
) -> Result<More, ArchiveError> {
    let (began, mut more, mut cursor) = (Instant::now(), More::default(), None);
    loop {
        let page = seen.page(calls, cursor, AT_ONCE, &left(bounds, began))?;
        more.lacks = both(std::mem::take(&mut more.lacks), &lacks(&page));
        let mut twins = HashSet::new();
        for other in others {
            let (keys, is_whole) = stores::twins_in(other, calls, &page.value.calls, &left(bounds, began))?;
            twins.extend(keys);
            more.lacks.is_cut |= !is_whole;
        }
        let is_new = |call: &&Call| stores::key(call).is_none_or(|key| !twins.contains(&key));
        page.value.calls.iter().filter(is_new).for_each(|call| more.note(call, columns));
        cursor = page.value.next;
        if cursor.is_none() || !page.is_whole {
            return Ok(more);
        }
    }
}
