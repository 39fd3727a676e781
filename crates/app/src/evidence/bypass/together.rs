//! What several places tell of the same calls, put together so that none takes another's place: a log store says what
//! anybody who may write into it says, and the archive has what was read on this machine.

use super::{OfSession, Place, compared_alone};
use sallyport_archive::{CallId, Kept};
use sallyport_events::{
    Away, Both, Bypass, Came, Event, Field, Known, Reconciled, Record, fold, is_same_call, join,
};
use std::collections::{HashMap, HashSet};

/// Calls of one id that one is held against, the newest.
const LOOK_BACK: usize = 256;

/// Folds each place apart, and leaves out what a place tells as another before it did, the archive first. Where two of
/// them say different things of a call both stay. Oldest first, each with where it was read.
pub(super) fn together(mut parts: Vec<(Option<u64>, Vec<Kept>)>) -> Vec<(Event<'static>, Place)> {
    parts.sort_by_key(|(look, _)| *look);
    let mut all: Vec<(Event<'static>, Place)> = Vec::new();
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    for (look, events) in parts {
        let before = all.len();
        for (event, place) in folded(look, events) {
            let mut alike = by_id.get(event.audit_id.as_ref()).into_iter().flatten().rev().take(LOOK_BACK);
            if !alike.any(|at| says_the_same(&all[*at].0, &event)) {
                all.push((event, place));
            }
        }
        // Calls of one place are different ones already.
        for (at, (event, _)) in all.iter().enumerate().skip(before) {
            by_id.entry(event.audit_id.to_string()).or_default().push(at);
        }
    }
    all.sort_by_key(|(event, _)| event.at());
    all
}

/// The calls of one place, each with where it is shown from.
fn folded(look: Option<u64>, mut events: Vec<Kept>) -> Vec<(Event<'static>, Place)> {
    events.sort_by_key(|kept| (kept.event.at(), kept.id));
    let (mut places, mut alike) = (HashMap::new(), HashMap::new());
    for kept in &events {
        let (id, at) = (kept.event.audit_id.to_string(), kept.event.at());
        let place = (look, kept.id, at.unwrap_or_default());
        alike.entry(id.clone()).or_insert(place);
        places.insert((id, at), place);
    }
    let calls = fold(events.into_iter().map(|kept| kept.event)).into_iter();
    let with_place = calls.map(|event| {
        let id = event.audit_id.to_string();
        let other = alike.get(&id).copied();
        let nowhere = (look, CallId::from_number(0), 0);
        let place = places.get(&(id, event.at())).copied().or(other).unwrap_or(nowhere);
        (event, place)
    });
    with_place.collect()
}

/// Whether two places tell of one call, and nothing that both say is different.
fn says_the_same(one: &Event<'_>, other: &Event<'_>) -> bool {
    fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if one != other)
    }
    // What follows from an address is not what it was said to be about.
    let is_inferred = [one, other].iter().any(|event| event.came(Field::Object) == Came::Inferred);
    is_same_call(one, other)
        && !differ(one.code.as_ref(), other.code.as_ref())
        && !differ(one.decision.as_ref(), other.decision.as_ref())
        && !differ(one.user_agent.as_ref(), other.user_agent.as_ref())
        && !differ(one.credential.as_ref(), other.credential.as_ref())
        && (is_inferred || !differ(one.object.as_ref(), other.object.as_ref()))
}

/// Both sides of a session, compared. What the archive tells is judged by itself: no store's event stands for a call that
/// the archive tells of, nor changes what is said of the archive's.
pub(in crate::evidence) fn compared(of: &OfSession, known: &Known, own: &Record) -> Reconciled {
    let all = compared_alone(of, &of.events, known, own);
    let here: Vec<usize> = (0..of.events.len()).filter(|at| of.place[*at].0.is_none()).collect();
    if here.is_empty() || here.len() == of.events.len() {
        return all;
    }
    let events: Vec<Event<'static>> = here.iter().map(|at| of.events[*at].clone()).collect();
    let alone = compared_alone(of, &events, known, own);
    let here_first = |list: Vec<usize>, of_here: Vec<usize>| {
        let there = list.into_iter().filter(|at| here.binary_search(at).is_err());
        let mut out: Vec<usize> = there.chain(of_here.into_iter().map(|at| here[at])).collect();
        out.sort_unstable();
        out
    };
    // Told of a second time by an aggregated API server, of which a store has the first: that stands for the call.
    let second: HashSet<usize> = all.aggregated.iter().copied().collect();
    let both_here: Vec<Both> =
        alone.both.into_iter().map(|both| Both { event: here[both.event], ..both }).collect();
    let is_second = |both: &Both| second.contains(&both.event);
    let seconds = both_here.iter().filter(|both| is_second(both)).map(|both| both.event);
    let mut aggregated = here_first(all.aggregated.clone(), alone.aggregated);
    aggregated.extend(seconds);
    let firsts: Vec<Both> = both_here.into_iter().filter(|both| !is_second(both)).collect();
    let is_told_here: HashSet<usize> = firsts.iter().map(|both| both.call).collect();
    let there = all.both.into_iter().filter(|both| here.binary_search(&both.event).is_err());
    let (again, there): (Vec<Both>, Vec<Both>) = there.partition(|both| is_told_here.contains(&both.call));
    let is_there = |bypass: &Bypass| here.binary_search(&bypass.event).is_err();
    let mut bypass: Vec<Bypass> = all.bypass.into_iter().filter(is_there).collect();
    bypass.extend(alone.bypass.into_iter().map(|bypass| Bypass { event: here[bypass.event], ..bypass }));
    // What says something else of a call than the archive does is another one under its id.
    bypass.extend(again.into_iter().filter_map(|both| {
        let link = join(&of.events[both.event], known).link?;
        Some(Bypass { event: both.event, session: link.session, why: Away::ReusedId })
    }));
    bypass.sort_by_key(|bypass| bypass.event);
    let mut both: Vec<Both> = firsts.into_iter().chain(there).collect();
    both.sort_by_key(|both| both.event);
    Reconciled {
        both,
        bypass,
        aggregated,
        own: here_first(all.own, alone.own),
        unclear: here_first(all.unclear, alone.unclear),
        ..all
    }
}
