/// Hands the list of commands to another macro, one `name(argument: Type, …) -> Result;` after the other.
///
/// The shell makes its adapters and its handler of it, for example:
///
/// ```ignore
/// macro_rules! handler {
///     ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => { tauri::generate_handler![$(commands::$name),*] };
/// }
/// builder.invoke_handler(sallyport_ipc::commands!(handler))
/// ```
///
/// `session_open` answers at once and goes on by events; a session that meets `StepUpNeeded` waits, `Opening`, with
/// that error, and goes on by itself after the next `sign_in`. `sign_in` answers when the sign-in is over. `quit` ends every session, waits
/// up to 3 s for their first proof and exits. `session_cancel` withdraws what is still opening, `session_leave` ends
/// what is open, `session_dismiss` forgets what is closed.
///
/// Every command fails with an `ErrorView`. `terminal_open` and `terminal_attach` take one argument more, which has
/// no shape here because it is Tauri's: `output`, a `Channel` of raw bytes.
#[macro_export]
macro_rules! commands {
    ($then:ident) => {
        $then! {
            app_state() -> AppState;
            theme_set(theme: Theme) -> ();
            font_size_set(size: u8) -> ();
            shell_set(path: Option<String>) -> ();
            settings() -> SettingsView;
            quit() -> ();
            workspace_preview(text: String) -> WorkspacePreview;
            workspace_join(text: String) -> AppState;
            demo_workspace() -> AppState;
            sign_in(step: Option<StepUp>) -> AppState;
            sign_in_cancel() -> ();
            sign_out() -> AppState;
            clusters_list() -> ClustersView;
            cluster_detail(name: String) -> ClusterDetail;
            cluster_pin(name: String, on: bool) -> ();
            session_open(input: OpenInput) -> SessionView;
            session_cancel(id: String) -> ();
            sessions_list() -> Vec<SessionView>;
            session_leave(id: String) -> ();
            session_dismiss(id: String) -> ();
            terminal_open(session: String, size: TerminalSize) -> TerminalView;
            terminal_attach(terminal: String, size: TerminalSize) -> TerminalView;
            terminal_write(terminal: String, data: String) -> ();
            terminal_resize(terminal: String, size: TerminalSize) -> ();
            terminal_ack(terminal: String, bytes: u32) -> ();
            terminal_take(terminal: String, why: String) -> ();
            terminal_close(terminal: String) -> ();
            terminal_list() -> Vec<TerminalView>;
            audit_page(filter: AuditFilter, before: Option<i64>, limit: u32) -> AuditPage;
            audit_verify() -> VerifyView;
        }
    };
}

macro_rules! names {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        /// The names of all commands, for `tauri_build::AppManifest::commands`: what is not here can't be called.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),*];
    };
}
commands!(names);
