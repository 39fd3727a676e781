use futures::future::BoxFuture;
use sallyport_model::Secret;
use std::io::Read as _;
use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::SystemTime,
};

/// What says who we are.
#[derive(Clone)]
pub enum Credential {
    /// Nothing: anonymous.
    None,
    /// One bearer token for the client's whole life.
    Token(Secret<String>),
    /// A bearer token asked for before every request, e.g. the sign-in's current ID token.
    Source(Arc<dyn TokenSource>),
    /// A client certificate chain and its key, both PEM.
    Certificate {
        /// The chain, leaf first.
        chain: String,
        /// The key.
        key: Secret<String>,
    },
}

impl Credential {
    /// A token in a file that is read again when it changes.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::Source(Arc::new(TokenFile::new(path)))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no credential",
            Self::Token(_) => "a token",
            Self::Source(_) => "a token source",
            Self::Certificate { .. } => "a client certificate",
        })
    }
}

/// Where the current token comes from.
pub trait TokenSource: Send + Sync + 'static {
    /// The token to send now. Called for every request, so whoever implements it keeps it as long as it is good.
    fn token(&self) -> BoxFuture<'_, Result<Secret<String>, TokenError>>;
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("there is no token to send: {why}")]
pub struct TokenError {
    why: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TokenError {
    /// With a reason, which must not contain the token.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), source: None }
    }

    /// With the error behind it.
    pub fn with(why: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { why: why.into(), source: Some(source.into()) }
    }
}

/// A bearer token in a file, as the kubelet projects it: read again whenever the file changed.
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<(Stamp, Secret<String>)>>,
}

/// What tells one state of a file from the next. The kubelet swaps a symbolic link, which changes all of it.
type Stamp = (Option<SystemTime>, u64);

/// A token file above this size is not a token.
const TOKEN_MOST: u64 = 64 * 1024;

impl TokenFile {
    /// Of the given file, which may come into being later.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::new(None) }
    }

    fn current(&self) -> Result<Secret<String>, TokenError> {
        let shown = self.path.display();
        let failed = |e: std::io::Error| TokenError::with(format!("{shown} can't be read"), e);
        let meta = std::fs::metadata(&self.path).map_err(failed)?;
        // A pipe would hold the caller up, and a device has no end.
        if !meta.is_file() {
            return Err(TokenError::new(format!("{shown} is no file")));
        }
        if meta.len() > TOKEN_MOST {
            return Err(TokenError::new(format!("{shown} is too large for a token")));
        }
        let stamp = (meta.modified().ok(), meta.len());
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, token)) = read.as_ref().filter(|(known, _)| *known == stamp) {
            return Ok(token.clone());
        }
        // Grown since, or one whose length says nothing.
        let mut text = String::new();
        let mut bounded = std::fs::File::open(&self.path).map_err(failed)?.take(TOKEN_MOST + 1);
        let read_all = bounded.read_to_string(&mut text);
        let text = Secret::new(text);
        read_all.map_err(failed)?;
        if text.expose().len() as u64 > TOKEN_MOST {
            return Err(TokenError::new(format!("{shown} is too large for a token")));
        }
        let token = text.expose().trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(TokenError::new(format!("{shown} holds no token")));
        }
        let token = Secret::new(token.to_owned());
        *read = Some((stamp, token.clone()));
        Ok(token)
    }
}

impl TokenSource for TokenFile {
    fn token(&self) -> BoxFuture<'_, Result<Secret<String>, TokenError>> {
        // A few kilobytes from a memory file system: quicker than a hop to a blocking thread.
        Box::pin(std::future::ready(self.current()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_is_read_again_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let file = TokenFile::new(&path);
        assert!(file.current().is_err());
        std::fs::write(&path, "first\n").unwrap();
        assert_eq!(file.current().unwrap().expose(), "first");
        std::fs::write(&path, "second-one").unwrap();
        assert_eq!(file.current().unwrap().expose(), "second-one");
        for bad in ["", " \n", "two words", "tok\u{0}en", "tökèn"] {
            std::fs::write(&path, bad).unwrap();
            assert!(file.current().is_err(), "{bad:?}");
        }
        std::fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(file.current().is_err());
        // What has no end, and what nobody may ever write to.
        for endless in ["/dev/zero", "/proc/self", "/dev/stdin"] {
            assert!(TokenFile::new(endless).current().is_err(), "{endless}");
        }
    }

    #[test]
    fn p1_a_credential_never_shows_its_secret() {
        let secret = || Secret::new("eyJhbGci".to_owned());
        for shown in [
            format!("{:?}", Credential::Token(secret())),
            format!("{:?}", Credential::Certificate { chain: "c".into(), key: secret() }),
        ] {
            assert!(!shown.contains("eyJ"), "{shown}");
        }
    }
}
