//! What a check, a practice or an area came to.

use schemars::JsonSchema;
use serde::Serialize;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VerdictView {
    /// All was read, and nothing was found.
    Pass,
    /// Something was found.
    Fail,
    /// What was found has no effect.
    Inert,
    /// Not all was read; `why` says what.
    Unknown,
    /// It is a setting of the cloud; `why` says where.
    Provider,
    /// There is nothing it could be about.
    NotApplicable,
}
