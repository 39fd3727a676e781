//! What is handed to an archive: some lines of one file of one source, taken apart already, so that whoever reads and
//! whoever writes do their work on two processors.

use crate::column::{COMMAND_MOST, Column, FORBID, WORD_MOST};
use crate::marks::Marks;
use crate::rows::Rows;
use sallyport_events::{Bad, Counts, Decision, Event, Found, Position, What};
use sallyport_model::ClusterName;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Calls of a batch at which it is full.
const FULL: usize = 8192;
/// Bytes of raw events at which it is full.
const FULL_BYTES: usize = 16 << 20;
/// How many bad lines of a batch are named; all are counted.
const NAMED: usize = 100;

/// Where events come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its id in the configuration.
    pub id: String,
    /// The cluster whose API servers wrote there. No line is believed about it.
    pub cluster: ClusterName,
}

/// Some lines of one file, in their order.
#[derive(Debug)]
pub struct Batch {
    pub(crate) source: Source,
    pub(crate) file: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) begins: bool,
    pub(crate) words: [BatchWords; Column::ALL.len()],
    pub(crate) rows: Rows,
    pub(crate) raw: Vec<u8>,
    pub(crate) raw_ends: Vec<usize>,
    pub(crate) counts: Counts,
    pub(crate) bad: Vec<(Position, Bad)>,
    pub(crate) clipped: u64,
    pub(crate) untimed: u64,
    scratch: String,
}

/// The words of one column of a batch. The first is empty.
#[derive(Debug)]
pub(crate) struct BatchWords {
    pub(crate) texts: Vec<Arc<str>>,
    found: HashMap<Arc<str>, u32>,
    last: u32,
}

impl BatchWords {
    fn new() -> Self {
        Self { texts: vec![Arc::from("")], found: HashMap::new(), last: 0 }
    }

    fn code(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        // What follows each other is often alike, and comparing is cheaper than hashing.
        if &*self.texts[self.last as usize] == text {
            return self.last;
        }
        self.last = match self.found.get(text) {
            Some(code) => *code,
            None => {
                let code = self.texts.len() as u32;
                let text: Arc<str> = Arc::from(text);
                self.texts.push(text.clone());
                self.found.insert(text, code);
                code
            }
        };
        self.last
    }
}

impl Batch {
    /// Of lines of `file` that begin at byte `from`, where the last batch of that file ended; 0 for a file that nothing
    /// was kept of. `file` is its identity, which rotation and compression do not change, and not its name.
    pub fn new(source: &Source, file: &str, from: u64) -> Self {
        let mut words: [BatchWords; Column::ALL.len()] = std::array::from_fn(|_| BatchWords::new());
        words[Column::Cluster as usize].code(source.cluster.as_str());
        words[Column::Source as usize].code(clip(&source.id, WORD_MOST));
        words[Column::File as usize].code(clip(file, WORD_MOST));
        Self {
            source: source.clone(),
            file: file.to_owned(),
            from,
            to: from,
            begins: false,
            words,
            rows: Rows::default(),
            raw: Vec::new(),
            raw_ends: Vec::new(),
            counts: Counts::default(),
            bad: Vec::new(),
            clipped: 0,
            untimed: 0,
            scratch: String::new(),
        }
    }

    /// Says that what lies before this batch is not wanted (a file that is followed from its end). Without it a batch
    /// of an unknown file has to begin at 0, so that a lost batch is never passed over.
    #[must_use]
    pub fn begins_here(mut self) -> Self {
        self.begins = true;
        self
    }

    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds no event; it may still say how far a file was read, and what was counted.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// Whether it is time to hand it over. All events of a line belong into one batch, so that it may be asked after
    /// each line only.
    pub fn is_full(&self) -> bool {
        self.len() >= FULL || self.raw.len() >= FULL_BYTES
    }

    /// Says up to which byte of the file this was read: where the next batch begins.
    pub fn read_to(&mut self, to: u64) {
        self.to = self.to.max(to);
    }

    /// Counts lines and bytes that were read.
    pub fn read(&mut self, lines: u64, blank: u64, bytes: u64) {
        self.counts.lines += lines;
        self.counts.blank += blank;
        self.counts.bytes += bytes;
    }

    /// Takes what was found in a line.
    pub fn push(&mut self, found: &Found<'_>) {
        self.counts.note(&found.what);
        match &found.what {
            What::Event(event) => self.event(found.position, event),
            What::Foreign(_) => {}
            What::Bad(bad) if self.bad.len() < NAMED => self.bad.push((found.position, *bad)),
            What::Bad(_) => {}
        }
    }

    fn event(&mut self, position: Position, event: &Event<'_>) {
        self.untimed += u64::from(event.at().is_none());
        // Beside its neighbours in the file, which is the best that is known.
        let at = event.at().or(self.rows.at.last().copied()).unwrap_or_default();
        self.rows.at.push(at);
        self.rows.took.push(event.took().map_or(0, |took| took.saturating_add(1)));
        self.rows.offset.push(position.offset as i64);
        self.rows.item.push(position.item.into());
        self.rows.ids.push(clip(&event.audit_id, WORD_MOST).into());
        self.raw.extend_from_slice(event.raw.as_bytes());
        self.raw_ends.push(self.raw.len());

        for column in [Column::Cluster, Column::Source, Column::File] {
            // The same for all of a batch: the only word, or none.
            let words = self.words[column as usize].texts.len() as u32;
            self.rows.codes[column as usize].push(words - 1);
        }
        self.word(Column::User, &event.user.name);
        self.word(Column::Impersonated, event.impersonated.as_ref().map_or("", |user| &user.name));
        self.word(Column::Verb, &event.verb);
        match &event.object {
            Some(object) => {
                let mut resource = std::mem::take(&mut self.scratch);
                resource.clear();
                resource.push_str(&object.resource);
                if !object.group.is_empty() {
                    resource.push('.');
                    resource.push_str(&object.group);
                }
                self.word(Column::Resource, &resource);
                self.scratch = resource;
                self.word(Column::Subresource, &object.subresource);
                self.word(Column::Namespace, &object.namespace);
                let made_up = || event.response.as_ref().and_then(|body| body.name.as_deref());
                let name = Some(&*object.name).filter(|name| !name.is_empty()).or_else(made_up);
                self.word(Column::Name, name.unwrap_or_default());
            }
            None => {
                for column in [Column::Resource, Column::Subresource, Column::Namespace, Column::Name] {
                    self.word(column, "");
                }
            }
        }
        self.word(
            Column::Decision,
            match event.decision {
                Some(Decision::Allow) => "allow",
                Some(Decision::Forbid) => FORBID,
                None => "",
            },
        );
        self.word(Column::Reason, event.decision_reason.as_deref().unwrap_or_default());
        self.word(Column::UserAgent, event.user_agent.as_deref().unwrap_or_default());
        self.word(Column::Credential, event.credential.as_deref().unwrap_or_default());
        self.word(Column::Issued, event.issued_credential.as_deref().unwrap_or_default());
        self.made(Column::Code, |out| {
            if let Some(code) = event.code {
                let _ = write!(out, "{code}");
            }
        });
        self.made(Column::Session, |out| {
            if let Some(account) = &event.account {
                let _ = write!(out, "{account}");
            }
        });
        self.made(Column::Address, |out| join(out, event.source_ips.iter().map(|ip| &**ip), ","));
        // Whole, as far as events keep it: what is hidden behind something long is looked for there.
        let mut command = std::mem::take(&mut self.scratch);
        command.clear();
        join(&mut command, event.command.iter().map(String::as_str), " ");
        self.kept(Column::Command, &command, COMMAND_MOST);
        self.scratch = command;
        self.made(Column::Marks, |out| Marks::of(event).write(out));
    }

    /// Leaves out the events of lines before a byte of the file; how many those were.
    pub(crate) fn leave_out_before(&mut self, kept: u64) -> u64 {
        let stays: Vec<usize> =
            (0..self.len()).filter(|call| self.rows.offset[*call] as u64 >= kept).collect();
        let gone = self.len() - stays.len();
        if gone > 0 {
            let (mut raw, mut raw_ends) = (Vec::new(), Vec::new());
            for call in &stays {
                let begin = if *call == 0 { 0 } else { self.raw_ends[call - 1] };
                raw.extend_from_slice(&self.raw[begin..self.raw_ends[*call]]);
                raw_ends.push(raw.len());
            }
            (self.raw, self.raw_ends) = (raw, raw_ends);
            self.rows = self.rows.select(&stays);
        }
        gone as u64
    }

    fn made(&mut self, column: Column, make: impl FnOnce(&mut String)) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        make(&mut text);
        self.word(column, &text);
        self.scratch = text;
    }

    fn word(&mut self, column: Column, text: &str) {
        self.kept(column, text, WORD_MOST);
    }

    fn kept(&mut self, column: Column, text: &str, most: usize) {
        let kept = clip(text, most);
        self.clipped += u64::from(kept.len() < text.len());
        let code = self.words[column as usize].code(kept);
        self.rows.codes[column as usize].push(code);
    }
}

fn join<'a>(out: &mut String, texts: impl Iterator<Item = &'a str>, between: &str) {
    for (at, text) in texts.enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        out.push_str(text);
    }
}

/// As much of a text as is kept.
fn clip(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
