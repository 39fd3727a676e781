//! Both sides of one cluster, compared; pure.

use sallyport_archive::Kept;
use sallyport_audit::Entry;
use sallyport_events::{
    Event, Innocent, Known, LevelOf, Policy, Reconciled, Record, SKEW, Told, Unseen, fold, join, reconcile,
};
use sallyport_model::{RequestUid, SessionAccount};
use sallyport_report::words::{count, shown};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// How far apart calls may lie that an app had not written yet when it ended, in microseconds: it lets none of them be older
/// than ten seconds without an entry.
const ONE_MOMENT: i64 = 60_000_000;

/// What the archive has of a cluster, and lacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// The first and the last moment of which it has an event of anybody.
    pub(super) range: Option<(i64, i64)>,
    /// Lines of its logs that could not be read.
    pub(super) bad_lines: u64,
    pub(super) is_whole: bool,
    pub(super) damaged: u64,
    pub(super) unread_segments: usize,
    /// There are more events of sessions than are compared at once.
    pub(super) has_more: bool,
}

/// Sessions of a history, by their accounts' ids and by their tokens, with the clusters that it has them on.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(HashMap<String, String>);

impl Sessions {
    pub(super) fn of<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let mut sessions = HashMap::new();
        for entry in entries {
            let (Some(request), Some(cluster)) = (&entry.request, &entry.cluster) else { continue };
            // An account is worked out once a request, and a history has many entries of one.
            sessions.entry(format!("request {request}")).or_insert_with(|| cluster.to_string());
            if let Some(jti) = &entry.jti {
                sessions.entry(format!("JTI={jti}")).or_insert_with(|| cluster.to_string());
            }
        }
        let of_request = |(key, cluster): (String, String)| match key.strip_prefix("request ") {
            Some(request) => (SessionAccount::derive_id(&RequestUid::new(request)), cluster),
            None => (key, cluster),
        };
        Self(sessions.into_iter().map(of_request).collect())
    }

    /// On which cluster the history has the session that made a call.
    fn cluster_of(&self, event: &Event<'_>) -> Option<&String> {
        let by_account = event.account.as_ref().and_then(|account| self.0.get(account.id()));
        by_account.or_else(|| self.0.get(event.credential.as_deref()?))
    }
}

/// What is compared.
pub(super) struct Both<'a> {
    pub(super) known: Known,
    /// All of the history, whichever the cluster.
    pub(super) sessions: &'a Sessions,
    /// Events of sessions, whosever.
    pub(super) events: Vec<Kept>,
    /// Events with an id that the gateway minted.
    pub(super) with_ids: Vec<Kept>,
    pub(super) side: Side,
    pub(super) gateway: &'a Record,
    /// From the last entry before each end without notice to the next start.
    pub(super) stops: &'a [Range<i64>],
    pub(super) window: (i64, i64),
    pub(super) policy: Option<&'a Policy>,
    pub(super) is_every_server: bool,
}

/// What came of it.
pub(super) struct Compared {
    pub(super) known: Known,
    /// Calls, folded, of the sessions of this history and of others.
    pub(super) events: Vec<Event<'static>>,
    pub(super) found: Reconciled,
    /// Accounts of sessions that this history knows nothing of, and how many calls of each.
    pub(super) others: BTreeMap<String, u64>,
    /// Calls by sessions that this history has on another cluster, by its name.
    pub(super) elsewhere: BTreeMap<String, u64>,
    /// Events of others that have an id which the gateway minted: tied to nothing.
    pub(super) borrowed: Vec<Event<'static>>,
    /// Calls among the unclear ones between an end without notice and the next start, and how long the longest of those
    /// times lies between the first and the last of them, in microseconds.
    pub(super) after_stop: (u64, i64),
    /// Events with such an id that break off before they say whose they are.
    pub(super) cut: u64,
    pub(super) side: Side,
    pub(super) window: (i64, i64),
}

pub(super) fn compare(both: Both<'_>) -> Compared {
    let Both { known, sessions, events, with_ids, side, gateway, stops, window, policy, is_every_server } =
        both;
    let ids: HashSet<_> = events.iter().map(|kept| kept.id).collect();
    let events = fold(events.into_iter().map(|kept| kept.event));
    let (mut borrowed, mut cut) = (Vec::new(), 0);
    let others = with_ids.into_iter().filter(|kept| !ids.contains(&kept.id)).map(|kept| kept.event);
    for event in fold(others) {
        if event.is_partial() && event.user.name.is_empty() {
            cut += 1;
        } else if join(&event, &known).borrows_an_id {
            borrowed.push(event);
        }
    }
    let mut cluster = Record { late: super::TOLD_WITHIN, ..Record::default() };
    if let Some((from, to)) = side.range {
        (cluster.from, cluster.to) = (from, to);
    } else {
        // Nothing at all is told of it.
        (cluster.from, cluster.to) = (i64::MAX, i64::MIN);
    }
    if side.bad_lines > 0 || !side.is_whole || cut > 0 {
        // Of what can't be read nobody knows when it was.
        cluster.gaps.push(Range { start: i64::MIN, end: i64::MAX });
    }
    let level = policy.map(|policy| |call: &sallyport_events::KnownCall| policy.level(call));
    let told = Told {
        level: level.as_ref().map(|level| level as &LevelOf<'_>),
        omits: policy.map(Policy::omits).unwrap_or_default(),
        is_every_server,
    };
    let mut found = reconcile(&events, &known, &cluster, gateway, told);
    let is_within = |at: Option<i64>| at.is_none_or(|at| (window.0..window.1).contains(&at));
    // What lies before and after is there for the clocks' sake alone.
    found.both.retain(|one| is_within(Some(known.calls()[one.call].at)));
    found.unseen.retain(|one| is_within(Some(known.calls()[one.call].at)));
    found.bypass.retain(|one| is_within(events[one.event].at()));
    for list in [&mut found.unclear, &mut found.own, &mut found.aggregated] {
        list.retain(|at| is_within(events[*at].at()));
    }
    borrowed.retain(|event| is_within(event.at()));
    let mut others: BTreeMap<String, u64> = BTreeMap::new();
    let mut elsewhere: BTreeMap<String, u64> = BTreeMap::new();
    for event in events.iter().filter(|event| is_within(event.at())) {
        // An account that is known here is linked by its name at least.
        if join(event, &known).link.is_some_and(|link| !link.key.is_inferred()) {
            continue;
        }
        if let Some(cluster) = sessions.cluster_of(event) {
            *elsewhere.entry(cluster.clone()).or_default() += 1;
        } else if let Some(account) = &event.account {
            *others.entry(account.to_string()).or_default() += 1;
        }
    }
    let after_stop = after_stop(found.unclear.iter().filter_map(|at| events[*at].at()), stops);
    Compared { known, events, found, others, elsewhere, borrowed, after_stop, cut, side, window }
}

/// How many of some moments lie in those times, and the longest stretch from the first to the last in one of them.
fn after_stop(moments: impl Iterator<Item = i64>, stops: &[Range<i64>]) -> (u64, i64) {
    let (mut calls, mut spans) = (0, HashMap::new());
    for at in moments {
        let Some(stop) = stops.iter().position(|stop| stop.contains(&at)) else { continue };
        calls += 1;
        let (first, last) = spans.entry(stop).or_insert((at, at));
        (*first, *last) = (at.min(*first), at.max(*last));
    }
    (calls, spans.values().map(|(first, last)| last.saturating_sub(*first)).max().unwrap_or_default())
}

impl Compared {
    /// Whether the question could be answered: for all that the gateway sent there is a log, and for all that the
    /// cluster saw a history. Why not, in words.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        let side = &self.side;
        if side.has_more {
            gaps.push(format!(
                "there are more than {} events of sessions in that time: a later --since looks at fewer",
                super::EVENTS_MOST
            ));
        } else if !side.is_whole {
            gaps.push(format!(
                "not all of the archive could be looked at ({} events damaged, {} files unread, or the time was over): \
                 `sallyport audit status` says why, --within gives it more",
                side.damaged, side.unread_segments
            ));
        }
        match side.range {
            None => gaps.push(
                "the archive has no event of this cluster: `sallyport audit import` reads its logs".into(),
            ),
            Some((_, last)) if last < self.window.1.saturating_sub(super::COMES_WITHIN) => {
                gaps.push(format!(
                    "the archive's events of this cluster end at {}: what came after it does not say, and a later look \
                     whose --since is before that does",
                    crate::audit::times::told(last)
                ));
            }
            Some(_) => {}
        }
        gaps.extend(self.elsewhere.iter().map(|(cluster, calls)| {
            format!(
                "{} are by sessions that the history has on {}: these logs may have been imported under another name \
                 than the cluster has in the inventory",
                count(usize::try_from(*calls).unwrap_or(usize::MAX), "call"),
                shown(cluster)
            )
        }));
        let is_unread = |unseen: &&Unseen| {
            // What is on its way for minutes does not come by itself.
            let is_old =
                self.known.calls()[unseen.call].at < self.window.1.saturating_sub(super::COMES_WITHIN);
            let is_missing = |why: &Innocent| match why {
                Innocent::Outside | Innocent::Gap => true,
                Innocent::Late => is_old,
                _ => false,
            };
            unseen.innocent.is_empty() || unseen.innocent.iter().any(is_missing)
        };
        let unread = self.found.unseen.iter().filter(is_unread).count();
        if unread > 0 && side.range.is_some() {
            gaps.push(format!(
                "of {} that the gateway sent no event was found, and not for the policy's sake",
                count(unread, "call")
            ));
        }
        if !self.found.unclear.is_empty() {
            gaps.push(format!(
                "the history can't say whether the gateway sent {}, for the time they are of",
                count(self.found.unclear.len(), "call")
            ));
        }
        let (calls, span) = self.after_stop;
        if span > ONE_MOMENT {
            gaps.push(format!(
                "{} of them lie after an end without notice, up to {} s apart: what the gateway sends is written within a \
                 second unless the disk takes nothing, so at most those of one moment were its own. Look at them first",
                calls,
                span / 1_000_000
            ));
        }
        gaps
    }

    /// Places among the events, session by session.
    pub(super) fn by_session(&self, events: &[usize]) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new(); self.known.sessions().len()];
        for at in events {
            let link = join(&self.events[*at], &self.known).link;
            if let Some(of) = link.and_then(|link| all.get_mut(link.session)) {
                of.push(*at);
            }
        }
        all
    }

    /// Whether a session has anything to do with that time.
    pub(super) fn is_of_that_time(&self, session: usize) -> bool {
        let known = &self.known.sessions()[session];
        known.from <= self.window.1 && known.to >= self.window.0.saturating_sub(SKEW)
    }
}
