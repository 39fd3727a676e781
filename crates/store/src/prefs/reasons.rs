use super::Prefs;
use crate::StoreError;
use rusqlite::OptionalExtension as _;

/// The reason given last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// As typed.
    pub text: String,
    /// When, in Unix seconds.
    pub at: i64,
}

impl Reason {
    /// How long it is carried to further requests (design: 8 h), in seconds.
    pub const CARRIED: i64 = 8 * 3600;
}

impl Prefs {
    /// The reason given last, while it is still carried at `now` (Unix seconds). One from the future, after the
    /// clock was set back, is not.
    ///
    /// # Errors
    /// What the database said.
    pub async fn last_reason(&self, now: i64) -> Result<Option<Reason>, StoreError> {
        let reason = self
            .with(|db| {
                db.query_row("SELECT text, at FROM reason", [], |row| {
                    Ok(Reason { text: row.get(0)?, at: row.get(1)? })
                })
                .optional()
            })
            .await?;
        Ok(reason.filter(|reason| (reason.at..reason.at + Reason::CARRIED).contains(&now)))
    }

    /// Remembers a reason, of at most 1024 characters.
    ///
    /// # Errors
    /// What the database said.
    pub async fn remember_reason(&self, reason: Reason) -> Result<(), StoreError> {
        self.with(move |db| {
            let text = sallyport_model::clip(&reason.text, 1024);
            db.execute("INSERT OR REPLACE INTO reason (one, text, at) VALUES (1, ?, ?)", (text, reason.at))
                .map(|_| ())
        })
        .await
    }

    /// Forgets it: at sign-out, for it may name an incident of one person.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_reason(&self) -> Result<(), StoreError> {
        self.with(|db| db.execute("DELETE FROM reason", []).map(|_| ())).await
    }
}
