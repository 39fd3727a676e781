//! What a support bundle takes from every part, and that it was written.

use super::Parts;
use crate::desk::{AppError, now_ms};
use crate::support::Facts;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{BundleView, Shown};
use std::env;
use std::path::PathBuf;

/// What a desktop says of itself that explains how windows, keyring and notifications behave.
const DESKTOP: [&str; 4] = ["XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "WAYLAND_DISPLAY", "SALLYPORT_LOG"];

impl Parts {
    pub(crate) async fn support_preview(&self, names: bool) -> Result<BundleView, AppError> {
        let Self { desk, history, inventory, sessions, approvals, support, gateway, .. } = self;
        let at = now_ms();
        let reason = desk.prefs.last_reason(at / 1000).await.ok().flatten();
        let facts = Facts {
            at,
            settings: self.settings().await?,
            clusters: inventory.list().await?,
            sessions: sessions.list().await?,
            requests: approvals.list().await?,
            verified: history.verify().await.map_err(|error| error.message().to_owned()),
            recording: gateway.is_recording(),
            faults: desk.faults(),
            log: desk.options.log.lines(),
            reason: reason.map(|reason| reason.text),
            home: env::var_os("HOME").map(PathBuf::from),
            desktop: DESKTOP.iter().filter_map(|name| Some((*name, env::var(name).ok()?))).collect(),
            state: self.view(),
        };
        support.prepare(&facts, names).await
    }

    pub(crate) async fn support_write(&self, bundle: String, place: String) -> Result<Shown, AppError> {
        let (path, files) = self.support.write(&bundle, &place).await?;
        self.history.note(Draft::new(Action::SupportBundle).detail("files", files as u64)).await;
        Ok(Shown::from(&path.display().to_string()))
    }
}
