//! What a terminal showed, kept as asciicast v2 in segments with an index of our own, and read again in pages.
//!
//! A [`Recorder`] takes down what happens in one terminal, in the order in which it happens, by a thread of its own. It drops
//! nothing: whoever tells it more than it could write waits. What was told is on the disk within a second; a process that is
//! killed loses no more than that, and [`Recordings::close_left`] closes what it left. Where nothing can be written the
//! recorder says so and goes on as soon as something can ([`State`]).
//!
//! Segments are sealed where there is a key: a frame for each time something was written, each of which stands for itself, so
//! that one that is not there yet or was cut short takes nothing else with it.

#![deny(missing_docs)]

mod cast;
mod clock;
mod folder;
mod index;
mod recorder;
mod segment;
mod text;
mod told;
mod writer;

pub use cast::{Cast, CastError, Moment, MomentKind, Screen, parse};
pub use folder::{Left, Limits, Page, Recordings, Removed};
pub use index::{About, Index, IndexError, Part};
pub use recorder::Recorder;
pub use segment::Key;
pub use told::{Bounds, RecordingError, State, Told};
