//! How far the end of a request is that somebody ended, for whoever ended it: what its broker says, and where nobody says
//! anything the bound that holds all the same. Pure.

use crate::inventory::KnownFor;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_ipc::{ClosingState, ClosingView, Shown};
use sallyport_model::{Ending, Hold, Phase};

/// How long after its end an API server may still take a token, ms (P10): 60 s of leeway on `exp`, 10 s of token cache, and
/// a little for the seconds that both are counted in.
const LEEWAY: i64 = 75_000;

/// How it ends by what somebody said of it, or by a hold that stands on it.
pub(super) fn ended(object: &AccessRequest, hold: Option<&Hold>) -> Option<Ending> {
    let phase = object.phase();
    // What waits only may not be approved; its broker says when it has closed it.
    let held = hold.filter(|_| phase != Phase::Pending).map(|hold| hold.ending(phase));
    object.ended_by().map(|by| by.ending(phase)).or(held)
}

/// Of one that is not closed; `None` where nobody ended it.
pub(super) fn of(object: &AccessRequest, hold: Option<&Hold>, known: &KnownFor) -> Option<ClosingView> {
    let left = object.closing();
    if left.is_none() && ended(object, hold).is_none() {
        return None;
    }
    let state = match (known.is_silent, left.is_some()) {
        (true, _) => ClosingState::Unreached,
        (false, true) => ClosingState::Hindered,
        (false, false) => ClosingState::Told,
    };
    Some(ClosingView {
        state,
        said: left.map(|left| Shown::from(&left.message)),
        seen_at: known.broker_seen.filter(|_| known.is_silent),
        refused_from: refused_from(object),
        kept_since: None,
    })
}

/// Of one that is not among what is open any more. `read`: as it is by now; `None` where that could not be read, or it is gone.
pub(super) fn of_closed(last: &AccessRequest, read: Option<&AccessRequest>) -> ClosingView {
    // Only its broker may write that, and it does when it has seen that nothing is left.
    let proof = read.filter(|read| read.phase() == Phase::Closed).and_then(|read| {
        let ended = read.condition(CONDITION_ENDED).filter(|ended| ended.status == "True")?;
        let message = read.status.as_ref().and_then(|status| status.message.as_ref());
        Some(Shown::from(message.unwrap_or(&ended.message)))
    });
    let state = if proof.is_some() { ClosingState::Proven } else { ClosingState::Unproven };
    // Its grant may have been recorded just before.
    let refused_from = read.and_then(refused_from).or_else(|| refused_from(last));
    ClosingView { state, said: proof, seen_at: None, refused_from, kept_since: None }
}

/// From when on nothing of it is taken, whoever does nothing, Unix milliseconds.
pub(super) fn refused_from(object: &AccessRequest) -> Option<i64> {
    let end = object.status.as_ref()?.grant.as_ref()?.end.0.as_millisecond();
    Some(end.saturating_add(LEEWAY))
}

#[cfg(test)]
mod tests;
