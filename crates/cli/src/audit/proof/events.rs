//! The clusters' events that go with a pack.

use super::args::Export;
use super::named;
use crate::audit::{open, stop};
use crate::end::Stop;
use sallyport_archive::{Bounds, Column, Filter};
use sallyport_report::handed::{Events, Lacks, Telling};
use sallyport_store::spare_file;
use std::fs::File;
use std::io::{BufWriter, Seek as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// What stands for no account at all: no session is called so.
const NOBODY: &str = "-";

/// What of an archive a selection means. `accounts`: those of its sessions; none where it names no session.
pub(super) fn filter(
    clusters: &[String],
    accounts: Option<&[String]>,
    from: Option<i64>,
    to: Option<i64>,
) -> Filter {
    // Of a call whose every stage is told, the end alone: each is told once.
    let mut filter = Filter::default().ended();
    filter = clusters.iter().fold(filter, |filter, cluster| filter.only(Column::Cluster, cluster));
    filter = match accounts {
        None => filter,
        Some([]) => filter.only(Column::Session, NOBODY),
        Some(some) => some.iter().fold(filter, |filter, account| filter.only(Column::Session, account)),
    };
    filter = from.into_iter().fold(filter, Filter::from);
    to.into_iter().fold(filter, Filter::to)
}

/// Events in a file without a name, from its beginning, and what is said of them.
pub(super) fn gathered(archive: &Path, filter: &Filter, args: &Export) -> Result<(Events, File), Stop> {
    let failed = |error: std::io::Error| Stop(format!("{} can't be written: {error}", named(&args.to)));
    let began = Instant::now();
    let left = || {
        let within = Duration::from_secs(args.within).saturating_sub(began.elapsed());
        Bounds { within, ..Bounds::default() }
    };
    let archive = open(archive, false)?;
    let of = archive.count(filter, &left()).map_err(stop)?;
    let mut telling = Telling::new(BufWriter::with_capacity(1 << 16, spare_file(&args.to).map_err(failed)?));
    let walked = telling.walk(|take| archive.each_raw(filter, &left(), take)).map_err(failed)?;
    let (said, out) = telling.end(Lacks::of(&of, &walked.map_err(stop)?));
    let mut file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    Ok((said, file))
}

/// What is said of them when the pack is made.
pub(super) fn told(said: &Events) -> String {
    let of = if said.clusters.is_empty() { String::new() } else { format!(" ({})", said.by_cluster()) };
    let mut text = format!(
        "  {} events of clusters go with it{of}; taken out of them because it looks like a secret: {}\n",
        said.events, said.redactions
    );
    for lack in said.lacks() {
        text.push_str(&format!("  {lack}\n"));
    }
    text.push_str(&format!(
        "  nobody signs which events these are: say their SHA-256 by another way too, `--events {}`\n",
        said.sha256
    ));
    text
}
