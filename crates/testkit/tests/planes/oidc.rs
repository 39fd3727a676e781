//! A person signs in at the real identity provider, and the API server knows who they are and how they signed in.

use anyhow::{Context, Result, ensure};
use data_encoding::BASE64URL_NOPAD;
use sallyport_testkit::browser::FormBrowser;
use sallyport_testkit::idp::{ACR_MFA, Idp, IdpOptions};
use sallyport_testkit::{OidcTrust, Plane, PlaneOptions};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::who_am_i;

/// An ID token of `sub` by the code flow with PKCE, spelled out: the product's own sign-in is tested elsewhere.
async fn id_token(idp: &Idp, sub: &str) -> Result<String> {
    let http = reqwest::Client::builder()
        .add_root_certificate(reqwest::Certificate::from_pem(idp.ca_pem().as_bytes())?)
        .timeout(std::time::Duration::from_secs(60))
        .build()?;
    let discovery = format!("{}/.well-known/openid-configuration", idp.issuer());
    let metadata: Value = http.get(discovery).send().await?.json().await?;
    let endpoint =
        |name: &str| metadata[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    let verifier = "a-verifier-that-is-long-enough-for-rfc-7636-43-at-least";
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(verifier));
    let back = idp.redirect();
    let back = back.as_str();
    let mut ask = Url::parse(&endpoint("authorization_endpoint")?)?;
    ask.query_pairs_mut().extend_pairs([
        ("client_id", idp.client_id()),
        ("redirect_uri", back),
        ("response_type", "code"),
        ("scope", "openid email profile groups"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "state"),
        ("nonce", "nonce"),
        ("acr_values", ACR_MFA),
    ]);
    let landed = FormBrowser::of(idp, sub)?.callback_url(ask.as_str()).await?;
    let code = landed
        .query_pairs()
        .find(|(key, _)| key == "code")
        .with_context(|| landed.to_string())?
        .1
        .into_owned();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("client_id", idp.client_id()),
            ("redirect_uri", back),
            ("code", &code),
            ("code_verifier", verifier),
        ])
        .finish();
    let answer: Value = http
        .post(endpoint("token_endpoint")?)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await?
        .json()
        .await?;
    answer["id_token"]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("no ID token: {}", answer["error"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_names_the_user_their_groups_and_their_mfa() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let trust = |audience: &str| OidcTrust {
        issuer: idp.issuer().to_owned(),
        audience: audience.to_owned(),
        ca_pem: idp.ca_pem().to_owned(),
    };
    let (hub, other) = tokio::try_join!(
        Plane::start(PlaneOptions::new("hub").oidc(trust(idp.client_id())).without_controllers()),
        Plane::start(PlaneOptions::new("other-hub").oidc(trust("another-hub")).without_controllers()),
    )?;
    let before = jiff::Timestamp::now().as_second();
    let token = id_token(&idp, "ana").await?;
    let info = who_am_i(hub.client_with_token(&token)?)
        .await?
        .status
        .and_then(|status| status.user_info)
        .context("a user")?;
    let account = idp.account("ana");
    ensure!(info.username == Some(format!("oidc:{}", account.email)), "{info:?}");
    let groups = info.groups.clone().context("groups")?;
    for group in &account.groups {
        ensure!(groups.contains(&format!("oidc:{group}")), "{groups:?} lacks {group}");
    }
    let extra = info.extra.context("extra")?;
    ensure!(extra["access.sallyport.dev/acr"] == [ACR_MFA], "{extra:?}");
    ensure!(extra["access.sallyport.dev/amr"].contains(&"otp".to_owned()), "{extra:?}");
    let auth_time: i64 = extra["access.sallyport.dev/auth-time"][0].parse().context("whole seconds")?;
    ensure!((before - 2..before + 60).contains(&auth_time), "{auth_time} is not about {before}");
    let issued: i64 = extra["access.sallyport.dev/issued-at"][0].parse().context("whole seconds")?;
    ensure!((before - 2..before + 60).contains(&issued), "{issued} is not about {before}");
    // The same token says nothing to a hub that waits for another audience.
    let refused = who_am_i(other.client_with_token(&token)?).await;
    ensure!(
        matches!(&refused, Err(cause) if cause.to_string().contains("401") || format!("{cause:?}").contains("401")),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_address_is_nobody() -> Result<()> {
    let mut options = IdpOptions::default();
    options.accounts[0].email_verified = false;
    let idp = Idp::start(options).await?;
    let trust = OidcTrust {
        issuer: idp.issuer().to_owned(),
        audience: idp.client_id().to_owned(),
        ca_pem: idp.ca_pem().to_owned(),
    };
    let hub = Plane::start(PlaneOptions::new("hub").oidc(trust).without_controllers()).await?;
    let token = id_token(&idp, "ana").await?;
    let refused = who_am_i(hub.client_with_token(&token)?).await;
    ensure!(refused.is_err(), "{refused:?}");
    who_am_i(hub.client_with_token(&id_token(&idp, "ben").await?)?).await?;
    Ok(())
}
