//! The store of what API servers' audit logs tell: many clusters, tens of millions of events, on one desk.
//!
//! A folder of segments. A segment is one SQLite database of some hundred megabytes: texts as words of its own, calls
//! in blocks of columns, raw events in compressed frames, counts for heat maps; what belongs to a batch is written in
//! one transaction and acknowledged when it is on the disk. What is too old is removed by removing a file, and what is
//! damaged keeps to itself. Events are known by their position (source, file, byte) and never by `auditID`.
//!
//! One process at a time; in it one thread packs, one writes, and anybody may read beside them. Everything here blocks.

#![deny(missing_docs)]

mod archive;
mod batch;
mod block;
mod cache;
mod call_id;
mod coding;
mod column;
mod error;
mod filter;
mod marks;
mod query;
mod raw;
mod rows;
mod segment;
mod shared;
mod status;
mod used;
mod writer;

pub use archive::{Archive, Pending};
pub use batch::{Batch, Source};
pub use call_id::CallId;
pub use column::Column;
pub use error::ArchiveError;
pub use filter::Filter;
pub use marks::Marks;
pub use query::{
    Answer, Arrivals, Bounds, Call, Cancel, Combination, Combinations, Cursor, Deletion, Deletions, Events,
    Heat, HeatCell, Histogram, How, InPlace, Kept, ObjectRef, Page, Top,
};
pub use shared::Options;
pub use status::{Acknowledged, BadLine, Checked, Problem, Retained, Status, WriterState};
pub use used::{Whose, seen};
