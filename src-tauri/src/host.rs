//! What the use cases ask of the desktop: open a browser, tell the window, show a notification, end.

use crate::window;
use sallyport_app::{AppError, Host, Notifier};
use sallyport_ipc::{EVENT, Event};
use std::process::{Command, Stdio};
use tauri::{AppHandle, Emitter};

/// The window and the desktop around it.
pub(crate) struct Desktop {
    handle: AppHandle,
    #[cfg(target_os = "linux")]
    notifications: crate::freedesktop::Freedesktop,
}

impl Desktop {
    pub(crate) fn new(handle: AppHandle) -> Self {
        #[cfg(target_os = "linux")]
        let notifications = {
            let handle = handle.clone();
            crate::freedesktop::Freedesktop::new(move |to| {
                window::bring_up(&handle);
                tell(&handle, Event::Go { to });
            })
        };
        Self {
            handle,
            #[cfg(target_os = "linux")]
            notifications,
        }
    }
}

fn tell(handle: &AppHandle, event: Event) {
    if let Err(error) = handle.emit(EVENT, event) {
        tracing::warn!("could not tell the window: {error}");
    }
}

impl Host for Desktop {
    fn open_browser(&self, url: &str) -> Result<(), AppError> {
        let chosen = std::env::var_os("BROWSER").filter(|b| !b.is_empty());
        let program = chosen
            .unwrap_or_else(|| if cfg!(target_os = "macos") { "open".into() } else { "xdg-open".into() });
        let shown = program.to_string_lossy().into_owned();
        let child = Command::new(&program)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| {
                AppError::failed(format!("could not open a browser with `{shown}`"))
                    .hint("Set BROWSER to a browser of yours and sign in again.")
                    .because(e)
            })?;
        // A browser started this way may live as long as the app; someone has to collect it when it ends.
        std::thread::spawn(move || {
            let mut child = child;
            let _ = child.wait();
        });
        Ok(())
    }

    fn tell(&self, event: Event) {
        tell(&self.handle, event);
    }

    fn exit(&self) {
        self.handle.exit(0);
    }

    fn is_looked_at(&self) -> bool {
        window::has_focus(&self.handle)
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        #[cfg(target_os = "linux")]
        return Some(&self.notifications);
        #[cfg(not(target_os = "linux"))]
        None
    }
}
