use std::{
    str::FromStr as _,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, IdToken, IdTokenClaims, IdTokenVerifier, IssuerUrl,
    Nonce, SignatureVerificationError,
    core::{
        CoreGenderClaim, CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, quoted};

/// How far two clocks may be apart before times in tokens are not believed.
pub(crate) const SKEW: Duration = Duration::from_secs(60);

/// What an ID token says about a person, after verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdClaims {
    /// `iss`, equal to the configured issuer.
    pub issuer: String,
    /// `sub`: who this is, for ever.
    pub subject: String,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`; false when the provider does not say.
    pub email_verified: bool,
    /// `name`.
    pub name: Option<String>,
    /// `groups`, unprefixed; empty when the provider does not say.
    pub groups: Vec<String>,
    /// `acr`: the authentication class reached.
    pub acr: Option<String>,
    /// `amr`: the methods used (RFC 8176).
    pub amr: Vec<String>,
    /// `auth_time`: when the person last proved who they are.
    pub auth_time: Option<Timestamp>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
}

/// What a token has to satisfy beyond signature, issuer, audience and time.
#[derive(Debug, Default)]
pub(crate) struct Expect {
    pub(crate) nonce: ExpectNonce,
    /// The token's `acr` must be one of these, when there are any.
    pub(crate) acr: Vec<String>,
    /// One of these must be in the token's `amr`, when there are any.
    pub(crate) amr: Vec<String>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) subject: Option<String>,
}

/// OpenID Connect Core 1.0 §3.1.3.7 and §12.2.
#[derive(Debug, Default)]
pub(crate) enum ExpectNonce {
    /// A sign-in: this one and no other.
    Exactly(String),
    /// A refresh: absent, or as at the sign-in.
    Same(String),
    /// A refresh of a sign-in whose nonce is not known any more.
    #[default]
    Unknown,
}

/// A token that can't be verified with the keys at hand, or is wrong.
pub(crate) enum Unverified {
    /// Signed with a key that is not in the set: fetching the set once more may help.
    UnknownKey,
    Wrong(Error),
}

impl From<Error> for Unverified {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Extra {
    /// A list, or a single name as some providers write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Value>,
}
impl AdditionalClaims for Extra {}

type Token = IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Claims = IdTokenClaims<Extra, CoreGenderClaim>;

/// Who the token has to come from and be for.
pub(crate) struct Parties<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) algs: &'a [CoreJwsSigningAlgorithm],
}

/// Verifies `raw` (OpenID Connect Core 1.0 §3.1.3.7). Nothing of the token's text gets into an error but names of
/// parties and algorithms.
pub(crate) fn verify(
    raw: &str,
    parties: &Parties<'_>,
    keys: CoreJsonWebKeySet,
    expect: &Expect,
) -> Result<IdClaims, Unverified> {
    let token = Token::from_str(raw)
        .map_err(|_| Error::bad_token("it is not a JWT with the claims an ID token must have"))?;
    let issuer = IssuerUrl::new(parties.issuer.to_owned()).map_err(|e| Error::bad_token(e.to_string()))?;
    let client = ClientId::new(parties.client_id.to_owned());
    let verifier: IdTokenVerifier<'_, CoreJsonWebKey> =
        IdTokenVerifier::new_public_client(client, issuer, keys)
            .set_allowed_algs(parties.algs.iter().cloned())
            // The library gives `exp` no leeway; this is the leeway.
            .set_time_fn(|| (SystemTime::now() - SKEW).into());
    let nonce = |got: Option<&Nonce>| check_nonce(&expect.nonce, got);
    let claims = token.claims(&verifier, nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            Unverified::UnknownKey
        }
        ClaimsVerificationError::SignatureVerification(why) => {
            Unverified::Wrong(Error::bad_token(format!("signature: {}", quoted(&why.to_string()))))
        }
        other => Unverified::Wrong(Error::bad_token(quoted(&other.to_string()))),
    })?;
    if claims.authorized_party().is_some_and(|azp| azp.as_str() != parties.client_id) {
        return Err(Error::bad_token("it was issued to another application (azp)").into());
    }
    let claims = read(claims)?;
    check_times(&claims, Timestamp::now(), expect.max_age)?;
    check_strength(&claims, expect)?;
    if let Some(was) = expect.subject.as_ref().filter(|was| **was != claims.subject) {
        return Err(Error::OtherPerson { was: quoted(was), is: quoted(&claims.subject) }.into());
    }
    Ok(claims)
}

fn check_nonce(expect: &ExpectNonce, got: Option<&Nonce>) -> Result<(), String> {
    match (expect, got) {
        (ExpectNonce::Exactly(_), None) => Err("it has no nonce".to_owned()),
        (ExpectNonce::Exactly(want) | ExpectNonce::Same(want), Some(got)) if got.secret() != want => {
            Err("it answers another sign-in (nonce)".to_owned())
        }
        _ => Ok(()),
    }
}

fn read(claims: &Claims) -> Result<IdClaims, Error> {
    let time = |seconds: i64, name: &str| {
        Timestamp::from_second(seconds).map_err(|_| Error::bad_token(format!("its {name} is not a time")))
    };
    Ok(IdClaims {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        email: claims.email().map(|email| email.to_string()),
        email_verified: claims.email_verified().unwrap_or(false),
        name: claims.name().and_then(|all| all.get(None)).map(|name| name.to_string()),
        groups: read_groups(claims.additional_claims().groups.as_ref())?,
        acr: claims.auth_context_ref().map(|acr| acr.to_string()),
        amr: claims
            .auth_method_refs()
            .map_or_else(Vec::new, |all| all.iter().map(|m| m.to_string()).collect()),
        auth_time: claims.auth_time().map(|at| time(at.timestamp(), "auth_time")).transpose()?,
        issued_at: time(claims.issue_time().timestamp(), "iat")?,
        expires_at: time(claims.expiration().timestamp(), "exp")?,
    })
}

fn read_groups(claim: Option<&Value>) -> Result<Vec<String>, Error> {
    let wrong = || Error::bad_token("its groups are not a list of names");
    match claim {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(all)) => {
            all.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn check_times(claims: &IdClaims, now: Timestamp, max_age: Option<Duration>) -> Result<(), Error> {
    let skew = SKEW.as_secs().cast_signed();
    let ahead = |at: Timestamp| at.as_second() - now.as_second();
    if ahead(claims.issued_at) > skew {
        return Err(Error::bad_token(format!("it was issued {} s in the future", ahead(claims.issued_at))));
    }
    if let Some(at) = claims.auth_time.filter(|at| ahead(*at) > skew) {
        return Err(Error::bad_token(format!("its auth_time is {} s in the future", ahead(at))));
    }
    let Some(limit) = max_age else { return Ok(()) };
    let Some(at) = claims.auth_time else {
        return Err(Error::bad_token(
            "it does not say when the person signed in (auth_time), which was asked for",
        ));
    };
    let age = Duration::from_secs(u64::try_from(-ahead(at)).unwrap_or(0));
    if age > limit + SKEW { Err(Error::TooOld { age, limit }) } else { Ok(()) }
}

fn check_strength(claims: &IdClaims, expect: &Expect) -> Result<(), Error> {
    // Each list that is not empty has to hold: a strong class does not stand in for a method, nor the reverse.
    if !expect.acr.is_empty() && !claims.acr.as_ref().is_some_and(|acr| expect.acr.contains(acr)) {
        let got = claims.acr.iter().map(|acr| quoted(acr)).collect();
        return Err(Error::MfaTooWeak { wanted: expect.acr.clone(), got });
    }
    if !expect.amr.is_empty() && !claims.amr.iter().any(|method| expect.amr.contains(method)) {
        let got = claims.amr.iter().map(|method| quoted(method)).collect();
        return Err(Error::MfaTooWeak { wanted: expect.amr.clone(), got });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> IdClaims {
        let now = Timestamp::now();
        IdClaims {
            issuer: "https://id.example".into(),
            subject: "ana".into(),
            email: None,
            email_verified: false,
            name: None,
            groups: vec![],
            acr: Some("mfa".into()),
            amr: vec!["pwd".into(), "otp".into()],
            auth_time: Some(now),
            issued_at: now,
            expires_at: now + Duration::from_secs(600),
        }
    }

    fn aged(seconds: i64) -> IdClaims {
        let at = Timestamp::from_second(Timestamp::now().as_second() - seconds).unwrap();
        IdClaims { auth_time: Some(at), ..claims() }
    }

    #[test]
    fn p3_class_and_method_must_both_hold() {
        let want = |acr: &[&str], amr: &[&str]| Expect {
            acr: acr.iter().map(|s| (*s).to_owned()).collect(),
            amr: amr.iter().map(|s| (*s).to_owned()).collect(),
            ..Expect::default()
        };
        for (acr, amr, holds) in [
            (&[][..], &[][..], true),
            (&["mfa"][..], &[][..], true),
            (&["phr", "mfa"][..], &["hwk", "otp"][..], true),
            (&["phr"][..], &["otp"][..], false),
            (&["mfa"][..], &["hwk"][..], false),
        ] {
            assert_eq!(check_strength(&claims(), &want(acr, amr)).is_ok(), holds, "{acr:?} {amr:?}");
        }
        let nothing = IdClaims { acr: None, amr: vec![], ..claims() };
        assert!(check_strength(&nothing, &want(&["mfa"], &[])).is_err());
        assert!(check_strength(&nothing, &want(&[], &["otp"])).is_err());
    }

    #[test]
    fn p3_an_old_future_or_missing_auth_time_is_refused() {
        let now = Timestamp::now();
        let limit = Some(Duration::from_secs(300));
        assert!(check_times(&aged(299), now, limit).is_ok());
        assert!(check_times(&aged(355), now, limit).is_ok(), "within the skew");
        assert!(matches!(check_times(&aged(3600), now, limit), Err(Error::TooOld { .. })));
        assert!(matches!(check_times(&aged(-365 * 86_400), now, None), Err(Error::BadToken { .. })));
        let silent = IdClaims { auth_time: None, ..claims() };
        assert!(matches!(check_times(&silent, now, limit), Err(Error::BadToken { .. })));
        assert!(check_times(&silent, now, None).is_ok());
    }

    #[test]
    fn groups_are_a_list_or_one_name() {
        let read = |value: Value| read_groups(Some(&value));
        assert_eq!(read(serde_json::json!(["a", "b"])).unwrap(), ["a", "b"]);
        assert_eq!(read(serde_json::json!("a")).unwrap(), ["a"]);
        assert!(read(Value::Null).unwrap().is_empty() && read_groups(None).unwrap().is_empty());
        for bad in [serde_json::json!([1]), serde_json::json!({"a": 1}), serde_json::json!(7)] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
