//! The one window, which shows our own page and nothing else: whatever would lead elsewhere is refused here, at the host,
//! so that neither a link that is dropped on it nor a fault of the page can make it somebody else's.

use tauri::webview::{NewWindowResponse, WebviewWindowBuilder};
use tauri::{App, Url};

/// Makes it as `tauri.conf.json` describes it.
pub(crate) fn open(app: &App) -> tauri::Result<()> {
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
