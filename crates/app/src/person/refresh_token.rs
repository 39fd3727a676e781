//! What renews a sign-in, kept in the vault.

use sallyport_model::Secret;
use sallyport_oidc::{Persist, ProviderConfig};
use sallyport_vault::{Error, Item, Vault};
use std::sync::Arc;

/// What renews the sign-in of this client, if it was kept.
pub(crate) async fn kept(vault: &Vault, config: &ProviderConfig) -> Option<Secret<String>> {
    vault.get_text(&item(&config.issuer, &config.client_id)).await
}

/// Stores each new refresh token before it is used.
pub(crate) fn persist(vault: &Arc<Vault>, config: &ProviderConfig) -> Persist {
    let (vault, issuer, client_id) = (vault.clone(), config.issuer.clone(), config.client_id.clone());
    Arc::new(move |token| {
        let (vault, item) = (vault.clone(), item(&issuer, &client_id));
        Box::pin(async move { keep(&vault, item, token).await.map_err(|e| e.to_string()) })
    })
}

async fn keep(vault: &Vault, item: Item, token: Option<Secret<String>>) -> Result<(), Error> {
    match token {
        Some(token) => vault.put_text(item, &token).await,
        None => vault.remove(&item).await,
    }
}

fn item(issuer: &str, client_id: &str) -> Item {
    Item::SignIn { issuer: issuer.to_owned(), client_id: client_id.to_owned() }
}
