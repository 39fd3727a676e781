use super::Prefs;
use crate::StoreError;
use rusqlite::OptionalExtension as _;

/// What somebody saw when they last looked at who can ask for what on a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The digest of `snapshot`.
    pub digest: String,
    /// What they saw, in the form of whoever compares it.
    pub snapshot: String,
    /// When, in Unix seconds.
    pub at: i64,
}

impl Prefs {
    /// The last look of a user at the hub at `hub`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn last_look(&self, hub: &str, user: &str) -> Result<Option<Look>, StoreError> {
        let key = (hub.to_owned(), user.to_owned());
        self.with(move |db| {
            db.query_row("SELECT digest, snapshot, at FROM look WHERE hub = ? AND user = ?", key, |row| {
                Ok(Look { digest: row.get(0)?, snapshot: row.get(1)?, at: row.get(2)? })
            })
            .optional()
        })
        .await
    }

    /// Remembers a look instead of the one before.
    ///
    /// # Errors
    /// What the database said.
    pub async fn remember_look(&self, hub: &str, user: &str, look: Look) -> Result<(), StoreError> {
        let (hub, user) = (hub.to_owned(), user.to_owned());
        self.with(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO look (hub, user, digest, snapshot, at) VALUES (?, ?, ?, ?, ?)",
                (hub, user, look.digest, look.snapshot, look.at),
            )
            .map(|_| ())
        })
        .await
    }
}
