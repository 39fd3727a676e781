//! The provider keeps the rules that the other tests lean on.

use anyhow::Result;

use sallyport_testkit::{
    browser::{FormBrowser, Person},
    idp::{Endpoint, Fault, Idp, IdpOptions},
};

fn ask(idp: &Idp, extra: &str) -> String {
    // The challenge of RFC 7636 appendix B; nothing listens at the redirect.
    format!(
        "{}/auth?client_id={}&response_type=code&redirect_uri={}&scope=openid%20email\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=s&nonce=n{extra}",
        idp.issuer(),
        idp.client_id(),
        idp.redirect().replace("127.0.0.1/", "127.0.0.1:9/")
    )
}

#[tokio::test]
async fn a_one_time_code_is_taken_once() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let code = idp.totp_now("ana").await?;
    let person = || {
        let (account, code) = (idp.account("ana"), code.clone());
        Person::new(&account.email, &account.password, move || {
            let code = code.clone();
            Box::pin(async move { Ok(code) })
        })
    };
    let url = ask(&idp, "&acr_values=urn:sallyport:mfa");
    let back = FormBrowser::new(idp.ca_pem(), person())?.callback_url(&url).await?;
    assert!(back.query_pairs().any(|(key, _)| key == "code"), "{back}");
    let refused = FormBrowser::new(idp.ca_pem(), person())?.callback_url(&url).await.unwrap_err();
    assert!(refused.to_string().contains("used before"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_step_up_asks_for_the_code_alone_and_a_known_browser_is_asked_to_continue() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let browser = FormBrowser::of(&idp, "ana")?;
    browser.callback_url(&ask(&idp, "")).await?;
    // The password would be refused now, so getting through shows that only the code was asked for.
    let mut changed = idp.account("ana").clone();
    changed.password = "another one".to_owned();
    idp.put_account(&changed).await?;
    browser.callback_url(&ask(&idp, "&acr_values=urn:sallyport:mfa")).await?;
    browser.callback_url(&ask(&idp, "&acr_values=urn:sallyport:mfa")).await?;
    let refused = browser.callback_url(&ask(&idp, "&prompt=login")).await.unwrap_err();
    assert!(refused.to_string().contains("do not match"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn it_ends_with_its_last_owner_and_misbehaves_on_order() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let port = url::Url::parse(idp.issuer())?.port().expect("a port");
    idp.fault(Endpoint::Authorization, Some(Fault::Error)).await?;
    let refused = FormBrowser::of(&idp, "ana")?.callback_url(&ask(&idp, "")).await.unwrap_err();
    assert!(format!("{refused:#}").contains("fault asked for by a test"), "{refused:#}");
    assert_eq!(idp.requests(Endpoint::Authorization).await?, 1);
    drop(idp);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "port {port} is still open");
    Ok(())
}
