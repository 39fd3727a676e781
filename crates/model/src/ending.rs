use crate::{EndReason, Phase, clip, visible};
use serde::Serialize;

/// How a request ends: the reason of its condition `Ended`, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Ending {
    /// The reason.
    pub reason: EndReason,
    /// The sentence, without a final dot.
    pub message: String,
}

impl Ending {
    /// With a reason and a sentence.
    pub fn new(reason: EndReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// Somebody's word that ends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Why; may be empty.
    pub why: String,
}

/// Who ended a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// Somebody who may revoke.
    Revoked(Said),
    /// The requester: took it back, or left.
    Left,
    /// Somebody who may approve.
    Denied(Said),
}

impl EndedBy {
    /// Whose word counts where there are several: what was revoked was not just left, and neither was merely denied.
    pub fn first(revoked: Option<Said>, is_withdrawn: bool, denied: Option<Said>) -> Option<Self> {
        revoked.map(Self::Revoked).or(is_withdrawn.then_some(Self::Left)).or(denied.map(Self::Denied))
    }

    /// Somebody else's word for it; the requester's own needs none.
    pub fn said(&self) -> Option<&Said> {
        match self {
            Self::Revoked(said) | Self::Denied(said) => Some(said),
            Self::Left => None,
        }
    }

    /// How the request ends by it, at the phase it is in. A denial belongs to what is pending; of something that was
    /// approved it takes the rights all the same, and so revokes.
    pub fn ending(&self, phase: Phase) -> Ending {
        let shown = |text: &str, most: usize| clip(&visible(text), most);
        let told = |how: &str, said: &Said| {
            let (by, why) = (shown(&said.by, 80), shown(&said.why, 300));
            if why.is_empty() { format!("{how} by {by}") } else { format!("{how} by {by}: {why}") }
        };
        match self {
            Self::Revoked(said) => Ending::new(EndReason::Revoked, told("revoked", said)),
            Self::Left if phase == Phase::Active => Ending::new(EndReason::Left, "the requester left"),
            Self::Left => Ending::new(EndReason::Left, "the requester took it back"),
            Self::Denied(said) => {
                let is_pending = phase == Phase::Pending;
                let reason = if is_pending { EndReason::Denied } else { EndReason::Revoked };
                Ending::new(reason, told("denied", said))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(by: &str, why: &str) -> Option<Said> {
        Some(Said { by: by.into(), why: why.into() })
    }

    #[test]
    fn whose_word_counts_does_not_depend_on_who_asks() {
        let first = |revoked, withdrawn, denied| EndedBy::first(revoked, withdrawn, denied);
        let ending = |by: Option<EndedBy>, phase| by.map(|by| by.ending(phase)).unwrap();
        assert_eq!(first(None, false, None), None);
        let all = first(said("bob", "stolen"), true, said("eve", ""));
        assert_eq!(ending(all, Phase::Active), Ending::new(EndReason::Revoked, "revoked by bob: stolen"));
        let two = first(None, true, said("eve", ""));
        assert_eq!(ending(two.clone(), Phase::Active).message, "the requester left");
        assert_eq!(ending(two, Phase::Pending), Ending::new(EndReason::Left, "the requester took it back"));
        let denied = first(None, false, said("eve", ""));
        assert_eq!(ending(denied.clone(), Phase::Pending), Ending::new(EndReason::Denied, "denied by eve"));
        for phase in [Phase::Approved, Phase::Active] {
            assert_eq!(ending(denied.clone(), phase).reason, EndReason::Revoked, "{phase}");
        }
    }

    #[test]
    fn p24_their_words_are_shown_harmlessly() {
        let odd = first_word(&format!("a\u{202e}{}", "x".repeat(500)), &"\u{7}".repeat(500));
        assert!(!odd.contains('\u{202e}') && !odd.contains('\u{7}') && odd.chars().count() < 450, "{odd}");
    }

    fn first_word(by: &str, why: &str) -> String {
        EndedBy::first(said(by, why), false, None).unwrap().ending(Phase::Active).message
    }
}
