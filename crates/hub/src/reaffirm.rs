use crate::{Hub, Refused};
use sallyport_api::{AccessRequest, AccessRequestStatus, Reaffirmed};
use sallyport_model::RequestRef;
use serde_json::json;

impl Hub {
    /// Shows the hub that the provider vouches for the requester: `word` is what the token says that this client comes with.
    /// A word that stands already is not written again; an older one, or another token's, the hub refuses.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn reaffirm(&self, which: &RequestRef, word: &Reaffirmed) -> Result<AccessRequest, Refused> {
        let stands = |status: &AccessRequestStatus| status.reaffirmed.as_ref() == Some(word);
        self.merge(which, json!({"reaffirmed": word}), stands).await
    }
}
