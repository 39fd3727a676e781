use std::path::{Path, PathBuf};

/// Why something could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses the data directory.
    #[error("`{}` is in use by {}", .dir.display(), .pid.map_or("another process".to_owned(), |p| format!("process {p}")))]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// Who, if they said so.
        pid: Option<u32>,
    },
    /// The file system refused.
    #[error("`{}` could not be {doing}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: "opened", "written"…
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the database `{file}` could not be {doing}")]
    Database {
        /// Which file, without its directory.
        file: &'static str,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file was written by a later Sallyport.
    #[error("the database `{file}` has version {found}, this Sallyport knows {known}")]
    Newer {
        /// Which file.
        file: &'static str,
        /// Its version.
        found: i64,
        /// The last version known here.
        known: i64,
    },
    /// There is no history in a folder, or one in which nothing was ever written.
    #[error("there is no history in `{}`", .dir.display())]
    NoHistory {
        /// The folder.
        dir: PathBuf,
    },
    /// The newest of it lies in a log beside the file whose index is missing, as in a copy.
    #[error(
        "the newest entries of `{file}` lie in `{file}-wal`, whose index `{file}-shm` is missing, as in a copy: Sallyport \
         folds them in when it starts on that folder"
    )]
    Unfolded {
        /// Which file.
        file: &'static str,
    },
    /// It was opened and closed by its app each time it was to be read.
    #[error("`{file}` is being opened and closed by Sallyport: try again")]
    Busy {
        /// Which file.
        file: &'static str,
    },
    /// The disk takes nothing and as many entries wait in memory as may.
    #[error("the history can't be written: {waiting} entries wait for the disk")]
    Stalled {
        /// How many wait.
        waiting: usize,
    },
    /// The entry has its place but is not on disk within the deadline. It is still going to be written.
    #[error("entry {sequence} is not on disk yet")]
    NotDurable {
        /// Its place.
        sequence: u64,
    },
    /// Nothing is sealed here, or nothing can be: there is no key, or entries are missing.
    #[error("the history is not sealed, so no key can name the next")]
    NoSeal,
    /// The last key's word for the one after it is not on disk yet.
    #[error("the last sealing key has not been handed over yet")]
    HandingOver,
    /// The history was closed.
    #[error("the history is closed")]
    Closed,
    /// The history was closed while the disk took nothing.
    #[error("the history was closed with {entries} entries that never reached the disk")]
    Lost {
        /// How many.
        entries: usize,
    },
}

impl StoreError {
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    pub(crate) fn sql(file: &'static str, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { file, doing, source }
    }

    /// Whether the file itself is damaged, as opposed to a disk or a lock in the way.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, Self::Database { source, .. }
            if matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)))
    }
}
