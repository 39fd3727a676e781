use crate::{Mfa, Offer, Permit, SignIn};
use sallyport_model::{
    ClusterName, Digest, EndReason, NamespaceName, Phase, ProfileName, ProfileRevision, RequestUid, RoleName,
    Scope, Ttl, UserName, clip, glob_matches, visible,
};
use std::collections::BTreeSet;

/// A request nobody decided on closes after this many seconds.
pub const UNANSWERED_AFTER: i64 = 24 * 3600;
/// Hub and target may differ by this many seconds at most (attack 22).
pub const CLOCKS_APART_MOST: i64 = 30;
/// One person may have this many requests open on one cluster at a time (attack 19).
pub const OPEN_PER_PERSON_MOST: u32 = 16;
/// An approval's `at` comes from the approver's desktop; admission lets it differ from the hub's clock by a minute, and the
/// broker's own clock may differ from that.
const APPROVAL_SKEW: i64 = 60 + CLOCKS_APART_MOST;

/// A request as far as the decision needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRequest {
    /// UID.
    pub uid: RequestUid,
    /// Namespace on the hub.
    pub namespace: String,
    /// Name on the hub.
    pub name: String,
    /// When the hub made it, Unix seconds.
    pub created_at: i64,
    /// Where it stands.
    pub phase: Phase,
    /// Who asks.
    pub user: UserName,
    /// For which cluster.
    pub cluster: ClusterName,
    /// Under which profile.
    pub profile: ProfileName,
    /// At which revision.
    pub revision: ProfileRevision,
    /// Where.
    pub scope: Scope,
    /// How long.
    pub duration: Ttl,
    /// Why.
    pub reason: String,
    /// How the requester signed in, as admission let them say.
    pub sign_in: SignIn,
    /// The digest of the offer recorded in its status, once there is one.
    pub offer: Option<Digest>,
    /// Who said yes.
    pub approvals: Vec<Approval>,
    /// Who said no.
    pub denied_by: Option<String>,
    /// Whether the requester took it back or left.
    pub withdrawn: bool,
    /// Who ended it.
    pub revoked_by: Option<String>,
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

/// The live profile as far as the decision needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyProfile {
    /// Its name.
    pub name: ProfileName,
    /// Its live revision.
    pub revision: ProfileRevision,
    /// Globs over cluster names.
    pub clusters: Vec<String>,
    /// ClusterRoles to bind.
    pub roles: Vec<RoleName>,
    /// Where at most.
    pub scope: Scope,
    /// How long at most.
    pub max_duration: Ttl,
    /// How many people must say yes.
    pub approvals: u8,
    /// What a requester's and an approver's sign-in must be like.
    pub mfa: Mfa,
    /// Whether a reason must be given.
    pub reason_required: bool,
}

/// What the broker knows besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The cluster this broker serves.
    pub cluster: ClusterName,
    /// The offer computed now, from the live ClusterRoles.
    pub offer: Offer,
    /// Namespaces that the target's admin opened for sessions.
    pub bindable: BTreeSet<NamespaceName>,
    /// A standing binding that gives every session more than discovery, said in words (attack 15).
    pub standing: Option<String>,
    /// Target's clock minus hub's clock, seconds.
    pub clock_difference: i64,
    /// Requests of this person that are Approved or Active on this cluster, this one left out.
    pub others_open: u32,
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
    Refuse(Refusal),
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

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The reason the request closes with.
    pub reason: EndReason,
    /// One sentence for people.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(reason: EndReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// Whether the request may become access at `now` (Unix seconds, the hub's clock).
///
/// Everything is judged again from the live profile, whatever admission let through before. Call it again right
/// before granting: a request that is Approved is refused here when profile, offer or facts have changed since.
pub fn decide(request: &PolicyRequest, profile: Option<&PolicyProfile>, facts: &Facts, now: i64) -> Decision {
    let refuse = |refusal: Refusal| Decision::Refuse(fitting(refusal, request.phase));
    if let Err(refusal) = still_open(request, now) {
        return refuse(refusal);
    }
    let profile = match within_profile(request, profile) {
        Ok(profile) => profile,
        Err(refusal) => return refuse(refusal),
    };
    if let Err(refusal) = fits_target(request, facts) {
        return refuse(refusal);
    }
    let (have, need) = (counting(request, profile, facts, now), usize::from(profile.approvals));
    if have < need {
        return Decision::Wait(WaitFor::Approvals { have, need });
    }
    Decision::Permit(Permit {
        request: request.uid.clone(),
        namespace: request.namespace.clone(),
        name: request.name.clone(),
        user: request.user.clone(),
        cluster: request.cluster.clone(),
        profile: profile.name.clone(),
        revision: profile.revision.clone(),
        roles: profile.roles.clone(),
        scope: request.scope.clone(),
        duration: request.duration,
        offer: facts.offer.digest,
    })
}

/// Denied and Unanswered end only what is pending; what was approved before and can't be carried out now Failed.
fn fitting(mut refusal: Refusal, phase: Phase) -> Refusal {
    let pending_only = matches!(refusal.reason, EndReason::Denied | EndReason::Unanswered);
    if pending_only && phase != Phase::Pending {
        refusal.reason = EndReason::Failed;
    }
    refusal
}

fn still_open(request: &PolicyRequest, now: i64) -> Result<(), Refusal> {
    let said = |who: &str| clip(&visible(who), 80);
    if request.phase == Phase::Closed {
        return Err(Refusal::new(EndReason::Failed, "the request is closed already"));
    }
    if request.withdrawn {
        return Err(Refusal::new(EndReason::Left, "the requester took the request back"));
    }
    if let Some(by) = &request.revoked_by {
        return Err(Refusal::new(EndReason::Revoked, format!("revoked by {}", said(by))));
    }
    if let Some(by) = &request.denied_by {
        return Err(Refusal::new(EndReason::Denied, format!("denied by {}", said(by))));
    }
    if request.phase == Phase::Pending && now.saturating_sub(request.created_at) >= UNANSWERED_AFTER {
        return Err(Refusal::new(EndReason::Unanswered, "nobody answered within 24 hours"));
    }
    Ok(())
}

/// Every limit of the live profile (P7).
fn within_profile<'p>(
    request: &PolicyRequest,
    profile: Option<&'p PolicyProfile>,
) -> Result<&'p PolicyProfile, Refusal> {
    let denied = |message: String| Err(Refusal::new(EndReason::Denied, message));
    let Some(profile) = profile.filter(|p| p.name == request.profile) else {
        return denied(format!("there is no profile {}", request.profile));
    };
    if profile.revision != request.revision {
        return denied(format!("profile {} has changed since it was asked for; ask again", profile.name));
    }
    if !profile.clusters.iter().any(|glob| glob_matches(glob, request.cluster.as_str())) {
        return denied(format!("profile {} does not cover cluster {}", profile.name, request.cluster));
    }
    if profile.roles.is_empty() {
        return denied(format!("profile {} names no role", profile.name));
    }
    if !request.scope.within(&profile.scope) {
        return denied(format!(
            "{} is more than profile {} allows ({})",
            clip(&request.scope.to_string(), 120),
            profile.name,
            clip(&profile.scope.to_string(), 120)
        ));
    }
    let most = profile.max_duration.min(Ttl::LONGEST);
    if request.duration < Ttl::SHORTEST || request.duration > most {
        return denied(format!("{} is not between {} and {most}", request.duration, Ttl::SHORTEST));
    }
    if profile.reason_required && request.reason.trim().is_empty() {
        return denied(format!("profile {} needs a reason", profile.name));
    }
    // Admission held the request's words to the sign-in's own, and its limits may have been judged by no profile at all.
    if let Some(lack) = profile.mfa.lack(&request.sign_in, request.created_at) {
        return denied(format!("profile {} needs {lack}; sign in again and ask again", profile.name));
    }
    Ok(profile)
}

/// What the target must be like, and what the offer must not contain (P11).
fn fits_target(request: &PolicyRequest, facts: &Facts) -> Result<(), Refusal> {
    let failed = |message: String| Err(Refusal::new(EndReason::Failed, message));
    let denied = |message: String| Err(Refusal::new(EndReason::Denied, message));
    if request.cluster != facts.cluster {
        return failed(format!(
            "cluster {} is not served by the broker of {}",
            request.cluster, facts.cluster
        ));
    }
    if facts.clock_difference.abs() > CLOCKS_APART_MOST {
        return failed(format!(
            "the clocks of hub and cluster are {} s apart; at most {CLOCKS_APART_MOST} s are allowed",
            facts.clock_difference.abs()
        ));
    }
    namespaces_allowed(&request.scope, Some(&facts.bindable))?;
    if let Some(why) = too_large_to_show(&facts.offer) {
        return denied(why);
    }
    if let Some(danger) = &facts.offer.refused {
        return denied(format!("never granted: {danger}"));
    }
    if let Some(standing) = &facts.standing {
        return failed(format!(
            "a standing binding would add rights to every session: {}",
            clip(&visible(standing), 300)
        ));
    }
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

/// An approver must see the whole offer, and its wire form has bounds (`Offer.rules` and `RuleSummary` of the CRD).
fn too_large_to_show(offer: &Offer) -> Option<String> {
    const RULES_MOST: usize = 128;
    if offer.rules.len() > RULES_MOST {
        let count = offer.rules.len();
        return Some(format!("its roles have {count} rules, more than the {RULES_MOST} an offer can show"));
    }
    let long = |list: &[String], most: usize| list.iter().any(|text| text.chars().count() > most);
    let overlong = |rule: &&sallyport_rbac::Rule| {
        long(&rule.verbs, 64)
            || [&rule.api_groups, &rule.resources, &rule.resource_names, &rule.non_resource_urls]
                .iter()
                .any(|list| long(list, 253))
    };
    offer.rules.iter().find(overlong).map(|rule| format!("role {} has an overlong entry", rule.role))
}

/// No session in the system's namespaces, and none where the target's admin opened nothing.
pub(crate) fn namespaces_allowed(
    scope: &Scope,
    bindable: Option<&BTreeSet<NamespaceName>>,
) -> Result<(), Refusal> {
    let Scope::Namespaces(names) = scope else { return Ok(()) };
    for name in names {
        if sallyport_rbac::is_protected(name) {
            return Err(Refusal::new(EndReason::Denied, format!("namespace {name} is protected")));
        }
        if bindable.is_some_and(|open| !open.contains(name)) {
            let message = format!("namespace {name} is not open for sessions on this cluster");
            return Err(Refusal::new(EndReason::Denied, message));
        }
    }
    Ok(())
}

/// How many distinct people said a yes that counts (P8): not the requester, to the live offer, with a sign-in as
/// strong and fresh as the profile wants.
fn counting(request: &PolicyRequest, profile: &PolicyProfile, facts: &Facts, now: i64) -> usize {
    // Without a recorded offer there was nothing to say yes to.
    if request.offer.is_none() {
        return 0;
    }
    let timely = |approval: &Approval| {
        approval.at >= request.created_at.saturating_sub(APPROVAL_SKEW)
            && approval.at <= now.saturating_add(APPROVAL_SKEW)
    };
    let counts = |a: &&Approval| {
        a.by != request.user
            && a.offer == facts.offer.digest
            && profile.mfa.lack(&a.sign_in, a.at).is_none()
            && timely(a)
    };
    request.approvals.iter().filter(counts).map(|a| &a.by).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests;
