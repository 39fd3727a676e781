//! The broker against real API servers: one hub, one target, both with their guardrails; a broker process per test.

mod clocks;
mod days;
mod failures;
mod hindered;
mod holds;
mod kills;
mod reaffirm;
mod refusals;
mod reports;
mod storage;
mod unanswered;
mod unread;
mod way_in;
mod way_out;
mod widened;
mod world;
mod yeses;
