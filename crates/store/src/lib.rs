//! What a desktop keeps on disk: its history and its preferences, in two SQLite files of one data directory that
//! one process at a time may use; and files it writes for somebody else.
//!
//! Everything public is async and never touches SQLite on the caller's thread: the history has one writer thread,
//! reading goes to the blocking pool.

#![deny(missing_docs)]

mod bundle;
mod error;
mod file;
mod history;
mod lock;
mod place;
mod prefs;

pub use bundle::write_bundle;
pub use error::StoreError;
pub use history::{
    Bucket, Buckets, CallFilter, Checked, Cursor, Filter, History, HistoryOptions, HistoryState, Kept,
    LastCheckpoint, Page, Recorded, Sealing, Tip, TopBy, Went, read_beside,
};
pub use lock::{FileLock, InstanceLock, NotHeld};
pub use place::{NewFile, PlaceError, spare_file};
pub use prefs::{
    AuditKeep, AuditSource, AuditStore, ClusterPorts, Look, Notifications, OpenSession, Opening, PasteAsks,
    Prefs, Reason, Theme,
};
