//! Starting: logs, crypto, the app, the window.

use crate::{commands, host::Desktop, logs, window};
use sallyport_app::{App, Dirs, LogTail, Options};
use std::{process::ExitCode, sync::Arc};
use tauri::{Manager, RunEvent, WindowEvent};

macro_rules! handler {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
        => $how:ident$(($action:ident))? $part:ident.$method:ident;)*) => {
        tauri::generate_handler![$(commands::$name),*]
    };
}

/// Runs until the window is closed. Says on standard error why it could not start.
pub fn run() -> ExitCode {
    sallyport_app::keep_out_of_core_dumps();
    let log = logs::install();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::warn!("a TLS provider was already installed");
    }
    match build(log) {
        Ok(app) => {
            app.run(on_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sallyport could not start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(log: LogTail) -> anyhow::Result<tauri::App> {
    let dirs = Dirs::from_environment()?;
    let options = Options { log, ..Options::from_environment() };
    let app = tauri::Builder::default()
        .invoke_handler(sallyport_ipc::commands!(handler))
        .setup(move |tauri| {
            window::open(tauri)?;
            let desktop = Arc::new(Desktop::new(tauri.handle().clone()));
            let app = tauri::async_runtime::block_on(App::start(dirs, options, desktop))?;
            tauri.manage(app);
            #[cfg(unix)]
            end_when_told(tauri.handle().clone())?;
            Ok(())
        })
        .build(tauri::generate_context!())?;
    Ok(app)
}

/// Closing the window asks first: what is open has to be flushed, and the person told what ends.
fn on_event(handle: &tauri::AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } => {
            if let Some(app) = handle.try_state::<App>()
                && app.ask_before_quitting()
            {
                api.prevent_close();
            }
        }
        RunEvent::WindowEvent { event: WindowEvent::Focused(is_focused), .. } => {
            window::focused(handle, is_focused);
        }
        RunEvent::Exit => {
            if let Some(app) = handle.try_state::<App>() {
                tauri::async_runtime::block_on(app.shut_down());
            }
        }
        _ => {}
    }
}

/// A desktop session that ends, a terminal that closes, `kill`: what is open is flushed as when the person quits.
#[cfg(unix)]
fn end_when_told(handle: tauri::AppHandle) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    tauri::async_runtime::block_on(async {
        let (mut end, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        let mut interrupt = signal(SignalKind::interrupt())?;
        tauri::async_runtime::spawn(async move {
            let mut told = async || {
                tokio::select! { _ = end.recv() => {} _ = hangup.recv() => {} _ = interrupt.recv() => {} }
            };
            told().await;
            tracing::info!("told to end");
            handle.exit(0);
            // Whoever says it again does not want to wait; the next start finishes it.
            told().await;
            std::process::exit(1);
        });
        Ok(())
    })
}
