use crate::id::RequestUid;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// The namespace on a target that holds the session ServiceAccounts and nothing else.
pub const SESSIONS_NAMESPACE: &str = "sallyport-sessions";

/// The name of a session's ServiceAccount on its target: `s-<id>-<unixEnd>`.
///
/// The end is in the name because admission has no other place to read it from when a token is minted: the policy
/// on `serviceaccounts/token` compares its own clock plus the asked seconds with it. `id` is derived from the
/// request's UID, so a broker that restarts computes the same name and never a second one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionAccount {
    id: String,
    end: i64,
}

/// Why a text is not the name of a session's ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a session account (s-<id>-<unix end>)")]
pub struct AccountError(String);

impl SessionAccount {
    /// The account of a request that ends at `end` (Unix seconds, the target's clock).
    pub fn derive(request: &RequestUid, end: i64) -> Self {
        Self { id: Self::derive_id(request), end }
    }

    /// 16 lower-case base32 characters (80 bits) of the SHA-256 of the request's UID.
    pub fn derive_id(request: &RequestUid) -> String {
        let hash = Sha256::digest(request.as_str().as_bytes());
        BASE32_NOPAD.encode(&hash[..10]).to_ascii_lowercase()
    }

    /// The name of the AccessGrant that owns the account.
    pub fn derive_grant_name(request: &RequestUid) -> String {
        format!("g-{}", Self::derive_id(request))
    }

    /// The account behind a user as an API server names it (`system:serviceaccount:<namespace>:<name>`); `None` for
    /// everybody else, and for accounts of that name in another namespace.
    pub fn of_user(user: &str) -> Option<Self> {
        let place = user.strip_prefix("system:serviceaccount:")?.strip_prefix(SESSIONS_NAMESPACE)?;
        place.strip_prefix(':')?.parse().ok()
    }

    /// The part between the dashes.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Unix seconds at which the session ends.
    pub fn end(&self) -> i64 {
        self.end
    }
}

impl fmt::Display for SessionAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s-{}-{}", self.id, self.end)
    }
}

impl fmt::Debug for SessionAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for SessionAccount {
    type Err = AccountError;
    fn from_str(text: &str) -> Result<Self, AccountError> {
        let wrong = || AccountError(crate::clip(&crate::visible(text), 80));
        let mut parts = text.split('-');
        let (Some("s"), Some(id), Some(end), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let id_fits =
            (4..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !id_fits || end.len() != 10 || !end.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        Ok(Self { id: id.to_owned(), end: end.parse().map_err(|_| wrong())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_the_same_request_and_end_always_give_the_same_account() {
        let uid = RequestUid::new("0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11");
        let account = SessionAccount::derive(&uid, 1_795_500_000);
        assert_eq!(account, SessionAccount::derive(&uid, 1_795_500_000));
        assert_eq!(account.to_string().parse::<SessionAccount>().unwrap(), account);
        assert_ne!(account.id(), SessionAccount::derive_id(&RequestUid::new("other")));
    }

    #[test]
    fn a_user_is_a_session_in_the_one_namespace_alone() {
        let of = |user: &str| SessionAccount::of_user(user).map(|account| account.to_string());
        let user = "system:serviceaccount:sallyport-sessions:s-abcd-1795500000";
        assert_eq!(of(user).as_deref(), Some("s-abcd-1795500000"));
        for other in [
            "system:serviceaccount:payments:s-abcd-1795500000",
            "system:serviceaccount:sallyport-sessions-x:s-abcd-1795500000",
            "system:serviceaccount:sallyport-sessions:default",
            "s-abcd-1795500000",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn noise_is_not_an_account() {
        for bad in ["", "s-abcd", "s-abcd-1", "x-abcd-1795500000", "s-ABCD-1795500000", "s-a-b-1795500000"] {
            assert!(bad.parse::<SessionAccount>().is_err(), "{bad}");
        }
    }
}
