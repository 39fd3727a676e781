use sallyport_archive::ArchiveError;
use std::path::{Path, PathBuf};

/// Why a file could not be read, or what was read not be kept.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file system refused.
    #[error("`{}` could not be {doing}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: "opened", "read"…
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It is packed, and can't be unpacked any further.
    #[error(
        "`{}` can't be unpacked after byte {unpacked} of what it holds: {source}; what stands before is kept", .path.display()
    )]
    Packed {
        /// Which file.
        path: PathBuf,
        /// So many bytes came out of it.
        unpacked: u64,
        /// Why.
        source: std::io::Error,
    },
    /// It is packed, or one document: nothing that grows line by line.
    #[error("`{}` does not grow line by line, as a log does: import it", .0.display())]
    NotFollowed(PathBuf),
    /// It is no file: a pipe, a device.
    #[error("`{}` is no file", .0.display())]
    NoFile(PathBuf),
    /// Somebody made it shorter while it was read.
    #[error(
        "`{}` was {was} bytes long when it was opened and ends at byte {is} now: somebody truncates or writes it anew; \
         what was read before is kept; read a copy of it, or what its rotation put aside", .path.display()
    )]
    Shorter {
        /// Which file.
        path: PathBuf,
        /// How long it was when it was opened, in bytes.
        was: u64,
        /// Where it ends.
        is: u64,
    },
    /// More files than anybody's logs are.
    #[error("`{}` holds more than {most} files: name some of them", .path.display())]
    TooMany {
        /// Which folder.
        path: PathBuf,
        /// How many are taken.
        most: usize,
    },
    /// One JSON document, written over many lines, of which nothing can be read before it is read to its end.
    #[error(
        "`{}` is one JSON document over many lines and larger than 12 MiB: write each event on a line of its own, as \
         `jq -c '.items[]'` does", .0.display()
    )]
    Document(PathBuf),
    /// Several files begin alike, and none of them is this one.
    #[error("`{}` begins like {others} other files that are kept and is none of them", .path.display())]
    Alike {
        /// Which file.
        path: PathBuf,
        /// How many were looked at.
        others: u32,
    },
    /// The log store could not be asked, or answered with something else.
    #[error(transparent)]
    Engine(#[from] sallyport_engine::EngineError),
    /// More records of one moment than are read at once: they can't be told apart by time.
    #[error("the store has more than {most} records of one moment ({at} ns of Unix time): narrow the filter")]
    TooManyAtOnce {
        /// When, in nanoseconds of Unix time.
        at: i64,
        /// How many are read.
        most: usize,
    },
    /// The archive refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl FeedError {
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }
}
