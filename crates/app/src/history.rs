//! The history: written by every part, read by the window.

mod recorder;
pub(crate) mod sentence;
mod used;

pub(crate) use recorder::{Recorder, view};
pub(crate) use used::Called;
