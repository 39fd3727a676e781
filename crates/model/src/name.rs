use crate::text::{clip, is_hidden, visible};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a string is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a {kind}: {why}")]
pub struct NameError {
    kind: &'static str,
    shown: String,
    why: &'static str,
}

impl NameError {
    pub(crate) fn new(kind: &'static str, text: &str, why: &'static str) -> Self {
        Self { kind, shown: clip(&visible(text), 80), why }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                check(text).map_err(|why| NameError::new($kind, text, why))?;
                Ok(Self(text.to_owned()))
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The longest name of a cluster, in characters; the CRDs hold the same.
pub const CLUSTER_NAME_MOST: usize = 63;
/// The longest name of a user, in characters; the CRDs hold the same.
pub const USER_NAME_MOST: usize = 512;

name! {
    /// The name of an `AccessCluster`: a DNS subdomain (RFC 1123), at most 63 characters because the name of the
    /// broker's ServiceAccount on the hub is the same.
    ClusterName, "cluster name", |t| dns(t, CLUSTER_NAME_MOST, true)
}
name! {
    /// The name of an `AccessProfile`: a DNS subdomain (RFC 1123), at most 253 characters.
    ProfileName, "profile name", |t| dns(t, 253, true)
}
name! {
    /// A namespace: a DNS label (RFC 1123), at most 63 characters. Nothing else may reach a URL (attack 4).
    NamespaceName, "namespace name", |t| dns(t, 63, false)
}
name! {
    /// The name of a ClusterRole: a path segment, at most 253 characters (`rbac.ValidateRBACName`).
    RoleName, "role name", |t| path_segment(t, 253)
}
name! {
    /// A user as the API server names them (SelfSubjectReview), at most 512 characters, nothing hidden in it.
    UserName, "user name", |t| shown_text(t, USER_NAME_MOST)
}

fn dns(text: &str, max: usize, dots: bool) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > max {
        return Err("it is too long");
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let fits = if dots { text.split('.').all(label) } else { label(text) };
    if fits { Ok(()) } else { Err("only a-z, 0-9 and inner dashes are allowed") }
}

fn path_segment(text: &str, max: usize) -> Result<(), &'static str> {
    if text.is_empty() || text == "." || text == ".." {
        return Err("it is empty or a dot");
    }
    if text.len() > max {
        return Err("it is too long");
    }
    if text.chars().any(|c| matches!(c, '/' | '%' | '?' | '#' | '\\') || c.is_whitespace() || is_hidden(c)) {
        return Err("it has characters that change a path");
    }
    Ok(())
}

fn shown_text(text: &str, max: usize) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.chars().count() > max {
        return Err("it is too long");
    }
    if text.chars().any(is_hidden) {
        return Err("it has control or invisible characters");
    }
    Ok(())
}

/// One state of a profile: its UID and `metadata.generation`, written `uid/generation` as `spec.profileRevision`.
///
/// A request names the revision it was asked under; admission and broker compare it with the live one (attack 5).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileRevision {
    uid: String,
    generation: i64,
}

impl ProfileRevision {
    /// From a live object's metadata.
    pub fn new(uid: &str, generation: i64) -> Result<Self, NameError> {
        format!("{uid}/{generation}").parse()
    }
}

impl FromStr for ProfileRevision {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = |why| NameError::new("profile revision", text, why);
        let (uid, generation) = text.split_once('/').ok_or_else(|| wrong("it is not uid/generation"))?;
        if uid.is_empty() || uid.len() > 64 || !uid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
            return Err(wrong("its UID is not a UUID"));
        }
        let generation = generation.parse().map_err(|_| wrong("its generation is not a number"))?;
        Ok(Self { uid: uid.to_owned(), generation })
    }
}

impl TryFrom<String> for ProfileRevision {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<ProfileRevision> for String {
    fn from(revision: ProfileRevision) -> String {
        revision.to_string()
    }
}

impl fmt::Display for ProfileRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.uid, self.generation)
    }
}

impl fmt::Debug for ProfileRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_would_change_a_url_is_refused() {
        for bad in [
            "kube-system/rolebindings?dryRun=All&x=",
            "",
            "-a",
            "a-",
            "A",
            "a.b",
            "a%2fb",
            "..",
            "a\u{202e}b",
        ] {
            assert!(bad.parse::<NamespaceName>().is_err(), "{bad}");
        }
        assert!("x".repeat(64).parse::<NamespaceName>().is_err());
        assert!("payments-1".parse::<NamespaceName>().is_ok());
    }

    #[test]
    fn cluster_and_role_names_follow_their_own_rules() {
        assert!("payments-eu-1".parse::<ClusterName>().is_ok());
        assert!("eu.payments".parse::<ClusterName>().is_ok());
        assert!("eu..payments".parse::<ClusterName>().is_err());
        assert!("sallyport:debug".parse::<RoleName>().is_ok());
        for bad in ["a/b", "..", "a b", "a\u{0}b", "a%2f"] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_shows_hostile_text_harmlessly_and_briefly() {
        let said =
            format!("evil\u{202e}{}", "x".repeat(10_000)).parse::<ClusterName>().unwrap_err().to_string();
        assert!(said.contains("⟨U+202E⟩") && said.chars().count() < 200, "{said}");
    }

    #[test]
    fn a_revision_round_trips_and_refuses_noise() {
        let text = "6f1c2d7e-0000-4000-8000-000000000000/7";
        assert_eq!(text.parse::<ProfileRevision>().unwrap().to_string(), text);
        for bad in ["", "/", "x/1", "6f1c/one", "6f1c"] {
            assert!(bad.parse::<ProfileRevision>().is_err(), "{bad}");
        }
    }
}
