use openidconnect::core::CoreJwsSigningAlgorithm as Alg;
use serde::Deserialize;
use url::Url;

use crate::{
    error::{Error, quoted},
    http::{Http, unfit},
};

/// What is accepted, whatever else a provider offers: asymmetric and current.
const ALLOWED: [(&str, Alg); 5] = [
    ("RS256", Alg::RsaSsaPkcs1V15Sha256),
    ("PS256", Alg::RsaSsaPssSha256),
    ("ES256", Alg::EcdsaP256Sha256),
    ("ES384", Alg::EcdsaP384Sha384),
    ("EdDSA", Alg::EdDsa),
];

/// The parts of OpenID Connect Discovery 1.0 §3 and RFC 8414 §2 that are used here.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    revocation_endpoint: Option<Url>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    claims_parameter_supported: bool,
}

/// What was learned about a provider, checked.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) jwks: Url,
    pub(crate) revocation: Option<Url>,
    pub(crate) algs: Vec<Alg>,
    /// RFC 9207: answers carry `iss`, so one without is not this provider's.
    pub(crate) says_iss: bool,
    pub(crate) takes_claims: bool,
}

/// An issuer as OpenID Connect Discovery 1.0 §2 wants it: https, no query, no fragment, and no credentials.
pub(crate) fn parse_issuer(issuer: &str) -> Result<Url, Error> {
    let bad = |why: &str| Error::BadIssuer { issuer: quoted(issuer), why: why.to_owned() };
    let url = Url::parse(issuer).map_err(|e| bad(&format!("it is not a URL ({e})")))?;
    if url.scheme() != "https" || url.host_str().is_none_or(str::is_empty) {
        return Err(bad("it must be an https URL"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it must have neither query nor fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it must not carry a user name or password"));
    }
    Ok(url)
}

pub(crate) async fn discover(http: &Http, issuer: &str) -> Result<Discovery, Error> {
    let at = parse_issuer(issuer)?;
    let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = Url::parse(&document).map_err(|e| unfit(&at, e.to_string()))?;
    let answer = http.get(&document).await?;
    let found: Document = answer.json("its discovery document")?;
    check(&at, issuer, found)
}

fn check(at: &Url, issuer: &str, found: Document) -> Result<Discovery, Error> {
    // Exactly, with or without a trailing slash: the ID token and the API server compare the same way.
    if found.issuer != issuer {
        return Err(unfit(at, format!("it calls itself `{}` and not `{issuer}`", found.issuer)));
    }
    let endpoints = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
    if let Some(plain) =
        endpoints.into_iter().chain(found.revocation_endpoint.as_ref()).find(|url| url.scheme() != "https")
    {
        return Err(unfit(at, format!("its endpoint {plain} is not https")));
    }
    // A provider that lists no methods at all may still take PKCE (some do); one that lists others does not.
    if found.code_challenge_methods_supported.as_ref().is_some_and(|all| !all.iter().any(|m| m == "S256")) {
        return Err(unfit(at, "it does not support PKCE with S256"));
    }
    let offered = found.id_token_signing_alg_values_supported;
    let algs: Vec<Alg> = ALLOWED
        .into_iter()
        .filter(|(name, _)| offered.iter().any(|offer| offer == name))
        .map(|(_, alg)| alg)
        .collect();
    if algs.is_empty() {
        return Err(unfit(
            at,
            format!("it signs ID tokens with none of RS256, PS256, ES256, ES384, EdDSA but with {offered:?}"),
        ));
    }
    Ok(Discovery {
        authorization: found.authorization_endpoint,
        token: found.token_endpoint,
        jwks: found.jwks_uri,
        revocation: found.revocation_endpoint,
        algs,
        says_iss: found.authorization_response_iss_parameter_supported,
        takes_claims: found.claims_parameter_supported,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://id.example";

    fn document(change: impl FnOnce(&mut Value)) -> Result<Discovery, Error> {
        let mut value = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/jwks",
            "id_token_signing_alg_values_supported": ["HS256", "RS256", "none", "EdDSA"],
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        change(&mut value);
        check(&Url::parse(ISSUER).unwrap(), ISSUER, serde_json::from_value(value).unwrap())
    }

    #[test]
    fn p3_the_allowlist_meets_what_is_offered() {
        let found = document(|_| {}).unwrap();
        assert_eq!(found.algs, [Alg::RsaSsaPkcs1V15Sha256, Alg::EdDsa]);
        let none = document(|d| d["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]));
        assert!(matches!(none, Err(Error::ProviderUnfit { .. })), "{none:?}");
    }

    #[test]
    fn p3_the_issuer_is_compared_exactly() {
        for other in ["https://id.example/", "https://ID.example", "https://id.example.evil.example"] {
            let refused = document(|d| d["issuer"] = json!(other)).unwrap_err();
            assert!(refused.to_string().contains("calls itself"), "{refused}");
        }
    }

    #[test]
    fn p3_pkce_s256_and_https_are_required() {
        let plain = document(|d| d["code_challenge_methods_supported"] = json!(["plain"])).unwrap_err();
        assert!(plain.to_string().contains("S256"), "{plain}");
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"] {
            let refused = document(|d| d[endpoint] = json!("http://id.example/x")).unwrap_err();
            assert!(refused.to_string().contains("not https"), "{endpoint}: {refused}");
        }
    }

    #[test]
    fn p3_only_plain_https_urls_are_issuers() {
        assert!(parse_issuer("https://id.example:8443/realms/one").is_ok());
        for bad in [
            "",
            "id.example",
            "http://id.example",
            "https://id.example?x=1",
            "https://id.example#x",
            "https://me:pw@id.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert!(matches!(parse_issuer(bad), Err(Error::BadIssuer { .. })), "{bad}");
        }
    }
}
