//! What clusters saw of sessions' tokens, beside what this desktop's gateway sent: read from an archive and from the
//! history of a desktop whose app may be running. Nothing is written.

mod compare;
mod policy;
mod view;
mod words;

pub(crate) use view::ReconcileView;

use super::args::Reconcile;
use super::said::said;
use super::{open, plain, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use compare::{Compared, Sessions, Side};
use jiff::Timestamp;
use sallyport_archive::{Archive, Bounds, Column, Filter};
use sallyport_audit::{Action, Entry};
use sallyport_events::{Known, Policy, Record, SKEW, hole, unclean_stop};
use sallyport_model::ClusterName;
use sallyport_store::{Recorded, read_beside};
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Calls of the history that are compared at once, and events of a cluster: what fits into memory.
const CALLS_MOST: usize = 500_000;
const EVENTS_MOST: usize = 300_000;
/// How long a call that is over may take to be an entry of an app that runs, in microseconds.
const ENTERED_WITHIN: i64 = 15_000_000;
/// The same of an event, from the API server's log into the archive's files.
const TOLD_WITHIN: i64 = 15_000_000;
/// How long an event may be on its way into the archive before somebody has to look, in microseconds.
const COMES_WITHIN: i64 = 300_000_000;

pub(super) fn reconcile(args: &Reconcile) -> Result<(String, End), Stop> {
    let now = Timestamp::now();
    let (from, to) = (args.since.at(now), args.until.map_or(now.as_microsecond(), |until| until.at(now)));
    if from >= to {
        return Err(Stop("--since is not before --until (or now)".into()));
    }
    let policy = args.policy.as_deref().map(policy::read).transpose()?;
    // Calls from a while before, so that none whose event lies within is missed for the clocks.
    let recorded = read_beside(&args.history, from.saturating_sub(4 * SKEW), CALLS_MOST).map_err(said)?;
    let archive = open(&args.archive, false)?;
    let look = Look {
        archive: &archive,
        gateway: gateway(&recorded, now.as_microsecond()),
        stops: stops(&recorded),
        window: (from, to),
        sessions: Sessions::of(&recorded.entries),
        policy: policy.as_ref(),
        is_every_server: args.every_server,
        deadline: Instant::now() + Duration::from_secs(args.within),
    };
    let named: BTreeSet<ClusterName> = args.cluster.iter().cloned().collect();
    let clusters = if named.is_empty() { look.clusters(&recorded)? } else { named };
    let mut view = ReconcileView::new((from, to), &recorded);
    for cluster in clusters {
        let compared = look.compare(&cluster, &recorded)?;
        view.clusters.push(view::cluster(&cluster, &compared, args.calls));
    }
    let verdict = view.judge();
    let text = match args.output {
        Answer::Text => words::told(&view),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, verdict))
}

/// How far the history goes, and where it has holes.
fn gateway(recorded: &Recorded, now: i64) -> Record {
    let mut gaps: Vec<_> = recorded.entries.iter().filter_map(hole).collect();
    gaps.extend(recorded.unreadable.iter().map(|at| *at..at.saturating_add(1)));
    if recorded.has_more {
        // The oldest were taken: whatever came after them may be the gateway's.
        let calls = recorded.entries.iter().filter(|entry| entry.action.is_call());
        gaps.push(calls.map(|entry| entry.at).max().unwrap_or(i64::MIN)..i64::MAX);
    }
    let last = recorded.last.unwrap_or(i64::MIN);
    let has_stopped = recorded.entries.last().is_some_and(|entry| entry.action == Action::AppStopped);
    let (to, late) = match (recorded.is_complete, has_stopped) {
        // Nothing goes through the gateway of an app that does not run.
        (true, true) => (i64::MAX, 0),
        (true, false) => (now, ENTERED_WITHIN),
        // It may have died, and what it had not written yet went with it.
        (false, _) => (last, 0),
    };
    // Before the first history that ever was here there was no gateway; before one that began again there may have been.
    let is_first = |entry: &Entry| {
        entry.action == Action::ChainBegun && entry.detail.get("why").is_some_and(|why| why == "first")
    };
    let from = match recorded.entries.iter().find(|entry| entry.action == Action::ChainBegun) {
        Some(begun) if is_first(begun) => i64::MIN,
        _ => recorded.first.unwrap_or(i64::MAX),
    };
    Record { from, to, gaps, late }
}

/// From the last entry before each end without notice to the next start, which may be still to come.
fn stops(recorded: &Recorded) -> Vec<Range<i64>> {
    let mut stops: Vec<_> = recorded.entries.iter().filter_map(unclean_stop).collect();
    if !recorded.is_complete {
        stops.push(recorded.last.unwrap_or(i64::MIN)..i64::MAX);
    }
    stops
}

/// A look at all clusters.
struct Look<'a> {
    archive: &'a Archive,
    gateway: Record,
    stops: Vec<Range<i64>>,
    /// In microseconds of Unix time, by the cluster's clock.
    window: (i64, i64),
    sessions: Sessions,
    policy: Option<&'a Policy>,
    is_every_server: bool,
    deadline: Instant,
}

impl Look<'_> {
    fn bounds(&self) -> Bounds {
        Bounds { within: self.deadline.saturating_duration_since(Instant::now()), ..Bounds::default() }
    }

    /// From a little before, so that no call within lacks its event for the clocks.
    fn filter(&self, cluster: &ClusterName) -> Filter {
        let (from, to) = self.window;
        let filter = Filter::default().only(Column::Cluster, cluster.as_str());
        filter.from(from.saturating_sub(2 * SKEW)).to(to.saturating_add(2 * SKEW))
    }

    /// Clusters of which the history has calls in that time, and those of which the archive has events of sessions.
    fn clusters(&self, recorded: &Recorded) -> Result<BTreeSet<ClusterName>, Stop> {
        let (from, to) = self.window;
        let calls = recorded.entries.iter().filter(|entry| {
            entry.jti.is_some() && entry.audit_id.is_some() && (from..to).contains(&entry.at)
        });
        let mut all: BTreeSet<ClusterName> = calls.filter_map(|entry| entry.cluster.clone()).collect();
        let filter = Filter::default().from(from).to(to).sessions(credentials(recorded.entries.iter()));
        let top = self.archive.top(&filter, Column::Cluster, 1000, &self.bounds()).map_err(stop)?;
        all.extend(top.value.first.iter().filter_map(|(name, _)| name.parse().ok()));
        if !top.lacks_nothing() {
            // Which clusters there are is then not known: those with calls are looked at, and each says what it lacks.
            let every =
                self.archive.top(&Filter::default(), Column::Cluster, 1000, &self.bounds()).map_err(stop)?;
            all.extend(every.value.first.iter().filter_map(|(name, _)| name.parse().ok()));
        }
        Ok(all)
    }

    fn compare(&self, cluster: &ClusterName, recorded: &Recorded) -> Result<Compared, Stop> {
        let entries = || recorded.entries.iter().filter(|entry| entry.cluster.as_ref() == Some(cluster));
        let known = Known::of(entries());
        let filter = self.filter(cluster);
        let of_sessions = filter.clone().sessions(credentials(entries()));
        let events = self.archive.events(&of_sessions, EVENTS_MOST, &self.bounds()).map_err(stop)?;
        let ids = known.calls().iter().map(|call| call.audit_id.as_str());
        let with_ids =
            self.archive.with_audit_ids(ids, &filter, EVENTS_MOST, &self.bounds()).map_err(stop)?;
        let all = Filter::default().only(Column::Cluster, cluster.as_str());
        let range = self.archive.range_of(&all, &self.bounds()).map_err(stop)?;
        let is_whole = events.lacks_nothing()
            && with_ids.lacks_nothing()
            && range.lacks_nothing()
            && !events.value.has_more;
        let side = Side {
            range: range.value,
            bad_lines: self.bad_lines(&all)?,
            is_whole,
            damaged: events.damaged.max(range.damaged),
            unread_segments: events.unread_segments,
            has_more: events.value.has_more,
        };
        Ok(compare::compare(compare::Both {
            known,
            sessions: &self.sessions,
            events: events.value.events,
            with_ids: with_ids.value,
            side,
            gateway: &self.gateway,
            stops: &self.stops,
            window: self.window,
            policy: self.policy,
            is_every_server: self.is_every_server,
        }))
    }

    /// Lines of a cluster's logs that could not be read, as far as there is anything of the logs they stood in.
    fn bad_lines(&self, all: &Filter) -> Result<u64, Stop> {
        let sources = self.archive.top(all, Column::Source, 1000, &self.bounds()).map_err(stop)?;
        let status = self.archive.status();
        let of = |source: &String| {
            let tallies = status.tallies.get(source)?;
            Some(
                tallies
                    .iter()
                    .filter(|(what, _)| what.starts_with("bad: "))
                    .map(|(_, count)| count)
                    .sum::<u64>(),
            )
        };
        Ok(sources.value.first.iter().filter_map(|(source, _)| of(source)).sum())
    }
}

/// The tokens of entries, as events name them.
fn credentials<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<String> {
    let all: BTreeSet<&str> =
        entries.filter_map(|entry| entry.jti.as_ref().map(|jti| jti.as_str())).collect();
    all.into_iter().map(|jti| format!("JTI={jti}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;

    #[test]
    fn of_a_history_of_which_the_oldest_calls_were_taken_the_rest_is_a_hole() {
        let entry = |action, at| Draft::new(action).at(at).place(1, 0);
        let mut recorded = Recorded {
            entries: vec![
                entry(Action::Call, 10),
                entry(Action::StreamEnd, 20),
                entry(Action::AppStopped, 90),
            ],
            first: Some(1),
            last: Some(90),
            is_complete: true,
            ..Recorded::default()
        };
        assert!(gateway(&recorded, 100).gaps.is_empty());
        recorded.has_more = true;
        assert_eq!(gateway(&recorded, 100).gaps.as_slice(), std::slice::from_ref(&(20..i64::MAX)));
    }
}
