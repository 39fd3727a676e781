//! Signing in against the real provider.

use std::{future::pending, time::Duration};

use anyhow::Result;
use sallyport_oidc::{Ask, Error, Prompt, Provider, ProviderConfig, SignedIn};

use sallyport_testkit::{
    browser::{FormBrowser, Landing},
    idp::{ACR_MFA, Idp, IdpClient, IdpOptions},
};

pub(crate) fn config(idp: &Idp) -> ProviderConfig {
    ProviderConfig {
        scopes: ["email", "profile", "groups", "offline_access"].map(str::to_owned).to_vec(),
        extra_ca_pem: Some(idp.ca_pem().to_owned()),
        timeout: Duration::from_secs(30),
        ..ProviderConfig::of(idp.issuer(), idp.client_id())
    }
}

pub(crate) fn mfa() -> Ask {
    Ask { acr_values: vec![ACR_MFA.to_owned()], amr: vec!["otp".to_owned()], ..Ask::default() }
}

/// One sign-in of the browser's person, and what the browser showed at the end.
pub(crate) async fn sign_in(
    provider: &Provider,
    browser: &FormBrowser,
    ask: Ask,
) -> Result<(Result<SignedIn, Error>, Landing)> {
    let attempt = provider.begin(ask).await?;
    let url = attempt.authorization_url().to_string();
    let finishing = tokio::spawn(attempt.finish(Duration::from_secs(60), pending()));
    let landing = browser.sign_in(&url).await?;
    Ok((finishing.await?, landing))
}

#[tokio::test]
async fn p3_signing_in_with_mfa_yields_verified_claims() -> Result<()> {
    let mut options = IdpOptions::default();
    options.clients.push(IdpClient { id_token_alg: "ES256", ..IdpClient::new("another-hub") });
    let idp = Idp::start(options).await?;
    for client_id in ["sallyport-hub", "another-hub"] {
        let provider =
            Provider::discover(&ProviderConfig { client_id: client_id.to_owned(), ..config(&idp) }).await?;
        let (result, landing) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
        let signed_in = result?;
        let claims = &signed_in.claims;
        assert_eq!((claims.subject.as_str(), claims.issuer.as_str()), ("ana", idp.issuer()));
        assert_eq!((claims.email.as_deref(), claims.email_verified), (Some("ana@meridian.example"), true));
        assert_eq!(claims.groups, ["oncall", "payments"]);
        assert_eq!((claims.acr.as_deref(), claims.amr.join(" ")), (Some(ACR_MFA), "pwd otp".to_owned()));
        let age = jiff::Timestamp::now().as_second() - claims.auth_time.expect("auth_time").as_second();
        assert!((0..10).contains(&age), "{age}");
        assert!(signed_in.refresh_token.is_some());
        assert_eq!(landing.status, 200);
        assert!(landing.body.contains("Signed in as Ana Ortiz."), "{}", landing.body);
        let shown = format!("{signed_in:?}");
        assert!(!shown.contains(signed_in.id_token.expose().as_str()), "p1: {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn p3_a_step_up_in_a_known_browser_gets_the_stronger_class() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let browser = FormBrowser::of(&idp, "ana")?;
    let weak = sign_in(&provider, &browser, Ask::default()).await?.0?;
    assert_eq!(weak.claims.amr, ["pwd"]);
    let strong = sign_in(&provider, &browser, mfa()).await?.0?;
    assert_eq!(strong.claims.acr.as_deref(), Some(ACR_MFA));
    let again = Ask { max_age: Some(Duration::from_secs(600)), prompt: Some(Prompt::Login), ..mfa() };
    let fresh = sign_in(&provider, &browser, again).await?.0?;
    assert!(fresh.claims.auth_time >= strong.claims.auth_time);
    Ok(())
}

#[tokio::test]
async fn p3_a_provider_that_ignores_the_class_asked_for_is_noticed() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    idp.weaken_acr(true).await?;
    let (result, landing) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    let Err(Error::MfaTooWeak { wanted, got, .. }) = result else { panic!("{result:?}") };
    assert_eq!(
        (wanted.as_slice(), got.as_slice()),
        (&[ACR_MFA.to_owned()][..], &["urn:sallyport:pwd".to_owned()][..])
    );
    assert_eq!(landing.status, 400);
    assert!(landing.body.contains("A stronger sign-in is needed"), "{}", landing.body);
    Ok(())
}

#[tokio::test]
async fn p3_rotated_signing_keys_are_found() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let browser = FormBrowser::of(&idp, "ana")?;
    sign_in(&provider, &browser, mfa()).await?.0?;
    idp.rotate_keys(false).await?;
    sign_in(&provider, &browser, mfa()).await?.0?;
    assert_eq!(idp.requests(sallyport_testkit::idp::Endpoint::Jwks).await?, 2);
    Ok(())
}

#[tokio::test]
async fn p3_a_clock_that_is_off_is_refused_and_the_difference_named() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    for (off, word) in [(95, "behind"), (-95, "ahead of")] {
        idp.set_clock(off).await?;
        let (result, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
        let Err(Error::ClockSkew { by }) = result else { panic!("{off}: {result:?}") };
        // As many seconds as lie between the provider's word and the look at it count as well.
        assert!((by - off).abs() <= 20, "{by} {off}");
        let sentence = Error::ClockSkew { by }.to_string();
        assert!(sentence.contains(word) && sentence.contains(&by.unsigned_abs().to_string()), "{sentence}");
    }
    idp.set_clock(40).await?;
    sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?.0?;
    Ok(())
}

#[tokio::test]
async fn a_person_who_declines_is_told_apart_from_a_failure() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let attempt = provider.begin(mfa()).await?;
    let url = attempt.authorization_url().to_string();
    let finishing = tokio::spawn(attempt.finish(Duration::from_secs(60), pending()));
    let landing = FormBrowser::of(&idp, "ana")?.decline(&url).await?;
    let result = finishing.await?;
    assert!(matches!(&result, Err(Error::Denied { why }) if why.contains("cancelled")), "{result:?}");
    assert_eq!(landing.status, 400);
    Ok(())
}

#[tokio::test]
async fn p3_the_loopback_port_is_closed_after_an_answer_a_deadline_and_a_cancel() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let port = |url: &url::Url| {
        let redirect = url.query_pairs().find(|(key, _)| key == "redirect_uri").expect("a redirect").1;
        url::Url::parse(&redirect).expect("a URL").port().expect("a port")
    };
    let closed = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_err();

    let attempt = provider.begin(mfa()).await?;
    let at = port(attempt.authorization_url());
    assert!(!closed(at));
    let late = attempt.finish(Duration::from_millis(50), pending()).await;
    assert!(matches!(late, Err(Error::Timeout { .. })) && closed(at), "{late:?}");

    let attempt = provider.begin(mfa()).await?;
    let at = port(attempt.authorization_url());
    let cancelled = attempt.finish(Duration::from_secs(20), std::future::ready(())).await;
    assert!(matches!(cancelled, Err(Error::Cancelled)) && closed(at), "{cancelled:?}");

    let attempt = provider.begin(mfa()).await?;
    let at = port(attempt.authorization_url());
    let url = attempt.authorization_url().to_string();
    let finishing = tokio::spawn(attempt.finish(Duration::from_secs(60), pending()));
    FormBrowser::of(&idp, "ana")?.sign_in(&url).await?;
    finishing.await??;
    assert!(closed(at));
    Ok(())
}
