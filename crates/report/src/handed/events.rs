//! The clusters' events that go with a pack: a line for each in a file of its own, newest first. They are in no chain, and the
//! cluster's own log is what they are held to; what the pack says of them is which bytes it was made with.

use super::measured::Measured;
use super::{ToldCall, lines};
use sallyport_archive::{Answer, Call};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Most events that go with a pack, and most bytes of them.
const MOST: u64 = 100_000;
pub(super) const BYTES: u64 = 256 << 20;
/// Most clusters that are counted apart.
const CLUSTERS: usize = 10_000;

/// What is said of the clusters' events that go with a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Events {
    /// SHA-256 (hex) of the file.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
    /// Events in it.
    pub events: u64,
    /// How many of each cluster.
    pub clusters: BTreeMap<String, u64>,
    /// Those told in part, by what is kept to find them: their own text is damaged, was cut, or is too long.
    pub in_part: u64,
    /// What was taken out of them because it looks like a secret.
    pub redactions: u64,
    /// Those that fit and are not in it, since a pack holds no more.
    pub left_out: u64,
    /// Events of the archive that are damaged: some of them may fit.
    pub damaged: u64,
    /// Files of the archive that could not be opened.
    pub unread_files: u64,
    /// Not all of the archive was looked at in the time there was: there may be more that fit.
    pub is_cut: bool,
}

/// What of the events that fit is not in a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacks {
    /// All that fit, as far as they were counted.
    pub of: u64,
    /// Events of the archive that are damaged.
    pub damaged: u64,
    /// Files of it that could not be opened.
    pub unread_files: u64,
    /// Not all of it was looked at or counted in the time there was.
    pub is_cut: bool,
}

impl Lacks {
    /// What an archive did not give, as it counted what fits and as it handed it on.
    pub fn of<T>(counted: &Answer<u64>, handed_on: &Answer<T>) -> Self {
        Self {
            of: counted.value,
            damaged: handed_on.damaged.max(counted.damaged),
            unread_files: handed_on.unread_segments as u64,
            is_cut: !handed_on.is_whole || !counted.is_whole,
        }
    }
}

impl Events {
    /// What is missing or told in part, a sentence each.
    pub fn lacks(&self) -> Vec<String> {
        let counted = [
            (
                self.left_out,
                "events of clusters fit and are left out: a pack holds the newest 100,000, and 256 MiB of them",
            ),
            (
                self.in_part,
                "events of clusters are in it by what is kept to find them: their own text is damaged, was cut or is too long",
            ),
            (self.damaged, "events of the archive are damaged; some of them may fit and are not in it"),
            (self.unread_files, "files of the archive could not be opened: what they hold is not in it"),
        ];
        let mut lacks: Vec<String> = counted
            .into_iter()
            .filter(|(many, _)| *many > 0)
            .map(|(many, what)| format!("{many} {what}"))
            .collect();
        if self.is_cut {
            lacks.push("not all of the archive was looked at in the time there was: there may be more events of clusters that fit".to_owned());
        }
        lacks
    }

    /// `eu-1 200, us-1 14`, as they are called.
    pub fn by_cluster(&self) -> String {
        let each: Vec<String> =
            self.clusters.iter().map(|(name, events)| format!("{name} {events}")).collect();
        each.join(", ")
    }

    /// What nobody can know from the file alone is as it was said.
    fn is_of(&self, found: &Self) -> bool {
        let Self { redactions, left_out, damaged, unread_files, is_cut, .. } = *self;
        *self == Self { redactions, left_out, damaged, unread_files, is_cut, ..found.clone() }
    }
}

/// Events as they are written down for a pack, newest first.
#[derive(Debug)]
pub struct Telling<W> {
    out: Measured<W>,
    events: Events,
    line: String,
    /// Events and bytes.
    most: (u64, u64),
}

impl<W: Write> Telling<W> {
    /// Into something.
    pub fn new(out: W) -> Self {
        Self::up_to(out, (MOST, BYTES))
    }

    /// The same to other bounds.
    pub(super) fn up_to(out: W, most: (u64, u64)) -> Self {
        Self { out: Measured::new(out), events: Events::default(), line: String::new(), most }
    }

    /// The next of them; says whether it went in. One that does not is left out, with all behind it.
    ///
    /// # Errors
    /// What the disk said.
    pub fn take(&mut self, call: &ToldCall<'_>) -> io::Result<bool> {
        self.line.clear();
        let is_new = !self.events.clusters.contains_key(call.cluster);
        if self.events.events == self.most.0 || (is_new && self.events.clusters.len() == CLUSTERS) {
            return Ok(false);
        }
        let (redactions, is_in_part) = call.leaving(&mut self.line);
        if self.out.bytes() + self.line.len() as u64 > self.most.1 {
            return Ok(false);
        }
        self.out.write_all(self.line.as_bytes())?;
        let events = &mut self.events;
        events.events += 1;
        events.redactions += u64::from(redactions);
        events.in_part += u64::from(is_in_part);
        *events.clusters.entry(call.cluster.to_owned()).or_default() += 1;
        Ok(true)
    }

    /// Takes what `walk` comes by in an archive, until no more goes in.
    ///
    /// # Errors
    /// What the disk said.
    pub fn walk<R>(
        &mut self,
        walk: impl FnOnce(&mut dyn FnMut(&Call, Option<&str>) -> bool) -> R,
    ) -> io::Result<R> {
        let mut failed = None;
        let walked = walk(&mut |call, raw| {
            self.take(&ToldCall::of(call, raw)).unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        });
        failed.map_or(Ok(walked), Err)
    }

    /// What is to be said of them, and what they were written into.
    pub fn end(self, lacks: Lacks) -> (Events, W) {
        let Lacks { of, damaged, unread_files, is_cut } = lacks;
        let (sha256, bytes) = (self.out.sha256(), self.out.bytes());
        let left_out = of.saturating_sub(self.events.events);
        let events = Events { sha256, bytes, left_out, damaged, unread_files, is_cut, ..self.events };
        (events, self.out.into_inner())
    }
}

/// A line of the file. Of an event's own text nothing is looked at but that it is JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    cluster: String,
    event: Option<IgnoredAny>,
    at: Option<String>,
    columns: Option<IgnoredAny>,
}

/// What stands in a file of events that somebody else made.
pub(super) fn of(from: impl Read) -> Result<Events, String> {
    let mut measured = Measured::new(io::sink());
    let mut events = Events::default();
    for (line, number) in lines::up_to(from, lines::EVENT as u64).zip(1_u64..) {
        let line = line?;
        let wrong = || format!("line {number} is none of a pack");
        let parsed: Line = serde_json::from_str(&line).map_err(|_| wrong())?;
        let is_in_part = match (&parsed.event, &parsed.at, &parsed.columns) {
            (Some(_), None, None) => false,
            (None, Some(_), Some(_)) => true,
            _ => return Err(wrong()),
        };
        if events.events == MOST
            || (events.clusters.len() == CLUSTERS && !events.clusters.contains_key(&parsed.cluster))
        {
            return Err("it holds more than any pack does".to_owned());
        }
        measured
            .write_all(line.as_bytes())
            .and_then(|()| measured.write_all(b"\n"))
            .map_err(|e| e.to_string())?;
        events.events += 1;
        events.in_part += u64::from(is_in_part);
        *events.clusters.entry(parsed.cluster).or_default() += 1;
    }
    (events.sha256, events.bytes) = (measured.sha256(), measured.bytes());
    Ok(events)
}

/// Whether what is there is what was said of it; else why not.
pub(super) fn compare(said: &Events, found: &Events) -> Result<(), &'static str> {
    if said.is_of(found) {
        return Ok(());
    }
    Err(match said.sha256 == found.sha256 {
        true => "it holds other events than are counted there",
        false => "its SHA-256 is another",
    })
}
