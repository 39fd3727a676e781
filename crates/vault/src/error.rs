use std::{io, path::PathBuf, sync::Arc};

/// Why the vault could not do something. `Display` is a sentence for a person and holds no secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The system refused to read or write the file or its directory.
    #[error("can't {what} {}", path.display())]
    Io {
        /// What was tried: "read", "write", …
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// A single secret, or all of them together, is larger than anything that belongs here.
    #[error("{what} is {size} bytes; the vault takes {limit} at most")]
    TooLarge {
        /// Which.
        what: &'static str,
        /// In bytes.
        size: usize,
        /// In bytes.
        limit: usize,
    },
    /// A file is not what was written there.
    #[error("{} was changed, or is not Sallyport's", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
    },
    /// The keyring did not do what it was asked.
    #[error("the keyring failed: {why}")]
    Keyring {
        /// What it says.
        why: String,
    },
}

impl Error {
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source: Arc::new(source) }
    }
}
