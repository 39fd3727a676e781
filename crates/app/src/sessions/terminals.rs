//! Scoped terminals: shells whose kubeconfig names nothing but the session's cluster.

use super::Sessions;
use super::session::{Place, Session};
use super::terminal::{EndedTerminals, OpenTerminal};
use crate::desk::{AppError, Output};
use crate::recordings::{self, Taping};
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{Shown, TerminalSize, TerminalView};
use sallyport_model::{Digest, ErrorCode, SessionState};
use sallyport_recording::Screen;
use sallyport_terminal::{Guard, Remark, Size, Tape, Terminal, TerminalError, TerminalOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::watch;

/// Most terminals of one session.
const MOST: usize = 16;
/// The subcommands of helm that read or write releases.
const HELM: &[&str] = &[
    "install",
    "upgrade",
    "uninstall",
    "delete",
    "rollback",
    "list",
    "ls",
    "status",
    "history",
    "get",
    "test",
];

impl Sessions {
    /// Opens a shell on an open session.
    ///
    /// # Errors
    /// When the session is not open, has too many, or the shell does not start.
    pub(crate) async fn terminal_open(
        self: &Arc<Self>,
        session: String,
        size: TerminalSize,
        output: Output,
    ) -> Result<TerminalView, AppError> {
        let closed = |what: &str| AppError::new(ErrorCode::Failed, what).hint("Open the cluster again.");
        let session = self.get(&session).ok().filter(|s| s.state() == SessionState::Open);
        let session = session.ok_or_else(|| closed("this session is not open"))?;
        if session.terminals().len() >= MOST {
            return Err(
                AppError::failed(format!("a session has at most {MOST} terminals")).hint("Close one first.")
            );
        }
        let place = session.place().ok_or_else(|| closed("this session has no kubeconfig any more"))?;
        let id = uuid::Uuid::new_v4().to_string();
        let mut options = self.terminal_options(&session, &place, size);
        let taping = self.tape(&session, &id, &options).await?;
        options.tape = taping.clone().map(|taping| taping as Arc<dyn Tape>);
        let terminal = match Terminal::spawn(place.kubeconfig, options).await {
            Ok(terminal) => terminal,
            Err(error) => {
                if let Some(taping) = taping {
                    taping.ended();
                }
                return Err(not_started(error));
            }
        };
        let opened = Arc::new(OpenTerminal {
            id,
            session: session.id.to_string(),
            title: format!("{:?}", terminal.shell()).to_lowercase(),
            terminal,
            taping,
            acks: Mutex::new(None),
            exit: Mutex::new(None),
        });
        opened.show(output);
        session.terminals().insert(opened.id.clone(), opened.clone());
        if session.state() != SessionState::Open {
            // It was left in between.
            opened.close().await;
            return Err(AppError::new(ErrorCode::Failed, "this session was closed in the meantime"));
        }
        self.history.note(session.draft(Action::TerminalOpen).detail("shell", &opened.title)).await;
        self.clone().watch_guard(&session, opened.terminal.guard_changes());
        self.clone().watch_exit(session.clone(), opened.clone());
        session.tell();
        Ok(opened.view())
    }

    /// Tells the window whether a terminal is guarded, and the history when it is not.
    fn watch_guard(self: Arc<Self>, session: &Arc<Session>, changes: watch::Receiver<Guard>) {
        let heard = async move |session: &Session, now| {
            if let Guard::NotGuarded(why) = now {
                let draft = session.draft(Action::TerminalUnguarded).detail("why", &why);
                self.history.note(draft).await;
            }
            session.tell();
        };
        tokio::spawn(each_change(Arc::downgrade(session), changes, heard));
    }

    /// That the person wants a terminal although it is not guarded: `why` is what they were told.
    ///
    /// # Errors
    /// When there is no such terminal, or something else is told of it by now.
    pub(crate) async fn terminal_take(&self, terminal: String, why: String) -> Result<(), AppError> {
        let found = self.terminal(&terminal)?;
        let taken = match found.terminal.guard() {
            // As they were shown it.
            Guard::NotGuarded(now) if *Shown::from(&now) == *why => found.terminal.take_unguarded(&now),
            _ => false,
        };
        if let (true, Ok(session)) = (taken, self.get(&found.session)) {
            self.history.note(session.draft(Action::TerminalTaken).detail("why", &why)).await;
            session.tell();
        }
        match found.terminal.guard() {
            Guard::NotGuarded(_) if !taken => {
                Err(AppError::failed("this terminal is not guarded for another reason by now")
                    .hint("Read what its tab says, and choose again."))
            }
            _ => Ok(()),
        }
    }

    fn watch_exit(self: Arc<Self>, session: Arc<Session>, opened: Arc<OpenTerminal>) {
        tokio::spawn(async move {
            opened.terminal.wait().await;
            let exit = opened.close().await.exit;
            *opened.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit.clone());
            let mut draft = session.draft(Action::TerminalExit);
            if let Some(code) = exit.code {
                draft = draft.detail("code", code);
            }
            if let Some(signal) = &exit.signal {
                draft = draft.detail("signal", signal);
            }
            self.history.note(draft).await;
            session.tell();
        });
    }

    /// Looks at a terminal again, from the start of its scrollback: after the window was reloaded.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub(crate) async fn terminal_attach(
        &self,
        terminal: String,
        size: TerminalSize,
        output: Output,
    ) -> Result<TerminalView, AppError> {
        let found = self.terminal(&terminal)?;
        found.terminal.resize(cells(size)).map_err(not_usable)?;
        found.show(output);
        Ok(found.view())
    }

    /// Types into a terminal.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) async fn terminal_write(&self, terminal: String, data: String) -> Result<(), AppError> {
        let found = self.terminal(&terminal)?;
        // What can't be recorded must not happen, in no terminal of the session.
        let stopped = self.get(&found.session).ok().and_then(|session| session.recording_stopped());
        if let Some(why) = stopped {
            return Err(not_recorded(&why));
        }
        found.terminal.write(data.as_bytes()).await.map_err(not_usable)
    }

    /// Tells a terminal its new size.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) async fn terminal_resize(&self, terminal: String, size: TerminalSize) -> Result<(), AppError> {
        self.terminal(&terminal)?.terminal.resize(cells(size)).map_err(not_usable)
    }

    /// Says that so many bytes were drawn, so that more may come.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub(crate) async fn terminal_ack(&self, terminal: String, bytes: u32) -> Result<(), AppError> {
        let found = self.terminal(&terminal)?;
        if let Some(acks) = &*found.acks.lock().unwrap_or_else(PoisonError::into_inner) {
            acks.ack(bytes as usize);
        }
        Ok(())
    }

    /// Ends a terminal with all that runs in it, and forgets it.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub(crate) async fn terminal_close(&self, terminal: String) -> Result<(), AppError> {
        let found = self.terminal(&terminal)?;
        found.close().await;
        if let Ok(session) = self.get(&found.session) {
            session.terminals().remove(&terminal);
            session.tell();
        }
        Ok(())
    }

    /// All terminals.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn terminal_list(&self) -> Result<Vec<TerminalView>, AppError> {
        let views = |s: &Arc<Session>| s.terminal_views();
        Ok(self.all().iter().flat_map(views).collect())
    }

    /// Begins to record a terminal, where the session's terms say so.
    async fn tape(
        &self,
        session: &Arc<Session>,
        id: &str,
        options: &TerminalOptions,
    ) -> Result<Option<Arc<Taping>>, AppError> {
        let terms = session.read(|record| record.choice.terms.clone());
        let Some(recording) = terms.recording else { return Ok(None) };
        let shell = options.shell.clone().or_else(sallyport_terminal::own);
        let shell = shell.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let of = (session.id.as_str(), id);
        let about = recordings::about(of, terms.cluster.as_str(), terms.user.as_str(), &shell, recording);
        let (weak, plain) = (Arc::downgrade(session), session.id.clone());
        let changed = weak.clone();
        // Listening to a recording does not keep its session.
        let draft = move |action| match weak.upgrade() {
            Some(session) => session.draft(action),
            None => Draft::new(action).session(&plain),
        };
        let changed = move || {
            if let Some(session) = changed.upgrade() {
                session.tell();
            }
        };
        let screen = Screen::new(options.size.columns, options.size.rows);
        self.recordings.begin(about, screen, draft, changed).await.map(Some)
    }

    fn terminal(&self, id: &str) -> Result<Arc<OpenTerminal>, AppError> {
        let found = self.all().iter().find_map(|s| s.terminals().get(id).cloned());
        found.ok_or_else(|| AppError::new(ErrorCode::Failed, "there is no such terminal"))
    }

    fn terminal_options(&self, session: &Session, place: &Place, size: TerminalSize) -> TerminalOptions {
        let desk = &self.desk;
        let (choice, scope, end) =
            session.read(|record| (record.choice.clone(), record.given.scope.clone(), record.end));
        let end = end.and_then(|e| jiff::Timestamp::from_second(e).ok());
        let until =
            end.map(|e| format!(" · ends {}", e.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S")));
        TerminalOptions {
            shell: desk.shell(),
            size: cells(size),
            banner: vec![format!(
                "# {} · {} · {}{} · leave with Ctrl+Shift+L",
                choice.terms.cluster,
                scope,
                choice.terms.profile,
                until.unwrap_or_default()
            )],
            session: session.id.to_string(),
            kubectl_dir: desk.options.kubectl_dir.clone(),
            cache_dir: Some(self.cache_of(
                session.hub.workspace().as_str(),
                choice.terms.cluster.as_str(),
                &place.target,
            )),
            elsewhere: vec![desk.dirs.programs()],
            remarks: remarks(place.helm_misses),
            ..TerminalOptions::default()
        }
    }

    /// Where tools keep what they learn of a cluster: never of two, even if they are called the same at two hubs, or one
    /// after the other at one.
    fn cache_of(&self, hub: &str, cluster: &str, target: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
        let hub: String = hub.trim_start_matches("https://").chars().map(plain).take(120).collect();
        let server: String = Digest::of(target.as_bytes()).to_string().chars().take(8).collect();
        let caches = self.desk.dirs.data.join("kubectl-cache");
        caches.join(format!("hub-{hub}")).join(format!("{cluster}_{server}"))
    }
}

impl Session {
    /// Its terminals, for the window. A recording that can't be written stops what is typed into all that are recorded.
    pub(super) fn terminal_views(&self) -> Vec<TerminalView> {
        let stopped = self.recording_stopped();
        let view = |terminal: &Arc<OpenTerminal>| {
            let mut view = terminal.view();
            if let (Some(recording), Some(why)) = (&mut view.recording, &stopped)
                && recording.stopped.is_none()
            {
                recording.stopped = Some(why.into());
            }
            view
        };
        self.terminals().values().map(view).collect()
    }

    /// Why one of its recordings can't be written, if so.
    fn recording_stopped(&self) -> Option<String> {
        self.terminals().values().find_map(|terminal| terminal.taping.as_ref()?.stopped())
    }

    /// Ends all its terminals with all that was started in them. Their scrollback stays readable until it is dismissed.
    pub(super) async fn end_terminals(&self) -> EndedTerminals {
        let all: Vec<_> = self.terminals().values().cloned().collect();
        let ended = all.iter().filter(|t| t.view().running).count();
        let closed = futures::future::join_all(all.iter().map(|t| t.close())).await;
        EndedTerminals { ended, left: closed.into_iter().flat_map(|closed| closed.left).collect() }
    }
}

/// Hears what is so and each change, until the changes end or what they are of is gone: listening must not keep it.
async fn each_change<T, V: Clone>(of: Weak<T>, mut changes: watch::Receiver<V>, heard: impl AsyncFn(&T, V)) {
    loop {
        let now = changes.borrow_and_update().clone();
        let Some(of) = of.upgrade() else { return };
        heard(&of, now).await;
        drop(of);
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// What is said before a tool runs that will miss something.
fn remarks(helm: Option<&'static str>) -> Vec<Remark> {
    let of_helm = |words: &'static str| Remark {
        tool: "helm".to_owned(),
        at: HELM.iter().map(ToString::to_string).collect(),
        unless: "HELM_DRIVER".to_owned(),
        words: format!("sallyport: {words}"),
    };
    helm.map(of_helm).into_iter().collect()
}

fn cells(size: TerminalSize) -> Size {
    Size { columns: size.cols.clamp(2, 1000), rows: size.rows.clamp(1, 1000) }
}

fn not_started(error: TerminalError) -> AppError {
    AppError::failed(error.to_string())
        .hint("Check your shell's start-up files, or set another shell.")
        .because(error)
}

/// Nothing is typed while it can't be recorded.
fn not_recorded(why: &str) -> AppError {
    AppError::failed(format!(
        "nothing was typed: this session is recorded, and the recording can't be written: {why}"
    ))
    .hint("Make room on the disk: the recording then goes on by itself, with all that was shown meanwhile.")
}

fn not_usable(error: TerminalError) -> AppError {
    let unguarded = matches!(error, TerminalError::NotGuarded(_));
    let failed = AppError::failed(error.to_string()).because(error);
    if unguarded {
        failed.hint("Close this terminal, or say in its tab that you use it as it is.")
    } else {
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fault_d1_listening_to_a_guard_does_not_keep_its_session() {
        let session = Arc::new(());
        let (tell, changes) = watch::channel(0);
        let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
        let said = async move |(): &(), now| heard.send(now).unwrap();
        let listening = tokio::spawn(each_change(Arc::downgrade(&session), changes, said));
        for now in 0..3 {
            tell.send_replace(now);
            while hears.recv().await != Some(now) {}
        }
        let gone = async {
            let mut session = session;
            // It is held only while it is told of.
            while let Err(kept) = Arc::try_unwrap(session) {
                session = kept;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), gone).await.expect("it is kept");
        tell.send_replace(3);
        tokio::time::timeout(std::time::Duration::from_secs(5), listening).await.unwrap().unwrap();
        assert_eq!(hears.recv().await, None);
    }

    #[test]
    fn fault_c9_helm_says_it_before_it_fails() {
        assert_eq!(remarks(None), []);
        let said = remarks(Some("helm misses something."));
        assert_eq!((said.len(), said[0].words.as_str()), (1, "sallyport: helm misses something."));
        assert!(said[0].at.contains(&"upgrade".to_owned()) && !said[0].at.contains(&"template".to_owned()));
    }
}
