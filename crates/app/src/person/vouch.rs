//! Still who one was: the provider asked for its word, and what it says of the groups taken over.

use super::faults::{of_hub, of_oidc};
use super::{Person, Signed, WorkspaceId};
use crate::desk::AppError;
use sallyport_api::Reaffirmed;
use sallyport_client::Fault;
use std::sync::Arc;

impl Person {
    /// The provider's word for whoever is signed in: of a token issued after `after` (Unix seconds, the provider's clock),
    /// the one at hand or a new one. No browser opens.
    ///
    /// # Errors
    /// When the provider gives none, and when the hub does not say of the token what has to be said.
    pub(crate) async fn vouched_for(&self, signed: &Signed, after: i64) -> Result<Reaffirmed, AppError> {
        let issued = |claims: sallyport_oidc::IdClaims| claims.issued_at.as_second();
        let at_hand = signed.tokens.claims().map(issued);
        if at_hand.is_none_or(|at| at <= after) {
            let new = signed.tokens.vouch().await.map(issued).map_err(of_oidc)?;
            if new <= after {
                return Err(AppError::failed("the identity provider gave the same ID token again")
                    .hint("An admin can make it give a new one on each refresh."));
            }
        }
        // In the hub's words for this token, to which it will hold what is written.
        let identity = signed.side.whoami().await.map_err(of_hub)?;
        let issued = identity.issued_at.ok_or_else(|| {
            AppError::failed("the hub does not say when a token was issued")
                .hint("An admin of the hub can map iat to issued-at in its authentication.")
        })?;
        Ok(Reaffirmed { issued, groups: identity.groups })
    }

    /// Keeps what is known of each sign-in's groups as the provider says them at each renewal, until the app ends: who gained
    /// one gains what it may ask for, who lost one is shown no more than that.
    pub(crate) async fn follow_groups(self: Arc<Self>) {
        let person = self.clone();
        self.each_sign_in(|signed| drop(tokio::spawn(person.clone().keep_groups(signed)))).await;
    }

    async fn keep_groups(self: Arc<Self>, signed: Arc<Signed>) {
        let groups = || signed.tokens.claims().map(|claims| claims.groups).unwrap_or_default();
        let mut renewals = signed.tokens.renewals();
        let mut known = groups();
        loop {
            tokio::select! {
                renewed = renewals.changed() => if renewed.is_err() { return },
                () = signed.stop.cancelled() => return,
            }
            // What renewals change of the sign-in is among the notes.
            self.desk.changed();
            let now = groups();
            if now == known {
                continue;
            }
            match self.moved(&signed.workspace, &signed).await {
                Ok(()) => known = now,
                // The next renewal asks again.
                Err(error) => tracing::warn!("in which groups one is now was not learned: {}", error.chain()),
            }
        }
    }

    /// Takes over who the hub says this is by now, and which teams they are in.
    async fn moved(&self, workspace: &WorkspaceId, signed: &Signed) -> Result<(), AppError> {
        self.refresh_identity(workspace, &*signed.tokens).await?;
        let teams = match signed.side.teams().await {
            Ok(teams) => Some(teams),
            // Members of a team may list them, and nobody else.
            Err(Fault::Forbidden(_)) => Some(Vec::new()),
            Err(_) => None,
        };
        self.at(workspace, |seat| {
            if let Some(teams) = teams {
                seat.sits_again(signed.number, |before| Signed { teams, ..before.clone() });
            }
            seat.tell(|told| told.moves += 1);
        });
        self.desk.changed();
        Ok(())
    }
}
