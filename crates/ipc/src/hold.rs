use crate::Shown;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A hold: while it stands, nobody it is on asks for anything, is granted anything or keeps anything open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HoldView {
    /// Its UID, by which it is removed.
    pub id: Shown,
    /// What it is on.
    pub on: HeldKind,
    /// The person's or cluster's name; empty where everything is held.
    pub name: Shown,
    /// Who holds.
    pub by: Shown,
    /// Why.
    pub reason: Shown,
    /// Since when.
    pub since: i64,
    /// Until when, unless it is removed before.
    pub until: i64,
    /// It holds this person, by their name or with everything.
    pub on_me: bool,
    /// Whether this person may remove it: nobody removes one on themselves.
    pub may_remove: bool,
}

/// What a hold is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HeldKind {
    /// One person, on all clusters.
    User,
    /// One cluster, for everybody.
    Cluster,
    /// Everybody, everywhere.
    Everything,
}

/// A hold to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HoldInput {
    /// What it is on.
    pub on: HeldKind,
    /// The person's name as the hub knows it, or the cluster's; empty where everything is held.
    pub name: String,
    /// For how long, from now: 7 d at most.
    pub minutes: u32,
    /// Why; needed.
    pub reason: String,
}
