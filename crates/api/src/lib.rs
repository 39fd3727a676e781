//! The five objects of `access.sallyport.dev/v1alpha1`: what a team's hub and its targets store.
//!
//! `AccessCluster`, `AccessHold`, `AccessPreview`, `AccessProfile` and `AccessRequest` live on the hub, `AccessGrant` on each target. The types here
//! are the wire form: every field is what the API server holds, bounded in the CRD so that admission's cost
//! stays bounded too. Domain code works on `sallyport-model`'s types, reached through the `parsed` conversions.
//!
//! The CRDs under `deploy/` are generated from these types by `cargo run -p sallyport-api --bin crdgen`.

#![deny(missing_docs)]
#![allow(clippy::duplicated_attributes, reason = "kube's derive takes one `printcolumn(…)` for each column")]

mod auto;
mod cluster;
mod crd;
mod grant;
mod guardrails;
mod hold;
mod preview;
mod profile;
mod reaffirm;
mod recording;
mod request;
mod rules;
mod vouched;

pub use auto::{AutoApprovalField, AutoApprovalRecord};
pub use cluster::{
    AccessCluster, AccessClusterSpec, AccessClusterStatus, BrokerReport, GuardrailReport, ProfileReport,
};
pub use crd::{grant_crd, hub_crds};
pub use grant::{AccessGrant, AccessGrantSpec, AccessGrantStatus, RequestReference};
pub use guardrails::{
    Guardrails, HUB_SET, HubSet, LEAVE, Outline, SET, Side, enrolment, guardrail_differences, hub_outline,
    hub_set, leave_difference, shipped_guardrails,
};
pub use hold::{AccessHold, AccessHoldSpec};
pub use preview::{AccessPreview, AccessPreviewSpec, ProfilePreview};
pub use profile::{AccessProfile, AccessProfileSpec, Mfa};
pub use reaffirm::{ReaffirmField, Reaffirmed};
pub use recording::RecordingField;
pub use request::{
    AccessRequest, AccessRequestSpec, AccessRequestStatus, Approval, Asked, CONDITION_CLOSING,
    CONDITION_ENDED, Condition, Denial, GivenRecord, GrantRecord, HistoryAnchor, LimitsField, Offer,
    PhaseField, Revocation,
};
pub use rules::RuleSummary;

/// The API group of every object here.
pub const GROUP: &str = "access.sallyport.dev";
/// The namespace on the hub that holds one ServiceAccount and one Lease per broker, named as its cluster.
pub const BROKERS_NAMESPACE: &str = "sallyport-brokers";
pub use sallyport_model::SESSIONS_NAMESPACE;
/// The namespace on a target where the broker runs.
pub const SYSTEM_NAMESPACE: &str = "sallyport-system";
/// The label that names the AccessGrant of a binding or session ServiceAccount.
pub const GRANT_LABEL: &str = "access.sallyport.dev/grant";
/// The label that allows requests in a namespace of the hub, with the value `true`.
pub const REQUESTS_LABEL: &str = "access.sallyport.dev/requests";
/// Where the API server puts the sign-in's `acr` claim.
pub const EXTRA_ACR: &str = "access.sallyport.dev/acr";
/// Where the API server puts the sign-in's `amr` claim.
pub const EXTRA_AMR: &str = "access.sallyport.dev/amr";
/// Where the API server puts the sign-in's `auth_time` claim, in Unix seconds.
pub const EXTRA_AUTH_TIME: &str = "access.sallyport.dev/auth-time";
/// Where the API server puts the token's `iat` claim, in Unix seconds. A hub whose authentication does not map it takes no
/// requests under profiles that want reaffirming.
pub const EXTRA_ISSUED_AT: &str = "access.sallyport.dev/issued-at";

/// An object of the hub or target whose content is not what its type promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}`: {why}")]
pub struct MalformedObject {
    /// The object's kind.
    pub kind: &'static str,
    /// Its name, made visible and clipped.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

impl MalformedObject {
    pub(crate) fn new(kind: &'static str, name: &str, why: impl std::fmt::Display) -> Self {
        Self { kind, name: sallyport_model::clip(&sallyport_model::visible(name), 80), why: why.to_string() }
    }
}
