//! Signed tokens (RFC 7515) and the keys a provider publishes (RFC 7517): which key, which algorithm, and whether the
//! signature holds. What is signed is read by whoever asked, so that a claim nobody needs can't make a token
//! unreadable.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKey as _,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Core},
};
use p521::ecdsa::{Signature as P521Signature, VerifyingKey as P521Key, signature::Verifier as _};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, quoted};

/// What is accepted, whatever else a provider offers: what the API servers of Kubernetes take from a provider
/// (`--oidc-signing-algs`), all of it asymmetric. EdDSA is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alg {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

/// Each with its name (RFC 7518 §3.1).
const ALGS: [(&str, Alg); 9] = [
    ("RS256", Alg::Rs256),
    ("RS384", Alg::Rs384),
    ("RS512", Alg::Rs512),
    ("PS256", Alg::Ps256),
    ("PS384", Alg::Ps384),
    ("PS512", Alg::Ps512),
    ("ES256", Alg::Es256),
    ("ES384", Alg::Es384),
    ("ES512", Alg::Es512),
];

impl Alg {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        ALGS.iter().find(|(known, _)| *known == name).map(|(_, alg)| *alg)
    }

    pub(crate) fn name(self) -> &'static str {
        ALGS.iter().find(|(_, alg)| *alg == self).map_or("", |(name, _)| name)
    }

    /// All names, for sentences.
    pub(crate) fn names() -> String {
        ALGS.map(|(name, _)| name).join(", ")
    }

    /// As the library calls it; it has no P-521.
    fn core(self) -> Option<Core> {
        Some(match self {
            Self::Rs256 => Core::RsaSsaPkcs1V15Sha256,
            Self::Rs384 => Core::RsaSsaPkcs1V15Sha384,
            Self::Rs512 => Core::RsaSsaPkcs1V15Sha512,
            Self::Ps256 => Core::RsaSsaPssSha256,
            Self::Ps384 => Core::RsaSsaPssSha384,
            Self::Ps512 => Core::RsaSsaPssSha512,
            Self::Es256 => Core::EcdsaP256Sha256,
            Self::Es384 => Core::EcdsaP384Sha384,
            Self::Es512 => return None,
        })
    }
}

/// Whether an algorithm is one that signs but that no API server of Kubernetes takes.
pub(crate) fn is_eddsa(name: &str) -> bool {
    matches!(name, "EdDSA" | "Ed25519" | "Ed448")
}

/// No provider publishes anywhere near as many keys.
const MOST_KEYS: usize = 100;

/// The keys of a provider that can be used here. Keys of another kind, or for something else, are passed over: a set
/// may hold what only others understand (RFC 7517 §5).
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    kid: Option<String>,
    alg: Option<String>,
    public: Public,
}

#[derive(Clone, Debug)]
enum Public {
    Core(Box<CoreJsonWebKey>),
    P521(Box<P521Key>),
}

impl KeySet {
    /// Reads a set; None when it is none, or has more than [`MOST_KEYS`].
    pub(crate) fn parse(published: &Value) -> Option<Self> {
        let keys = published.get("keys")?.as_array()?;
        (keys.len() <= MOST_KEYS).then(|| Self(keys.iter().filter_map(Key::parse).collect()))
    }

    /// The keys a token may have been signed with: of its id, where it names one. Several may share an id, and several
    /// may have none.
    fn of<'k>(&'k self, kid: Option<&'k str>, alg: Alg) -> impl Iterator<Item = &'k Key> {
        let fits = move |key: &&Key| key.alg.as_deref().is_none_or(|only| only == alg.name());
        self.0.iter().filter(move |key| kid.is_none() || key.kid.as_deref() == kid).filter(fits)
    }
}

impl Key {
    fn parse(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let public = match (text("kty")?.as_str(), text("crv").as_deref()) {
            ("EC", Some("P-521")) => Public::P521(Box::new(p521(&text("x")?, &text("y")?)?)),
            // Without `alg`: it is compared here, and the library refuses a set over one it does not know.
            ("RSA", _) | ("EC", Some("P-256" | "P-384")) => {
                let mut bare: Map<String, Value> = value.as_object()?.clone();
                bare.retain(|name, _| ["kty", "n", "e", "crv", "x", "y"].contains(&name.as_str()));
                Public::Core(Box::new(serde_json::from_value(Value::Object(bare)).ok()?))
            }
            _ => return None,
        };
        Some(Self { kid: text("kid"), alg: text("alg"), public })
    }

    fn verifies(&self, alg: Alg, signed: &[u8], signature: &[u8]) -> bool {
        match (&self.public, alg.core()) {
            (Public::Core(key), Some(core)) => key.verify_signature(&core, signed, signature).is_ok(),
            (Public::P521(key), None) => {
                P521Signature::from_slice(signature).is_ok_and(|given| key.verify(signed, &given).is_ok())
            }
            _ => false,
        }
    }
}

/// RFC 7518 §6.2.1: coordinates of 66 bytes each.
fn p521(x: &str, y: &str) -> Option<P521Key> {
    let mut point = vec![4_u8];
    for coordinate in [x, y] {
        let bytes = URL_SAFE_NO_PAD.decode(coordinate).ok().filter(|bytes| bytes.len() <= 66)?;
        point.extend(std::iter::repeat_n(0, 66 - bytes.len()));
        point.extend(bytes);
    }
    P521Key::from_sec1_bytes(&point).ok()
}

/// A token in its three parts, not believed yet.
pub(crate) struct Token<'t> {
    header: Header,
    signed: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Why a signature does not hold.
pub(crate) enum Unsigned {
    /// Signed with a key that is not in the set: fetching the set once more may help.
    UnknownKey,
    Wrong(Error),
}

impl<'t> Token<'t> {
    /// Takes a compact serialisation apart (RFC 7515 §7.1).
    pub(crate) fn parse(raw: &'t str) -> Result<Self, Error> {
        let wrong = || Error::bad_token("it is not a JWT");
        let (signed, signature) = raw.rsplit_once('.').ok_or_else(wrong)?;
        let (header, payload) = signed.split_once('.').ok_or_else(wrong)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| wrong());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| wrong())?;
        Ok(Self { header, signed, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The algorithm it says it is signed with, as written.
    pub(crate) fn alg(&self) -> &str {
        &self.header.alg
    }

    /// What is signed, once the signature holds: with an algorithm the provider said it uses, and by a key of the set.
    pub(crate) fn verify(&self, keys: &KeySet, algs: &[Alg]) -> Result<&[u8], Unsigned> {
        let wrong = |why: String| Unsigned::Wrong(Error::bad_token(format!("signature: {why}")));
        if self.header.crit.is_some() {
            return Err(wrong("it demands an extension (crit) that is not known here".to_owned()));
        }
        let name = quoted(self.alg());
        let Some(alg) = Alg::parse(self.alg()) else {
            return Err(match is_eddsa(self.alg()) {
                true => Unsigned::Wrong(eddsa(&name)),
                false => wrong(format!("`{name}` is no algorithm that is accepted here")),
            });
        };
        if !algs.contains(&alg) {
            let listed: Vec<&str> = algs.iter().map(|alg| alg.name()).collect();
            return Err(wrong(format!("it is {name}, and the provider says it uses {}", listed.join(", "))));
        }
        let mut tried = 0;
        for key in keys.of(self.header.kid.as_deref(), alg) {
            if key.verifies(alg, self.signed.as_bytes(), &self.signature) {
                return Ok(&self.payload);
            }
            tried += 1;
        }
        match tried {
            0 => Err(Unsigned::UnknownKey),
            // Without an id another set may hold the key.
            _ if self.header.kid.is_none() => Err(Unsigned::UnknownKey),
            _ => Err(wrong("the provider's key of that id did not make it".to_owned())),
        }
    }
}

/// The one algorithm that providers use and Kubernetes does not take.
pub(crate) fn eddsa(name: &str) -> Error {
    Error::setting(
        format!("it is signed with {name}, which no API server of Kubernetes takes"),
        "An admin can set RS256 or ES256 as the signing algorithm of this application's ID tokens at the identity \
         provider.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
    use serde_json::json;

    fn jwk(key: &SigningKey, kid: Option<&str>) -> Value {
        let point = key.verifying_key().to_sec1_point(false);
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let bytes = point.as_bytes();
        let mut jwk =
            json!({ "kty": "EC", "crv": "P-256", "x": part(&bytes[1..33]), "y": part(&bytes[33..65]) });
        if let Some(kid) = kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_slice(&[seed; 32]).unwrap()
    }

    fn token(key: &SigningKey, header: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(&json!({ "sub": "ana" })));
        let signature: Signature = key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn verified(raw: &str, keys: &Value) -> Result<(), String> {
        let set = KeySet::parse(&json!({ "keys": keys })).expect("a set");
        match Token::parse(raw).map_err(|e| e.to_string())?.verify(&set, &ALGS.map(|(_, alg)| alg)) {
            Ok(_) => Ok(()),
            Err(Unsigned::UnknownKey) => Err("unknown key".to_owned()),
            Err(Unsigned::Wrong(error)) => Err(error.to_string()),
        }
    }

    #[test]
    fn fault_b2_key_sets_may_hold_what_nobody_here_understands() {
        let (one, two) = (key(1), key(2));
        let strangers = [
            json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "one", "pub": "AAAA" }),
            json!({ "kty": "OKP", "crv": "X25519", "x": "AAAA" }),
            json!({ "kty": "oct", "k": "AAAA", "kid": "one" }),
            json!({ "kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA" }),
            json!({ "kty": "RSA", "use": "enc", "n": "AAAA", "e": "AQAB" }),
            json!({ "kty": "RSA" }),
            json!({ "kid": 7 }),
            json!("noise"),
        ];
        let with = |keys: &[Value]| Value::Array(strangers.iter().chain(keys).cloned().collect());
        let named = token(&one, &json!({ "alg": "ES256", "kid": "one" }));
        assert_eq!(verified(&named, &with(&[jwk(&one, Some("one"))])), Ok(()));
        // One id twice, in either order.
        for keys in [
            [jwk(&one, Some("one")), jwk(&two, Some("one"))],
            [jwk(&two, Some("one")), jwk(&one, Some("one"))],
        ] {
            assert_eq!(verified(&named, &with(&keys)), Ok(()));
        }
        // Several keys without an id, and a token without one.
        let nameless = token(&one, &json!({ "alg": "ES256" }));
        assert_eq!(verified(&nameless, &with(&[jwk(&two, None), jwk(&one, None)])), Ok(()));
        assert_eq!(verified(&nameless, &with(&[jwk(&two, None)])), Err("unknown key".to_owned()));
        assert_eq!(verified(&named, &with(&[jwk(&one, None)])), Err("unknown key".to_owned()), "another id");
        assert!(verified(&named, &with(&[jwk(&two, Some("one"))])).unwrap_err().contains("did not make it"));
        assert!(KeySet::parse(&json!([])).is_none() && KeySet::parse(&json!({ "keys": 7 })).is_none());
        let many: Vec<Value> = std::iter::repeat_n(jwk(&one, None), MOST_KEYS + 1).collect();
        assert!(KeySet::parse(&json!({ "keys": many })).is_none());
    }

    #[test]
    fn p3_a_key_signs_with_its_own_algorithm_only() {
        let one = key(1);
        let mut only = jwk(&one, Some("one"));
        only["alg"] = json!("ES384");
        let raw = token(&one, &json!({ "alg": "ES256", "kid": "one" }));
        assert_eq!(verified(&raw, &json!([only])), Err("unknown key".to_owned()));
        for alg in ["none", "HS256", "ES256K", "RS1", ""] {
            let raw = token(&one, &json!({ "alg": alg, "kid": "one" }));
            assert!(
                verified(&raw, &json!([jwk(&one, Some("one"))])).unwrap_err().contains("no algorithm"),
                "{alg}"
            );
        }
        let raw = token(&one, &json!({ "alg": "RS256", "kid": "one" }));
        assert!(verified(&raw, &json!([jwk(&one, Some("one"))])).is_err());
        let raw = token(&one, &json!({ "alg": "ES256", "kid": "one", "crit": ["exp"] }));
        assert!(verified(&raw, &json!([jwk(&one, Some("one"))])).unwrap_err().contains("crit"));
    }

    #[test]
    fn fault_b7_eddsa_is_told_apart() {
        let raw = token(&key(1), &json!({ "alg": "EdDSA", "kid": "one" }));
        let said = verified(&raw, &json!([])).unwrap_err();
        assert!(said.contains("EdDSA") && said.contains("Kubernetes"), "{said}");
    }
}
