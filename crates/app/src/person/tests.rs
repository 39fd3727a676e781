//! Signing in and out with fakes of what it asks of the world: what may follow what, in any order. Time stands still while
//! somebody works, so that nobody waits.

mod groups;
mod hub;
mod join;
mod provider;
mod resume;
mod sign_in;
mod sign_out;
mod step_up;
mod world;

pub(crate) use world::{HUBS, World, claims, ended, file, settled, step_up, until, workspace};
