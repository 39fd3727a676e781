//! The vault of a data directory, and the keys in it that are this desktop's own.

use super::dirs::Dirs;
use super::error::AppError;
use sallyport_audit::{ChainKey, SealKey, SealPublic};
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
    let (key, former) = (SealKey::new(*seal.expose()), kept(vault, &Item::HistorySealFormer).await);
    let former = former.map(|former| SealKey::new(*former.expose()));
    // Put aside by somebody who died before there was another: it is the key still.
    let former = former.filter(|former| former.public() != key.public());
    let sealing = Sealing { key, former };
    Some(HistoryKeys { chain: ChainKey::new(*chain.expose()), sealing })
}

/// The next sealing key, kept with the one that is in force put aside beside it: whoever dies from here on opens with both,
/// and the one in force names the next.
///
/// # Errors
/// When the vault has no keyring, not the key in force, or could not be written: nothing is another then.
pub(crate) async fn next_seal(vault: &Vault, in_force: &SealPublic) -> Result<SealKey, AppError> {
    let not = |what: &str| AppError::failed(format!("there is no new sealing key: {what}"));
    if !matches!(vault.state(), VaultState::Keyring) {
        return Err(not("without a keyring nothing is sealed")
            .hint("Unlock or install a keyring, then start Sallyport again."));
    }
    // By what the history signs with and not by its name in the vault: after a try that failed they may differ.
    let mut current = None;
    for item in [Item::HistorySeal, Item::HistorySealFormer] {
        let found = kept(vault, &item).await;
        current = current.or(found.filter(|seed| SealKey::new(*seed.expose()).public() == in_force));
    }
    let current = current.ok_or_else(|| {
        not("the vault does not hold the key in force")
            .hint("Start Sallyport again, then verify the history.")
    })?;
    let mut bytes = [0u8; KEY];
    getrandom::fill(&mut bytes).map_err(|e| not("the system gave no randomness").because(e))?;
    let unwritten = |e| {
        not("the vault could not be written")
            .hint("Check the disk; the log has the details. Then try again.")
            .because(e)
    };
    let of = |seed: &[u8; KEY]| Secret::new(seed.to_vec());
    vault.put(Item::HistorySealFormer, of(current.expose())).await.map_err(unwritten)?;
    if let Err(error) = vault.put(Item::HistorySeal, of(&bytes)).await {
        // What is held in memory is written with the next change: that is to be the key in force. If the other is on the
        // disk all the same, a start finds both and hands over.
        if let Err(error) = vault.put(Item::HistorySeal, of(current.expose())).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the vault can't be written");
        }
        return Err(unwritten(error));
    }
    Ok(SealKey::new(bytes))
}

/// The former key is on record as one that named the next: it is not needed any more.
pub(crate) async fn forget_former_seal(vault: &Vault) {
    if let Err(error) = vault.remove(&Item::HistorySealFormer).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a former sealing key is kept still");
    }
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
