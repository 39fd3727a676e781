use super::Prefs;
use crate::StoreError;
use std::path::PathBuf;

/// Dark, light, or as the desktop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the desktop is.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl Theme {
    fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// What is told on the desktop, outside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// Somebody asks this person.
    pub asks: bool,
    /// What became of this person's own requests.
    pub requests: bool,
    /// This person's sessions.
    pub sessions: bool,
    /// The reasons that people gave, too.
    pub reasons: bool,
}

impl Default for Notifications {
    /// Everything but the reasons, which others could read on a locked screen.
    fn default() -> Self {
        Self { asks: true, requests: true, sessions: true, reasons: false }
    }
}

impl Prefs {
    /// The theme; as the desktop is when none was chosen.
    ///
    /// # Errors
    /// What the database said.
    pub async fn theme(&self) -> Result<Theme, StoreError> {
        let text: Option<String> =
            self.with(|db| db.query_row("SELECT theme FROM setting", [], |row| row.get(0))).await?;
        let known =
            [Theme::Dark, Theme::Light].into_iter().find(|theme| text.as_deref() == Some(theme.as_str()));
        Ok(known.unwrap_or_default())
    }

    /// Chooses the theme.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_theme(&self, theme: Theme) -> Result<(), StoreError> {
        self.with(move |db| db.execute("UPDATE setting SET theme = ?", [theme.as_str()]).map(|_| ())).await
    }

    /// The `acr` values (OpenID Connect Core 1.0 §2) a profile asked for last: the next sign-in asks for them at once,
    /// so that an incident takes one MFA and not a sign-in and a step-up. Empty when none did.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sign_in_acr(&self) -> Result<Vec<String>, StoreError> {
        let text: Option<String> =
            self.with(|db| db.query_row("SELECT sign_in_acr FROM setting", [], |row| row.get(0))).await?;
        // A value holds no space: they are sent as one parameter, parted by spaces.
        Ok(text.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect())
    }

    /// Keeps them; none forgets.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_sign_in_acr(&self, acr: &[String]) -> Result<(), StoreError> {
        let text = (!acr.is_empty()).then(|| acr.join(" "));
        self.with(move |db| db.execute("UPDATE setting SET sign_in_acr = ?", [text]).map(|_| ())).await
    }

    /// The size of terminals' text in CSS pixels; `None` when none was chosen.
    ///
    /// # Errors
    /// What the database said.
    pub async fn font_size(&self) -> Result<Option<u8>, StoreError> {
        let size: Option<i64> =
            self.with(|db| db.query_row("SELECT font_size FROM setting", [], |row| row.get(0))).await?;
        Ok(size.and_then(|size| size.try_into().ok()))
    }

    /// Chooses it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_font_size(&self, size: u8) -> Result<(), StoreError> {
        self.with(move |db| db.execute("UPDATE setting SET font_size = ?", [size]).map(|_| ())).await
    }

    /// What is told on the desktop; what was never chosen is as at the first start.
    ///
    /// # Errors
    /// What the database said.
    pub async fn notifications(&self) -> Result<Notifications, StoreError> {
        let query = "SELECT notify_asks, notify_requests, notify_sessions, notify_reasons FROM setting";
        self.with(move |db| {
            let usual = Notifications::default();
            db.query_row(query, [], |row| {
                Ok(Notifications {
                    asks: row.get::<_, Option<bool>>(0)?.unwrap_or(usual.asks),
                    requests: row.get::<_, Option<bool>>(1)?.unwrap_or(usual.requests),
                    sessions: row.get::<_, Option<bool>>(2)?.unwrap_or(usual.sessions),
                    reasons: row.get::<_, Option<bool>>(3)?.unwrap_or(usual.reasons),
                })
            })
        })
        .await
    }

    /// Chooses it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_notifications(&self, chosen: Notifications) -> Result<(), StoreError> {
        let update = "UPDATE setting SET notify_asks = ?, notify_requests = ?, notify_sessions = ?, notify_reasons = ?";
        let Notifications { asks, requests, sessions, reasons } = chosen;
        self.with(move |db| db.execute(update, [asks, requests, sessions, reasons]).map(|_| ())).await
    }

    /// The shell of terminals; `None`: the person's own.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shell(&self) -> Result<Option<PathBuf>, StoreError> {
        let text: Option<String> =
            self.with(|db| db.query_row("SELECT shell FROM setting", [], |row| row.get(0))).await?;
        Ok(text.map(PathBuf::from))
    }

    /// Chooses it. Its path is UTF-8, as it comes from the window.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_shell(&self, shell: Option<String>) -> Result<(), StoreError> {
        self.with(move |db| db.execute("UPDATE setting SET shell = ?", [shell]).map(|_| ())).await
    }
}
