//! Checking a pack that somebody handed on: its lines, and what lies beside them.

use super::manifest::{Key, LONGEST, Listed, MOST, Manifest, OnRecord};
use super::measured::Measured;
use super::page::Page;
use super::{BY, EVENTS, Events, KEY, LINES, MANIFEST, PAGE, RECORDINGS, events, lines};
use sallyport_audit::{Anchor, Line, PackTold, PackVerdict, verify_pack};
use sallyport_model::{Digest, visible};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Seek};
use tar::{Archive, EntryType};

/// The largest page, the largest key, and the largest segment of a recording.
const PAGE_MOST: u64 = 64 << 20;
const KEY_MOST: u64 = 4096;
const SEGMENT_MOST: u64 = 256 << 20;
/// Faults that are named one by one.
const NAMED: usize = 20;

/// What the archive around a pack's lines comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// It was changed: what was done, in one word, and a sentence.
    Wrong(&'static str, String),
    /// What can't be told of it.
    Doubt(String),
    /// What belongs to it.
    Note(String),
}

/// What a pack says.
#[derive(Debug)]
pub struct Found {
    /// What its lines prove.
    pub verdict: PackVerdict,
    /// What is to be said of what lies beside them.
    pub beside: Vec<Stated>,
    /// Segments of recordings that are what a sealed entry says; none where no recordings go with it.
    pub recordings: Option<u64>,
    /// The clusters' events that go with it, where they are what is said of them.
    pub events: Option<FoundEvents>,
}

/// Clusters' events in a pack. No chain holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEvents {
    /// What is said of them: the file is so, and of what it lacks nobody but whoever made the pack knows.
    pub said: Events,
    /// The sealed entry that has their SHA-256; without one nobody signs which bytes they are.
    pub entry: Option<u64>,
}

/// The keys that a pack's checkpoints name.
///
/// # Errors
/// What the disk said.
pub fn keys(mut from: impl Read + Seek) -> io::Result<BTreeSet<Digest>> {
    let mut keys = BTreeSet::new();
    let mut take = |from: &mut dyn Read| {
        for line in lines::of(from).map_while(Result::ok) {
            if let Ok(Line::Checkpoint(checkpoint)) = Line::parse(&line) {
                keys.insert(checkpoint.key.fingerprint());
            }
        }
    };
    if is_lines(&mut from)? {
        take(&mut from);
    } else if let Some(Ok(mut first)) =
        Archive::new(from).entries().ok().and_then(|entries| entries.raw(true).next())
    {
        take(&mut first);
    }
    Ok(keys)
}

/// The lines alone begin with a brace, and no archive does.
fn is_lines(from: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut first = [0];
    let read = from.read(&mut first)?;
    from.rewind()?;
    Ok(read == 1 && first == *b"{")
}

/// Checks a pack, or its lines alone.
///
/// # Errors
/// What the disk said.
pub fn read(mut from: impl Read + Seek, keys: &[Digest], anchors: &[Anchor]) -> io::Result<Found> {
    if is_lines(&mut from)? {
        let mut on_record = OnRecord::default();
        let verdict = verify_pack(lines::of(from), keys, anchors, |entry| on_record.see(entry));
        return Ok(Found {
            verdict,
            beside: left_out(&on_record, &BTreeSet::new()).into_iter().collect(),
            recordings: None,
            events: None,
        });
    }
    let mut pack = Pack {
        verdict: PackVerdict::NoPack("it is no archive with a history in it".to_owned()),
        page: Page::default(),
        found_page: None,
        on_record: OnRecord::default(),
        events: None,
        found: BTreeMap::new(),
        strange: 0,
        beside: Vec::new(),
        manifest: None,
    };
    let mut archive = Archive::new(BufReader::new(from));
    // Raw: no member is renamed, linked or made larger by another one.
    let members = archive.entries()?.raw(true);
    let mut wanted = [LINES, KEY, PAGE].into_iter();
    for member in members {
        let mut member = match member {
            Ok(member) => member,
            Err(error) => {
                pack.wrong("breaks_off", format!("the archive breaks off: {}", visible(&error.to_string())));
                break;
            }
        };
        let due = wanted.next();
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let is_file = member.header().entry_type() == EntryType::Regular;
        let is_due = is_file
            && pack.manifest.is_none()
            && due.map_or(name == MANIFEST || name == EVENTS || name.starts_with(RECORDINGS), |due| {
                name == due
            });
        if !is_due {
            if due == Some(LINES) {
                return Ok(pack.end());
            }
            let name = visible(&name);
            pack.wrong("inserted", format!("the archive holds {name}, which no pack does there"));
            break;
        }
        match due {
            Some(LINES) => {
                let Pack { page, on_record, .. } = &mut pack;
                pack.verdict = verify_pack(lines::of(&mut member), keys, anchors, |entry| {
                    page.see(entry);
                    on_record.see(entry);
                });
            }
            Some(KEY) => pack.key(&text(member, KEY_MOST)),
            Some(_) => pack.found_page = Some(Digest::of(text(member, PAGE_MOST).as_bytes())),
            None if name == EVENTS => {
                let size = member.size();
                pack.events(size, member);
            }
            None if name == MANIFEST => pack.manifest = Some(text(member, LONGEST)),
            None => pack.recording(name, member),
        }
    }
    if let Some(missing) = wanted.next() {
        pack.wrong("deleted", format!("the archive lacks {missing}"));
    }
    Ok(pack.end())
}

fn text(from: impl Read, most: u64) -> String {
    let mut text = Vec::new();
    // What can't be read is not what it has to be.
    let _ = from.take(most + 1).read_to_end(&mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// A pack as its members go by.
struct Pack {
    verdict: PackVerdict,
    page: Page,
    /// What the page is that is there. What it has to be, the manifest says too.
    found_page: Option<Digest>,
    on_record: OnRecord,
    /// The clusters' events that are there, or why they are none.
    events: Option<Result<Events, String>>,
    /// The recordings that are there, by their names: how large and what they are.
    found: BTreeMap<String, (u64, String)>,
    /// More of them than can be on record.
    strange: usize,
    beside: Vec<Stated>,
    manifest: Option<String>,
}

impl Pack {
    fn wrong(&mut self, word: &'static str, note: String) {
        let named = self.beside.iter().filter(|one| matches!(one, Stated::Wrong(..))).count();
        if named < NAMED {
            self.beside.push(Stated::Wrong(word, note));
        }
    }

    fn told(&self) -> Option<&PackTold> {
        match &self.verdict {
            PackVerdict::Sealed(told) => Some(told),
            PackVerdict::Broken { .. } | PackVerdict::NoPack(_) => None,
        }
    }

    fn key(&mut self, pem: &str) {
        if self.told().is_some_and(|told| pem != told.sealed.key.to_pem()) {
            self.wrong("edited", format!("{KEY} is not the key that sealed it"));
        }
    }

    /// Compares the page with what it has to be.
    fn page(&mut self, events: Option<&Events>) {
        let (Some(told), Some(found)) = (self.told(), self.found_page) else { return };
        if told.head.by != BY {
            let by = visible(&told.head.by);
            self.beside.push(Stated::Doubt(format!(
                "{PAGE} was made by another version, {by}, and could not be compared: check {LINES} alone, which proves itself"
            )));
        } else if found != Digest::of(self.page.html(told, events).as_bytes()) {
            self.wrong("edited", format!("{PAGE} does not say what the entries say"));
        }
    }

    fn events(&mut self, size: u64, from: impl Read) {
        if self.events.is_some() {
            self.wrong("inserted", format!("the archive holds {EVENTS} twice"));
            return;
        }
        self.events = Some(match size > events::BYTES {
            true => Err("it is larger than any of a pack".to_owned()),
            false => events::of(from),
        });
    }

    fn recording(&mut self, name: String, from: impl Read) {
        if self.found.len() == MOST || self.found.contains_key(&name) {
            self.strange += 1;
            return;
        }
        let mut measured = Measured::new(io::sink());
        // What breaks off, or is larger than any, is not what was recorded.
        let _ = io::copy(&mut from.take(SEGMENT_MOST + 1), &mut measured);
        self.found.insert(name, (measured.bytes(), measured.sha256()));
    }

    /// All of it.
    fn end(mut self) -> Found {
        let (mut recordings, mut events) = (None, None);
        let mut sessions = BTreeSet::new();
        if self.told().is_some() {
            let text = self.manifest.take();
            let parsed = text.as_deref().map(|text| {
                let parsed = serde_json::from_str::<Manifest>(text).ok();
                parsed.filter(|manifest| manifest.version == 1 && manifest.text() == text)
            });
            match parsed {
                Some(Some(manifest)) => {
                    self.page(manifest.events.as_ref());
                    sessions = manifest.sessions.iter().cloned().collect();
                    let held = self.listed(&manifest, &sessions);
                    recordings = (!sessions.is_empty()).then_some(held);
                    events = self.told_events(manifest.events);
                }
                Some(None) => self.wrong("edited", format!("{MANIFEST} is not written as a pack's is")),
                None if !self.found.is_empty() || self.events.is_some() => {
                    self.wrong("deleted", format!("the archive lacks {MANIFEST}"));
                }
                None => self.page(None),
            }
            self.beside.extend(left_out(&self.on_record, &sessions));
        }
        Found { verdict: self.verdict, beside: self.beside, recordings, events }
    }

    /// Holds what a manifest says of the clusters' events to what is there, and to what a sealed entry says.
    fn told_events(&mut self, said: Option<Events>) -> Option<FoundEvents> {
        let said = match (said, self.events.take()) {
            (None, None) => return None,
            (None, Some(_)) => {
                self.wrong(
                    "inserted",
                    format!("the archive holds {EVENTS}, of which {MANIFEST} says nothing"),
                );
                return None;
            }
            (Some(_), None) => {
                self.wrong("deleted", format!("the archive lacks {EVENTS}, which {MANIFEST} says there was"));
                return None;
            }
            (Some(_), Some(Err(why))) => {
                self.wrong("edited", format!("{EVENTS} is not as a pack's is: {}", visible(&why)));
                return None;
            }
            (Some(said), Some(Ok(found))) => {
                if let Err(why) = events::compare(&said, &found) {
                    self.wrong("edited", format!("{EVENTS} is not what {MANIFEST} says: {why}"));
                    return None;
                }
                said
            }
        };
        let entry = self.on_record.events.get(&said.sha256).copied();
        Some(FoundEvents { said, entry })
    }

    /// Holds what a manifest names to what is on record, and to what is there. Gives how many segments are what they have to be.
    fn listed(&mut self, manifest: &Manifest, sessions: &BTreeSet<String>) -> u64 {
        let mut held = 0;
        let segments = std::mem::take(&mut self.on_record.segments);
        let mut listed: BTreeMap<Key, &Listed> =
            manifest.recordings.iter().map(|listed| (listed.key(), listed)).collect();
        let mut missing = 0;
        for (key, segment) in segments.iter().filter(|(key, _)| sessions.contains(&key.0)) {
            let file = segment.file();
            let Some(listed) = listed.remove(key) else {
                self.wrong(
                    "deleted",
                    format!("{MANIFEST} does not name {file}, which entry {} says there was", segment.entry),
                );
                continue;
            };
            if listed.entry != segment.entry || listed.sha256 != segment.sha256 {
                self.wrong(
                    "edited",
                    format!("{MANIFEST} says of {file} what entry {} does not", segment.entry),
                );
                continue;
            }
            match (self.found.remove(&file), listed.bytes, &listed.missing) {
                (Some((bytes, sha256)), Some(said), None) if bytes == said && sha256 == segment.sha256 => {
                    held += 1
                }
                (Some(_), _, None) => {
                    self.wrong(
                        "edited",
                        format!("{file} is not what entry {} says was recorded", segment.entry),
                    );
                }
                (Some(_), _, Some(_)) => {
                    self.wrong("edited", format!("{MANIFEST} says that {file} is missing, and it is there"));
                }
                (None, None, Some(why)) => {
                    missing += 1;
                    if missing <= NAMED {
                        self.beside.push(Stated::Note(format!(
                            "{file} is on record and not in the pack: whoever made it says, and nobody signs: {}",
                            visible(why)
                        )));
                    }
                }
                (None, ..) => self.wrong(
                    "deleted",
                    format!("the archive lacks {file}, which entry {} says there was", segment.entry),
                ),
            }
        }
        if missing > NAMED {
            self.beside.push(Stated::Note(format!(
                "{missing} segments of recordings are on record and not in the pack"
            )));
        }
        let strange: Vec<String> = listed
            .values()
            .map(|one| format!("{}/{}", one.session, one.terminal))
            .chain(self.found.keys().cloned())
            .collect();
        for name in &strange {
            self.wrong(
                "inserted",
                format!("the pack holds {}, of which no sealed entry says anything", visible(name)),
            );
        }
        if self.strange > 0 {
            let many = self.strange;
            self.wrong(
                "inserted",
                format!("the archive holds {many} recordings twice, or more than can be on record"),
            );
        }
        self.on_record.segments = segments;
        if self.on_record.is_cut {
            self.beside.push(Stated::Doubt(format!(
                "more than {MOST} segments of recordings are on record: not all of them were compared"
            )));
        }
        held
    }
}

/// Recordings that are on record, of sessions whose recordings were not wanted.
fn left_out(on_record: &OnRecord, sessions: &BTreeSet<String>) -> Option<Stated> {
    let many = on_record.segments.keys().filter(|key| !sessions.contains(&key.0)).count();
    (many > 0).then(|| {
        Stated::Note(format!("{many} segments of recordings are on record in it and do not go with it"))
    })
}
