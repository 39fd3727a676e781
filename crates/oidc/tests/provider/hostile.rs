//! Everything a provider, or someone in its place, can do wrong.

use std::time::{Duration, Instant};

use anyhow::Result;
use sallyport_oidc::{Ask, Error, Persist, Provider, ProviderConfig, TokenSource};
use serde_json::{Value, json};

use crate::liar::{CLIENT, Liar, Signature};

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Signs in with changed claims and expects a refusal that says `word` and quotes nothing of the token.
async fn refused(liar: &Liar, provider: &Provider, ask: Ask, claims: Value, word: &str) {
    liar.script().claims = claims.clone();
    let error = liar.sign_in(provider, ask).await.expect_err(&format!("{claims}"));
    let said = format!("{error} {error:?}");
    assert!(error.to_string().contains(word), "{claims}: {said}");
    assert!(!said.contains("secret-in-token") && !said.contains("eyJ"), "p1: {said}");
}

#[tokio::test]
async fn p3_an_honest_answer_is_accepted() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let ask = Ask {
        acr_values: vec!["mfa".into()],
        amr: vec!["otp".into()],
        max_age: Some(Duration::from_secs(60)),
        ..Ask::default()
    };
    let signed_in = liar.sign_in(&provider, ask).await?;
    assert_eq!(signed_in.claims.subject, "ana");
    // The other tests change one thing each; this one shows that nothing else is wrong.
    liar.script().claims = json!({ "exp": now() - 50, "aud": [CLIENT], "azp": CLIENT, "groups": "one" });
    let signed_in = liar.sign_in(&provider, Ask::default()).await?;
    assert_eq!(signed_in.claims.groups, ["one"], "and 50 s of skew are tolerated");
    Ok(())
}

#[tokio::test]
async fn p3_wrong_parties_and_nonces_are_refused() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    for (claims, word) in [
        (json!({ "iss": "https://evil.example" }), "issuer"),
        (json!({ "iss": format!("{}/", liar.issuer()) }), "issuer"),
        (json!({ "iss": null }), "iss"),
        (json!({ "aud": "another-hub" }), "audience"),
        (json!({ "aud": [CLIENT, "another-hub"] }), "audience"),
        (json!({ "aud": null }), "aud"),
        (json!({ "azp": "another-hub" }), "azp"),
        (json!({ "nonce": "of another sign-in" }), "nonce"),
        (json!({ "nonce": null }), "nonce"),
        (json!({ "sub": null }), "sub"),
        (json!({ "groups": { "admin": true } }), "groups"),
    ] {
        refused(&liar, &provider, Ask::default(), claims, word).await;
    }
    Ok(())
}

#[tokio::test]
async fn p3_wrong_times_are_refused() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let fresh = || Ask { max_age: Some(Duration::from_secs(300)), ..Ask::default() };
    for (ask, claims, word) in [
        (Ask::default(), json!({ "exp": now() - 70 }), "xpired"),
        (Ask::default(), json!({ "exp": null }), "exp"),
        (Ask::default(), json!({ "iat": now() + 70 }), "clock"),
        (Ask::default(), json!({ "iat": null }), "iat"),
        (Ask::default(), json!({ "auth_time": now() + 365 * 86_400 }), "future"),
        (fresh(), json!({ "auth_time": now() - 400 }), "may be 300 s at most"),
        (fresh(), json!({ "auth_time": null }), "auth_time"),
    ] {
        refused(&liar, &provider, ask, claims, word).await;
    }
    Ok(())
}

#[tokio::test]
async fn p3_weak_sign_ins_are_refused_and_neither_list_stands_in_for_the_other() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let mfa =
        || Ask { acr_values: vec!["mfa".into()], amr: vec!["otp".into(), "hwk".into()], ..Ask::default() };
    for claims in [
        json!({ "acr": "pwd", "amr": ["otp"] }),
        json!({ "acr": null }),
        json!({ "acr": "mfa", "amr": ["pwd"] }),
        json!({ "acr": "mfa", "amr": null }),
    ] {
        refused(&liar, &provider, mfa(), claims, "a stronger sign-in").await;
    }
    Ok(())
}

#[tokio::test]
async fn p3_bad_signatures_are_refused() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    for signature in [Signature::None, Signature::PublicKeyAsSecret, Signature::Forged] {
        liar.script().signature = signature;
        refused(&liar, &provider, Ask::default(), json!({}), "signature").await;
    }
    liar.script().signature = Signature::Proper;
    liar.sign_in(&provider, Ask::default()).await?;
    Ok(())
}

#[tokio::test]
async fn p3_an_unknown_key_costs_exactly_one_more_request_for_keys() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    liar.sign_in(&provider, Ask::default()).await?;
    assert_eq!(liar.asked("/jwks"), 1);
    liar.script().kid = "two".to_owned();
    for _ in 0..5 {
        refused(&liar, &provider, Ask::default(), json!({}), "does not publish").await;
    }
    assert_eq!(liar.asked("/jwks"), 2);
    Ok(())
}

#[tokio::test]
async fn p3_answers_to_other_questions_do_not_count() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let strangers = |state: &str, _: &str| {
        vec![
            "code=evil&state=wrong".to_owned(),
            "code=evil".to_owned(),
            "error=access_denied&state=wrong".to_owned(),
            format!("code=evil&state={state}&state={state}"),
            format!("code=evil&state={}", &state[1..]),
            format!("code=good&state={state}"),
        ]
    };
    liar.sign_in_with(&provider, Ask::default(), strangers).await?;
    assert_eq!(liar.codes(), ["good"], "only the right answer's code was redeemed");
    Ok(())
}

#[tokio::test]
async fn p3_the_answer_must_come_from_the_issuer_that_was_asked() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let mixed_up =
        |state: &str, _: &str| vec![format!("code=c&state={state}&iss=https%3A%2F%2Fevil.example")];
    let error = liar.sign_in_with(&provider, Ask::default(), mixed_up).await.unwrap_err();
    assert!(error.to_string().contains("another issuer"), "{error}");
    liar.script().discovery = json!({ "authorization_response_iss_parameter_supported": true });
    let provider = Provider::discover(&liar.config()).await?;
    let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err();
    assert!(error.to_string().contains("does not say which issuer"), "{error}");
    assert_eq!(liar.asked("/token"), 0, "no code was sent anywhere");
    let named = |state: &str, issuer: &str| vec![format!("code=c&state={state}&iss={issuer}")];
    liar.sign_in_with(&provider, Ask::default(), named).await?;
    Ok(())
}

#[tokio::test]
async fn p3_redirects_are_not_followed() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    for path in ["/token", "/jwks"] {
        liar.script().redirect = Some(path);
        let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err();
        assert!(
            matches!(&error, Error::ProviderUnfit { why, .. } if why.contains("redirect")),
            "{path}: {error}"
        );
    }
    liar.script().redirect = Some("/.well-known/openid-configuration");
    let error = Provider::discover(&liar.config()).await.unwrap_err();
    assert!(error.to_string().contains("redirect"), "{error}");
    assert_eq!(liar.asked("/elsewhere"), 0);
    Ok(())
}

#[tokio::test]
async fn p3_a_hang_anywhere_ends_within_the_deadline() -> Result<()> {
    let liar = Liar::start().await?;
    let config = ProviderConfig { timeout: Duration::from_secs(3), ..liar.config() };
    let provider = Provider::discover(&config).await?;
    // What hangs has no end of its own.
    let limit = Duration::from_secs(30);
    for path in ["/token", "/jwks"] {
        liar.script().hang = Some(path);
        let asked = Instant::now();
        let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }) && asked.elapsed() < limit, "{path}: {error}");
    }
    liar.script().hang = Some("/.well-known/openid-configuration");
    let asked = Instant::now();
    let error = Provider::discover(&config).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && asked.elapsed() < limit, "{error}");
    liar.script().hang = None;
    let signed_in = liar.sign_in(&provider, Ask::default()).await?;
    let persist: Persist = std::sync::Arc::new(|_| Box::pin(async { Ok(()) }));
    let source = TokenSource::open(provider, signed_in, persist).await;
    liar.script().hang = Some("/revoke");
    let asked = Instant::now();
    let error = source.sign_out().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && asked.elapsed() < limit, "{error}");
    Ok(())
}

#[tokio::test]
async fn p3_answers_that_are_too_large_or_are_noise_are_refused() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    for path in ["/token", "/jwks"] {
        liar.script().flood = Some(path);
        let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err();
        assert!(matches!(error, Error::ProviderUnfit { .. }), "{path}: {error}");
    }
    liar.script().flood = None;
    for noise in ["", "null", "[]", "{", "<html>", r#"{"id_token": 7}"#] {
        liar.script().token_answer = Some(noise.to_owned());
        let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err();
        assert!(matches!(error, Error::ProviderUnfit { .. }), "{noise}: {error}");
    }
    for noise in ["", "x", "a.b.c", "e30.e30.", &"A.".repeat(1000)] {
        liar.script().token_answer = Some(json!({ "id_token": noise }).to_string());
        let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err();
        assert!(matches!(error, Error::BadToken { .. }), "{noise}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn p3_tls_is_never_weakened() -> Result<()> {
    let liar = Liar::start().await?;
    let mut config = liar.config();
    config.extra_ca_pem = Some(Liar::start().await?.config().extra_ca_pem.expect("a CA"));
    let error = Provider::discover(&config).await.unwrap_err();
    assert!(matches!(error, Error::ProviderUnreachable { .. }), "{error}");
    config = liar.config();
    config.issuer = config.issuer.replace("https", "http");
    assert!(matches!(Provider::discover(&config).await, Err(Error::BadIssuer { .. })));
    assert_eq!(liar.asked("/.well-known/openid-configuration"), 0);
    Ok(())
}

#[tokio::test]
async fn p3_a_renewed_token_for_someone_else_is_refused() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    liar.script().claims = json!({ "exp": now() }); // within the skew, and due for renewal
    let signed_in = liar.sign_in(&provider, Ask::default()).await?;
    let persist: Persist = std::sync::Arc::new(|_| Box::pin(async { Ok(()) }));
    let source = TokenSource::open(provider, signed_in, persist).await;
    liar.script().claims = json!({ "sub": "mallory" });
    let error = source.id_token().await.unwrap_err();
    assert!(matches!(error, Error::OtherPerson { .. }), "{error}");
    liar.script().claims = json!({ "nonce": "of another sign-in" });
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let error = source.id_token().await.unwrap_err();
    assert!(error.to_string().contains("nonce"), "{error}");
    liar.script().claims = json!({ "nonce": null });
    tokio::time::sleep(Duration::from_millis(1100)).await;
    source.id_token().await?;
    Ok(())
}
