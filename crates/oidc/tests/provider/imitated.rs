//! Signing in where the provider has the ways of another one, and where someone is in between.

use std::{future::pending, time::Duration};

use anyhow::Result;
use sallyport_oidc::{Ask, Error, Provider, ProviderConfig, Redirect, RedirectHost};
use serde_json::json;

use crate::{
    liar::{Liar, deliver},
    sign_in::{config, mfa, sign_in},
};
use sallyport_testkit::{
    browser::FormBrowser,
    idp::{Account, Endpoint, Fault, Idp, IdpClient, IdpOptions, Quirks, RedirectRule},
};

/// One that may have grown its alphabet of algorithms.
async fn with_algorithm(alg: &'static str) -> Result<(Idp, ProviderConfig)> {
    let clients = vec![IdpClient { id_token_alg: alg, ..IdpClient::new("hub") }];
    let idp = Idp::start(IdpOptions { clients, ..IdpOptions::default() }).await?;
    let config = config(&idp);
    Ok((idp, config))
}

#[tokio::test]
async fn fault_b7_every_algorithm_that_kubernetes_takes_is_taken() -> Result<()> {
    for alg in ["RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512"] {
        let (idp, config) = with_algorithm(alg).await?;
        let provider = Provider::discover(&config).await?;
        let (result, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
        result.unwrap_or_else(|error| panic!("{alg}: {error}"));
    }
    let (idp, config) = with_algorithm("EdDSA").await?;
    let provider = Provider::discover(&config).await?;
    let (result, landing) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    let error = result.unwrap_err();
    assert!(
        matches!(&error, Error::Setting { why, change } if why.contains("EdDSA") && change.contains("RS256"))
    );
    assert!(landing.body.contains("Kubernetes"), "{}", landing.body);
    Ok(())
}

#[tokio::test]
async fn fault_b1_a_rogue_workspace_gets_no_code() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    // The attacker's issuer names the real place to sign in, and its own to redeem what comes of it.
    let rogue = Liar::start().await?;
    rogue.script().discovery = json!({
        "authorization_endpoint": format!("{}/auth", idp.issuer()),
        "authorization_response_iss_parameter_supported": false,
    });
    // As a provider without RFC 9207 has it: nothing in the answer would tell.
    idp.imitate(&Quirks { no_iss: true, ..Quirks::default() }).await?;
    let mixed_up = ProviderConfig { client_id: idp.client_id().to_owned(), ..rogue.config() };
    let provider = Provider::discover(&mixed_up).await?;
    let attempt = provider.begin(Ask::default()).await?;
    let url = attempt.authorization_url().to_string();
    let waiting = tokio::spawn(attempt.finish(Duration::from_secs(2), pending()));
    let refused = FormBrowser::of(&idp, "ana")?.sign_in(&url).await.unwrap_err();
    assert!(format!("{refused:#}").contains("redirect_uri"), "{refused:#}");
    assert!(matches!(waiting.await?, Err(Error::Timeout { .. })));
    assert_eq!((rogue.codes().len(), rogue.asked("/token")), (0, 0), "no code, no verifier");
    // The same browser signs in where the issuer is the provider's own.
    let honest = Provider::discover(&config(&idp)).await?;
    sign_in(&honest, &FormBrowser::of(&idp, "ana")?, Ask::default()).await?.0?;
    Ok(())
}

#[tokio::test]
async fn fault_b1_the_place_to_sign_in_is_named_where_it_is_another_host() -> Result<()> {
    let liar = Liar::start().await?;
    assert_eq!(Provider::discover(&liar.config()).await?.other_host(), None);
    liar.script().discovery = json!({ "authorization_endpoint": "https://login.elsewhere.example/auth" });
    let provider = Provider::discover(&liar.config()).await?;
    assert_eq!(provider.other_host().as_deref(), Some("login.elsewhere.example"));
    Ok(())
}

#[tokio::test]
async fn fault_b1_who_receives_the_code_is_named_where_it_is_not_who_signs_people_in() -> Result<()> {
    let liar = Liar::start().await?;
    assert_eq!(Provider::discover(&liar.config()).await?.code_host(), None);
    // Another's pages, and the code for the issuer itself: what a rogue one would have.
    liar.script().discovery = json!({ "authorization_endpoint": "https://login.elsewhere.example/auth" });
    assert_eq!(Provider::discover(&liar.config()).await?.code_host().as_deref(), Some("127.0.0.1"));
    liar.script().discovery = json!({ "token_endpoint": "https://tokens.elsewhere.example/token" });
    let provider = Provider::discover(&liar.config()).await?;
    assert_eq!(
        (provider.other_host(), provider.code_host().as_deref()),
        (None, Some("tokens.elsewhere.example"))
    );
    Ok(())
}

#[tokio::test]
async fn fault_b2_odd_but_valid_tokens_sign_in() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    for claims in [
        json!({ "updated_at": "2024-03-01T12:00:00.000Z", "nickname": 7 }),
        json!({ "email_verified": "true", "is_private_email": "false" }),
        json!({ "amr": "pwd" }),
    ] {
        idp.imitate(&Quirks { claims: claims.clone(), ..Quirks::default() }).await?;
        let (result, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, Ask::default()).await?;
        let read = result.unwrap_or_else(|error| panic!("{claims}: {error}")).claims;
        assert!(read.email_verified && read.amr == ["pwd"], "{claims}");
    }
    Ok(())
}

#[tokio::test]
async fn fault_b3_exact_redirect_addresses_with_their_ports_work() -> Result<()> {
    let free = || -> Result<u16> { Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port()) };
    let ports = vec![free()?, free()?];
    let idp = Idp::start(IdpOptions::default()).await?;
    for (host, name) in [(RedirectHost::Address, "127.0.0.1"), (RedirectHost::Localhost, "localhost")] {
        let rule = RedirectRule { host: name, ports: ports.clone(), exact: true };
        idp.imitate(&Quirks { redirect: Some(rule), ..Quirks::default() }).await?;
        let redirect = Redirect { host, ports: ports.clone() };
        let provider = Provider::discover(&ProviderConfig { redirect, ..config(&idp) }).await?;
        sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?.0?;
        // With the first port taken the second is used, and is registered too.
        let _taken = std::net::TcpListener::bind(("127.0.0.1", ports[0]))?;
        sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?.0?;
    }
    Ok(())
}

#[tokio::test]
async fn fault_b6_a_public_secret_and_a_second_audience_are_taken() -> Result<()> {
    let secret = Some("public-secret".to_owned());
    let clients = vec![IdpClient { client_secret: secret.clone(), ..IdpClient::new("hub") }];
    let quirks = Quirks { extra_audience: Some("project".to_owned()), ..Quirks::default() };
    let idp = Idp::start(IdpOptions { clients, quirks, ..IdpOptions::default() }).await?;
    let extra_audiences = vec!["project".to_owned()];
    let whole = ProviderConfig { client_secret: secret, extra_audiences, ..config(&idp) };
    let browser = FormBrowser::of(&idp, "ana")?;
    sign_in(&Provider::discover(&whole).await?, &browser, mfa()).await?.0?;
    let lacking = [
        (ProviderConfig { extra_audiences: Vec::new(), ..whole.clone() }, "project"),
        (ProviderConfig { client_secret: None, ..whole.clone() }, "invalid_client"),
    ];
    for (config, word) in lacking {
        let error = sign_in(&Provider::discover(&config).await?, &browser, mfa()).await?.0.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn fault_b4_a_provider_that_never_says_auth_time_is_noticed() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    idp.imitate(&Quirks { claims: json!({ "auth_time": null }), no_iss: true, ..Quirks::default() }).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let browser = FormBrowser::of(&idp, "ana")?;
    assert_eq!(sign_in(&provider, &browser, Ask::default()).await?.0?.claims.auth_time, None);
    let fresh = Ask { max_age: Some(Duration::from_secs(300)), ..Ask::default() };
    let error = sign_in(&provider, &browser, fresh).await?.0.unwrap_err();
    assert!(matches!(&error, Error::Setting { why, .. } if why.contains("auth_time")), "{error}");
    Ok(())
}

#[tokio::test]
async fn fault_b4_every_sign_in_makes_a_provider_say_auth_time() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let param = |url: &url::Url, name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, v)| v.into_owned())
    };
    let attempt = provider.begin(Ask::default()).await?;
    assert_eq!(param(attempt.authorization_url(), "max_age").as_deref(), Some("2592000"));
    Ok(())
}

#[tokio::test]
async fn fault_b7_a_class_the_provider_does_not_list_makes_no_dead_page() -> Result<()> {
    let liar = Liar::start().await?;
    let asked = |provider: Provider| async move {
        let attempt = provider.begin(mfa()).await?;
        let url = attempt.authorization_url().clone();
        anyhow::Ok(url.query_pairs().any(|(key, _)| key == "claims"))
    };
    let found = |listed: serde_json::Value| {
        liar.script().discovery =
            json!({ "claims_parameter_supported": true, "acr_values_supported": listed });
        let config = liar.config();
        async move { Provider::discover(&config).await }
    };
    let wanted = mfa().acr_values;
    let unlisted = found(json!(["0", "1"])).await?;
    assert!(!asked(unlisted).await?, "an essential class nobody knows is a page without a way back");
    let listed = found(json!(wanted)).await?;
    assert!(asked(listed).await?);
    Ok(())
}

#[tokio::test]
async fn fault_b7_a_provider_that_can_not_do_the_class_says_which_was_wanted() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    let unmet = |state: &str, _: &str| vec![format!("error=unmet_authentication_requirements&state={state}")];
    let error = liar.sign_in_with(&provider, mfa(), unmet).await.unwrap_err();
    let wanted_said =
        matches!(&error, Error::MfaTooWeak { claim: "acr", wanted, .. } if *wanted == mfa().acr_values);
    assert!(wanted_said, "{error}");
    Ok(())
}

#[tokio::test]
async fn fault_b7_a_clock_that_is_off_is_named_without_a_date() -> Result<()> {
    let idp = Idp::start(IdpOptions { id_token_seconds: 300, ..IdpOptions::default() }).await?;
    idp.imitate(&Quirks { no_date: true, ..Quirks::default() }).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    // Within the ten minutes that the provider's own pages live, or the browser would drop their cookies.
    for off in [95, -400] {
        idp.set_clock(off).await?;
        let (result, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
        let Err(Error::ClockSkew { by }) = result else { panic!("{off}: {result:?}") };
        assert!((by - off).abs() <= 3, "{by} {off}");
    }
    Ok(())
}

#[tokio::test]
async fn fault_b7_scopes_are_named() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let with = |scope: &str| ProviderConfig { scopes: vec![scope.to_owned()], ..config(&idp) };
    let provider = Provider::discover(&with("teams")).await?;
    assert_eq!(provider.unlisted_scopes(), ["teams"]);
    assert!(Provider::discover(&with("groups")).await?.unlisted_scopes().is_empty());
    // What Keycloak answers to a scope that the client lacks.
    let liar = Liar::start().await?;
    let refused = |state: &str, _: &str| {
        vec![format!("error=invalid_scope&error_description=Invalid+scopes&state={state}")]
    };
    let error = liar.sign_in_with(&Provider::discover(&liar.config()).await?, Ask::default(), refused).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, Error::Setting { why, change } if why.contains("email") && change.contains("assign"))
    );
    Ok(())
}

#[tokio::test]
async fn fault_b5_groups_that_were_left_out_are_noticed() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let elsewhere = json!({ "groups": null, "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": "https://graph.example/groups" } } });
    idp.imitate(&Quirks { claims: elsewhere, ..Quirks::default() }).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let read = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, Ask::default()).await?.0?.claims;
    assert!(read.groups.is_empty() && read.groups_left_out);
    // An API server refuses such a token instead of reading it without groups.
    let said = sallyport_oidc::may_be_refused(&read).join("; ");
    assert!(said.contains("too many") && said.contains("assigned to"), "{said}");
    Ok(())
}

#[tokio::test]
async fn fault_b7_an_unverified_address_is_named_as_what_a_hub_may_refuse() -> Result<()> {
    let mut idp_options = IdpOptions::default();
    idp_options.accounts.push(Account { email_verified: false, ..Account::person("uma", "Uma Lind", &[]) });
    let idp = Idp::start(idp_options).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let why = |sub: &'static str| {
        let (provider, idp) = (provider.clone(), idp.clone());
        async move {
            let signed_in = sign_in(&provider, &FormBrowser::of(&idp, sub)?, Ask::default()).await?.0?;
            anyhow::Ok(sallyport_oidc::may_be_refused(&signed_in.claims))
        }
    };
    assert!(why("ana").await?.is_empty());
    let said = why("uma").await?.join("; ");
    assert!(said.contains("uma@meridian.example") && said.contains("email_verified"), "{said}");
    idp.imitate(&Quirks { claims: json!({ "email_verified": "true" }), ..Quirks::default() }).await?;
    assert!(why("ana").await?.join("; ").contains("email_verified is text"));
    Ok(())
}

#[tokio::test]
async fn fault_b2_a_key_set_with_strangers_and_twins_is_read() -> Result<()> {
    let liar = Liar::start().await?;
    let twin = json!({ "kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB" });
    let stranger = json!({ "kty": "AKP", "alg": "ML-DSA-65", "kid": "two", "pub": "AAAA" });
    liar.script().more_keys = vec![twin, stranger, json!(7)];
    liar.sign_in(&Provider::discover(&liar.config()).await?, Ask::default()).await?;
    Ok(())
}

#[tokio::test]
async fn fault_b7_an_address_that_is_opened_twice_shows_the_same_page_twice() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    // The second must come while the code is redeemed, so that takes longer than a busy machine is late.
    idp.fault(Endpoint::Token, Some(Fault::Delay(3_000))).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let attempt = provider.begin(mfa()).await?;
    let url = attempt.authorization_url().to_string();
    let finishing = tokio::spawn(attempt.finish(Duration::from_secs(20), pending()));
    let back = FormBrowser::of(&idp, "ana")?.callback_url(&url).await?;
    let redirect = format!("http://{}:{}{}", "127.0.0.1", back.port().expect("a port"), back.path());
    let query = back.query().expect("a query").to_owned();
    let (once, twice) = tokio::join!(deliver(&redirect, &query), async {
        while idp.requests(Endpoint::Token).await.expect("the provider counts") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        deliver(&redirect, &query).await
    });
    for page in [once, twice] {
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("Signed in as Ana Ortiz."), "{page}");
    }
    finishing.await??;
    assert_eq!(idp.requests(Endpoint::Token).await?, 1, "the code was redeemed once");
    Ok(())
}

#[tokio::test]
async fn fault_b7_pages_of_html_where_there_should_be_an_answer_are_named() -> Result<()> {
    let liar = Liar::start().await?;
    let provider = Provider::discover(&liar.config()).await?;
    liar.script().token_answer =
        Some("<!doctype html><title>Sign in to the guest network</title>".to_owned());
    let error = liar.sign_in(&provider, Ask::default()).await.unwrap_err().to_string();
    assert!(error.contains("HTML page") && !error.contains("guest"), "{error}");
    // Markup in the answer to the browser is text.
    let attempt = provider.begin(Ask::default()).await?;
    let param = |name: &str| {
        attempt
            .authorization_url()
            .query_pairs()
            .find(|(key, _)| key == name)
            .expect("it is there")
            .1
            .into_owned()
    };
    let (state, redirect) = (param("state"), param("redirect_uri"));
    let finishing = tokio::spawn(attempt.finish(Duration::from_secs(5), pending()));
    let page =
        deliver(&redirect, &format!("error=server_error&error_description=%3Cscript%3E1&state={state}"))
            .await;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(matches!(finishing.await?, Err(Error::Refused { .. })));
    Ok(())
}
