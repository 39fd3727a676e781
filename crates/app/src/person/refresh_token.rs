//! What renews a sign-in, kept in the vault.

use super::ports::SignInVault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_model::Secret;
use sallyport_oidc::{Persist, ProviderConfig};
use sallyport_vault::{Item, Vault};
use std::sync::Arc;

/// Stores each new refresh token before it is used.
pub(crate) fn persist(vault: &Arc<dyn SignInVault>, config: &ProviderConfig) -> Persist {
    let (vault, issuer, client_id) = (vault.clone(), config.issuer.clone(), config.client_id.clone());
    Arc::new(move |token| {
        let (vault, issuer, client_id) = (vault.clone(), issuer.clone(), client_id.clone());
        Box::pin(async move { vault.keep(&issuer, &client_id, token).await })
    })
}

impl SignInVault for Vault {
    fn kept<'a>(&'a self, issuer: &'a str, client_id: &'a str) -> BoxFuture<'a, Option<Secret<String>>> {
        async { self.get_text(&item(issuer, client_id)).await }.boxed()
    }
    fn keep<'a>(
        &'a self,
        issuer: &'a str,
        client_id: &'a str,
        token: Option<Secret<String>>,
    ) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let item = item(issuer, client_id);
            let kept = match token {
                Some(token) => self.put_text(item, &token).await,
                None => self.remove(&item).await,
            };
            kept.map_err(|e| e.to_string())
        }
        .boxed()
    }
}

fn item(issuer: &str, client_id: &str) -> Item {
    Item::SignIn { issuer: issuer.to_owned(), client_id: client_id.to_owned() }
}
