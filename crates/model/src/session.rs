use crate::request::EndReason;

/// The desktop's side of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Asked; the steps to the prompt are running. Leads to Open or Closing or Closed.
    Opening,
    /// The gateway serves it and terminals may run. Leads to Closing.
    Open,
    /// Streams are cut, the gateway refuses, the flush is being proven. Leads to Closed.
    Closing(EndReason),
    /// Over; the proof's verdict is in the history. Leads nowhere.
    Closed(EndReason),
}

/// What can happen to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The sealed token was opened and the first call answered.
    Ready,
    /// It ends, for this reason.
    End(EndReason),
    /// The proof is complete, or given up with its reason recorded.
    Proven,
}

impl SessionState {
    /// The state after `event`, or `None` for a move that is not drawn: a session never opens again.
    pub fn apply(self, event: SessionEvent) -> Option<Self> {
        match (self, event) {
            (Self::Opening, SessionEvent::Ready) => Some(Self::Open),
            (Self::Opening | Self::Open, SessionEvent::End(reason)) => Some(Self::Closing(reason)),
            (Self::Closing(reason), SessionEvent::Proven) => Some(Self::Closed(reason)),
            _ => None,
        }
    }

    /// Whether calls may pass the gateway.
    pub fn serves(self) -> bool {
        self == Self::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_a_session_that_ends_never_serves_again() {
        let all = [SessionEvent::Ready, SessionEvent::End(EndReason::Left), SessionEvent::Proven];
        for state in [SessionState::Closing(EndReason::Left), SessionState::Closed(EndReason::Left)] {
            for event in all {
                assert!(!state.apply(event).is_some_and(SessionState::serves), "{state:?} {event:?}");
            }
        }
        assert!(SessionState::Opening.apply(SessionEvent::Ready).unwrap().serves());
    }
}
