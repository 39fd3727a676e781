use crate::{EnvironmentKind, Right, Shown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who can ask for what: the hub's roles and bindings, and what the brokers say their profiles allow, as they were read at
/// one moment. What is said several times stands once: numbers are places in the lists here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoCanView {
    /// When it was read.
    pub as_of: i64,
    /// Of what stands here and is compared with the next look.
    pub digest: Shown,
    /// What this person lacks to see it; where there is something, nothing else is known.
    pub missing: Vec<MissingRight>,
    /// What may be asked for, by name.
    pub profiles: Vec<WhoProfile>,
    /// Where, by name.
    pub clusters: Vec<WhoCluster>,
    /// What profiles allow on clusters.
    pub rights: Vec<WhoRights>,
    /// The namespaces that take requests.
    pub teams: Vec<Shown>,
    /// By what somebody may do something: a binding and its role.
    pub bindings: Vec<Shown>,
    /// Who may ask, approve or end, groups first.
    pub subjects: Vec<WhoSubject>,
    /// Whether the hub's own guardrails are in force.
    pub hub: GuardrailProof,
    /// What is true of all of it, in words.
    pub notes: Vec<Shown>,
    /// What could not be read, in words: it is missing above.
    pub problems: Vec<Shown>,
    /// What is another since this person said that they had seen it; None: they never did.
    pub drift: Option<Drift>,
}

/// A right that a person lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MissingRight {
    /// `list clusterroles.rbac.authorization.k8s.io`.
    pub what: Shown,
    /// The ClusterRole that gives it.
    pub given_by: Shown,
}

/// A profile, whoever may ask for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoProfile {
    /// Its name.
    pub name: Shown,
    /// How many people have to say yes; 0: it opens at once.
    pub approvals: u32,
    /// What stands for all of them, in words.
    pub auto_approvals: Vec<Shown>,
    /// The most time one person may have on one cluster within 24 hours; None: it is not counted.
    pub max_per_day_seconds: Option<u32>,
    /// The longest a session may last.
    pub max_duration_seconds: u32,
    /// Where on a cluster; empty: cluster-wide.
    pub namespaces: Vec<Shown>,
    /// What it wants of a sign-in, in words; empty: nothing.
    pub mfa: Vec<Shown>,
    /// A reason must be given.
    pub reason_required: bool,
}

/// A cluster and the profiles that cover it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoCluster {
    /// Its name.
    pub name: Shown,
    /// For its colour.
    pub environment: EnvironmentKind,
    /// The team's word for it.
    pub environment_word: Shown,
    /// Whether its guardrails are in force.
    pub guardrails: GuardrailProof,
    /// Its broker gives no sign of life: what it said is as old as that.
    pub silent: bool,
    /// What may be asked for there.
    pub profiles: Vec<WhoThere>,
}

/// A profile on one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoThere {
    /// Which.
    pub profile: u32,
    /// What it allows there; None: see `unknown`.
    pub rights: Option<u32>,
    /// Why it is not known what it allows there.
    pub unknown: Option<Shown>,
    /// Why its broker would refuse it (P11).
    pub refused: Option<Shown>,
}

/// What a profile allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoRights {
    /// What no session may have, each with the rule that gives it.
    pub dangers: Vec<Shown>,
    /// What could outlive a session, in words.
    pub warnings: Vec<Shown>,
    /// In words; what changes something first.
    pub rights: Vec<Right>,
    /// How many rules they come from.
    pub rules: u32,
}

/// What a binding names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SubjectKind {
    /// Everybody in a group.
    Group,
    /// One user.
    User,
    /// A ServiceAccount of the hub.
    ServiceAccount,
}

/// Somebody whom a binding names, with all they may do by that name and by the groups that everybody of their kind is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoSubject {
    /// What it is.
    pub kind: SubjectKind,
    /// Its name as the hub's API server knows it; of a ServiceAccount `namespace/name`.
    pub name: Shown,
    /// What they may do, by profile.
    pub may: Vec<WhoMay>,
    /// The teams in which they may ask. A profile without a team, and a team without a profile, is nothing: somebody in two
    /// groups may have both.
    pub asks_in: Vec<u32>,
    /// The teams in which they may write a yes, a no or an end.
    pub decides_in: Vec<u32>,
}

/// What somebody may do with one profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhoMay {
    /// Which.
    pub profile: u32,
    /// Ask for it.
    pub request: bool,
    /// Say yes or no to others.
    pub approve: bool,
    /// End what others have open.
    pub revoke: bool,
    /// By which bindings.
    pub by: Vec<u32>,
}

/// Whether guardrails are in force, and by what that is known (P12).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum GuardrailProof {
    /// As shipped, and seen to refuse.
    InForce {
        /// Since when every check says so.
        at: i64,
        /// Which API server answered.
        detail: Shown,
    },
    /// As shipped, and nobody has seen them refuse: unverified.
    AsShipped {
        /// When they were compared.
        at: i64,
        /// What was compared.
        detail: Shown,
    },
    /// Not as shipped, or seen to let something through.
    NotInForce {
        /// Since when every check says so.
        at: i64,
        /// What is not as shipped.
        detail: Shown,
    },
    /// Nobody knows.
    Unknown {
        /// Why.
        why: Shown,
    },
}

/// What is another since the last look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// When that was.
    pub since: i64,
    /// What widens first.
    pub lines: Vec<DriftLine>,
    /// So many more than are shown.
    pub more: u32,
}

/// One thing that is another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DriftLine {
    /// Whether somebody can do more.
    pub way: DriftWay,
    /// Whom or what it is about.
    pub about: Shown,
    /// What changed, in words.
    pub text: Shown,
}

/// Which way it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DriftWay {
    /// More can be done than before, or more easily.
    Wider,
    /// Something is another, and neither more nor less.
    Other,
    /// Less can be done.
    Narrower,
}
