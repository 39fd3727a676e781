//! The history: written by every part, read by the window.

mod ports;
mod recorder;
pub(crate) mod sentence;
mod store_side;
mod used;
mod view;

pub(crate) use recorder::Recorder;
pub(crate) use used::Called;
pub(crate) use view::view;

#[cfg(test)]
mod tests;
