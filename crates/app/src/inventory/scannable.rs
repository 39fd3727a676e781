//! What scans need to know of the inventory: which clusters there are, under what they may be scanned, and what Sallyport has
//! shown of each by now.

use super::Inventory;
use super::known::{Known, environment_kind};
use crate::person::WorkspaceId;
use sallyport_ipc::EnvironmentKind;
use sallyport_model::{ClusterName, Profile, ProfileName};

/// Under what somebody scans.
pub(crate) enum ScanProfile {
    /// This profile.
    One(ProfileName),
    /// There is none that they may ask for.
    None,
    /// The hub has not said it yet.
    NotKnown,
}

/// A cluster that the hub knows.
pub(crate) struct Scannable {
    pub(crate) name: String,
    /// The team's word.
    pub(crate) environment: String,
    pub(crate) kind: EnvironmentKind,
}

/// Something that was seen to hold or not: when last (Unix seconds), and how, as a sentence's end.
pub(crate) type Seen = (bool, i64, String);

/// What Sallyport has shown of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShownOf {
    /// Its guardrails and those of the hub are in force (P12).
    pub(crate) guardrails: Option<Seen>,
    /// The hub's admission asks for a second factor under every profile that opens it.
    pub(crate) second_factor: Option<Seen>,
    /// When its broker last gave the hub a sign of life, which it dials for that: Unix seconds.
    pub(crate) beat: Option<i64>,
}

impl Inventory {
    /// The clusters that the hub knows, by name.
    pub(crate) fn scannable(&self, workspace: &WorkspaceId) -> Vec<Scannable> {
        let one = |name: &String, environment: &str| Scannable {
            name: name.clone(),
            environment: environment.to_owned(),
            kind: environment_kind(environment),
        };
        self.known(workspace, |known| {
            known.clusters.iter().map(|(name, object)| one(name, &object.spec.environment)).collect()
        })
    }

    /// The profile for scans that this person may ask for, whatever it covers.
    pub(crate) fn scan_profile(&self, workspace: &WorkspaceId) -> ScanProfile {
        self.known(workspace, |known| {
            let Some(may) = &known.may_request else { return ScanProfile::NotKnown };
            let mut profiles = known.profiles.values().filter_map(|object| Profile::try_from(object).ok());
            let found = profiles.find(|one| may.contains(one.name.as_str()) && one.is_for_scans());
            found.map_or(ScanProfile::None, |profile| ScanProfile::One(profile.name))
        })
    }

    /// What Sallyport has shown of a cluster by now.
    pub(crate) fn shown_of(&self, workspace: &WorkspaceId, cluster: &ClusterName) -> ShownOf {
        self.known(workspace, |known| known.shown_of(cluster))
    }
}

impl Known {
    /// A report stands until its broker says something else; it counts from the broker's last sign of life.
    fn shown_of(&self, cluster: &ClusterName) -> ShownOf {
        let status = self.clusters.get(cluster.as_str()).and_then(|object| object.status.as_ref());
        let seen = self.seen.as_ref().and_then(|seen| seen.get(cluster.as_str())).filter(|seen| !seen.silent);
        let (Some(status), Some(seen)) = (status, seen) else { return ShownOf::default() };
        let at = seen.at / 1000;
        let both = status.guardrails.as_ref().zip(status.hub_guardrails.as_ref());
        let guardrails = both.map(|(target, hub)| {
            let holds = target.verified && hub.verified;
            let how = match holds {
                true => "the guardrails of hub and cluster are as shipped and were seen to refuse",
                false => "guardrails of hub or cluster are not as shipped, or let something through",
            };
            (holds, at, how.to_owned())
        });
        let opens = |profile: &Profile| profile.covers(cluster);
        let profiles: Vec<Profile> = self
            .profiles
            .values()
            .filter_map(|object| Profile::try_from(object).ok())
            .filter(opens)
            .collect();
        // One that can't be read is not known to ask for anything.
        let whole = self.profiles.values().all(|object| Profile::try_from(object).is_ok());
        let hub_holds = status.hub_guardrails.as_ref().is_some_and(|hub| hub.verified);
        let second_factor = (whole && hub_holds && !profiles.is_empty()).then(|| {
            let without: Vec<&str> = profiles
                .iter()
                .filter(|profile| !asks_for_more(profile))
                .map(|profile| profile.name.as_str())
                .collect();
            let how = match without.as_slice() {
                [] => {
                    format!("the hub asks for more than a password under each of {} profiles", profiles.len())
                }
                some => format!("the hub does not ask for more than a password under {}", some.join(", ")),
            };
            (without.is_empty(), at, how)
        });
        ShownOf { guardrails, second_factor, beat: Some(at) }
    }
}

/// Whether it wants a class of sign-in, or a method that is no password. What a class stands for is the team's to say.
fn asks_for_more(profile: &Profile) -> bool {
    let methods = &profile.mfa.amr;
    !profile.mfa.acr.is_empty() || (!methods.is_empty() && methods.iter().all(|one| one != "pwd"))
}
