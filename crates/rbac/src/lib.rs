//! Kubernetes' RBAC rules, read as the API server reads them.
//!
//! Pure: whoever calls brings the rules of the live ClusterRoles along. What is decided here follows
//! `pkg/apis/rbac/v1/evaluation_helpers.go` (matching) and `component-helpers/auth/rbac/validation` (covering) of
//! Kubernetes, so that an offer shows what the API server will really allow, and a verdict on a profile looks at
//! effective rules and never at the names of roles.

#![deny(missing_docs)]

pub mod aggregate;
mod cover;
mod danger;
pub mod escalation;
pub mod gates;
pub mod impersonate;
mod power;
pub mod propose;
pub mod question;
mod rule;
mod tools;
mod ways;
pub mod who;
mod words;

pub use cover::{covers, growth};
pub use danger::{Danger, DangerKind, dangers, is_protected};
pub use power::{Power, Powers, Proof};
pub use rule::{Ask, RULES_MOST, Rule, allows, effective};
pub use tools::helm_misses;
pub use words::{Right, describe, warnings};
