//! Who had access to what, when, by whose word, and what proves it: from a desktop's history, what API servers told of the
//! same sessions, and readings of posture.

mod fold;
mod posture;
mod review;
#[cfg(test)]
mod tests;
mod view;

pub use posture::{PracticeLine, PracticeOverTime, Reading, Standing, StandingView};
pub use view::{
    AccessReview, AccessView, DayView, DecisionView, Facts, GapView, OtherView, Proof, ReviewedLine,
    SeenAccount, SeenAccounts, SessionView, TotalView,
};

use std::collections::{BTreeMap, BTreeSet};
pub(crate) use view::told;

use crate::words::count;

impl AccessView {
    /// What the facts come to. `made`: when, in microseconds of Unix time.
    pub fn of(facts: Facts<'_>, made: i64) -> Self {
        let mut view = fold::fold(&facts);
        (view.from, view.to, view.made) = (told(facts.from), told(facts.to), told(made));
        if let Some(seen) = &facts.seen {
            evidence(&mut view, seen);
        }
        view.standing = posture::standing(&facts.readings);
        view.practices = posture::practices(&facts.readings);
        view.people = totals(&view.sessions, |one| one.person.as_deref(), |one| one.cluster.as_deref());
        view.clusters = totals(&view.sessions, |one| one.cluster.as_deref(), |one| one.person.as_deref());
        review::review(&mut view, &facts);
        view.not_known.extend(not_known(&facts, &view));
        view
    }
}

impl SeenAccounts {
    /// What was found of accounts of sessions, and of calls of none: each with its cluster, how often, and from when to when.
    pub fn of(found: impl IntoIterator<Item = SeenAccount>, is_whole: bool) -> Self {
        let mut seen = Self { is_whole, ..Self::default() };
        for one in found {
            let reach = seen.reach.entry(one.cluster.clone()).or_insert((one.first, one.last));
            *reach = (reach.0.min(one.first), reach.1.max(one.last));
            if !one.account.is_empty() {
                seen.accounts.push(one);
            }
        }
        seen
    }
}

impl AccessView {
    /// Whether nothing is missing in it, every end is proven and every session has its evidence.
    pub fn is_clean(&self) -> bool {
        let is_proven = |one: &SessionView| !matches!(one.proof, Proof::Unproven | Proof::Untold);
        self.gaps.is_empty() && self.without_evidence.is_empty() && self.sessions.iter().all(is_proven)
    }
}

/// Beside each session what API servers told of it.
fn evidence(view: &mut AccessView, seen: &SeenAccounts) {
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut places = Vec::new();
    for (at, session) in view.sessions.iter().enumerate() {
        let (Some(cluster), Some(account)) = (&session.cluster, &session.account) else { continue };
        known.insert((cluster, account));
        let of = seen.accounts.iter().filter(|one| one.cluster == *cluster && one.account == *account);
        let calls: u64 = of.map(|one| one.calls).sum();
        let reach = seen.reach.get(cluster);
        let is_reached = session
            .span
            .is_some_and(|(from, to)| reach.is_some_and(|(first, last)| *first <= to && *last >= from));
        if calls > 0 || is_reached {
            places.push((at, calls));
        }
    }
    let is_theirs = |one: &&SeenAccount| !known.contains(&(one.cluster.as_str(), one.account.as_str()));
    let others = seen.accounts.iter().filter(is_theirs);
    view.others = others
        .map(|one| OtherView {
            cluster: one.cluster.clone(),
            account: one.account.clone(),
            calls: one.calls,
            first: told(one.first),
            last: told(one.last),
        })
        .collect();
    for (at, calls) in places {
        let Some(session) = view.sessions.get_mut(at) else { continue };
        session.seen = Some(calls);
        if calls == 0 && session.calls > 0 {
            view.without_evidence.push(at);
        }
    }
}

fn totals<'s>(
    sessions: &'s [SessionView],
    name: impl Fn(&'s SessionView) -> Option<&'s str>,
    other: impl Fn(&'s SessionView) -> Option<&'s str>,
) -> Vec<TotalView> {
    let mut all: BTreeMap<&str, (TotalView, BTreeSet<&str>)> = BTreeMap::new();
    for one in sessions {
        let (total, across) = all.entry(name(one).unwrap_or_default()).or_default();
        total.sessions += usize::from(one.span.is_some());
        total.seconds += one.seconds;
        total.calls += one.calls;
        total.refused += one.refused;
        across.extend(other(one));
    }
    let mut all: Vec<TotalView> = all
        .into_iter()
        .map(|(name, (total, across))| TotalView { name: name.to_owned(), across: across.len(), ..total })
        .collect();
    all.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
    all
}

fn not_known(facts: &Facts<'_>, view: &AccessView) -> Vec<String> {
    let mut all = vec![
        "This is one desktop's history: what others did stands in theirs, and in the logs of API servers."
            .to_owned(),
    ];
    match facts.reach {
        None => all.push("The history holds nothing.".to_owned()),
        Some((first, _)) if first > facts.from => {
            all.push(format!(
                "The history begins at {}: of the time before it nothing is told.",
                told(first)
            ));
        }
        Some(_) => {}
    }
    if !facts.is_complete {
        all.push(
            "The app did not stop in order, and does not run: what it had not written yet is missing."
                .to_owned(),
        );
    }
    if !facts.unreadable.is_empty() {
        all.push(format!(
            "{} rows of the history are no entries: another version's, or somebody's edits. `sallyport audit verify` says where.",
            facts.unreadable.len()
        ));
    }
    if facts.has_more_calls {
        all.push(
            "There are more calls than were read: the newest are not counted. A shorter time has them all."
                .to_owned(),
        );
    }
    match &facts.seen {
        None => all.push("No archive of API servers' logs was looked at: that a call reached its cluster is the gateway's word alone.".to_owned()),
        Some(seen) => {
            if !seen.is_whole {
                all.push("Not everything in the archive could be looked at: an API server may have told more.".to_owned());
            }
            let unread = view.sessions.iter().filter(|one| one.span.is_some() && one.seen.is_none()).count();
            if unread > 0 {
                all.push(format!("Of {} no API server's log reaches into that time, so that nothing can be said of evidence.", count(unread, "session")));
            }
            all.push("That a session has no event may have a harmless reason: a log that was not collected, or a policy that leaves it out. `sallyport audit reconcile` compares call by call.".to_owned());
        }
    }
    if facts.readings.is_empty() {
        all.push(
            "No reading of posture was given: standing access and the ten practices are not in it."
                .to_owned(),
        );
    }
    all
}
