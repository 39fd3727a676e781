//! Deciding with fakes of the hub that is decided on, and of what lies below: what may go wrong between a key and its answer,
//! and with the list that it is pressed on. Time stands still while somebody works.

mod before;
mod broken;
mod ended;
mod hub;
mod narrower;
mod refused;
mod together;
mod untold;
mod world;
mod yes;
