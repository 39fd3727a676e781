//! The window's commands: each hands its arguments to one use case and its answer back. What may be called is
//! `sallyport_ipc::COMMANDS`; that list, these names and the permissions are compared by tests/shell.

use sallyport_app::{App, AppError, Output};
use sallyport_ipc::*;
use tauri::State;
use tauri::ipc::{Channel, InvokeResponseBody};

type Answer<T> = Result<T, ErrorView>;

macro_rules! adapters {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        $(
            #[tauri::command]
            pub(crate) async fn $name(app: State<'_, App>, $($arg: $ty),*) -> Answer<$out> {
                app.$name($($arg),*).await.map_err(AppError::into_view)
            }
        )*
    };
}

adapters! {
    app_state() -> AppState;
    theme_set(theme: Theme) -> ();
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
    terminal_write(terminal: String, data: String) -> ();
    terminal_resize(terminal: String, size: TerminalSize) -> ();
    terminal_ack(terminal: String, bytes: u32) -> ();
    terminal_close(terminal: String) -> ();
    terminal_list() -> Vec<TerminalView>;
    audit_page(filter: AuditFilter, before: Option<i64>, limit: u32) -> AuditPage;
    audit_verify() -> VerifyView;
}

#[tauri::command]
pub(crate) async fn terminal_open(
    app: State<'_, App>,
    session: String,
    size: TerminalSize,
    output: Channel<InvokeResponseBody>,
) -> Answer<TerminalView> {
    app.terminal_open(session, size, raw(output)).await.map_err(AppError::into_view)
}

#[tauri::command]
pub(crate) async fn terminal_attach(
    app: State<'_, App>,
    terminal: String,
    size: TerminalSize,
    output: Channel<InvokeResponseBody>,
) -> Answer<TerminalView> {
    app.terminal_attach(terminal, size, raw(output)).await.map_err(AppError::into_view)
}

/// A terminal's bytes go to the window as they are; false once nobody listens.
fn raw(channel: Channel<InvokeResponseBody>) -> Output {
    Box::new(move |bytes| channel.send(InvokeResponseBody::Raw(bytes)).is_ok())
}
