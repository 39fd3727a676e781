//! A pack as one file: a tar archive with the lines that prove it, the public key for other tools, and a page for people,
//! which is made anew and compared when the pack is checked. Or the lines alone.

use super::page::Page;
use super::place::{BY, place};
use super::verdict::VerifyView;
use super::{lines, named};
use crate::end::Stop;
use sallyport_audit::{Anchor, Line, PackVerdict, SealPublic, verify_pack};
use sallyport_model::{Digest, visible};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, Write};
use std::path::Path;
use tar::{Archive, Builder, EntryType, Header};

const LINES: &str = "sallyport-history/history.jsonl";
const KEY: &str = "sallyport-history/key.pem";
const PAGE: &str = "sallyport-history/report.html";

/// The largest page, and the largest key.
const PAGE_MOST: u64 = 64 << 20;
const KEY_MOST: u64 = 4096;

/// Writes the archive; `write` the lines in it.
pub(super) fn write(
    to: &Path,
    key: &SealPublic,
    write: impl FnOnce(&mut dyn Write) -> Result<Line, Stop>,
) -> Result<Line, Stop> {
    let failed = |error: std::io::Error| Stop(format!("{} can't be written: {error}", named(to)));
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A member's size stands before it.
    let mut inner = tempfile::tempfile_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(&mut inner);
    let end = write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    inner.rewind().map_err(failed)?;
    let mut page = Page::default();
    let verdict = verify_pack(lines::of(&inner), &[], &[], |entry| page.see(entry));
    let PackVerdict::Sealed(told) = verdict else {
        return Err(Stop("the history changed while it was written: try again".to_owned()));
    };
    let page = page.html(&told);
    let size = inner.metadata().map_err(failed)?.len();
    inner.rewind().map_err(failed)?;
    place(to, |out| {
        let mut tar = Builder::new(out);
        let mut member = |name: &str, size: u64, from: &mut dyn Read| {
            // The same bytes for the same content: no time, no owner.
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o600);
            header.set_size(size);
            tar.append_data(&mut header, name, from).map_err(failed)
        };
        member(LINES, size, &mut BufReader::new(&inner))?;
        let pem = key.to_pem();
        member(KEY, pem.len() as u64, &mut pem.as_bytes())?;
        member(PAGE, page.len() as u64, &mut page.as_bytes())?;
        tar.into_inner().map_err(failed)?;
        Ok(end)
    })
}

/// What a pack says, and what lies beside its lines.
pub(super) struct Found {
    pub(super) verdict: PackVerdict,
    /// What is wrong with the archive around the lines.
    wrong: Vec<(&'static str, String)>,
    /// What can't be told of it.
    doubts: Vec<String>,
}

impl Found {
    pub(super) fn beside(&self, view: &mut VerifyView) {
        self.wrong.iter().for_each(|(word, note)| view.tampered(word, note.clone()));
        self.doubts.iter().for_each(|note| view.doubt(note.clone()));
    }
}

/// The keys that a pack's checkpoints name.
pub(super) fn keys(path: &Path) -> Result<BTreeSet<Digest>, Stop> {
    let mut keys = BTreeSet::new();
    let mut take = |from: &mut dyn Read| {
        for line in lines::of(from).map_while(Result::ok) {
            if let Ok(Line::Checkpoint(checkpoint)) = Line::parse(&line) {
                keys.insert(checkpoint.key.fingerprint());
            }
        }
    };
    let mut file = open(path)?;
    if is_lines(&mut file, path)? {
        take(&mut file);
    } else if let Some(Ok(mut first)) =
        Archive::new(file).entries().ok().and_then(|entries| entries.raw(true).next())
    {
        take(&mut first);
    }
    Ok(keys)
}

fn open(path: &Path) -> Result<File, Stop> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if is_file { Ok(file) } else { Err(unreadable(path, &"it is no file")) }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Stop {
    Stop(format!("{} can't be read: {}", named(path), visible(&why.to_string())))
}

/// The lines alone begin with a brace, and no archive does.
fn is_lines(file: &mut File, path: &Path) -> Result<bool, Stop> {
    let mut first = [0];
    let read = file.read(&mut first).map_err(|error| unreadable(path, &error))?;
    file.rewind().map_err(|error| unreadable(path, &error))?;
    Ok(read == 1 && first == *b"{")
}

/// Checks a pack.
pub(super) fn read(path: &Path, keys: &[Digest], anchors: &[Anchor]) -> Result<Found, Stop> {
    let mut file = open(path)?;
    if is_lines(&mut file, path)? {
        let verdict = verify_pack(lines::of(file), keys, anchors, |_| {});
        return Ok(Found { verdict, wrong: Vec::new(), doubts: Vec::new() });
    }
    let failed = |error: std::io::Error| unreadable(path, &error);
    let mut page = Page::default();
    let mut read = Found {
        verdict: PackVerdict::NoPack("it is no archive with a history in it".to_owned()),
        wrong: Vec::new(),
        doubts: Vec::new(),
    };
    let mut archive = Archive::new(BufReader::new(file));
    // Raw: no member is renamed, linked or made larger by another one.
    let members = archive.entries().map_err(failed)?.raw(true);
    let mut wanted = [LINES, KEY, PAGE].into_iter();
    for member in members {
        let mut member = match member {
            Ok(member) => member,
            Err(error) => {
                read.wrong
                    .push(("breaks_off", format!("the archive breaks off: {}", visible(&error.to_string()))));
                break;
            }
        };
        let due = wanted.next();
        let is_due = member.header().entry_type() == EntryType::Regular
            && due.is_some_and(|due| *member.path_bytes() == *due.as_bytes());
        if !is_due {
            if due == Some(LINES) {
                return Ok(read);
            }
            let name = visible(&String::from_utf8_lossy(&member.path_bytes()));
            read.wrong.push(("inserted", format!("the archive holds {name}, which no pack does there")));
            break;
        }
        match due {
            Some(LINES) => {
                read.verdict = verify_pack(lines::of(&mut member), keys, anchors, |entry| page.see(entry))
            }
            Some(KEY) => read.key(&text(member, KEY_MOST)),
            _ => read.page(&page, text(member, PAGE_MOST)),
        }
    }
    if let Some(missing) = wanted.next() {
        read.wrong.push(("deleted", format!("the archive lacks {missing}")));
    }
    Ok(read)
}

fn text(from: impl Read, most: u64) -> String {
    let mut text = Vec::new();
    // What can't be read is not what it has to be.
    let _ = from.take(most + 1).read_to_end(&mut text);
    String::from_utf8(text).unwrap_or_default()
}

impl Found {
    fn key(&mut self, pem: &str) {
        let PackVerdict::Sealed(told) = &self.verdict else { return };
        if pem != told.sealed.key.to_pem() {
            self.wrong.push(("edited", format!("{KEY} is not the key that sealed it")));
        }
    }

    fn page(&mut self, page: &Page, found: String) {
        let PackVerdict::Sealed(told) = &self.verdict else { return };
        if told.head.by != BY {
            let by = visible(&told.head.by);
            self.doubts.push(format!(
                "{PAGE} was made by another version, {by}, and could not be compared: check {LINES} alone, which proves itself"
            ));
        } else if found != page.html(told) {
            self.wrong.push(("edited", format!("{PAGE} does not say what the entries say")));
        }
    }
}
