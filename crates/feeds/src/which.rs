//! Which of the files that are kept a file is (docs/adr/0032).

use crate::file::short;
use crate::{FeedError, LogFile};
use sallyport_archive::{Archive, Bounds, Column, Filter, Source};
use sallyport_events::{Found, Reader, What};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// Files that begin alike and are told apart.
const ALIKE: u32 = 64;
/// Calls among which one is looked for that proves a file to be the one that is kept.
const WITNESSES: usize = 200;

/// What the witness says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is the one that is kept.
    This,
    /// It is another one.
    Another,
    /// There is no witness: the calls are removed for their age, can't be read, or never were any.
    Unknown,
}

/// What a file is called in the archive and up to where it is kept. Of several that begin alike it is the one whose kept
/// calls are found in it.
pub(crate) fn which(archive: &Archive, source: &Source, file: &LogFile) -> Result<(String, u64), FeedError> {
    let (mut name, mut alike) = (file.identity().to_owned(), 0);
    // Up to where a name says by itself that it is this file's.
    let mut proven = 0;
    for _ in 0..ALIKE {
        let Some(kept) = archive.kept_to(&source.id, &name) else { return Ok((name, 0)) };
        let verdict =
            if kept <= proven { Verdict::This } else { verdict(archive, source, &name, file, kept)? };
        match verdict {
            Verdict::This => return Ok((name, kept)),
            Verdict::Another => {
                alike += 1;
                (name, proven) = (format!("{}-{alike}", file.identity()), 0);
            }
            Verdict::Unknown => {
                let (digest, holds_events) = before(file, kept)?;
                if !holds_events {
                    // Whosever they were: of this file no event is passed over.
                    return Ok((name, kept));
                }
                // It is read from its beginning, once: this name is that of these very bytes.
                (name, proven) = (format!("{}-{digest}", file.identity()), kept);
            }
        }
    }
    Err(FeedError::Alike { path: file.path().to_owned(), others: ALIKE })
}

/// Whether what is kept under a name came of this file: it is that long, and one of the last calls stands where it was.
fn verdict(
    archive: &Archive,
    source: &Source,
    name: &str,
    file: &LogFile,
    kept: u64,
) -> Result<Verdict, FeedError> {
    // A document is called by all that it says.
    if file.is_document() {
        return Ok(Verdict::This);
    }
    if file.bytes_from(kept, &mut |_| ())?.is_none() {
        return Ok(Verdict::Another);
    }
    let filter = Filter::default().only(Column::Source, &source.id).only(Column::File, name);
    let bounds = Bounds { within: Duration::from_secs(30), ..Bounds::default() };
    let calls = archive.page(&filter, None, WITNESSES, &bounds)?.value.calls;
    // Whether or not that was all there is: one that stands where it was is proof enough.
    let Some(witness) = calls.iter().max_by_key(|call| call.offset) else { return Ok(Verdict::Unknown) };
    let Some(line) = file.line_at(witness.offset)? else { return Ok(Verdict::Another) };
    let id = witness.audit_id.as_str();
    let mut is_there = false;
    let mut each = |found: Found<'_>| {
        let is_id = |other: &str| other == id || id.len() >= 256 && other.starts_with(id);
        is_there |= matches!(&found.what, What::Event(event) if is_id(&event.audit_id));
    };
    // Read as it was when it was kept: an id may be written with escapes, and whoever calls may choose it.
    let mut reader = Reader::new();
    reader.push(&line, &mut each);
    reader.finish(&mut each);
    Ok(if is_there { Verdict::This } else { Verdict::Another })
}

/// The digest of all that lies before a byte, and whether there is an event in it.
fn before(file: &LogFile, at: u64) -> Result<(String, bool), FeedError> {
    let (mut digest, mut reader) = (Sha256::new(), Reader::new());
    file.bytes_from(at, &mut |bytes| {
        digest.update(bytes);
        // One is enough.
        if reader.counts().events == 0 {
            reader.push(bytes, &mut |_| ());
        }
    })?;
    reader.finish(&mut |_| ());
    Ok((short(&digest.finalize()), reader.counts().events > 0))
}
