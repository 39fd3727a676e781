//! What became of each line.

use crate::{Event, Flaw};
use std::collections::BTreeMap;

/// Where in its source something was found. Which source and which file it was, whoever reads it knows: together they
/// are the identity of an event, which two deliveries of one line share and no two events do (`auditID` is the
/// client's to choose).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The byte at which the line begins, from 0.
    pub offset: u64,
    /// The line, from 1.
    pub line: u64,
    /// Which of the line's events, from 0: an EventList or an AKS record array holds many.
    pub item: u32,
}

/// One thing that was found in a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'a> {
    /// Where.
    pub position: Position,
    /// What.
    pub what: What<'a>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum What<'a> {
    /// An event of an API server.
    Event(Box<Event<'a>>),
    /// Something that is no audit event and does not pretend to be one.
    Foreign(Foreign),
    /// Something that ought to be an event and can't be read as one.
    Bad(Bad),
}

/// Something that stands between the events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign {
    /// What it is: a kind, a category, `text`. Bounded, and with nothing hidden in it.
    pub kind: String,
}

/// Something that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bad {
    /// Longer than [`crate::LINE_MOST`]; it was skipped as it came.
    TooLong,
    /// It is not JSON, and nothing before the place where it stops being that says which call it is.
    NotJson,
    /// An audit event without `auditID`.
    NoAuditId,
    /// A list in which something stands that is no object.
    NotAnObject,
    /// Wrapped more often than anything is.
    TooDeep,
}

impl Bad {
    /// For people.
    pub fn why(self) -> &'static str {
        match self {
            Self::TooLong => "the line is longer than 12 MiB",
            Self::NotJson => {
                "the line is not JSON, and does not say which call it is about before it stops being that"
            }
            Self::NoAuditId => "the event has no auditID",
            Self::NotAnObject => "something in the list is not an object",
            Self::TooDeep => "the line is wrapped more often than any shape that is known",
        }
    }
}

/// What was counted while a source was read: nothing is left out without being in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines, empty ones included.
    pub lines: u64,
    /// Empty lines.
    pub blank: u64,
    /// Bytes, those of lines that were skipped included.
    pub bytes: u64,
    /// Events, partial ones included.
    pub events: u64,
    /// Events of which something is missing.
    pub partial: u64,
    /// Secrets that were taken out.
    pub redactions: u64,
    /// What was foreign, by kind; at most [`Counts::KINDS`] kinds, the others under `other`.
    pub foreign: BTreeMap<String, u64>,
    /// What was bad.
    pub bad: BTreeMap<Bad, u64>,
}

impl Counts {
    /// How many kinds of foreign things are told apart.
    pub const KINDS: usize = 64;

    /// Counts one thing.
    pub fn note(&mut self, what: &What<'_>) {
        match what {
            What::Event(event) => {
                self.events += 1;
                self.partial += u64::from(event.flaws.has(Flaw::Partial));
                self.redactions += u64::from(event.redactions);
            }
            What::Foreign(foreign) => {
                let known = self.foreign.len() < Self::KINDS || self.foreign.contains_key(&foreign.kind);
                let kind = if known { foreign.kind.as_str() } else { "other" };
                match self.foreign.get_mut(kind) {
                    Some(count) => *count += 1,
                    None => drop(self.foreign.insert(kind.to_owned(), 1)),
                }
            }
            What::Bad(bad) => *self.bad.entry(*bad).or_default() += 1,
        }
    }

    /// Adds those of another part of the same source.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.blank += other.blank;
        self.bytes += other.bytes;
        self.events += other.events;
        self.partial += other.partial;
        self.redactions += other.redactions;
        for (kind, count) in &other.foreign {
            let known = self.foreign.len() < Self::KINDS || self.foreign.contains_key(kind);
            *self.foreign.entry(if known { kind.clone() } else { "other".to_owned() }).or_default() += count;
        }
        for (bad, count) in &other.bad {
            *self.bad.entry(*bad).or_default() += count;
        }
    }
}
