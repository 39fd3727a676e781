//! An archive's events to a log store, from where it has them.

use super::args::ForwardArgs;
use super::{open, plain, pull, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use sallyport_archive::{Archive, ArchiveError, Arrivals, Bounds, Call, CallId, Column};
use sallyport_engine::{Engine, EngineError, PUSH_BYTES, PUSH_MOST, Pushed, Record};
use sallyport_model::{ClusterName, Digest};
use sallyport_report::words::{count, shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// After the first try that failed; twice as long after each further one.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(15);
/// For one look into the archive.
const LOOK: Duration = Duration::from_secs(60);

/// What became of it.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForwardView {
    /// The store.
    to: String,
    /// Events that it said it has, of those that were sent now.
    sent: u64,
    /// Those of them that were cut, because log stores do not take lines that long.
    clipped: u64,
    /// Events that it does not take.
    rejected: u64,
    /// Events that are damaged in the archive, and were passed over.
    damaged: u64,
    /// Segments of the archive that could not be opened: what is in them was not sent.
    unread_segments: usize,
    /// Why it broke off, if it did. What was sent until then is not sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// How far a store has them.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// Which store, with its tenant.
    to: String,
    /// The last event that it has.
    after: u64,
}

pub(super) fn forward(args: &ForwardArgs) -> Result<(String, End), Stop> {
    let engine = pull::engine(&args.to, &args.store)?;
    let archive = open(&args.archive, false)?;
    let name = format!("{}#{}", args.to, args.store.tenant);
    let path = args.position.clone().unwrap_or_else(|| {
        let digest = String::from(Digest::of(name.as_bytes()));
        args.archive.join(format!("forwarded-{}.json", &digest[..16]))
    });
    let mut after = read(&path, &name)?;
    let mut view = ForwardView { to: args.to.to_string(), ..ForwardView::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(stop)?;
    let now = jiff::Timestamp::now().as_microsecond();
    loop {
        let bounds = Bounds { within: LOOK, ..Bounds::default() };
        let answer = archive.arrivals(after, PUSH_MOST, &bounds).map_err(stop)?;
        view.unread_segments = answer.unread_segments;
        view.damaged += answer.damaged;
        let Arrivals { calls, upto } = answer.value;
        let Some(upto) = upto else {
            if !answer.is_whole {
                return Err(Stop::new("the archive could not be read in time: try again"));
            }
            break;
        };
        let records = records(&archive, &calls, now, &mut view.damaged)?;
        match runtime.block_on(send(&engine, &records, Duration::from_secs(args.patience))) {
            Ok(pushed) => {
                view.sent += pushed.records;
                view.clipped += pushed.clipped;
                view.rejected += pushed.rejected;
            }
            Err(error) => {
                view.error = Some(error.to_string());
                break;
            }
        }
        // After the store has said so: what is sent once more is better than what is not sent.
        write(&path, &Position { to: name.clone(), after: upto.number() })?;
        after = Some(upto);
    }
    archive.close();
    let lacks = view.rejected > 0 || view.damaged > 0 || view.unread_segments > 0;
    let end = match (&view.error, lacks) {
        (Some(_), _) => End::Unanswered,
        (None, true) => End::Found,
        (None, false) => End::Good,
    };
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, end))
}

fn records(archive: &Archive, calls: &[Call], now: i64, damaged: &mut u64) -> Result<Vec<Record>, Stop> {
    let ids: Vec<CallId> = calls.iter().map(|call| call.id).collect();
    let mut records = Vec::new();
    for (call, raw) in calls.iter().zip(archive.raws(&ids)) {
        let raw = match raw {
            Ok(raw) => raw,
            Err(error) if error.is_damage() || matches!(error, ArchiveError::Gone(_)) => {
                *damaged += 1;
                continue;
            }
            Err(error) => return Err(stop(error)),
        };
        let before = records.len();
        if let Ok(cluster) = call.text(Column::Cluster).parse::<ClusterName>() {
            Record::read(raw.as_bytes(), &cluster, now, &mut |record| records.push(record));
        }
        // What was read once and can't be any more is not what was written.
        *damaged += u64::from(records.len() == before);
    }
    Ok(records)
}

/// In requests as large as stores take; tries again what may go better later.
async fn send(engine: &Engine, records: &[Record], patience: Duration) -> Result<Pushed, EngineError> {
    let mut all = Pushed::default();
    let mut rest = records;
    let (mut began, mut pause) = (Instant::now(), FIRST);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|record| {
            bytes += record.event.len();
            bytes <= PUSH_BYTES
        });
        let (some, others) = rest.split_at(fits.count().max(1));
        match engine.push_each(some).await {
            Ok((pushed, _)) => {
                all.add(pushed);
                rest = others;
                (began, pause) = (Instant::now(), FIRST);
            }
            Err(error) => {
                let again = error.again().unwrap_or(pause).clamp(FIRST, LAST);
                if !error.is_passing() || began.elapsed() + again > patience {
                    return Err(error);
                }
                tokio::time::sleep(again).await;
                pause = (pause * 2).min(LAST);
            }
        }
    }
    Ok(all)
}

/// Where to go on. A file that can't be read is not passed over: it may be another store's.
fn read(path: &Path, name: &str) -> Result<Option<CallId>, Stop> {
    let file = || shown(&path.display().to_string());
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Stop(format!("{} can't be read: {error}", file()))),
    };
    match serde_json::from_slice::<Position>(&text) {
        Ok(position) if position.to == name => Ok(Some(CallId::from_number(position.after))),
        Ok(position) => Err(Stop(format!(
            "{} says how far {} has the events, which is another store: name another --position",
            file(),
            shown(&position.to)
        ))),
        Err(_) => Err(Stop(format!(
            "{} does not say how far a store has the events: remove it to send all of them again",
            file()
        ))),
    }
}

fn write(path: &Path, position: &Position) -> Result<(), Stop> {
    let temp: PathBuf = path.with_extension("new");
    let text = serde_json::to_vec(position).map_err(stop)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(&temp)
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temp, path))
        .map_err(|error| Stop(format!("{} can't be written: {error}", shown(&path.display().to_string()))))
}

impl ForwardView {
    fn told(&self) -> String {
        let mut text = format!("{}: {} sent\n", shown(&self.to), count(self.sent as usize, "event"));
        let mut some = |many: u64, what: &str| {
            if many > 0 {
                text.push_str(&format!("  {many} {what}\n"));
            }
        };
        some(self.clipped, "of them were cut, because log stores do not take lines that long");
        some(self.rejected, "are not taken by the store");
        some(self.damaged, "are damaged in the archive, and were passed over");
        some(self.unread_segments as u64, "segments of the archive could not be opened");
        if let Some(error) = &self.error {
            text.push_str(&format!(
                "  it broke off: {}; the next forward goes on from there\n",
                shown(error)
            ));
        }
        text
    }
}
