//! Lines into events: each is known by its shape, and ends as events, as something foreign or as something bad.

mod draft;
mod gke;
pub(crate) mod place;
mod wrapped;

use crate::lines::{Line, Lines};
use crate::{Bad, Counts, Event, Field, Flaw, Foreign, Found, Position, Shape, What, time};
use crate::{Came, scan::Scan};
use draft::Draft;
use sallyport_audit::redact_text;
use std::borrow::Cow;

/// How often something is wrapped in something else at most: an array of records, a record, its message.
const WRAPPED_MOST: u32 = 5;
/// The longest text of an event that is kept, in bytes.
const RAW_MOST: usize = 256 * 1024;
/// How far into a line its JSON may begin, behind a time and the name of a stream.
const PREFIX_MOST: usize = 512;

/// What is taken of the event that a text tells, as it was kept of one; none where it tells none.
pub fn event_in<R>(raw: &str, take: impl FnOnce(Event<'_>) -> R) -> Option<R> {
    let (mut take, mut taken) = (Some(take), None);
    Reader::new().document(raw.as_bytes(), &mut |found| {
        if let What::Event(event) = found.what
            && let Some(take) = take.take()
        {
            taken = Some(take(*event));
        }
    });
    taken
}

/// Reads one source, from its bytes as they come. Holds one line at most, and no event.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    /// When the last event of this source happened: what is known of the time of one that was cut before its own.
    last_at: Option<i64>,
}

impl Default for Reader {
    fn default() -> Self {
        Self::resumed(Position { offset: 0, line: 1, item: 0 })
    }
}

impl Reader {
    /// From the beginning of a source.
    pub fn new() -> Self {
        Self::default()
    }

    /// From a place on at which a line begins ([`Reader::unread`]).
    pub fn resumed(from: Position) -> Self {
        Self { lines: Lines::from(from.offset, from.line), state: State::default() }
    }

    /// Takes the next bytes, and tells of everything in the lines that end in them.
    pub fn push(&mut self, chunk: &[u8], each: &mut dyn FnMut(Found<'_>)) {
        let state = &mut self.state;
        state.counts.bytes += chunk.len() as u64;
        self.lines.push(chunk, &mut |line| state.line(line, each));
    }

    /// Nothing comes any more: what has not ended is a line too. Not for a file that somebody still writes.
    pub fn finish(&mut self, each: &mut dyn FnMut(Found<'_>)) {
        let state = &mut self.state;
        self.lines.finish(&mut |line| state.line(line, each));
    }

    /// A whole document, such as the body of a webhook, which may be written over many lines.
    pub fn document(&mut self, bytes: &[u8], each: &mut dyn FnMut(Found<'_>)) {
        self.state.counts.bytes += bytes.len() as u64;
        let at = self.lines.at();
        let line = if bytes.len() > crate::LINE_MOST { Line::TooLong(at) } else { Line::Whole(at, bytes) };
        self.state.line(line, each);
    }

    /// One record of a store that has places of its own, beside whatever else is read: a line or a document, found at
    /// `position`, whose `item` counts on from there.
    pub fn one(&mut self, position: Position, bytes: &[u8], each: &mut dyn FnMut(Found<'_>)) {
        self.state.counts.bytes += bytes.len() as u64;
        let is_long = bytes.len() > crate::LINE_MOST;
        let line = if is_long { Line::TooLong(position) } else { Line::Whole(position, bytes) };
        self.state.line(line, each);
    }

    /// Where to go on after what was told of so far.
    pub fn unread(&self) -> Position {
        self.lines.at()
    }

    /// The bytes of the last line, which has not ended and of which nothing was told so far; `None` if it is longer than
    /// a line may be.
    pub fn unended(&self) -> Option<&[u8]> {
        self.lines.unended()
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.state.counts
    }
}

impl State {
    fn line(&mut self, line: Line<'_>, each: &mut dyn FnMut(Found<'_>)) {
        self.counts.lines += 1;
        let (position, bytes) = match line {
            Line::Whole(position, bytes) => (position, bytes),
            Line::TooLong(position) => {
                Teller { state: self, position, each }.tell(What::Bad(Bad::TooLong));
                return;
            }
        };
        // A file that was made larger before it was written has zeros in it, after a crash.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        let Some(start) = bytes.iter().position(|byte| !is_space(byte)) else {
            self.counts.blank += 1;
            return;
        };
        let end = bytes.iter().rposition(|byte| !is_space(byte)).map_or(start, |at| at + 1);
        let bytes = &bytes[start..end];
        let mut teller = Teller { state: self, position, each };
        let mut around = Around::default();
        match std::str::from_utf8(bytes) {
            Ok(text) => teller.text(text, around),
            Err(_) => {
                around.is_not_text = true;
                teller.text(&String::from_utf8_lossy(bytes), around);
            }
        }
    }
}

/// What is known of something from what it is wrapped in.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    shape: Shape,
    time: Option<i64>,
    depth: u32,
    is_not_text: bool,
}

impl Around {
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn of(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    fn at(self, time: Option<i64>) -> Self {
        Self { time: time.or(self.time), ..self }
    }
}

/// Tells of what is found in one line.
struct Teller<'s> {
    state: &'s mut State,
    position: Position,
    each: &'s mut dyn FnMut(Found<'_>),
}

impl Teller<'_> {
    fn tell(&mut self, what: What<'_>) {
        self.state.counts.note(&what);
        (self.each)(Found { position: self.position, what });
        self.position.item += 1;
    }

    fn foreign(&mut self, kind: &str) {
        // A kind is whatever somebody wrote there.
        let kind = redact_text(&sallyport_model::clip(kind, 80)).text;
        self.tell(What::Foreign(Foreign {
            kind: sallyport_model::clip(&sallyport_model::visible(&kind), 80),
        }));
    }

    fn event(&mut self, mut event: Box<Event<'_>>, around: Around) {
        if around.is_not_text {
            event.flaws.note(Flaw::NotText);
        }
        if event.shape == Shape::Kubernetes {
            event.shape = around.shape;
        }
        match event.at() {
            Some(at) => self.state.last_at = Some(at),
            None => {
                event.received_at = around.time.or(self.state.last_at);
                if event.received_at.is_some() {
                    event.provenance.note(Field::ReceivedAt, Came::Inferred);
                }
            }
        }
        self.tell(What::Event(event));
    }

    /// A text that holds anything at all.
    fn text(&mut self, text: &str, around: Around) {
        if around.depth > WRAPPED_MOST {
            return self.tell(What::Bad(Bad::TooDeep));
        }
        match text.as_bytes().first() {
            Some(b'{') => self.objects(text, around),
            Some(b'[') if json_array(text) => self.elements(text, around),
            _ => match behind_a_time(text) {
                Some((at, json, shape)) => self.objects(json, around.of(shape).at(Some(at))),
                None => self.foreign("text"),
            },
        }
    }

    /// One object, and those that stand behind it on the same line.
    fn objects(&mut self, text: &str, around: Around) {
        let mut rest = text;
        loop {
            let mut scan = Scan::new(rest);
            let mut draft = Draft::read(&mut scan, rest);
            let end = scan.at();
            let more = !draft.stopped && !scan.is_over();
            let follows = more && rest[scan.at()..].starts_with('{');
            if follows {
                draft.ends_at(end);
            }
            self.draft(draft, if follows { &rest[..end] } else { rest }, more && !follows, around);
            if !follows {
                return;
            }
            rest = rest[end..].trim_start();
        }
    }

    /// What one object is, by what stands in it.
    fn draft(&mut self, draft: Draft<'_>, text: &str, has_tail: bool, around: Around) {
        if draft.is_event() {
            let foreign = draft.unknown_version();
            return match (foreign, draft.has_id()) {
                (Some(kind), _) => self.foreign(&kind),
                (None, true) => {
                    let event = draft.finish(has_tail);
                    self.event(event, around);
                }
                (None, false) if draft.stopped => self.tell(What::Bad(Bad::NotJson)),
                (None, false) => self.tell(What::Bad(Bad::NoAuditId)),
            };
        }
        self.wrapped(&draft, text, around);
    }

    /// Each element of an array; `text` begins with its bracket.
    fn elements(&mut self, text: &str, around: Around) {
        let around = around.deeper();
        if around.depth > WRAPPED_MOST {
            return self.tell(What::Bad(Bad::TooDeep));
        }
        let mut scan = Scan::new(text);
        let mut first = true;
        if scan.array() != Ok(true) {
            return self.tell(What::Bad(Bad::NotJson));
        }
        loop {
            match scan.element(&mut first) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => return self.tell(What::Bad(Bad::NotJson)),
            }
            let Ok(next) = scan.peek() else { return self.tell(What::Bad(Bad::NotJson)) };
            let start = scan.at();
            if next == b'{' {
                // Each element is read on its own, so that what is wrong with one is wrong with it alone.
                let end = scan.skip().map(|range| range.end);
                let element = &text[start..end.unwrap_or(text.len())];
                self.objects(element, around);
                if end.is_err() {
                    return;
                }
                continue;
            }
            if next == b'"' {
                // A list of lines.
                match scan.text() {
                    Ok(Some(line)) => self.text(line.trim(), around),
                    _ => return self.tell(What::Bad(Bad::NotJson)),
                }
                continue;
            }
            self.tell(What::Bad(Bad::NotAnObject));
            if scan.skip().is_err() {
                return;
            }
        }
    }
}

/// Whether a text that begins with a bracket is an array of objects, and no log line such as `[info] …`.
fn json_array(text: &str) -> bool {
    matches!(text[1..].trim_start().as_bytes().first(), Some(b'{' | b']' | b'"'))
}

/// The JSON behind a time: `2026-11-29T21:40:35.000Z {…}` as CloudWatch writes it to S3, and with words in between as
/// a container's runtime and `aws logs tail` write it.
fn behind_a_time(text: &str) -> Option<(i64, &str, Shape)> {
    let head = &text.as_bytes()[..text.len().min(PREFIX_MOST)];
    let brace = head.iter().position(|byte| *byte == b'{')?;
    let prefix = text[..brace].trim_end();
    let (first, others) = prefix.split_once(char::is_whitespace).unwrap_or((prefix, ""));
    let at = time::micros(first)?;
    let is_cloudwatch = others.is_empty() || others.trim().starts_with("kube-apiserver");
    Some((at, &text[brace..], if is_cloudwatch { Shape::Eks } else { Shape::Kubernetes }))
}

/// A text that borrows from nothing that is about to go.
fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

#[cfg(test)]
mod tests;
