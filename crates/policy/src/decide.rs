use crate::Permit;
use crate::fit::{self, CLOCKS_APART_MOST, Facts};
use sallyport_model::{
    Digest, EndReason, EndedBy, Ending, Phase, Profile, ReasonError, RequestRef, SignIn, Terms, Ttl,
    UserName, check_reason, clip,
};
use std::collections::BTreeSet;

/// A request nobody decided on closes after this many seconds.
pub const UNANSWERED_AFTER: i64 = 24 * 3600;
/// One person may have this many requests open on one cluster at a time (attack 19).
pub const OPEN_PER_PERSON_MOST: u32 = 16;
/// An approval's `at` comes from the approver's desktop; admission lets it differ from the hub's clock by a minute, and the
/// broker's own clock may differ from that.
const APPROVAL_SKEW: i64 = 60 + CLOCKS_APART_MOST;

/// A request as far as the decision needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which one.
    pub which: RequestRef,
    /// When the hub made it, Unix seconds.
    pub created_at: i64,
    /// Where it stands.
    pub phase: Phase,
    /// What it asks for.
    pub terms: Terms,
    /// How the requester signed in, as admission let them say.
    pub sign_in: SignIn,
    /// The digest of the offer recorded in its status, once there is one.
    pub offer: Option<Digest>,
    /// Who said yes.
    pub approvals: Vec<Approval>,
    /// Who ended it, if anybody did.
    pub ended_by: Option<EndedBy>,
}

/// One person's yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: UserName,
    /// When, Unix seconds.
    pub at: i64,
    /// The digest of the offer they saw.
    pub offer: Digest,
    /// How they signed in, as admission let them say.
    pub sign_in: SignIn,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one exists per decision, and a permit is moved on at once")]
pub enum Decision {
    /// It may be granted.
    Permit(Permit),
    /// Not yet.
    Wait(WaitFor),
    /// Never: close it.
    Refuse(Ending),
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// People who have not said yes.
    Approvals {
        /// Approvals that count.
        have: usize,
        /// Approvals needed.
        need: usize,
    },
}

/// Whether the request may become access at `now` (Unix seconds, the hub's clock).
///
/// Everything is judged again from the live profile, whatever admission let through before. Call it again right
/// before granting: a request that is Approved is refused here when profile, offer or facts have changed since.
pub fn decide(request: &Request, profile: Option<&Profile>, facts: &Facts, now: i64) -> Decision {
    let refuse = |ending: Ending| Decision::Refuse(fitting(ending, request.phase));
    if let Err(ending) = still_open(request, now) {
        return refuse(ending);
    }
    let profile = match within_profile(request, profile) {
        Ok(profile) => profile,
        Err(ending) => return refuse(ending),
    };
    if let Err(ending) = fits_target(request, facts) {
        return refuse(ending);
    }
    let (have, need) = (counting(request, profile, facts, now), usize::from(profile.approvals));
    if have < need {
        return Decision::Wait(WaitFor::Approvals { have, need });
    }
    Decision::Permit(Permit {
        which: request.which.clone(),
        terms: request.terms.clone(),
        roles: profile.roles.clone(),
        offer: facts.offer.digest,
    })
}

/// Denied and Unanswered end only what is pending; what was approved before and can't be carried out now Failed.
fn fitting(mut ending: Ending, phase: Phase) -> Ending {
    let pending_only = matches!(ending.reason, EndReason::Denied | EndReason::Unanswered);
    if pending_only && phase != Phase::Pending {
        ending.reason = EndReason::Failed;
    }
    ending
}

fn still_open(request: &Request, now: i64) -> Result<(), Ending> {
    if request.phase == Phase::Closed {
        return Err(Ending::new(EndReason::Failed, "the request is closed already"));
    }
    if let Some(by) = &request.ended_by {
        return Err(by.ending(request.phase));
    }
    if request.phase == Phase::Pending && now.saturating_sub(request.created_at) >= UNANSWERED_AFTER {
        return Err(Ending::new(EndReason::Unanswered, "nobody answered within 24 hours"));
    }
    Ok(())
}

/// Every limit of the live profile (P7).
fn within_profile<'p>(request: &Request, profile: Option<&'p Profile>) -> Result<&'p Profile, Ending> {
    let denied = |message: String| Err(Ending::new(EndReason::Denied, message));
    let terms = &request.terms;
    let Some(profile) = profile.filter(|p| p.name == terms.profile) else {
        return denied(format!("there is no profile {}", terms.profile));
    };
    if profile.revision != terms.revision {
        return denied(format!("profile {} has changed since it was asked for; ask again", profile.name));
    }
    if !profile.covers(&terms.cluster) {
        return denied(format!("profile {} does not cover cluster {}", profile.name, terms.cluster));
    }
    if profile.roles.is_empty() {
        return denied(format!("profile {} names no role", profile.name));
    }
    if !terms.scope.within(&profile.scope) {
        return denied(format!(
            "{} is more than profile {} allows ({})",
            clip(&terms.scope.to_string(), 120),
            profile.name,
            clip(&profile.scope.to_string(), 120)
        ));
    }
    let most = profile.max_duration.min(Ttl::LONGEST);
    if terms.duration < Ttl::SHORTEST || terms.duration > most {
        return denied(format!("{} is not between {} and {most}", terms.duration, Ttl::SHORTEST));
    }
    match check_reason(&terms.reason, profile.reason_required) {
        Ok(()) => {}
        Err(ReasonError::Missing) => return denied(format!("profile {} needs a reason", profile.name)),
        Err(wrong @ ReasonError::TooLong) => return denied(wrong.to_string()),
    }
    // Admission held the request's words to the sign-in's own, and its limits may have been judged by no profile at all.
    if let Some(lack) = profile.mfa.lack(&request.sign_in, request.created_at) {
        return denied(format!("profile {} needs {lack}; sign in again and ask again", profile.name));
    }
    Ok(profile)
}

/// What the target must be like, and that the offer is still the one that was made.
fn fits_target(request: &Request, facts: &Facts) -> Result<(), Ending> {
    let failed = |message: String| Err(Ending::new(EndReason::Failed, message));
    let denied = |message: String| Err(Ending::new(EndReason::Denied, message));
    if request.terms.cluster != facts.cluster {
        return failed(format!(
            "cluster {} is not served by the broker of {}",
            request.terms.cluster, facts.cluster
        ));
    }
    fit::fits(&request.terms.scope, facts)?;
    if request.offer.is_some_and(|recorded| recorded != facts.offer.digest) {
        return denied(
            "what the profile allows on this cluster has changed since it was offered; ask again".to_owned(),
        );
    }
    if request.phase == Phase::Pending && facts.others_open >= OPEN_PER_PERSON_MOST {
        return denied(format!("{} requests are open already on this cluster", facts.others_open));
    }
    Ok(())
}

/// How many distinct people said a yes that counts (P8): not the requester, to the live offer, with a sign-in as
/// strong and fresh as the profile wants.
fn counting(request: &Request, profile: &Profile, facts: &Facts, now: i64) -> usize {
    // Without a recorded offer there was nothing to say yes to.
    if request.offer.is_none() {
        return 0;
    }
    let timely = |approval: &Approval| {
        approval.at >= request.created_at.saturating_sub(APPROVAL_SKEW)
            && approval.at <= now.saturating_add(APPROVAL_SKEW)
    };
    let counts = |a: &&Approval| {
        a.by != request.terms.user
            && a.offer == facts.offer.digest
            && profile.mfa.lack(&a.sign_in, a.at).is_none()
            && timely(a)
    };
    request.approvals.iter().filter(counts).map(|a| &a.by).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests;
