//! The inventory with fakes of the hubs that it reads, and a person below it who signs in and out. Time stands still while
//! somebody works.

mod alive;
mod apart;
mod hub;
mod looked_at;
mod orders;
mod rights;
mod watched;
mod world;

pub(crate) use world::{UID, World, all, cluster, preview, profile_with};
