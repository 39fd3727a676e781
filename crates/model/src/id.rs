use crate::name::NameError;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as the API server or the minting side wrote it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// `metadata.uid` of an AccessRequest on the hub.
    RequestUid
}
id! {
    /// `metadata.uid` of an AccessGrant on its target.
    GrantUid
}
id! {
    /// The `jti` claim of a session token; the API server records it with every call (KEP-4193).
    Jti
}
id! {
    /// The `Audit-ID` the gateway mints for one request; the API server keeps it as is.
    AuditId
}
id! {
    /// One session of this desktop. Opaque to the window.
    SessionId
}

/// A SHA-256, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of the given bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The raw 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Digest {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut out = [0u8; 32];
        let wrong = || NameError::new("digest", text, "it is not 64 lower-case hex digits");
        if text.len() != 64 {
            return Err(wrong());
        }
        HEXLOWER.decode_mut(text.as_bytes(), &mut out).map_err(|_| wrong())?;
        Ok(Self(out))
    }
}

impl TryFrom<String> for Digest {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Whether a text can be an id that a desktop drew for a session or a terminal: 1 to 64 letters, digits and `-`. So it can be
/// part of a file's name, and leads nowhere else.
#[must_use]
pub fn is_plain_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_ours_leads_nowhere() {
        assert!(is_plain_id("01a22d1c-9d8e-702e-ac7f-ee99c6a4f751") && is_plain_id(&"a".repeat(64)));
        for no in ["", ".", "..", "a/b", "a\\b", "a\0", "ä", "a b", &"a".repeat(65)] {
            assert!(!is_plain_id(no), "{no:?}");
        }
    }

    #[test]
    fn a_digest_round_trips_and_refuses_noise() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for bad in ["", "zz", &"g".repeat(64), &"A".repeat(64)] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
