//! What is chosen for this desktop: each choice that changes what Sallyport does is an entry.

use super::Parts;
use crate::desk::AppError;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{Notifications, PasteAsks, SettingsView};
use sallyport_model::Ttl;

impl Parts {
    pub(crate) async fn settings(&self) -> Result<SettingsView, AppError> {
        Ok(self.desk.settings(self.told.trouble().await))
    }

    pub(crate) async fn set_shell(&self, path: Option<String>) -> Result<(), AppError> {
        let shell = path.clone().unwrap_or_else(|| "the person's own".to_owned());
        self.desk.set_shell(path).await?;
        let draft = Draft::new(Action::SettingsChanged).detail("setting", "shell").detail("shell", shell);
        self.history.note(draft).await;
        Ok(())
    }

    pub(crate) async fn set_notifications(&self, chosen: Notifications) -> Result<(), AppError> {
        self.desk.set_notifications(chosen).await?;
        let word = |is_on: bool| if is_on { "on" } else { "off" };
        let draft = Draft::new(Action::SettingsChanged)
            .detail("setting", "notifications")
            .detail("asks", word(chosen.asks))
            .detail("requests", word(chosen.requests))
            .detail("sessions", word(chosen.sessions))
            .detail("reasons", word(chosen.reasons));
        self.history.note(draft).await;
        Ok(())
    }

    pub(crate) async fn set_default_duration(&self, seconds: Option<u32>) -> Result<(), AppError> {
        let chosen = self.desk.set_default_duration(seconds).await?;
        // What one click would take is another now.
        self.inventory.changed();
        let word = chosen.map_or_else(|| "as last time".to_owned(), |duration: Ttl| duration.to_string());
        self.changed("default duration", &word).await;
        Ok(())
    }

    pub(crate) async fn set_paste(&self, asks: PasteAsks) -> Result<(), AppError> {
        self.desk.set_paste_asks(asks).await?;
        let word = match asks {
            PasteAsks::Always => "always",
            PasteAsks::SeveralLines => "several lines",
            PasteAsks::Never => "never",
        };
        self.changed("paste is asked about", word).await;
        Ok(())
    }

    async fn changed(&self, setting: &str, chosen: &str) {
        let draft = Draft::new(Action::SettingsChanged).detail("setting", setting).detail("chosen", chosen);
        self.history.note(draft).await;
    }
}
