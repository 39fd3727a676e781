//! ServiceAccount tokens as an API server makes them (`authentication.k8s.io/v1` TokenRequest), without kube's own call: that
//! one logs a body it can't parse, and this body is a token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sallyport_model::Secret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

/// Asks for a token that is good for `seconds`, and for the API server alone: no audience means its own.
///
/// # Errors
/// For names that make no path.
pub fn token_request(
    namespace: &str,
    account: &str,
    seconds: i64,
) -> Result<http::Request<Vec<u8>>, http::Error> {
    let ask = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds},
    });
    http::Request::post(format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(ask.to_string().into_bytes())
}

#[derive(Deserialize)]
struct Reply {
    status: ReplyStatus,
}

#[derive(Deserialize)]
struct ReplyStatus {
    token: String,
}

/// The token out of the answer's text.
///
/// # Errors
/// In words, which quote nothing of the answer.
pub fn token_in(answer: &Secret<String>) -> Result<Secret<String>, &'static str> {
    // serde's messages can quote the input, so they stay here.
    let reply: Reply = serde_json::from_str(answer.expose()).map_err(|_| "it is no TokenRequest")?;
    Ok(Secret::new(reply.status.token))
}

/// What a token says of itself (RFC 7519). Its signature is the API server's business.
///
/// # Errors
/// In words, which quote nothing of the token.
pub fn token_claims<T: DeserializeOwned>(token: &Secret<String>) -> Result<T, &'static str> {
    let payload = token.expose().trim().split('.').nth(1).ok_or("the token is no JWT")?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| "the token's payload is not base64")?;
    serde_json::from_slice(&payload).map_err(|_| "the token does not say what it should")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Claims {
        exp: i64,
    }

    fn jwt(payload: &str) -> Secret<String> {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn p1_nothing_of_a_token_or_an_answer_is_quoted() {
        assert_eq!(token_claims::<Claims>(&jwt(r#"{"exp":7,"iat":1}"#)), Ok(Claims { exp: 7 }));
        let answer = |text: &str| token_in(&Secret::new(text.to_owned())).map(|token| token.expose().clone());
        assert_eq!(answer(r#"{"status":{"token":"t"}}"#), Ok("t".to_owned()));
        for odd in ["{\"status\":\"sesame\"}", "sesame", ""] {
            assert!(!answer(odd).unwrap_err().contains("sesame"), "{odd}");
        }
        for odd in [
            jwt("{\"exp\":\"sesame\"}"),
            jwt("sesame"),
            Secret::new("sesame".into()),
            Secret::new("a.!.b".into()),
        ] {
            assert!(!token_claims::<Claims>(&odd).unwrap_err().contains("sesame"));
        }
    }
}
