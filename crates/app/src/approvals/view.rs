//! A request as an approver reads it. Pure.

use crate::inventory::{KnownFor, environment_kind, rights_of, rules};
use crate::person::SignedInAs;
use sallyport_api::{AccessRequest, Offer};
use sallyport_ipc::{ApprovalView, Decide, OfferView, RequestPhase, RequestView, Right, Shown};
use sallyport_model::{NamespaceName, Phase, Scope, Ttl};
use sallyport_policy::UNANSWERED_AFTER;
use sallyport_rbac::{Rule, growth};

/// The request for whoever looks at it. `active` are those of the same requester whose rights exist.
pub(super) fn of(
    object: &AccessRequest,
    who: &SignedInAs,
    known: &KnownFor,
    active: &[&AccessRequest],
) -> RequestView {
    let spec = &object.spec;
    let status = object.status.clone().unwrap_or_default();
    let asked_at = object.metadata.creation_timestamp.as_ref().map_or(0, |at| at.0.as_millisecond());
    let digest = status.offer.as_ref().map(|offer| offer.digest.clone());
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
        duration_seconds: spec
            .duration
            .parse::<Ttl>()
            .map_or(0, |ttl| u32::try_from(ttl.as_seconds()).unwrap_or(u32::MAX)),
        reason: Shown::from(&spec.reason),
        asked_at,
        waits_until: asked_at.saturating_add(UNANSWERED_AFTER * 1000),
        phase: match object.phase() {
            Phase::Pending => RequestPhase::Pending,
            Phase::Approved => RequestPhase::Approved,
            Phase::Active | Phase::Closed => RequestPhase::Active,
        },
        offer: status.offer.as_ref().map(|offer| offer_view(object, offer, active)),
        approvals: status
            .approvals
            .iter()
            .map(|yes| ApprovalView {
                by: Shown::from(&yes.by),
                at: yes.at.0.as_millisecond(),
                counts: Some(&yes.offer) == digest.as_ref() && yes.by != spec.user,
            })
            .collect(),
        needed: known.approvals.map(u32::from),
        ends_at: status.grant.as_ref().map(|grant| grant.end.0.as_millisecond()),
        message: status.message.as_ref().filter(|m| !m.is_empty()).map(Shown::from),
        ended: object.ended_by().map(|by| by.ending(object.phase()).message.into()),
        decide: decide(object, who, known),
        may_revoke: !own && known.rights.revoke && object.phase() != Phase::Pending,
    }
}

/// Whether somebody may say yes or no, as far as it can be told here.
pub(super) fn decide(object: &AccessRequest, who: &SignedInAs, known: &KnownFor) -> Decide {
    let status = object.status.as_ref();
    if object.spec.user == who.user.as_str() {
        return Decide::Own;
    }
    if object.phase() != Phase::Pending || object.ended_by().is_some() {
        return Decide::Over;
    }
    if !known.rights.approve {
        return Decide::NotYours;
    }
    let Some(offer) = status.and_then(|status| status.offer.as_ref()) else { return Decide::NoOffer };
    let said = status.is_some_and(|status| {
        status.approvals.iter().any(|yes| yes.by == who.user.as_str() && yes.offer == offer.digest)
    });
    if said { Decide::Said } else { Decide::Yes }
}

fn scope_of(object: &AccessRequest) -> Option<Scope> {
    let names: Result<Vec<NamespaceName>, _> = object.spec.namespaces.iter().map(|n| n.parse()).collect();
    names.ok().map(Scope::from_list)
}

/// What a yes would allow, and what of it the requester does not have open on that cluster already, wherever it is asked for.
fn offer_view(object: &AccessRequest, offer: &Offer, active: &[&AccessRequest]) -> OfferView {
    let scope = scope_of(object);
    let beside: Vec<&&AccessRequest> = active
        .iter()
        .filter(|other| {
            other.metadata.uid != object.metadata.uid
                && other.spec.cluster == object.spec.cluster
                && other.ended_by().is_none()
        })
        .collect();
    let held: Vec<Rule> = beside
        .iter()
        .filter(|other| match (&scope, scope_of(other)) {
            (Some(asked), Some(held)) => asked.within(&held),
            _ => false,
        })
        .filter_map(|other| other.status.as_ref()?.offer.as_ref())
        .flat_map(|offer| rules(&offer.rules))
        .collect();
    let namespaces: Vec<Shown> = object.spec.namespaces.iter().map(Shown::from).collect();
    let all = rules(&offer.rules);
    OfferView {
        digest: Shown::from(&offer.digest),
        rights: strongest_first(rights_of(&all, &namespaces)),
        rules: u32::try_from(offer.rules.len()).unwrap_or(u32::MAX),
        warnings: offer.warnings.iter().map(Shown::from).collect(),
        beside: beside.iter().map(|other| Shown::from(&other.spec.profile)).collect(),
        adds: strongest_first(rights_of(&growth(&held, &all), &namespaces)),
    }
}

fn strongest_first(mut rights: Vec<Right>) -> Vec<Right> {
    rights.sort_by_key(|right| !right.writes);
    rights
}

#[cfg(test)]
mod tests;
