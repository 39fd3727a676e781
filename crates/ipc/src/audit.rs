use crate::Shown;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which entries to show; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(optional_fields)]
pub struct AuditFilter {
    /// A cluster's name.
    pub cluster: Option<String>,
    /// A session's id.
    pub session: Option<String>,
    /// A user's name.
    pub user: Option<String>,
    /// An action's text, as in an entry.
    pub action: Option<String>,
    /// Words to find in the entry.
    pub text: Option<String>,
    /// Not before.
    pub from: Option<i64>,
    /// Not after.
    pub to: Option<i64>,
}

/// Entries, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// At most as many as asked.
    pub entries: Vec<AuditEntryView>,
    /// Give this as `before` for the next page; None: this was the last.
    pub next: Option<i64>,
    /// Entries in the whole history, whatever the filter.
    pub total: i64,
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntryView {
    /// Its place in the chain.
    pub sequence: i64,
    /// When, in Unix microseconds.
    pub at_us: i64,
    /// The action's stable text: `call`, `rights_gone`, `gap`.
    pub action: String,
    /// In words: "Asked for debug on payments-eu-1".
    pub sentence: Shown,
    /// How it went.
    pub outcome: Outcome,
    /// Who; may be empty.
    pub user: Shown,
    /// Where; may be empty.
    pub cluster: Shown,
    /// With which tool: `kubectl exec`; may be empty.
    pub via: Shown,
    /// The API server's answer, for calls.
    pub status: Option<u16>,
    /// What it joins with.
    pub ids: AuditIds,
    /// Further facts, `name` and `value`.
    pub detail: Vec<(Shown, Shown)>,
    /// How many secrets were taken out before it was stored (P20).
    pub redactions: u32,
    /// Evidence is missing here (P19): drawn hatched.
    pub gap: bool,
}

/// What an entry joins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditIds {
    /// The request on the hub.
    pub request: Option<Shown>,
    /// The grant on the target.
    pub grant: Option<Shown>,
    /// The session on this desktop.
    pub session: Option<Shown>,
    /// The `jti` claim; the API server's audit has the same.
    pub jti: Option<Shown>,
    /// The `Audit-ID` of one call; the API server's audit has the same.
    pub audit_id: Option<Shown>,
}

/// How an action went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// As wanted.
    Done,
    /// Someone or something said no.
    Refused,
    /// It broke.
    Failed,
    /// It could not be shown either way.
    Unproven,
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Every link holds, under the keyring's key.
    Verified,
    /// Every link holds, but there is no key to anchor them (no keyring).
    Unanchored,
    /// A link does not hold.
    Broken,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerifyView {
    /// What it found.
    pub verdict: Verdict,
    /// Entries checked.
    pub entries: i64,
    /// Gap entries among them.
    pub gaps: i64,
    /// The first entry that is wrong.
    pub first_bad: Option<i64>,
    /// What is wrong with it, or why there is no anchor.
    pub why: Option<Shown>,
    /// Took.
    pub ms: u32,
    /// When.
    pub at: i64,
}

/// Where the history stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AuditPosition {
    /// The newest entry's place.
    pub sequence: i64,
}

/// By which key a history is sealed: whoever has the public half can check, and nobody can write with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SealView {
    /// Names it: SHA-256 of its public half; None: nothing is sealed, since there is no keyring.
    pub fingerprint: Option<Shown>,
    /// Since when it seals, in Unix milliseconds; None: that can't be told.
    pub since: Option<i64>,
    /// That of the one before, where this one was just made.
    pub former: Option<Shown>,
    /// The last entry that is sealed.
    pub until: i64,
    /// How many entries there are.
    pub entries: i64,
    /// The one before has not named it on the disk yet.
    pub is_handing_over: bool,
}
