//! The real parts that tests, the demo and the benches run against: control planes from etcd and kube-apiserver, pods
//! one can exec into, and what it takes to start many of them beside each other and leave nothing behind.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use sallyport_testkit::{Plane, PlaneOptions};
//!
//! let plane = Plane::start(PlaneOptions::new("target").pods()).await?;
//! println!("{}", plane.kubectl().ok(&["get", "nodes"]).await?);
//! # Ok(())
//! # }
//! ```

pub mod another_clock;
pub mod assets;
pub mod broker;
pub mod browser;
pub mod bus;
pub mod child;
pub mod disk;
pub mod idp;
pub mod keycloak;
pub mod kubectl;
pub mod listing;
pub mod memory;
pub mod notifications;
pub mod pki;
pub mod plane;
pub mod ports;
pub mod process;
pub mod processor;
pub mod profiles;
pub mod ran;
pub mod repository;
pub mod victorialogs;

pub use assets::Assets;
pub use kubectl::{Answer, Kubectl};
pub use plane::{Identity, OidcTrust, Plane, PlaneOptions, Pods};
pub use ran::Ran;
pub use victorialogs::VictoriaLogs;
