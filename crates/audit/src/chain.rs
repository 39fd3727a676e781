use crate::{Action, Draft, Entry};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use sallyport_model::{Digest, Secret};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The key of a chain, kept in the vault: whoever has it can write history, whoever has not can't even repair it.
#[derive(Clone)]
pub struct ChainKey {
    secret: Secret<[u8; 32]>,
    id: String,
}

impl ChainKey {
    /// From 32 bytes of a secure random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        let id = mac_of(&bytes, &[b"sallyport history key id"]);
        Self { secret: Secret::new(bytes), id: HEXLOWER.encode(&id.bytes()[..8]) }
    }

    /// Names the key without telling it: 16 hex digits, in every chain's beginning and in the head.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainKey({})", self.id)
    }
}

/// With no key the chain is still a chain, but anyone can make it: it shows accidents, not intent.
const PUBLIC: [u8; 32] = [0; 32];

fn mac_of(key: &[u8; 32], parts: &[&[u8]]) -> Digest {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    Digest::from(<[u8; 32]>::from(mac.finalize().into_bytes()))
}

fn secret_of(key: Option<&ChainKey>) -> &[u8; 32] {
    key.map_or(&PUBLIC, |key| key.secret.expose())
}

/// The link of an entry: HMAC-SHA256 over the link before it, its sequence and its bytes.
pub(crate) fn link(key: Option<&ChainKey>, before: &Digest, sequence: u64, entry: &[u8]) -> Digest {
    let length = entry.len() as u64;
    mac_of(
        secret_of(key),
        &[
            b"sallyport history link v1",
            before.bytes(),
            &sequence.to_be_bytes(),
            &length.to_be_bytes(),
            entry,
        ],
    )
}

/// An entry with its link, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Linked {
    /// The entry.
    pub entry: Entry,
    /// Covers it and, through the link before, everything before it.
    pub link: Digest,
}

/// The growing end of the history.
#[derive(Clone, Debug)]
pub struct Chain {
    key: Option<ChainKey>,
    sequence: u64,
    last: Digest,
    seal: Option<String>,
    sealed: u64,
}

impl Chain {
    /// Of a history with nothing in it.
    pub fn empty(key: Option<ChainKey>) -> Self {
        Self::resume(key, 0, Digest::from([0; 32]))
    }

    /// After the entry at `sequence`, whose link is `last`.
    pub fn resume(key: Option<ChainKey>, sequence: u64, last: Digest) -> Self {
        Self { key, sequence, last, seal: None, sealed: 0 }
    }

    /// The same, of a history whose checkpoints are signed with the key of this id ([`crate::SealPublic::id`]). Whoever reads
    /// its beginning knows that there must be some.
    pub fn sealed_with(self, id: String) -> Self {
        Self { seal: Some(id), ..self }
    }

    /// A checkpoint covers everything up to here; the head says so from now on.
    pub fn sealed(&mut self, until: u64) {
        self.sealed = until;
    }

    /// The sequence of the last entry; 0 when there is none.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What must be the first entry of a history, and the first after its key changed or it was found broken:
    /// it names the key that all entries from it on are linked under.
    pub fn beginning(&self, why: &str) -> Draft {
        let key = self.key.as_ref().map(ChainKey::id);
        // `key` alone is called `chain`: a telling name would be redacted.
        let begun = Draft::new(Action::ChainBegun).detail("chain", key).detail("why", why);
        match &self.seal {
            Some(seal) => begun.detail("seal", seal),
            None => begun,
        }
    }

    /// The link of the next entry, which becomes the end.
    ///
    /// # Panics
    /// When the entry is not the next one: its place was given by this chain.
    pub fn append(&mut self, entry: &Entry) -> Digest {
        assert_eq!(entry.sequence, self.sequence + 1, "entries are linked in their order");
        self.last = link(self.key.as_ref(), &self.last, entry.sequence, &entry.encode());
        self.sequence = entry.sequence;
        self.last
    }

    /// The end as it is kept apart from the entries.
    pub fn head(&self) -> Head {
        let mut head = Head {
            version: if self.sealed == 0 { 1 } else { 2 },
            sequence: self.sequence,
            hash: self.last,
            chain: self.key.as_ref().map(|key| key.id.clone()),
            sealed: self.sealed,
            mac: Digest::from([0; 32]),
        };
        head.mac = head.expected_mac(self.key.as_ref());
        head
    }
}

/// The end of the history, under the same key and kept apart, so that cutting the end off shows (P18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    version: u8,
    /// The last entry it vouches for.
    pub sequence: u64,
    /// That entry's link.
    pub hash: Digest,
    /// The id of the key; none without one.
    pub chain: Option<String>,
    /// The last entry that a checkpoint covers; 0 before the first. With it, version 2.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sealed: u64,
    mac: Digest,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a text is no head.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Not the JSON that was written.
    #[error("the head of the history is not readable")]
    Unreadable(#[from] serde_json::Error),
    /// From a later Sallyport.
    #[error("the head of the history has version {0}, this Sallyport knows 2")]
    Version(u8),
}

impl Head {
    /// As kept in its file.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a head has a JSON text")
    }

    /// From its file.
    ///
    /// # Errors
    /// [`HeadError`] for anything that was not written by [`Head::to_json`].
    pub fn parse(text: &str) -> Result<Self, HeadError> {
        let head: Self = serde_json::from_str(text)?;
        let known = if head.sealed == 0 { 1 } else { 2 };
        if head.version == known { Ok(head) } else { Err(HeadError::Version(head.version)) }
    }

    /// Whether it was made under this key (or under none, for none).
    pub fn is_under(&self, key: Option<&ChainKey>) -> bool {
        let same = self.chain.as_deref() == key.map(ChainKey::id);
        same && bool::from(self.expected_mac(key).bytes().ct_eq(self.mac.bytes()))
    }

    fn expected_mac(&self, key: Option<&ChainKey>) -> Digest {
        let (sequence, sealed) = (self.sequence.to_be_bytes(), self.sealed.to_be_bytes());
        match self.sealed {
            0 => mac_of(secret_of(key), &[b"sallyport history head v1", &sequence, self.hash.bytes()]),
            _ => {
                mac_of(secret_of(key), &[b"sallyport history head v2", &sequence, self.hash.bytes(), &sealed])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_a_key_is_never_shown() {
        let key = ChainKey::new([0xab; 32]);
        assert!(!format!("{key:?}").contains("abab") && !format!("{key:?}").contains("171"));
    }

    #[test]
    fn a_head_is_read_back_and_belongs_to_its_key_alone() {
        let (key, other) = (ChainKey::new([1; 32]), ChainKey::new([2; 32]));
        let mut chain = Chain::empty(Some(key.clone()));
        let entry = chain.beginning("first").place(1, 5);
        chain.append(&entry);
        let head = Head::parse(&chain.head().to_json()).unwrap();
        assert!(head.is_under(Some(&key)) && !head.is_under(Some(&other)) && !head.is_under(None));
        let moved = Head { sequence: 2, ..head.clone() };
        assert!(!moved.is_under(Some(&key)));
        chain.sealed(1);
        let sealed = Head::parse(&chain.head().to_json()).unwrap();
        assert!(sealed.is_under(Some(&key)) && sealed.sealed == 1);
        for bad in [Head { sealed: 2, ..sealed.clone() }, Head { sealed: 0, version: 1, ..sealed }] {
            assert!(!bad.is_under(Some(&key)), "{bad:?}");
        }
        assert!(Head::parse(&head.to_json().replace("\"version\":1", "\"version\":2")).is_err());
        for bad in ["", "{}", "[]", "{\"version\":9}", &"x".repeat(100)] {
            assert!(Head::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_link_is_frozen() {
        let key = ChainKey::new([7; 32]);
        let said = link(Some(&key), &Digest::from([0; 32]), 1, b"entry");
        // Computed with another implementation of HMAC-SHA256.
        assert_eq!(said.to_string(), "c36189e62bc1f1908a11b58eb4d340a3a157b6d6594865dd0248e0855de415f8");
        for other in [
            link(None, &Digest::from([0; 32]), 1, b"entry"),
            link(Some(&key), &Digest::from([1; 32]), 1, b"entry"),
            link(Some(&key), &Digest::from([0; 32]), 2, b"entry"),
            link(Some(&key), &Digest::from([0; 32]), 1, b"entrY"),
        ] {
            assert_ne!(said, other);
        }
    }
}
