//! Whether a profile can be granted on a target as it is. The same for the grant and for what is shown before asking.

use crate::{Offer, Past};
use sallyport_model::{ClusterName, EndReason, Ending, Hold, NamespaceName, RoleName, Scope, clip, visible};
use sallyport_rbac::RULES_MOST;
use std::collections::BTreeSet;

/// Hub and target may differ by this many seconds at most (attack 22).
pub const CLOCKS_APART_MOST: i64 = 30;

/// What the broker knows of its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The cluster this broker serves.
    pub cluster: ClusterName,
    /// The offer computed now, from the live ClusterRoles.
    pub offer: Offer,
    /// Namespaces that the target's admin opened for sessions.
    pub bindable: BTreeSet<NamespaceName>,
    /// Namespaces of the target that are being deleted.
    pub being_deleted: BTreeSet<NamespaceName>,
    /// ClusterRoles of the profile that the target does not have.
    pub missing: Vec<RoleName>,
    /// A standing binding that gives every session more than discovery, said in words (attack 15).
    pub standing: Option<String>,
    /// Target's clock minus hub's clock, seconds.
    pub clock_difference: i64,
    /// What is held on the hub.
    pub holds: Vec<Hold>,
    /// Requests of this person that are Approved or Active on this cluster, this one left out.
    pub others_open: u32,
    /// Seconds that closed requests are kept.
    pub kept: i64,
    /// What this person's other requests under the same profile on this cluster came to, from a list of this moment; `None`:
    /// it was not counted.
    pub past: Option<Past>,
}

/// What the target must be like for `scope`, and what the offer must not contain (P11).
///
/// # Errors
/// How a request for it would end.
pub fn fits(scope: &Scope, facts: &Facts) -> Result<(), Ending> {
    let failed = |message: String| Err(Ending::new(EndReason::Failed, message));
    let denied = |message: String| Err(Ending::new(EndReason::Denied, message));
    let cluster = &facts.cluster;
    if facts.clock_difference.abs() > CLOCKS_APART_MOST {
        return failed(format!(
            "the clocks of hub and cluster are {} s apart; at most {CLOCKS_APART_MOST} s are allowed",
            facts.clock_difference.abs()
        ));
    }
    namespaces_allowed(scope, Some(&facts.bindable))?;
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
    if let Some(message) = being_deleted(scope, facts) {
        return denied(message);
    }
    if let Some(role) = facts.missing.first() {
        return failed(format!("there is no ClusterRole {role} on cluster {cluster}"));
    }
    if facts.offer.rules.is_empty() {
        return failed(format!("the profile's roles allow nothing on cluster {cluster}"));
    }
    Ok(())
}

/// Why a request for `scope` would not be granted now, as it stands in a report. Says the same as long as it is the same: every
/// desktop watches the report, and the seconds that two clocks are apart are others at every look.
pub fn unfit(scope: &Scope, facts: &Facts) -> Option<String> {
    if facts.clock_difference.abs() > CLOCKS_APART_MOST {
        return Some(format!("the clocks of hub and cluster are more than {CLOCKS_APART_MOST} s apart"));
    }
    fits(scope, facts).err().map(|ending| ending.message)
}

/// Namespaces asked for that are being deleted, and how to ask for the others.
fn being_deleted(scope: &Scope, facts: &Facts) -> Option<String> {
    let Scope::Namespaces(names) = scope else { return None };
    let going: Vec<String> =
        names.iter().filter(|name| facts.being_deleted.contains(name)).map(ToString::to_string).collect();
    let named = match going.as_slice() {
        [] => return None,
        [one] => format!("namespace {one} is"),
        several => format!("namespaces {} are", clip(&several.join(", "), 300)),
    };
    Some(format!("{named} being deleted on cluster {}; {}", facts.cluster, without(scope, &going)))
}

/// How to ask for what is left of a scope.
pub fn without(scope: &Scope, out: &[String]) -> String {
    let rest = scope.to_list().into_iter().map(|one| one.to_string()).filter(|one| !out.contains(one));
    let rest: Vec<String> = rest.collect();
    if rest.is_empty() {
        "ask again when an admin of the cluster has seen to it".to_owned()
    } else {
        clip(&format!("ask again without it, for {}", rest.join(", ")), 300)
    }
}

/// An approver must see the whole offer, and its wire form has bounds (`Offer.rules` and `RuleSummary` of the CRD).
pub fn too_large_to_show(offer: &Offer) -> Option<String> {
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
) -> Result<(), Ending> {
    let Scope::Namespaces(names) = scope else { return Ok(()) };
    for name in names {
        if sallyport_rbac::is_protected(name) {
            return Err(Ending::new(EndReason::Denied, format!("namespace {name} is protected")));
        }
        if bindable.is_some_and(|open| !open.contains(name)) {
            let message = format!("namespace {name} is not open for sessions on this cluster");
            return Err(Ending::new(EndReason::Denied, message));
        }
    }
    Ok(())
}
