//! What is in an archive.

use super::args::StatusArgs;
use super::times::told;
use super::{bounds, open, plain, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use sallyport_archive::WriterState;
use sallyport_model::visible;
use sallyport_report::words::shown;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Seconds for reading everything.
const VERIFY: u64 = 3600;
/// Bad lines that are told; JSON has up to a thousand.
const TOLD: usize = 10;

/// What is in an archive.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusView {
    /// Events in it.
    events: u64,
    /// What they take on disk, in bytes.
    bytes: u64,
    /// Files that hold them.
    segments: usize,
    /// The first moment of which there is an event: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    /// The last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// Nothing can be written there.
    is_read_only: bool,
    /// Events that were removed since it was begun: they were too old or too much.
    removed: u64,
    /// What was counted of each source since it was first read.
    sources: BTreeMap<String, BTreeMap<String, u64>>,
    /// The latest lines that could not be read as events.
    bad_lines: Vec<BadLineView>,
    /// What is wrong with what is stored.
    problems: Vec<String>,
    /// With `--verify`: events whose fields and raw text are as they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<u64>,
    /// With `--verify`: events of which something is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<u64>,
}

/// A line that could not be read as events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BadLineView {
    source: String,
    /// Which file, by how it begins.
    file: String,
    /// Which line, from 1.
    line: u64,
    /// The byte at which it begins.
    offset: u64,
    why: String,
}

pub(super) fn status(args: &StatusArgs) -> Result<(String, End), Stop> {
    let archive = open(&args.archive, false)?;
    let status = archive.status();
    let mut problems: Vec<String> = status.problems.into_iter().map(|problem| problem.what).collect();
    let bad_lines = match archive.bad_lines() {
        Ok(lines) => lines,
        Err(error) => {
            problems.push(error.to_string());
            Vec::new()
        }
    };
    let mut view = StatusView {
        events: status.events,
        bytes: status.bytes,
        segments: status.segments,
        first: status.range.map(|(first, _)| told(first)),
        last: status.range.map(|(_, last)| told(last)),
        is_read_only: status.state == WriterState::ReadOnly,
        removed: status.removed,
        sources: status.tallies,
        bad_lines: bad_lines
            .into_iter()
            .map(|bad| BadLineView {
                source: bad.source,
                file: bad.file,
                line: bad.line,
                offset: bad.offset,
                why: bad.why,
            })
            .collect(),
        problems,
        verified: None,
        damaged: None,
    };
    if args.verify {
        let checked = archive.verify(&bounds(VERIFY)).map_err(stop)?;
        view.verified = Some(checked.events);
        view.damaged = Some(checked.damaged);
        view.problems.extend(checked.problems.into_iter().map(|problem| problem.what));
        view.problems.sort();
        view.problems.dedup();
    }
    let end = if view.problems.is_empty() { End::Good } else { End::Found };
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, end))
}

impl StatusView {
    fn told(&self) -> String {
        let range = match (&self.first, &self.last) {
            (Some(first), Some(last)) => format!(", from {first} to {last}"),
            _ => String::new(),
        };
        let mut text =
            format!("{} events in {} bytes, {} files{range}\n", self.events, self.bytes, self.segments);
        // Writing to a String never fails.
        if self.removed > 0 {
            let _ = writeln!(text, "{} older events were removed since it was begun", self.removed);
        }
        if self.is_read_only {
            text.push_str("It is on a disk that can only be read.\n");
        }
        for (source, counts) in &self.sources {
            let counts: Vec<String> =
                counts.iter().map(|(what, count)| format!("{count} {}", shown(what))).collect();
            let _ = writeln!(text, "  {}: {}", shown(source), counts.join(", "));
        }
        for bad in self.bad_lines.iter().take(TOLD) {
            let _ = writeln!(
                text,
                "  bad: {}, file {}, line {}: {}",
                shown(&bad.source),
                shown(&bad.file),
                bad.line,
                visible(&bad.why)
            );
        }
        if self.bad_lines.len() > TOLD {
            let _ = writeln!(text, "  and {} more bad lines", self.bad_lines.len() - TOLD);
        }
        for problem in &self.problems {
            let _ = writeln!(text, "PROBLEM: {}", visible(problem));
        }
        if let (Some(verified), Some(damaged)) = (self.verified, self.damaged) {
            let _ = writeln!(
                text,
                "Read through: {verified} events are as they were written, {damaged} are not."
            );
        }
        text
    }
}
