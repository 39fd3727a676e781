use std::{sync::Arc, time::Duration};

use sallyport_model::{ErrorCode, clip, visible};

/// Why a sign-in, a refresh or a sign-out did not work. `Display` is a sentence for a person; what the provider said
/// in its own words has its hidden characters made visible.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The issuer is not an https URL one can sign in at.
    #[error("the issuer `{issuer}` can't be used: {why}")]
    BadIssuer {
        /// As configured.
        issuer: String,
        /// What is wrong with it.
        why: String,
    },
    /// The additional CA can't be read, or there is no CA at all.
    #[error("no certificate authority to check the identity provider with: {why}")]
    NoTrust {
        /// What is wrong.
        why: String,
    },
    /// No connection, or one that broke: name resolution, TCP, TLS.
    #[error("the identity provider {host} can't be reached")]
    ProviderUnreachable {
        /// Host and port.
        host: String,
        /// What the HTTP client says.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// Nothing came within the deadline.
    #[error("{what} took longer than {} s", after.as_secs_f32())]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// The provider answered something that OpenID Connect does not allow, or lacks what is needed.
    #[error("the identity provider {host} does not fit: {why}")]
    ProviderUnfit {
        /// Host and port.
        host: String,
        /// What is missing or wrong.
        why: String,
    },
    /// This computer's clock and the provider's differ too much for times in tokens to mean anything.
    #[error("this computer's clock is {} the identity provider's; set it and sign in again", difference(*.by))]
    ClockSkew {
        /// Provider minus this computer, seconds: positive when this computer is behind.
        by: i64,
    },
    /// The sign-in was weaker than asked for (`acr` or `amr`).
    #[error("a stronger sign-in is needed: wanted {claim} {}, got {}", listed(.wanted), listed(.got))]
    MfaTooWeak {
        /// `acr` or `amr`.
        claim: &'static str,
        /// What would have been enough, any one of it.
        wanted: Vec<String>,
        /// What the ID token says.
        got: Vec<String>,
    },
    /// The person proved themselves too long ago (`auth_time`, `max_age`).
    #[error("the sign-in is {} s old and may be {} s at most", age.as_secs(), limit.as_secs())]
    TooOld {
        /// Since `auth_time`.
        age: Duration,
        /// What was asked for.
        limit: Duration,
    },
    /// The ID token is not one this application may rely on.
    #[error("the identity provider's ID token is refused: {why}")]
    BadToken {
        /// The first thing found wrong.
        why: String,
    },
    /// The answer is honest and can't be used: a setting at the provider or in the workspace file has to change, and
    /// signing in again will not help.
    #[error("the identity provider's answer can't be used: {why}")]
    Setting {
        /// The first thing found in the way, with its claim.
        why: String,
        /// What an admin can do, as a sentence.
        change: String,
    },
    /// The person, or the provider for them, said no (`access_denied`).
    #[error("the sign-in was denied: {why}")]
    Denied {
        /// The provider's words.
        why: String,
    },
    /// The provider refused the request itself.
    #[error("the identity provider refused: {code} ({why})")]
    Refused {
        /// The OAuth error code.
        code: String,
        /// The provider's words.
        why: String,
    },
    /// Whoever started the sign-in ended it.
    #[error("the sign-in was cancelled")]
    Cancelled,
    /// The sign-in can't be renewed without the person.
    #[error("sign in again: {why}")]
    SignInAgain {
        /// Why.
        why: String,
    },
    /// The current sign-in was ended at the provider, and one before it may not be.
    #[error("an earlier sign-in of yours may not be ended at the identity provider: {source}")]
    EarlierSignIn {
        /// What went wrong with it.
        source: Arc<Error>,
    },
    /// Somebody else signed in where the same person was expected.
    #[error("signed in as {is}, but this sign-in belongs to {was}")]
    OtherPerson {
        /// Who signed in before: name and address, as far as they are known.
        was: String,
        /// Who signed in now, likewise.
        is: String,
    },
    /// None of the configured ports is free.
    #[error("none of the ports is free that the workspace file names for the browser's answer: {}", numbers(.ports))]
    PortsTaken {
        /// The ports.
        ports: Vec<u16>,
    },
    /// No loopback port can be listened on.
    #[error("can't listen on 127.0.0.1 for the browser's answer")]
    Loopback {
        /// What the system says.
        #[source]
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// What the window branches on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadIssuer { .. } | Self::NoTrust { .. } | Self::Setting { .. } => ErrorCode::BadInput,
            Self::ProviderUnreachable { .. } | Self::Timeout { .. } => ErrorCode::Unreachable,
            Self::MfaTooWeak { .. } | Self::TooOld { .. } => ErrorCode::StepUpNeeded,
            Self::Cancelled => ErrorCode::Cancelled,
            Self::SignInAgain { .. } => ErrorCode::SignInNeeded,
            Self::EarlierSignIn { source } => source.code(),
            Self::ProviderUnfit { .. }
            | Self::ClockSkew { .. }
            | Self::BadToken { .. }
            | Self::PortsTaken { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::OtherPerson { .. }
            | Self::Loopback { .. } => ErrorCode::Failed,
        }
    }

    pub(crate) fn bad_token(why: impl Into<String>) -> Self {
        Self::BadToken { why: why.into() }
    }

    pub(crate) fn setting(why: impl Into<String>, change: impl Into<String>) -> Self {
        Self::Setting { why: why.into(), change: change.into() }
    }

    pub(crate) fn again(why: impl Into<String>) -> Self {
        Self::SignInAgain { why: why.into() }
    }
}

/// Words of the provider, fit to be shown.
pub(crate) fn quoted(text: &str) -> String {
    clip(&visible(text), 200)
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(" or ") }
}

fn numbers(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn difference(by: i64) -> String {
    format!("{} s {}", by.unsigned_abs(), if by > 0 { "behind" } else { "ahead of" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sentences_that_name_the_difference() {
        let text = |by| Error::ClockSkew { by }.to_string();
        assert!(text(90).contains("90 s behind the identity provider's"), "{}", text(90));
        assert!(text(-61).contains("61 s ahead of the identity provider's"), "{}", text(-61));
        let weak = Error::MfaTooWeak { claim: "acr", wanted: vec!["a".into(), "b".into()], got: vec![] };
        assert_eq!(weak.to_string(), "a stronger sign-in is needed: wanted acr a or b, got none");
        assert_eq!(weak.code(), ErrorCode::StepUpNeeded);
    }

    #[test]
    fn p24_words_of_the_provider_show_what_they_hide() {
        assert_eq!(quoted("ok\u{202E}ko\u{1b}[2J"), "ok⟨U+202E⟩ko⟨U+001B⟩[2J");
        assert!(quoted(&"x".repeat(5000)).chars().count() <= 200);
    }
}
