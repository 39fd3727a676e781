//! What is signed: how the history was at one entry.

use super::{SealKey, SealPublic};
use data_encoding::BASE64;
use sallyport_model::Digest;
use serde::{Deserialize, Serialize};

/// At most so many entries stand after the last checkpoint; then the next is made with them.
pub const RESTATED: u64 = 1024;

/// The longest text of a checkpoint that is read, in bytes.
const MOST: usize = 4096;

/// How the history was at entry `last`: signed, so that the public key alone shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// Which history: the leaf of its first entry.
    pub origin: Digest,
    /// The first entry that no earlier checkpoint covers.
    pub first: u64,
    /// The last it covers; the tree is over all from 1 to here.
    pub last: u64,
    /// The root of that tree.
    pub root: Digest,
    /// When it was made, in microseconds of Unix time, by the desktop's clock.
    pub time: i64,
    /// The public key, standard base64.
    #[serde(with = "as_text")]
    pub key: SealPublic,
    /// The key that signs from the next one on, when it is another: so the old key vouches for the new.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_text")]
    pub next: Option<SealPublic>,
    /// Ed25519 over [`Checkpoint::text`], standard base64.
    signature: String,
}

/// Why a text is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not the JSON that was written.
    #[error("it is not readable as a checkpoint")]
    Unreadable(#[from] serde_json::Error),
    /// Longer than any.
    #[error("it is longer than any checkpoint")]
    Long,
    /// It covers nothing.
    #[error("it ends before it begins")]
    Range,
}

impl Checkpoint {
    /// Signs how the history is at `last`.
    pub fn sign(
        key: &SealKey,
        origin: Digest,
        (first, last): (u64, u64),
        root: Digest,
        time: i64,
        next: Option<SealPublic>,
    ) -> Self {
        let signature = String::new();
        let mut made = Self { origin, first, last, root, time, key: *key.public(), next, signature };
        made.signature = BASE64.encode(&key.sign(made.text().as_bytes()));
        made
    }

    /// The bytes that are signed. Frozen: another layout gets another first line.
    pub fn text(&self) -> String {
        let next = self.next.map_or_else(|| "-".to_owned(), |next| next.to_string());
        format!(
            "sallyport history checkpoint v1\norigin {}\nfirst {}\nlast {}\nroot {}\ntime {}\nkey {}\nnext {next}\n",
            self.origin, self.first, self.last, self.root, self.time, self.key
        )
    }

    /// Whether the key it names signed it.
    pub fn is_signed(&self) -> bool {
        let signature = BASE64.decode(self.signature.as_bytes()).ok();
        let signature = signature.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        signature.is_some_and(|signature| self.key.made(self.text().as_bytes(), &signature))
    }

    /// As kept and as handed on.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a checkpoint has a JSON text")
    }

    /// From what was kept or handed on. Says nothing of its signature.
    ///
    /// # Errors
    /// [`CheckpointError`] for anything that was not written by [`Checkpoint::to_json`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > MOST {
            return Err(CheckpointError::Long);
        }
        let parsed: Self = serde_json::from_str(text)?;
        if parsed.first == 0 || parsed.first > parsed.last { Err(CheckpointError::Range) } else { Ok(parsed) }
    }
}

mod as_text {
    use super::SealPublic;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(key: &SealPublic, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SealPublic, D::Error> {
        SealPublic::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

mod maybe_text {
    use super::SealPublic;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(key: &Option<SealPublic>, to: S) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => to.collect_str(key),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SealPublic>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| SealPublic::parse(&text)).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Checkpoint {
        let (origin, root) = (Digest::of(b"first"), Digest::of(b"root"));
        Checkpoint::sign(&SealKey::new([3; 32]), origin, (5, 9), root, 1_000, None)
    }

    #[test]
    fn a_checkpoint_is_read_back_and_signed() {
        let checkpoint = made();
        assert!(checkpoint.is_signed());
        assert_eq!(Checkpoint::parse(&checkpoint.to_json()).unwrap(), checkpoint);
        let next = Some(*SealKey::new([4; 32]).public());
        let named = Checkpoint::sign(&SealKey::new([3; 32]), made().origin, (5, 9), made().root, 1, next);
        assert_eq!(Checkpoint::parse(&named.to_json()).unwrap(), named);
    }

    #[test]
    fn the_text_is_frozen() {
        assert_eq!(
            Digest::of(made().text().as_bytes()).to_string(),
            "06d1d6874c971e7deda51b0ae28b8b42a33e7c4c9eec8153e973f6901245b259"
        );
    }

    #[test]
    fn p18_no_field_of_a_checkpoint_can_be_changed() {
        let good = made();
        let other = SealKey::new([4; 32]);
        let edits: [fn(&mut Checkpoint); 6] = [
            |c| c.origin = Digest::of(b"x"),
            |c| c.first += 1,
            |c| c.last += 1,
            |c| c.root = Digest::of(b"x"),
            |c| c.time += 1,
            |c| c.next = Some(c.key),
        ];
        for edit in edits {
            let mut bad = good.clone();
            edit(&mut bad);
            assert!(!bad.is_signed(), "{bad:?}");
        }
        assert!(!Checkpoint { key: *other.public(), ..good.clone() }.is_signed());
        for signature in ["", "x", "AAAA", &BASE64.encode(&[0; 64])] {
            assert!(!Checkpoint { signature: signature.to_owned(), ..good.clone() }.is_signed());
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_said() {
        let good = made().to_json();
        let long = format!("{good}{}", " ".repeat(5000));
        let backwards = good.replace("\"first\":5", "\"first\":10");
        let twice = good.replace("\"first\":5", "\"first\":5,\"first\":5");
        for bad in ["", "{}", "[]", "null", &good[1..], &long, &backwards, &twice, "{\"origin\":1}"] {
            assert!(Checkpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
