use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{
    error::{Error, quoted},
    http::{Http, unfit},
    jws::{Alg, is_eddsa},
};

/// The parts of OpenID Connect Discovery 1.0 §3 and RFC 8414 §2 that are used here.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    revocation_endpoint: Option<Url>,
    /// Text and not an address: signing out does not depend on it.
    end_session_endpoint: Option<Value>,
    scopes_supported: Option<Value>,
    acr_values_supported: Option<Value>,
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
    /// The scopes it lists. It may have others: the list is voluntary, and need not be whole.
    pub(crate) scopes: Option<Vec<String>>,
    /// The `acr` values it lists, likewise.
    pub(crate) acrs: Option<Vec<String>>,
    /// Whether a browser's session can be ended there (OpenID Connect RP-Initiated Logout 1.0).
    pub(crate) ends_sessions: bool,
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
    if found.issuer != issuer && found.issuer.trim_end_matches('/') == issuer.trim_end_matches('/') {
        let which = if issuer.ends_with('/') { "without the slash" } else { "with a slash" };
        return Err(unfit(
            at,
            format!(
                "it calls itself `{}`, {which} at the end of the workspace file's issuer, which must be the same to the letter",
                found.issuer
            ),
        ));
    }
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
    let algs: Vec<Alg> = offered.iter().filter_map(|name| Alg::parse(name)).collect();
    if algs.is_empty() {
        let offered = offered.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let why = match offered.split(", ").any(is_eddsa) {
            true => format!("it signs ID tokens with {offered}, which no API server of Kubernetes takes"),
            false => format!("it signs ID tokens with none of {}, but with {offered}", Alg::names()),
        };
        return Err(unfit(at, why));
    }
    Ok(Discovery {
        authorization: found.authorization_endpoint,
        token: found.token_endpoint,
        jwks: found.jwks_uri,
        revocation: found.revocation_endpoint,
        algs,
        says_iss: found.authorization_response_iss_parameter_supported,
        takes_claims: found.claims_parameter_supported,
        scopes: found.scopes_supported.as_ref().and_then(texts),
        acrs: found.acr_values_supported.as_ref().and_then(texts),
        ends_sessions: found.end_session_endpoint.is_some_and(|url| url.is_string()),
    })
}

/// A list of text; anything else is as good as no list.
fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://id.example";

    fn document(change: impl FnOnce(&mut Value)) -> Result<Discovery, Error> {
        let mut value = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/jwks",
            "id_token_signing_alg_values_supported": ["HS256", "RS256", "none", "EdDSA", "ES512"],
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        change(&mut value);
        check(&Url::parse(ISSUER).unwrap(), ISSUER, serde_json::from_value(value).unwrap())
    }

    #[test]
    fn p3_the_allowlist_meets_what_is_offered() {
        let found = document(|_| {}).unwrap();
        assert_eq!(found.algs, [Alg::Rs256, Alg::Es512]);
        let none = document(|d| d["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]));
        assert!(matches!(none, Err(Error::ProviderUnfit { .. })), "{none:?}");
        let eddsa = document(|d| d["id_token_signing_alg_values_supported"] = json!(["EdDSA"])).unwrap_err();
        assert!(eddsa.to_string().contains("Kubernetes"), "{eddsa}");
    }

    #[test]
    fn p3_the_issuer_is_compared_exactly() {
        for other in ["https://id.example/", "https://ID.example", "https://id.example.evil.example"] {
            let refused = document(|d| d["issuer"] = json!(other)).unwrap_err();
            assert!(refused.to_string().contains("calls itself"), "{refused}");
        }
    }

    #[test]
    fn fault_b7_an_issuer_that_differs_by_a_slash_is_named() {
        let refused = document(|d| d["issuer"] = json!("https://id.example/")).unwrap_err().to_string();
        assert!(refused.contains("calls itself") && refused.contains("with a slash"), "{refused}");
    }

    #[test]
    fn fault_b2_lists_nobody_needs_can_not_fail_a_discovery() {
        let found = document(|d| {
            d["scopes_supported"] = json!("openid");
            d["acr_values_supported"] = json!([1]);
            d["end_session_endpoint"] = json!("not a URL");
        });
        assert!(found.unwrap().scopes.is_none());
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
