use crate::{DriftLine, DriftWay, MissingRight, Right, Shown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A profile as text, to be changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileDraft {
    /// The profile; None: a new one.
    pub name: Option<Shown>,
    /// The text, line by line.
    pub lines: Vec<Shown>,
    /// What this person lacks to apply a change of it; None: nothing.
    pub lacks: Option<MissingRight>,
    /// What is good to know before, in sentences.
    pub remarks: Vec<Shown>,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileProblem {
    /// In which line, from 1; None: nowhere in particular.
    pub line: Option<u32>,
    /// What, a sentence.
    pub text: Shown,
}

/// What came of trying a change on the hub, where nothing is stored by that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ProfileVerdict {
    /// The hub would take it.
    Taken,
    /// It changes nothing.
    Same,
    /// The text is no profile, or not this one: see the problems.
    Wrong,
    /// The hub said no.
    Refused {
        /// In its words.
        why: Shown,
    },
    /// Somebody else wrote it since it was read.
    Changed,
    /// It is not there any more.
    Gone,
}

/// A change that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileLook {
    /// By which it is applied, where the hub would take it; else empty.
    pub digest: Shown,
    /// The profile it is of, as far as the text says.
    pub name: Shown,
    /// There is none of this name yet.
    pub is_new: bool,
    /// What came of trying it.
    pub verdict: ProfileVerdict,
    /// What is wrong with the text.
    pub problems: Vec<ProfileProblem>,
    /// What it would change, where the text is a profile.
    pub difference: Option<ProfileDifference>,
}

/// What a change would change, what widens first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProfileDifference {
    /// What it asks of whoever wants it, and where it holds.
    pub conditions: Vec<DriftLine>,
    /// Who may ask, approve or be let in at once.
    pub people: Vec<DriftLine>,
    /// Whether that could be read: else `people` says nothing.
    pub people_known: bool,
    /// What a session may do, by cluster.
    pub rules: Vec<RulesDifference>,
    /// Whether the clusters could be read: else `rules` says nothing.
    pub rules_known: bool,
    /// What becomes of what waits and what is open, in sentences.
    pub standing: Vec<Shown>,
    /// What is not known, and why, in sentences.
    pub unknown: Vec<Shown>,
}

/// The same difference in rules on some clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RulesDifference {
    /// Whether a session may do more there.
    pub way: DriftWay,
    /// Where.
    pub clusters: Vec<Shown>,
    /// The changed profile covers them.
    pub covered: bool,
    /// It did before.
    pub was_covered: bool,
    /// What no session may have, that it would have now: brokers refuse it (P11).
    pub dangers: Vec<Shown>,
    /// What could outlive a session, that could not before.
    pub warnings: Vec<Shown>,
    /// What is allowed more; what changes something first.
    pub gained: Vec<Right>,
    /// What is allowed no more.
    pub lost: Vec<Right>,
    /// Why it is not known.
    pub unknown: Option<Shown>,
}
