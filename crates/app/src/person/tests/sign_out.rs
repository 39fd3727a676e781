//! The end of a sign-in, with whatever else is under way.

use super::provider::no_answer;
use super::world::{HUBS, World, claims, ended, settled, step_up, until};
use sallyport_ipc::{ErrorCode, HubLink, Phase};
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn signing_out_forgets_here_and_at_the_provider_and_says_that_the_browser_does_not() {
    let world = World::signed_in().await;
    let stop = world.sits().unwrap().stop.clone();
    world.sign_out().await.unwrap();
    let view = world.view();
    assert_eq!((view.phase, view.hub.link), (Phase::SignedOut, HubLink::Idle));
    assert!(stop.is_cancelled() && view.user.is_none() && view.clock_skew_ms.is_none());
    assert_eq!(world.vault.tokens(), [""; 0]);
    assert_eq!(world.provider.revoked(), ["refresh-1"]);
    assert!(world.notes().contains("You are signed out here"), "{}", world.notes());
    world.person.resume().await;
    assert!(world.sits().is_none(), "there is nothing to go on with");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_confirm_keeps_nobody_signed_in() {
    let world = World::signed_in().await;
    *world.provider.0.refuses_sign_out.lock().unwrap() = Some(no_answer());
    let error = world.sign_out().await.unwrap_err();
    assert!(error.message().contains("you are signed out here, but the provider did not confirm"), "{error}");
    assert!(world.sits().is_none());
    assert_eq!(world.vault.tokens(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_step_up_page_that_is_still_open_brings_nobody_back() {
    let world = World::signed_in().await;
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.sign_out().await.unwrap();
    assert_eq!(ended(trying).await.unwrap_err().code(), ErrorCode::Cancelled);
    assert!(!world.provider.waits());
    assert!(world.sits().is_none() && world.view().sign_in.is_none());
    assert_eq!(world.vault.tokens(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_step_up_that_is_just_being_kept_brings_nobody_back_and_takes_back_no_word() {
    let world = World::signed_in().await;
    let kept = world.vault.gate.lock().await;
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(claims("ada", &[])));
    settled().await;
    let (person, signed) = (world.person.clone(), world.sits().unwrap());
    signed.stop.cancel();
    let leaving = tokio::spawn(async move { person.forget(&signed, &[], &[]).await });
    settled().await;
    drop(kept);
    ended(leaving).await.unwrap();
    ended(trying).await.unwrap_err();
    assert!(world.sits().is_none() && world.view().phase == Phase::SignedOut);
    assert_eq!(world.vault.tokens(), [""; 0]);
    assert!(world.notes().contains("You are signed out here"), "{}", world.notes());
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_that_comes_late_ends_no_other_sign_in() {
    let world = World::signed_in().await;
    let first = world.sits().unwrap();
    world.sign_out().await.unwrap();
    world.sign_in_as("ada").await.unwrap();
    let second = world.sits().unwrap();
    world.person.forget(&first, &[], &[]).await.unwrap();
    assert_eq!(world.sits().unwrap().number, second.number);
    assert_eq!(world.view().hub.link, HubLink::Live);
    assert_eq!(world.provider.revoked(), ["refresh-1"]);
}

#[tokio::test(start_paused = true)]
async fn who_signs_out_while_the_hub_is_asked_who_they_are_now_is_not_brought_back_by_its_word() {
    let world = World::signed_in().await;
    let hub = world.hubs.at(HUBS[0]);
    let (asked, before) = (hub.gate.lock().await, hub.asked.load(Ordering::Relaxed));
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(claims("ada", &[])));
    until("the hub is asked", || hub.asked.load(Ordering::Relaxed) > before).await;
    world.sign_out().await.unwrap();
    drop(asked);
    let _ = ended(trying).await;
    assert!(world.sits().is_none());
    assert_eq!(world.vault.tokens(), [""; 0]);
    assert_eq!(world.provider.revoked(), ["refresh-2"], "the one that took the place of the first");
}
