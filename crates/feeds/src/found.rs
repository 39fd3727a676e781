//! Which files there are under a path.

use crate::{FeedError, LogFile};
use rustix::fs::OFlags;
use std::fs::FileType;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// Things in one folder, with all below it.
const FILES_MOST: usize = 100_000;

/// What there is under a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The files, in the order of their names.
    pub files: Vec<Named>,
    /// What was passed over, in the order of its names.
    pub skipped: Vec<Skipped>,
}

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was found in a folder, and named by nobody.
    pub is_found: bool,
}

/// Something that is no file, in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// What it is: "a link", "a pipe"…
    pub what: &'static str,
}

impl Named {
    /// Opens it. One that somebody named may be a link; one that was found may not, also if it has become one since.
    ///
    /// # Errors
    /// Those of [`LogFile::open`].
    pub fn open(&self) -> Result<LogFile, FeedError> {
        let flags = if self.is_found { OFlags::NOFOLLOW } else { OFlags::empty() };
        LogFile::open_with(&self.path, flags)
    }
}

/// The file, or all files in a folder and below it. Links in it are not followed.
///
/// # Errors
/// What the file system said; [`FeedError::TooMany`].
pub fn files(path: &Path) -> Result<Files, FeedError> {
    if !path.is_dir() {
        return Ok(Files {
            files: vec![Named { path: path.to_owned(), is_found: false }],
            skipped: Vec::new(),
        });
    }
    let (mut found, mut folders) = (Files::default(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(FeedError::io(&folder, "listed"))? {
            let entry = entry.map_err(FeedError::io(&folder, "listed"))?;
            let kind = entry.file_type().map_err(FeedError::io(&folder, "listed"))?;
            let path_of = entry.path();
            if kind.is_dir() {
                folders.push(path_of);
            } else if kind.is_file() {
                found.files.push(Named { path: path_of, is_found: true });
            } else {
                found.skipped.push(Skipped { path: path_of, what: called(kind) });
            }
            if found.files.len() + found.skipped.len() + folders.len() > FILES_MOST {
                return Err(FeedError::TooMany { path: path.to_owned(), most: FILES_MOST });
            }
        }
    }
    found.files.sort();
    found.skipped.sort();
    Ok(found)
}

fn called(kind: FileType) -> &'static str {
    match () {
        () if kind.is_symlink() => "a link",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}
