//! RB-42: grants for a time that are still there after it.

use super::others::shown;
use super::{Finding, Verdict};
use crate::evidence::{Evidence, role_kind};
use crate::ground::{Ground, Origin, binding_object, object, said};
use crate::severity::Severity;
use crate::snapshot::BindingObject;
use crate::when::date;
use sallyport_model::SessionAccount;
use sallyport_rbac::who::{RoleRef, Subject};

/// The label of what Sallyport grants for a session (`GRANT_LABEL` of the API), and where sessions' accounts are.
const GRANT: &str = "access.sallyport.dev/grant";
const SESSIONS: &str = "sallyport-sessions";
/// Clocks may differ, and a broker needs a moment, in seconds.
const SLACK: i64 = 300;
/// What keys of annotations end in that say until when something is to be there. What they say is not kept.
const ENDS: [&str; 7] = ["expires", "expires-at", "expiry", "expiration", "valid-until", "ttl", "expires-on"];

/// When a session's account ends, as its name says (ADR 0003); none: it is no session's.
fn end(subject: &Subject) -> Option<i64> {
    let (namespace, name) = subject.as_account()?;
    let account: SessionAccount = name.parse().ok().filter(|_| namespace == SESSIONS)?;
    Some(account.end())
}

/// RB-42.
pub(super) fn looks(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let Some(now) = ground.snapshot.taken else { return Vec::new() };
    ground.snapshot.bindings.iter().flat_map(|one| of(check, one, now)).collect()
}

fn of(check: &'static str, one: &BindingObject, now: i64) -> Vec<Finding> {
    let own = binding_object(&one.binding, Some(&one.meta));
    let place = match one.binding.role {
        RoleRef::Role(_) => one.binding.namespace.clone(),
        RoleRef::ClusterRole(_) | RoleRef::Other(_) => None,
    };
    let role = object(role_kind(&one.binding.role), place, one.binding.role.name(), None);
    let told = |subject: &Subject| match end(subject) {
        Some(end) if end.saturating_add(SLACK) < now => Some(format!(
            "gives something to a session that ended on {}: its broker did not remove it",
            date(end)
        )),
        Some(_) => None,
        // Whatever it is, nothing ends it.
        None if one.meta.labels.contains_key(GRANT) => {
            Some(format!("says that it is of a session's grant, and names {}, who never ends", said(subject)))
        }
        None => None,
    };
    let finding = |(subject, what): (&Subject, String)| Finding {
        check,
        inert: false,
        severity: Severity::Medium,
        subject: Some(subject.clone()),
        namespaces: one.binding.namespace.clone().map(|own| vec![own]),
        evidence: vec![Evidence { binding: Some(own.clone().into()), role: role.clone().into(), rule: None }],
        said: format!("{} {} {what}.", own.kind, shown(&one.binding.name)),
        object: Some(own.clone()),
        origin: Origin::Own,
    };
    one.binding.subjects.iter().filter_map(|one| Some((one, told(one)?))).map(finding).collect()
}

/// What RB-42 comes to where nothing was found.
pub(super) fn about(ground: &Ground<'_>) -> Option<Verdict> {
    if ground.snapshot.taken.is_none() {
        return Some(Verdict::Unknown("when it was read is not known".to_owned()));
    }
    let says = |key: &&String| {
        let own = key.rsplit('/').next().unwrap_or_default();
        ENDS.iter().any(|end| own == *end || own.ends_with(&format!("-{end}")))
    };
    let timed = |one: &'_ BindingObject| one.meta.annotations.iter().find(says).cloned();
    let timed: Vec<(&str, String)> = ground
        .snapshot
        .bindings
        .iter()
        .filter_map(|one| Some((one.binding.name.as_str(), timed(one)?)))
        .collect();
    let (first, key) = timed.first()?;
    let others = timed.len() - 1;
    let more = if others > 0 { format!(", and {others} more") } else { String::new() };
    Some(Verdict::Unknown(format!(
        "binding {}{more} says until when it is to be there (annotation {}), and what annotations say is not kept: look there",
        shown(first),
        shown(key)
    )))
}
