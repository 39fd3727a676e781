//! The history: written by every part, read by the window.

mod recorder;
pub(crate) mod sentence;

pub(crate) use recorder::{Recorder, view};
