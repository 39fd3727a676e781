use crate::Shown;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What can be chosen for this desktop beside the theme, and what is kept where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SettingsView {
    /// The shell of new terminals; None: the person's own.
    pub shell: Option<Shown>,
    /// The person's own, where it is known.
    pub own_shell: Option<Shown>,
    /// The shells of this machine that can be chosen.
    pub shells: Vec<ShellView>,
    /// What is told on the desktop, outside the window.
    pub notifications: Notifications,
    /// Why notifications can't be shown there at the moment, where they can't.
    pub notifications_trouble: Option<Shown>,
    /// What is kept on this machine.
    pub kept: Vec<Kept>,
}

/// What is told on the desktop, outside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// Somebody asks this person.
    pub asks: bool,
    /// What became of this person's own requests.
    pub requests: bool,
    /// This person's sessions: about to end, revoked, not proven.
    pub sessions: bool,
    /// Also the reasons that people gave: whoever looks at a locked screen may read them.
    pub reasons: bool,
}

/// When a paste into a terminal is asked about first. What holds characters that are not seen is asked about in any case,
/// and several lines into production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PasteAsks {
    /// Always.
    Always,
    /// When it has several lines.
    SeveralLines,
    /// Never.
    Never,
}

/// A shell of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ShellView {
    /// The path of its program.
    pub path: Shown,
    /// Whether it keeps its kubeconfig at each prompt (bash, zsh, fish), or only looks once at its start (any other).
    pub guards_each_prompt: bool,
}

/// One thing that is kept on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// What: "History".
    pub what: Shown,
    /// Its path; None: in memory only.
    pub place: Option<Shown>,
    /// How it is held, in a sentence.
    pub how: Shown,
}
