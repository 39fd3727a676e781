//! The shapes of a report on access, and what it is made of.

use super::posture::{PracticeLine, Reading, StandingView};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A moment, in microseconds of Unix time, for those that are written to JSON as text.
pub(crate) fn told(at: i64) -> String {
    match jiff::Timestamp::from_microsecond(at) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        // Before or after all that a calendar has.
        Err(_) => format!("{at} µs"),
    }
}

/// What a report is made of.
#[derive(Debug, Default)]
pub struct Facts<'f> {
    /// Entries of the history in their order: every step, and the calls of the time that is reported on.
    pub entries: &'f [sallyport_audit::Entry],
    /// The first moment that is reported on, in microseconds of Unix time.
    pub from: i64,
    /// The first after it that is not.
    pub to: i64,
    /// The first and the last entry that there is.
    pub reach: Option<(i64, i64)>,
    /// Whether nothing is missing after the last entry: the app runs, or stopped in order.
    pub is_complete: bool,
    /// Moments of rows that are no entries.
    pub unreadable: &'f [i64],
    /// Whether there are more calls than were read.
    pub has_more_calls: bool,
    /// What API servers told of session accounts in that time; none: nobody looked.
    pub seen: Option<SeenAccounts>,
    /// Readings of posture, in any order.
    pub readings: Vec<Reading>,
}

/// What API servers told of session accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenAccounts {
    /// Events of ended calls, by cluster and account.
    pub accounts: Vec<SeenAccount>,
    /// How far the logs reach, by cluster, in microseconds of Unix time.
    pub reach: BTreeMap<String, (i64, i64)>,
    /// Whether everything was looked at.
    pub is_whole: bool,
}

/// What API servers told of one session account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAccount {
    /// The cluster.
    pub cluster: String,
    /// The account's name.
    pub account: String,
    /// How many calls.
    pub calls: u64,
    /// The first, in microseconds of Unix time.
    pub first: i64,
    /// The last.
    pub last: i64,
}

/// The report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessView {
    /// The first moment that is reported on: RFC 3339, UTC.
    pub from: String,
    /// The first after it that is not.
    pub to: String,
    /// When the report was made.
    pub made: String,
    /// By person, most calls first.
    pub people: Vec<TotalView>,
    /// By cluster.
    pub clusters: Vec<TotalView>,
    /// Sessions, the newest first.
    pub sessions: Vec<SessionView>,
    /// Words that were given for or against a request, the newest first.
    pub decisions: Vec<DecisionView>,
    /// Stretches of which there is no evidence.
    pub gaps: Vec<GapView>,
    /// Sessions that API servers tell of and this history does not know: those of other desktops.
    pub others: Vec<OtherView>,
    /// Sessions with calls of which no API server told anything, by their place in `sessions`.
    pub without_evidence: Vec<usize>,
    /// Standing access of people, by cluster: what goes past sessions.
    pub standing: Vec<StandingView>,
    /// Each person and each cluster of this report, and standing access where a reading of it was given, with the last review.
    pub reviewed: Vec<ReviewedLine>,
    /// Access reviews that were written down in this time, the newest first.
    pub reviews: Vec<AccessReview>,
    /// The ten practices over time, by cluster.
    pub practices: Vec<PracticeLine>,
    /// What this report does not know.
    pub not_known: Vec<String>,
    /// Day by day.
    pub days: Vec<DayView>,
}

/// What one person did, or what was done on one cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotalView {
    /// Of whom, or of what.
    pub name: String,
    /// How many sessions.
    pub sessions: usize,
    /// For how long access was open, in seconds.
    pub seconds: u64,
    /// How many calls.
    pub calls: u64,
    /// How many of them the cluster or the gateway refused.
    pub refused: u64,
    /// On how many clusters, or by how many people.
    pub across: usize,
}

/// One session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// The request on the hub: its UID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Under which profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// In which namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<String>,
    /// For what, in their words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its account on the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Who said yes, or what stood for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<String>,
    /// When it was asked for: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// When it opened; none: it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<String>,
    /// When it closed; none: it had not, or nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// How it ended, in the history's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// For how long it was open, in seconds.
    pub seconds: u64,
    /// What proves its end.
    pub proof: Proof,
    /// Calls through its gateway.
    pub calls: u64,
    /// How many of them the cluster or the gateway refused.
    pub refused: u64,
    /// Calls that API servers told of its account; none: nobody looked, or no log of that cluster reaches there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// When it opened and closed, for pictures, in microseconds of Unix time.
    #[serde(skip)]
    pub(crate) span: Option<(i64, i64)>,
    #[serde(skip)]
    pub(crate) at: i64,
}

/// What proves that a session is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// It never opened.
    #[default]
    NeverOpen,
    /// It is open, or how it went on is not in this history.
    Open,
    /// Calls that were allowed are refused, and the token too.
    Proven,
    /// The broker says that nothing is left.
    ByBroker,
    /// It could not be proven.
    Unproven,
    /// Nothing is said of it.
    Untold,
}

impl Proof {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::NeverOpen => "never opened",
            Self::Open => "no end told",
            Self::Proven => "proven",
            Self::ByBroker => "by the broker's word",
            Self::Unproven => "unproven",
            Self::Untold => "nothing told",
        }
    }
}

/// Somebody's word for or against a request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionView {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// `approved`, `denied`, `revoked`, `held`, ….
    pub what: &'static str,
    /// By whom, or by what that stood for them.
    pub by: String,
    /// For whose request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
    /// On which cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Of what: the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip)]
    pub(crate) micros: i64,
}

/// A stretch of which there is no evidence.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GapView {
    /// From when on: RFC 3339, UTC.
    pub from: String,
    /// Until when.
    pub to: String,
    /// Why, in the history's words.
    pub why: String,
    #[serde(skip)]
    pub(crate) span: (i64, i64),
}

/// A session that API servers tell of and the history does not know.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherView {
    /// The cluster.
    pub cluster: String,
    /// The account.
    pub account: String,
    /// How many calls.
    pub calls: u64,
    /// The first: RFC 3339, UTC.
    pub first: String,
    /// The last.
    pub last: String,
}

/// One day, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DayView {
    /// `2026-11-30`.
    pub day: String,
    /// Sessions that were opened.
    pub sessions: u64,
    /// Calls.
    pub calls: u64,
    /// Calls that were refused.
    pub refused: u64,
}

/// An access review, in the words of whoever reviewed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessReview {
    /// When it was written down: RFC 3339, UTC.
    pub at: String,
    /// By whom.
    pub by: String,
    /// `person`, `cluster`, or `standing`: what people hold on a cluster whatever anybody asks for.
    pub of: &'static str,
    /// The person's name, or the cluster's.
    pub name: String,
    /// From when on it was looked at; none: from the beginning of what was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Before when.
    pub to: String,
    /// `kept`, or `to_be_removed`: something of it is to go.
    pub ruling: &'static str,
    /// What was said beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether they reviewed their own access.
    pub is_own: bool,
    #[serde(skip)]
    pub(super) micros: i64,
}

/// One person, or one cluster, and when somebody last looked at that access.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewedLine {
    /// `person`, `cluster`, or `standing`.
    pub of: &'static str,
    /// The person's name, or the cluster's.
    pub name: String,
    /// The last review before the end of the time that is reported on; none: this history has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<AccessReview>,
    /// Sessions of this report that opened after what the last review was about.
    pub sessions_since: usize,
}

impl AccessReview {
    /// What came of it, for people.
    pub fn ruling_words(&self) -> &'static str {
        if self.ruling == sallyport_audit::Ruling::Kept.as_str() { "kept" } else { "to be removed" }
    }
}
