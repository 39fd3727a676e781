//! Records of a log store into the archive.

use super::args::PullArgs;
use super::import::source_id;
use super::keep::RemovedView;
use super::times::{Since, told as moment};
use super::{open_as, plain, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use sallyport_archive::Source;
use sallyport_engine::Wanted;
use sallyport_feeds::{Pull, PulledIn};
use sallyport_report::words::{count, shown};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What became of a pull.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullView {
    /// The cluster whose API servers wrote it.
    cluster: String,
    /// What the source is called.
    source: String,
    /// What the question is called in the archive: store, tenant and filter.
    identity: String,
    /// From when on was looked, by the store's time.
    from: String,
    /// Up to when it is kept.
    to: String,
    /// Records that the store gave, those that were looked at again included.
    records: u64,
    /// Events that were kept.
    events: u64,
    /// Those of them that came late.
    late: u64,
    /// Events that were looked at again and are kept already.
    again: u64,
    /// Events of which something is missing.
    partial: u64,
    /// Secrets that were taken out.
    redactions: u64,
    /// What stood between the events, by kind: records of another cluster, records that were delivered twice.
    foreign: BTreeMap<String, u64>,
    /// Records that could not be read as events, by why.
    bad: BTreeMap<String, u64>,
    /// With `--keep-days` or `--keep-mib`: what was removed from the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<RemovedView>,
}

pub(super) fn pull(args: &PullArgs) -> Result<(String, End), Stop> {
    let id = args.source.clone().unwrap_or_else(|| format!("{}.{}", args.cluster, args.from.kind().name()));
    let source = Source { id: source_id(id)?, cluster: args.cluster.clone() };
    let engine = args.store.engine(&args.from)?;
    let now = jiff::Timestamp::now();
    let nanos = |when: Since| when.at(now).saturating_mul(1000);
    let Since::Ago(overlap) = args.overlap else {
        return Err(Stop::new("--overlap: a span such as 15m or 24h"));
    };
    let what = Pull {
        wanted: Wanted {
            filter: args.filter.clone(),
            words: args.word.clone(),
            label: args.label.clone(),
            ..Wanted::of(args.called.as_deref().unwrap_or(args.cluster.as_str()))
        },
        since: nanos(args.since),
        until: nanos(args.until.unwrap_or(Since::Ago(0))),
        overlap: overlap.saturating_mul(1000),
        again: args.again.map(nanos),
    };
    let archive = open_as(&args.archive, true, args.keep.options())?;
    let pulled = sallyport_feeds::pull(&archive, &source, &engine, &what);
    let removed = args.keep.retain(&archive);
    archive.close();
    let view = PullView { removed: removed?, ..PullView::of(&source, pulled.map_err(stop)?) };
    let end = if view.bad.is_empty() { End::Good } else { End::Found };
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, end))
}

impl PullView {
    fn of(source: &Source, pulled: PulledIn) -> Self {
        let counts = pulled.counts;
        Self {
            cluster: source.cluster.to_string(),
            source: source.id.clone(),
            identity: pulled.identity.trim_end_matches('/').to_owned(),
            from: moment(pulled.from / 1000),
            to: moment(pulled.to / 1000),
            records: pulled.records,
            events: pulled.events,
            late: pulled.late,
            again: pulled.again,
            partial: counts.partial,
            redactions: counts.redactions,
            foreign: counts.foreign,
            bad: counts.bad.iter().map(|(bad, many)| (bad.why().to_owned(), *many)).collect(),
            removed: None,
        }
    }

    fn told(&self) -> String {
        let mut text = format!(
            "{}: {} kept of {}, from {} to {}\n",
            self.cluster,
            count(self.events as usize, "event"),
            count(self.records as usize, "record"),
            self.from,
            self.to
        );
        let mut some = |many: u64, what: &str| {
            if many > 0 {
                // Writing to a String never fails.
                let _ = writeln!(text, "  {many} {what}");
            }
        };
        some(self.late, "of them came late");
        some(self.again, "were kept already");
        some(self.partial, "in part");
        some(self.redactions, "secrets taken out");
        for (kind, many) in &self.foreign {
            some(*many, &format!("× {}", shown(kind)));
        }
        for (why, many) in &self.bad {
            some(*many, &format!("bad: {why}"));
        }
        if let Some(removed) = self.removed.and_then(|removed| removed.told()) {
            let _ = writeln!(text, "  {removed}");
        }
        if self.records == 0 {
            text.push_str("  the store gave no record: it is asked for those whose field or label `cluster` names the cluster,\n");
            text.push_str("  unless --label, --called or --filter say otherwise\n");
        }
        text
    }
}
