//! A first sign-in, from the click to the hub's word for who this is.

use super::provider::no_answer;
use super::world::{HUBS, World, claims, ended, settled, until};
use sallyport_client::Fault;
use sallyport_ipc::{ErrorCode, HubLink, Phase, SignInStep};
use sallyport_oidc::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_sign_in_goes_from_the_provider_over_the_browser_to_the_hub_and_is_kept() {
    let world = World::joined().await;
    let step = || world.view().sign_in.map(|shown| shown.step);
    let (provider, hub) = (world.provider.0.gate.lock().await, world.hubs.at(HUBS[0]));
    let trying = world.trying(None);
    until("the provider is looked up", || step() == Some(SignInStep::Preparing)).await;
    drop(provider);
    until("the browser is open", || world.provider.waits()).await;
    assert_eq!(step(), Some(SignInStep::Browser));
    assert_eq!(*world.host.opened.lock().unwrap(), ["https://id.example.test/authorize"]);
    assert_eq!(world.vault.tokens(), [""; 0], "nothing is kept of a sign-in that is not one yet");
    let asked = hub.gate.lock().await;
    world.provider.brings(Ok(claims("ada", &["payments"])));
    until("the hub is asked", || hub.asked.load(Ordering::Relaxed) > 0).await;
    let view = world.view();
    assert_eq!((step(), view.hub.link), (Some(SignInStep::Hub), HubLink::Connecting));
    assert_eq!(view.phase, Phase::SignedOut, "nobody sits before the hub has said who it is");
    drop(asked);
    ended(trying).await.unwrap();
    let view = world.view();
    assert_eq!((view.phase, view.hub.link, step()), (Phase::Ready, HubLink::Live, None));
    let user = view.user.unwrap();
    assert_eq!((user.name.as_str(), user.groups[0].as_str()), ("oidc:ada", "oidc:payments"));
    assert_eq!(world.vault.tokens(), ["refresh-1"]);
    assert!(world.provider.revoked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_cancels_while_the_browser_is_open_is_shown_nothing_and_may_begin_anew() {
    let world = World::joined().await;
    let trying = world.to_the_browser(None).await;
    world.person.give_up().await.unwrap();
    assert_eq!(ended(trying).await.unwrap_err().code(), ErrorCode::Cancelled);
    let view = world.view();
    assert!(view.sign_in.is_none() && view.phase == Phase::SignedOut);
    assert!(!world.provider.waits(), "what the browser brings now goes nowhere");
    assert_eq!(world.vault.tokens(), [""; 0]);
    world.sign_in_as("ada").await.unwrap();
    assert!(world.sits().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_cancels_while_the_hub_is_asked_leaves_nothing_behind() {
    let world = World::joined().await;
    let hub = world.hubs.at(HUBS[0]);
    let asked = hub.gate.lock().await;
    let trying = world.to_the_browser(None).await;
    world.provider.brings(Ok(claims("ada", &[])));
    until("the hub is asked", || hub.asked.load(Ordering::Relaxed) > 0).await;
    world.person.give_up().await.unwrap();
    assert_eq!(ended(trying).await.unwrap_err().code(), ErrorCode::Cancelled);
    assert_eq!(world.provider.revoked(), ["refresh-1"], "the provider is told");
    assert_eq!(world.vault.tokens(), [""; 0], "and the next start goes on with nothing");
    drop(asked);
    settled().await;
    assert!(world.sits().is_none(), "the hub's word that comes now is nobody's");
    assert_eq!(world.view().hub.link, HubLink::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_second_sign_in_leaves_the_one_that_runs_alone() {
    let world = World::joined().await;
    let first = world.to_the_browser(None).await;
    let refused = world.person.sign_in(None).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Cancelled);
    assert!(refused.message().contains("under way"), "{refused}");
    assert_eq!(world.host.opened.lock().unwrap().len(), 1, "one browser");
    assert_eq!(world.view().sign_in.unwrap().step, SignInStep::Browser, "what is shown is the first");
    world.provider.brings(Ok(claims("ada", &[])));
    ended(first).await.unwrap();
    assert_eq!(world.sits().unwrap().who.user.as_str(), "oidc:ada");
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_never_comes_back_is_waited_for_ten_minutes() {
    let world = World::joined().await;
    let begun = Instant::now();
    let trying = world.to_the_browser(None).await;
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert!(world.provider.waits(), "a person may take their time");
    let error = ended(trying).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(610));
    assert_eq!(error.code(), ErrorCode::Unreachable);
    let shown = world.view().sign_in.unwrap();
    assert!(shown.step == SignInStep::Failed && shown.error.unwrap().retry, "it is told");
}

#[tokio::test(start_paused = true)]
async fn without_a_browser_the_sign_in_is_over_at_once() {
    let world = World::joined().await;
    world.host.has_none.store(true, Ordering::Relaxed);
    let error = world.person.sign_in(None).await.unwrap_err();
    assert!(error.message().contains("no browser"), "{error}");
    assert_eq!(world.view().sign_in.unwrap().step, SignInStep::Failed);
    world.host.has_none.store(false, Ordering::Relaxed);
    world.sign_in_as("ada").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_refuses_the_token_has_the_sign_in_given_back_and_one_that_is_away_does_not() {
    let world = World::joined().await;
    let hub = world.hubs.at(HUBS[0]);
    hub.answers("whoami", Some(Fault::Unauthorized));
    let error = world.sign_in_as("ada").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Forbidden);
    assert!(error.message().contains("the hub does not accept this sign-in"), "{error}");
    assert_eq!(world.provider.revoked(), ["refresh-1"], "signing in again can't end otherwise");
    assert_eq!(world.vault.tokens(), [""; 0]);
    let view = world.view();
    assert_eq!((view.phase, view.hub.link), (Phase::SignedOut, HubLink::Down));
    assert_eq!(view.sign_in.unwrap().step, SignInStep::Failed);

    hub.answers("whoami", Some(Fault::TimedOut));
    let error = world.sign_in_as("ada").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unreachable);
    assert_eq!(world.vault.tokens(), ["refresh-2"], "the next start can go on with it");
    assert_eq!(world.provider.revoked(), ["refresh-1"]);

    hub.answers("whoami", None);
    world.provider.gives(Ok(claims("ada", &[])));
    world.person.resume().await;
    assert_eq!(world.view().hub.link, HubLink::Live);
    assert!(world.sits().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_is_in_no_team_is_told_their_groups_and_is_not_signed_in() {
    let world = World::joined().await;
    world.hubs.at(HUBS[0]).answers("teams", Some(Fault::Forbidden("teams".into())));
    let error = world.sign_in_as("ada").await.unwrap_err();
    assert!(error.message().contains("oidc:ada is in no team"), "{error}");
    assert!(error.view().hint.unwrap().contains("oidc:payments"));
    assert!(world.sits().is_none());
    assert_eq!(world.provider.revoked(), ["refresh-1"]);
}

#[tokio::test(start_paused = true)]
async fn clocks_that_differ_are_told_the_hubs_as_a_number_and_the_providers_as_an_error() {
    let world = World::joined().await;
    *world.hubs.at(HUBS[0]).ahead.lock().unwrap() = Some(95);
    let trying = world.to_the_browser(None).await;
    world.provider.brings(Err(Error::ClockSkew { by: -61 }));
    let error = ended(trying).await.unwrap_err();
    assert!(error.message().contains("61 s ahead of"), "{error}");
    assert!(error.view().hint.unwrap().contains("clock"));
    assert!(world.view().clock_skew_ms.is_none(), "the hub was not asked");
    world.sign_in_as("ada").await.unwrap();
    assert_eq!(world.view().clock_skew_ms, Some(-95_000), "this computer is behind");
    let id = world.sits().unwrap().workspace.clone();
    let ahead = world.person.hub_now(&id) - jiff::Timestamp::now().as_second();
    assert!((94..=95).contains(&ahead), "{ahead}");
}

#[tokio::test(start_paused = true)]
async fn fault_b9_somebody_else_than_last_time_is_given_back_and_sits_when_they_say_it_again() {
    let world = World::signed_in().await;
    world.sign_out().await.unwrap();
    let error = world.sign_in_as("mallory").await.unwrap_err();
    assert!(error.message().contains("mallory") && error.message().contains("ada"), "{error}");
    assert!(world.sits().is_none());
    assert_eq!(world.vault.tokens(), [""; 0]);
    assert_eq!(world.provider.revoked(), ["refresh-1", "refresh-2"]);
    let asked = world.hubs.at(HUBS[0]).asked.load(Ordering::Relaxed);
    assert_eq!(asked, 1, "their token never went to the hub");
    world.sign_in_as("mallory").await.unwrap();
    assert_eq!(world.sits().unwrap().who.user.as_str(), "oidc:mallory");
    assert_eq!(world.vault.tokens(), ["refresh-3"]);
}

#[tokio::test(start_paused = true)]
async fn p12_a_hub_that_takes_a_request_in_anothers_name_is_told_while_somebody_sits_there() {
    let world = World::joined().await;
    world.hubs.at(HUBS[0]).takes_any_name.store(true, Ordering::Relaxed);
    world.sign_in_as("ada").await.unwrap();
    assert!(world.notes().contains("in another's name"), "{}", world.notes());
    world.sign_out().await.unwrap();
    assert!(!world.notes().contains("in another's name"), "{}", world.notes());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_away_opens_no_browser_and_may_be_tried_again() {
    let world = World::joined().await;
    *world.provider.0.away.lock().unwrap() = Some(no_answer());
    let error = world.person.sign_in(None).await.unwrap_err();
    assert!(error.code() == ErrorCode::Unreachable && error.view().retry, "{error}");
    assert!(world.host.opened.lock().unwrap().is_empty());
    *world.provider.0.away.lock().unwrap() = None;
    world.sign_in_as("ada").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_cancels_before_the_browser_is_open_sees_none() {
    let world = World::joined().await;
    let looking_up = world.provider.0.gate.lock().await;
    let before = world.provider.0.lookups.load(Ordering::Relaxed);
    let trying = world.trying(None);
    until("it is looked up", || world.provider.0.lookups.load(Ordering::Relaxed) > before).await;
    world.person.give_up().await.unwrap();
    drop(looking_up);
    assert_eq!(ended(trying).await.unwrap_err().code(), ErrorCode::Cancelled);
    assert!(world.host.opened.lock().unwrap().is_empty(), "nobody wants to sign in any more");
}

#[tokio::test(start_paused = true)]
async fn who_cancels_once_they_sit_goes_on_sitting_with_good_tokens() {
    let world = World::joined().await;
    let hub = world.hubs.at(HUBS[0]);
    let probing = hub.probing.lock().await;
    let trying = world.to_the_browser(None).await;
    world.provider.brings(Ok(claims("ada", &[])));
    until("they sit", || world.sits().is_some()).await;
    world.person.give_up().await.unwrap();
    settled().await;
    drop(probing);
    ended(trying).await.unwrap();
    assert!(world.sits().is_some() && !world.view().hub.sign_in, "there is nothing left to cancel");
    assert_eq!(world.view().hub.link, HubLink::Live);
    assert!(world.provider.revoked().is_empty());
    assert_eq!(world.vault.tokens(), ["refresh-1"]);
}
