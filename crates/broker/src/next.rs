//! What a request needs next, by what was seen. Pure: everything that reads or writes is elsewhere.

use crate::reaffirm::word_for;
use sallyport_api::{AccessGrant, AccessRequest, AccessRequestStatus, CONDITION_ENDED, GrantRecord};
use sallyport_model::{EndReason, Ending, Phase};
use sallyport_policy::{UNANSWERED_AFTER, Vouched};
use serde::Serialize;

/// The reason of the condition Closing while a grant that someone removed waits for their word.
pub(crate) const REASON_REMOVED: &str = "GrantRemoved";
/// What is said of a grant that someone removed on the cluster and nobody owned up to on the hub.
pub(crate) const GRANT_REMOVED: &str = "its grant was removed on the cluster";

/// What precedes, in that condition, the names of what could not be removed.
pub(crate) const STILL_THERE: &str = "; still there: ";

/// How long a scan's request is kept at most after it is closed, in seconds: who scanned is also in the hub's audit log, and
/// a fleet that is scanned each day would fill the hub with them.
const SCANS_KEPT: i64 = 24 * 3600;

/// One step of a request's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Next {
    /// Nothing before that moment.
    Rest(Option<Moment>),
    /// Read the live profile and roles, and decide.
    Judge,
    /// The recorded grant was not seen on the target: ask the target itself.
    ConfirmGrant,
    /// The session has bindings that nobody planned: remove them.
    Unbind,
    /// Remove what exists on the target, then close.
    Close(Ending),
    /// Closed, and yet something exists on the target.
    Flush,
    /// Kept for long enough.
    Delete,
}

/// Unix seconds, on whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Moment {
    /// The hub's.
    Hub(i64),
    /// The target's.
    Target(i64),
}

/// What is known besides the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen<'a> {
    /// The grant under the request's name, from the watch.
    pub(crate) grant: Option<&'a AccessGrant>,
    /// Whether the session's ServiceAccount was seen.
    pub(crate) account: bool,
    /// What the session may do beyond its offer by now, or where it may no longer be, in words (P11).
    pub(crate) growth: Option<String>,
    /// Whether bindings of the session exist that nobody planned.
    pub(crate) strays: bool,
    /// Whether its ServiceAccount or any binding under its label was seen.
    pub(crate) left: bool,
    /// How it ends by a hold that stands.
    pub(crate) held: Option<Ending>,
    /// How it ends since the requester may not ask for it any more.
    pub(crate) lost: Option<Ending>,
    /// How the broker itself ended it, where it did so without the hub.
    pub(crate) ended_here: Option<Ending>,
    /// Seconds that a grant which was removed on the cluster waits for the word of whoever did it.
    pub(crate) removed_wait: i64,
    /// Unix seconds on the hub.
    pub(crate) hub_now: i64,
    /// Unix seconds on the target.
    pub(crate) target_now: i64,
    /// Seconds that closed requests are kept.
    pub(crate) retention: i64,
}

/// The next step of `request`.
pub(crate) fn next(request: &AccessRequest, seen: &Seen<'_>) -> Next {
    let empty = AccessRequestStatus::default();
    let status = request.status.as_ref().unwrap_or(&empty);
    let phase = request.phase();
    if phase == Phase::Closed {
        return closed(request, status, seen);
    }
    let said = || ended_by_someone(request).or_else(|| seen.lost.clone());
    if let Some(ending) = decided(request).or_else(|| seen.held.clone()).or_else(said) {
        return Next::Close(ending);
    }
    match (phase, &status.grant) {
        (Phase::Pending, _) | (Phase::Approved, None) => Next::Judge,
        (_, None) => Next::Close(Ending::new(EndReason::Failed, "it was active without a recorded grant")),
        (_, Some(record)) => recorded(request, record, seen),
    }
}

/// A request whose grant is on record: it stands, or it is over.
fn recorded(request: &AccessRequest, record: &GrantRecord, seen: &Seen<'_>) -> Next {
    let end = record.end.0.as_second();
    if seen.target_now >= end {
        return Next::Close(Ending::new(EndReason::Expired, "its time was up"));
    }
    if let Some(since) = removed_since(request) {
        // Never made again (attack 8): whoever removed it has a moment to say so on the hub.
        let until = since.saturating_add(seen.removed_wait);
        return if seen.hub_now >= until {
            Next::Close(Ending::new(EndReason::Revoked, GRANT_REMOVED))
        } else if seen.left || request.closing().is_some_and(|said| said.message.contains(STILL_THERE)) {
            // The word may take its time; what adds rights may not, and once it is gone nobody is told that it is there.
            Next::ConfirmGrant
        } else {
            Next::Rest(Some(Moment::Hub(until)))
        };
    }
    let stands = seen.grant.is_some_and(|grant| {
        grant.metadata.uid.as_deref() == Some(record.uid.as_str())
            && grant.metadata.deletion_timestamp.is_none()
    });
    if let (false, Some(ending)) = (stands, &seen.ended_here) {
        return Next::Close(ending.clone());
    }
    if !stands || (request.phase() == Phase::Active && !seen.account) {
        return Next::ConfirmGrant;
    }
    let over_at = match word_for(request, seen.hub_now) {
        Some(Vouched::Over { why }) => {
            return Next::Close(Ending::new(EndReason::Revoked, format!("closed because {why}")));
        }
        Some(Vouched::Fine { over_at, .. } | Vouched::Due { over_at }) => Some(over_at),
        None => None,
    };
    if let Some(growth) = &seen.growth {
        return Next::Close(Ending::new(EndReason::Revoked, format!("closed because {growth}")));
    }
    if seen.strays {
        return Next::Unbind;
    }
    if request.phase() == Phase::Approved {
        return Next::Judge;
    }
    // Each by its own clock; whichever comes first.
    Next::Rest(Some(match over_at {
        Some(over_at) if over_at - seen.hub_now < end - seen.target_now => Moment::Hub(over_at),
        _ => Moment::Target(end),
    }))
}

/// When the recorded grant was first seen to be removed by someone, Unix seconds on the hub.
fn removed_since(request: &AccessRequest) -> Option<i64> {
    let closing = request.closing().filter(|closing| closing.reason == REASON_REMOVED)?;
    Some(closing.last_transition_time.0.as_second())
}

/// How it will have ended, decided before and not carried out in full yet. Nothing that happens later changes it.
pub(crate) fn decided(request: &AccessRequest) -> Option<Ending> {
    let ended = request.condition(CONDITION_ENDED).filter(|ended| ended.status == "False")?;
    let reason = ended.reason.parse().unwrap_or(EndReason::Failed);
    Some(Ending::new(reason, ended.message.clone()))
}

/// When an undecided request is given up.
pub(crate) fn unanswered_at(request: &AccessRequest) -> Option<Moment> {
    let created = request.metadata.creation_timestamp.as_ref()?.0.as_second();
    Some(Moment::Hub(created + UNANSWERED_AFTER))
}

fn closed(request: &AccessRequest, status: &AccessRequestStatus, seen: &Seen<'_>) -> Next {
    if seen.grant.is_some() || seen.account {
        return Next::Flush;
    }
    let ended =
        status.conditions.iter().find(|c| c.type_ == CONDITION_ENDED).map(|c| &c.last_transition_time);
    let since = ended.or(request.metadata.creation_timestamp.as_ref());
    let Some(since) = since else { return Next::Rest(None) };
    let kept = if request.is_scan() { seen.retention.min(SCANS_KEPT) } else { seen.retention };
    let until = since.0.as_second().saturating_add(kept);
    if seen.hub_now >= until { Next::Delete } else { Next::Rest(Some(Moment::Hub(until))) }
}

/// The end that a person has asked for, if one has.
pub(crate) fn ended_by_someone(request: &AccessRequest) -> Option<Ending> {
    Some(request.ended_by()?.ending(request.phase()))
}

#[cfg(test)]
mod tests;
