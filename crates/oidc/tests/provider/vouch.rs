//! The provider asked for its word, against the real one.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use sallyport_oidc::{Drift, Error, Persist, Provider, TokenSource};
use sallyport_testkit::{
    browser::FormBrowser,
    idp::{Account, Endpoint, Fault, Idp, IdpOptions, Quirks},
};
use serde_json::json;

use crate::sign_in::{config, mfa, sign_in};

async fn signed_in() -> Result<(Idp, TokenSource)> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let (result, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    let nowhere: Persist = Arc::new(|_| Box::pin(async { Ok(()) }));
    let source = TokenSource::open(provider, result?, nowhere).await;
    // A token's time has seconds: the next one is later than this.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    Ok((idp, source))
}

#[tokio::test]
async fn p4_its_word_is_newer_however_good_the_token_is_and_many_who_ask_make_one_request() -> Result<()> {
    let (idp, source) = signed_in().await?;
    let before = source.claims().expect("signed in").issued_at;
    let mut renewals = source.renewals();
    idp.fault(Endpoint::Token, Some(Fault::Delay(100))).await?;
    let asked = (0..20).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { source.vouch().await })
    });
    for said in futures::future::try_join_all(asked).await? {
        assert!(said?.issued_at > before);
    }
    assert_eq!(idp.requests(Endpoint::Token).await?, 2, "the sign-in's and one more");
    assert!(renewals.has_changed()? && *renewals.borrow_and_update() == 1);
    assert_eq!(source.drift(), Drift::default());
    Ok(())
}

#[tokio::test]
async fn p4_what_a_provider_cannot_say_ends_no_sign_in_and_is_known() -> Result<()> {
    let (idp, source) = signed_in().await?;
    idp.omit_id_token(true).await?;
    let said = source.vouch().await;
    assert!(
        matches!(&said, Err(Error::Setting { why, .. }) if why.contains("without an ID token")),
        "{said:?}"
    );
    assert!(source.drift().no_id_token && source.over().is_none());
    source.id_token().await.expect("the one at hand is good until it runs out");
    idp.omit_id_token(false).await?;
    source.vouch().await?;
    assert_eq!(source.drift(), Drift::default(), "it can by now");
    let silent = Quirks { claims_on_refresh: json!({"groups": null}), ..Quirks::default() };
    idp.imitate(&silent).await?;
    assert!(source.vouch().await?.groups.is_empty() && source.drift().no_groups);
    idp.imitate(&Quirks::default()).await?;
    source.vouch().await?;
    assert_eq!(source.drift(), Drift::default());
    Ok(())
}

#[tokio::test]
async fn p4_who_is_away_is_asked_again_and_who_is_disabled_is_vouched_for_by_nobody() -> Result<()> {
    let (idp, source) = signed_in().await?;
    idp.fault(Endpoint::Token, Some(Fault::Error)).await?;
    let said = source.vouch().await;
    assert!(matches!(&said, Err(Error::Refused { .. })) && source.over().is_none(), "{said:?}");
    idp.fault(Endpoint::Token, None).await?;
    source.vouch().await?;
    idp.put_account(&Account { groups: vec!["oncall".into()], ..idp.account("ana").clone() }).await?;
    assert_eq!(source.vouch().await?.groups, ["oncall"], "the groups of now");
    idp.put_account(&Account { disabled: true, ..idp.account("ana").clone() }).await?;
    for _ in 0..2 {
        assert!(matches!(source.vouch().await, Err(Error::SignInAgain { .. })));
    }
    assert!(source.over().is_some());
    assert_eq!(idp.requests(Endpoint::Token).await?, 5, "one that is over is not asked about again");
    Ok(())
}
