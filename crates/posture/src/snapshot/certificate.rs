//! A certificate as far as posture looks at it. No private part of a key ever comes near it.

use serde::{Deserialize, Serialize};

/// What a certificate says. All texts come from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// The organisations of its subject: for a client certificate the groups (`O=`).
    pub organizations: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// The names it may serve: DNS names and addresses.
    pub names: Vec<String>,
    /// From when it holds, Unix seconds.
    pub not_before: i64,
    /// Until when it holds, Unix seconds.
    pub not_after: i64,
    /// The kind of its key, as `RSA` and `EC`.
    pub key: String,
    /// The size of its key in bits; none where it is not known.
    pub key_bits: Option<u32>,
    /// How it was signed, as `sha256WithRSAEncryption`; an OID where it has no name here.
    pub signature: String,
    /// Whether it may sign others.
    pub authority: bool,
    /// The SHA-256 of the certificate, hex.
    pub fingerprint: String,
    /// The SHA-256 of its public key (SubjectPublicKeyInfo), hex: the same key has the same in each certificate.
    pub key_fingerprint: String,
}

impl Certificate {
    /// What is weak about its key or signature, as a part of a sentence.
    pub fn weakness(&self) -> Option<String> {
        let bits = self.key_bits.unwrap_or(u32::MAX);
        if self.key == "RSA" && bits < 2048 {
            return Some(format!("has an RSA key of {bits} bits"));
        }
        if self.key == "EC" && bits < 224 {
            return Some(format!("has a key on a curve of {bits} bits"));
        }
        let signature = self.signature.to_ascii_lowercase();
        let own = self.subject == self.issuer;
        // Nobody checks the signature of a root.
        (!own
            && (signature.starts_with("sha1") || signature.starts_with("md5") || signature.contains("-sha1")))
        .then(|| "is signed with SHA-1 or MD5".to_owned())
    }
}
