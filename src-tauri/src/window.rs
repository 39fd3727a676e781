//! The one window, which shows our own page and nothing else: whatever would lead elsewhere is refused here, at the host,
//! so that neither a link that is dropped on it nor a fault of the page can make it somebody else's.

use std::sync::atomic::{AtomicBool, Ordering};
use tauri::webview::{NewWindowResponse, WebviewWindowBuilder};
use tauri::{App, AppHandle, Manager, Url};

/// Whether the window has the keyboard's focus, as the desktop last said. Asking the window itself would wait for the
/// thread that draws it.
#[derive(Default)]
struct Focus(AtomicBool);

/// Makes it as `tauri.conf.json` describes it.
pub(crate) fn open(app: &App) -> tauri::Result<()> {
    app.manage(Focus::default());
    let described = app.config().app.windows.first().ok_or(tauri::Error::WindowNotFound)?;
    WebviewWindowBuilder::from_config(app, described)?
        .on_navigation(|url| {
            let ours = is_our_page(url);
            if !ours {
                tracing::warn!("the window was asked to leave its page and stays");
            }
            ours
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    Ok(())
}

/// The desktop said whether the window has the focus.
pub(crate) fn focused(handle: &AppHandle, is_focused: bool) {
    if let Some(focus) = handle.try_state::<Focus>() {
        focus.0.store(is_focused, Ordering::Relaxed);
    }
}

/// Whether the window has the focus.
pub(crate) fn has_focus(handle: &AppHandle) -> bool {
    handle.try_state::<Focus>().is_some_and(|focus| focus.0.load(Ordering::Relaxed))
}

/// Brings it before whatever is in front of it, as far as the desktop lets it.
pub(crate) fn bring_up(handle: &AppHandle) {
    for window in handle.webview_windows().values() {
        for done in [window.unminimize(), window.show(), window.set_focus()] {
            if let Err(error) = done {
                tracing::warn!("the window could not be brought up: {error}");
            }
        }
    }
}

/// Where Tauri serves the files inside the binary: `tauri://localhost`, on Windows a name of its own.
fn is_our_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost") && url.port().is_none(),
        "http" | "https" => {
            cfg!(windows) && url.host_str() == Some("tauri.localhost") && url.port().is_none()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_our_page;

    #[test]
    fn fault_e4_p23_only_our_own_page_is_shown() {
        let ours = |url: &str| is_our_page(&url.parse().expect("a URL"));
        assert!(ours("tauri://localhost") && ours("tauri://localhost/index.html#/audit"));
        for elsewhere in [
            "https://example.org/",
            "http://localhost/",
            "http://127.0.0.1:1/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "blob:tauri://localhost/x",
            "javascript:1",
            "tauri://elsewhere/",
            "tauri://localhost:1/",
            "tauri://localhost.example.org/",
            "tauri://x@elsewhere/",
        ] {
            assert!(!ours(elsewhere), "{elsewhere}");
        }
    }
}
