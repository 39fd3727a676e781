//! All that a changed profile would change, put together. Pure.

use super::facts::Facts;
use super::rules::Reported;
use super::{conditions, object, people, rules, standing, unknown};
use crate::reach::read::AUDITOR;
use sallyport_ipc::{DriftLine, ProfileDifference, RulesDifference, Shown};
use sallyport_model::{ClusterName, Profile, clip};
use serde_json::Value;

/// Lines of it that the history keeps.
const KEPT: usize = 8;

/// What it would change: from `base`, as the hub stores it, to `would_be`, which is the profile `after`.
pub(super) fn between(
    facts: &Facts,
    base: Option<&Value>,
    would_be: &Value,
    after: &Profile,
) -> ProfileDifference {
    // One that makes no sense is compared with nothing: all of the new one is told.
    let before = base.and_then(|base| object::profile_of(base).ok());
    let before = before.as_ref();
    let mut not_known = Vec::new();
    let rules = match &facts.clusters {
        Ok(clusters) => {
            let previews = facts.previews.as_ref().map_err(String::as_str);
            let profiles = facts.profiles.as_deref().map_err(String::as_str);
            let reported = Reported { clusters, previews, profiles };
            rules::difference(&reported, before, after)
        }
        Err(why) => {
            not_known.push(format!("On which clusters it allows what is not known: {why}."));
            Vec::new()
        }
    };
    let people = match &facts.rbac {
        Ok(stored) => {
            let names = facts.clusters.iter().flatten().filter_map(|one| one.metadata.name.as_deref());
            let names: Vec<ClusterName> = names.filter_map(|name| name.parse().ok()).collect();
            not_known.extend(people::missing(&stored.rbac, &facts.teams, after));
            people::difference(&stored.rbac, &facts.teams, &names, before, after)
        }
        Err(why) => {
            not_known
                .push(format!("Whom it reaches is not known: {why}. The ClusterRole {AUDITOR} gives that."));
            Vec::new()
        }
    };
    let standing = match before {
        None => Vec::new(),
        Some(_) => {
            let is_void = base.is_some_and(|base| base["spec"] != would_be["spec"]);
            standing::told(&facts.standing, is_void)
        }
    };
    ProfileDifference {
        conditions: conditions::difference(before, after, unknown::lines(base, would_be)),
        people_known: facts.rbac.is_ok(),
        people,
        rules_known: facts.clusters.is_ok(),
        rules,
        standing: standing.iter().map(Shown::from).collect(),
        unknown: not_known.iter().map(Shown::from).collect(),
    }
}

/// The same in a few words.
pub(super) fn in_short(difference: &ProfileDifference) -> String {
    let rule = |one: &RulesDifference| {
        let on = match one.clusters.as_slice() {
            [only] => only.to_string(),
            all => format!("{} clusters", all.len()),
        };
        let titles = |rights: &[sallyport_ipc::Right]| {
            rights.iter().take(2).map(|right| right.title.to_string()).collect::<Vec<_>>().join(", ")
        };
        match (one.gained.is_empty(), one.lost.is_empty()) {
            (false, _) => format!("more on {on}: {}", titles(&one.gained)),
            (true, false) => format!("less on {on}: {}", titles(&one.lost)),
            (true, true) => format!("not known on {on}"),
        }
    };
    let line = |line: &DriftLine| line.text.to_string();
    let all: Vec<String> =
        difference.conditions.iter().map(line).chain(difference.rules.iter().map(rule)).collect();
    let mut told = all.iter().take(KEPT).map(|text| clip(text, 160)).collect::<Vec<_>>().join("; ");
    if all.len() > KEPT {
        told.push_str(&format!("; and {} more", all.len() - KEPT));
    }
    if told.is_empty() { "labels or annotations".to_owned() } else { told }
}

#[cfg(test)]
mod tests;
