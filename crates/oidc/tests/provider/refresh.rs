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
use sallyport_oidc::{Ask, Drift, Error, Persist, Prompt, Provider, ProviderConfig, SignedOut, TokenSource};

use crate::{
    liar::Liar,
    sign_in::{config, mfa, sign_in},
};
use sallyport_testkit::{
    browser::FormBrowser,
    idp::{Endpoint, Fault, Idp, IdpOptions, Quirks},
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

/// What became of every refresh token, in the order of their making.
async fn fates(idp: &Idp) -> Result<Vec<String>> {
    Ok(idp.refresh_tokens().await?.into_iter().map(|token| token.state).collect())
}

/// Waits for what the provider is told on the side.
async fn until_fates(idp: &Idp, wanted: &[&str]) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = fates(idp).await?;
        if now == wanted {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "{now:?} and not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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

/// With a provider that answers, so that a slow machine fails no test.
async fn signed_in(due: Due, persist: Persist) -> Result<(Idp, Provider, TokenSource)> {
    signed_in_within(Duration::from_secs(30), due, persist).await
}

/// With a deadline of this for each answer, for those who wait for it.
async fn signed_in_within(
    timeout: Duration,
    due: Due,
    persist: Persist,
) -> Result<(Idp, Provider, TokenSource)> {
    let run_out = matches!(due, Due::RunOut);
    let idp =
        Idp::start(IdpOptions { id_token_seconds: if run_out { 1 } else { 3600 }, ..IdpOptions::default() });
    let idp = idp.await?;
    let config = ProviderConfig { timeout, ..config(&idp) };
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
        Some(sallyport_testkit::idp::ACR_MFA),
        "as at the sign-in"
    );
    Ok(())
}

#[tokio::test]
async fn p4_fifty_callers_share_one_failure() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, _, source) = signed_in_within(Duration::from_secs(3), Due::RunOut, persist).await?;
    idp.fault(Endpoint::Token, Some(Fault::Hang)).await?;
    let asked = Instant::now();
    let callers = (0..50).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { source.id_token().await })
    });
    for result in futures::future::try_join_all(callers).await? {
        assert!(matches!(result, Err(Error::Timeout { .. })), "{result:?}");
    }
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
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
    // Far longer than the caller waits, also where both are looked at late.
    idp.fault(Endpoint::Token, Some(Fault::Delay(3000))).await?;
    let impatient = tokio::time::timeout(Duration::from_millis(50), source.id_token()).await;
    assert!(impatient.is_err());
    let begun = Instant::now();
    while stored.lock().unwrap().len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the renewal did not go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
    let (idp, _, source) = signed_in_within(Duration::from_secs(3), Due::Later, persist).await?;
    idp.fault(Endpoint::Revocation, Some(Fault::Hang)).await?;
    let asked = Instant::now();
    let refused = source.sign_out().await;
    assert!(matches!(refused, Err(Error::Timeout { .. })), "{refused:?}");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
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
    let live = fates(&idp).await?.iter().filter(|fate| *fate == "live").count();
    assert_eq!(live, 1, "ana's alone: nobody goes on with what ben's sign-in brought");
    assert_eq!(source.claims().expect("claims").subject, "ana");
    let (again, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    let again = again?;
    let token = again.id_token.clone();
    source.replace(again).await?;
    assert_eq!(source.id_token().await?.expose(), token.expose());
    assert_eq!(stored.lock().unwrap().len(), 2);
    Ok(())
}

#[tokio::test]
async fn fault_b0_p4_a_step_up_does_not_revoke_the_session_it_shares() -> Result<()> {
    let (stored, persist) = recorder();
    let idp = Idp::start(IdpOptions::default()).await?;
    idp.imitate(&Quirks { revoke_by_session: true, ..Quirks::default() }).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    // One browser, one session of the provider: as everybody's step-up goes.
    let browser = FormBrowser::of(&idp, "ana")?;
    let first = sign_in(&provider, &browser, Ask::default()).await?.0?;
    assert!(first.claims.session.is_some());
    let source = TokenSource::open(provider.clone(), first, persist.clone()).await;
    let second = sign_in(&provider, &browser, mfa()).await?.0?;
    assert_eq!(second.claims.session, source.claims().expect("claims").session);
    source.replace(second).await?;
    // A step-up that failed is not revoked either: its session is ours.
    idp.weaken_acr(true).await?;
    assert!(sign_in(&provider, &browser, Ask { prompt: Some(Prompt::Login), ..mfa() }).await?.0.is_err());
    idp.weaken_acr(false).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(fates(&idp).await?.iter().all(|fate| fate == "live"), "{:?}", fates(&idp).await?);
    source.renew_before(Duration::from_secs(7200));
    source.id_token().await?;
    assert!(fates(&idp).await?.contains(&"rotated".to_owned()), "it was renewed");
    // A restart does not forget what there is to revoke.
    let kept = last(&stored).expect("kept");
    let source = TokenSource::resume(provider, &kept, persist)?;
    assert_eq!(source.sign_out().await?, SignedOut::Revoked);
    assert!(fates(&idp).await?.iter().all(|fate| fate == "revoked" || fate == "rotated"));
    Ok(())
}

#[tokio::test]
async fn fault_b0_without_a_session_id_the_older_token_is_revoked_at_sign_out() -> Result<()> {
    let (_, persist) = recorder();
    let idp = Idp::start(IdpOptions::default()).await?;
    idp.imitate(&Quirks { no_session_id: true, ..Quirks::default() }).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let browser = FormBrowser::of(&idp, "ana")?;
    let source =
        TokenSource::open(provider.clone(), sign_in(&provider, &browser, Ask::default()).await?.0?, persist)
            .await;
    source.replace(sign_in(&provider, &browser, mfa()).await?.0?).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(fates(&idp).await?, ["live", "live"], "it may be the same session");
    source.sign_out().await?;
    until_fates(&idp, &["revoked", "revoked"]).await
}

#[tokio::test]
async fn fault_b0_a_sign_out_says_so_when_an_earlier_token_may_still_work() -> Result<()> {
    let liar = Liar::start().await?;
    let provider =
        Provider::discover(&ProviderConfig { timeout: Duration::from_secs(10), ..liar.config() }).await?;
    let next = async |name: &str| {
        liar.script().refresh_token = name.to_owned();
        liar.sign_in(&provider, Ask::default()).await
    };
    let two = async || {
        let source = TokenSource::open(provider.clone(), next("first").await?, recorder().1).await;
        source.replace(next("second").await?).await?;
        anyhow::Ok(source)
    };
    liar.script().stuck = Some("first");
    let refused = two().await?.sign_out().await.expect_err("the first may still work");
    assert!(matches!(refused, Error::EarlierSignIn { .. }), "{refused}");
    liar.script().stuck = None;
    assert_eq!(two().await?.sign_out().await?, SignedOut::Revoked);
    Ok(())
}

#[tokio::test]
async fn fault_b0_a_replaced_token_that_could_not_be_revoked_is_revoked_at_sign_out() -> Result<()> {
    let (stored, persist) = recorder();
    let liar = Liar::start().await?;
    let provider =
        Provider::discover(&ProviderConfig { timeout: Duration::from_secs(10), ..liar.config() }).await?;
    let next = async |name: &str| {
        liar.script().refresh_token = name.to_owned();
        liar.script().claims = serde_json::json!({ "sid": name });
        liar.sign_in(&provider, Ask::default()).await
    };
    let source = TokenSource::open(provider.clone(), next("first").await?, persist).await;
    liar.script().stuck = Some("first");
    // Another session, so the older token goes at once; the provider is out of order just then.
    source.replace(next("second").await?).await?;
    for _ in 0..3000 {
        if last(&stored).is_some_and(|kept| kept.expose().contains("first")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(last(&stored).is_some_and(|kept| kept.expose().contains("first")), "a restart would forget it");
    liar.script().stuck = None;
    assert_eq!(source.sign_out().await?, SignedOut::Revoked);
    assert_eq!(liar.to_revoke().iter().filter(|token| *token == "first").count(), 2, "once in vain");
    Ok(())
}

#[tokio::test]
async fn fault_b0_a_step_up_in_the_session_that_a_renewal_named_does_not_revoke_it() -> Result<()> {
    let liar = Liar::start().await?;
    let provider =
        Provider::discover(&ProviderConfig { timeout: Duration::from_secs(10), ..liar.config() }).await?;
    let say = |refresh_token: &str, sid: &str| {
        liar.script().refresh_token = refresh_token.to_owned();
        liar.script().claims = serde_json::json!({ "sid": sid });
    };
    say("first", "one");
    let first = liar.sign_in(&provider, Ask::default()).await?;
    let source = TokenSource::open(provider.clone(), first, recorder().1).await;
    source.renew_before(Duration::from_secs(7200));
    say("renewed", "two");
    source.id_token().await?;
    say("second", "two");
    source.replace(liar.sign_in(&provider, Ask::default()).await?).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(liar.to_revoke(), Vec::<String>::new(), "it is the session of the step-up too");
    Ok(())
}

#[tokio::test]
async fn fault_b0_no_superseded_token_is_forgotten_however_many_step_ups() -> Result<()> {
    let liar = Liar::start().await?;
    let provider =
        Provider::discover(&ProviderConfig { timeout: Duration::from_secs(10), ..liar.config() }).await?;
    let next = async |name: String| {
        liar.script().refresh_token = name;
        liar.sign_in(&provider, Ask::default()).await
    };
    let source = TokenSource::open(provider.clone(), next("r0".to_owned()).await?, recorder().1).await;
    for n in 1..40 {
        source.replace(next(format!("r{n}")).await?).await?;
    }
    source.sign_out().await?;
    let all = || liar.to_revoke().into_iter().collect::<std::collections::BTreeSet<_>>().len();
    for _ in 0..3000 {
        if all() == 40 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("{} of 40 were revoked: {:?}", all(), liar.to_revoke())
}

#[tokio::test]
async fn fault_b0_an_older_session_of_another_browser_is_revoked_at_once() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, provider, source) = signed_in(Due::Later, persist).await?;
    let (again, _) = sign_in(&provider, &FormBrowser::of(&idp, "ana")?, mfa()).await?;
    source.replace(again?).await?;
    until_fates(&idp, &["revoked", "live"]).await
}

#[tokio::test]
async fn fault_b7_another_person_at_a_step_up_is_named_by_name_and_address() -> Result<()> {
    let (_, persist) = recorder();
    let (idp, provider, source) = signed_in(Due::Later, persist).await?;
    let (other, _) = sign_in(&provider, &FormBrowser::of(&idp, "ben")?, mfa()).await?;
    let said = source.replace(other?).await.unwrap_err().to_string();
    for name in ["Ana Ortiz <ana@meridian.example>", "Ben Mattsson <ben@meridian.example>"] {
        assert!(said.contains(name), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn fault_b7_a_renewal_that_lowers_the_class_or_moves_the_time_is_seen() -> Result<()> {
    let (_, persist) = recorder();
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let browser = FormBrowser::of(&idp, "ana")?;
    let source =
        TokenSource::open(provider.clone(), sign_in(&provider, &browser, mfa()).await?.0?, persist).await;
    source.renew_before(Duration::from_secs(7200));
    source.id_token().await?;
    assert_eq!(source.drift(), Drift::default(), "nothing changed");
    let later = jiff::Timestamp::now().as_second() + 30;
    let claims_on_refresh = serde_json::json!({ "acr": "1", "auth_time": later });
    idp.imitate(&Quirks { claims_on_refresh, ..Quirks::default() }).await?;
    for _ in 0..2 {
        source.id_token().await?;
        let drift = source.drift();
        let lowered = (sallyport_testkit::idp::ACR_MFA.to_owned(), Some("1".to_owned()));
        assert_eq!((drift.acr, drift.auth_time_moved), (Some(lowered), true));
    }
    // As Keycloak does it: a sign-in of the same client with the password alone, in the same browser.
    idp.imitate(&Quirks { acr_by_session: true, ..Quirks::default() }).await?;
    source.id_token().await?;
    assert_eq!(source.drift().acr, None, "as at the sign-in again");
    Ok(())
}
