//! Where a cluster is weak: what was read of it, what that allows whom, and what to fix first.
//!
//! Pure: whoever calls brings along what an API server answered, as JSON. What could not be read is never taken for
//! absent (promise P21), and who may do what is decided by `rbac`, which agrees with the API server (promise P22).

#![deny(missing_docs)]

pub mod area;
pub mod change;
pub mod check;
mod cloud;
pub mod crossing;
mod decides;
mod defaults;
pub mod difference;
pub mod draft;
pub mod drift;
pub mod effect;
mod evidence;
pub mod exception;
mod fingerprint;
pub mod fix;
pub mod fleet;
mod graph;
mod ground;
pub mod path;
pub mod practice;
mod rights;
mod said;
mod severity;
pub mod snapshot;
#[cfg(test)]
mod tests;
pub mod trend;
mod when;
mod workload;
pub mod yaml;

pub use change::Patch;
pub use check::{Finding, Report, Verdict};
pub use defaults::{binding_line, role_line};
pub use evidence::{Evidence, Object, Review};
pub use ground::{Ground, Origin};
pub use severity::Severity;
pub use snapshot::{Coverage, Kind, Snapshot};
