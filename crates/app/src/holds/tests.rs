//! Holding with fakes of the hub that it is done on, and of what lies below. Time stands still while somebody works.

mod ends;
mod hub;
mod made;
mod world;
