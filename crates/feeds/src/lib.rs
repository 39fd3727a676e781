//! Where API servers' audit events come from, on their way into the archive: files, as API servers write and rotate them
//! and clouds export them, and log stores that a team already has ([`pull`]).
//!
//! A file is known by how it begins and never by its name, so that one that was renamed by its rotation, packed or
//! copied is not read twice ([`LogFile`]). It is read on from where it is kept up to, after looking whether what is kept
//! of it is really in it ([`import`]); a last line that has not ended stays where it is until it has. One that grows is followed over its rotations ([`Follow`]).
//!
//! Everything here blocks.

#![deny(missing_docs)]

mod error;
mod file;
mod follow;
mod found;
mod import;
mod look;
mod pull;
mod which;

pub use error::FeedError;
pub use file::LogFile;
pub use follow::{Follow, Looked, Turn};
pub use found::{Files, Named, Skipped, files};
pub use import::{BAD_NAMED, BadHere, Imported, import};
pub use look::{Answered, InPlace, Look, is_word, look};
pub use pull::{Pull, PulledIn, pull};
