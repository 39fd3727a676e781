use crate::{
    ProvisionError,
    plan::{MINT_SLACK, SHORTEST_MINT},
    target::Target,
};
use sallyport_api::SESSIONS_NAMESPACE;
use sallyport_client::{token_claims, token_in, token_request};
use sallyport_model::{Jti, Secret, SessionAccount};
use serde::Deserialize;

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
        let unusable = |why: String| ProvisionError::Unusable { what: what.clone(), why };
        let request = token_request(SESSIONS_NAMESPACE, &account.to_string(), seconds)
            .map_err(|e| unusable(e.to_string()))?;
        let answer = Secret::new(self.within(&what, self.client().request_text(request)).await?);
        read(&answer, account).map_err(unusable)
    }
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    exp: i64,
    sub: String,
}

/// The token and its claims out of the API server's reply.
fn read(answer: &Secret<String>, account: &SessionAccount) -> Result<Minted, String> {
    let token = token_in(answer)?;
    let claims: Claims = token_claims(&token)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    fn account() -> SessionAccount {
        "s-abcdefghijklmnop-1795500000".parse().expect("an account")
    }

    fn read(answer: &str, account: &SessionAccount) -> Result<Minted, String> {
        super::read(&Secret::new(answer.to_owned()), account)
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
