//! Why a session ends. Whoever wants one to end sends this to its owner, and the first one counts.

use super::word::Said;
use sallyport_gateway::CutReason;
use sallyport_model::{EndReason, Hold};

/// Why, and what those see whose streams are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) reason: EndReason,
    pub(crate) cut: CutReason,
    /// Who ended it, when it was not the person themself.
    pub(crate) by: Option<String>,
    /// In their words.
    pub(crate) words: Option<String>,
}

impl End {
    /// The person left, or gave up what was opening.
    pub(crate) fn left() -> Self {
        Self::of(EndReason::Left, CutReason::Left)
    }

    /// The person signed out.
    pub(crate) fn signed_out() -> Self {
        Self::of(EndReason::Left, CutReason::SignedOut)
    }

    /// The app ends.
    pub(crate) fn quit() -> Self {
        Self::of(EndReason::Left, CutReason::Quit)
    }

    /// Somebody holds this person, this cluster or everything.
    pub(crate) fn held(hold: &Hold) -> Self {
        let words = Some(hold.to_string());
        Self { by: Some(hold.by.clone()), words, ..Self::of(EndReason::Revoked, CutReason::Revoked) }
    }

    /// It was asked for to extend a session that is open, which goes on with what it brought: what was there before ends.
    pub(super) fn replaced() -> Self {
        Self {
            words: Some("its session was extended".to_owned()),
            ..Self::of(EndReason::Left, CutReason::Left)
        }
    }

    /// The session that it was to extend is over.
    pub(super) fn with_its_session(end: &Self) -> Self {
        Self {
            words: Some("the session it was to extend is over".to_owned()),
            ..Self::of(EndReason::Left, end.cut)
        }
    }

    /// The provider vouched for the person too long ago. The broker closes it too; this desktop does not wait for that.
    pub(super) fn not_vouched(why: &str) -> Self {
        let words = Some(format!("closed because {why}"));
        Self { words, ..Self::of(EndReason::Revoked, CutReason::Revoked) }
    }

    /// Its time is up, by the gateway's clock.
    pub(super) fn expired() -> Self {
        Self::of(EndReason::Expired, CutReason::Expired)
    }

    /// Somebody else ended it.
    pub(super) fn said(said: &Said) -> Self {
        let cut = match said.reason {
            EndReason::Expired => CutReason::Expired,
            EndReason::Left => CutReason::Left,
            _ => CutReason::Revoked,
        };
        let words = Some(said.message.clone());
        Self { by: said.by.clone(), words, ..Self::of(said.reason, cut) }
    }

    /// It could not be opened: `said` is why, where that was somebody's word.
    pub(super) fn failed(said: Option<&Said>, words: &str) -> Self {
        let reason = said.map_or(EndReason::Failed, |said| said.reason);
        let by = said.and_then(|said| said.by.clone());
        Self { by, words: Some(words.to_owned()), ..Self::of(reason, CutReason::Failed) }
    }

    fn of(reason: EndReason, cut: CutReason) -> Self {
        Self { reason, cut, by: None, words: None }
    }
}
