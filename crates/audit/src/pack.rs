//! A selection of a history that proves itself: JSON lines in the order of the history, each an entry, a stretch of entries
//! that were left out with the hash that stands for them in the tree, or a checkpoint at its place. Reading them once, from
//! top to bottom, with one edge of a tree in memory, makes the root at every checkpoint; what is not there is told from what
//! is missing by that.

mod line;
mod read;
mod write;

pub use line::{LeftOut, Line, LineError, PackEnd, PackHead, entry_json, parse_entry_json};
pub use read::{PackTold, PackVerdict, verify_pack};
pub use write::PackWriter;
