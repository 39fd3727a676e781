//! What readings of posture add: standing access, and the ten practices over time.

use crate::verdict::VerdictView;
use crate::words;
use sallyport_posture::{Ground, Origin, Snapshot};
use sallyport_rbac::who::Subject;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Bindings of one cluster that are listed.
const STANDING_MOST: usize = 200;

/// One reading of a cluster, as far as a report goes into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The cluster's name.
    pub cluster: String,
    /// When it was read, as it says itself.
    pub taken: String,
    /// The ten practices.
    pub practices: Vec<(&'static str, VerdictView)>,
    /// People and groups whose access stands.
    pub standing: Vec<Standing>,
    /// Why there may be more.
    pub gaps: Vec<String>,
}

/// Somebody's standing access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Whose.
    pub who: String,
    /// By which binding.
    pub binding: String,
    /// To which role.
    pub role: String,
    /// Where; none: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Reading {
    /// From a snapshot and what was judged of it.
    pub fn of(
        cluster: &str,
        taken: &str,
        snapshot: &Snapshot,
        practices: &[crate::glance::PracticeView],
    ) -> Self {
        let ground = Ground::new(snapshot);
        let mut standing = Vec::new();
        for (at, (binding, role)) in ground.rbac().bindings().iter().enumerate() {
            if ground.origin(at) == Origin::Default {
                continue;
            }
            let Some(role) = ground.rbac().roles().get(*role) else { continue };
            // Accounts are programs; the system's own users and groups are the system.
            let is_person =
                |subject: &&Subject| subject.as_account().is_none() && !subject.name().starts_with("system:");
            standing.extend(binding.subjects.iter().filter(is_person).map(|subject| Standing {
                who: words::subject(subject),
                binding: words::binding(binding),
                role: words::role(role),
                namespace: binding.namespace.clone(),
            }));
        }
        standing.sort();
        standing.dedup();
        Self {
            cluster: cluster.to_owned(),
            taken: taken.to_owned(),
            practices: practices.iter().map(|one| (one.name, one.verdict)).collect(),
            standing,
            gaps: ground.nobody_can_gaps(),
        }
    }
}

/// Standing access on one cluster, by its newest reading.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingView {
    /// The cluster.
    pub cluster: String,
    /// When it was read.
    pub taken: String,
    /// Who holds what, whatever anybody asks for.
    pub standing: Vec<Standing>,
    /// How many more there are.
    pub more: usize,
    /// Why there may be others.
    pub gaps: Vec<String>,
}

/// The ten practices of one cluster over time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PracticeLine {
    /// The cluster.
    pub cluster: String,
    /// When it was read, oldest first.
    pub taken: Vec<String>,
    /// Each practice with what it came to at each reading.
    pub practices: Vec<PracticeOverTime>,
}

/// One practice over time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PracticeOverTime {
    /// Its name.
    pub name: &'static str,
    /// What it came to, reading by reading.
    pub verdicts: Vec<VerdictView>,
}

fn by_cluster(readings: &[Reading]) -> BTreeMap<&str, Vec<&Reading>> {
    let mut all: BTreeMap<&str, Vec<&Reading>> = BTreeMap::new();
    readings.iter().for_each(|one| all.entry(&one.cluster).or_default().push(one));
    all.values_mut().for_each(|of| of.sort_by(|a, b| a.taken.cmp(&b.taken)));
    all
}

pub(super) fn standing(readings: &[Reading]) -> Vec<StandingView> {
    let newest = by_cluster(readings).into_values().filter_map(|mut of| of.pop());
    newest
        .map(|one| StandingView {
            cluster: one.cluster.clone(),
            taken: one.taken.clone(),
            standing: one.standing.iter().take(STANDING_MOST).cloned().collect(),
            more: one.standing.len().saturating_sub(STANDING_MOST),
            gaps: one.gaps.clone(),
        })
        .collect()
}

pub(super) fn practices(readings: &[Reading]) -> Vec<PracticeLine> {
    by_cluster(readings)
        .into_iter()
        .map(|(cluster, of)| {
            let names =
                of.first().map(|one| one.practices.iter().map(|(name, _)| *name)).into_iter().flatten();
            let verdict = |one: &&Reading, name: &str| {
                let found = one.practices.iter().find(|(own, _)| *own == name);
                found.map_or(VerdictView::Unknown, |(_, verdict)| *verdict)
            };
            PracticeLine {
                cluster: cluster.to_owned(),
                taken: of.iter().map(|one| one.taken.clone()).collect(),
                practices: names
                    .map(|name| PracticeOverTime {
                        name,
                        verdicts: of.iter().map(|one| verdict(one, name)).collect(),
                    })
                    .collect(),
            }
        })
        .collect()
}
