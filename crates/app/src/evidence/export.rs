//! Handing on: what a filter of the timeline selects, as a file for somebody else. What is written is read in pages as it is
//! written, so that it may be longer than the memory; until it is whole nothing stands under its name.

mod access;
mod events;
mod lines;
mod pack;
mod turn;
mod words;

pub(super) use turn::Exports;
pub(crate) use turn::GivenUp;

use super::filter::{self, Both};
use super::{Evidence, LacksView, number, or_lacks};
use crate::desk::{AppError, FileKind, parse_place};
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{ExportForm, ExportInput, ExportLook, ExportView, Shown, TimelineFilter};
use sallyport_model::{SessionId, UserName, is_plain_id, visible};
use sallyport_report::access::Reading;
use sallyport_report::handed::{EVENTS_SHA256, Measured, Segment, Tape};
use sallyport_store::{Filter as Entries, NewFile, PlaceError};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use turn::{Running, Turn};

/// Sessions whose recordings may go with one pack.
const SESSIONS_MOST: usize = 1000;

/// Reads a segment of a recording.
pub(crate) type ReadTape = Arc<dyn Fn(&Segment) -> io::Result<Tape> + Send + Sync>;

/// What other parts know and goes along.
pub(crate) struct Beside {
    /// Reads a segment of a recording, for a pack.
    pub(crate) tapes: ReadTape,
    /// What is kept of scans, for an access report.
    pub(crate) readings: Vec<Reading>,
}

/// The file that is written, as long as it is wanted.
struct Out {
    file: Measured<NewFile>,
    running: Arc<Running>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.running.until_stopped()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What was written.
#[derive(Debug, Default)]
struct Written {
    own: i64,
    calls: i64,
    recordings: i64,
    key: Option<String>,
    /// Of the clusters' events in a pack.
    events_sha256: Option<String>,
    lacks: Vec<String>,
}

/// Why nothing was written.
enum Failed {
    /// What the disk said, on writing.
    Disk(io::Error),
    /// Something else.
    Said(AppError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        Self::Said(error)
    }
}

/// What an entry says of who hands what on.
struct About {
    who: Option<UserName>,
    filter: TimelineFilter,
    /// The filter in words.
    said: String,
}

impl About {
    fn entry(&self, draft: Draft) -> Draft {
        words::about(draft, self.who.as_ref(), &self.filter)
    }
}

/// All that whoever writes needs.
struct Job {
    evidence: Arc<Evidence>,
    running: Arc<Running>,
    wanted: Both,
    /// Clusters' calls are wanted too.
    has_calls: bool,
    about: Arc<About>,
    input: ExportInput,
    path: PathBuf,
    sessions: BTreeSet<String>,
    beside: Beside,
}

impl Evidence {
    /// How much a filter selects. Of which sessions recordings are kept is not known here.
    pub(crate) async fn export_look(&self, filter: &TimelineFilter) -> Result<ExportLook, AppError> {
        let wanted = filter::parse(filter, &self.accounts_of(filter).await?)?;
        let own = self.own_count(&wanted).await?;
        let (calls, lacks) = self.calls_count(&wanted).await?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Ok(ExportLook {
            own: number(own),
            calls: number(calls),
            is_cut: may_be_more(&lacks),
            why: lacks.why,
            stores: if wanted.calls.is_some() { self.stores_named().await } else { Vec::new() },
            is_sealed: self.history.seal_public().is_some(),
            place: Shown::from(words::usual(home.as_deref(), crate::desk::now_ms()).display().to_string()),
            ..ExportLook::default()
        })
    }

    /// Whether a filter selects anything of a session.
    pub(crate) async fn selects_of(&self, filter: &TimelineFilter, session: &str) -> Result<bool, AppError> {
        let wanted = filter::parse(filter, &[])?;
        let Some(own) = wanted.own else { return Ok(false) };
        let session = SessionId::new(session);
        if own.session.as_ref().is_some_and(|only| *only != session) {
            return Ok(false);
        }
        let of = Entries { session: Some(session), ..own };
        let mut cursor = None;
        loop {
            let page = self.history.entries(of.clone(), cursor, 1).await?;
            cursor = page.next;
            if !page.entries.is_empty() || cursor.is_none() {
                return Ok(!page.entries.is_empty());
            }
        }
    }

    async fn own_count(&self, wanted: &Both) -> Result<u64, AppError> {
        match &wanted.own {
            Some(own) => self.history.count(own.clone()).await,
            None => Ok(0),
        }
    }

    async fn calls_count(&self, wanted: &Both) -> Result<(u64, LacksView), AppError> {
        let Some(calls) = wanted.calls.clone() else { return Ok((0, LacksView::default())) };
        let asked = self.ask("export", move |archive, bounds| archive.count(&calls, bounds));
        let (answer, why) = or_lacks(asked).await?;
        Ok(answer.map_or((0, why), |answer| (answer.value, super::lacks(&answer))))
    }

    async fn stores_named(&self) -> Vec<Shown> {
        let stores = self.desk.prefs.audit_stores().await.unwrap_or_default();
        stores.iter().map(|store| Shown::from(&store.address)).collect()
    }

    /// Writes a selection to a new file, for whoever sits here.
    ///
    /// # Errors
    /// For a place that can't be used or is taken, when nothing is selected, when another one is being written, when the history
    /// was tampered with, and what the disk said; nothing is left of it then.
    pub(crate) async fn export(
        self: &Arc<Self>,
        who: Option<&UserName>,
        input: ExportInput,
        beside: Beside,
    ) -> Result<ExportView, AppError> {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = parse_place(&input.place, home.as_deref(), kind(input.form))?;
        // Said before all is worked out; what comes there meanwhile is found when it is written.
        if path.symlink_metadata().is_ok() {
            return Err(taken(&path));
        }
        let sessions = sessions(&input)?;
        // From here on whoever signs out or quits ends it.
        let running = self.begin_export()?;
        let turn = Turn(self);
        let wanted = filter::parse(&input.filter, &self.accounts_of(&input.filter).await?)?;
        let own = self.own_count(&wanted).await?;
        let has_calls = wanted.calls.is_some()
            && match input.form {
                ExportForm::Pack => input.events,
                ExportForm::Report => false,
                ExportForm::Jsonl | ExportForm::Csv | ExportForm::Ocsf => true,
            };
        let (calls, lacks) =
            if has_calls { self.calls_count(&wanted).await? } else { (0, LacksView::default()) };
        // What could not be counted may be there.
        let is_none = own == 0 && calls == 0 && !may_be_more(&lacks) && sessions.is_empty();
        if is_none && input.form != ExportForm::Report {
            return Err(nothing(input.form));
        }
        // What is walked for a pack is all of the history.
        let of = if input.form == ExportForm::Pack { self.history.tip() } else { own };
        running.is_of(number(of.saturating_add(calls)));
        // A pack holds what is sealed, and no more.
        self.history.seal().await;
        // The report goes by time alone, over every cluster.
        let about = match input.form {
            ExportForm::Report => TimelineFilter {
                from_us: input.filter.from_us,
                to_us: input.filter.to_us,
                ..TimelineFilter::default()
            },
            _ => input.filter.clone(),
        };
        let said = words::words(&about);
        let recorded = words::sessions(&sessions);
        let stores = if has_calls { self.stores_named().await } else { Vec::new() };
        let form = input.form;
        let about = Arc::new(About { who: who.cloned(), filter: about, said });
        let job = Job {
            evidence: self.clone(),
            running: running.clone(),
            wanted,
            has_calls,
            about: about.clone(),
            input,
            path,
            sessions,
            beside,
        };
        let path = job.path.clone();
        let written = tokio::task::spawn_blocking(move || job.write()).await;
        let (mut written, bytes, sha256) = match written {
            Ok(Ok(written)) => written,
            Ok(Err(_)) if running.cancel.is_cancelled() => return Err(running.given_up()),
            Ok(Err(Failed::Said(error))) => return Err(error),
            Ok(Err(Failed::Disk(error))) => return Err(unwritten(&path, error)),
            Err(error) => return Err(unmade().because(error)),
        };
        drop(turn);
        if !stores.is_empty() {
            let stores: Vec<String> = stores.iter().map(ToString::to_string).collect();
            written.lacks.push(format!("what log stores have is not in it: {}", stores.join(", ")));
        }
        let draft = Draft::new(Action::Exported)
            .detail("format", words::form(form))
            .detail("filter", &about.said)
            .detail("entries", written.own)
            .detail("calls", written.calls)
            .detail("recordings", written.recordings)
            .detail("bytes", bytes)
            .detail("sha256", &sha256);
        let draft = match recorded.is_empty() {
            true => draft,
            false => draft.detail("recorded_sessions", &recorded),
        };
        let draft = match &written.events_sha256 {
            None => draft,
            Some(sha256) => draft.detail(EVENTS_SHA256, sha256),
        };
        // Without its entry nothing stays written.
        if let Err(error) = self.history.keep(about.entry(draft)).await {
            let gone = tokio::fs::remove_file(&path).await.is_ok();
            let hint = match gone {
                true => "The file is removed again. Make room on the disk, and try again.".to_owned(),
                false => format!("Remove {} by hand: no entry tells of it.", path.display()),
            };
            return Err(AppError::failed("the history did not take that it was handed on")
                .because(error)
                .hint(hint));
        }
        Ok(ExportView {
            place: Shown::from(&path.display().to_string()),
            own: written.own,
            calls: written.calls,
            recordings: written.recordings,
            bytes: number(bytes),
            sha256: Shown::from(&sha256),
            fingerprint: written.key.as_deref().map(Shown::from),
            lacks: written.lacks.iter().map(Shown::from).collect(),
        })
    }
}

impl Job {
    /// All of it, where blocking is allowed. Gives how many bytes there are, and their SHA-256.
    fn write(self) -> Result<(Written, u64, String), Failed> {
        let file = NewFile::begin(&self.path).map_err(|error| self.unplaced(error))?;
        let mut out = Out { file: Measured::new(file), running: self.running.clone() };
        let written = match self.input.form {
            ExportForm::Pack => self.pack(&mut out)?,
            ExportForm::Report => self.access(&mut out)?,
            ExportForm::Jsonl | ExportForm::Csv | ExportForm::Ocsf => self.lines(&mut out)?,
        };
        self.running.until_stopped()?;
        out.flush()?;
        let (bytes, sha256) = (out.file.bytes(), out.file.sha256());
        out.file.into_inner().place().map_err(|error| self.unplaced(error))?;
        Ok((written, bytes, sha256))
    }

    fn unplaced(&self, error: PlaceError) -> Failed {
        match error {
            PlaceError::Exists => Failed::Said(taken(&self.path)),
            PlaceError::Io(error) => Failed::Disk(error),
        }
    }
}

/// Whether calls may fit that could not be counted: for want of time, or because something is damaged.
fn may_be_more(lacks: &LacksView) -> bool {
    lacks.is_cut || lacks.damaged > 0 || lacks.unread_files > 0
}

/// The sessions whose recordings are wanted.
fn sessions(input: &ExportInput) -> Result<BTreeSet<String>, AppError> {
    if input.form != ExportForm::Pack {
        return Ok(BTreeSet::new());
    }
    if input.recordings.len() > SESSIONS_MOST || !input.recordings.iter().all(|id| is_plain_id(id)) {
        return Err(filter::bad(format!(
            "the recordings of at most {SESSIONS_MOST} sessions go with one pack, each named by its id"
        )));
    }
    Ok(input.recordings.iter().cloned().collect())
}

fn kind(form: ExportForm) -> FileKind {
    match form {
        ExportForm::Pack => FileKind { what: "an archive", ending: ".tar", example: "audit.tar" },
        ExportForm::Jsonl => {
            FileKind { what: "a file of JSON lines", ending: ".jsonl", example: "audit.jsonl" }
        }
        ExportForm::Csv => {
            FileKind { what: "a file for a spreadsheet", ending: ".csv", example: "audit.csv" }
        }
        ExportForm::Ocsf => {
            FileKind { what: "a file of OCSF events", ending: ".ocsf.jsonl", example: "audit.ocsf.jsonl" }
        }
        ExportForm::Report => FileKind { what: "a page", ending: ".html", example: "access.html" },
    }
}

fn nothing(form: ExportForm) -> AppError {
    match form {
        ExportForm::Pack => {
            filter::bad("no entry of this desktop's history fits, and nothing else was wanted in the pack")
                .hint("Take part of the filter away, or let the clusters' events go with the pack.")
        }
        _ => filter::bad("nothing fits the filter, so that there is nothing to write")
            .hint("Take part of the filter away."),
    }
}

fn taken(path: &Path) -> AppError {
    filter::bad(format!("there is something at {} already", shown(path)))
        .hint("Name another file; nothing is written over.")
}

/// What the disk said, on writing.
fn unwritten(path: &Path, error: io::Error) -> AppError {
    let (why, next) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            "the disk is full",
            "Make room, or name a place on another disk. Nothing is left of what was written.",
        ),
        io::ErrorKind::ReadOnlyFilesystem => ("that disk can only be read", "Name a place on another disk."),
        io::ErrorKind::PermissionDenied => {
            ("its folder is not yours", "Name a folder that you may write to.")
        }
        io::ErrorKind::NotFound => ("its folder is not there", "Make the folder, or name another one."),
        _ => ("the disk refused", "Check that the disk works. Nothing is left of what was written."),
    };
    AppError::failed(format!("{} could not be written: {why}", shown(path))).hint(next).because(error)
}

fn shown(path: &Path) -> String {
    visible(&path.display().to_string())
}

fn unmade() -> AppError {
    AppError::failed("Sallyport failed over what is kept").hint("Try again; if it fails again, report it.")
}

#[cfg(test)]
mod tests;
