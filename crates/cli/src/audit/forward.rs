//! An archive's events to a log store, from where it has them, and a desktop's own steps beside them.

mod heads;
mod steps;

use super::args::ForwardArgs;
use super::{open, plain, stop};
use crate::answer::{self, Answer};
use crate::end::{End, Stop};
use crate::say::say;
use crate::signals::Signals;
use heads::{Head, Heads};
use sallyport_archive::{
    Archive, ArchiveError, Arrivals, Bounds, Call, CallId, Column, Filter, InPlace, Options,
};
use sallyport_engine::{Engine, EngineError, PUSH_BYTES, PUSH_MOST, Pushed, Record};
use sallyport_model::{ClusterName, Digest};
use sallyport_report::words::{count, shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};
use steps::Steps;

/// After the first try that failed; twice as long after each further one.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(15);
/// Between two looks for what is new.
const AGAIN: Duration = Duration::from_secs(1);
/// After one that failed.
const TROUBLE: Duration = Duration::from_secs(5);
/// So long a store may take, and nobody else has the archive meanwhile.
const HOLD: Duration = Duration::from_millis(500);
/// For the last word, when it is ended.
const PARTING: Duration = Duration::from_secs(3);
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
    /// Anchors: signed checkpoints that say how the desktop's history was, which `verify --anchors` holds it to.
    anchors: u64,
    /// Nothing of the desktop's history is sealed (it has no key), so that nobody can be told how it was.
    unsealed: bool,
    /// What is wrong with the last checkpoint of the desktop's history, so that there is no anchor to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_checkpoint: Option<String>,
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
        engine: args.store.engine(&args.to)?,
        after: after.map(CallId::from_number),
        what,
        steps: args.history.as_ref().map(|_| Steps::from(&path, &name)).transpose()?,
        heads: args.history.as_ref().map(|_| Heads::from(&path, &name)).transpose()?,
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
    let lacks =
        view.rejected > 0 || view.damaged > 0 || view.unread_segments > 0 || view.broken_checkpoint.is_some();
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
    heads: Option<Heads>,
    name: String,
    path: PathBuf,
    now: i64,
    view: ForwardView,
}

impl Forwarding<'_> {
    /// All that is there now. What the store did not take is said in the view.
    async fn all(&mut self) -> Result<(), Stop> {
        self.view.error = None;
        if let Some(archive) = self.opened()? {
            self.events(archive).await?;
        }
        if self.view.error.is_some() {
            return Ok(());
        }
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
        // Last, so that it is over the steps that were sent, as far as they are sealed.
        if self.view.error.is_none() { self.head().await } else { Ok(()) }
    }

    /// How the history is, where that is not what the store was told last.
    async fn head(&mut self) -> Result<(), Stop> {
        let patience = self.patience();
        let (Some(history), Some(heads)) = (&self.args.history, &mut self.heads) else { return Ok(()) };
        self.view.broken_checkpoint = None;
        match heads.next(history)? {
            Head::New(record) => {
                let none = Vec::new;
                match send(&self.engine, &[*record], &none, patience).await {
                    Ok(pushed) => {
                        self.view.anchors += pushed.records;
                        heads.taken(&self.name)?;
                    }
                    Err(error) => self.view.error = Some(error.to_string()),
                }
            }
            Head::Known => {}
            Head::Never => self.view.unsealed = true,
            Head::Broken(why) => self.view.broken_checkpoint = Some(why),
        }
        Ok(())
    }

    /// The archive; none where somebody else has it, which is said in the view.
    fn opened(&mut self) -> Result<Option<Archive>, Stop> {
        if !self.args.follow {
            return open(&self.args.archive, false).map(Some);
        }
        match open_beside(&self.args.archive)? {
            Beside::Open(archive) => Ok(Some(archive)),
            Beside::InUse(why) => {
                self.view.error = Some(why);
                Ok(None)
            }
        }
    }

    /// For how long a store is tried. Who goes on anyway keeps nobody else from the archive meanwhile.
    fn patience(&self) -> Duration {
        if self.args.follow { Duration::ZERO } else { Duration::from_secs(self.args.patience) }
    }

    /// All events that are there. Whoever follows lets others have the archive while a store takes its time.
    async fn events(&mut self, archive: Archive) -> Result<(), Stop> {
        let (patience, now) = (self.patience(), self.now);
        let hold = if self.args.follow { HOLD } else { Duration::MAX };
        let held = RefCell::new(Some(archive));
        let dir = self.args.archive.clone();
        let newest = || match &*held.borrow() {
            Some(archive) => newest(archive, now),
            None => match open_beside(&dir) {
                Ok(Beside::Open(archive)) => newest(&archive, now),
                Ok(Beside::InUse(_)) | Err(_) => Vec::new(),
            },
        };
        loop {
            if held.borrow().is_none() {
                let opened = self.opened()?;
                held.replace(opened);
            }
            let next = match &*held.borrow() {
                Some(archive) => self.next(archive)?,
                None => return Ok(()),
            };
            let Some(Next { records, upto, what }) = next else {
                close(&held);
                return Ok(());
            };
            let sent = {
                let mut sending = pin!(send(&self.engine, &records, &newest, patience));
                match tokio::time::timeout(hold, &mut sending).await {
                    Ok(sent) => sent,
                    Err(_) => {
                        close(&held);
                        sending.await
                    }
                }
            };
            match sent {
                Ok(pushed) => self.view.took(pushed),
                Err(error) => {
                    self.view.error = Some(error.to_string());
                    close(&held);
                    return Ok(());
                }
            }
            // After the store has said so: what is sent once more is better than what is not sent.
            self.what = what;
            let place = Position { to: self.name.clone(), after: upto.number(), what: self.what.clone() };
            write(&self.path, &place)?;
            self.after = Some(upto);
        }
    }

    /// What the store is to have next; none where it has all of it.
    fn next(&mut self, archive: &Archive) -> Result<Option<Next>, Stop> {
        if let Some(after) = self.after {
            let found = archive.in_place(after).map_err(stop)?;
            let is_other = matches!((&found, &self.what), (InPlace::Call(found), Some(was)) if found != was);
            if found == InPlace::Never || is_other {
                return Err(of_another(&self.path, "archive"));
            }
        }
        let bounds = Bounds { within: LOOK, ..Bounds::default() };
        let answer = archive.arrivals(&Filter::default(), self.after, PUSH_MOST, &bounds).map_err(stop)?;
        self.view.unread_segments = answer.unread_segments;
        self.view.damaged += answer.damaged;
        let Arrivals { calls, upto } = answer.value;
        let Some(upto) = upto.filter(|_| upto != self.after) else {
            if !answer.is_whole {
                return Err(Stop::new("the archive could not be read in time: try again"));
            }
            return Ok(None);
        };
        let records = records(archive, &calls, self.now, &mut self.view.damaged)?;
        let what = match archive.in_place(upto).map_err(stop)? {
            InPlace::Call(what) => Some(what),
            InPlace::Gone | InPlace::Never => None,
        };
        Ok(Some(Next { records, upto, what }))
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
                return self.at_its_end().await;
            }
            looked?;
            let ForwardView { error, broken_checkpoint, .. } = &self.view;
            let now = error.as_ref().or(broken_checkpoint.as_ref()).cloned().unwrap_or_default();
            if now != said {
                let what = if now.is_empty() { "it goes on" } else { now.as_str() };
                say(&shown(what));
                said = now;
            }
            let wait = if self.view.error.is_none() { AGAIN } else { TROUBLE };
            if signals.come_within(wait).await {
                return self.at_its_end().await;
            }
        }
    }

    /// What the app sealed as it ended, a moment before us: as far as the store takes it at once.
    async fn at_its_end(&mut self) -> Result<(), Stop> {
        match tokio::time::timeout(PARTING, self.head()).await {
            Ok(told) => told,
            Err(_) => Ok(()),
        }
    }
}

/// Some events, and where they end.
struct Next {
    records: Vec<Record>,
    upto: CallId,
    /// What stands in that place.
    what: Option<String>,
}

fn close(held: &RefCell<Option<Archive>>) {
    if let Some(archive) = held.take() {
        archive.close();
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
        some(self.anchors, "anchors beside them say how the desktop's history was");
        some(
            u64::from(self.unsealed),
            "history without a key: nothing of it is sealed, and there is no anchor to send",
        );
        some(self.clipped, "of them were cut, because log stores do not take lines that long");
        some(self.rejected, "are not taken by the store");
        some(self.damaged, "are damaged in the archive, and were passed over");
        some(self.unread_segments as u64, "segments of the archive could not be opened");
        if let Some(why) = &self.broken_checkpoint {
            text.push_str(&format!("  {}\n", shown(why)));
        }
        if let Some(error) = &self.error {
            text.push_str(&format!(
                "  it broke off: {}; the next forward goes on from there\n",
                shown(error)
            ));
        }
        text
    }
}
