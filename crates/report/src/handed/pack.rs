//! A pack as one file: a tar archive with the lines that prove it, the public key for other tools, a page for people, which is
//! made anew and compared when the pack is checked, and the clusters' events and the recordings that go with it. Or the lines
//! alone.

use super::manifest::{Listed, Manifest, OnRecord, Segment};
use super::page::Page;
use super::{EVENTS, Events, KEY, LINES, MANIFEST, PAGE, lines};
use sallyport_audit::{
    Checkpoint, Entry, Line, PackEnd, PackHead, PackVerdict, PackWriter, SealPublic, verify_pack,
};
use sallyport_model::Digest;
use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use tar::{Builder, EntryType, Header};

/// Why a pack was not written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// What the disk said.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was written as its lines does not hold.
    #[error("the history changed while it was written")]
    Changed,
    /// There are more segments of recordings on record than a pack is held to.
    #[error("more than {} segments of recordings are on record", super::manifest::MOST)]
    TooMany,
}

/// A segment that was asked for.
#[derive(Debug)]
pub enum Tape {
    /// Its text.
    Here(Vec<u8>),
    /// There is none any more, or it can't be read: why, in a few words.
    Missing(String),
}

/// The recordings that go with a pack.
pub struct Tapes<'t> {
    /// Of which sessions.
    pub sessions: BTreeSet<String>,
    /// Reads one, once each.
    pub read: &'t mut dyn FnMut(&Segment) -> io::Result<Tape>,
}

/// What goes along with the entries of a pack.
#[derive(Default)]
pub struct Along<'t> {
    /// Recordings.
    pub tapes: Option<Tapes<'t>>,
    /// Clusters' events: what is said of them, and their file from its beginning.
    pub events: Option<(Events, &'t mut dyn Read)>,
}

/// What is in a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// How much of each kind of line.
    pub end: PackEnd,
    /// Segments of recordings.
    pub recordings: u64,
    /// Segments that are on record and missing.
    pub missing: u64,
    /// The sealed entry that has the SHA-256 of the clusters' events, where some go along.
    pub events_entry: Option<u64>,
}

/// Writes the lines of a pack: entries are handed over in their order, from the first. `cuts` are sequences at which a reader
/// shall know the root besides.
///
/// # Errors
/// What the disk said.
pub fn history(
    out: &mut dyn Write,
    head: PackHead,
    checkpoints: Vec<Checkpoint>,
    cuts: &[u64],
    entries: impl Iterator<Item = Entry>,
    mut is_selected: impl FnMut(&Entry) -> bool,
) -> io::Result<PackEnd> {
    let (mut writer, first) = PackWriter::new(head, checkpoints, cuts);
    writeln!(out, "{}", first.to_json())?;
    for entry in entries {
        for line in writer.push(&entry, is_selected(&entry)) {
            writeln!(out, "{}", line.to_json())?;
        }
    }
    let end = writer.end();
    writeln!(out, "{}", end.to_json())?;
    match end {
        Line::End(end) => Ok(end),
        _ => Ok(PackEnd::default()),
    }
}

/// Writes the archive around lines that [`history`] wrote. Of the recordings that are wanted it holds those that are what a
/// sealed entry says; the others are named as missing. Clusters' events are as [`super::Telling`] wrote them.
///
/// # Errors
/// [`PackError`]; nothing that was written until then is a pack.
pub fn pack(
    out: &mut dyn Write,
    history: &mut (impl Read + Seek),
    key: &SealPublic,
    along: Along<'_>,
) -> Result<Packed, PackError> {
    let Along { tapes, events } = along;
    history.rewind()?;
    let (mut page, mut on_record) = (Page::default(), OnRecord::default());
    let verdict = verify_pack(lines::of(&mut *history), &[], &[], |entry| {
        page.see(entry);
        on_record.see(entry);
    });
    let PackVerdict::Sealed(told) = verdict else { return Err(PackError::Changed) };
    let page = page.html(&told, events.as_ref().map(|(events, _)| events));
    let size = history.seek(SeekFrom::End(0))?;
    history.rewind()?;
    let mut packed = Packed { end: told.end, ..Packed::default() };
    let mut tar = Builder::new(out);
    member(&mut tar, LINES, size, &mut BufReader::new(history))?;
    let pem = key.to_pem();
    member(&mut tar, KEY, pem.len() as u64, &mut pem.as_bytes())?;
    member(&mut tar, PAGE, page.len() as u64, &mut page.as_bytes())?;
    if tapes.is_none() && events.is_none() {
        tar.into_inner()?;
        return Ok(packed);
    }
    let mut manifest = Manifest { version: 1, sessions: Vec::new(), recordings: Vec::new(), events: None };
    if let Some((events, file)) = events {
        packed.events_entry = on_record.events.get(&events.sha256).copied();
        member(&mut tar, EVENTS, events.bytes, file)?;
        manifest.events = Some(events);
    }
    if let Some(tapes) = tapes {
        if on_record.is_cut {
            return Err(PackError::TooMany);
        }
        let wanted = on_record.segments.into_values();
        let wanted = wanted.filter(|segment| tapes.sessions.contains(&segment.session));
        for segment in wanted {
            let (bytes, missing) = match (tapes.read)(&segment)? {
                Tape::Here(text) if Digest::of(&text).to_string() == segment.sha256 => {
                    member(&mut tar, &segment.file(), text.len() as u64, &mut text.as_slice())?;
                    (Some(text.len() as u64), None)
                }
                Tape::Here(_) => (None, Some("it is not what was recorded".to_owned())),
                Tape::Missing(why) => (None, Some(why)),
            };
            *(if missing.is_none() { &mut packed.recordings } else { &mut packed.missing }) += 1;
            manifest.recordings.push(Listed::of(&segment, bytes, missing));
        }
        manifest.sessions = tapes.sessions.into_iter().collect();
    }
    let text = manifest.text();
    member(&mut tar, MANIFEST, text.len() as u64, &mut text.as_bytes())?;
    tar.into_inner()?;
    Ok(packed)
}

fn member(
    tar: &mut Builder<&mut dyn Write>,
    name: &str,
    size: u64,
    from: &mut dyn Read,
) -> Result<(), PackError> {
    // The same bytes for the same content: no time, no owner.
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(size);
    Ok(tar.append_data(&mut header, name, from)?)
}
