//! What a yes would allow, beside what its requester has open and what else could be asked for. Pure.

use crate::inventory::{Candidate, rights_of, rules};
use sallyport_api::{AccessRequest, Asked, Offer};
use sallyport_ipc::{BesideView, NarrowerView, OfferView, Right, Shown};
use sallyport_model::{Digest, Profile, ProfileName, Ttl};
use sallyport_policy::digest;
use sallyport_rbac::{Rule, effective, growth, warnings};

/// What an offer is looked at beside.
#[derive(Default)]
pub(super) struct Beside<'a> {
    /// Those of the same requester whose rights exist.
    pub(super) active: &'a [&'a AccessRequest],
    /// Why it can't be what its digest says.
    pub(super) problem: Option<String>,
    /// The next narrower profile, where it was looked for.
    pub(super) narrower: Option<NarrowerView>,
    /// Unix seconds on the hub.
    pub(super) now: i64,
}

/// What a yes would allow.
pub(super) fn of(object: &AccessRequest, offer: &Offer, beside: &Beside<'_>) -> OfferView {
    let asked = Asked::try_from(object).ok();
    let open: Vec<(&AccessRequest, i64)> = beside
        .active
        .iter()
        .filter(|other| {
            other.metadata.uid != object.metadata.uid && other.spec.cluster == object.spec.cluster
        })
        .filter(|other| other.ended_by().is_none() && other.closing().is_none())
        .filter_map(|other| Some((*other, other.status.as_ref()?.grant.as_ref()?.end.0.as_second())))
        .filter(|(_, end)| *end > beside.now)
        .collect();
    // What ends before this request would is not had already: a yes makes it last.
    let lasting = asked.as_ref().map(|asked| {
        let until = beside.now.saturating_add(asked.terms.duration.as_seconds_i64());
        let has = open.iter().filter(|(_, end)| *end >= until).filter_map(|(other, _)| held(other, asked));
        has.flatten().collect::<Vec<Rule>>()
    });
    let namespaces: Vec<Shown> = object.spec.namespaces.iter().map(Shown::from).collect();
    let all = rules(&offer.rules);
    OfferView {
        digest: Shown::from(&offer.digest),
        rights: strongest_first(rights_of(&all, &namespaces)),
        rules: u32::try_from(offer.rules.len()).unwrap_or(u32::MAX),
        takes_limits: offer.takes_limits,
        left_today_seconds: left_today(offer),
        // From the rules on screen: what a broker says of them beside may be something else.
        warnings: warnings(&all).iter().map(Shown::from).collect(),
        beside: open
            .iter()
            .map(|(other, end)| BesideView {
                profile: Shown::from(&other.spec.profile),
                ends_at: end.saturating_mul(1000),
            })
            .collect(),
        adds: strongest_first(rights_of(&growth(&lasting.unwrap_or_default(), &all), &namespaces)),
        narrower: beside.narrower.clone(),
        problem: beside.problem.as_ref().map(Shown::from),
    }
}

fn left_today(offer: &Offer) -> Option<u32> {
    Some(offer.left_today.as_ref()?.parse::<Ttl>().ok()?.as_seconds_u32())
}

/// The rules that another session gives wherever this request asks; none where its own place is smaller.
fn held(other: &AccessRequest, asked: &Asked) -> Option<Vec<Rule>> {
    let given = other.given(&Asked::try_from(other).ok()?.terms).ok()?;
    let offer = other.offer()?;
    asked.terms.scope.within(&given.scope).then(|| effective(rules(&offer.rules), &given.scope))
}

/// Why an offer can't be what its digest says. Compared with the profile at the revision that was asked for; of another
/// revision its broker grants nothing.
pub(super) fn problem(object: &AccessRequest, offer: &Offer, profile: Option<&Profile>) -> Option<String> {
    let read = rules(&offer.rules);
    if read.len() != offer.rules.len() {
        return Some(
            "its offer holds rules that can't be read, so what it allows can't be shown whole".to_owned(),
        );
    }
    let asked = Asked::try_from(object).ok()?;
    let profile = profile.filter(|profile| profile.revision == asked.terms.revision)?;
    let Ok(ca) = offer.ca_digest.parse::<Digest>() else {
        return Some("its offer names no readable CA".to_owned());
    };
    let terms = &asked.terms;
    let to = (offer.endpoint.as_str(), &ca);
    let made = digest(&terms.revision, &terms.cluster, &terms.scope, &profile.roles, &read, to);
    (made.to_string() != offer.digest).then(|| {
        format!(
            "what the offer shows is not what its digest stands for; tell an admin of cluster {}",
            terms.cluster
        )
    })
}

/// A profile that gives nothing more, and less.
pub(super) struct Narrower<'a> {
    pub(super) profile: &'a ProfileName,
    over: Vec<Rule>,
}

impl Narrower<'_> {
    pub(super) fn view(&self, object: &AccessRequest, is_askable: bool) -> NarrowerView {
        let namespaces: Vec<Shown> = object.spec.namespaces.iter().map(Shown::from).collect();
        NarrowerView {
            profile: Shown::of(self.profile),
            adds: strongest_first(rights_of(&self.over, &namespaces)),
            is_askable,
        }
    }
}

/// The profiles that give nothing more, the one that gives the most of it first.
pub(super) fn narrower<'a>(object: &AccessRequest, candidates: &'a [Candidate]) -> Vec<Narrower<'a>> {
    let (Ok(asked), Some(offer)) = (Asked::try_from(object), object.offer()) else { return Vec::new() };
    let all = rules(&offer.rules);
    let fits = candidates
        .iter()
        .filter(|one| one.profile != asked.terms.profile && asked.terms.scope.within(&one.scope));
    let mut less: Vec<Narrower<'a>> = fits
        .filter_map(|one| {
            let theirs = effective(one.rules.iter().cloned(), &asked.terms.scope);
            let over = growth(&theirs, &all);
            (!theirs.is_empty() && growth(&all, &theirs).is_empty() && !over.is_empty())
                .then_some(Narrower { profile: &one.profile, over })
        })
        .collect();
    less.sort_by_key(|one| (one.over.len(), one.profile.to_string()));
    less
}

fn strongest_first(mut rights: Vec<Right>) -> Vec<Right> {
    rights.sort_by_key(|right| !right.writes);
    rights
}

#[cfg(test)]
mod tests;
