//! The key that checkpoints are signed with (Ed25519, RFC 8032), and its public half as others get it.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sallyport_model::{Digest, Secret};
use std::fmt;

/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410 §4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// More text than any file with one key has.
const MOST: usize = 4096;

/// The private key, kept in the vault: whoever has it can make checkpoints.
#[derive(Clone)]
pub struct SealKey {
    seed: Secret<[u8; 32]>,
    public: SealPublic,
}

impl SealKey {
    /// From 32 bytes of a secure random source.
    pub fn new(seed: [u8; 32]) -> Self {
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        Self { seed: Secret::new(seed), public: SealPublic(public) }
    }

    /// Its public half.
    pub fn public(&self) -> &SealPublic {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        SigningKey::from_bytes(self.seed.expose()).sign(message).to_bytes()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.public.fingerprint())
    }
}

/// The public key: whoever has it can check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealPublic([u8; 32]);

/// Why a text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not PEM with one public key.
    #[error("it is not PEM with one public key")]
    NoPem,
    /// Of another kind, or damaged.
    #[error("it holds no Ed25519 key")]
    NotEd25519,
}

impl SealPublic {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`PublicKeyError::NotEd25519`] for bytes that are no key, and for keys under which one signature fits many texts.
    pub fn new(bytes: [u8; 32]) -> Result<Self, PublicKeyError> {
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            _ => Err(PublicKeyError::NotEd25519),
        }
    }

    /// From standard base64 of its 32 bytes.
    ///
    /// # Errors
    /// As [`SealPublic::new`].
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| PublicKeyError::NotEd25519)?;
        Self::new(bytes.try_into().map_err(|_| PublicKeyError::NotEd25519)?)
    }

    /// From PEM, as `openssl pkey -pubout` writes it too.
    ///
    /// # Errors
    /// [`PublicKeyError`].
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        let body = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body = body.filter(|_| text.len() <= MOST).ok_or(PublicKeyError::NoPem)?;
        let base64: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = BASE64.decode(base64.as_bytes()).map_err(|_| PublicKeyError::NoPem)?;
        let key = der.strip_prefix(&SPKI).and_then(|key| <[u8; 32]>::try_from(key).ok());
        Self::new(key.ok_or(PublicKeyError::NotEd25519)?)
    }

    /// As PEM.
    pub fn to_pem(&self) -> String {
        format!("{BEGIN}\n{}\n{END}\n", BASE64.encode(&self.spki()))
    }

    fn spki(&self) -> Vec<u8> {
        [SPKI.as_slice(), &self.0].concat()
    }

    /// Names it: SHA-256 of its `SubjectPublicKeyInfo`, which is what
    /// `openssl pkey -pubin -in KEY -outform DER | sha256sum` says.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki())
    }

    /// The first 16 hex digits of the fingerprint: in the beginning of each chain that it seals.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&self.fingerprint().bytes()[..8])
    }

    /// Whether it made this signature. Strict (RFC 8032 and no small orders), so that no signature fits two texts.
    pub(super) fn made(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for SealPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for SealPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealPublic({})", HEXLOWER.encode(&self.0[..8]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_a_seal_key_is_never_shown() {
        let shown = format!("{:?}", SealKey::new([0xab; 32]));
        assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    }

    #[test]
    fn the_signature_is_rfc_8032s() {
        // Test 2 of §7.1.
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SealKey::new(seed.try_into().unwrap());
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(key.public().0.to_vec(), public);
        let signature = key.sign(&[0x72]);
        assert!(HEXLOWER.encode(&signature).starts_with("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8f"));
        assert!(key.public().made(&[0x72], &signature) && !key.public().made(&[0x73], &signature));
    }

    #[test]
    fn a_public_key_is_read_back_and_nothing_else_is_one() {
        let public = *SealKey::new([7; 32]).public();
        assert_eq!(SealPublic::from_pem(&public.to_pem()).unwrap(), public);
        assert_eq!(SealPublic::from_pem(&public.to_pem().replace('\n', "\r\n")).unwrap(), public);
        assert_eq!(SealPublic::parse(&public.to_string()).unwrap(), public);
        let two = public.to_pem().repeat(2);
        for bad in ["", "x", BEGIN, &two, &public.to_pem().replace("PUBLIC", "PRIVATE"), &"\0".repeat(5000)] {
            assert!(SealPublic::from_pem(bad).is_err(), "{bad}");
        }
        // The neutral element, and a point of small order: whatever was signed, something fits.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(SealPublic::new(neutral).is_err() && SealPublic::new([0; 32]).is_err());
    }
}
