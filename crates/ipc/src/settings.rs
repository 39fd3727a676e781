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
    /// What is kept on this machine.
    pub kept: Vec<Kept>,
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
