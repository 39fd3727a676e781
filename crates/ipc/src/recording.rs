use crate::{Shown, TerminalSize};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What one terminal showed, as it is kept here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingView {
    /// Its session.
    pub session: String,
    /// Its terminal.
    pub terminal: String,
    /// The cluster.
    pub cluster: Shown,
    /// Who had it open.
    pub user: Shown,
    /// `bash`, `zsh`, …
    pub shell: Shown,
    /// What was typed is in it too, as far as the terminal echoed it.
    pub input: bool,
    /// It is sealed with a key of this desktop's keyring.
    pub sealed: bool,
    /// When it began.
    pub began_at: i64,
    /// When it ended; None: it goes on.
    pub ended_at: Option<i64>,
    /// It was cut off with the app: up to a second before that is missing.
    pub cut_off: bool,
    /// Its closed segments, in order.
    pub segments: Vec<SegmentView>,
    /// Why nothing of it can be read. None: it can.
    pub problem: Option<Shown>,
}

/// One closed segment of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SegmentView {
    /// Which, from 1.
    pub number: u32,
    /// Its first moment.
    pub began_at: i64,
    /// Its last moment.
    pub ended_at: i64,
    /// The terminal's size at its beginning.
    pub size: TerminalSize,
}

/// A page of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingPage {
    /// How the segment is.
    pub state: SegmentState,
    /// When the segment began; moments count from there.
    pub began_at: i64,
    /// The terminal's size at the segment's beginning.
    pub size: TerminalSize,
    /// What happened, in order.
    pub moments: Vec<RecordedMoment>,
    /// Where the next page of this segment begins; None: this is the last one there is by now.
    pub next: Option<u32>,
}

/// How a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SegmentState {
    /// It is what it was when it was closed.
    Whole,
    /// It is still written.
    Open,
    /// It was changed or cut short; what can be vouched for is there.
    Damaged,
    /// It is not there.
    Missing,
}

/// One moment of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordedMoment {
    /// Milliseconds since the segment began.
    pub after_ms: f64,
    /// What it is.
    pub kind: MomentKind,
    /// What the terminal showed or was typed, byte for byte as a terminal takes it; of a resize the size, `100x40`. For a
    /// terminal that answers nothing, and for nothing else.
    pub data: String,
}

/// What a moment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum MomentKind {
    /// The terminal showed it.
    Output,
    /// It was typed.
    Input,
    /// A new size.
    Resize,
}
