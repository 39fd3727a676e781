//! What one person did, and what was done on one cluster.

use super::timeline::top;
use super::{Evidence, both, filter, lacks, number, without};
use crate::desk::AppError;
use sallyport_archive::{Archive, ArchiveError, Bounds, Column, Filter};
use sallyport_audit::Action;
use sallyport_ipc::{AboutView, LacksView, SessionLine, Shown, TimelineFilter, TopView};
use sallyport_model::ErrorCode;
use sallyport_store::Filter as Entries;

/// Sessions that are listed.
const SESSIONS: usize = 50;
/// Verbs that change something.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

#[derive(Default)]
struct Counted {
    calls: i64,
    denied: i64,
    writes: i64,
    others: TopView,
    verbs: TopView,
    resources: TopView,
    lacks: LacksView,
}

impl Evidence {
    pub(crate) async fn about(&self, filter: TimelineFilter) -> Result<AboutView, AppError> {
        let of_person = filter.person.as_ref().is_some_and(|person| !person.is_empty());
        if !of_person && filter.cluster.as_ref().is_none_or(String::is_empty) {
            return Err(filter::bad("neither a person nor a cluster is named"));
        }
        let wanted = filter::parse(&filter, &self.accounts_of(&filter).await?)?;
        let own = wanted.own.unwrap_or_default();
        let asks = Entries { actions: vec![Action::Ask], ..own.clone() };
        let sessions = self.history.entries(asks, None, SESSIONS).await?;
        let own = self.history.count(own).await?;
        let (reviews, has_more_reviews) = self.reviews(&filter).await?;
        let others = if of_person { Column::Cluster } else { Column::User };
        let counted = match wanted.calls {
            None => Counted::default(),
            Some(calls) => {
                match self.ask("about", move |archive, bounds| count(archive, &calls, others, bounds)).await {
                    Ok(counted) => counted.unwrap_or_default(),
                    Err(error) if error.code() == ErrorCode::Cancelled => return Err(error),
                    Err(error) => Counted { lacks: without(&error), ..Counted::default() },
                }
            }
        };
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
        Ok(AboutView {
            own: number(own),
            calls: counted.calls,
            denied: counted.denied,
            writes: counted.writes,
            others: counted.others,
            verbs: counted.verbs,
            resources: counted.resources,
            sessions: lines.collect(),
            has_more: sessions.next.is_some(),
            reviews,
            has_more_reviews,
            lacks: counted.lacks,
        })
    }
}

fn count(
    archive: &Archive,
    calls: &Filter,
    others: Column,
    bounds: &Bounds,
) -> Result<Counted, ArchiveError> {
    let all = archive.count(calls, bounds)?;
    let denied = archive.count(&calls.clone().denied(), bounds)?;
    let writes = WRITES.iter().fold(calls.clone(), |calls, verb| calls.only(Column::Verb, *verb));
    let writes = archive.count(&writes, bounds)?;
    let mut missing = both(both(lacks(&all), &lacks(&denied)), &lacks(&writes));
    let mut ranked = |column| -> Result<TopView, ArchiveError> {
        let ranked = top(archive, calls, column, bounds)?;
        missing = both(std::mem::take(&mut missing), &ranked.lacks);
        Ok(ranked)
    };
    let (others, verbs, resources) = (ranked(others)?, ranked(Column::Verb)?, ranked(Column::Resource)?);
    Ok(Counted {
        calls: number(all.value),
        denied: number(denied.value),
        writes: number(writes.value),
        others,
        verbs,
        resources,
        lacks: missing,
    })
}
