use std::time::Duration;

use jiff::Timestamp;

use crate::{
    error::{Error, quoted},
    jws::{Alg, KeySet, Token, Unsigned},
    payload::Payload,
};

/// How far two clocks may be apart before times in tokens are not believed.
pub(crate) const SKEW: Duration = Duration::from_secs(60);

/// What an ID token says about a person, after verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdClaims {
    /// `iss`, equal to the configured issuer.
    pub issuer: String,
    /// `sub`: who this is, for ever.
    pub subject: String,
    /// `sid`: the provider's session that this sign-in belongs to (OpenID Connect Front-Channel Logout 1.0 §3).
    pub session: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`; false when the provider does not say.
    pub email_verified: bool,
    /// `name`.
    pub name: Option<String>,
    /// `groups`, unprefixed; empty when the provider does not say.
    pub groups: Vec<String>,
    /// The provider left the groups out since there are too many, and only points at them: `_claim_names` (OpenID
    /// Connect Core 1.0 §5.6.2) or `hasgroups`, as Entra ID writes it.
    pub groups_left_out: bool,
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
    /// Claims that are there in a form that can't be read, or that an API server reads differently, by name. None of
    /// them was needed so far.
    pub odd: Vec<&'static str>,
}

impl IdClaims {
    /// The person for people: name and address, as far as the provider says them, else the subject.
    #[must_use]
    pub fn person(&self) -> String {
        match (&self.name, &self.email) {
            (Some(name), Some(email)) => format!("{} <{}>", quoted(name), quoted(email)),
            (Some(one), None) | (None, Some(one)) => quoted(one),
            (None, None) => quoted(&self.subject),
        }
    }
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
    /// `sub`, and the person's name as it was said before.
    pub(crate) subject: Option<(String, String)>,
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

/// Who the token has to come from and be for.
pub(crate) struct Parties<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// Other audiences that may be named beside it.
    pub(crate) extra_audiences: &'a [String],
    pub(crate) algs: &'a [Alg],
}

/// Verifies `raw` (OpenID Connect Core 1.0 §3.1.3.7). What is not needed can't make it fail. Nothing of the token's
/// text gets into an error but names of parties, claims and algorithms.
pub(crate) fn verify(
    raw: &str,
    parties: &Parties<'_>,
    keys: &KeySet,
    expect: &Expect,
) -> Result<IdClaims, Unverified> {
    let token = Token::parse(raw)?;
    let signed = token.verify(keys, parties.algs).map_err(|why| match why {
        Unsigned::UnknownKey => Unverified::UnknownKey,
        Unsigned::Wrong(error) => Unverified::Wrong(error),
    })?;
    let payload = Payload::parse(signed)?;
    check_issuer(&payload.needed_text("iss")?, parties.issuer)?;
    check_audience(&payload, parties)?;
    check_nonce(&expect.nonce, payload.text("nonce").as_deref())?;
    let claims = read(&payload)?;
    check_times(&claims, Timestamp::now(), expect)?;
    check_strength(&claims, expect)?;
    if let Some((_, was)) = expect.subject.as_ref().filter(|(sub, _)| *sub != claims.subject) {
        return Err(Error::OtherPerson { was: quoted(was), is: claims.person() }.into());
    }
    Ok(claims)
}

fn check_issuer(got: &str, want: &str) -> Result<(), Error> {
    if got == want {
        return Ok(());
    }
    let shown = quoted(got);
    if got.trim_end_matches('/') == want.trim_end_matches('/') {
        return Err(Error::setting(
            format!(
                "its issuer (iss) is `{shown}`, and the workspace file says `{want}`: a slash at the end differs"
            ),
            "An admin can write the issuer into the workspace file and the hub's configuration as the provider does.",
        ));
    }
    Err(Error::bad_token(format!("its issuer (iss) is `{shown}` and not `{want}`")))
}

/// Ours must be among the audiences; others are those the workspace file names, and then `azp` says that it was issued
/// to us (§3.1.3.7 steps 3 to 5).
fn check_audience(payload: &Payload, parties: &Parties<'_>) -> Result<(), Error> {
    let audiences = payload.texts("aud").ok_or_else(|| {
        Error::setting("its audience (aud) is neither a name nor a list of names", ASK_PROVIDER)
    })?;
    let azp = payload.text("azp");
    if !audiences.iter().any(|one| one == parties.client_id) {
        let named: Vec<String> = audiences.iter().take(4).map(|one| quoted(one)).collect();
        return Err(Error::setting(
            format!("its audience (aud) is {}, and not {}", named.join(", "), parties.client_id),
            "An admin can compare the client id in the workspace file with the provider's.",
        ));
    }
    if azp.as_ref().is_some_and(|azp| azp != parties.client_id) {
        return Err(Error::setting(
            "it was issued to another application (azp)",
            "An admin can compare the client id in the workspace file with the provider's.",
        ));
    }
    let known = |one: &&String| *one != parties.client_id && !parties.extra_audiences.contains(one);
    if let Some(other) = audiences.iter().find(known) {
        return Err(Error::setting(
            format!(
                "it has another audience (aud) too, `{}`, which the workspace file does not name",
                quoted(other)
            ),
            "An admin can name it in `oidc.extraAudiences` of the workspace file, if it may see such tokens.",
        ));
    }
    if audiences.len() > 1 && azp.is_none() {
        return Err(Error::setting(
            "it has several audiences (aud) and does not say which application it was issued to (azp)",
            ASK_PROVIDER,
        ));
    }
    Ok(())
}

const ASK_PROVIDER: &str =
    "An admin can look at how the identity provider makes this application's ID tokens.";

fn check_nonce(expect: &ExpectNonce, got: Option<&str>) -> Result<(), Error> {
    match (expect, got) {
        (ExpectNonce::Exactly(_), None) => Err(Error::bad_token("it has no nonce")),
        (ExpectNonce::Exactly(want) | ExpectNonce::Same(want), Some(got)) if got != want => {
            Err(Error::bad_token("it answers another sign-in (nonce)"))
        }
        _ => Ok(()),
    }
}

fn read(payload: &Payload) -> Result<IdClaims, Error> {
    let mut odd = Vec::new();
    let mut note = |name: &'static str, there: bool| {
        if !there && payload.has(name) {
            odd.push(name);
        }
    };
    let acr = payload.text("acr");
    let amr = payload.texts("amr");
    let auth_time = payload.time("auth_time");
    let email_verified = payload.flag("email_verified");
    let groups = payload.texts("groups");
    note("acr", acr.is_some());
    note("amr", amr.is_some());
    note("auth_time", auth_time.is_some());
    // Text is understood here, and is no `true` for an API server.
    note("email_verified", payload.is_boolean("email_verified"));
    note("groups", payload.is_list("groups"));
    if payload.has("groups") && groups.is_none() {
        return Err(Error::setting("its groups are not a list of names", ASK_PROVIDER));
    }
    Ok(IdClaims {
        issuer: payload.needed_text("iss")?,
        subject: payload.needed_text("sub")?,
        session: payload.text("sid"),
        email: payload.text("email"),
        email_verified: email_verified.unwrap_or(false),
        name: payload.text("name"),
        groups_left_out: groups.is_none() && payload.points_at_groups(),
        groups: groups.unwrap_or_default(),
        acr,
        amr: amr.unwrap_or_default(),
        auth_time,
        issued_at: payload.needed_time("iat")?,
        expires_at: payload.needed_time("exp")?,
        odd,
    })
}

fn check_times(claims: &IdClaims, now: Timestamp, expect: &Expect) -> Result<(), Error> {
    let skew = SKEW.as_secs().cast_signed();
    let ahead = |at: Timestamp| at.as_second() - now.as_second();
    // A token that was just issued is a clock: of a sign-in in both directions, of a renewal when it is ahead.
    let signing_in = matches!(expect.nonce, ExpectNonce::Exactly(_));
    let issued = ahead(claims.issued_at);
    if issued > skew {
        return Err(Error::ClockSkew { by: issued });
    }
    if -ahead(claims.expires_at) >= skew {
        return Err(match signing_in && issued < -skew {
            true => Error::ClockSkew { by: issued },
            false => Error::bad_token(format!("it expired {} s ago", -ahead(claims.expires_at))),
        });
    }
    if let Some(at) = claims.auth_time.filter(|at| ahead(*at) > skew) {
        return Err(Error::setting(
            format!("its auth_time is {} s in the future", ahead(at)),
            "An admin can look at the identity provider's clocks.",
        ));
    }
    let Some(limit) = expect.max_age else { return Ok(()) };
    let Some(at) = claims.auth_time else {
        return Err(unreadable(claims, "auth_time").unwrap_or_else(no_auth_time));
    };
    let age = Duration::from_secs(u64::try_from(-ahead(at)).unwrap_or(0));
    if age > limit + SKEW { Err(Error::TooOld { age, limit }) } else { Ok(()) }
}

fn no_auth_time() -> Error {
    Error::setting(
        "it does not say when the person signed in (auth_time), which was asked for",
        "An admin can make the identity provider say it, or leave `maxAge` out of the profiles of this team.",
    )
}

/// The error for a claim that is needed, is there, and can't be read.
fn unreadable(claims: &IdClaims, name: &'static str) -> Option<Error> {
    claims
        .odd
        .contains(&name)
        .then(|| Error::setting(format!("its {name} is in a form that can't be read"), ASK_PROVIDER))
}

fn check_strength(claims: &IdClaims, expect: &Expect) -> Result<(), Error> {
    // Each list that is not empty has to hold: a strong class does not stand in for a method, nor the reverse.
    if !expect.acr.is_empty() && !claims.acr.as_ref().is_some_and(|acr| expect.acr.contains(acr)) {
        if let Some(error) = unreadable(claims, "acr") {
            return Err(error);
        }
        let got = claims.acr.iter().map(|acr| quoted(acr)).collect();
        return Err(Error::MfaTooWeak { claim: "acr", wanted: expect.acr.clone(), got });
    }
    if !expect.amr.is_empty() && !claims.amr.iter().any(|method| expect.amr.contains(method)) {
        if let Some(error) = unreadable(claims, "amr") {
            return Err(error);
        }
        let got = claims.amr.iter().map(|method| quoted(method)).collect();
        return Err(Error::MfaTooWeak { claim: "amr", wanted: expect.amr.clone(), got });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
