//! The broker: grants and removes access on one cluster.
//!
//! It watches the requests for its cluster on the hub and what exists on its target, and takes each request from where
//! it stands to where it can rest: [`next`](next) says what is needed, `judge` decides from the live profile and the
//! live ClusterRoles, `grant` is the way in, `close` the way out, `sweep` removes what nobody asked for. Everything is
//! level-triggered: a broker that is killed between any two of its writes goes on where the objects say it was.
//!
//! **Invariants**: nothing is bound before the grant is recorded on the hub; a recorded grant is never made again; every
//! write on the hub names the version it was decided on; no token is logged or written anywhere but sealed.

#![deny(missing_docs)]

mod broker;
mod clock;
mod close;
mod config;
mod events;
mod failure;
#[cfg(feature = "faults")]
mod faults;
mod grant;
mod guardrails;
mod hub_seen;
mod hub_set;
mod hubside;
mod judge;
mod lease;
mod memory;
mod next;
mod open;
mod question;
mod queue;
mod reaffirm;
mod reconcile;
mod report;
mod room;
mod run;
#[cfg(test)]
mod samples;
mod standing;
mod start;
mod store;
mod sweep;
mod token;
mod told;
mod turns;
mod work;

pub use config::Config;
pub use run::run;
pub use start::start;
