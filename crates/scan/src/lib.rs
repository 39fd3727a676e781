//! A scan: one reading of a cluster, from its API server or from files, with how far each kind was read.
//!
//! It only reads, and keeps of each object what posture looks at: values of Secrets, ConfigMaps, annotations,
//! environments and arguments are dropped before anything is kept. What was not read says so and why (promise P21).

#![deny(missing_docs)]

mod answer;
mod bounds;
mod certificate;
mod cluster;
mod configs;
mod door;
mod error;
mod file;
mod folder;
mod lists;
mod metrics;
mod names;
mod page;
mod privileged;
mod reading;
mod reduce;
#[cfg(test)]
mod tests;
mod told;
mod way_in;

pub use bounds::Bounds;
pub use cluster::{cluster, cluster_told};
pub use door::{DoorBounds, door};
pub use error::ScanError;
pub use folder::{Whole, folder};
pub use privileged::privileged;
pub use reading::{Place, Reading};
pub use way_in::ways_in;
