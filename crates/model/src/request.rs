use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `status.phase` of an AccessRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Asked; waiting for its offer and its approvals. Leads to Approved or Closed.
    Pending,
    /// Decided; being provisioned. Leads to Active or Closed.
    Approved,
    /// Rights exist on the target. Leads to Closed.
    Active,
    /// Over, for good. Leads nowhere.
    Closed,
}

/// Why a request is Closed. On an object it is the reason of the condition `Ended` ([`fmt::Display`], [`FromStr`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum EndReason {
    /// The requester left.
    Left,
    /// Its time was up.
    Expired,
    /// Someone else ended it, or its grant was deleted by hand.
    Revoked,
    /// An approver or the decision said no.
    Denied,
    /// Nobody answered in time.
    Unanswered,
    /// It could not be carried out.
    Failed,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Left, Self::Expired, Self::Revoked, Self::Denied, Self::Unanswered, Self::Failed];
}

/// A word that is no reason of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no reason a request ends for")]
pub struct NoEndReason;

impl FromStr for EndReason {
    type Err = NoEndReason;

    /// As the condition `Ended` has it.
    fn from_str(text: &str) -> Result<Self, NoEndReason> {
        Self::ALL.into_iter().find(|reason| reason.to_string() == text).ok_or(NoEndReason)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A request's state with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// See [`Phase::Pending`].
    Pending,
    /// See [`Phase::Approved`].
    Approved,
    /// See [`Phase::Active`]; `end` is in Unix seconds of the target's clock.
    Active {
        /// When the rights end.
        end: i64,
    },
    /// See [`Phase::Closed`].
    Closed(Ended),
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// Whether rights ever existed on the target and had to be flushed.
    pub was_active: bool,
}

/// What can happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEvent {
    /// `policy::decide` allowed it.
    Approve,
    /// The grant is ready on the target until `end` (Unix seconds).
    Activate {
        /// When the rights end.
        end: i64,
    },
    /// It is over.
    End(EndReason),
}

/// A move the state machine refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {from:?} cannot take {event:?}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: RequestState,
    /// What was tried.
    pub event: RequestEvent,
}

impl RequestState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every move that design §3 does not draw: nothing becomes Active that was not
    /// Approved, Closed is final, Left/Denied and the like end only what is open.
    pub fn apply(self, event: RequestEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Pending, RequestEvent::Approve) => Ok(Self::Approved),
            (Self::Approved, RequestEvent::Activate { end }) => Ok(Self::Active { end }),
            (Self::Pending, RequestEvent::End(reason)) if reason != EndReason::Expired => {
                Ok(Self::Closed(Ended { reason, was_active: false }))
            }
            (Self::Approved, RequestEvent::End(reason))
                if !matches!(reason, EndReason::Denied | EndReason::Unanswered) =>
            {
                // Provisioning may have begun, so what exists must be flushed all the same.
                Ok(Self::Closed(Ended { reason, was_active: true }))
            }
            (Self::Active { .. }, RequestEvent::End(reason))
                if !matches!(reason, EndReason::Denied | EndReason::Unanswered) =>
            {
                Ok(Self::Closed(Ended { reason, was_active: true }))
            }
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }

    /// The phase written to the object.
    pub fn phase(self) -> Phase {
        match self {
            Self::Pending => Phase::Pending,
            Self::Approved => Phase::Approved,
            Self::Active { .. } => Phase::Active,
            Self::Closed(_) => Phase::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = RequestEvent> {
        use EndReason::*;
        prop_oneof![
            Just(RequestEvent::Approve),
            (0i64..100).prop_map(|end| RequestEvent::Activate { end }),
            prop::sample::select(vec![Left, Expired, Revoked, Denied, Unanswered, Failed])
                .prop_map(RequestEvent::End),
        ]
    }

    proptest! {
        #[test]
        fn p8_nothing_is_active_without_an_approval_and_closed_is_final(events in prop::collection::vec(event(), 0..20)) {
            let (mut state, mut approved, mut closed) = (RequestState::Pending, false, false);
            for event in events {
                if let Ok(next) = state.apply(event) {
                    prop_assert!(!closed, "left Closed by {event:?}");
                    approved |= matches!(event, RequestEvent::Approve);
                    closed |= matches!(next, RequestState::Closed(_));
                    let active = matches!(next, RequestState::Active { .. });
                    prop_assert!(!active || approved);
                    state = next;
                }
            }
        }
    }
}
