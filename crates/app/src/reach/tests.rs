//! Looking who can ask for what, and changing a profile, with fakes of the hub that it is asked of, and a person below who signs
//! in and out. Time stands still while somebody works.

mod applied;
mod hub;
mod looked_at;
mod looks;
mod world;
