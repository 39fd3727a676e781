use crate::call_id::CallId;
use std::path::{Path, PathBuf};

/// Why events could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Another process uses the archive.
    #[error(
        "the archive `{}` is in use by {}: close that one, or give this one a folder of its own",
        .dir.display(), .pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Locked {
        /// Its folder.
        dir: PathBuf,
        /// Who, if they said so.
        pid: Option<u32>,
    },
    /// The file system refused.
    #[error("`{}` could not be {doing}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: "opened", "removed"…
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the segment `{file}` could not be {doing}: {source}")]
    Database {
        /// Which file, without its directory.
        file: String,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// What a segment says is not what was written there.
    #[error("the segment `{file}` is damaged: {why}")]
    Damaged {
        /// Which file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The segment was written by a later Sallyport.
    #[error("the segment `{file}` has version {found}, this Sallyport knows {known}: use the newer one")]
    Newer {
        /// Which file.
        file: String,
        /// Its version.
        found: i64,
        /// The last version known here.
        known: i64,
    },
    /// A batch that does not begin where the last one that was kept ends: what lies between would be missing, and
    /// would be taken for kept when it came later.
    #[error(
        "what came of `{source_id}` begins at byte {from} of its file, and only what lies before byte {kept} is kept: \
         read on from there"
    )]
    Hole {
        /// Which source.
        source_id: String,
        /// Where it begins.
        from: u64,
        /// Up to where the file is kept.
        kept: u64,
    },
    /// Nothing can be written here.
    #[error("the archive `{}` is on a disk that can only be read: it can be asked, and takes no events", .0.display())]
    ReadOnly(PathBuf),
    /// Whoever asked does not want to know any more.
    #[error("the question was taken back")]
    Canceled,
    /// What was asked for has no bound that is small enough.
    #[error("{0}")]
    TooMuch(&'static str),
    /// There is no such event.
    #[error("there is no event {0}: it may have been removed with its segment")]
    Gone(CallId),
    /// The archive was closed.
    #[error("the archive is closed")]
    Closed,
}

impl ArchiveError {
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    pub(crate) fn sql(file: &str, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Database { file, doing, source }
    }

    /// Whether the segment itself is damaged, as opposed to a disk or a lock in the way.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Database { source, .. } => {
                matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            Self::Damaged { .. } => true,
            _ => false,
        }
    }
}
