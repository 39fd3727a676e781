//! asciicast v2 (docs.asciinema.org/manual/asciicast/v2): a header in one line of JSON, then one event in each line.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// The longest line that is read, bytes: what one write of a terminal comes to as JSON, and some.
const LINE_MOST: usize = 1 << 20;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns, 1 to 2000.
    pub columns: u16,
    /// Rows, 1 to 2000.
    pub rows: u16,
}

impl Screen {
    /// Within what a terminal takes.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { columns: columns.clamp(1, 2000), rows: rows.clamp(1, 2000) }
    }
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentKind {
    /// `o`: the terminal said it.
    Output,
    /// `i`: it was typed.
    Input,
    /// `r`: its new size, `100x40`.
    Resize,
}

impl MomentKind {
    fn code(self) -> &'static str {
        match self {
            Self::Output => "o",
            Self::Input => "i",
            Self::Resize => "r",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since its segment began.
    pub at_us: u64,
    /// What it is.
    pub kind: MomentKind,
    /// What was said or typed, or the size.
    pub data: String,
}

impl Moment {
    /// The size that it says, where it is a [`MomentKind::Resize`].
    pub fn screen(&self) -> Option<Screen> {
        let (columns, rows) = self.data.split_once('x').filter(|_| self.kind == MomentKind::Resize)?;
        Some(Screen::new(columns.parse().ok()?, rows.parse().ok()?))
    }
}

/// Why a segment is no asciicast.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CastError {
    /// Its first line is no header of version 2.
    #[error("line 1 is no header of an asciicast v2")]
    Header,
    /// A line is no event.
    #[error("line {0} is no event of an asciicast v2")]
    Event(usize),
}

/// The header's line, for a segment that began at `begins_ms`, Unix milliseconds.
pub(crate) fn header(screen: Screen, begins_ms: i64) -> String {
    let head = json!({
        "version": 2, "width": screen.columns, "height": screen.rows, "timestamp": begins_ms.div_euclid(1000),
        "env": {"TERM": "xterm-256color"}, "beginsMs": begins_ms,
    });
    format!("{head}\n")
}

/// Appends an event's line.
pub(crate) fn line(to: &mut Vec<u8>, at_us: u64, kind: MomentKind, data: &str) {
    let mut time = String::with_capacity(24);
    // Written by hand: a float would round.
    let _ = write!(time, "[{}.{:06}, \"{}\", ", at_us / 1_000_000, at_us % 1_000_000, kind.code());
    to.extend_from_slice(time.as_bytes());
    to.extend_from_slice(Value::from(data).to_string().as_bytes());
    to.extend_from_slice(b"]\n");
}

/// A segment, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The size it begins with.
    pub screen: Screen,
    /// When it began, Unix milliseconds; of an asciicast of others the second.
    pub begins_ms: i64,
    /// What happened.
    pub moments: Vec<Moment>,
}

/// Reads a segment's text. Codes that are not ours are passed over, as the format
/// wants; a last line without an end is one that was not written whole.
///
/// # Errors
/// [`CastError`], with the line.
pub fn parse(text: &[u8]) -> Result<Cast, CastError> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    let head = lines.next().filter(|(_, line)| line.len() <= LINE_MOST).ok_or(CastError::Header)?.1;
    let head: Value = serde_json::from_slice(head).map_err(|_| CastError::Header)?;
    let cells = |name: &str| head[name].as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
    let (Some(2), Some(columns), Some(rows)) = (head["version"].as_u64(), cells("width"), cells("height"))
    else {
        return Err(CastError::Header);
    };
    let mut moments = Vec::new();
    for (at, line) in lines {
        if !line.ends_with(b"\n") {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let event = event(line).ok_or(CastError::Event(at + 1))?;
        moments.extend(event);
    }
    let second = || head["timestamp"].as_i64().and_then(|second| second.checked_mul(1000));
    let begins_ms = head["beginsMs"].as_i64().or_else(second).unwrap_or_default();
    Ok(Cast { screen: Screen::new(columns, rows), begins_ms, moments })
}

/// One line; `None` in it: of a code that is not ours.
fn event(line: &[u8]) -> Option<Option<Moment>> {
    if line.len() > LINE_MOST {
        return None;
    }
    let (time, code, data): (f64, String, String) = serde_json::from_slice(line).ok()?;
    // Ten years: what is later is no recording's.
    if !(0.0..=315_360_000.0).contains(&time) {
        return None;
    }
    let kind = match code.as_str() {
        "o" => MomentKind::Output,
        "i" => MomentKind::Input,
        "r" => MomentKind::Resize,
        _ => return Some(None),
    };
    let moment = Moment { at_us: (time * 1e6).round() as u64, kind, data };
    if kind == MomentKind::Resize && moment.screen().is_none() {
        return None;
    }
    Some(Some(moment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cast(lines: &[&str]) -> Vec<u8> {
        let mut text = header(Screen::new(80, 24), 1_700_000_000_123).into_bytes();
        lines.iter().for_each(|line| text.extend_from_slice(format!("{line}\n").as_bytes()));
        text
    }

    #[test]
    fn the_header_is_that_of_the_format() {
        let head: Value = serde_json::from_str(&header(Screen::new(100, 40), 1_700_000_000_999)).unwrap();
        assert_eq!((&head["version"], &head["width"], &head["height"]), (&json!(2), &json!(100), &json!(40)));
        assert_eq!(head["timestamp"], json!(1_700_000_000));
    }

    #[test]
    fn what_others_add_is_passed_over_and_a_line_that_was_cut_is_none() {
        let mut text = cast(&["[0.5, \"m\", \"a mark\"]", "", "[1.000001, \"o\", \"hi\"]"]);
        text.extend_from_slice(b"[2.0, \"o\", \"not who");
        let Cast { screen, begins_ms, moments } = parse(&text).unwrap();
        assert_eq!((screen, begins_ms), (Screen::new(80, 24), 1_700_000_000_123));
        let hi = Moment { at_us: 1_000_001, kind: MomentKind::Output, data: "hi".to_owned() };
        assert_eq!(moments, [hi]);
    }

    #[test]
    fn what_is_no_asciicast_is_refused_with_its_line() {
        for head in [
            "",
            "{}",
            "[]",
            "{\"version\":3,\"width\":80,\"height\":24}",
            "\u{feff}{}",
            "{\"version\":2,\"width\":0,\"height\":24}",
        ] {
            assert_eq!(parse(format!("{head}\n").as_bytes()), Err(CastError::Header), "{head}");
        }
        for bad in [
            "[]",
            "[1]",
            "{}",
            "null",
            "[1,\"o\"]",
            "[1,\"o\",2]",
            "[-1,\"o\",\"\"]",
            "[1e99,\"o\",\"\"]",
            "[1,\"r\",\"80\"]",
            "[1,\"r\",\"wide\"]",
            "[1,\"o\",\"\\ud800\"]",
            "[\"1\",\"o\",\"\"]",
            "\u{0}",
        ] {
            assert_eq!(parse(&cast(&["[0, \"o\", \"\"]", bad])), Err(CastError::Event(3)), "{bad}");
        }
        let long = format!("[1, \"o\", \"{}\"]", "x".repeat(LINE_MOST));
        assert_eq!(parse(&cast(&[&long])), Err(CastError::Event(2)));
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&cast(&[&deep])), Err(CastError::Event(2)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            events in proptest::collection::vec((0u64..100_000_000_000, 0u8..2, "(?s).{0,40}"), 0..20)
        ) {
            let mut text = header(Screen::new(80, 24), 0).into_bytes();
            let kind = |n: u8| if n == 0 { MomentKind::Output } else { MomentKind::Input };
            for (at, code, data) in &events {
                line(&mut text, *at, kind(*code), data);
            }
            let moments = parse(&text).unwrap().moments;
            prop_assert_eq!(moments.len(), events.len());
            for (moment, (at, code, data)) in moments.iter().zip(&events) {
                prop_assert_eq!(moment, &Moment { at_us: *at, kind: kind(*code), data: data.clone() });
            }
        }

        #[test]
        fn nothing_makes_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut text = cast(&[]);
            text.extend_from_slice(&bytes);
            let _ = (parse(&bytes), parse(&text));
        }
    }
}
