//! The window's commands: each is its part's own function, in the order of the list in `sallyport-ipc`.

use crate::app::App;
use crate::desk::{AppError, Output};
use crate::sessions::{End, HubOf};
use sallyport_ipc::{
    AppState, AuditFilter, AuditPage, ClusterDetail, ClustersView, OpenInput, SessionView, SettingsView,
    StepUp, TerminalSize, TerminalView, Theme, VerifyView, WorkspacePreview,
};
use sallyport_model::{ClusterName, ErrorCode, NameError};
use std::sync::Arc;

impl App {
    /// Everything around the views.
    ///
    /// # Errors
    /// None; the window's commands all have the same shape.
    pub async fn app_state(&self) -> Result<AppState, AppError> {
        Ok(self.state())
    }

    /// Chooses a theme and remembers it.
    ///
    /// # Errors
    /// When it can't be remembered.
    pub async fn theme_set(&self, theme: Theme) -> Result<(), AppError> {
        self.0.desk.set_theme(theme).await
    }

    /// Chooses the size of terminals' text, in CSS pixels; one out of bounds is the nearest within.
    ///
    /// # Errors
    /// When it can't be remembered.
    pub async fn font_size_set(&self, size: u8) -> Result<(), AppError> {
        self.0.desk.set_font_size(size).await
    }

    /// Chooses the shell of new terminals; none: the person's own.
    ///
    /// # Errors
    /// [`ErrorCode::BadInput`] for what this machine does not list as a shell; when it can't be remembered.
    pub async fn shell_set(&self, path: Option<String>) -> Result<(), AppError> {
        self.0.desk.set_shell(path).await
    }

    /// What can be chosen, and what is kept where.
    ///
    /// # Errors
    /// None.
    pub async fn settings(&self) -> Result<SettingsView, AppError> {
        Ok(self.0.desk.settings())
    }

    /// What a workspace file would do. Contacts nobody.
    ///
    /// # Errors
    /// [`ErrorCode::BadInput`] for a file that is none, [`ErrorCode::Forbidden`] for a second hub of a known client.
    pub async fn workspace_preview(&self, text: String) -> Result<WorkspacePreview, AppError> {
        self.0.person.preview(&text)
    }

    /// Joins a team: the file is stored, and sign-ins go to its hub from now on.
    ///
    /// # Errors
    /// As [`App::workspace_preview`]; while someone is signed in to another workspace.
    pub async fn workspace_join(&self, text: String) -> Result<AppState, AppError> {
        self.0.person.join(&text).await?;
        Ok(self.state())
    }

    /// Joins the demo fleet that this app was started beside.
    ///
    /// # Errors
    /// When there is none, or its file can't be used.
    pub async fn demo_workspace(&self) -> Result<AppState, AppError> {
        self.0.person.join_demo().await?;
        Ok(self.state())
    }

    /// Signs in through the person's browser; with `step`, again and stronger. Ends when the hub has said who this is.
    ///
    /// # Errors
    /// Everything between here and there, each with what to do next. A sign-in that is under way is left alone.
    pub async fn sign_in(&self, step: Option<StepUp>) -> Result<AppState, AppError> {
        self.0.person.sign_in(step).await?;
        Ok(self.state())
    }

    /// Ends a sign-in under way.
    ///
    /// # Errors
    /// None.
    pub async fn sign_in_cancel(&self) -> Result<(), AppError> {
        self.0.person.sign_in_cancel();
        Ok(())
    }

    /// The list. Contacts nobody: it is what the watches brought (promise P6).
    ///
    /// # Errors
    /// None; before the hub's first answer it is empty and says so.
    pub async fn clusters_list(&self) -> Result<ClustersView, AppError> {
        Ok(self.0.inventory.list().await)
    }

    /// One cluster with what may be asked for there.
    ///
    /// # Errors
    /// When the hub knows no such cluster.
    pub async fn cluster_detail(&self, name: String) -> Result<ClusterDetail, AppError> {
        self.0.inventory.detail(&name).await
    }

    /// Pins or unpins a cluster.
    ///
    /// # Errors
    /// When it can't be remembered.
    pub async fn cluster_pin(&self, name: String, on: bool) -> Result<(), AppError> {
        self.0.inventory.pin(&name, on).await
    }

    /// Opens a cluster. Returns at once with the session; its steps are told as they happen. A second click on a
    /// cluster that is open or opening under the same profile shows the same session.
    ///
    /// # Errors
    /// What stands in the way before anything was asked: not signed in, no such cluster or profile, a reason needed.
    pub async fn session_open(&self, input: OpenInput) -> Result<SessionView, AppError> {
        let (person, sessions) = (&self.0.person, &self.0.sessions);
        let signed = person.signed()?;
        let named = |e: NameError| AppError::new(ErrorCode::BadInput, e.to_string());
        let cluster: ClusterName = input.cluster.parse().map_err(named)?;
        // A click that names nothing but the cluster shows what is open there.
        if input.profile.is_none()
            && let Some(open) = sessions.open_on(&signed.workspace, &cluster)
        {
            return Ok(open.view());
        }
        let choice = self.0.inventory.choose(&signed.who.user, &cluster, &input).await?;
        let hub = Arc::new(HubOf::new(person.clone(), signed));
        Ok(sessions.open(hub, choice)?.view())
    }

    /// Gives up an opening that is under way; what was made for it is withdrawn.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn session_cancel(&self, id: String) -> Result<(), AppError> {
        self.session_leave(id).await
    }

    /// Leaves a session, or gives up one that is opening. Returns at once; the proof is told.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn session_leave(&self, id: String) -> Result<(), AppError> {
        self.0.sessions.get(&id)?.end(End::left());
        Ok(())
    }

    /// All sessions.
    ///
    /// # Errors
    /// None.
    pub async fn sessions_list(&self) -> Result<Vec<SessionView>, AppError> {
        Ok(self.0.sessions.views())
    }

    /// Forgets a session that is over: its closing report was read.
    ///
    /// # Errors
    /// While it is not over.
    pub async fn session_dismiss(&self, id: String) -> Result<(), AppError> {
        self.0.sessions.dismiss(&id)
    }

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
        self.0.sessions.terminal_open(session, size, output).await
    }

    /// That the person wants a terminal although it is not guarded: `why` is what they were told.
    ///
    /// # Errors
    /// When there is no such terminal, or something else is told of it by now.
    pub async fn terminal_take(&self, terminal: String, why: String) -> Result<(), AppError> {
        self.0.sessions.terminal_take(terminal, why).await
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
        self.0.sessions.terminal_attach(terminal, size, output).await
    }

    /// Types into a terminal.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn terminal_write(&self, terminal: String, data: String) -> Result<(), AppError> {
        self.0.sessions.terminal_write(terminal, data).await
    }

    /// Tells a terminal its new size.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn terminal_resize(&self, terminal: String, size: TerminalSize) -> Result<(), AppError> {
        self.0.sessions.terminal_resize(terminal, size).await
    }

    /// Says that so many bytes were drawn, so that more may come.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub async fn terminal_ack(&self, terminal: String, bytes: u32) -> Result<(), AppError> {
        self.0.sessions.terminal_ack(terminal, bytes).await
    }

    /// Ends a terminal with all that runs in it, and forgets it.
    ///
    /// # Errors
    /// When there is no such terminal.
    pub async fn terminal_close(&self, terminal: String) -> Result<(), AppError> {
        self.0.sessions.terminal_close(terminal).await
    }

    /// All terminals.
    ///
    /// # Errors
    /// None.
    pub async fn terminal_list(&self) -> Result<Vec<TerminalView>, AppError> {
        Ok(self.0.sessions.terminal_list())
    }

    /// One page of the history.
    ///
    /// # Errors
    /// When the filter or the file can't be read.
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<AuditPage, AppError> {
        self.0.history.page(filter, before, limit).await
    }

    /// Checks the whole history.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn audit_verify(&self) -> Result<VerifyView, AppError> {
        let view = self.0.history.verify().await?;
        self.0.desk.changed();
        Ok(view)
    }
}
