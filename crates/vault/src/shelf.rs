//! What is too large for the vault and rests as sealed: one file for each thing, `magic(8) ‖ nonce(24) ‖ ciphertext`, with magic
//! and name as associated data, so that no file can stand in for another. The key is an item of the vault; without a keyring
//! things are held in memory, as the vault's own are.

use crate::{
    error::Error,
    file::{self, Key},
    item::Item,
    vault::{Vault, VaultState, blocking},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sallyport_model::{Digest, Secret};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, Permissions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Mutex,
};
use zeroize::Zeroizing;

const MAGIC: [u8; 8] = *b"SALLYPS1";
const NONCE: usize = 24;
/// The largest single thing, bytes.
pub const LARGEST_KEPT: usize = 64 << 20;
/// All of them in memory, where there is no keyring, bytes.
const MOST_IN_MEMORY: usize = 256 << 20;

/// Sealed things of one folder, by name.
pub struct Shelf {
    dir: PathBuf,
    backing: Backing,
}

enum Backing {
    Files(Key),
    Memory(Mutex<BTreeMap<String, Vec<u8>>>),
}

impl Shelf {
    /// The shelf of a folder, which is made (0700) when something is first put there. Its key is made with it and kept in the
    /// vault.
    ///
    /// # Errors
    /// [`Error::Io`] when the key can't be made or kept.
    pub async fn open(vault: &Vault, dir: &Path) -> Result<Self, Error> {
        let backing = match vault.state() {
            VaultState::MemoryOnly { .. } => Backing::Memory(Mutex::default()),
            VaultState::Keyring => Backing::Files(key(vault).await?),
        };
        Ok(Self { dir: dir.to_owned(), backing })
    }

    /// One that holds everything in memory.
    pub fn in_memory(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), backing: Backing::Memory(Mutex::default()) }
    }

    /// Keeps something under a name, in place of what was there; when this returns it is on disk, if there is a keyring.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and [`Error::Io`] when it could not be written: what was there before is there still.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        if bytes.len() > LARGEST_KEPT {
            return Err(Error::TooLarge {
                what: "what is to be kept",
                size: bytes.len(),
                limit: LARGEST_KEPT,
            });
        }
        match &self.backing {
            Backing::Memory(held) => {
                let mut held = held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let others = held.iter().filter(|(one, _)| *one != name).map(|(_, bytes)| bytes.len());
                let size = others.sum::<usize>() + bytes.len();
                if size > MOST_IN_MEMORY {
                    let what = "all that is kept in memory, since there is no keyring,";
                    return Err(Error::TooLarge { what, size, limit: MOST_IN_MEMORY });
                }
                held.insert(name.to_owned(), bytes);
                Ok(())
            }
            Backing::Files(key) => {
                let (dir, path, key, name) =
                    (self.dir.clone(), self.path(name), key.clone(), name.to_owned());
                blocking(move || write(&dir, &path, &seal(&key, &name, &bytes)?)).await
            }
        }
    }

    /// What is kept under a name; `None`: nothing is.
    ///
    /// # Errors
    /// [`Error::Damaged`] for a file that was changed, is another's, or is sealed with another key; [`Error::Io`].
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match &self.backing {
            Backing::Memory(held) => {
                Ok(held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(name).cloned())
            }
            Backing::Files(key) => {
                let (path, key, name) = (self.path(name), key.clone(), name.to_owned());
                blocking(move || {
                    let Some(bytes) = read(&path)? else { return Ok(None) };
                    open(&key, &name, &bytes).map(Some).ok_or(Error::Damaged { path })
                })
                .await
            }
        }
    }

    /// Forgets what is kept under a name; nothing being there is fine.
    ///
    /// # Errors
    /// [`Error::Io`] when it could not be removed.
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        match &self.backing {
            Backing::Memory(held) => {
                held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(name);
                Ok(())
            }
            Backing::Files(_) => {
                let path = self.path(name);
                blocking(move || match fs::remove_file(&path) {
                    Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(e)),
                    _ => Ok(()),
                })
                .await
            }
        }
    }

    /// Puts what is kept under a name aside, in the same folder; nothing being there is fine.
    ///
    /// # Errors
    /// [`Error::Io`] when it could not be moved.
    pub async fn set_aside(&self, name: &str) -> Result<(), Error> {
        match &self.backing {
            Backing::Memory(_) => self.remove(name).await,
            Backing::Files(_) => {
                let path = self.path(name);
                blocking(move || match fs::rename(&path, path.with_extension("bad")) {
                    Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("move", path)(e)),
                    _ => Ok(()),
                })
                .await
            }
        }
    }

    /// A name may hold anything, and tells who has which clusters: what lies on disk says nothing of it.
    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}.sealed", &Digest::of(name.as_bytes()).to_string()[..32]))
    }
}

async fn key(vault: &Vault) -> Result<Key, Error> {
    if let Some(kept) = vault.get(&Item::ShelfKey).await
        && let Ok(bytes) = <[u8; 32]>::try_from(kept.expose().as_slice())
    {
        return Ok(Zeroizing::new(bytes));
    }
    let fresh: Key = Zeroizing::new(file::random()?);
    vault.put(Item::ShelfKey, Secret::new(fresh.to_vec())).await?;
    Ok(fresh)
}

fn aad(name: &str) -> Vec<u8> {
    [MAGIC.as_slice(), name.as_bytes()].concat()
}

fn seal(key: &Key, name: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let nonce: [u8; NONCE] = file::random()?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let sealed = cipher
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: &aad(name) })
        .expect("encryption in memory fails only beyond 256 GiB");
    Ok([MAGIC.as_slice(), &nonce, &sealed].concat())
}

fn open(key: &Key, name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = bytes.strip_prefix(&MAGIC)?.split_at_checked(NONCE)?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &aad(name) }).ok()
}

fn write(dir: &Path, path: &Path, sealed: &[u8]) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::io("make", dir))?;
    let mut fresh = tempfile::Builder::new()
        .prefix(".shelf-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(dir)
        .map_err(Error::io("write in", dir))?;
    fresh.write_all(sealed).map_err(Error::io("write", path))?;
    fresh.as_file().sync_all().map_err(Error::io("write", path))?;
    fresh.persist(path).map_err(|e| Error::io("replace", path)(e.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", dir))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("open", path)(e)),
    };
    if !file.metadata().map_err(Error::io("read", path))?.is_file() {
        return Err(Error::Damaged { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let most = (LARGEST_KEPT + MAGIC.len() + NONCE + 16) as u64;
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keyring, VaultConfig};

    /// A shelf with files, under a key of the test's own: no keyring is asked.
    fn on_disk(dir: &Path, key: u8) -> Shelf {
        Shelf { dir: dir.to_owned(), backing: Backing::Files(Zeroizing::new([key; 32])) }
    }

    #[tokio::test]
    async fn p2_what_is_kept_is_sealed_under_its_name_and_read_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = on_disk(&dir.path().join("scans"), 1);
        assert_eq!(shelf.get("prod-eu-1").await.unwrap(), None);
        shelf.put("prod-eu-1", b"group admins may do everything".to_vec()).await.unwrap();
        shelf.put("dev-1", b"nobody".to_vec()).await.unwrap();
        assert_eq!(shelf.get("dev-1").await.unwrap().unwrap(), b"nobody");
        shelf.put("dev-1", b"somebody".to_vec()).await.unwrap();
        assert_eq!(shelf.get("dev-1").await.unwrap().unwrap(), b"somebody");
        for entry in fs::read_dir(dir.path().join("scans")).unwrap() {
            let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
            assert!(!name.to_string_lossy().contains("prod"), "a name tells something: {name:?}");
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"admins"), "it is not sealed");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let stolen = on_disk(&dir.path().join("scans"), 2);
        assert!(matches!(stolen.get("dev-1").await, Err(Error::Damaged { .. })));
        shelf.remove("dev-1").await.unwrap();
        shelf.remove("dev-1").await.unwrap();
        assert_eq!(shelf.get("dev-1").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_file_that_was_changed_cut_short_or_put_in_anothers_place_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = on_disk(dir.path(), 1);
        shelf.put("weak", b"nine findings".to_vec()).await.unwrap();
        shelf.put("fine", b"none".to_vec()).await.unwrap();
        let (weak, fine) = (shelf.path("weak"), shelf.path("fine"));
        let whole = fs::read(&weak).unwrap();
        fs::copy(&fine, &weak).unwrap();
        assert!(matches!(shelf.get("weak").await, Err(Error::Damaged { .. })), "another's");
        for bad in [
            &whole[..whole.len() - 1],
            &whole[..20],
            &[],
            &b"SALLYPS2 of a version to come........................"[..],
        ] {
            fs::write(&weak, bad).unwrap();
            assert!(matches!(shelf.get("weak").await, Err(Error::Damaged { .. })), "{} bytes", bad.len());
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&weak, &flipped).unwrap();
            assert!(matches!(shelf.get("weak").await, Err(Error::Damaged { .. })), "byte {at}");
        }
        fs::remove_file(&weak).unwrap();
        fs::create_dir(&weak).unwrap();
        assert!(matches!(shelf.get("weak").await, Err(Error::Damaged { .. } | Error::Io { .. })), "a folder");
    }

    #[tokio::test]
    async fn p2_without_a_keyring_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let config = VaultConfig { keyring: Keyring::Off, ..VaultConfig::new(dir.path()) };
        let vault = Vault::open(config).await.unwrap();
        let shelf = Shelf::open(&vault, &dir.path().join("scans")).await.unwrap();
        shelf.put("a", vec![1]).await.unwrap();
        assert_eq!(shelf.get("a").await.unwrap(), Some(vec![1]));
        assert!(matches!(shelf.backing, Backing::Memory(_)) && !dir.path().join("scans").exists());
        let large = shelf.put("b", vec![0; LARGEST_KEPT + 1]).await;
        assert!(matches!(large, Err(Error::TooLarge { .. })));
        for name in ["b", "c", "d"] {
            shelf.put(name, vec![0; LARGEST_KEPT]).await.unwrap();
        }
        assert!(matches!(shelf.put("e", vec![0; LARGEST_KEPT]).await, Err(Error::TooLarge { .. })));
        shelf.put("d", vec![0; LARGEST_KEPT]).await.expect("it takes its own place");
    }
}
