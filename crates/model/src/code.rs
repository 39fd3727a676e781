use serde::{Deserialize, Serialize};

/// What the window branches on when something went wrong. A code exists only where the UI does something of its
/// own with it; everything else is [`ErrorCode::Failed`] with a good sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Nobody is signed in, or the sign-in can't be refreshed: show "Sign in".
    SignInNeeded,
    /// The hub or profile wants a stronger or fresher sign-in: start the step-up.
    StepUpNeeded,
    /// The person closed or cancelled it: show nothing red.
    Cancelled,
    /// The hub can't be reached: show the hub as down, keep what is cached.
    HubUnreachable,
    /// The target's API server can't be reached.
    ClusterUnreachable,
    /// The identity provider can't be reached.
    ProviderUnreachable,
    /// The hub or target said no: show who could change that.
    Forbidden,
    /// The profile changed since it was read: reload and ask again.
    ProfileChanged,
    /// A reason is needed before asking: show the inline field.
    ReasonNeeded,
    /// Nobody answered within the deadline.
    TimedOut,
    /// What was given is not usable: mark the field.
    BadInput,
    /// The session is over.
    SessionClosed,
    /// No place for it to be kept: the keyring is missing or locked.
    NoKeyring,
    /// Anything else.
    Failed,
}
