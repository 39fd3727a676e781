//! What is another since somebody looked last. Pure.

use sallyport_ipc::{Drift, DriftLine, DriftWay, Shown};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Lines that are told; of the rest it is told how many.
const LINES: usize = 300;
/// Names in one line, and changes of rights.
const NAMED: usize = 4;

/// What of a look is compared with the next one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Snapshot {
    /// What each profile wants.
    pub(super) profiles: BTreeMap<String, Terms>,
    /// Whom a binding names, as `group x` or `user x`, and what that gives them.
    pub(super) who: BTreeMap<String, Holding>,
    /// For each cluster and each profile that covers it the name of what it allows there, a key of `allowed`; empty: it was
    /// not known.
    pub(super) clusters: BTreeMap<String, BTreeMap<String, String>>,
    /// What profiles allow, a line for each thing.
    pub(super) allowed: BTreeMap<String, BTreeSet<String>>,
}

/// What a profile wants of whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Terms {
    pub(super) approvals: u8,
    /// What stands for them, in words.
    pub(super) autos: BTreeSet<String>,
    /// The most time of one person within 24 hours, in seconds.
    pub(super) per_day: Option<u64>,
    /// The longest session, in seconds.
    pub(super) longest: u64,
    /// What it wants of a sign-in, in words.
    pub(super) mfa: Vec<String>,
    pub(super) reason: bool,
}

/// What one subject holds by bindings that name it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Holding {
    pub(super) ask: BTreeSet<String>,
    pub(super) approve: BTreeSet<String>,
    pub(super) end: BTreeSet<String>,
    /// The teams where they may ask, and where they may decide.
    pub(super) asks_in: BTreeSet<String>,
    pub(super) decides_in: BTreeSet<String>,
}

impl Snapshot {
    /// The same, with what is not known now as it was seen: a broker that says nothing changes nothing.
    pub(super) fn with_what_is_unknown_from(mut self, seen: &Self) -> Self {
        for (cluster, profiles) in &mut self.clusters {
            let Some(before) = seen.clusters.get(cluster) else { continue };
            for (profile, allows) in profiles.iter_mut().filter(|(_, allows)| allows.is_empty()) {
                let Some(known) = before.get(profile).filter(|known| !known.is_empty()) else { continue };
                allows.clone_from(known);
                if let Some(lines) = seen.allowed.get(known) {
                    self.allowed.entry(known.clone()).or_insert_with(|| lines.clone());
                }
            }
        }
        self
    }
}

/// What is another, what widens first.
pub(super) fn between(before: &Snapshot, after: &Snapshot, since: i64) -> Drift {
    let mut lines = Vec::new();
    who(before, after, &mut lines);
    profiles(before, after, &mut lines);
    clusters(before, after, &mut lines);
    allowed(before, after, &mut lines);
    lines.sort_by_key(|line| line.way);
    let more = u32::try_from(lines.len().saturating_sub(LINES)).unwrap_or(u32::MAX);
    lines.truncate(LINES);
    Drift { since, lines, more }
}

pub(super) fn line(way: DriftWay, about: &str, text: String) -> DriftLine {
    DriftLine { way, about: Shown::from(about), text: Shown::from(text) }
}

fn who(before: &Snapshot, after: &Snapshot, lines: &mut Vec<DriftLine>) {
    let none = Holding::default();
    let everybody: BTreeSet<&String> = before.who.keys().chain(after.who.keys()).collect();
    for subject in everybody {
        let was = before.who.get(subject).unwrap_or(&none);
        let is = after.who.get(subject).unwrap_or(&none);
        let parts = [
            (&was.ask, &is.ask, "ask for"),
            (&was.approve, &is.approve, "approve"),
            (&was.end, &is.end, "end what others have open under"),
            (&was.asks_in, &is.asks_in, "make requests in"),
            (&was.decides_in, &is.decides_in, "write to the requests of"),
        ];
        for (was, is, what) in parts {
            let gained: Vec<&String> = is.difference(was).collect();
            let lost: Vec<&String> = was.difference(is).collect();
            if !gained.is_empty() {
                lines.push(line(DriftWay::Wider, subject, format!("may now {what} {}", some(&gained))));
            }
            if !lost.is_empty() {
                lines.push(line(
                    DriftWay::Narrower,
                    subject,
                    format!("may no longer {what} {}", some(&lost)),
                ));
            }
        }
    }
}

fn profiles(before: &Snapshot, after: &Snapshot, lines: &mut Vec<DriftLine>) {
    for (name, is) in &after.profiles {
        let about = format!("profile {name}");
        let Some(was) = before.profiles.get(name) else {
            lines.push(line(DriftWay::Wider, &about, "is new".to_owned()));
            continue;
        };
        for (way, text) in terms(was, is) {
            lines.push(line(way, &about, text));
        }
    }
    for name in before.profiles.keys().filter(|name| !after.profiles.contains_key(*name)) {
        lines.push(line(DriftWay::Narrower, &format!("profile {name}"), "is gone".to_owned()));
    }
}

/// What a profile wants otherwise than before.
pub(super) fn terms(was: &Terms, is: &Terms) -> Vec<(DriftWay, String)> {
    let mut lines = Vec::new();
    let wider = |is_wider: bool| if is_wider { DriftWay::Wider } else { DriftWay::Narrower };
    if was.approvals != is.approvals {
        let text = format!("wants {} instead of {}", approvals(is.approvals), was.approvals);
        lines.push((wider(is.approvals < was.approvals), text));
    }
    if was.longest != is.longest {
        let minutes = |seconds: u64| format!("{} min", seconds / 60);
        let text = format!("lasts up to {} instead of {}", minutes(is.longest), minutes(was.longest));
        lines.push((wider(is.longest > was.longest), text));
    }
    let gained: Vec<&String> = is.autos.difference(&was.autos).collect();
    let lost: Vec<&String> = was.autos.difference(&is.autos).collect();
    // What comes is never cut short: whoever wrote the profile would choose what is left out.
    lines.extend(gained.iter().map(|one| (DriftWay::Wider, format!("opens at once by {one}"))));
    if !lost.is_empty() {
        lines.push((DriftWay::Narrower, format!("no longer opens at once by {}", some(&lost))));
    }
    if was.per_day != is.per_day {
        let hours =
            |most: Option<u64>| most.map_or("any time".to_owned(), |most| format!("{} min", most / 60));
        let text = format!("gives one person {} a day instead of {}", hours(is.per_day), hours(was.per_day));
        lines.push((wider(is.per_day.unwrap_or(u64::MAX) > was.per_day.unwrap_or(u64::MAX)), text));
    }
    if was.mfa != is.mfa {
        let words = |mfa: &[String]| if mfa.is_empty() { "nothing".to_owned() } else { mfa.join(", ") };
        let text = format!("wants of a sign-in: {}; before: {}", words(&is.mfa), words(&was.mfa));
        lines.push((if is.mfa.is_empty() { DriftWay::Wider } else { DriftWay::Other }, text));
    }
    if was.reason != is.reason {
        let text = if is.reason { "wants a reason now" } else { "wants no reason any more" };
        lines.push((wider(!is.reason), text.to_owned()));
    }
    lines
}

fn approvals(n: u8) -> String {
    format!("{n} {}", if n == 1 { "approval" } else { "approvals" })
}

fn clusters(before: &Snapshot, after: &Snapshot, lines: &mut Vec<DriftLine>) {
    for (name, is) in &after.clusters {
        let about = format!("cluster {name}");
        let Some(was) = before.clusters.get(name) else {
            lines.push(line(DriftWay::Wider, &about, "is new".to_owned()));
            continue;
        };
        // Of a profile that is new or gone it is told already.
        let known =
            |name: &&String| before.profiles.contains_key(*name) && after.profiles.contains_key(*name);
        let gained: Vec<&String> = is.keys().filter(|name| !was.contains_key(*name)).filter(known).collect();
        let lost: Vec<&String> = was.keys().filter(|name| !is.contains_key(*name)).filter(known).collect();
        if !gained.is_empty() {
            lines.push(line(DriftWay::Wider, &about, format!("can now be asked for as {}", some(&gained))));
        }
        if !lost.is_empty() {
            let text = format!("can no longer be asked for as {}", some(&lost));
            lines.push(line(DriftWay::Narrower, &about, text));
        }
    }
    for name in before.clusters.keys().filter(|name| !after.clusters.contains_key(*name)) {
        lines.push(line(DriftWay::Narrower, &format!("cluster {name}"), "is gone".to_owned()));
    }
}

/// The same change on many clusters is told once.
fn allowed(before: &Snapshot, after: &Snapshot, lines: &mut Vec<DriftLine>) {
    let mut changes: BTreeMap<(&String, &String, &String), Vec<&String>> = BTreeMap::new();
    for (cluster, profiles) in &after.clusters {
        let Some(was) = before.clusters.get(cluster) else { continue };
        for (profile, is) in profiles {
            if let Some(was) = was.get(profile).filter(|was| *was != is) {
                changes.entry((profile, was, is)).or_default().push(cluster);
            }
        }
    }
    let nothing = BTreeSet::new();
    for ((profile, was, is), on) in changes {
        let about = format!("{profile} on {}", some(&on));
        if was.is_empty() {
            lines.push(line(DriftWay::Other, &about, "what it allows is known now".to_owned()));
            continue;
        }
        let old = before.allowed.get(was).unwrap_or(&nothing);
        let new = after.allowed.get(is).unwrap_or(&nothing);
        let gained: Vec<&String> = new.difference(old).collect();
        let lost: Vec<&String> = old.difference(new).collect();
        let text = match (gained.is_empty(), lost.is_empty()) {
            (false, true) => format!("allows more: {}", some(&gained)),
            (true, false) => format!("allows less: {}", some(&lost)),
            (false, false) => format!("allows something else: {}; no longer {}", some(&gained), some(&lost)),
            (true, true) => "its rules are others".to_owned(),
        };
        let way = match (gained.is_empty(), lost.is_empty()) {
            (false, _) => DriftWay::Wider,
            (true, false) => DriftWay::Narrower,
            (true, true) => DriftWay::Other,
        };
        lines.push(line(way, &about, text));
    }
}

/// The first of them, and how many more there are.
pub(super) fn some(all: &[&String]) -> String {
    let named: Vec<&str> = all.iter().take(NAMED).map(|name| name.as_str()).collect();
    match all.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests;
