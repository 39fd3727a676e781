//! The product as a whole team uses it, on one machine: identity provider, hub, targets with pods and a broker for each,
//! and desktops beside it, without a window and with the real one. Stories, the window's tests, the demo and the benches
//! run against this; what needs none of our crates is in `sallyport-testkit`.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use sallyport_fleet::{Fleet, FleetOptions, headless::Desktop};
//!
//! let fleet = Fleet::start(FleetOptions::default()).await?;
//! let desktop = Desktop::signed_in(&fleet, "dana").await?;
//! # Ok(())
//! # }
//! ```

pub mod apart;
mod fleet;
pub mod four;
pub mod headless;
pub mod program;
pub mod window;

pub use fleet::{CLIENT_ID, Fleet, FleetOptions, Release, TARGETS, Target, TargetSpec, people};
