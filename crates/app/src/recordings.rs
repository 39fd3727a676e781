//! What terminals showed, where a profile has that recorded: taken down while a session is open, kept sealed, and read again.
//! It knows no session: whoever begins a recording says what it is of.

mod entry;
mod handed;
mod taping;
mod view;

pub(crate) use taping::Taping;

use crate::desk::{AppError, Desk, vault};
use crate::history::Recorder;
use sallyport_audit::Draft;
use sallyport_ipc::{RecordingPage, RecordingView};
use sallyport_model::{ErrorCode, Recording, UserName};
use sallyport_recording::{About, Bounds, Key, Limits, Page, Recordings as Kept, Screen};
use sallyport_vault::Item;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked for what is too old or too much, while something is recorded.
const EVERY: Duration = Duration::from_secs(3600);

/// All of them.
pub(crate) struct Recordings {
    history: Recorder,
    kept: Kept,
    /// Those that were opened in this run, with the hashes that the history has of their parts: each is an entry, and nothing
    /// is read of one that is none.
    opened: Mutex<BTreeMap<(String, String), BTreeMap<u32, String>>>,
    /// When it was looked for what is too old or too much.
    looked: Mutex<Instant>,
}

impl Recordings {
    /// Those of this desktop.
    pub(crate) async fn new(desk: &Desk, history: Recorder) -> Self {
        // Without a keyring nothing is sealed: a key that dies with the process would leave recordings that nobody can read, and
        // what a profile wants recorded is to be there.
        let key = vault::key(&desk.vault, Item::RecordingKey).await;
        let key = key.map(|key| Key::new(*key.expose()));
        let kept = Kept::new(desk.dirs.data.join("recordings"), key, Bounds::default());
        Self { history, kept, opened: Mutex::default(), looked: Mutex::new(Instant::now()) }
    }

    /// Closes what an earlier run left open, and removes what is too old or too much; both are entries.
    pub(crate) async fn sweep(&self) {
        let kept = self.kept.clone();
        let swept =
            tokio::task::spawn_blocking(move || (kept.close_left(), kept.keep_within(Limits::default())));
        let Ok((left, removed)) = swept.await else { return };
        for one in left {
            for draft in entry::left(&one) {
                self.history.note(draft).await;
            }
        }
        for one in removed {
            self.history.note(entry::removed(&one)).await;
        }
    }

    /// Removes what is too old or too much, at most once an hour: an app may run for weeks, and what is too much fills the
    /// disk that calls are written down on.
    fn keep_within(self: &Arc<Self>) {
        let now = Instant::now();
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if now.duration_since(*looked) < EVERY {
                return;
            }
            *looked = now;
        }
        let own = self.clone();
        tokio::spawn(async move {
            let kept = own.kept.clone();
            let removed = tokio::task::spawn_blocking(move || kept.keep_within(Limits::default()));
            for one in removed.await.unwrap_or_default() {
                own.history.note(entry::removed(&one)).await;
            }
        });
    }

    /// Begins to record a terminal. `draft` makes an entry with all that those of its session join on; `changed` is called
    /// whenever it stops or goes on.
    ///
    /// # Errors
    /// When nothing can be written: then there must be no terminal either.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        about: About,
        screen: Screen,
        draft: impl Fn(sallyport_audit::Action) -> Draft + Send + Sync + 'static,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> Result<Arc<Taping>, AppError> {
        let (kept, input) = (self.kept.clone(), about.input);
        let terminal = about.terminal.clone();
        let begun = tokio::task::spawn_blocking(move || kept.begin(about, screen)).await;
        let wrong = || {
            AppError::failed("this profile has terminals recorded, and the recording can't be begun")
                .hint("Make room on the disk, or check the owner of the data directory, and open the terminal again.")
        };
        let (recorder, told) = begun.map_err(|e| wrong().because(e))?.map_err(|e| wrong().because(e))?;
        let taping = Arc::new(Taping::new(recorder, input));
        let own = self.clone();
        taping.follow(self.history.clone(), terminal, told, draft, changed, move || own.keep_within());
        Ok(taping)
    }

    /// What is kept of a session's terminals.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(crate) async fn list(&self, session: String) -> Result<Vec<RecordingView>, AppError> {
        let kept = self.kept.clone();
        let of = session.clone();
        let found = blocking(move || kept.of(&of)).await?;
        Ok(found.into_iter().map(|(terminal, index)| view::recording(&session, terminal, index)).collect())
    }

    /// Opens one to be watched, by whoever is signed in.
    ///
    /// # Errors
    /// When there is none, or its index can't be read.
    pub(crate) async fn open(
        &self,
        session: String,
        terminal: String,
        by: Option<&UserName>,
    ) -> Result<RecordingView, AppError> {
        let index = self.index(&session, &terminal).await?;
        self.history.note(entry::by(entry::watched(&index.about), by)).await;
        let noted = self.history.recorded(&session, &terminal).await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.insert((session.clone(), terminal.clone()), noted);
        drop(opened);
        Ok(view::recording(&session, terminal, Ok(index)))
    }

    async fn index(&self, session: &str, terminal: &str) -> Result<sallyport_recording::Index, AppError> {
        let (kept, session, terminal) = (self.kept.clone(), session.to_owned(), terminal.to_owned());
        let found = tokio::task::spawn_blocking(move || kept.index(&session, &terminal)).await;
        let unreadable = || {
            AppError::failed("the index of this recording can't be read")
                .hint("The history says which segments there were; the log has the details.")
        };
        found.map_err(|e| unreadable().because(e))?.map_err(|e| unreadable().because(e))?.ok_or_else(none)
    }

    /// A page of a segment.
    ///
    /// # Errors
    /// For one that was not opened, and when the disk can't be read.
    pub(crate) async fn page(
        &self,
        session: String,
        terminal: String,
        segment: u32,
        from: u32,
    ) -> Result<RecordingPage, AppError> {
        let named = (session, terminal);
        let noted = {
            let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            opened.get(&named).map(|noted| noted.get(&segment).cloned())
        };
        let noted = noted.ok_or_else(|| {
            AppError::new(ErrorCode::Failed, "this recording was not opened")
                .hint("Open it, which is noted in the history.")
        })?;
        let index = self.index(&named.0, &named.1).await?;
        let kept = self.kept.clone();
        let (page, index) = blocking(move || kept.page(&index, segment).map(|page| (page, index))).await?;
        // Whoever can change a part can change its index as well, and not what the history chains.
        let part = index.parts.iter().find(|part| part.number == segment);
        let is_another = part.zip(noted).is_some_and(|(part, noted)| part.sha256 != noted);
        let page = if is_another && page != Page::Missing { Page::Unreadable } else { page };
        Ok(view::page(&index, segment, page, from))
    }

    /// Deletes one, for whoever is signed in.
    ///
    /// # Errors
    /// When there is none, it goes on, or it could not be removed.
    pub(crate) async fn delete(
        &self,
        session: String,
        terminal: String,
        by: Option<&UserName>,
    ) -> Result<(), AppError> {
        // One whose index can't be read can be deleted too.
        let about = match self.index(&session, &terminal).await {
            Ok(index) if index.ends_ms.is_none() => {
                return Err(AppError::failed("this terminal is still recorded")
                    .hint("Close it first; what is recorded of it can be deleted then."));
            }
            Ok(index) => Some(index.about),
            Err(_) => None,
        };
        let kept = self.kept.clone();
        let gone = blocking(move || kept.remove(&session, &terminal)).await?.ok_or_else(none)?;
        self.history.note(entry::by(entry::deleted(&gone, about.as_ref()), by)).await;
        Ok(())
    }
}

/// What a recording is of.
pub(crate) fn about(
    (session, terminal): (&str, &str),
    cluster: &str,
    user: &str,
    shell: &str,
    recording: Recording,
) -> About {
    About {
        session: session.to_owned(),
        terminal: terminal.to_owned(),
        cluster: cluster.to_owned(),
        user: user.to_owned(),
        shell: shell.to_owned(),
        input: recording.takes_input(),
    }
}

fn none() -> AppError {
    AppError::failed("there is no such recording").hint("It may have been deleted; the history says when.")
}

async fn blocking<T: Send + 'static>(
    doing: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, AppError> {
    let unreadable = || {
        AppError::failed("the recordings on this computer can't be read or changed")
            .hint("Check the data directory and its owner; the log has the details.")
    };
    let done = tokio::task::spawn_blocking(doing).await.map_err(|e| unreadable().because(e))?;
    done.map_err(|e| unreadable().because(e))
}

#[cfg(test)]
mod tests;
