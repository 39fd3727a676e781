//! The moments of one call, into one call.

use crate::{Came, Event, Field, Flaw, Shape};
use std::collections::HashMap;

/// How many calls back one is looked for whose own time was cut off.
const LOOK_BACK: usize = 64;

/// Events of one cluster, in any order, into calls: in the order in which the first moment of each was met.
///
/// An `auditID` is the client's to choose and aggregated API servers repeat it, so it takes more than the id for two
/// events to be one call ([`is_same_call`]). Two deliveries of one event are one call.
pub fn fold<'a>(events: impl IntoIterator<Item = Event<'a>>) -> Vec<Event<'a>> {
    let mut calls: Vec<Event<'a>> = Vec::new();
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_time: HashMap<(String, i64), usize> = HashMap::new();
    for event in events {
        let exact = exact(&event);
        let found = exact.as_ref().and_then(|key| by_time.get(key).copied());
        let found = found.filter(|at| is_same_call(&calls[*at], &event)).or_else(|| {
            let candidates = by_id.get(event.audit_id.as_ref())?;
            candidates.iter().rev().take(LOOK_BACK).copied().find(|at| is_same_call(&calls[*at], &event))
        });
        let at = match found {
            Some(at) => {
                absorb(&mut calls[at], event);
                at
            }
            None => {
                by_id.entry(event.audit_id.to_string()).or_default().push(calls.len());
                calls.push(event);
                calls.len() - 1
            }
        };
        if let Some(key) = exact {
            by_time.insert(key, at);
        }
    }
    calls
}

/// The id and the time of arrival, which all moments of a call have in common.
fn exact(event: &Event<'_>) -> Option<(String, i64)> {
    arrived(event).map(|at| (event.audit_id.to_string(), at))
}

/// When it arrived, where the line itself says so.
fn arrived(event: &Event<'_>) -> Option<i64> {
    event.received_at.filter(|_| event.came(Field::ReceivedAt) == Came::Raw)
}

/// Whether two events tell of one call: the same id, by the same person from the same place, for the same thing, and
/// arrived at the same moment, which an API server notes once for all moments of a call. What one of them does not say,
/// because it was cut, does not tell them apart.
pub fn is_same_call(one: &Event<'_>, other: &Event<'_>) -> bool {
    if one.audit_id.is_empty() || one.audit_id != other.audit_id || one.shape != other.shape {
        return false;
    }
    let missing = |field: Field| {
        [one, other].iter().any(|event| event.is_partial() && event.came(field) == Came::Absent)
    };
    let is_cut =
        |field: Field| [one, other].iter().any(|event| event.is_partial() && event.came(field) != Came::Raw);
    let same_user = one.user.name == other.user.name && one.user.uid == other.user.uid;
    let impersonated = |event: &Event<'_>| event.impersonated.as_ref().map(|user| user.name.to_string());
    let same_uri = one.uri == other.uri || is_cut(Field::Uri);
    // Of a user that was cut in the middle there is a part; whole it is where something follows it.
    let is_user_cut = missing(Field::User) || missing(Field::SourceIps);
    if !(same_user || is_user_cut)
        || !(impersonated(one) == impersonated(other) || missing(Field::Impersonated))
        || !(one.verb == other.verb || missing(Field::Verb))
        || !(one.source_ips == other.source_ips || missing(Field::SourceIps))
        || !same_uri
    {
        return false;
    }
    match (arrived(one), arrived(other)) {
        (Some(one), Some(other)) if one != other => return false,
        _ => {}
    }
    // One that ended twice, at two times, is two.
    !matches!((one.completed_at, other.completed_at), (Some(one), Some(other)) if one != other)
}

/// Puts what another moment of the same call tells into it.
pub fn absorb<'a>(call: &mut Event<'a>, mut other: Event<'a>) {
    // What tells most goes on: the end before the beginning, and what is whole before what was cut.
    let rank = |event: &Event<'_>| (event.stages.ended(), !event.is_partial(), event.started_at.is_some());
    if rank(&other) > rank(call) {
        std::mem::swap(call, &mut other);
    }
    let better_time = arrived(call).is_none() && arrived(&other).is_some() || call.received_at.is_none();
    // What one says itself before what follows from the other's address.
    let is_inferred = |event: &Event<'_>| event.came(Field::Object) == Came::Inferred;
    let better_object =
        other.object.is_some() && (call.object.is_none() || is_inferred(call) && !is_inferred(&other));
    let better = [
        (Field::ReceivedAt, better_time && other.received_at.is_some()),
        (Field::StartedAt, call.started_at.is_none() && other.started_at.is_some()),
        (Field::CompletedAt, call.completed_at.is_none() && other.completed_at.is_some()),
        (Field::Level, call.level.is_none() && other.level.is_some()),
        (Field::Code, call.code.is_none() && other.code.is_some()),
        (Field::Decision, call.decision.is_none() && other.decision.is_some()),
        (Field::Credential, call.credential.is_none() && other.credential.is_some()),
        (Field::Object, better_object),
        (Field::Command, call.command.is_empty() && !other.command.is_empty()),
        (Field::UserAgent, call.user_agent.is_none() && other.user_agent.is_some()),
    ];
    for (field, _) in better.into_iter().filter(|(_, is_better)| *is_better) {
        call.provenance.note(field, other.provenance.of(field));
    }
    if better_time {
        call.received_at = other.received_at.or(call.received_at);
    }
    // A watch may tell of its start more than once; the first was it.
    call.started_at = call.started_at.into_iter().chain(other.started_at).min();
    call.completed_at = call.completed_at.or(other.completed_at);
    call.stages = call.stages.with(other.stages);
    call.level = call.level.max(other.level);
    if call.code.is_none() {
        (call.code, call.reason, call.message) = (other.code, other.reason, other.message);
    }
    if call.decision.is_none() {
        (call.decision, call.decision_reason) = (other.decision, other.decision_reason);
    }
    call.credential = call.credential.take().or(other.credential);
    call.issued_credential = call.issued_credential.take().or(other.issued_credential);
    if better_object {
        call.object = other.object;
    }
    call.request = call.request.take().or(other.request);
    call.response = call.response.take().or(other.response);
    call.user_agent = call.user_agent.take().or(other.user_agent);
    if call.command.is_empty() {
        call.command = other.command;
    }
    if call.annotations.is_empty() {
        call.annotations = other.annotations;
    }
    // The same secret stands in every moment of a call.
    call.redactions = call.redactions.max(other.redactions);
    let was_partial = call.is_partial();
    let mut flaws = call.flaws;
    flaws.add(other.flaws);
    call.flaws = flaws.without(Flaw::Partial);
    if was_partial {
        call.flaws.note(Flaw::Partial);
    }
    if call.shape == Shape::Gke && call.received_at.is_none() {
        call.received_at = call.started_at;
    }
}

#[cfg(test)]
mod tests;
