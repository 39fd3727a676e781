//! Who holds what in several clusters.

use super::names;
use crate::fleet::shared::{Asked, Found};
use crate::fleet::{About, Scanned};
use crate::said::shown;
use crate::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn admins(asked: &Asked<'_>) -> Vec<Found> {
    let mut by: BTreeMap<&About, BTreeSet<&str>> = BTreeMap::new();
    for one in asked.scanned {
        for line in one.lines.iter().filter(|line| line.check == "RB-01") {
            if matches!(line.about, About::Group(_) | About::Person(_)) {
                by.entry(&line.about).or_default().insert(&one.cluster);
            }
        }
    }
    by.retain(|_, clusters| clusters.len() > asked.limits.admin_of);
    let who = |about: &About| match about {
        About::Group(name) => format!("Group {}", shown(name)),
        About::Person(name) => format!("User {}", shown(name)),
        _ => String::new(),
    };
    by.iter()
        .map(|(about, clusters)| Found {
            severity: Severity::High,
            clusters: names(clusters),
            said: format!("{} can do everything in {} clusters.", who(about), clusters.len()),
        })
        .collect()
}

/// A role that most clusters have with the same rules, and some with others.
pub(super) fn roles(asked: &Asked<'_>) -> Vec<Found> {
    let mut by: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for one in asked.scanned {
        for (name, digest) in one.traits.roles.iter().flatten() {
            by.entry(name).or_default().entry(digest).or_default().insert(&one.cluster);
        }
    }
    let mut all = Vec::new();
    for (name, variants) in by.into_iter().filter(|(_, variants)| variants.len() > 1) {
        let clusters: usize = variants.values().map(BTreeSet::len).sum();
        let most = variants.values().map(BTreeSet::len).max().unwrap_or_default();
        // Where none is the usual one, no cluster is the odd one out.
        let usual = most * 2 > clusters;
        let odd: BTreeSet<&str> =
            variants.values().filter(|of| !usual || of.len() < most).flatten().copied().collect();
        let said = match usual {
            true => format!(
                "ClusterRole {} gives other rights in {} of {clusters} clusters.",
                shown(name),
                odd.len()
            ),
            false => format!(
                "ClusterRole {} gives {} different sets of rights in {clusters} clusters.",
                shown(name),
                variants.len()
            ),
        };
        all.push(Found { severity: Severity::Medium, clusters: names(&odd), said });
    }
    all
}

pub(super) fn tiers(asked: &Asked<'_>) -> Vec<Found> {
    let is_production =
        |one: &Scanned| one.traits.tier.as_ref().map(|tier| asked.limits.production.contains(tier));
    let mut by: BTreeMap<&str, [Option<Severity>; 2]> = BTreeMap::new();
    let mut clusters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut others = false;
    for one in asked.scanned {
        let Some(production) = is_production(one) else { continue };
        others |= !production;
        for line in &one.lines {
            let About::Group(name) = &line.about else { continue };
            let [inside, outside] = by.entry(name).or_default();
            let place = if production { inside } else { outside };
            *place = (*place).max(Some(line.severity));
            if production && line.severity >= Severity::High {
                clusters.entry(name).or_default().insert(&one.cluster);
            }
        }
    }
    if !others {
        return Vec::new();
    }
    let more = |(_, [inside, outside]): &(&str, [Option<Severity>; 2])| {
        *inside >= Some(Severity::High) && inside > outside
    };
    by.into_iter()
        .filter(more)
        .map(|(name, _)| Found {
            severity: Severity::Medium,
            clusters: clusters.get(name).map(names).unwrap_or_default(),
            said: format!("Group {} holds graver rights in production than anywhere else.", shown(name)),
        })
        .collect()
}
