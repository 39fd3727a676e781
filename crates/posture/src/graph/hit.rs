//! Which ways each holder has: each found once, for the checks and for the paths.

use super::technique::{TECHNIQUES, Technique, To, Where};
use crate::rights::{Holder, Place, Rights, Step};
use sallyport_rbac::Power::{self, AccountMode, ExecByGet, ForwardByGet, NodeMode, UserInfoMode};
use sallyport_rbac::{Powers, gates};

/// One way that somebody has in one place.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// The place of the technique.
    pub(crate) way: usize,
    /// Where; none: everywhere.
    pub(crate) place: Option<Place>,
    /// A rule for each need: the smallest proof.
    pub(crate) proof: Vec<Step>,
    /// The names a rule for each need is limited to; none: no rule for it is limited, or another is not.
    pub(crate) names: Vec<Option<Vec<String>>>,
    /// The bindings without which it is gone.
    pub(crate) needed: Vec<usize>,
}

impl Hit {
    pub(crate) fn technique(&self) -> Option<&'static Technique> {
        TECHNIQUES.get(self.way)
    }

    /// Whether no need is limited to names.
    pub(crate) fn is_nameless(&self) -> bool {
        self.names.iter().all(Option::is_none)
    }
}

/// What each way needs on one server, a set for each need: what is no right there is in none of them.
#[derive(Clone, Debug)]
pub(crate) struct Needs {
    server: Option<(u32, u32)>,
    sets: Vec<Vec<Powers>>,
}

impl Needs {
    pub(crate) fn on(server: Option<(u32, u32)>) -> Self {
        let set = |need: &&[Power]| need.iter().copied().filter(|power| counts(*power, server)).collect();
        let sets = TECHNIQUES.iter().map(|technique| technique.needs.iter().map(set).collect()).collect();
        Self { server, sets }
    }
}

/// All ways of a holder to which a binding that names it adds something: what implicit groups give alone is theirs, and
/// told once. What a grant of everything gives is not among them.
pub(crate) fn hits(rights: &Rights, holder: &Holder, needs: &Needs) -> Vec<Hit> {
    let mut all = Vec::new();
    // Most have none of a way's rights anywhere.
    let anywhere = holder.local.iter().fold(holder.wide.all, |all, (_, masks)| all.or(masks.all));
    for (way, (technique, sets)) in TECHNIQUES.iter().zip(&needs.sets).enumerate() {
        let satisfied = |powers: Powers| sets.iter().all(|need| powers.meets(*need));
        if !satisfied(anywhere) {
            continue;
        }
        let adds = |powers: Powers| technique.needs.iter().any(|need| powers.has_any(need));
        // What is held everywhere is held in each namespace too: there it is a way of its own only by what is given there,
        // and is left when the other ends.
        let wide = satisfied(holder.wide.all);
        if wide && adds(holder.wide.direct) {
            all.extend(hit(rights, holder, way, None, needs.server));
        }
        if technique.held == Where::Everywhere {
            continue;
        }
        for (place, masks) in &holder.local {
            let more = !wide || adds(masks.own);
            if !more || !satisfied(masks.all) || !adds(masks.direct) {
                continue;
            }
            let kept = technique.to == To::AwsAuth && rights.namespace(Some(*place)) != Some("kube-system");
            if !kept {
                all.extend(hit(rights, holder, way, Some(*place), needs.server));
            }
        }
    }
    all
}

/// Whether a power is one on this server.
fn counts(power: Power, server: Option<(u32, u32)>) -> bool {
    match power {
        ExecByGet | ForwardByGet => gates::streams_by_get(server),
        UserInfoMode | AccountMode | NodeMode => gates::has_impersonation_modes(server),
        _ => true,
    }
}

fn hit(
    rights: &Rights,
    holder: &Holder,
    way: usize,
    place: Option<Place>,
    server: Option<(u32, u32)>,
) -> Option<Hit> {
    let technique = TECHNIQUES.get(way)?;
    let (mut proof, mut names, mut needed) = (Vec::new(), Vec::new(), Vec::new());
    for need in technique.needs {
        let powers: Vec<_> = need.iter().copied().filter(|power| counts(*power, server)).collect();
        let steps = rights.steps(holder, &powers, place);
        // One that is not limited to names proves more, and one of their own more than a group's.
        let first = steps.iter().min_by_key(|step| {
            let limited = rights.rule(step).is_some_and(|rule| !rule.resource_names.is_empty());
            (limited, step.grant.implicit, step.grant.namespace.is_some())
        })?;
        let limits: Option<Vec<String>> = steps
            .iter()
            .map(|step| rights.rule(step).map(|rule| &rule.resource_names).filter(|names| !names.is_empty()))
            .collect::<Option<Vec<_>>>()
            .map(|lists| lists.into_iter().flatten().cloned().collect());
        if limits.is_some() && names.is_empty() && technique.makes_roles() {
            return None;
        }
        names.push(limits);
        if let Some(only) = first.grant.binding
            && steps.iter().all(|step| step.grant.binding == Some(only))
            && !needed.contains(&only)
        {
            needed.push(only);
        }
        if !proof.contains(first) {
            proof.push(*first);
        }
    }
    Some(Hit { way, place, proof, names, needed })
}
