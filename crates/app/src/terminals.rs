//! Scoped terminals: shells whose kubeconfig names nothing but the session's cluster.

use crate::core::{App, Core};
use crate::error::AppError;
use crate::host::Output;
use crate::session::Session;
use sallyport_audit::Action;
use sallyport_ipc::{TerminalSize, TerminalView};
use sallyport_model::{ErrorCode, SessionState};
use sallyport_terminal::{Acks, Attachment, Exit, Located, Size, Terminal, TerminalError, TerminalOptions};
use std::sync::{Arc, Mutex, PoisonError};

/// Most terminals of one session.
const MOST: usize = 16;

/// A terminal and who looks at it.
pub(crate) struct OpenTerminal {
    id: String,
    session: String,
    title: String,
    terminal: Terminal,
    acks: Mutex<Option<Acks>>,
    exit: Mutex<Option<Exit>>,
}

impl OpenTerminal {
    pub(crate) fn view(&self) -> TerminalView {
        let exit = self.exit.lock().unwrap_or_else(PoisonError::into_inner).clone();
        TerminalView {
            id: self.id.clone(),
            session: self.session.clone(),
            title: self.title.clone(),
            running: exit.is_none(),
            exit_code: exit.and_then(|e| e.code).and_then(|c| i32::try_from(c).ok()),
        }
    }

    /// Sends what was said and what follows to `output`, until nobody listens or another look takes over.
    fn show(&self, output: Output) {
        let attachment = self.terminal.attach();
        *self.acks.lock().unwrap_or_else(PoisonError::into_inner) = Some(attachment.acks());
        tokio::spawn(pump(attachment, output));
    }
}

async fn pump(mut attachment: Attachment, output: Output) {
    let before = std::mem::take(&mut attachment.scrollback);
    if !before.is_empty() && !output(before) {
        return;
    }
    while let Some(chunk) = attachment.next().await {
        if !output(chunk) {
            return;
        }
    }
}

impl App {
    /// Opens a shell on an open session.
    ///
    /// # Errors
    /// When the session is not open, has too many, or the shell does not start.
    pub async fn terminal_open(
        &self,
        session: String,
        size: TerminalSize,
        output: Output,
    ) -> Result<TerminalView, AppError> {
        let core = &self.0;
        let session =
            core.session(&session).filter(|s| s.state() == SessionState::Open).ok_or_else(|| {
                AppError::new(ErrorCode::SessionClosed, "this session is not open")
                    .hint("Open the cluster again.")
            })?;
        if session.terminals().len() >= MOST {
            return Err(
                AppError::failed(format!("a session has at most {MOST} terminals")).hint("Close one first.")
            );
        }
        let place = session.held().as_ref().and_then(|h| h.kubeconfig.as_ref().map(Located::of));
        let place = place.ok_or_else(|| {
            AppError::new(ErrorCode::SessionClosed, "this session has no kubeconfig any more")
                .hint("Open the cluster again.")
        })?;
        let spawned = Terminal::spawn(place, core.terminal_options(&session, size)).await;
        let terminal = spawned.map_err(not_started)?;
        let opened = Arc::new(OpenTerminal {
            id: uuid::Uuid::new_v4().to_string(),
            session: session.id.to_string(),
            title: format!("{:?}", terminal.shell()).to_lowercase(),
            terminal,
            acks: Mutex::new(None),
            exit: Mutex::new(None),
        });
        opened.show(output);
        session.terminals().insert(opened.id.clone(), opened.clone());
        if session.state() != SessionState::Open {
            // It was left in between.
            opened.terminal.close().await;
            return Err(AppError::new(ErrorCode::SessionClosed, "this session was closed in the meantime"));
        }
        core.recorder.note(core.draft(Action::TerminalOpen, &session).detail("shell", &opened.title)).await;
        self.clone().watch_exit(session.clone(), opened.clone());
        core.tell_session(&session);
        Ok(opened.view())
    }

    fn watch_exit(self, session: Arc<Session>, opened: Arc<OpenTerminal>) {
        tokio::spawn(async move {
            opened.terminal.wait().await;
            let exit = opened.terminal.close().await;
            *opened.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit.clone());
            let mut draft = self.0.draft(Action::TerminalExit, &session);
            if let Some(code) = exit.code {
                draft = draft.detail("code", code);
            }
            if let Some(signal) = &exit.signal {
                draft = draft.detail("signal", signal);
            }
            self.0.recorder.note(draft).await;
            self.0.tell_session(&session);
        });
    }

    /// Looks at a terminal again, from the start of its scrollback: after the window was reloaded.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub async fn terminal_attach(
        &self,
        terminal: String,
        size: TerminalSize,
        output: Output,
    ) -> Result<TerminalView, AppError> {
        let found = self.0.terminal(&terminal)?;
        found.terminal.resize(cells(size)).map_err(not_usable)?;
        found.show(output);
        Ok(found.view())
    }

    /// Types into a terminal.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn terminal_write(&self, terminal: String, data: String) -> Result<(), AppError> {
        self.0.terminal(&terminal)?.terminal.write(data.as_bytes()).await.map_err(not_usable)
    }

    /// Tells a terminal its new size.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn terminal_resize(&self, terminal: String, size: TerminalSize) -> Result<(), AppError> {
        self.0.terminal(&terminal)?.terminal.resize(cells(size)).map_err(not_usable)
    }

    /// Says that so many bytes were drawn, so that more may come.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub async fn terminal_ack(&self, terminal: String, bytes: u32) -> Result<(), AppError> {
        let found = self.0.terminal(&terminal)?;
        if let Some(acks) = &*found.acks.lock().unwrap_or_else(PoisonError::into_inner) {
            acks.ack(bytes as usize);
        }
        Ok(())
    }

    /// Ends a terminal with all that runs in it, and forgets it.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub async fn terminal_close(&self, terminal: String) -> Result<(), AppError> {
        let found = self.0.terminal(&terminal)?;
        found.terminal.close().await;
        if let Some(session) = self.0.session(&found.session) {
            session.terminals().remove(&terminal);
            self.0.tell_session(&session);
        }
        Ok(())
    }

    /// All terminals.
    ///
    /// # Errors
    /// None.
    pub async fn terminal_list(&self) -> Result<Vec<TerminalView>, AppError> {
        let views = |s: &Arc<Session>| s.terminals().values().map(|t| t.view()).collect::<Vec<_>>();
        Ok(self.0.all_sessions().iter().flat_map(views).collect())
    }

    /// Ends all terminals of a session; how many there were. Their scrollback stays readable until it is dismissed.
    pub(crate) async fn end_terminals(&self, session: &Session) -> usize {
        let all: Vec<_> = session.terminals().values().cloned().collect();
        let running = all.iter().filter(|t| t.view().running).count();
        futures::future::join_all(all.iter().map(|t| t.terminal.close())).await;
        running
    }
}

impl Core {
    fn terminal(&self, id: &str) -> Result<Arc<OpenTerminal>, AppError> {
        let found = self.all_sessions().iter().find_map(|s| s.terminals().get(id).cloned());
        found.ok_or_else(|| AppError::new(ErrorCode::SessionClosed, "there is no such terminal"))
    }

    fn terminal_options(&self, session: &Session, size: TerminalSize) -> TerminalOptions {
        let record = session.record();
        let wanted = &record.wanted;
        let end = record.end.and_then(|e| jiff::Timestamp::from_second(e).ok());
        let until =
            end.map(|e| format!(" · ends {}", e.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S")));
        TerminalOptions {
            shell: self.options.shell.clone(),
            size: cells(size),
            banner: vec![format!(
                "# {} · {} · {}{} · leave with Ctrl+Shift+L",
                wanted.cluster,
                wanted.scope,
                wanted.profile,
                until.unwrap_or_default()
            )],
            session: session.id.to_string(),
            kubectl_dir: self.options.kubectl_dir.clone(),
            ..TerminalOptions::default()
        }
    }
}

fn cells(size: TerminalSize) -> Size {
    Size { columns: size.cols.clamp(2, 1000), rows: size.rows.clamp(1, 1000) }
}

fn not_started(error: TerminalError) -> AppError {
    AppError::failed(error.to_string())
        .hint("Check your shell's start-up files, or set another shell.")
        .because(error)
}

fn not_usable(error: TerminalError) -> AppError {
    let code =
        if matches!(error, TerminalError::Ended) { ErrorCode::SessionClosed } else { ErrorCode::Failed };
    AppError::new(code, error.to_string()).because(error)
}
