use super::Prefs;
use crate::StoreError;
use sallyport_model::Ttl;

/// When a paste into a terminal is asked about, apart from the cases that always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PasteAsks {
    /// Always.
    Always,
    /// When it has several lines.
    #[default]
    SeveralLines,
    /// Never.
    Never,
}

impl PasteAsks {
    const ALL: [Self; 3] = [Self::Always, Self::SeveralLines, Self::Never];

    fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::SeveralLines => "several_lines",
            Self::Never => "never",
        }
    }
}

/// The length of the key that pseudonyms are made with, in bytes.
const KEY: usize = 32;

impl Prefs {
    /// How long is asked for first; `None` when nothing was chosen, or what was is no length of a session.
    ///
    /// # Errors
    /// What the database said.
    pub async fn default_duration(&self) -> Result<Option<Ttl>, StoreError> {
        let seconds: Option<i64> =
            self.with(|db| db.query_row("SELECT default_seconds FROM setting", [], |row| row.get(0))).await?;
        let ttl = seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Ttl::seconds);
        Ok(ttl.filter(|ttl| (Ttl::SHORTEST..=Ttl::LONGEST).contains(ttl)))
    }

    /// Chooses it; `None` forgets the choice.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_default_duration(&self, duration: Option<Ttl>) -> Result<(), StoreError> {
        let seconds = duration.map(Ttl::as_seconds_i64);
        self.with(move |db| db.execute("UPDATE setting SET default_seconds = ?", [seconds]).map(|_| ())).await
    }

    /// When a paste is asked about; several lines when nothing was chosen, and for a word that is not known.
    ///
    /// # Errors
    /// What the database said.
    pub async fn paste_asks(&self) -> Result<PasteAsks, StoreError> {
        let text: Option<String> =
            self.with(|db| db.query_row("SELECT paste FROM setting", [], |row| row.get(0))).await?;
        let known = PasteAsks::ALL.into_iter().find(|asks| text.as_deref() == Some(asks.as_str()));
        Ok(known.unwrap_or_default())
    }

    /// Chooses it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_paste_asks(&self, asks: PasteAsks) -> Result<(), StoreError> {
        self.with(move |db| db.execute("UPDATE setting SET paste = ?", [asks.as_str()]).map(|_| ())).await
    }

    /// The key that this desktop's pseudonyms are made with: `fresh` the first time, and the same ever after, so that two
    /// support bundles of one desktop speak of the same things. Whoever has the data directory knows the names anyway.
    ///
    /// # Errors
    /// What the database said.
    pub async fn pseudonym_key(&self, fresh: [u8; KEY]) -> Result<[u8; KEY], StoreError> {
        self.with(move |db| {
            db.execute(
                "UPDATE setting SET pseudonym_key = ? WHERE pseudonym_key IS NULL OR length(pseudonym_key) <> ?",
                (fresh.as_slice(), KEY as i64),
            )?;
            db.query_row("SELECT pseudonym_key FROM setting", [], |row| row.get(0))
        })
        .await
    }
}
