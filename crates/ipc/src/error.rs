use crate::Shown;
use sallyport_model::ErrorCode;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The failure of a command or of a session, as the window shows it. The chain of causes is in the log, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ErrorView {
    /// What the window branches on.
    pub code: ErrorCode,
    /// What happened and what was tried, one sentence.
    pub message: Shown,
    /// What to do next, one sentence.
    pub hint: Option<Shown>,
    /// Whether trying the same again can help.
    pub retry: bool,
    /// With [`ErrorCode::StepUpNeeded`]: what `sign_in` must ask the identity provider for.
    pub step_up: Option<StepUp>,
}

/// A stronger or fresher sign-in, as admission on the hub asked for it (OpenID Connect Core 3.1.2.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepUp {
    /// Authentication contexts that will do; empty: any.
    pub acr: Vec<String>,
    /// Methods that must be among those used (RFC 8176); empty: any.
    pub amr: Vec<String>,
    /// How old the authentication may be.
    pub max_age_seconds: Option<u32>,
    /// The human sentence behind the marker.
    pub message: Shown,
}
