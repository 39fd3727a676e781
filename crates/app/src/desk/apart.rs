//! A desk for the tests of whatever stands on one.

use super::{Desk, Dirs, Host, Options, vault};
use sallyport_store::{InstanceLock, Prefs};
use sallyport_vault::Keyring;
use std::sync::Arc;
use tempfile::TempDir;

impl Desk {
    /// One with a folder to itself, which goes with what is returned beside it, and without a keyring.
    pub(crate) async fn apart(host: Arc<dyn Host>, options: Options) -> (Arc<Self>, TempDir) {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        dirs.create().unwrap();
        let lock = InstanceLock::take(&dirs.data).unwrap();
        let options = Options { keyring: Keyring::Off, ..options };
        let vault = Arc::new(vault::open(&dirs, Keyring::Off).await.unwrap());
        let prefs = Prefs::open(&dirs.data).await.unwrap();
        (Arc::new(Self::new(host, options, dirs, prefs, vault, lock).await), home)
    }
}
