//! What checking comes to, as it is told.

use crate::audit::times::told;
use crate::end::End;
use sallyport_audit::{Fault, PackTold, Sealed};
use sallyport_model::{Digest, visible};
use sallyport_report::handed::FoundEvents;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Whether a history, or a pack made of one, is what it was.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifyView {
    /// What it comes to.
    verdict: Word,
    /// Entries that were looked at.
    entries: u64,
    /// The last entry that a checkpoint covers; 0 without one.
    sealed_until: u64,
    /// Checkpoints.
    checkpoints: u64,
    /// When the last of them was made, by the desktop's clock: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_at: Option<String>,
    /// The fingerprint of the key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Somebody else than the history vouches for that key.
    is_key_known: bool,
    /// The first entry that is not as it was sealed, or is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<u64>,
    /// What was done there, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    tampering: Option<&'static str>,
    /// Of a pack: entries that it leaves out, and shows as left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
    /// Of a pack that recordings go with: segments of them that are what a sealed entry says was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    recordings: Option<u64>,
    /// Of a pack that clusters' events go with, and that are what the pack says of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<EventsView>,
    /// Anchors (AccessRequests, and checkpoints that were kept elsewhere) that say how the history was, and it was so.
    anchors_met: usize,
    /// Anchors of which nothing could be said.
    anchors_unknown: usize,
    /// Sentences for people: what was done, or what could not be told and why.
    notes: Vec<String>,
}

/// Events of clusters that go with a pack. They are in no chain: the clusters' own logs are the authority.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventsView {
    /// How many.
    events: u64,
    /// How many of each cluster.
    clusters: BTreeMap<String, u64>,
    /// SHA-256 (hex) of their file.
    sha256: String,
    /// The sealed entry that has it; without one nobody signs which events they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    /// Told in part, by what is kept to find them.
    in_part: u64,
    /// Those that fitted and were left out, as whoever made the pack says.
    left_out: u64,
    /// Damaged events of the archive, of which some may fit, as whoever made the pack says.
    damaged: u64,
    /// Files of the archive that could not be opened, as whoever made the pack says.
    unread_files: u64,
    /// Whoever made the pack did not look at all of the archive.
    is_cut: bool,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Word {
    Verified,
    Tampered,
    #[default]
    Unknown,
}

impl VerifyView {
    pub(super) fn broken(first_bad: u64, why: &Fault) -> Self {
        Self {
            verdict: Word::Tampered,
            first_bad: Some(first_bad),
            tampering: Some(why.word()),
            entries: first_bad.saturating_sub(1),
            notes: vec![why.to_string()],
            ..Self::default()
        }
    }

    /// There is no checkpoint.
    pub(super) fn never(entries: u64) -> Self {
        let why =
            "there is no checkpoint, so nothing but the desktop's own key can tell: its window verifies";
        Self { entries, notes: vec![why.to_owned()], ..Self::default() }
    }

    /// `is_named`: what others noted names this key.
    pub(super) fn sealed(sealed: &Sealed, is_named: bool) -> Self {
        let is_key_known = sealed.is_trusted || is_named;
        let key = sealed.key.fingerprint();
        let mut view = Self {
            entries: sealed.entries,
            sealed_until: sealed.until,
            checkpoints: sealed.checkpoints as u64,
            sealed_at: Some(told(sealed.time)),
            key: Some(key.to_string()),
            is_key_known,
            anchors_met: sealed.anchors,
            ..Self::default()
        };
        if !is_key_known {
            view.notes.push(format!(
                "nothing contradicts, but whoever changes a history can seal it again with a key of their own: compare the \
                 key's fingerprint, {key}, with what you have from elsewhere, and say it with --key"
            ));
        }
        if let Some(until) = sealed.other_key_until {
            view.notes.push(format!(
                "entries up to {until} were sealed by another key, which did not name this one: it vouches for them as it \
                 found them"
            ));
        }
        if let Some(from) = sealed.unsealed_from {
            view.notes.push(format!("from entry {from} on nothing is sealed: it was written without a key"));
        }
        if view.notes.is_empty() {
            view.verdict = Word::Verified;
        }
        let behind = sealed.entries - sealed.until;
        if behind > 0 && sealed.unsealed_from.is_none() {
            view.notes.push(format!("{behind} entries after the last checkpoint are not sealed yet"));
        }
        view
    }

    pub(super) fn pack(told: &PackTold, is_named: bool) -> Self {
        let mut view = Self::sealed(&told.sealed, is_named);
        (view.entries, view.left_out) = (told.end.entries, Some(told.end.left_out));
        view.anchors_unknown = told.unknown_anchors;
        view
    }

    /// How many segments of recordings are what they have to be.
    pub(super) fn recordings(&mut self, recordings: Option<u64>) {
        self.recordings = recordings;
    }

    /// Which events of clusters go with it, and who vouches for that. `known`: the SHA-256 that somebody has of them from
    /// elsewhere.
    pub(super) fn events(&mut self, found: Option<FoundEvents>, known: Option<&Digest>) {
        let Some(FoundEvents { said, entry }) = found else { return };
        let is_known = known.is_some_and(|known| known.to_string() == said.sha256);
        match entry {
            _ if known.is_some() && !is_known => self.tampered(
                "edited",
                format!("the clusters' events in the pack are others than --events says: their SHA-256 is {}", said.sha256),
            ),
            Some(_) => {}
            None if is_known => {}
            None => self.doubt(format!(
                "nobody signs which events of clusters go with the pack, so they may be anybody's; the entries are not touched by \
                 that. Compare their SHA-256, {}, with what you have from elsewhere, and say it with --events",
                said.sha256
            )),
        }
        let lacks = said.lacks().into_iter();
        self.notes.extend(lacks.map(|lack| format!("whoever made the pack says: {lack}")));
        self.events = Some(EventsView {
            events: said.events,
            sha256: said.sha256,
            entry,
            in_part: said.in_part,
            left_out: said.left_out,
            damaged: said.damaged,
            unread_files: said.unread_files,
            is_cut: said.is_cut,
            clusters: said.clusters,
        });
    }

    /// What belongs to it and changes no verdict.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What can't be told, so that nothing is verified.
    pub(super) fn doubt(&mut self, note: String) {
        if self.verdict == Word::Verified {
            self.verdict = Word::Unknown;
        }
        self.notes.push(note);
    }

    /// What is tampered with beside the entries.
    pub(super) fn tampered(&mut self, word: &'static str, note: String) {
        if self.verdict != Word::Tampered {
            self.verdict = Word::Tampered;
            self.tampering = Some(word);
        }
        self.notes.push(note);
    }

    pub(super) fn end(&self) -> End {
        match self.verdict {
            Word::Verified => End::Good,
            Word::Tampered => End::Found,
            Word::Unknown => End::Unanswered,
        }
    }

    pub(super) fn told(&self) -> String {
        let mut text = match (self.verdict, self.first_bad) {
            (Word::Tampered, Some(at)) => format!("TAMPERED, from entry {at} on\n"),
            (Word::Tampered, None) => "TAMPERED\n".to_owned(),
            (Word::Verified, _) => {
                format!("Verified: entries 1 to {} are as they were sealed\n", self.sealed_until)
            }
            (Word::Unknown, _) => "NOT VERIFIED: it could not be told\n".to_owned(),
        };
        // Writing to a String never fails.
        for note in &self.notes {
            let _ = writeln!(text, "  {}", visible(note));
        }
        if let (Some(at), Some(key)) = (&self.sealed_at, &self.key) {
            let _ = writeln!(text, "  {} checkpoints, the last of {at}, key {key}", self.checkpoints);
        }
        if let Some(left_out) = self.left_out {
            let _ = writeln!(text, "  {} entries are in it, {left_out} are left out of it", self.entries);
        }
        if let Some(recordings) = self.recordings {
            let _ = writeln!(text, "  {recordings} segments of recordings are what was recorded");
        }
        if let Some(events) = &self.events {
            let by = match events.entry {
                Some(entry) => format!("are those that entry {entry} says left with it"),
                None => "are those that its manifest names".to_owned(),
            };
            let _ = writeln!(
                text,
                "  {} events of clusters {by}; they are in no chain: the clusters' own logs are the authority",
                events.events
            );
        }
        if self.anchors_met + self.anchors_unknown > 0 {
            let (met, unknown) = (self.anchors_met, self.anchors_unknown);
            let _ = writeln!(text, "  {met} anchors say that it was so, {unknown} say nothing of it");
        }
        text
    }
}
