use crate::{
    ProvisionError,
    plan::{MINT_SLACK, SHORTEST_MINT},
    target::Target,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use sallyport_api::SESSIONS_NAMESPACE;
use sallyport_model::{Jti, Secret, SessionAccount};
use serde::Deserialize;
use zeroize_on_drop::Wiped;

/// A session's token with what is in it.
#[derive(Debug)]
pub struct Minted {
    /// The bearer token.
    pub token: Secret<String>,
    /// Its id, which the API server's audit records with every call.
    pub jti: Jti,
    /// When it ends, Unix seconds; earlier than asked where the API server shortens tokens.
    pub end: i64,
}

impl Target {
    /// Mints a token for `account` that ends no later than the session. `now` is the target's clock, Unix seconds.
    ///
    /// # Errors
    /// When less than ten minutes remain (the API server makes no shorter token), or the target refuses.
    pub async fn mint(&self, account: &SessionAccount, now: i64) -> Result<Minted, ProvisionError> {
        let what = format!("a token for {account}");
        let seconds = account.end() - now - MINT_SLACK;
        if seconds < SHORTEST_MINT {
            let message = format!("{seconds} s are left and no token is shorter than ten minutes");
            return Err(ProvisionError::Refused { what, message });
        }
        let ask = TokenRequest {
            // No audience: the API server's own, which is the only one it may be good for.
            spec: Some(TokenRequestSpec { expiration_seconds: Some(seconds), ..TokenRequestSpec::default() }),
            ..TokenRequest::default()
        };
        let unusable = |why: String| ProvisionError::Unusable { what: what.clone(), why };
        let body = serde_json::to_vec(&ask).map_err(|e| unusable(e.to_string()))?;
        let path = format!("/api/v1/namespaces/{SESSIONS_NAMESPACE}/serviceaccounts/{account}/token");
        let request = http::Request::post(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|e| unusable(e.to_string()))?;
        // Not kube's own call: that one logs a body it can't parse, and this body is a token.
        let text = Wiped(self.within(&what, self.client().request_text(request)).await?);
        read(&text.0, account).map_err(unusable)
    }
}

#[derive(Deserialize)]
struct Reply {
    status: ReplyStatus,
}

#[derive(Deserialize)]
struct ReplyStatus {
    token: String,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    exp: i64,
    sub: String,
}

/// The token and its claims out of the API server's reply. The signature is the API server's business.
fn read(text: &str, account: &SessionAccount) -> Result<Minted, String> {
    // serde's messages can quote the input, so they stay here.
    let reply: Reply = serde_json::from_str(text).map_err(|_| "it is no TokenRequest".to_owned())?;
    let token = Secret::new(reply.status.token);
    let payload = token.expose().split('.').nth(1).ok_or("the token is no JWT")?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| "the token's payload is not base64")?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| "the token has no jti, exp and sub")?;
    let wanted = format!("system:serviceaccount:{SESSIONS_NAMESPACE}:{account}");
    if claims.sub != wanted {
        return Err(format!("the token is for {}", sallyport_model::visible(&claims.sub)));
    }
    if claims.exp > account.end() {
        return Err(format!("the token ends at {}, after its session at {}", claims.exp, account.end()));
    }
    if claims.jti.is_empty() || claims.jti.len() > 128 {
        return Err("the token's jti is empty or too long".to_owned());
    }
    Ok(Minted { jti: Jti::new(claims.jti), end: claims.exp, token })
}

mod zeroize_on_drop {
    use sallyport_model::Secret;

    /// Text that is wiped when dropped.
    pub(super) struct Wiped(pub(super) String);

    impl Drop for Wiped {
        fn drop(&mut self) {
            drop(Secret::new(std::mem::take(&mut self.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> SessionAccount {
        "s-abcdefghijklmnop-1795500000".parse().expect("an account")
    }

    fn reply(claims: &str) -> String {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        serde_json::json!({"kind": "TokenRequest", "status": {"token": token}}).to_string()
    }

    #[test]
    fn p9_a_token_beyond_the_end_or_for_another_account_is_not_used() {
        let sub = "system:serviceaccount:sallyport-sessions:s-abcdefghijklmnop-1795500000";
        let good = format!(r#"{{"jti":"j","exp":1795499998,"sub":"{sub}"}}"#);
        let minted = read(&reply(&good), &account()).expect("usable");
        assert_eq!((minted.jti.as_str(), minted.end), ("j", 1_795_499_998));
        for bad in [
            format!(r#"{{"jti":"j","exp":1795500001,"sub":"{sub}"}}"#),
            r#"{"jti":"j","exp":1795499998,"sub":"system:serviceaccount:sallyport-system:broker"}"#
                .to_owned(),
            format!(r#"{{"jti":"","exp":1795499998,"sub":"{sub}"}}"#),
            format!(r#"{{"exp":1795499998,"sub":"{sub}"}}"#),
            "{}".to_owned(),
            "no json".to_owned(),
        ] {
            assert!(read(&reply(&bad), &account()).is_err(), "{bad}");
        }
    }

    #[test]
    fn p1_no_part_of_an_unusable_reply_is_said() {
        for bad in [
            r#"{"status":{"token":7,"secret":"eyJhbGci"}}"#,
            "eyJhbGci",
            r#"{"status":{"token":"eyJhbGci"}}"#,
        ] {
            let said = read(bad, &account()).expect_err("unusable");
            assert!(!said.contains("eyJ"), "{said}");
        }
        let minted = read(
            &reply(
                r#"{"jti":"j","exp":1,"sub":"system:serviceaccount:sallyport-sessions:s-abcdefghijklmnop-1795500000"}"#,
            ),
            &account(),
        );
        assert!(!format!("{minted:?}").contains("e30."), "Debug shows the token");
    }
}
