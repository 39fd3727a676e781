//! Handing on what the audit shows.

use crate::{Shown, TimelineFilter};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// As what a selection is handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ExportForm {
    /// A tar archive that proves itself: entries of this desktop's history, checkpoints, the public key, a page to read,
    /// recordings of terminals, and the events of clusters, which prove nothing.
    #[default]
    Pack,
    /// A line of JSON for each: entries, and the events of clusters as they were written.
    Jsonl,
    /// A line for each, for a spreadsheet.
    Csv,
    /// An OCSF event on each line, for a SIEM.
    Ocsf,
    /// The access report, as one page.
    Report,
}

/// What is to be handed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExportInput {
    /// What of the timeline.
    pub filter: TimelineFilter,
    /// As what.
    pub form: ExportForm,
    /// The sessions whose recordings go with a pack, by their ids.
    pub recordings: Vec<String>,
    /// The clusters' events that the filter selects go with a pack.
    pub events: bool,
    /// Where to: a file that is not there yet.
    pub place: String,
}

/// What a filter selects, before it is handed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExportLook {
    /// Entries of this desktop's history.
    pub own: i64,
    /// Calls that clusters tell of.
    pub calls: i64,
    /// There may be more calls than were counted: the time was over, or something is damaged.
    pub is_cut: bool,
    /// Why nothing of the clusters' events could be counted, if that is so.
    pub why: Option<Shown>,
    /// Log stores, which are asked in place: what they have is not handed on.
    pub stores: Vec<Shown>,
    /// The history is sealed, so that a pack of it would prove something.
    pub is_sealed: bool,
    /// Sessions of the selected entries of which recordings are kept, the newest first; at most 200.
    pub recorded: Vec<RecordedSession>,
    /// There are more of those.
    pub has_more: bool,
    /// A place that can be used, without its ending.
    pub place: Shown,
}

/// A session of which recordings are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSession {
    /// Its id.
    pub session: String,
    /// Where.
    pub cluster: Shown,
    /// Whose terminals.
    pub who: Shown,
    /// When the first began, in Unix milliseconds.
    pub began_at: i64,
    /// Terminals.
    pub terminals: u32,
    /// What they take, in bytes.
    pub bytes: i64,
}

/// What was handed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExportView {
    /// Where it is.
    pub place: Shown,
    /// Entries in it.
    pub own: i64,
    /// Calls in it.
    pub calls: i64,
    /// Segments of recordings in it.
    pub recordings: i64,
    /// Bytes.
    pub bytes: i64,
    /// Its SHA-256, in hex.
    pub sha256: Shown,
    /// The fingerprint of the key that sealed a pack.
    pub fingerprint: Option<Shown>,
    /// What it lacks, in words.
    pub lacks: Vec<Shown>,
}
