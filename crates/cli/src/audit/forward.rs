//! An archive's events to a log store, from where it has them, and a desktop's own steps beside them.

mod steps;

use super::args::ForwardArgs;
use super::{open, plain, pull, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use crate::say::say;
use crate::signals::Signals;
use sallyport_archive::{
    Archive, ArchiveError, Arrivals, Bounds, Call, CallId, Column, Filter, InPlace, Options,
};
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
use steps::Steps;

/// After the first try that failed; twice as long after each further one.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(15);
/// Between two looks for what is new.
const AGAIN: Duration = Duration::from_secs(1);
/// After one that failed.
const TROUBLE: Duration = Duration::from_secs(5);
/// So many of the newest events are tried, where a store takes none of the oldest.
const NEWEST: usize = 16;
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
    /// Entries of the desktop's history among what was sent.
    steps: u64,
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
    /// What stood in that place: one that has something else there is another archive. None of one that was written before
    /// this was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

pub(super) fn forward(args: &ForwardArgs) -> Result<(String, End), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(stop)?;
    let name = format!("{}#{}", args.to, args.store.tenant);
    let digest = String::from(Digest::of(name.as_bytes()));
    let folder = args.archive.clone();
    let path =
        args.position.clone().unwrap_or_else(|| folder.join(format!("forwarded-{}.json", &digest[..16])));
    let (after, what) =
        read_place(&path, &name)?.map_or((None, None), |place| (Some(place.after), place.what));
    let mut forwarding = Forwarding {
        args,
        engine: pull::engine(&args.to, &args.store)?,
        after: after.map(CallId::from_number),
        what,
        steps: args.history.as_ref().map(|_| Steps::from(&path, &name)).transpose()?,
        name,
        path,
        now: jiff::Timestamp::now().as_microsecond(),
        view: ForwardView { to: args.to.to_string(), ..ForwardView::default() },
    };
    if args.follow {
        runtime.block_on(forwarding.follow())?;
    } else {
        runtime.block_on(forwarding.all())?;
    }
    let view = forwarding.view;
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

struct Forwarding<'a> {
    args: &'a ForwardArgs,
    engine: Engine,
    after: Option<CallId>,
    /// What stood there.
    what: Option<String>,
    steps: Option<Steps>,
    name: String,
    path: PathBuf,
    now: i64,
    view: ForwardView,
}

impl Forwarding<'_> {
    /// All that is there now. What the store did not take is said in the view.
    async fn all(&mut self) -> Result<(), Stop> {
        self.view.error = None;
        let archive = match self.args.follow {
            false => open(&self.args.archive, false)?,
            true => match open_beside(&self.args.archive)? {
                Beside::Open(archive) => archive,
                Beside::InUse(why) => {
                    self.view.error = Some(why);
                    return Ok(());
                }
            },
        };
        let done = self.events(&archive).await;
        archive.close();
        done?;
        let patience = self.patience();
        if let (None, Some(history), Some(steps)) = (&self.view.error, &self.args.history, &mut self.steps) {
            loop {
                let records = steps.next(history)?;
                if records.is_empty() {
                    break;
                }
                let newest = || steps.newest().to_vec();
                match send(&self.engine, &records, &newest, patience).await {
                    Ok(pushed) => {
                        self.view.took(pushed);
                        self.view.steps += pushed.records;
                    }
                    Err(error) => {
                        self.view.error = Some(error.to_string());
                        break;
                    }
                }
                steps.taken(&self.name)?;
            }
        }
        Ok(())
    }

    /// For how long a store is tried. Who goes on anyway keeps nobody else from the archive meanwhile.
    fn patience(&self) -> Duration {
        if self.args.follow { Duration::ZERO } else { Duration::from_secs(self.args.patience) }
    }

    async fn events(&mut self, archive: &Archive) -> Result<(), Stop> {
        if let Some(after) = self.after {
            let found = archive.in_place(after).map_err(stop)?;
            let is_other = matches!((&found, &self.what), (InPlace::Call(found), Some(was)) if found != was);
            if found == InPlace::Never || is_other {
                return Err(of_another(&self.path, "archive"));
            }
        }
        let patience = self.patience();
        loop {
            let bounds = Bounds { within: LOOK, ..Bounds::default() };
            let answer =
                archive.arrivals(&Filter::default(), self.after, PUSH_MOST, &bounds).map_err(stop)?;
            self.view.unread_segments = answer.unread_segments;
            self.view.damaged += answer.damaged;
            let Arrivals { calls, upto } = answer.value;
            let Some(upto) = upto.filter(|_| upto != self.after) else {
                if !answer.is_whole {
                    return Err(Stop::new("the archive could not be read in time: try again"));
                }
                return Ok(());
            };
            let records = records(archive, &calls, self.now, &mut self.view.damaged)?;
            let now = self.now;
            let newest = || newest(archive, now);
            match send(&self.engine, &records, &newest, patience).await {
                Ok(pushed) => self.view.took(pushed),
                Err(error) => {
                    self.view.error = Some(error.to_string());
                    return Ok(());
                }
            }
            // After the store has said so: what is sent once more is better than what is not sent.
            self.what = match archive.in_place(upto).map_err(stop)? {
                InPlace::Call(what) => Some(what),
                InPlace::Gone | InPlace::Never => None,
            };
            let place = Position { to: self.name.clone(), after: upto.number(), what: self.what.clone() };
            write(&self.path, &place)?;
            self.after = Some(upto);
        }
    }

    /// Goes on until it is ended (SIGINT, SIGTERM). Between two looks others have the archive. While the store takes
    /// nothing, nothing is read: what waits stays in the archive and in the history.
    async fn follow(&mut self) -> Result<(), Stop> {
        let mut signals = Signals::new()?;
        let mut said = String::new();
        loop {
            let (looked, is_over) = tokio::select! {
                // What a store was sent and did not acknowledge is sent again by the next one.
                biased;
                () = signals.come() => (Ok(()), true),
                looked = self.all() => (looked, false),
            };
            if is_over {
                return Ok(());
            }
            looked?;
            let now = self.view.error.clone().unwrap_or_default();
            if now != said {
                let what = if now.is_empty() { "it goes on" } else { now.as_str() };
                say(&shown(what));
                said = now;
            }
            let wait = if said.is_empty() { AGAIN } else { TROUBLE };
            if signals.come_within(wait).await {
                return Ok(());
            }
        }
    }
}

enum Beside {
    Open(Archive),
    InUse(String),
}

/// An archive that somebody else may have open.
fn open_beside(dir: &Path) -> Result<Beside, Stop> {
    // One that is not there is said before anybody waits for it.
    if dir.is_dir() && Archive::is_in(dir).map_err(stop)? {
        match Archive::open(dir, Options::default()) {
            Err(error @ ArchiveError::Locked { .. }) => {
                return Ok(Beside::InUse(sallyport_model::visible(&error.to_string())));
            }
            opened => return opened.map(Beside::Open).map_err(stop),
        }
    }
    open(dir, false).map(Beside::Open)
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

/// Some that a store is tried with that takes none of those before; where they can't be read, it is not known to take any.
fn newest(archive: &Archive, now: i64) -> Vec<Record> {
    let page = archive.page(&Filter::default(), None, NEWEST, &Bounds { within: LOOK, ..Bounds::default() });
    let Ok(page) = page else { return Vec::new() };
    records(archive, &page.value.calls, now, &mut 0).unwrap_or_default()
}

/// In requests as large as stores take; tries again what may go better later.
async fn send(
    engine: &Engine,
    records: &[Record],
    newest: &dyn Fn() -> Vec<Record>,
    patience: Duration,
) -> Result<Pushed, EngineError> {
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
        match engine.push_each(some, async { newest() }).await {
            Ok(each) => {
                all.add(each.pushed);
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
fn read_place(path: &Path, name: &str) -> Result<Option<Position>, Stop> {
    let file = || shown(&path.display().to_string());
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Stop(format!("{} can't be read: {error}", file()))),
    };
    match serde_json::from_slice::<Position>(&text) {
        Ok(position) if position.to == name => Ok(Some(position)),
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

/// What is to be sent is not what the place is of: gone on from there, nothing would be sent for as long as it is shorter.
fn of_another(path: &Path, what: &str) -> Stop {
    Stop(format!(
        "{} says how far the store has the events of another {what}: this one was made anew, or is another's. Nothing was \
         sent. Remove that file to send all of it, or name another --position",
        shown(&path.display().to_string())
    ))
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
    fn took(&mut self, pushed: Pushed) {
        self.sent += pushed.records;
        self.clipped += pushed.clipped;
        self.rejected += pushed.rejected;
    }

    fn told(&self) -> String {
        let mut text = format!("{}: {} sent\n", shown(&self.to), count(self.sent as usize, "event"));
        let mut some = |many: u64, what: &str| {
            if many > 0 {
                text.push_str(&format!("  {many} {what}\n"));
            }
        };
        some(self.steps, "of them are steps of the desktop's own history");
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
