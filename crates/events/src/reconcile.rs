//! What the cluster saw of a desktop's tokens, beside what the desktop's gateway sent: a call with a session's token that
//! no gateway sent came from somewhere else. What the cluster did not tell of has innocent reasons most of the time, and
//! they are said.

use crate::same::{SKEW, Same, is_that_call};
use crate::{Event, Key, Known, KnownCall, Level, Object, Stage, Stages, join};
use std::ops::Range;

mod hole;

pub use hole::{hole, unclean_stop};

/// How far one side's record goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// From when on there is one, in microseconds of Unix time.
    pub from: i64,
    /// Until when.
    pub to: i64,
    /// Where it has holes: a file that was rotated away, a line that could not be read, an unclean stop.
    pub gaps: Vec<Range<i64>>,
    /// How long something may take to get into it, in microseconds.
    pub late: i64,
}

impl Record {
    /// Whether what went on from one moment to another would be in it by now, whatever the clocks.
    fn would_have(&self, (from, to): (i64, i64)) -> bool {
        let from = from.saturating_sub(SKEW);
        let to = to.saturating_add(SKEW);
        from >= self.from
            && to.saturating_add(self.late) <= self.to
            && self.gaps.iter().all(|gap| gap.end <= from || gap.start > to)
    }
}

/// At what level a policy tells of a call; `None` where that can't be said.
pub type LevelOf<'p> = dyn Fn(&KnownCall) -> Option<Level> + 'p;

/// What the cluster's audit policy tells of, as far as that is known.
#[derive(Clone, Copy, Default)]
pub struct Told<'p> {
    /// At what level it tells of a call ([`crate::Policy::level`]), which may be more than can be said of one; `None`
    /// where nobody knows the policy.
    pub level: Option<&'p LevelOf<'p>>,
    /// Stages that it leaves out.
    pub omits: Stages,
    /// Whether the events are those of every API server of the cluster.
    pub is_every_server: bool,
}

/// A call with a session's token that its gateway did not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bypass {
    /// Which of the events.
    pub event: usize,
    /// Which of [`Known::sessions`] the token belongs to.
    pub session: usize,
    /// What gives it away.
    pub why: Away,
}

/// What gives a call away that came from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Away {
    /// The gateway minted no such id.
    UnknownId,
    /// It has the id of a call that the gateway sent, and is not that call: another verb, place, time or token.
    ReusedId,
}

/// Why nothing may have been told of a call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Innocent {
    /// The policy tells nothing of such calls.
    NotTold,
    /// Nobody knows what the policy tells of.
    PolicyUnknown,
    /// It is still under way, and the policy leaves out that it began.
    StillOpen,
    /// It may be on its way.
    Late,
    /// The events begin after it, or end before it.
    Outside,
    /// There is a hole in the events at that time.
    Gap,
    /// Another API server may have told of it.
    OtherServer,
    /// The gateway got no answer: it may never have arrived.
    NeverArrived,
}

/// A call of the gateway of which no event was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Which of [`Known::calls`].
    pub call: usize,
    /// What may be behind it. Empty: nothing that is known explains it.
    pub innocent: Vec<Innocent>,
}

/// A call that both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Both {
    /// Which of the events.
    pub event: usize,
    /// Which of [`Known::calls`].
    pub call: usize,
}

/// Both sides, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Calls by a session's token or account that the cluster told of.
    pub cluster: u64,
    /// Calls that the gateway sent.
    pub gateway: u64,
    /// Calls that both sides have.
    pub both: Vec<Both>,
    /// Told of a second time under the same id by an aggregated API server, in the course of the first.
    pub aggregated: Vec<usize>,
    /// What Sallyport itself asks with a session's token to see its rights work and end, and the removal of the session's
    /// own grant, which no gateway sends. Whoever else has the token could ask the same; it gives next to nothing away.
    pub own: Vec<usize>,
    /// Events of a time at which the gateway's record has a hole or has not settled, of calls that may be under way still,
    /// and what does not say enough to be compared with the call whose id it has: nothing can be said.
    pub unclear: Vec<usize>,
    /// What came from elsewhere.
    pub bypass: Vec<Bypass>,
    /// What the cluster did not tell of.
    pub unseen: Vec<Unseen>,
}

/// Compares the calls that a cluster told of (folded) with those that a desktop's gateway sent.
pub fn reconcile(
    events: &[Event<'_>],
    known: &Known,
    cluster: &Record,
    gateway: &Record,
    told: Told<'_>,
) -> Reconciled {
    let calls = known.calls();
    let mut out = Reconciled { gateway: calls.len() as u64, ..Reconciled::default() };
    // Which event stands for each call: the first to arrive.
    let mut first: Vec<Option<usize>> = vec![None; calls.len()];
    let joined: Vec<_> = events.iter().map(|event| join(event, known)).collect();
    let mut order: Vec<usize> = (0..events.len()).collect();
    // What can't be compared with the call whose id it has comes last: by then another may stand for that.
    let is_unclear = |at: usize| {
        let call = joined[at].link.and_then(|link| link.call);
        call.is_some_and(|call| is_that_call(&events[at], &calls[call]) == Same::Unclear)
    };
    order.sort_by_key(|at| (is_unclear(*at), events[*at].at()));
    for at in order {
        let event = &events[at];
        let Some(link) = joined[at].link else { continue };
        if !matches!(link.key, Key::AuditId | Key::Jti | Key::Account) {
            continue;
        }
        out.cluster += 1;
        let away = match link.call {
            Some(call) => match first[call] {
                None if is_unclear(at) => {
                    out.unclear.push(at);
                    continue;
                }
                None => {
                    first[call] = Some(at);
                    out.both.push(Both { event: at, call });
                    continue;
                }
                Some(before) if is_within(event, &events[before]) => {
                    out.aggregated.push(at);
                    continue;
                }
                Some(_) => Away::ReusedId,
            },
            None if joined[at].borrows_an_id => Away::ReusedId,
            None => Away::UnknownId,
        };
        if is_own(event, known, link.session) {
            out.own.push(at);
        } else if away == Away::UnknownId && !span(event).is_some_and(|span| gateway.would_have(span)) {
            out.unclear.push(at);
        } else {
            out.bypass.push(Bypass { event: at, session: link.session, why: away });
        }
    }
    let missing = first.iter().enumerate().filter(|(_, event)| event.is_none());
    out.unseen = missing.map(|(call, _)| unseen(call, known, cluster, told)).collect();
    out
}

/// Whether an event is the same call once more, told of by the API server that it was passed on to: for the same thing,
/// and in its course.
fn is_within(event: &Event<'_>, first: &Event<'_>) -> bool {
    const CLOCKS: i64 = 5_000_000;
    let path = |event: &Event<'_>| event.uri.split('?').next().unwrap_or_default().to_owned();
    let same = event.verb == first.verb && path(event) == path(first) && event.source_ips != first.source_ips;
    let group = event.object.as_ref().map(|object| object.group.as_ref()).unwrap_or_default();
    // What is built in is served by no other server. Groups of one word, and those of Kubernetes but for metrics.
    let is_built_in =
        !group.contains('.') || group.ends_with(".k8s.io") && !group.ends_with("metrics.k8s.io");
    let (Some(at), Some(from)) = (event.at(), first.at()) else { return false };
    let to = first.completed_at.unwrap_or(i64::MAX);
    same && !is_built_in && at >= from.saturating_sub(CLOCKS) && at <= to.saturating_add(CLOCKS)
}

/// From when to when the gateway may have had a call that is no entry yet: it writes streams down when they begin, and all
/// else when it is over, as every call is by the end of its session. `None` where nobody knows when it was.
fn span(event: &Event<'_>) -> Option<(i64, i64)> {
    /// The longest session, in microseconds: its end cuts whatever is under way.
    const LONGEST: i64 = 12 * 3600 * 1_000_000;
    let at = event.at()?;
    let to = match event.completed_at {
        _ if is_stream(event) => at,
        Some(to) => to.max(at),
        // A line that was cut before it says when it was over.
        None if event.stages.ended() || event.stages == Stages::default() => at,
        None => at.saturating_add(LONGEST),
    };
    Some((at, to))
}

/// Whether the gateway tells of such a call when it begins (`gateway::Target::stream`).
fn is_stream(event: &Event<'_>) -> bool {
    let Some(object) = &event.object else { return false };
    let is_of_pod = object.group.is_empty()
        && object.resource == "pods"
        && matches!(&*object.subresource, "exec" | "attach" | "portforward" | "log");
    is_of_pod || object.subresource == "proxy" || matches!(&*event.verb, "watch" | "proxy")
}

/// What Sallyport itself does with a session's token, past the gateway: it asks what the token may do until the session
/// is open and after it was left, and a session that leaves deletes its own grant.
fn is_own(event: &Event<'_>, known: &Known, session: usize) -> bool {
    let Some(object) = &event.object else { return false };
    let asks = object.group == "authorization.k8s.io" && object.resource == "selfsubjectaccessreviews";
    let grant = sallyport_model::SessionAccount::derive_grant_name(&known.sessions()[session].request);
    let leaves = object.group == "access.sallyport.dev"
        && object.resource == "accessgrants"
        && event.verb == "delete"
        && object.name == grant;
    leaves || asks && event.verb == "create" || is_probe(event, object)
}

/// Whether it is a GET by which Sallyport sees that a right is there, or gone (`provision::Question::path`): of an object
/// that nobody has, or of one object at most where a role only lists. What anybody who took the token could copy is held
/// to what gives nothing away: no Secret, no second page.
fn is_probe(event: &Event<'_>, object: &Object<'_>) -> bool {
    let is_ours = event.user_agent.as_deref().is_some_and(|agent| agent.starts_with("sallyport/"));
    if !is_ours || !object.subresource.is_empty() || object.resource == "secrets" {
        return false;
    }
    match &*event.verb {
        "get" => object.name == "sallyport-proof",
        "list" => event.uri.split_once('?').is_some_and(|(_, query)| query == "limit=1"),
        _ => false,
    }
}

fn unseen(call: usize, known: &Known, cluster: &Record, told: Told<'_>) -> Unseen {
    let known_call = &known.calls()[call];
    let at = known_call.at;
    let (from, to) = (at.saturating_sub(SKEW), at.saturating_add(SKEW));
    let mut innocent = Vec::new();
    let mut may = |is: bool, why: Innocent| {
        if is {
            innocent.push(why);
        }
    };
    let level = told.level.and_then(|level| level(known_call));
    may(level == Some(Level::None), Innocent::NotTold);
    may(level.is_none(), Innocent::PolicyUnknown);
    may(!known_call.has_ended && told.omits.has(Stage::ResponseStarted), Innocent::StillOpen);
    may(from < cluster.from || from > cluster.to, Innocent::Outside);
    may(from <= cluster.to && to.saturating_add(cluster.late) > cluster.to, Innocent::Late);
    may(cluster.gaps.iter().any(|gap| gap.start <= to && from < gap.end), Innocent::Gap);
    may(!told.is_every_server, Innocent::OtherServer);
    may(known_call.has_ended && !known_call.was_answered, Innocent::NeverArrived);
    Unseen { call, innocent }
}

#[cfg(test)]
mod tests;
