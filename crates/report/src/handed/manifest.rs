//! Which recordings go with a pack, and what is on record of each: the entry that was sealed has its SHA-256, so that a
//! recording is vouched for by the pack itself. What is said of one that is missing nobody signs. And what is said of the
//! clusters' events that go with it; where an entry has their SHA-256, that one is sealed too.

use super::Events;
use sallyport_audit::{Action, Entry};
use sallyport_model::is_plain_id;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most segments that a pack is held to.
pub(super) const MOST: usize = 100_000;
/// What an entry calls the SHA-256 of the clusters' events that leave with a pack.
pub const EVENTS_SHA256: &str = "events_sha256";
/// The longest manifest, in bytes.
pub(super) const LONGEST: u64 = 64 << 20;

/// A segment of a terminal's recording that is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The session's id.
    pub session: String,
    /// The terminal's id.
    pub terminal: String,
    /// Which, from 1.
    pub number: u32,
    /// SHA-256 (hex) of its text.
    pub sha256: String,
    /// The place of the entry that says so.
    pub entry: u64,
}

/// One segment by its session, its terminal and its number.
pub(super) type Key = (String, String, u32);

impl Segment {
    /// What an entry says; none where it is about none, or names what can be no part of a file's name.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        if entry.action != Action::Recorded {
            return None;
        }
        let session = entry.session.as_ref()?.as_str();
        let terminal = entry.detail.text("terminal")?;
        let number = entry.detail.number("segment").and_then(|number| u32::try_from(number).ok())?;
        let sha256 = entry.detail.text("sha256")?;
        (is_plain_id(session) && is_plain_id(terminal) && number > 0).then(|| Self {
            session: session.to_owned(),
            terminal: terminal.to_owned(),
            number,
            sha256: sha256.to_owned(),
            entry: entry.sequence,
        })
    }

    pub(super) fn key(&self) -> Key {
        (self.session.clone(), self.terminal.clone(), self.number)
    }

    /// Its file's name within a pack.
    pub(super) fn file(&self) -> String {
        format!("{}{}/{}-{:05}.cast", super::RECORDINGS, self.session, self.terminal, self.number)
    }
}

/// What is on record, as entries go by. What is on record twice counts as it was first.
#[derive(Debug, Default)]
pub(super) struct OnRecord {
    pub(super) segments: BTreeMap<Key, Segment>,
    /// Which entry says of which clusters' events, by their SHA-256, that they leave with a pack.
    pub(super) events: BTreeMap<String, u64>,
    /// More than are looked at.
    pub(super) is_cut: bool,
}

impl OnRecord {
    pub(super) fn see(&mut self, entry: &Entry) {
        if entry.action == Action::Exported
            && let Some(sha256) = entry.detail.text(EVENTS_SHA256)
            && self.events.len() < MOST
        {
            self.events.entry(sha256.to_owned()).or_insert(entry.sequence);
        }
        let Some(segment) = Segment::of(entry) else { return };
        if self.segments.len() == MOST && !self.segments.contains_key(&segment.key()) {
            self.is_cut = true;
            return;
        }
        self.segments.entry(segment.key()).or_insert(segment);
    }
}

/// The last member of a pack that recordings or clusters' events go with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Manifest {
    /// 1.
    pub(super) version: u32,
    /// The sessions whose recordings were wanted, in the order of their ids.
    pub(super) sessions: Vec<String>,
    /// Each segment that is on record of them, in the order of session, terminal and number.
    pub(super) recordings: Vec<Listed>,
    /// The clusters' events that go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Events>,
}

/// A segment that is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) session: String,
    pub(super) terminal: String,
    pub(super) segment: u32,
    /// The place of the entry that says what it has to be.
    pub(super) entry: u64,
    /// SHA-256 (hex) by that entry.
    pub(super) sha256: String,
    /// Bytes of its file in the pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    /// Why it is not in the pack. Nobody signs that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<String>,
}

impl Listed {
    pub(super) fn of(segment: &Segment, bytes: Option<u64>, missing: Option<String>) -> Self {
        let Segment { session, terminal, number, sha256, entry } = segment.clone();
        Self { session, terminal, segment: number, entry, sha256, bytes, missing }
    }

    pub(super) fn key(&self) -> Key {
        (self.session.clone(), self.terminal.clone(), self.segment)
    }
}

impl Manifest {
    /// Its text.
    pub(super) fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
