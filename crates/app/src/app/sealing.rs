//! The history's sealing key: which it is, and another in its place. Vault and history take turns, so that whoever dies between
//! two of the steps finds a history that verifies and is sealed on.

use super::Parts;
use crate::desk::{AppError, vault};
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{SealView, Shown};
use sallyport_model::ErrorCode;
use sallyport_store::StoreError;

impl Parts {
    pub(crate) async fn seal_view(&self) -> Result<SealView, AppError> {
        self.history.seal_view().await
    }

    /// `fingerprint`: of the key that is to be replaced, as it was shown.
    pub(crate) async fn renew_seal(&self, fingerprint: String) -> Result<SealView, AppError> {
        let _one = self.history.renewing().await;
        let current = self.history.seal_public().ok_or_else(not_sealed)?;
        if current.fingerprint().to_string() != fingerprint {
            return Err(AppError::new(
                ErrorCode::BadInput,
                "the sealing key is another than the one that was shown",
            )
            .hint("Look at it again."));
        }
        let signed = self.person.signed()?;
        // Before the vault is touched: a history that lacks entries can name nothing.
        if !self.history.has_root() {
            return Err(not_sealed());
        }
        if self.history.is_handing_over() {
            return Err(handing_over());
        }
        let next = vault::next_seal(&self.desk.vault, &current).await?;
        self.history.renew_seal(next).await.map_err(|error| match error {
            StoreError::NoSeal => not_sealed(),
            StoreError::HandingOver => handing_over(),
            error @ StoreError::NotDurable { .. } => AppError::failed(
                "the disk did not take the old key's word for the new one in time",
            )
            .hint("It is tried again by itself, now and at the next start; until then both keys are kept.")
            .because(error),
            error => AppError::failed("the sealing key was not replaced")
                .hint("Start Sallyport again: it goes on from what is kept, and verify says how it stands.")
                .because(error),
        })?;
        vault::forget_former_seal(&self.desk.vault).await;
        let named = self.history.seal_public().map(|key| key.fingerprint().to_string());
        let draft = Draft::new(Action::SealRenewed).user(&signed.who.user);
        self.history.note(draft.detail("sealed_by", named).detail("before", &fingerprint)).await;
        let view = self.history.seal_view().await?;
        Ok(SealView { former: Some(Shown::from(&fingerprint)), ..view })
    }
}

fn not_sealed() -> AppError {
    AppError::failed("nothing is sealed here, so no key can name the next")
        .hint("Sealing takes a keyring, and a history with no entry missing: Verify says which it is.")
}

fn handing_over() -> AppError {
    AppError::failed("the last key's word for the one after it is not on the disk yet")
        .hint("It is tried again by itself; try again once entries reach the disk.")
        .retry()
}
