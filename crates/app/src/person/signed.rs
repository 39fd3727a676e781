use super::ports::{HubSide, Tokens};
use super::workspace::WorkspaceId;
use jiff::Timestamp;
use sallyport_hub::{Hub, Identity, Team};
use sallyport_ipc::ErrorView;
use sallyport_model::UserName;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One person's sign-in and what hangs on it. After a step-up it is another value with the same [`Signed::stop`].
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) tokens: Arc<dyn Tokens>,
    pub(crate) hub: Hub,
    /// The same hub, as it is asked who one is there.
    pub(super) side: Arc<dyn HubSide>,
    /// Where it is.
    pub(crate) workspace: WorkspaceId,
    pub(crate) who: SignedInAs,
    pub(crate) email: Option<String>,
    pub(crate) teams: Vec<Team>,
    /// Ends the watches of this sign-in. Cancelled before anything of it is cleared away, so that nothing is begun
    /// under it any more.
    pub(crate) stop: CancellationToken,
    /// Which sign-in of its seat it is; a step-up keeps it.
    pub(crate) number: u64,
}

/// Who is signed in, with what the API server says of their sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedInAs {
    pub(crate) user: UserName,
    pub(crate) groups: Vec<String>,
    pub(crate) acr: Vec<String>,
    pub(crate) amr: Vec<String>,
    /// Unix seconds.
    pub(crate) auth_time: Option<i64>,
    /// Whether the hub says when a token was issued. Where it does not, nobody can be reaffirmed.
    pub(crate) says_issued: bool,
}

impl From<Identity> for SignedInAs {
    fn from(identity: Identity) -> Self {
        Self {
            user: identity.user,
            groups: identity.groups,
            acr: identity.acr,
            amr: identity.amr,
            auth_time: identity.auth_time,
            says_issued: identity.issued_at.is_some(),
        }
    }
}

/// What became of the sign-ins of this run.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignIns {
    /// Step-ups that succeeded.
    pub(crate) step_ups: u64,
    /// Why the last step-up failed for good: waiting for another one is in vain.
    pub(crate) in_vain: Option<ErrorView>,
    /// Times that the provider moved the person to other groups.
    pub(crate) moves: u64,
}

/// By what and when somebody signed in, in words.
pub(crate) fn how_signed_in(who: &SignedInAs) -> String {
    let amr: Vec<&str> = who.amr.iter().map(String::as_str).filter(|method| !method.is_empty()).collect();
    let at = who.auth_time.filter(|t| *t > 0).and_then(|t| Timestamp::from_second(t).ok());
    match (amr.join(" + "), at) {
        (amr, Some(at)) if !amr.is_empty() => format!("{amr}, {}", at.strftime("%H:%M UTC")),
        (_, Some(at)) => at.strftime("%H:%M UTC").to_string(),
        (amr, None) if !amr.is_empty() => amr,
        (_, None) => "the provider does not say how".to_owned(),
    }
}
