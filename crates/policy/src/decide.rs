use crate::auto::{self, Asking, Met, Unmet};
use crate::fit::{self, CLOCKS_APART_MOST, Facts};
use crate::reaffirm::{Vouched, vouched};
use crate::{Permit, day};
use sallyport_model::{
    Digest, EndReason, EndedBy, Ending, Given, Hold, Limits, Phase, Profile, ReasonError, Recording,
    RequestRef, SCAN_LONGEST, SCANS_NAMESPACE, Scope, SignIn, Terms, Ttl, UserName, check_reason, clip,
};
use sallyport_rbac::effective;
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
    /// The groups they ask with, which admission held to theirs.
    pub groups: Vec<String>,
    /// When the newest token was issued that the provider is known to have made for the requester, Unix seconds.
    pub vouched_at: Option<i64>,
    /// The digest of the offer recorded in its status, once there is one.
    pub offer: Option<Digest>,
    /// Who said yes.
    pub approvals: Vec<Approval>,
    /// What was recorded as given, once it was decided.
    pub given: Option<Given>,
    /// By which autoApproval it was recorded to open, as its offer was written.
    pub auto_approval: Option<Met>,
    /// Whether its grant is on record: its end is fixed then.
    pub is_granted: bool,
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
    /// What of it they took off.
    pub limits: Limits,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// People who have not said yes.
    Approvals {
        /// Approvals that count.
        have: usize,
        /// Approvals needed.
        need: usize,
        /// Why each autoApproval was not met, where that was judged just now.
        unmet: Vec<Unmet>,
    },
    /// The requester's desktop, which has to show that their provider still vouches for them. In words.
    Reaffirming(String),
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
    let on = |hold: &&Hold| hold.is_on(request.terms.user.as_str(), request.terms.cluster.as_str(), now);
    if let Some(hold) = facts.holds.iter().find(on) {
        return refuse(hold.ending(request.phase));
    }
    let profile = match within_profile(request, profile) {
        Ok(profile) => profile,
        Err(ending) => return refuse(ending),
    };
    if let Err(ending) = fits_target(request, facts) {
        return refuse(ending);
    }
    let approvals = counting(request, profile, facts, now);
    // Also while people are missing: what the yeses so far leave, no further one makes more.
    let given = match left(request, &approvals, facts) {
        Ok(given) => given,
        Err(ending) => return refuse(ending),
    };
    // One whose grant is on record has had its turn: its end is fixed.
    if !request.is_granted
        && let Err(ending) = day::within_day(profile, given.duration, facts.past.as_ref(), facts.kept, now)
    {
        return refuse(ending);
    }
    let people: BTreeSet<_> = approvals.iter().map(|approval| &approval.by).collect();
    let (have, need) = (people.len(), usize::from(profile.approvals));
    let by_itself = by_itself(request, profile, facts, now);
    let auto_approval = match by_itself {
        Err(unmet) if have < need => return Decision::Wait(WaitFor::Approvals { have, need, unmet }),
        met => met.ok(),
    };
    // Last, and no reason to close what waits: people may take their time, and the requester's desktop be off meanwhile.
    if let Some(why) = not_vouched(request, profile, now) {
        return match request.phase {
            Phase::Pending => Decision::Wait(WaitFor::Reaffirming(why)),
            _ => Decision::Refuse(Ending::new(EndReason::Failed, why)),
        };
    }
    Decision::Permit(Permit {
        which: request.which.clone(),
        terms: request.terms.clone(),
        given,
        roles: profile.roles.clone(),
        offer: facts.offer.digest,
        auto_approval,
    })
}

/// By which autoApproval it opens, which stands for all approvals or for none. Judged once, when there is no offer yet:
/// one that was not met then is not tried again.
fn by_itself(request: &Request, profile: &Profile, facts: &Facts, now: i64) -> Result<Met, Vec<Unmet>> {
    let terms = &request.terms;
    match &request.auto_approval {
        Some(recorded) => auto::still(recorded, profile, terms),
        None if profile.approvals > 0 && request.offer.is_none() && request.phase == Phase::Pending => {
            let opened = facts.past.as_ref().map(|past| &past.opened);
            let asking =
                Asking { groups: &request.groups, scope: &terms.scope, duration: terms.duration, opened };
            auto::evaluate(&profile.auto_approvals, &asking, now)
        }
        None => Err(Vec::new()),
    }
}

/// Why nothing is granted to the requester now, where the profile wants their provider's word from time to time.
fn not_vouched(request: &Request, profile: &Profile, now: i64) -> Option<String> {
    match vouched(&profile.reaffirm?, request.vouched_at, now) {
        Vouched::Over { why } => Some(why),
        Vouched::Fine { .. } | Vouched::Due { .. } => None,
    }
}

/// What is given where these limit it: the narrowest of all of them, and never more than was asked for. `None` when they
/// leave nothing: no namespace, or less time than the shortest session.
pub fn given<'a>(terms: &Terms, limits: impl IntoIterator<Item = &'a Limits>) -> Option<Given> {
    limits.into_iter().try_fold(Given::all(terms), |given, limits| given.limited(limits))
}

/// What the approvals leave, on this target.
fn left(request: &Request, approvals: &[&Approval], facts: &Facts) -> Result<Given, Ending> {
    let denied = |message: &str| Ending::new(EndReason::Denied, message);
    let given = given(&request.terms, approvals.iter().map(|approval| &approval.limits))
        .ok_or_else(|| denied("the approvals leave nothing"))?;
    if given.scope != request.terms.scope {
        fit::fits(&given.scope, facts)?;
        if effective(facts.offer.rules.iter().cloned(), &given.scope).is_empty() {
            return Err(denied("the approvals leave nothing: none of its rules holds in a namespace"));
        }
    }
    // Whoever watches the request reads there what its rights are.
    match &request.given {
        Some(recorded) if *recorded != given => Err(Ending::new(
            EndReason::Failed,
            format!(
                "it was recorded as given {}, and its approvals say {given}",
                clip(&recorded.to_string(), 200)
            ),
        )),
        _ => Ok(given),
    }
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
    if request.which.is_scan() {
        if !profile.is_for_scans() {
            return denied(format!(
                "profile {} is not for scans, and nothing else is asked for in {SCANS_NAMESPACE}",
                profile.name
            ));
        }
        if terms.scope != Scope::ClusterWide || terms.duration > SCAN_LONGEST {
            return denied(format!("a scan is of a whole cluster, and lasts {SCAN_LONGEST} at most"));
        }
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
    if terms.recording != profile.recording {
        return denied(not_recorded(profile, terms));
    }
    if profile.reaffirm.is_some() && request.vouched_at.is_none() {
        return denied(format!(
            "profile {} has its requesters reaffirmed, and the request does not say when its token was issued: {}",
            profile.name,
            "the hub's authentication has to map iat to issued-at, and Sallyport to be of this version"
        ));
    }
    // Admission held the request's words to the sign-in's own, and its limits may have been judged by no profile at all.
    if let Some(lack) = profile.mfa.lack(&request.sign_in, request.created_at) {
        return denied(format!("profile {} needs {lack}; sign in again and ask again", profile.name));
    }
    Ok(profile)
}

/// Why a request is refused that says something else of what will be recorded than its profile.
fn not_recorded(profile: &Profile, terms: &Terms) -> String {
    match (profile.recording, terms.recording) {
        (Some(wanted), None) => format!(
            "profile {} has {wanted} recorded, and the request does not say that its desktop does so: it takes a Sallyport of \
             this version",
            profile.name
        ),
        (wanted, said) => {
            let words =
                |recording: Option<Recording>| recording.map_or("nothing".to_owned(), |one| one.to_string());
            format!(
                "profile {} has {} recorded, and the request says {}; ask again",
                profile.name,
                words(wanted),
                words(said)
            )
        }
    }
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

/// The approvals that count (P8): not the requester's, to the live offer, with a sign-in as strong
/// and fresh as the profile wants.
fn counting<'a>(request: &'a Request, profile: &Profile, facts: &Facts, now: i64) -> Vec<&'a Approval> {
    // Without a recorded offer there was nothing to say yes to.
    if request.offer.is_none() {
        return Vec::new();
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
    request.approvals.iter().filter(counts).collect()
}

#[cfg(test)]
mod tests;
