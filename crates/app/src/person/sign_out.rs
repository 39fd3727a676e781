//! The end of a sign-in: here, and at the provider; what a person has to know of it.

use super::Person;
use super::signed::Signed;
use crate::desk::AppError;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_ipc::HubLink;
use sallyport_oidc::SignedOut;

impl Person {
    /// Forgets the sign-in here and at the provider. `left` is what its sessions may have left behind, `untold` what the person
    /// ended and the hub has not heard: nobody tells it any more.
    ///
    /// # Errors
    /// When something is left, and when the provider did not confirm: this desktop has forgotten the sign-in all the same.
    pub(crate) async fn forget(
        &self,
        signed: &Signed,
        left: &[String],
        untold: &[String],
    ) -> Result<(), AppError> {
        let ended = signed.tokens.sign_out().await;
        let issuer = signed.tokens.provider().issuer().to_owned();
        let left_seat = self.at(&signed.workspace, |seat| {
            let is_theirs = seat.leave(signed.number);
            if is_theirs {
                seat.learned.left_at = Some(issuer);
            }
            is_theirs
        });
        // Whoever signed in meanwhile goes on.
        if left_seat == Some(true) {
            self.has_sat();
            self.hub_is(&signed.workspace, HubLink::Idle, None);
        }
        if let Err(error) = self.desk.prefs.forget_reason().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last reason was not forgotten");
        }
        let (outcome, said) = match &ended {
            Ok(SignedOut::Revoked) => {
                (Outcome::Ok, "the refresh token is revoked at the provider".to_owned())
            }
            Ok(SignedOut::NotOffered) => (Outcome::Ok, "the provider offers no revocation".to_owned()),
            Ok(SignedOut::NothingToRevoke) => (Outcome::Ok, "there was no refresh token".to_owned()),
            Err(error) => (Outcome::Failed, format!("the provider did not confirm: {error}")),
        };
        let mut draft =
            Draft::new(Action::SignOut).user(&signed.who.user).outcome(outcome).detail("provider", said);
        let open: Vec<&str> = left.iter().chain(untold).map(String::as_str).collect();
        if !open.is_empty() {
            draft = draft.outcome(Outcome::Failed).detail("why", open.join("; "));
        }
        self.history.note(draft).await;
        self.desk.changed();
        signed_out(ended, left, untold).map_or(Ok(()), Err)
    }
}

/// What a person has to know after signing out; `None` when nothing is left anywhere.
fn signed_out(
    provider: Result<SignedOut, sallyport_oidc::Error>,
    left: &[String],
    untold: &[String],
) -> Option<AppError> {
    let mut what = Vec::new();
    let mut hints = Vec::new();
    if !left.is_empty() {
        what.push(left.join(", and "));
        hints.push(
            "Sallyport goes on ending it while it runs; whoever may revoke it on the hub can too.".to_owned(),
        );
    }
    if !untold.is_empty() {
        what.push(format!("the hub has not heard that you ended this: {}", untold.join(", and ")));
        hints.push(
            "Nobody tells it now: sign in and end it again, or ask somebody else who may revoke it."
                .to_owned(),
        );
    }
    if let Err(error) = &provider {
        what.push(match error {
            sallyport_oidc::Error::EarlierSignIn { .. } => {
                "the provider did not confirm it for an earlier sign-in of yours".to_owned()
            }
            _ => "the provider did not confirm it".to_owned(),
        });
        hints.push("Its refresh token may work until it runs out; end the sign-in in the provider's own pages to be sure.".to_owned());
    }
    if what.is_empty() {
        return None;
    }
    let message = format!("you are signed out here, but {}", what.join(", and "));
    let error = match provider {
        Ok(_) => AppError::failed(message),
        Err(error) => AppError::new(error.code(), message).because(error),
    };
    Some(error.hint(hints.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn fault_a10_signing_out_says_what_is_left_where_and_until_when() {
        let left = ["rights on payments-eu-1 stay until 14:32 UTC".to_owned()];
        assert!(signed_out(Ok(SignedOut::Revoked), &[], &[]).is_none());
        let said = signed_out(Ok(SignedOut::Revoked), &left, &[]).expect("something is left");
        assert_eq!(
            said.message(),
            "you are signed out here, but rights on payments-eu-1 stay until 14:32 UTC"
        );
        let away = || sallyport_oidc::Error::Cancelled;
        let said = signed_out(Err(away()), &left, &[]).expect("something is left");
        assert!(said.message().contains("until 14:32 UTC, and the provider did not confirm it"), "{said}");
        assert!(signed_out(Err(away()), &[], &[]).is_some());
        let earlier = sallyport_oidc::Error::EarlierSignIn { source: Arc::new(away()) };
        let said = signed_out(Err(earlier), &[], &[]).expect("fault_b0: something is left");
        assert!(said.message().contains("earlier sign-in of yours"), "{said}");
        // What nobody tells any more is not said to be gone on with.
        let untold = ["debug of oidc:dana on eu goes on until 15:00 UTC".to_owned()];
        let said = signed_out(Ok(SignedOut::Revoked), &[], &untold).expect("the hub was not told");
        assert!(
            said.message().ends_with(
                "has not heard that you ended this: debug of oidc:dana on eu goes on until 15:00 UTC"
            ),
            "{said}"
        );
        let hint = said.view().hint.unwrap();
        assert!(
            hint.as_str().contains("end it again") && !hint.as_str().contains("goes on ending it"),
            "{hint:?}"
        );
    }
}
