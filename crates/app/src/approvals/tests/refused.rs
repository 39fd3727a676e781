//! The hub has the last word, and what it says is told: also when it says nothing in the middle of it.

use super::hub::Said;
use super::world::{World, digest_of, open, waits};
use crate::person::tests::until;
use sallyport_client::Fault;
use sallyport_hub::{Change, Gone, Refused, StepUp};
use sallyport_ipc::{Decide, EndTold, ErrorCode};
use std::sync::atomic::Ordering;

fn forbidden(message: &str) -> Option<Refused> {
    Some(Refused::Forbidden { message: message.to_owned() })
}

#[tokio::test(start_paused = true)]
async fn the_hubs_no_is_told_in_its_words_and_is_no_entry() {
    let world = World::lee(vec![waits("r", &["get"]), open("o")]).await;
    assert_eq!(world.one("r").await.decide, Decide::Yes, "it was theirs when it was read");
    world.hub.refuses(forbidden("lee may not approve under debug"));
    let answers = [
        world.approve("r", &digest_of(&["get"]), None).await,
        world.approvals.deny("r".into(), None).await,
        world.approvals.revoke("o".into(), "stolen".into()).await.map(drop),
    ];
    for answer in answers {
        let view = answer.unwrap_err().view();
        assert_eq!(
            (view.code, view.message.as_str()),
            (ErrorCode::Forbidden, "lee may not approve under debug")
        );
        let hint = view.hint.unwrap();
        assert!(hint.as_str().starts_with("Nothing was changed.") && !view.retry, "{hint:?}");
    }
    assert!(world.decided().await.is_empty(), "what was not done is not said to be");
    assert!(world.one("r").await.approvals.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stronger_sign_in_is_wanted_with_what_it_must_be_like_and_the_same_key_works_after_it() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    *world.hub.auth_time.lock().unwrap() = Some(1_795_000_000);
    let wanted = StepUp {
        acr: vec!["urn:mfa".into()],
        amr: Vec::new(),
        max_age: Some(900),
        message: "debug wants MFA of its approvers".into(),
    };
    world.hub.refuses(Some(Refused::StepUp(wanted)));
    let view = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err().view();
    assert_eq!(view.code, ErrorCode::StepUpNeeded);
    let step = view.step_up.unwrap();
    assert_eq!((step.acr, step.max_age_seconds), (vec!["urn:mfa".to_owned()], Some(900)));
    assert!(world.decided().await.is_empty());
    // They did: what is written carries when they did, not what was known before.
    *world.hub.auth_time.lock().unwrap() = Some(1_795_000_900);
    world.hub.refuses(None);
    world.approve("r", &digest_of(&["get"]), None).await.unwrap();
    assert_eq!(world.hub.written()[0].auth_time, Some(1_795_000_900));
    assert_eq!(world.decided().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_away_before_the_write_took_nothing_and_can_be_asked_again() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    let away = Fault::Unreachable("cut".into());
    world.hub.answers("whoami", Some(away));
    let error = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert!(error.code() == ErrorCode::Unreachable && error.view().retry, "{error}");
    assert_eq!(world.hub.came.load(Ordering::Relaxed), 0, "without knowing who one is nothing is written");
    world.hub.answers("whoami", Some(Fault::Unauthorized));
    let error = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert!(error.code() == ErrorCode::SignInNeeded && !error.view().retry, "{error}");
    world.hub.answers("whoami", None);
    world.approve("r", &digest_of(&["get"]), None).await.unwrap();
    assert_eq!(world.decided().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_goes_away_under_the_write_is_told_and_no_entry_says_that_it_was_taken() {
    let world = World::lee(vec![waits("r", &["get"]), open("o")]).await;
    let gate = world.hub.writes.lock().await;
    let pressed = world.approving("r", &digest_of(&["get"]));
    until("it was written", || world.hub.came.load(Ordering::Relaxed) > 0).await;
    world.hub.refuses(Some(Refused::Fault(Fault::TimedOut)));
    drop(gate);
    let error = World::done(pressed).await.unwrap_err();
    assert!(error.code() == ErrorCode::Unreachable && error.view().retry, "{error}");
    assert!(world.decided().await.is_empty() && world.hub.written().is_empty());
    let told = world.approvals.revoke("o".into(), "stolen".into()).await.unwrap();
    assert_eq!(told, EndTold::NotYet, "an end that nobody has heard of is not passed off as one");
    assert_eq!((world.one("o").await.ended, world.hub.written().len()), (None, 0));
    world.hub.refuses(None);
    assert_eq!(world.approvals.revoke("o".into(), "stolen".into()).await.unwrap(), EndTold::Told);
    assert_eq!(world.hub.written()[0].said, Said::Ended("stolen".into()));
}

#[tokio::test(start_paused = true)]
async fn who_is_disabled_at_the_provider_before_their_yes_says_none() {
    let world = World::lee(vec![waits("r", &["get"]), open("o")]).await;
    assert_eq!(world.one("r").await.decide, Decide::Yes);
    // The next renewal is refused; the list on the screen is what it was.
    let signed = world.desk.sits().unwrap();
    world
        .desk
        .provider
        .gives(Err(sallyport_oidc::Error::SignInAgain { why: "the account is disabled".into() }));
    signed.tokens.vouch().await.unwrap_err();
    let answers = [
        world.approve("r", &digest_of(&["get"]), None).await,
        world.approvals.deny("r".into(), None).await,
        world.approvals.revoke("o".into(), "stolen".into()).await.map(drop),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(error.code() == ErrorCode::SignInNeeded && !error.view().retry, "{error}");
        assert!(error.chain().contains("the account is disabled"), "{}", error.chain());
    }
    assert_eq!(world.hub.came.load(Ordering::Relaxed), 0, "nothing was written in their name");
    assert!(world.decided().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_can_not_be_decided_on_and_nobody_is_asked() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    let gone = Gone { namespace: super::world::TEAM.into(), name: "r".into(), uid: "r".into() };
    world.tell(Change::Left(gone)).await;
    let error = world.approve("r", &digest_of(&["get"]), None).await.unwrap_err();
    assert!(error.to_string().contains("is not open any more"), "{error}");
    // One that took its name is another.
    let mut other = waits("r2", &["get"]);
    other.metadata.name = Some("r".into());
    world.tell(Change::Put(other)).await;
    assert_eq!(world.approvals.deny("r".into(), None).await.unwrap_err().code(), ErrorCode::BadInput);
    assert_eq!(world.hub.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn who_signed_out_decides_nothing() {
    let world = World::lee(vec![waits("r", &["get"]), open("o")]).await;
    world.leave().await;
    let answers = [
        world.approve("r", &digest_of(&["get"]), None).await,
        world.approvals.deny("r".into(), None).await,
        world.approvals.revoke("o".into(), "stolen".into()).await.map(drop),
    ];
    for answer in answers {
        assert_eq!(answer.unwrap_err().code(), ErrorCode::SignInNeeded);
    }
    assert_eq!(world.hub.asked.load(Ordering::Relaxed), 0);
}
