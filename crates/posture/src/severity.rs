//! How bad something is.

use serde::{Deserialize, Serialize};

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be tidied up.
    Low,
    /// Somebody can do more than they should in one place.
    Medium,
    /// In many places, or where it hurts.
    High,
    /// It ends in everything, in the root of a node, or with whoever did not even sign in.
    Critical,
}
