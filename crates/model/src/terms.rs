use crate::{
    ClusterName, NamespaceName, ProfileName, ProfileRevision, Recording, RequestUid, Scope, Ttl, UserName,
};

/// The longest reason a request may give, in characters. The CRD holds the same.
pub const REASON_MOST: usize = 1024;

/// Which request: the object with this UID, and no later one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRef {
    /// The team's namespace on the hub, or that of scans.
    pub team: NamespaceName,
    /// Object name.
    pub name: String,
    /// Object UID.
    pub uid: RequestUid,
}

/// What is asked for: who, where, under which profile, for how long and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who asks: the name that the hub's API server knows them by.
    pub user: UserName,
    /// For which cluster.
    pub cluster: ClusterName,
    /// Under which profile.
    pub profile: ProfileName,
    /// At which revision of it.
    pub revision: ProfileRevision,
    /// Where.
    pub scope: Scope,
    /// How long.
    pub duration: Ttl,
    /// Why, at most [`REASON_MOST`] characters.
    pub reason: String,
    /// What the requester's desktop will take down of its terminals, as the profile wants it. A desktop that does not know of
    /// it does not say so, and is given nothing under such a profile.
    pub recording: Option<Recording>,
}

/// What is wrong with a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// None is given where one is needed.
    #[error("a reason is needed")]
    Missing,
    /// It is longer than a request can carry.
    #[error("the reason is longer than {REASON_MOST} characters")]
    TooLong,
}

/// Whether a reason will do: some words where the profile wants them, and never more than a request can carry.
///
/// # Errors
/// [`ReasonError`].
pub fn check_reason(reason: &str, is_required: bool) -> Result<(), ReasonError> {
    if is_required && reason.trim().is_empty() {
        return Err(ReasonError::Missing);
    }
    if reason.chars().count() > REASON_MOST { Err(ReasonError::TooLong) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_some_words_and_not_too_many() {
        assert_eq!(check_reason("INC-1", true), Ok(()));
        assert_eq!(check_reason(" \u{a0}\n", true), Err(ReasonError::Missing));
        assert_eq!(check_reason("", false), Ok(()));
        assert_eq!(check_reason(&"ä".repeat(REASON_MOST), true), Ok(()));
        assert_eq!(check_reason(&"ä".repeat(REASON_MOST + 1), false), Err(ReasonError::TooLong));
    }
}
