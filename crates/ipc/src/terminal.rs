use crate::Shown;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One terminal of a session. Its output goes through a channel of its own as raw bytes, and every byte is
/// acknowledged with `terminal_ack` once drawn; the PTY is not read while too much is unacknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TerminalView {
    /// Opaque.
    pub id: String,
    /// Its session.
    pub session: String,
    /// `bash`, `zsh`, …
    pub title: Shown,
    /// Still running.
    pub running: bool,
    /// How the shell ended; None while it runs or when a signal ended it.
    pub exit_code: Option<i32>,
    /// Whether its shells are known to keep it on the session's cluster.
    pub guard: TerminalGuard,
    /// It is recorded; None: it is not.
    pub recording: Option<RecordingState>,
}

/// Whether a terminal's shells are known to keep it on its session's cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TerminalGuard {
    /// A shell starts and has not given its sign yet; lines typed meanwhile wait.
    Starting,
    /// Every shell that reads it gave its sign.
    Guarded,
    /// Something may lead commands to another cluster. Nothing typed gets through until `terminal_take`.
    NotGuarded {
        /// What, in a sentence.
        why: Shown,
    },
    /// The same, and the person wants it so.
    Taken {
        /// What, in a sentence.
        why: Shown,
    },
}

/// Size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TerminalSize {
    /// Columns, 2 to 1000.
    pub cols: u16,
    /// Rows, 1 to 1000.
    pub rows: u16,
}

/// That something is recorded now, and how that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingState {
    /// What is typed is recorded too, while the terminal echoes it.
    pub input: bool,
    /// Why nothing can be written now: nothing is typed into the session until it can. None: it is.
    pub stopped: Option<Shown>,
}
