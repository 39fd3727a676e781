//! The sealed way of a session's token from broker to desktop: HPKE (RFC 9180) in base mode with
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! The request carries the desktop's public key, fresh for each request. What is sealed holds everything the desktop
//! uses for the session, endpoint and CA included, so that nobody with the hub can point it elsewhere (attack 13); the
//! additional data binds it to one user, request, grant and end.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use sallyport_model::{GrantUid, Jti, RequestUid, Secret, UserName};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

type Kem = X25519HkdfSha256;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type EncappedKey = <Kem as hpke::Kem>::EncappedKey;

/// Names the use, so that a seal made for anything else never opens here.
const INFO: &[u8] = b"sallyport/v1alpha1 credential";
/// What `status.credential` may hold, in characters.
const TEXT_MOST: usize = 131_072;
const KEY_LEN: usize = 32;

/// What is sealed.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The session's token.
    pub token: Secret<String>,
    /// The API server it is for.
    pub endpoint: String,
    /// PEM of the CAs its certificate chains to.
    pub ca_bundle: String,
    /// The name its certificate carries, where that is not the endpoint's host.
    pub tls_server_name: Option<String>,
    /// The token's id.
    pub jti: Jti,
    /// When the session ends, Unix seconds by the target's clock.
    pub end: i64,
}

/// What a seal is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aad {
    /// Whose it is.
    pub user: UserName,
    /// For which request.
    pub request: RequestUid,
    /// By which grant.
    pub grant: GrantUid,
    /// Until when, Unix seconds by the target's clock.
    pub end: i64,
}

impl Aad {
    /// Each part after its length (u32, big endian), so that no two sets of parts read the same.
    fn bytes(&self) -> Vec<u8> {
        let end = self.end.to_string();
        let mut out = Vec::new();
        for part in [self.user.as_str(), self.request.as_str(), self.grant.as_str(), &end] {
            out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(part.as_bytes());
        }
        out
    }
}

/// Why sealing or opening failed. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The public key is not 32 bytes of standard base64, or no key at all.
    #[error("the public key can't be sealed to")]
    PublicKey,
    /// The private key is not one.
    #[error("the private key can't be used")]
    PrivateKey,
    /// More than a request's status may hold.
    #[error("the sealed credential is too large")]
    TooLarge,
    /// Not base64, or too short to be a seal.
    #[error("the sealed credential is malformed")]
    Malformed,
    /// Made for another key, user, request, grant or end, or changed on the way.
    #[error("the sealed credential was not made for this request or was changed")]
    Mismatch,
    /// It opened, and what was in it makes no sense.
    #[error("the sealed credential opened and its content makes no sense")]
    Content,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Out<'a> {
    token: &'a str,
    endpoint: &'a str,
    ca_bundle: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_server_name: Option<&'a str>,
    jti: &'a str,
    end: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct In {
    token: String,
    endpoint: String,
    ca_bundle: String,
    #[serde(default)]
    tls_server_name: Option<String>,
    jti: String,
    end: i64,
}

/// A request's key pair.
#[derive(Clone)]
pub struct KeyPair {
    secret: PrivateKey,
    public: PublicKey,
}

impl KeyPair {
    /// A fresh one from the system's randomness.
    pub fn generate() -> Self {
        let (secret, public) = Kem::gen_keypair();
        Self { secret, public }
    }

    /// The one whose secret was kept in the vault.
    ///
    /// # Errors
    /// [`SealError::PrivateKey`] for anything but 32 bytes of key.
    pub fn from_secret(secret: &Secret<Vec<u8>>) -> Result<Self, SealError> {
        let secret = PrivateKey::from_bytes(secret.expose()).map_err(|_| SealError::PrivateKey)?;
        Ok(Self { public: Kem::sk_to_pk(&secret), secret })
    }

    /// The secret for the vault.
    pub fn secret_bytes(&self) -> Secret<Vec<u8>> {
        Secret::new(self.secret.to_bytes().to_vec())
    }

    /// The public key as `spec.publicKey` carries it.
    pub fn public_key_base64(&self) -> String {
        STANDARD.encode(self.public.to_bytes())
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key pair of {}", self.public_key_base64())
    }
}

/// Seals to the public key of a request.
///
/// # Errors
/// [`SealError::PublicKey`] or [`SealError::TooLarge`].
pub fn seal(public_key_base64: &str, aad: &Aad, sealed: &Sealed) -> Result<String, SealError> {
    let key = STANDARD.decode(public_key_base64).map_err(|_| SealError::PublicKey)?;
    let key = PublicKey::from_bytes(&key).map_err(|_| SealError::PublicKey)?;
    let out = Out {
        token: sealed.token.expose(),
        endpoint: &sealed.endpoint,
        ca_bundle: &sealed.ca_bundle,
        tls_server_name: sealed.tls_server_name.as_deref(),
        jti: sealed.jti.as_str(),
        end: sealed.end,
    };
    let plain = Zeroizing::new(serde_json::to_vec(&out).expect("strings and a number serialise"));
    let (encapped, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &key,
        INFO,
        &plain,
        &aad.bytes(),
    )
    .map_err(|_| SealError::PublicKey)?;
    let mut wire = encapped.to_bytes().to_vec();
    wire.extend(ciphertext);
    let text = STANDARD.encode(wire);
    if text.len() > TEXT_MOST { Err(SealError::TooLarge) } else { Ok(text) }
}

/// Opens `status.credential` with the request's key pair.
///
/// # Errors
/// [`SealError`]: too large, malformed, not for this key and binding, or with senseless content.
pub fn open(keys: &KeyPair, aad: &Aad, text: &str) -> Result<Sealed, SealError> {
    if text.len() > TEXT_MOST {
        return Err(SealError::TooLarge);
    }
    let wire = STANDARD.decode(text).map_err(|_| SealError::Malformed)?;
    let (encapped, ciphertext) = wire.split_at_checked(KEY_LEN).ok_or(SealError::Malformed)?;
    let encapped = EncappedKey::from_bytes(encapped).map_err(|_| SealError::Malformed)?;
    let plain = single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &keys.secret,
        &encapped,
        INFO,
        ciphertext,
        &aad.bytes(),
    )
    .map_err(|_| SealError::Mismatch)?;
    let plain = Zeroizing::new(plain);
    let read: In = serde_json::from_slice(&plain).map_err(|_| SealError::Content)?;
    let token = Secret::new(read.token);
    let sendable = !token.expose().is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic());
    if read.end != aad.end || !sendable {
        return Err(SealError::Content);
    }
    Ok(Sealed {
        token,
        endpoint: read.endpoint,
        ca_bundle: read.ca_bundle,
        tls_server_name: read.tls_server_name,
        jti: Jti::new(read.jti),
        end: read.end,
    })
}

#[cfg(test)]
mod tests;
