//! A yes, a no, and the end of what somebody else has open.

use super::ports::{HubSide, Word};
use super::{Approvals, less};
use crate::desk::AppError;
use crate::person::faults::{of_hub, of_refused};
use crate::person::{Signed, WorkspaceId};
use jiff::Timestamp;
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::Fault;
use sallyport_hub::{Identity, Refused};
use sallyport_ipc::{EndTold, LimitsInput};
use sallyport_model::{Digest, ErrorCode, RequestRef};
use std::sync::Arc;

impl Approvals {
    /// Says yes to the offer with this digest, or to what the limits leave of it.
    ///
    /// # Errors
    /// [`ErrorCode::ProfileChanged`] when the request's offer is another by now: nothing was approved. When it is their own,
    /// when the limits leave nothing or its broker takes none, when a stronger sign-in is wanted, and when the hub says no.
    pub(crate) async fn approve(
        &self,
        request: String,
        offer: String,
        limits: Option<LimitsInput>,
    ) -> Result<(), AppError> {
        let (signed, object) = self.one(&request)?;
        not_their_own(&signed, &object)?;
        let current = object.offer();
        if current.is_none_or(|current| current.digest != offer) {
            return Err(AppError::new(
                ErrorCode::ProfileChanged,
                "the offer is another one by now, and nothing was approved",
            )
            .hint("Read what it allows now, then decide."));
        }
        let known = self.inventory.known_for(&signed.workspace, &object);
        if let Some(problem) = self.checked(&object, &known) {
            return Err(AppError::new(ErrorCode::ProfileChanged, problem).hint(
                "Nothing was approved. Deny it, and ask an admin to look at the broker of that cluster.",
            ));
        }
        let takes_limits = current.is_some_and(|current| current.takes_limits);
        let limits = less::limits(&object, limits, takes_limits)?;
        let digest: Digest = offer.parse().map_err(|_| {
            AppError::new(ErrorCode::BadInput, "the offer's digest can't be read")
                .hint("Look at the request again.")
        })?;
        let (hub, which, me) = self.ready(&signed, &object).await?;
        let word = Word { which: &which, me: &me, at: self.hub_time(&signed.workspace) };
        said(hub.approve(word, &digest, &limits).await)?;
        self.note(Action::Approve, &signed, &object, |draft| {
            let draft = draft.detail("offer", offer);
            let draft = match limits.duration() {
                Some(most) => draft.detail("at most", most.to_string()),
                None => draft,
            };
            match limits.scope() {
                Some(scope) => draft.detail("only", scope.to_string()),
                None => draft,
            }
        })
        .await;
        Ok(())
    }

    /// Says no.
    ///
    /// # Errors
    /// When it is their own, and when the hub says no.
    pub(crate) async fn deny(&self, request: String, reason: Option<String>) -> Result<(), AppError> {
        let (signed, object) = self.one(&request)?;
        not_their_own(&signed, &object)?;
        let reason = reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        checked(reason.as_deref().unwrap_or_default(), false)?;
        let (hub, which, me) = self.ready(&signed, &object).await?;
        let word = Word { which: &which, me: &me, at: self.hub_time(&signed.workspace) };
        said(hub.deny(word, reason.as_deref()).await)?;
        self.note(Action::Deny, &signed, &object, |draft| match reason {
            Some(why) => draft.detail("why", why),
            None => draft,
        })
        .await;
        Ok(())
    }

    /// Ends what somebody else has open, or is about to get. What the hub can't hear is kept, and told when it can.
    ///
    /// # Errors
    /// Without a reason, when the hub says no, and when it can't hear and too much is kept already.
    pub(crate) async fn revoke(&self, request: String, reason: String) -> Result<EndTold, AppError> {
        let (signed, object) = self.one(&request)?;
        not_their_own(&signed, &object)?;
        let reason = reason.trim().to_owned();
        checked(&reason, true)?;
        let which = which_of(&object)?;
        match self.say_end(&signed, &which, &reason).await {
            Ok(()) => {
                self.end_is_told(&signed, &object, reason).await;
                Ok(EndTold::Told)
            }
            Err(Refused::Fault(fault)) if can_not_hear(&signed, &fault) => {
                self.keep_end(&signed, object, reason, fault).await?;
                Ok(EndTold::NotYet)
            }
            Err(refused) => said(Err(refused)),
        }
    }

    /// Drops an end that the hub has not heard: it is told no more. One that hangs on its way may be taken in all the same.
    ///
    /// # Errors
    /// When none is kept for this request.
    pub(crate) async fn drop_end(&self, request: String) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let kept = self.forget_end(&signed.workspace, &request).ok_or_else(|| {
            AppError::new(ErrorCode::BadInput, "there is no end of it that the hub has not heard")
                .hint("Look at the request again: the hub has it by now, or it is over.")
        })?;
        self.note_untold(&signed, &kept.object, "dropped before the hub heard it; the session went on").await;
        Ok(())
    }

    /// Tells the hub the end of a request.
    pub(super) async fn say_end(
        &self,
        signed: &Signed,
        which: &RequestRef,
        reason: &str,
    ) -> Result<(), Refused> {
        let hub = self.hub(signed);
        let me = hub.whoami().await.map_err(Refused::Fault)?;
        let word = Word { which, me: &me, at: self.hub_time(&signed.workspace) };
        hub.revoke(word, reason).await
    }

    /// The hub has taken this person's end of a request.
    pub(super) async fn end_is_told(&self, signed: &Signed, object: &AccessRequest, reason: String) {
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        self.forget_end(&signed.workspace, uid);
        self.note_revoked(signed, uid);
        self.note(Action::Revoke, signed, object, |draft| draft.detail("why", reason)).await;
    }

    /// An end that the hub has not heard, with why.
    pub(super) async fn note_untold(&self, signed: &Signed, object: &AccessRequest, why: impl Into<String>) {
        let why = why.into();
        self.note(Action::Revoke, signed, object, |draft| draft.outcome(Outcome::Failed).detail("why", why))
            .await;
    }

    /// The hub, the request, and who this person is to the hub at this moment: a yes carries it, and admission compares.
    async fn ready(
        &self,
        signed: &Signed,
        object: &AccessRequest,
    ) -> Result<(Arc<dyn HubSide>, RequestRef, Identity), AppError> {
        let which = which_of(object)?;
        let hub = self.hub(signed);
        let me = hub.whoami().await.map_err(of_hub)?;
        Ok((hub, which, me))
    }

    /// Now by the hub's clock: an approval is dated within a minute of it.
    fn hub_time(&self, workspace: &WorkspaceId) -> Timestamp {
        Timestamp::from_second(self.person.hub_now(workspace)).unwrap_or_else(|_| Timestamp::now())
    }

    async fn note(
        &self,
        action: Action,
        signed: &Signed,
        object: &AccessRequest,
        more: impl FnOnce(Draft) -> Draft,
    ) {
        let spec = &object.spec;
        let mut draft = Draft::new(action)
            .user(&signed.who.user)
            .detail("for", &spec.user)
            .detail("profile", &spec.profile)
            .detail("duration", &spec.duration)
            .detail("namespaces", spec.namespaces.join(" "));
        if let Ok(which) = object.which() {
            draft = draft.request(&which.uid);
        }
        if let Ok(cluster) = spec.cluster.parse() {
            draft = draft.cluster(&cluster);
        }
        self.history.note(more(draft)).await;
    }
}

fn which_of(object: &AccessRequest) -> Result<RequestRef, AppError> {
    object.which().map_err(|e| AppError::failed("this request can't be decided on from here").because(e))
}

/// Whether a call did not reach the hub and the same may do so later. Without a token only where the provider does not answer:
/// who has to sign in again is told so.
fn can_not_hear(signed: &Signed, fault: &Fault) -> bool {
    fault.may_pass() || (matches!(fault, Fault::NoToken(_)) && signed.tokens.over().is_none())
}

/// The API server refuses it too, also to whoever may do everything (P8); this says it without asking.
fn not_their_own(signed: &Signed, object: &AccessRequest) -> Result<(), AppError> {
    if object.spec.user == signed.who.user.as_str() {
        return Err(AppError::new(ErrorCode::Forbidden, "nobody decides on their own request")
            .hint("Somebody else who may approve under this profile has to; leave it to take it back."));
    }
    Ok(())
}

fn checked(reason: &str, is_needed: bool) -> Result<(), AppError> {
    sallyport_model::check_reason(reason, is_needed).map_err(|wrong| {
        AppError::new(ErrorCode::BadInput, wrong.to_string()).hint("Say why in a few words.")
    })
}

/// What the hub answered, in words for who decides.
fn said<T>(answer: Result<T, Refused>) -> Result<T, AppError> {
    answer.map_err(|refused| match refused {
        Refused::Forbidden { message } => AppError::new(ErrorCode::Forbidden, message)
            .hint("Nothing was changed. Ask an admin which group may decide on this profile."),
        other => of_refused(other),
    })
}
