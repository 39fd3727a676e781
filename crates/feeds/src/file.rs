//! A log file: how it begins, and what it holds, packed or not.

use crate::FeedError;
use flate2::read::MultiGzDecoder;
use memchr::memchr;
use sallyport_events::LINE_MOST;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// What comes out of a file from a byte on, and how many lines end before that.
pub(crate) type Rest = (Box<dyn Read>, u64);

/// As much of a first line as tells files apart.
const HEAD_MOST: usize = 64 * 1024;
/// Files of one folder, with all below it.
const FILES_MOST: usize = 100_000;

/// A file of audit events, as it is on disk or packed by gzip (RFC 1952). Bytes are counted as unpacked everywhere.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    is_packed: bool,
    is_document: bool,
    identity: String,
}

impl LogFile {
    /// Looks at how a file begins.
    ///
    /// # Errors
    /// What the file system said; [`FeedError::NoFile`]; [`FeedError::Packed`] when nothing of it can be unpacked;
    /// [`FeedError::Document`] for one document over many lines that is too large.
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        let about = std::fs::metadata(path).map_err(FeedError::io(path, "opened"))?;
        if !about.is_file() {
            // A pipe would keep whoever opens it waiting for good.
            return Err(FeedError::NoFile(path.to_owned()));
        }
        let mut magic = Vec::with_capacity(2);
        let file = File::open(path).map_err(FeedError::io(path, "opened"))?;
        file.take(2).read_to_end(&mut magic).map_err(FeedError::io(path, "read"))?;
        let is_packed = magic == [0x1f, 0x8b];
        let mut opened =
            Self { path: path.to_owned(), is_packed, is_document: false, identity: String::new() };
        let head = opened.read_some(&mut *opened.bytes()?, HEAD_MOST)?;
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let line = memchr(b'\n', head).map_or(head, |end| &head[..end]);
        opened.is_document = matches!(line.trim_ascii(), b"{" | b"[") && line.len() < head.len();
        opened.identity = if opened.is_document {
            identity(&opened.document()?)
        } else {
            identity(line.strip_suffix(b"\r").unwrap_or(line))
        };
        Ok(opened)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is called in an archive: by how it begins, which rotation, packing and copying do not change. Two files
    /// may begin alike, so it is no proof.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether nothing is written to it any more, as far as it shows.
    pub fn has_ended(&self) -> bool {
        self.is_packed || self.is_document
    }

    /// Whether it is one JSON document over many lines.
    pub fn is_document(&self) -> bool {
        self.is_document
    }

    /// What it holds, from its first byte.
    ///
    /// # Errors
    /// What the file system said.
    pub fn bytes(&self) -> Result<Box<dyn Read>, FeedError> {
        let file = File::open(&self.path).map_err(FeedError::io(&self.path, "opened"))?;
        Ok(match self.is_packed {
            true => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            false => Box::new(file),
        })
    }

    /// What it holds, from a byte on, and how many lines end before that; `None` where it does not reach so far.
    ///
    /// # Errors
    /// What the file system said; [`FeedError::Packed`].
    pub(crate) fn bytes_from(&self, at: u64) -> Result<Option<Rest>, FeedError> {
        let mut bytes = self.bytes()?;
        let (mut left, mut lines) = (at, 0);
        let mut chunk = vec![0; 256 * 1024];
        while left > 0 {
            let most = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let length = bytes.read(&mut chunk[..most]).map_err(|error| self.unread(at - left, error))?;
            if length == 0 {
                return Ok(None);
            }
            lines += memchr::memchr_iter(b'\n', &chunk[..length]).count() as u64;
            left -= length as u64;
        }
        Ok(Some((bytes, lines)))
    }

    /// Whether the line that begins at a byte holds a text; `false` where no line begins there.
    pub(crate) fn line_holds(&self, at: u64, text: &str) -> Result<bool, FeedError> {
        let mut bytes = match (self.is_packed, at.checked_sub(1)) {
            (false, Some(before)) => {
                let mut file = File::open(&self.path).map_err(FeedError::io(&self.path, "opened"))?;
                file.seek(SeekFrom::Start(before)).map_err(FeedError::io(&self.path, "read"))?;
                Box::new(file)
            }
            (true, Some(before)) => match self.bytes_from(before)? {
                Some((bytes, _)) => bytes,
                None => return Ok(false),
            },
            (_, None) => self.bytes()?,
        };
        if at > 0 && self.read_some(&mut *bytes, 1)? != b"\n" {
            return Ok(false);
        }
        let mut line = Vec::new();
        let mut bytes = BufReader::new(bytes).take(LINE_MOST as u64);
        bytes.read_until(b'\n', &mut line).map_err(|error| self.unread(at, error))?;
        Ok(memchr::memmem::find(&line, text.as_bytes()).is_some())
    }

    /// The whole of a document.
    pub(crate) fn document(&self) -> Result<Vec<u8>, FeedError> {
        let whole = self.read_some(&mut *self.bytes()?, LINE_MOST + 1)?;
        if whole.len() > LINE_MOST {
            return Err(FeedError::Document(self.path.clone()));
        }
        Ok(whole)
    }

    /// At most so many bytes of what comes.
    pub(crate) fn read_some(&self, bytes: &mut dyn Read, most: usize) -> Result<Vec<u8>, FeedError> {
        let mut read = Vec::new();
        match bytes.take(most as u64).read_to_end(&mut read) {
            Ok(_) => Ok(read),
            Err(error) => Err(self.unread(read.len() as u64, error)),
        }
    }

    /// Why it could not be read on after so many bytes.
    pub(crate) fn unread(&self, at: u64, source: std::io::Error) -> FeedError {
        match self.is_packed {
            true => FeedError::Packed { path: self.path.clone(), unpacked: at, source },
            false => FeedError::io(&self.path, "read")(source),
        }
    }
}

/// The file, or all files in a folder and below it, in the order of their names. Links are not followed.
///
/// # Errors
/// What the file system said; [`FeedError::TooMany`].
pub fn files(path: &Path) -> Result<Vec<PathBuf>, FeedError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(FeedError::io(&folder, "listed"))? {
            let entry = entry.map_err(FeedError::io(&folder, "listed"))?;
            let kind = entry.file_type().map_err(FeedError::io(&folder, "listed"))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
            if found.len() + folders.len() > FILES_MOST {
                return Err(FeedError::TooMany { path: path.to_owned(), most: FILES_MOST });
            }
        }
    }
    found.sort();
    Ok(found)
}

fn identity(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
