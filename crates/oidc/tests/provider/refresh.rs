//! Keeping a sign-in alive, and ending it, against the real provider.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use sallyport_model::Secret;
use sallyport_oidc::{Error, Persist, Provider, ProviderConfig, SignedOut, TokenSource};

use crate::{
    browser::FormBrowser,
    idp::{Endpoint, Fault, Idp, IdpOptions},
    sign_in::{config, mfa, sign_in},
};

/// What was stored, in order; `None` is "forget".
type Stored = Arc<Mutex<Vec<Option<Secret<String>>>>>;

fn recorder() -> (Stored, Persist) {
    let stored = Stored::default();
    let record = Arc::clone(&stored);
    let persist: Persist = Arc::new(move |kept| {
        record.lock().unwrap().push(kept);
        Box::pin(async { Ok(()) })
    });
    (stored, persist)
}

fn last(stored: &Stored) -> Option<Secret<String>> {
    stored.lock().unwrap().last().expect("something was stored").clone()
}

/// When a token is due for renewal.
enum Due {
    /// When its hour is nearly over.
    Later,
    /// At once, though it is valid for an hour.
    Now,
    /// It has run out already; those that follow are good for an hour.
    RunOut,
}

async fn signed_in(due: Due, persist: Persist) -> Result<(Idp, Provider, TokenSource)> {
    let run_out = matches!(due, Due::RunOut);
    let idp =
        Idp::start(IdpOptions { id_token_seconds: if run_out { 1 } else { 3600 }, ..IdpOptions::default() });
    let idp = idp.await?;
    let config = ProviderConfig { timeout: Duration::from_secs(1), ..config(&idp) };
    let provider = Provider::discover(&config).await?;
    let (result, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    let source = TokenSource::open(provider.clone(), result?, persist).await;
    if matches!(due, Due::Now) {
        source.renew_before(Duration::from_secs(7200));
    }
    if run_out {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        idp.set_id_token_seconds(3600).await?;
    }
    Ok((idp, provider, source))
}

#[tokio::test]
async fn p4_fifty_callers_make_one_token_request() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    idp.fault(Endpoint::Token, Some(Fault::Delay(100))).await?;
    let callers = (0..50).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { source.id_token().await })
    });
    let tokens: Vec<_> =
        futures::future::try_join_all(callers).await?.into_iter().collect::<Result<_, _>>()?;
    assert!(tokens.iter().all(|token| token.expose() == tokens[0].expose()));
    assert_eq!(idp.requests(Endpoint::Token).await?, 2);
    assert_eq!(
        source.claims().expect("claims").acr.as_deref(),
        Some(crate::idp::ACR_MFA),
        "as at the sign-in"
    );
    Ok(())
}

#[tokio::test]
async fn p4_fifty_callers_share_one_failure() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    idp.fault(Endpoint::Token, Some(Fault::Hang)).await?;
    let asked = Instant::now();
    let callers = (0..50).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { source.id_token().await })
    });
    for result in futures::future::try_join_all(callers).await? {
        assert!(matches!(result, Err(Error::Timeout { .. })), "{result:?}");
    }
    assert!(asked.elapsed() < Duration::from_millis(3000), "{:?}", asked.elapsed());
    assert_eq!(idp.requests(Endpoint::Token).await?, 2);
    idp.fault(Endpoint::Token, None).await?;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    source.id_token().await?;
    Ok(())
}

#[tokio::test]
async fn p4_a_provider_that_is_down_matters_only_when_the_token_has_run_out() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, _, source) = signed_in(Due::Now, persist).await?;
    idp.fault(Endpoint::Token, Some(Fault::Error)).await?;
    source.id_token().await?;
    assert_eq!(idp.requests(Endpoint::Token).await?, 2, "it was tried");
    let (_, persist) = recorder();
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    idp.fault(Endpoint::Token, Some(Fault::Error)).await?;
    let refused = source.id_token().await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn p4_the_rotated_refresh_token_is_stored_before_its_id_token_is_used() -> Result<()> {
    let (stored, persist) = recorder();
    let slow = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicBool::new(false));
    let (gate, finished, inner) = (Arc::clone(&slow), Arc::clone(&done), persist);
    let persist: Persist = Arc::new(move |kept| {
        let (gate, finished, storing) = (Arc::clone(&gate), Arc::clone(&finished), inner(kept));
        Box::pin(async move {
            if gate.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(300)).await;
                finished.store(true, Ordering::SeqCst);
            }
            storing.await
        })
    });
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    assert!(source.kept());
    let first = last(&stored).expect("kept");
    slow.store(true, Ordering::SeqCst);
    source.id_token().await?;
    assert!(done.load(Ordering::SeqCst), "the token came before the refresh token was stored");
    assert_ne!(last(&stored).expect("kept").expose(), first.expose());
    let states: Vec<_> = idp.refresh_tokens().await?.into_iter().map(|token| token.state).collect();
    assert_eq!(states, ["rotated", "live"]);
    Ok(())
}

#[tokio::test]
async fn p4_a_caller_that_stops_waiting_does_not_lose_the_refresh_token() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    idp.fault(Endpoint::Token, Some(Fault::Delay(300))).await?;
    let impatient = tokio::time::timeout(Duration::from_millis(50), source.id_token()).await;
    assert!(impatient.is_err());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(stored.lock().unwrap().len(), 2, "the renewal went on");
    source.id_token().await?;
    assert_eq!(idp.requests(Endpoint::Token).await?, 2);
    Ok(())
}

#[tokio::test]
async fn p4_a_renewal_without_an_id_token_asks_to_sign_in_again_once_and_for_all() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    idp.omit_id_token(true).await?;
    for _ in 0..3 {
        let refused = source.id_token().await;
        assert!(
            matches!(&refused, Err(Error::SignInAgain { why }) if why.contains("ID token")),
            "{refused:?}"
        );
    }
    assert_eq!(idp.requests(Endpoint::Token).await?, 2);
    assert!(last(&stored).is_none(), "nothing worth keeping is kept");
    Ok(())
}

#[tokio::test]
async fn p4_signing_out_revokes_at_the_provider_and_forgets_here() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, provider, source) = signed_in(Due::Later, persist.clone()).await?;
    let kept = last(&stored).expect("kept");
    assert_eq!(source.sign_out().await?, SignedOut::Revoked);
    assert!(last(&stored).is_none());
    let fates = idp.refresh_tokens().await?;
    assert_eq!(fates.iter().map(|fate| fate.state.as_str()).collect::<Vec<_>>(), ["revoked"]);
    assert!(matches!(source.id_token().await, Err(Error::SignInAgain { .. })));
    assert_eq!(source.sign_out().await?, SignedOut::NothingToRevoke);
    // A copy of what was stored is worth nothing now.
    let stolen = TokenSource::resume(provider, &kept, persist)?;
    assert!(matches!(stolen.id_token().await, Err(Error::SignInAgain { .. })));
    Ok(())
}

#[tokio::test]
async fn p4_a_sign_in_page_that_was_still_open_does_not_undo_a_sign_out() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, provider, source) = signed_in(Due::Later, persist).await?;
    let (late, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    source.sign_out().await?;
    let refused = source.replace(late?).await;
    assert!(matches!(refused, Err(Error::SignInAgain { .. })), "{refused:?}");
    assert!(last(&stored).is_none());
    assert!(idp.refresh_tokens().await?.iter().all(|fate| fate.state == "revoked"));
    Ok(())
}

#[tokio::test]
async fn p4_signing_out_with_the_provider_hanging_ends_in_time_and_still_forgets() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, _, source) = signed_in(Due::Later, persist).await?;
    idp.fault(Endpoint::Revocation, Some(Fault::Hang)).await?;
    let asked = Instant::now();
    let refused = source.sign_out().await;
    assert!(matches!(refused, Err(Error::Timeout { .. })), "{refused:?}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(last(&stored).is_none());
    assert!(matches!(source.id_token().await, Err(Error::SignInAgain { .. })));
    Ok(())
}

#[tokio::test]
async fn p4_a_sign_in_goes_on_after_a_restart_and_a_used_token_ends_it() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, provider, source) = signed_in(Due::Later, persist.clone()).await?;
    drop(source);
    let kept = last(&stored).expect("kept");
    let second = TokenSource::resume(provider.clone(), &kept, persist.clone())?;
    assert!(second.claims().is_none());
    second.id_token().await?;
    assert_eq!(second.claims().expect("claims").subject, "ana");
    // A second process with the old copy: the provider takes it for theft and ends the whole sign-in.
    let copy = TokenSource::resume(provider.clone(), &kept, persist.clone())?;
    assert!(matches!(copy.id_token().await, Err(Error::SignInAgain { .. })));
    assert!(idp.refresh_tokens().await?.iter().all(|fate| fate.state == "revoked"));
    let noise = TokenSource::resume(provider, &Secret::new("noise".to_owned()), persist);
    assert!(matches!(noise, Err(Error::SignInAgain { .. })));
    Ok(())
}

#[tokio::test]
async fn p4_a_person_who_was_removed_can_not_renew() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, _, source) = signed_in(Due::RunOut, persist).await?;
    let mut gone = idp.account("ana").clone();
    gone.disabled = true;
    idp.put_account(&gone).await?;
    assert!(matches!(source.id_token().await, Err(Error::SignInAgain { .. })));
    Ok(())
}

#[tokio::test]
async fn p4_a_step_up_replaces_the_tokens_of_the_same_person_only() -> Result<()> {
    let (stored, persist) = recorder();
    let (idp, provider, source) = signed_in(Due::Later, persist).await?;
    let (other, _) = sign_in(&provider, &FormBrowser::of(&idp, "ben")?, mfa()).await?;
    let refused = source.replace(other?).await;
    assert!(matches!(refused, Err(Error::OtherPerson { .. })), "{refused:?}");
    assert_eq!(source.claims().expect("claims").subject, "ana");
    let (again, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    let again = again?;
    let token = again.id_token.clone();
    source.replace(again).await?;
    assert_eq!(source.id_token().await?.expose(), token.expose());
    assert_eq!(stored.lock().unwrap().len(), 2);
    let deadline = Instant::now() + Duration::from_secs(2);
    while idp.refresh_tokens().await?[0].state != "revoked" {
        assert!(Instant::now() < deadline, "the replaced refresh token is still good");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
