//! Files into the archive.

use super::args::Import;
use super::keep::RemovedView;
use super::{open_as, plain, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use sallyport_archive::Source;
use sallyport_feeds::{Imported, Skipped};
use sallyport_model::{ClusterName, clip, visible};
use sallyport_report::words::{count, shown};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Bytes of what a source may be called.
const SOURCE_MOST: usize = 253;

/// What became of the files.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportView {
    /// The cluster whose API servers wrote them.
    cluster: String,
    /// What their source is called.
    source: String,
    /// Events that were kept, of all files.
    events: u64,
    /// Each file, in the order it was read.
    files: Vec<FileView>,
    /// What was passed over in the folders that were named, because it is no file. Links are not followed there: name
    /// what they lead to.
    skipped: Vec<SkippedView>,
    /// With `--keep-days` or `--keep-mib`: what was removed from the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<RemovedView>,
}

/// Something that was passed over.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SkippedView {
    /// Where it is.
    path: String,
    /// What it is: `a link`, `a pipe`, `a socket`, `a device`.
    what: &'static str,
}

/// What became of a file.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FileView {
    /// Where it is.
    path: String,
    /// What it is called in the archive, by how it begins.
    #[serde(skip_serializing_if = "String::is_empty")]
    identity: String,
    /// The byte from which on it was read: what lies before was kept already.
    from: u64,
    /// The byte up to which it is kept.
    to: u64,
    /// Lines that were read now.
    lines: u64,
    /// Events that were kept.
    events: u64,
    /// Events of which something is missing.
    partial: u64,
    /// Secrets that were taken out.
    redactions: u64,
    /// What stood between the events, by kind.
    foreign: BTreeMap<String, u64>,
    /// Lines that could not be read as events.
    bad: u64,
    /// The first of them.
    bad_lines: Vec<BadView>,
    /// Bytes of a last line that has not ended: read once it has.
    unended: u64,
    /// Why it could not be read, or not to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A line that could not be read as events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BadView {
    /// Which line, from 1.
    line: u64,
    /// The byte at which it begins.
    offset: u64,
    /// Why.
    why: String,
}

pub(super) fn import(args: &Import) -> Result<(String, End), Stop> {
    let source = source(args.source.as_deref(), &args.cluster)?;
    // What is not there is said before an archive is begun.
    let (mut named, mut skipped) = (Vec::new(), Vec::new());
    for path in &args.paths {
        let files = sallyport_feeds::files(path).map_err(stop)?;
        named.extend(files.files);
        skipped.extend(files.skipped);
    }
    if named.is_empty() {
        return Err(nothing(&skipped));
    }
    if let [file] = &named[..] {
        file.open().map_err(stop)?;
    }
    let archive = open_as(&args.archive, true, args.keep.options())?;
    let (mut view, mut end) = (
        ImportView {
            cluster: source.cluster.to_string(),
            source: source.id.clone(),
            events: 0,
            files: Vec::new(),
            skipped: skipped.iter().map(SkippedView::of).collect(),
            removed: None,
        },
        if skipped.is_empty() { End::Good } else { End::Found },
    );
    for named in named {
        let imported =
            named.open().and_then(|file| sallyport_feeds::import(&archive, &source, &file, args.ended));
        let file = match imported {
            Ok(imported) => {
                let is_less = imported.broken.is_some() || !imported.counts.bad.is_empty();
                if is_less && end == End::Good {
                    end = End::Found;
                }
                FileView::of(imported)
            }
            Err(error) => {
                end = End::Unanswered;
                FileView {
                    path: named.path.display().to_string(),
                    error: Some(error.to_string()),
                    ..FileView::default()
                }
            }
        };
        view.events += file.events;
        view.files.push(file);
        // After each: an archive that is too large would be for as long as there is something to read.
        if let Some(removed) = args.keep.retain(&archive)? {
            view.removed = Some(view.removed.unwrap_or_default().and(removed));
        }
    }
    archive.close();
    let text = match args.output {
        Answer::Text => told(&view),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, end))
}

/// Where files come from, by what somebody called it.
pub(super) fn source(id: Option<&str>, cluster: &ClusterName) -> Result<Source, Stop> {
    let id = source_id(id.unwrap_or(cluster.as_str()).to_owned())?;
    Ok(Source { id, cluster: cluster.clone() })
}

/// What a source may be called.
pub(super) fn source_id(id: String) -> Result<String, Stop> {
    if id.is_empty() || id.len() > SOURCE_MOST || id.chars().any(char::is_control) {
        return Err(Stop(format!(
            "--source: a name of 1 to {SOURCE_MOST} bytes, without control characters"
        )));
    }
    Ok(id)
}

/// That there is no file to read.
fn nothing(skipped: &[Skipped]) -> Stop {
    let passed_over = match skipped {
        [] => String::new(),
        [first, ..] => format!(
            " ({} passed over, such as `{}`, which is {}; links in folders are not followed: name what they lead to)",
            skipped.len(),
            clip(&visible(&first.path.display().to_string()), 4096),
            first.what
        ),
    };
    Stop(format!("there is no file in what was named{passed_over}"))
}

impl SkippedView {
    fn of(skipped: &Skipped) -> Self {
        Self { path: skipped.path.display().to_string(), what: skipped.what }
    }
}

impl FileView {
    fn of(imported: Imported) -> Self {
        let counts = imported.counts;
        Self {
            path: imported.path.display().to_string(),
            identity: imported.identity,
            from: imported.from,
            to: imported.to,
            lines: counts.lines,
            events: imported.events,
            partial: counts.partial,
            redactions: counts.redactions,
            foreign: counts.foreign,
            bad: counts.bad.values().sum(),
            bad_lines: imported.bad.iter().map(BadView::of).collect(),
            unended: imported.unended,
            error: imported.broken,
        }
    }
}

impl BadView {
    fn of(bad: &sallyport_feeds::BadHere) -> Self {
        let (line, offset) = (bad.position.line, bad.position.offset);
        Self { line, offset, why: bad.bad.why().to_owned() }
    }
}

/// Bad lines of a file that are told; JSON has more.
const TOLD: usize = 5;

fn told(view: &ImportView) -> String {
    let mut text = format!(
        "{}: {} kept of {}\n",
        view.cluster,
        count(view.events as usize, "event"),
        count(view.files.len(), "file")
    );
    for file in &view.files {
        let path = clip(&visible(&file.path), 4096);
        let mut parts = match (&file.error, file.to) {
            (Some(_), 0) => Vec::new(),
            _ if file.to == file.from && file.unended == 0 => vec!["nothing new".to_owned()],
            _ => vec![count(file.events as usize, "event")],
        };
        let mut some = |many: u64, what: &str| {
            if many > 0 {
                parts.push(format!("{many} {what}"));
            }
        };
        some(file.partial, "of them in part");
        some(file.redactions, "secrets taken out");
        some(file.foreign.values().sum(), "foreign");
        some(file.bad, "bad");
        // Writing to a String never fails.
        let _ = writeln!(text, "  {path}: {}", parts.join(", "));
        if let Some(error) = &file.error {
            let _ = writeln!(text, "    {}", visible(error));
        }
        for (kind, many) in &file.foreign {
            let _ = writeln!(text, "    foreign: {many} × {}", shown(kind));
        }
        for bad in file.bad_lines.iter().take(TOLD) {
            let _ = writeln!(text, "    line {}: {}", bad.line, bad.why);
        }
        if file.bad > TOLD as u64 {
            let _ = writeln!(text, "    and {} more that are bad", file.bad - TOLD as u64);
        }
        if file.unended > 0 {
            let _ = writeln!(
                text,
                "    its last line has not ended ({} bytes): it is read once it has, or with --ended",
                file.unended
            );
        }
    }
    if let Some(removed) = view.removed.and_then(|removed| removed.told()) {
        let _ = writeln!(text, "  {removed}");
    }
    for skipped in &view.skipped {
        let path = clip(&visible(&skipped.path), 4096);
        // Writing to a String never fails.
        let _ = writeln!(text, "  {path}: passed over, it is {}", skipped.what);
    }
    text
}
