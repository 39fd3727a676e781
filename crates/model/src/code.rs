use serde::{Deserialize, Serialize};

/// What the window branches on when something went wrong. A code exists only where the UI does something of its
/// own with it; everything else is [`ErrorCode::Failed`] with a good sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// Nobody is signed in, or the sign-in can't be refreshed: show "Sign in".
    SignInNeeded,
    /// The hub or profile wants a stronger or fresher sign-in: start the step-up.
    StepUpNeeded,
    /// The person closed or cancelled it: show nothing red.
    Cancelled,
    /// Somebody who is needed does not answer, or not in time: hub, cluster, provider or broker. The sentence says which.
    Unreachable,
    /// The hub or target said no: show who could change that.
    Forbidden,
    /// The profile changed since it was read: reload and ask again.
    ProfileChanged,
    /// A reason is needed before asking: show the inline field.
    ReasonNeeded,
    /// What was given is not usable: mark the field.
    BadInput,
    /// Anything else.
    Failed,
}
