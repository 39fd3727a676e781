//! What the person chose of how they ask and how they paste.

use super::Desk;
use super::error::AppError;
use sallyport_ipc::PasteAsks;
use sallyport_model::{ErrorCode, Ttl};
use sallyport_store::{PasteAsks as Stored, Prefs, StoreError};

/// What was chosen.
pub(super) struct Habits {
    default_duration: Option<Ttl>,
    paste: PasteAsks,
}

impl Habits {
    /// As it was left; what can't be read is as at the first start.
    pub(super) async fn of(prefs: &Prefs) -> Self {
        Self {
            default_duration: prefs.default_duration().await.unwrap_or_default(),
            paste: match prefs.paste_asks().await.unwrap_or_default() {
                Stored::Always => PasteAsks::Always,
                Stored::SeveralLines => PasteAsks::SeveralLines,
                Stored::Never => PasteAsks::Never,
            },
        }
    }
}

impl Desk {
    /// How long is asked for first, whatever the cluster; `None`: as last time, else what is usual.
    pub(crate) fn default_duration(&self) -> Option<Ttl> {
        self.chosen().habits.default_duration
    }

    /// Chooses it and remembers it.
    ///
    /// # Errors
    /// For what is no length of a session, or no whole minutes of one.
    pub(crate) async fn set_default_duration(&self, seconds: Option<u32>) -> Result<Option<Ttl>, AppError> {
        let duration = seconds.map(|seconds| Ttl::seconds(seconds.into()));
        let fits = |ttl: &Ttl| (Ttl::SHORTEST..=Ttl::LONGEST).contains(ttl) && ttl.whole_minutes() == *ttl;
        if duration.is_some_and(|duration| !fits(&duration)) {
            let what = format!("a session lasts whole minutes, from {} to {}", Ttl::SHORTEST, Ttl::LONGEST);
            return Err(AppError::new(ErrorCode::BadInput, what).hint("Choose one of the list."));
        }
        self.chosen().habits.default_duration = duration;
        self.changed();
        kept("the default duration", self.prefs.set_default_duration(duration).await)?;
        Ok(duration)
    }

    /// When a paste into a terminal is asked about.
    pub(crate) fn paste_asks(&self) -> PasteAsks {
        self.chosen().habits.paste
    }

    /// Chooses it and remembers it.
    pub(crate) async fn set_paste_asks(&self, asks: PasteAsks) -> Result<(), AppError> {
        self.chosen().habits.paste = asks;
        self.changed();
        let stored = match asks {
            PasteAsks::Always => Stored::Always,
            PasteAsks::SeveralLines => Stored::SeveralLines,
            PasteAsks::Never => Stored::Never,
        };
        kept("when a paste is asked about", self.prefs.set_paste_asks(stored).await)
    }
}

/// What a choice that was not remembered comes to.
pub(super) fn kept(what: &str, done: Result<(), StoreError>) -> Result<(), AppError> {
    done.map_err(|e| {
        AppError::failed(format!("{what} could not be remembered"))
            .hint("It holds until Sallyport ends. Check that the disk is not full.")
            .because(e)
    })
}
