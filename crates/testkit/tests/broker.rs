//! The broker against real API servers: one hub, one target, both with their guardrails; a broker process per test.

#[path = "broker/failures.rs"]
mod failures;
#[path = "broker/hindered.rs"]
mod hindered;
#[path = "broker/kills.rs"]
mod kills;
#[path = "broker/refusals.rs"]
mod refusals;
#[path = "broker/reports.rs"]
mod reports;
#[path = "broker/way_in.rs"]
mod way_in;
#[path = "broker/way_out.rs"]
mod way_out;
#[path = "broker/widened.rs"]
mod widened;
#[path = "broker/world.rs"]
mod world;
