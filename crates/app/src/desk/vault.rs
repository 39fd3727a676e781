//! The vault of a data directory, and the history's key in it.

use super::dirs::Dirs;
use super::error::AppError;
use sallyport_model::Secret;
use sallyport_vault::{Item, Keyring, Vault, VaultConfig, VaultState};
use std::time::Duration;

/// How long the keyring may take for one step.
const KEYRING: Duration = Duration::from_secs(5);
/// How long a person may take to unlock it at the start.
const UNLOCK: Duration = Duration::from_secs(60);
/// Bytes of the history's key.
const KEY: usize = 32;

/// Opens the vault of a data directory.
pub(crate) async fn open(dirs: &Dirs, keyring: Keyring) -> Result<Vault, AppError> {
    let config = VaultConfig { dir: dirs.data.clone(), keyring, timeout: KEYRING, unlock: UNLOCK };
    Vault::open(config).await.map_err(|e| {
        AppError::failed("the vault can't be opened")
            .hint("Check the disk and the directory's owner; the log has the details.")
            .because(e)
    })
}

/// The history's key, made at the first start. None without a keyring: a key that dies with the process anchors nothing.
pub(crate) async fn history_key(vault: &Vault) -> Option<Secret<[u8; KEY]>> {
    if !matches!(vault.state(), VaultState::Keyring) {
        return None;
    }
    if let Some(kept) = vault.get(&Item::HistoryKey).await
        && let Ok(bytes) = <[u8; KEY]>::try_from(kept.expose().as_slice())
    {
        return Some(Secret::new(bytes));
    }
    let mut bytes = [0u8; KEY];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gave no randomness for the history's key");
        return None;
    }
    match vault.put(Item::HistoryKey, Secret::new(bytes.to_vec())).await {
        Ok(()) => Some(Secret::new(bytes)),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the history's key could not be kept");
            None
        }
    }
}
