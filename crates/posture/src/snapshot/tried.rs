//! What came of trying whether a namespace takes a privileged pod: a server-side dry run, of which nothing is kept.

use serde::{Deserialize, Serialize};

/// One namespace, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tried {
    /// The namespace.
    pub namespace: String,
    /// What came of it.
    pub came_to: CameTo,
}

/// What came of a privileged pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CameTo {
    /// It would have been taken as it is.
    Taken,
    /// A harmless one would have been taken, and this one was refused, in these words of whoever refused it.
    Refused(String),
    /// It would have been taken, and without its privileges.
    Disarmed,
    /// It is not known, and why.
    Unknown(String),
}
