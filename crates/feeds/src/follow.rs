//! A log file as it grows, into an archive: looked at again and again, over rotations.

use crate::import::{BadHere, UnderWay, close, is_whole, take};
use crate::which::which;
use crate::{FeedError, LogFile};
use sallyport_archive::{Archive, Batch, Source};
use sallyport_events::{Counts, Position, Reader};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Bytes before the place where reading goes on by which a file is known to be the one that was read.
const WITNESS: usize = 256;
/// What is read of a file in one look, so that others come to their turn.
const LOOK_MOST: u64 = 32 << 20;
/// Looks without anything new after which a file that was moved away is not written to any more.
const QUIET: u32 = 8;
/// So much of a first line tells files apart.
const HEAD: u64 = 64 * 1024;

/// What somebody has to be told of a file that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is followed from this byte on; what lies before was kept already.
    Began {
        /// The byte.
        from: u64,
    },
    /// It was moved away, as by a rotation, and is kept to its end. What stands at its path now is followed.
    Rotated {
        /// Bytes of a last line that has not ended, which are not kept.
        unended: u64,
    },
    /// It got shorter or was written anew under the same name (`copytruncate`): what was written since the last look, and
    /// is in no copy that is imported, is lost.
    WrittenAnew {
        /// The byte up to which it was read.
        read: u64,
    },
}

/// What a look came to. All of it is on the disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looked {
    /// Events that were kept.
    pub events: u64,
    /// Lines that could not be read, the first of them.
    pub bad: Vec<BadHere>,
    /// What happened to the file.
    pub turns: Vec<Turn>,
    /// Whether there is more to read at once.
    pub has_more: bool,
}

/// One file that is followed by its path.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    source: Source,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: LogFile,
    place: (u64, u64),
    identity: String,
    reader: Reader,
    told: Counts,
    /// Up to which byte it was read.
    at: u64,
    /// The last bytes before that.
    witness: Vec<u8>,
    quiet: u32,
}

impl Follow {
    /// Of a file that may not be there yet.
    pub fn new(path: &Path, source: &Source) -> Self {
        Self { path: path.to_owned(), source: source.clone(), open: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what came since the last look, and keeps it. A file that is not there, or whose first line has not ended, is
    /// looked for the next time.
    ///
    /// # Errors
    /// As [`crate::import()`]; [`FeedError::NotFollowed`] for what is no growing log: packed, or one document. The next
    /// look goes on after what is kept.
    pub fn look(&mut self, archive: &Archive) -> Result<Looked, FeedError> {
        let mut looked = Looked::default();
        let result = self.try_look(archive, &mut looked);
        if result.is_err() {
            // What was read and is not kept is read again.
            self.open = None;
        }
        result.map(|()| looked)
    }

    fn try_look(&mut self, archive: &Archive, looked: &mut Looked) -> Result<(), FeedError> {
        if self.open.is_none() {
            self.open = self.begin(archive)?;
            let Some(open) = &self.open else { return Ok(()) };
            looked.turns.push(Turn::Began { from: open.at });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if !open.is_the_same()? {
            looked.turns.push(Turn::WrittenAnew { read: open.at });
            self.open = None;
            return Ok(());
        }
        let before = open.at;
        open.read(archive, &self.source, looked)?;
        if looked.has_more || place(&self.path)? == Some(open.place) {
            open.quiet = 0;
            return Ok(());
        }
        // It was moved away. Whoever writes may have it open still.
        open.quiet = if open.at > before { 0 } else { open.quiet + 1 };
        if open.quiet >= QUIET {
            let unended = open.end(archive, &self.source, looked)?;
            looked.turns.push(Turn::Rotated { unended });
            self.open = None;
        }
        Ok(())
    }

    fn begin(&self, archive: &Archive) -> Result<Option<Open>, FeedError> {
        let Some(place) = place(&self.path)? else { return Ok(None) };
        let file = match LogFile::open(&self.path) {
            Ok(file) => file,
            Err(FeedError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.has_ended() {
            return Err(FeedError::NotFollowed(self.path.clone()));
        }
        // It may have been moved since, and its name is made of its first line.
        if file.place()? != place || !file.has_first_line(HEAD)? {
            return Ok(None);
        }
        let (identity, from) = which(archive, &self.source, &file)?;
        let mut witness = Vec::new();
        let lines = match file.bytes_from(from, &mut |bytes| note(&mut witness, bytes))? {
            Some((_, lines)) => lines,
            None => return Ok(None),
        };
        let reader = Reader::resumed(Position { offset: from, line: lines + 1, item: 0 });
        Ok(Some(Open { file, place, identity, reader, told: Counts::default(), at: from, witness, quiet: 0 }))
    }
}

impl Open {
    /// Whether what was read still stands before the place where reading goes on.
    fn is_the_same(&self) -> Result<bool, FeedError> {
        let begin = self.at - self.witness.len() as u64;
        let stands = self.file.read_some(&mut self.file.at(begin), self.witness.len())?;
        Ok(stands == self.witness)
    }

    fn read(&mut self, archive: &Archive, source: &Source, looked: &mut Looked) -> Result<(), FeedError> {
        let mut bytes = self.file.at(self.at).take(LOOK_MOST);
        let mut under_way = UnderWay::new(archive);
        let mut chunk = vec![0; 256 * 1024];
        let mut batch = Batch::new(source, &self.identity, self.reader.unread().offset);
        let (begin, mut kept) = (self.at, self.reader.unread().offset);
        loop {
            let length = match bytes.read(&mut chunk) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.file.unread(self.at, error)),
            };
            if length == 0 {
                break;
            }
            self.at += length as u64;
            note(&mut self.witness, &chunk[..length]);
            self.reader.push(&chunk[..length], &mut |found| take(&mut batch, &mut looked.bad, &found));
            if batch.is_full() {
                kept = self.reader.unread().offset;
                let next = Batch::new(source, &self.identity, kept);
                under_way.hand(close(std::mem::replace(&mut batch, next), &self.reader, &mut self.told))?;
            }
        }
        if self.reader.unread().offset > kept {
            under_way.hand(close(batch, &self.reader, &mut self.told))?;
        }
        under_way.all()?;
        looked.events += under_way.events();
        looked.has_more = self.at - begin >= LOOK_MOST;
        Ok(())
    }

    /// Nothing is written to it any more: its last line is one if it says all it has to say. The bytes that are left.
    fn end(&mut self, archive: &Archive, source: &Source, looked: &mut Looked) -> Result<u64, FeedError> {
        let unended = self.at - self.reader.unread().offset;
        if unended == 0 || !is_whole(self.reader.unended()) {
            return Ok(unended);
        }
        let mut batch = Batch::new(source, &self.identity, self.reader.unread().offset);
        self.reader.finish(&mut |found| take(&mut batch, &mut looked.bad, &found));
        let mut under_way = UnderWay::new(archive);
        under_way.hand(close(batch, &self.reader, &mut self.told))?;
        under_way.all()?;
        looked.events += under_way.events();
        Ok(0)
    }
}

/// The last bytes of all that were seen.
fn note(witness: &mut Vec<u8>, bytes: &[u8]) {
    witness.extend_from_slice(&bytes[bytes.len().saturating_sub(WITNESS)..]);
    witness.drain(..witness.len().saturating_sub(WITNESS));
}

/// Which file stands at a path, by device and inode; `None` where there is none.
fn place(path: &Path) -> Result<Option<(u64, u64)>, FeedError> {
    match std::fs::metadata(path) {
        Ok(about) => Ok(Some((about.dev(), about.ino()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FeedError::io(path, "looked at")(error)),
    }
}
