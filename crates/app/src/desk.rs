//! What every part stands on: the host, the options, the directories, preferences and vault, and the app's end. It
//! knows none of them.

#[cfg(test)]
mod apart;
mod clock;
mod dirs;
mod error;
mod faults;
mod habits;
mod host;
mod log;
mod options;
mod place;
mod settings;
pub(crate) mod vault;

pub(crate) use clock::now_ms;
pub use dirs::Dirs;
pub use error::AppError;
pub(crate) use faults::Fault;
#[cfg(test)]
pub(crate) use host::Nobody;
pub use host::{Host, Notification, Notifier, Output};
pub use log::LogTail;
pub use options::Options;
pub(crate) use place::{FileKind, parse as parse_place};

use sallyport_ipc::Shown;
use sallyport_ipc::Vault as VaultView;
use sallyport_store::{InstanceLock, Prefs};
use sallyport_vault::{Vault, VaultState};
use settings::Chosen;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The surroundings of this run, taken once and shared by all parts.
pub(crate) struct Desk {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) options: Options,
    pub(crate) dirs: Dirs,
    pub(crate) prefs: Prefs,
    pub(crate) vault: Arc<Vault>,
    /// Ends every background task.
    pub(crate) stop: CancellationToken,
    chosen: Mutex<Chosen>,
    faults: faults::Faults,
    changed: Notify,
    _lock: InstanceLock,
}

impl Desk {
    pub(crate) async fn new(
        host: Arc<dyn Host>,
        options: Options,
        dirs: Dirs,
        prefs: Prefs,
        vault: Arc<Vault>,
        lock: InstanceLock,
    ) -> Self {
        let chosen = Mutex::new(Chosen::of(&prefs).await);
        Self {
            host,
            options,
            dirs,
            prefs,
            vault,
            stop: CancellationToken::new(),
            chosen,
            faults: faults::Faults::default(),
            changed: Notify::new(),
            _lock: lock,
        }
    }

    /// Something around the views changed: the window is told soon, once for many changes.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Waits for a change that was not waited for yet.
    pub(crate) async fn until_changed(&self) {
        self.changed.notified().await;
    }

    /// How strong the next sign-in should be: what a profile of this team asked for last, so that one MFA serves the
    /// whole incident.
    pub(crate) async fn sign_in_acr(&self) -> Vec<String> {
        self.prefs.sign_in_acr().await.unwrap_or_default()
    }

    pub(crate) async fn remember_acr(&self, acr: &[String]) {
        if let Err(error) = self.prefs.set_sign_in_acr(acr).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "how strong the next sign-in should be was not kept");
        }
    }

    /// Where refresh tokens are kept, for the window.
    pub(crate) fn vault_view(&self) -> VaultView {
        match self.vault.state() {
            VaultState::Keyring => VaultView::Keyring,
            VaultState::MemoryOnly { why } => VaultView::MemoryOnly { why: Shown::from(&why) },
        }
    }
}
