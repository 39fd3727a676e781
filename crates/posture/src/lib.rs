//! Where a cluster is weak: what was read of it, what that allows whom, and what to fix first.
//!
//! Pure: whoever calls brings along what an API server answered, as JSON. What could not be read is never taken for
//! absent (promise P21), and who may do what is decided by `rbac`, which agrees with the API server (promise P22).

#![deny(missing_docs)]

pub mod snapshot;

pub use snapshot::{Coverage, Kind, Snapshot};
