//! Whom a changed profile reaches otherwise than before: by the hub's roles and bindings, which it does not change. Pure.

use crate::reach::drift::{self, some};
use crate::reach::held::{Held, held};
use sallyport_ipc::{DriftLine, DriftWay};
use sallyport_model::{ClusterName, NamespaceName, Profile};
use sallyport_rbac::who::{MASTERS, Rbac, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// Lines that are told.
const LINES: usize = 200;

/// Who may ask on other clusters, whose yes is asked, and who is let in at once, compared with before.
pub(super) fn difference(
    rbac: &Rbac,
    teams: &[NamespaceName],
    clusters: &[ClusterName],
    before: Option<&Profile>,
    after: &Profile,
) -> Vec<DriftLine> {
    let holders = held(rbac, std::slice::from_ref(after), teams);
    let covered = |profile: &Profile| -> BTreeSet<String> {
        clusters.iter().filter(|cluster| profile.covers(cluster)).map(ToString::to_string).collect()
    };
    let (was, is) = (before.map(covered).unwrap_or_default(), covered(after));
    let (gained, lost): (Vec<&String>, Vec<&String>) =
        (is.difference(&was).collect(), was.difference(&is).collect());
    let mut lines = Vec::new();
    for one in &holders {
        let about = about(one);
        let mut say = |way, text: String| lines.push(drift::line(way, &about, text));
        let [asks, approves, _] = one.direct.profiles.get(&0).map(|(verbs, _)| *verbs).unwrap_or_default();
        match before {
            None if asks => {
                let on = if is.is_empty() {
                    "no cluster of this hub yet".into()
                } else {
                    some(&is.iter().collect::<Vec<_>>())
                };
                say(DriftWay::Wider, format!("may ask for it, on {on}"));
            }
            Some(_) if asks && !gained.is_empty() => {
                say(DriftWay::Wider, format!("may now ask for it on {}", some(&gained)));
            }
            _ => {}
        }
        if before.is_some() && asks && !lost.is_empty() {
            say(DriftWay::Narrower, format!("may no longer ask for it on {}", some(&lost)));
        }
        let had = before.map(|profile| profile.approvals > 0);
        match (had, after.approvals > 0) {
            (None, true) if approves => say(DriftWay::Wider, "may say yes to others who ask".to_owned()),
            (Some(false), true) if approves => say(DriftWay::Narrower, "is asked for a yes now".to_owned()),
            (Some(true), false) if approves => {
                say(DriftWay::Wider, "is not asked for a yes any more: it opens at once".to_owned());
            }
            _ => {}
        }
    }
    let (was, is) = (before.map(at_once).unwrap_or_default(), at_once(after));
    for (group, by) in is.iter().filter(|(group, by)| was.get(*group) != Some(by)) {
        let names = some(&by.iter().collect::<Vec<_>>());
        lines.push(drift::line(
            DriftWay::Wider,
            &format!("group {group}"),
            format!("is let in at once by {names}, if they may ask"),
        ));
    }
    for group in was.keys().filter(|group| !is.contains_key(*group)) {
        let text = "is let in at once by no autoApproval any more".to_owned();
        lines.push(drift::line(DriftWay::Narrower, &format!("group {group}"), text));
    }
    lines.sort_by_key(|line| line.way);
    lines.truncate(LINES);
    lines
}

/// What nobody can do, and somebody has to.
pub(super) fn missing(rbac: &Rbac, teams: &[NamespaceName], after: &Profile) -> Vec<String> {
    let holders = held(rbac, std::slice::from_ref(after), teams);
    // They pass everything on every hub, and are nobody's team.
    let people = |one: &&Held| one.subject.name() != MASTERS;
    let has = |verb: usize| {
        let holds =
            |one: &Held| one.all.profiles.get(&0).is_some_and(|(verbs, _)| verbs.get(verb) == Some(&true));
        holders.iter().filter(people).any(holds)
    };
    let mut out = Vec::new();
    if !has(0) {
        out.push(format!(
            "Nobody but {MASTERS} may ask for it: bind the verb request on accessprofiles, for the name {}, to a group.",
            after.name
        ));
    }
    if after.approvals > 0 && !has(1) {
        out.push(format!(
            "Nobody but {MASTERS} may approve it, so nobody opens it: bind the verb approve on accessprofiles, for the name {}, to a group.",
            after.name
        ));
    }
    out
}

fn about(held: &Held) -> String {
    match &held.subject {
        Subject::Group(name) => format!("group {name}"),
        Subject::User(name) => format!("user {name}"),
    }
}

/// The groups that an autoApproval names, with what it says.
fn at_once(profile: &Profile) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if profile.approvals == 0 {
        return out;
    }
    for auto in &profile.auto_approvals {
        let groups = auto.conditions.as_ref().ok().and_then(|conditions| conditions.groups());
        for group in groups.into_iter().flatten() {
            out.entry(group.clone()).or_default().insert(auto.to_string());
        }
    }
    out
}

#[cfg(test)]
mod tests;
