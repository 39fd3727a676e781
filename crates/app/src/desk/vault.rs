//! The vault of a data directory, and the keys in it that are this desktop's own.

use super::dirs::Dirs;
use super::error::AppError;
use sallyport_audit::{ChainKey, SealKey};
use sallyport_model::Secret;
use sallyport_store::Sealing;
use sallyport_vault::{Item, Keyring, Vault, VaultConfig, VaultState};
use std::time::Duration;

/// How long the keyring may take for one step.
const KEYRING: Duration = Duration::from_secs(5);
/// How long a person may take to unlock it at the start.
const UNLOCK: Duration = Duration::from_secs(60);
/// Bytes of a key.
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

/// What a history is kept under.
pub(crate) struct HistoryKeys {
    /// Links its entries.
    pub(crate) chain: ChainKey,
    /// Signs its checkpoints.
    pub(crate) sealing: Sealing,
}

/// The history's keys, made at the first start. None without a keyring: a key that dies with the process anchors nothing.
pub(crate) async fn history_keys(vault: &Vault) -> Option<HistoryKeys> {
    let chain = key(vault, Item::HistoryKey).await?;
    let seal = key(vault, Item::HistorySeal).await?;
    let former = kept(vault, &Item::HistorySealFormer).await;
    let sealing = Sealing {
        key: SealKey::new(*seal.expose()),
        former: former.map(|former| SealKey::new(*former.expose())),
    };
    Some(HistoryKeys { chain: ChainKey::new(*chain.expose()), sealing })
}

async fn kept(vault: &Vault, item: &Item) -> Option<Secret<[u8; KEY]>> {
    let kept = vault.get(item).await?;
    <[u8; KEY]>::try_from(kept.expose().as_slice()).ok().map(Secret::new)
}

/// The key that is kept, or a new one that is from now on. None without a keyring.
pub(crate) async fn key(vault: &Vault, item: Item) -> Option<Secret<[u8; KEY]>> {
    if !matches!(vault.state(), VaultState::Keyring) {
        return None;
    }
    if let Some(kept) = kept(vault, &item).await {
        return Some(kept);
    }
    let mut bytes = [0u8; KEY];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(?item, %error, "the system gave no randomness for a key");
        return None;
    }
    match vault.put(item.clone(), Secret::new(bytes.to_vec())).await {
        Ok(()) => Some(Secret::new(bytes)),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(?item, error, "a key could not be kept, so it is not used");
            None
        }
    }
}
