//! The file: `magic(8) ‖ instance id(16) ‖ nonce(24) ‖ ciphertext`, with magic and id as associated data.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use data_encoding::{BASE64, HEXLOWER};
use sallyport_model::Secret;
use zeroize::Zeroizing;

use crate::{error::Error, item::Item};

const MAGIC: [u8; 8] = *b"SALLYPV1";
/// The part of the magic that stays when the version changes.
const FAMILY: &[u8] = b"SALLYPV";
const HEAD: usize = 8 + 16;
const NONCE: usize = 24;
/// A vault of a few tokens and keys is a few kilobytes.
const LARGEST: u64 = 4 << 20;
pub(crate) const NAME: &str = "vault";

/// Everything the vault holds, in memory.
pub(crate) type Items = BTreeMap<Item, Secret<Vec<u8>>>;

/// The key of one vault.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Tells vaults apart in the keyring: random, not secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct InstanceId([u8; 16]);

impl InstanceId {
    pub(crate) fn new() -> Result<Self, Error> {
        random().map(Self)
    }

    pub(crate) fn text(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::io("draw randomness from", "the system")(std::io::Error::other(e.to_string())))?;
    Ok(bytes)
}

/// What lies on disk.
pub(crate) enum Found {
    Nothing,
    /// Sealed, as far as one can tell without the key.
    Sealed(Sealed),
    /// Written by a version to come.
    Newer,
    /// Not a vault.
    Broken(&'static str),
}

pub(crate) struct Sealed {
    pub(crate) id: InstanceId,
    bytes: Vec<u8>,
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

pub(crate) fn read(dir: &Path) -> Result<Found, Error> {
    let path = path(dir);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => return Err(Error::io("open", path)(e)),
    };
    let meta = file.metadata().map_err(Error::io("read", &path))?;
    if !meta.is_file() {
        return Ok(Found::Broken("it is not a file"));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        // A restored backup, say. What was readable meanwhile is ciphertext.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(Error::io("protect", &path))?;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
    Ok(recognise(bytes))
}

fn recognise(bytes: Vec<u8>) -> Found {
    if bytes.len() as u64 > LARGEST {
        return Found::Broken("it is larger than a vault can be");
    }
    if bytes.len() < HEAD + NONCE + 16 {
        return Found::Broken("it is cut off");
    }
    if !bytes.starts_with(FAMILY) {
        return Found::Broken("it is not a vault");
    }
    if !bytes.starts_with(&MAGIC) {
        return Found::Newer;
    }
    let id = bytes[8..HEAD].try_into().expect("the length was checked above");
    Found::Sealed(Sealed { id: InstanceId(id), bytes })
}

impl Sealed {
    /// `None` when the key is another one or the file was changed; the two can't be told apart.
    pub(crate) fn open(&self, key: &Key) -> Option<Items> {
        let (head, rest) = self.bytes.split_at(HEAD);
        let (nonce, ciphertext) = rest.split_at(NONCE);
        let cipher = XChaCha20Poly1305::new(key.as_slice().into());
        let plain = cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: ciphertext, aad: head }).ok()?;
        decode(&Zeroizing::new(plain))
    }
}

/// Replaces the file in one step: whoever reads it, or whatever interrupts us, finds the old one or the new one.
pub(crate) fn write(dir: &Path, id: InstanceId, key: &Key, items: &Items) -> Result<(), Error> {
    let sealed = seal(id, key, items)?;
    let path = path(dir);
    let mut fresh = tempfile::Builder::new()
        .prefix(".vault-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(dir)
        .map_err(Error::io("write in", dir))?;
    fresh.write_all(&sealed).map_err(Error::io("write", &path))?;
    fresh.as_file().sync_all().map_err(Error::io("write", &path))?;
    fresh.persist(&path).map_err(|e| Error::io("replace", &path)(e.error))?;
    // The rename itself lasts when the directory is on disk.
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", dir))
}

/// Moves the file out of the way, losing nothing, and says where to.
pub(crate) fn set_aside(dir: &Path) -> Result<PathBuf, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let from = path(dir);
    for again in 0..1000_u32 {
        let to = dir.join(format!("{NAME}-{}.bad", now + u128::from(again)));
        // A hard link fails where a rename would overwrite.
        match fs::hard_link(&from, &to) {
            Ok(()) => {
                fs::remove_file(&from).map_err(Error::io("move", &from))?;
                return Ok(to);
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            // Not everything can be linked: a directory in its place, a file system without links.
            Err(_) if !to.exists() => {
                fs::rename(&from, &to).map_err(Error::io("move", &from))?;
                return Ok(to);
            }
            Err(e) => return Err(Error::io("move", &from)(e)),
        }
    }
    Err(Error::io("move", &from)(ErrorKind::AlreadyExists.into()))
}

fn seal(id: InstanceId, key: &Key, items: &Items) -> Result<Vec<u8>, Error> {
    let mut bytes = [MAGIC.as_slice(), id.0.as_slice()].concat();
    let nonce: [u8; NONCE] = random()?;
    let plain = encode(items);
    let limit = LARGEST as usize - HEAD - NONCE - 16;
    if plain.len() > limit {
        return Err(Error::TooLarge { what: "everything in the vault together", size: plain.len(), limit });
    }
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let ciphertext = cipher
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: &plain, aad: &bytes })
        .expect("encryption in memory fails only beyond 256 GiB");
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&ciphertext);
    Ok(bytes)
}

fn encode(items: &Items) -> Zeroizing<Vec<u8>> {
    let list: Vec<(&Item, Zeroizing<String>)> =
        items.iter().map(|(item, secret)| (item, Zeroizing::new(BASE64.encode(secret.expose())))).collect();
    let list: Vec<(&Item, &str)> = list.iter().map(|(item, text)| (*item, text.as_str())).collect();
    Zeroizing::new(serde_json::to_vec(&list).expect("names and base64 are JSON"))
}

fn decode(plain: &[u8]) -> Option<Items> {
    let list: Vec<(Item, Zeroizing<String>)> = serde_json::from_slice::<Vec<(Item, String)>>(plain)
        .ok()?
        .into_iter()
        .map(|(item, text)| (item, Zeroizing::new(text)))
        .collect();
    list.into_iter()
        .map(|(item, text)| Some((item, Secret::new(BASE64.decode(text.as_bytes()).ok()?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Zeroizing::new([byte; 32])
    }

    fn items() -> Items {
        let item = Item::SignIn { issuer: "https://id.example".into(), client_id: "hub".into() };
        Items::from([
            (item, Secret::new(b"rt-plain-text".to_vec())),
            (Item::HistoryKey, Secret::new(vec![0, 255, 7])),
        ])
    }

    fn sealed(bytes: &[u8]) -> Option<Sealed> {
        match recognise(bytes.to_vec()) {
            Found::Sealed(sealed) => Some(sealed),
            _ => None,
        }
    }

    fn same(a: &Items, b: &Items) -> bool {
        let plain = |items: &Items| {
            items.iter().map(|(item, secret)| (item.clone(), secret.expose().clone())).collect::<Vec<_>>()
        };
        plain(a) == plain(b)
    }

    #[test]
    fn p2_what_was_sealed_opens_with_its_key_alone() {
        let bytes = seal(InstanceId([1; 16]), &key(9), &items()).unwrap();
        assert!(same(&sealed(&bytes).unwrap().open(&key(9)).unwrap(), &items()));
        assert!(sealed(&bytes).unwrap().open(&key(8)).is_none());
        assert!(!bytes.windows(13).any(|part| part == b"rt-plain-text"));
        let again = seal(InstanceId([1; 16]), &key(9), &items()).unwrap();
        assert_ne!(bytes, again, "a nonce is used once");
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let bytes = seal(InstanceId([1; 16]), &key(9), &items()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(sealed(&changed).and_then(|sealed| sealed.open(&key(9))).is_none(), "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(
                sealed(&bytes[..length]).and_then(|sealed| sealed.open(&key(9))).is_none(),
                "{length} bytes"
            );
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(sealed(&longer).and_then(|sealed| sealed.open(&key(9))).is_none());
    }

    #[test]
    fn a_newer_vault_is_told_from_a_broken_one() {
        let mut bytes = seal(InstanceId([1; 16]), &key(9), &items()).unwrap();
        bytes[7] = b'2';
        assert!(matches!(recognise(bytes), Found::Newer));
        assert!(matches!(recognise(vec![b'x'; 200]), Found::Broken(_)));
        assert!(matches!(recognise(vec![0; LARGEST as usize + 1]), Found::Broken(_)));
    }
}
