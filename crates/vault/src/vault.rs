use std::{
    fmt,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sallyport_model::Secret;
use tokio::sync::{Mutex, OwnedMutexGuard};
use zeroize::Zeroizing;

use crate::{
    error::Error,
    file::{self, Found, InstanceId, Items, Key, Sealed},
    item::Item,
    keyring::{Access, Keyring},
};

/// The largest single secret, bytes: a refresh token of some providers is a few kilobytes.
const LARGEST_ITEM: usize = 64 * 1024;

/// Where the vault is and how to reach its key.
#[derive(Clone, Debug)]
pub struct VaultConfig {
    /// The data directory; made (0700) when missing.
    pub dir: PathBuf,
    /// Which keyring to use.
    pub keyring: Keyring,
    /// How long the keyring may take for one step.
    pub timeout: Duration,
    /// How long a person may take for each prompt: for a locked keyring, and for a key it guards besides.
    pub unlock: Duration,
}

impl VaultConfig {
    /// The vault of `dir` with the desktop's keyring, 10 s for the keyring and 30 s for the person.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            keyring: Keyring::Os,
            timeout: Duration::from_secs(10),
            unlock: Duration::from_secs(30),
        }
    }
}

/// Where secrets are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultState {
    /// In the encrypted file, its key in the keyring: they survive a restart.
    Keyring,
    /// In memory: they are gone when the application ends.
    MemoryOnly {
        /// The reason, to be shown.
        why: String,
    },
}

/// A vault file that could not be used and was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// Where it is now.
    pub kept_as: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the vault could not be opened ({}) and was kept as {}", self.why, self.kept_as.display())
    }
}

/// The secrets of one data directory. One process at a time: the application's lock on the directory sees to that.
pub struct Vault {
    dir: PathBuf,
    access: Access,
    mishap: Option<Mishap>,
    backing: Backing,
    items: Arc<Mutex<Items>>,
}

enum Backing {
    File { id: InstanceId, key: Key },
    Memory { why: String },
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("dir", &self.dir).field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens the vault of a data directory, or starts one. A keyring that is missing, locked or silent is not an error
    /// but [`VaultState::MemoryOnly`], and an existing file is left as it is then. A file that is damaged, or whose key
    /// the keyring has lost, is put aside and a new one started: see [`Vault::mishap`].
    ///
    /// # Errors
    /// [`Error::Io`] when the directory can't be used.
    pub async fn open(config: VaultConfig) -> Result<Self, Error> {
        let VaultConfig { dir, keyring, timeout, unlock } = config;
        let access = Access { keyring, timeout, unlock };
        let found = blocking({
            let dir = dir.clone();
            move || {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&dir)
                    .map_err(Error::io("make", &dir))?;
                file::read(&dir)
            }
        })
        .await?;
        let mut mishap = None;
        let existing = match found {
            Found::Sealed(sealed) => Some(sealed),
            Found::Nothing => None,
            Found::Newer => {
                let why = "the vault was written by a newer version of Sallyport".to_owned();
                return Ok(Self::new(dir, access, None, Backing::Memory { why }, Items::new()));
            }
            Found::Broken(why) => {
                mishap = Some(set_aside(&dir, why).await?);
                None
            }
        };
        let opened = match existing {
            None => None,
            Some(sealed) => match unseal(&access, &sealed).await {
                Unsealed::Open(key, items) => Some((Backing::File { id: sealed.id, key }, items)),
                Unsealed::NoKeyring(why) => Some((Backing::Memory { why }, Items::new())),
                Unsealed::Unusable(why) => {
                    mishap = Some(set_aside(&dir, why).await?);
                    None
                }
            },
        };
        let (backing, items) = match opened {
            Some(opened) => opened,
            None => (start(&dir, &access).await?, Items::new()),
        };
        Ok(Self::new(dir, access, mishap, backing, items))
    }

    fn new(dir: PathBuf, access: Access, mishap: Option<Mishap>, backing: Backing, items: Items) -> Self {
        match &backing {
            Backing::File { .. } => tracing::debug!(dir = %dir.display(), "vault open"),
            Backing::Memory { why } => tracing::warn!(why, "secrets are kept in memory only"),
        }
        if let Some(mishap) = &mishap {
            tracing::warn!(%mishap);
        }
        Self { dir, access, mishap, backing, items: Arc::new(Mutex::new(items)) }
    }

    /// Where secrets are kept.
    pub fn state(&self) -> VaultState {
        match &self.backing {
            Backing::File { .. } => VaultState::Keyring,
            Backing::Memory { why } => VaultState::MemoryOnly { why: why.clone() },
        }
    }

    /// What happened to the file that was there, if it could not be used.
    pub fn mishap(&self) -> Option<&Mishap> {
        self.mishap.as_ref()
    }

    /// The names of everything held.
    pub async fn items(&self) -> Vec<Item> {
        self.items.lock().await.keys().cloned().collect()
    }

    /// A secret, if it is held.
    pub async fn get(&self, item: &Item) -> Option<Secret<Vec<u8>>> {
        self.items.lock().await.get(item).cloned()
    }

    /// A secret that is text; `None` also when it is not.
    pub async fn get_text(&self, item: &Item) -> Option<Secret<String>> {
        let items = self.items.lock().await;
        String::from_utf8(items.get(item)?.expose().clone()).ok().map(Secret::new)
    }

    /// Holds a secret under `item`, in place of what was there; when this returns it is on disk, if there is a keyring.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and [`Error::Io`] when it could not be written: it is held in memory then, and written along
    /// with the next change.
    pub async fn put(&self, item: Item, secret: Secret<Vec<u8>>) -> Result<(), Error> {
        let size = secret.expose().len();
        if size > LARGEST_ITEM {
            return Err(Error::TooLarge { what: "this secret", size, limit: LARGEST_ITEM });
        }
        let mut items = self.items.clone().lock_owned().await;
        items.insert(item, secret);
        self.write(items).await
    }

    /// [`Vault::put`] for text.
    ///
    /// # Errors
    /// As [`Vault::put`].
    pub async fn put_text(&self, item: Item, secret: &Secret<String>) -> Result<(), Error> {
        self.put(item, Secret::new(secret.expose().clone().into_bytes())).await
    }

    /// Forgets a secret; not holding it is fine.
    ///
    /// # Errors
    /// [`Error::Io`] when it could not be written: it is forgotten in memory, and on disk with the next change.
    pub async fn remove(&self, item: &Item) -> Result<(), Error> {
        let mut items = self.items.clone().lock_owned().await;
        if items.remove(item).is_none() {
            return Ok(());
        }
        self.write(items).await
    }

    /// Forgets everything, removes the file and takes the key out of the keyring: for data directories that end, as the
    /// demo's do. Files put aside stay.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Keyring`] for what is left behind.
    pub async fn destroy(self) -> Result<(), Error> {
        self.items.lock().await.clear();
        let Backing::File { id, .. } = self.backing else { return Ok(()) };
        let path = file::path(&self.dir);
        blocking(move || match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path)(e)),
            _ => Ok(()),
        })
        .await?;
        self.access.remove(id).await.map_err(|why| Error::Keyring { why })
    }

    /// The lock goes with the write: whoever stops waiting for it leaves no older state behind that lands after a newer one.
    async fn write(&self, items: OwnedMutexGuard<Items>) -> Result<(), Error> {
        let Backing::File { id, key } = &self.backing else { return Ok(()) };
        let (dir, id, key) = (self.dir.clone(), *id, key.clone());
        blocking(move || file::write(&dir, id, &key, &items)).await
    }
}

enum Unsealed {
    Open(Key, Items),
    NoKeyring(String),
    Unusable(&'static str),
}

async fn unseal(access: &Access, sealed: &Sealed) -> Unsealed {
    match access.load(sealed.id).await {
        Err(why) => Unsealed::NoKeyring(why),
        Ok(None) => Unsealed::Unusable("its key is not in the keyring any more"),
        Ok(Some(key)) => match sealed.open(&key) {
            Some(items) => Unsealed::Open(key, items),
            None => Unsealed::Unusable("it is damaged, or its key was changed"),
        },
    }
}

/// A new key in the keyring first and a file after it: a key without a file is harmless, the reverse is a loss.
async fn start(dir: &Path, access: &Access) -> Result<Backing, Error> {
    let (id, key) = (InstanceId::new()?, Zeroizing::new(file::random()?));
    if let Err(why) = access.store(id, &key).await {
        return Ok(Backing::Memory { why });
    }
    let (dir, sealing) = (dir.to_owned(), key.clone());
    blocking(move || file::write(&dir, id, &sealing, &Items::new())).await?;
    Ok(Backing::File { id, key })
}

async fn set_aside(dir: &Path, why: &str) -> Result<Mishap, Error> {
    let dir = dir.to_owned();
    let kept_as = blocking(move || file::set_aside(&dir)).await?;
    Ok(Mishap { kept_as, why: why.to_owned() })
}

/// Disks block; the runtime's threads should not.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => {
            Err(Error::io("finish working in", "the data directory")(std::io::Error::other(stopped)))
        }
    }
}
