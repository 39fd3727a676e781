//! A request as an approver reads it. Pure.

use super::offer::{self, Beside};
use super::{closing, less};
use crate::inventory::{KnownFor, environment_kind};
use crate::person::SignedInAs;
use sallyport_api::{AccessRequest, Approval};
use sallyport_ipc::{ApprovalView, AutoApprovalView, Decide, ReaffirmView, RequestPhase, RequestView, Shown};
use sallyport_model::{Hold, Phase, Reaffirm, Ttl};
use sallyport_policy::UNANSWERED_AFTER;

/// The request for whoever looks at it; `hold` is one that stands on what it does.
pub(super) fn of(
    object: &AccessRequest,
    who: &SignedInAs,
    known: &KnownFor,
    hold: Option<&Hold>,
    beside: &Beside<'_>,
) -> RequestView {
    let spec = &object.spec;
    let status = object.status.clone().unwrap_or_default();
    let asked_at = object.metadata.creation_timestamp.as_ref().map_or(0, |at| at.0.as_millisecond());
    let own = spec.user == who.user.as_str();
    RequestView {
        id: object.metadata.uid.clone().unwrap_or_default().into(),
        team: object.metadata.namespace.clone().unwrap_or_default().into(),
        user: Shown::from(&spec.user),
        own,
        groups: spec.groups.iter().map(Shown::from).collect(),
        acr: spec.acr.as_ref().map(Shown::from),
        amr: spec.amr.iter().map(Shown::from).collect(),
        mfa_at: spec.auth_time.filter(|at| *at > 0).map(|at| at.saturating_mul(1000)),
        cluster: Shown::from(&spec.cluster),
        environment: environment_kind(&known.environment),
        environment_word: Shown::from(&known.environment),
        profile: Shown::from(&spec.profile),
        namespaces: spec.namespaces.iter().map(Shown::from).collect(),
        duration_seconds: spec.duration.parse::<Ttl>().map_or(0, |ttl| ttl.as_seconds_u32()),
        reason: Shown::from(&spec.reason),
        asked_at,
        waits_until: asked_at.saturating_add(UNANSWERED_AFTER * 1000),
        phase: match object.phase() {
            Phase::Pending => RequestPhase::Pending,
            Phase::Approved => RequestPhase::Approved,
            Phase::Active | Phase::Closed => RequestPhase::Active,
        },
        offer: status.offer.as_ref().map(|offer| offer::of(object, offer, beside)),
        reaffirm: reaffirm(object, known).map(ReaffirmView::from),
        recording: spec.recording.map(Into::into),
        approvals: status
            .approvals
            .iter()
            .map(|yes| ApprovalView {
                by: Shown::from(&yes.by),
                at: yes.at.0.as_millisecond(),
                counts: counts(object, yes),
                limits: less::view(yes),
            })
            .collect(),
        auto_approval: status.auto_approval.as_ref().map(|met| AutoApprovalView {
            name: Shown::from(&met.name),
            saw: Shown::from(&met.saw),
            at: met.at.0.as_millisecond(),
        }),
        given: less::left(object, status.approvals.iter().filter(|yes| counts(object, yes))),
        needed: known.approvals.map(u32::from),
        ends_at: status.grant.as_ref().map(|grant| grant.end.0.as_millisecond()),
        message: status.message.as_ref().filter(|m| !m.is_empty()).map(Shown::from),
        ended: closing::ended(object, hold).map(|ending| ending.message.into()),
        closing: closing::of(object, hold, known),
        decide: decide(object, who, known, beside.problem.is_none()),
        may_deny: may_deny(object, who, known),
        may_revoke: !own
            && known.rights.is_some_and(|rights| rights.revoke)
            && object.phase() != Phase::Pending,
    }
}

/// How often its requester has to be vouched for: what the offer says, which is what is decided on. An offer that can't be read
/// is none.
fn reaffirm(object: &AccessRequest, known: &KnownFor) -> Option<Reaffirm> {
    match object.offer() {
        Some(_) => object.reaffirm().ok().flatten(),
        None => known.profile.as_ref().and_then(|profile| profile.reaffirm),
    }
}

/// Whether somebody may say yes or no, as far as it can be told here. `is_sound`: its offer can be what its digest says.
pub(super) fn decide(object: &AccessRequest, who: &SignedInAs, known: &KnownFor, is_sound: bool) -> Decide {
    let status = object.status.as_ref();
    if object.spec.user == who.user.as_str() {
        return Decide::Own;
    }
    if object.phase() != Phase::Pending || object.ended_by().is_some() {
        return Decide::Over;
    }
    match known.rights {
        None => return Decide::NotKnown,
        Some(rights) if !rights.approve => return Decide::NotYours,
        Some(_) => {}
    }
    let Some(status) = status.filter(|status| status.offer.is_some()) else {
        return if known.approvals == Some(0) { Decide::Enough } else { Decide::NoOffer };
    };
    let yeses: Vec<&Approval> = status.approvals.iter().filter(|yes| counts(object, yes)).collect();
    if yeses.iter().any(|yes| yes.by == who.user.as_str()) {
        return Decide::Said;
    }
    let enough = known.approvals.is_some_and(|needed| yeses.len() >= usize::from(needed));
    if enough || status.auto_approval.is_some() || object.closing().is_some() {
        Decide::Enough
    } else if is_sound {
        Decide::Yes
    } else {
        Decide::Unsound
    }
}

/// Whether somebody may say no, as far as it can be told here: also after their own yes, which may have been a mistake.
fn may_deny(object: &AccessRequest, who: &SignedInAs, known: &KnownFor) -> bool {
    object.spec.user != who.user.as_str()
        && object.phase() == Phase::Pending
        && object.ended_by().is_none()
        && object.closing().is_none()
        && known.rights.is_some_and(|rights| rights.approve)
}

/// Whether a yes is to the offer as it stands, and not the requester's own.
fn counts(object: &AccessRequest, yes: &Approval) -> bool {
    object.offer().is_some_and(|offer| offer.digest == yes.offer) && yes.by != object.spec.user
}

#[cfg(test)]
mod tests;
