//! A log file: how it begins, and what it holds, packed or not.

use crate::FeedError;
use flate2::read::MultiGzDecoder;
use memchr::memchr;
use rustix::fs::OFlags;
use rustix::io::Errno;
use sallyport_events::LINE_MOST;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What comes out of a file from a byte on, and how many lines end before that.
pub(crate) type Rest = (Box<dyn Read>, u64);

/// As much of a first line as tells files apart.
const HEAD_MOST: usize = 64 * 1024;

/// A file of audit events, as it is on disk or packed by gzip (RFC 1952). Bytes are counted as unpacked everywhere. It is
/// opened once: what its path leads to later is another file.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: Arc<File>,
    /// How long it was when it was opened, in bytes as they are on disk.
    size: u64,
    is_packed: bool,
    document: Option<Vec<u8>>,
    identity: String,
}

impl LogFile {
    /// Looks at how a file begins, through links.
    ///
    /// # Errors
    /// What the file system said; [`FeedError::NoFile`]; [`FeedError::Packed`] when nothing of it can be unpacked;
    /// [`FeedError::Document`] for one document over many lines that is too large.
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        Self::open_with(path, OFlags::empty())
    }

    pub(crate) fn open_with(path: &Path, flags: OFlags) -> Result<Self, FeedError> {
        // A pipe would keep whoever opens it waiting for good, and may have come here since anybody looked.
        let flags = (flags | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
        let file = file.map_err(|error| match error.raw_os_error() {
            Some(code) if code == Errno::LOOP.raw_os_error() => FeedError::NoFile(path.to_owned()),
            _ => FeedError::io(path, "opened")(error),
        })?;
        let about = file.metadata().map_err(FeedError::io(path, "opened"))?;
        if !about.is_file() {
            return Err(FeedError::NoFile(path.to_owned()));
        }
        let mut opened = Self {
            path: path.to_owned(),
            file: Arc::new(file),
            size: about.len(),
            is_packed: false,
            document: None,
            identity: String::new(),
        };
        opened.is_packed = opened.read_some(&mut opened.at(0), 2)? == [0x1f, 0x8b];
        let head = opened.read_some(&mut *opened.bytes(), HEAD_MOST)?;
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let line = memchr(b'\n', head).map_or(head, |end| &head[..end]);
        if matches!(line.trim_ascii(), b"{" | b"[") && line.len() < head.len() {
            let whole = opened.whole()?;
            opened.identity = identity(&whole);
            opened.document = Some(whole);
        } else {
            opened.identity = identity(line.strip_suffix(b"\r").unwrap_or(line));
        }
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
        self.is_packed || self.is_document()
    }

    /// Whether it is one JSON document over many lines.
    pub fn is_document(&self) -> bool {
        self.document.is_some()
    }

    /// Which file it is, by device and inode.
    pub(crate) fn place(&self) -> Result<(u64, u64), FeedError> {
        let about = self.file.metadata().map_err(FeedError::io(&self.path, "looked at"))?;
        Ok((about.dev(), about.ino()))
    }

    /// Whether its first line has ended, or is as long as tells files apart.
    pub(crate) fn has_first_line(&self, most: u64) -> Result<bool, FeedError> {
        let head = self.read_some(&mut self.at(0), usize::try_from(most).unwrap_or(usize::MAX))?;
        Ok(head.len() as u64 >= most || memchr(b'\n', &head).is_some())
    }

    /// What it holds from a byte on, however it grew since it was opened; not unpacked.
    pub(crate) fn at(&self, at: u64) -> At {
        At { file: self.file.clone(), at }
    }

    /// What it holds, from its first byte.
    pub fn bytes(&self) -> Box<dyn Read> {
        match self.is_packed {
            true => Box::new(MultiGzDecoder::new(BufReader::new(self.at(0)))),
            false => Box::new(self.at(0)),
        }
    }

    /// What it holds, from a byte on, and how many lines end before that; `None` where it does not reach so far. Each
    /// piece of what lies before is shown.
    pub(crate) fn bytes_from(&self, at: u64, seen: &mut dyn FnMut(&[u8])) -> Result<Option<Rest>, FeedError> {
        let mut bytes = self.bytes();
        let (mut left, mut lines) = (at, 0);
        let mut chunk = vec![0; 256 * 1024];
        while left > 0 {
            let most = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let length = match bytes.read(&mut chunk[..most]) {
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unread(at - left, error)),
            };
            if length == 0 {
                return self.got_shorter(at - left).map_or(Ok(None), Err);
            }
            lines += memchr::memchr_iter(b'\n', &chunk[..length]).count() as u64;
            left -= length as u64;
            seen(&chunk[..length]);
        }
        Ok(Some((bytes, lines)))
    }

    /// That it ends at a byte, though it was longer when it was opened.
    pub(crate) fn got_shorter(&self, at: u64) -> Option<FeedError> {
        let is_shorter = !self.is_packed && at < self.size;
        is_shorter.then(|| FeedError::Shorter { path: self.path.clone(), was: self.size, is: at })
    }

    /// The line that begins at a byte; `None` where no line begins there.
    pub(crate) fn line_at(&self, at: u64) -> Result<Option<Vec<u8>>, FeedError> {
        let mut bytes: Box<dyn Read> = match (self.is_packed, at.checked_sub(1)) {
            (false, Some(before)) => Box::new(self.at(before)),
            (true, Some(before)) => match self.bytes_from(before, &mut |_| ())? {
                Some((bytes, _)) => bytes,
                None => return Ok(None),
            },
            (_, None) => self.bytes(),
        };
        if at > 0 && self.read_some(&mut *bytes, 1)? != b"\n" {
            return Ok(None);
        }
        let mut line = Vec::new();
        let mut bytes = BufReader::new(bytes).take(LINE_MOST as u64 + 1);
        bytes.read_until(b'\n', &mut line).map_err(|error| self.unread(at, error))?;
        Ok(Some(line))
    }

    /// The whole of a document, as it was when it was opened.
    pub(crate) fn document(&self) -> Option<&[u8]> {
        self.document.as_deref()
    }

    fn whole(&self) -> Result<Vec<u8>, FeedError> {
        let whole = self.read_some(&mut *self.bytes(), LINE_MOST + 1)?;
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

/// A file from a byte on, wherever others read in it.
pub(crate) struct At {
    file: Arc<File>,
    at: u64,
}

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.file.read_at(into, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

fn identity(bytes: &[u8]) -> String {
    short(&Sha256::digest(bytes))
}

/// So much of a digest as names are made of, in hex.
pub(crate) fn short(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
