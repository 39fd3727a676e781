//! Two teams at one desk: a seat for each, and nothing of one at the other.

use super::provider::no_answer;
use super::world::{HUBS, World, claims, ended, file, settled, step_up, until, workspace};
use sallyport_client::Fault;
use sallyport_ipc::{ErrorCode, HubLink, Phase};
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn another_team_is_not_joined_while_somebody_sits_and_nothing_of_it_shows() {
    let world = World::signed_in().await;
    let lookups = || world.provider.0.lookups.load(Ordering::Relaxed);
    let before = lookups();
    let error = world.person.join(&file(1)).await.unwrap_err();
    assert!(error.message().contains("someone is signed in to another workspace"), "{error}");
    assert_eq!((world.person.in_front(), lookups()), (Some(workspace(0).id()), before), "nobody was asked");
    assert!(world.sits().is_some());
    world.person.join(&file(0)).await.unwrap();
    assert!(world.sits().is_some(), "the same file again ends nothing");
    world.sign_out().await.unwrap();
    world.person.join(&file(1)).await.unwrap();
    assert_eq!(world.person.in_front(), Some(workspace(1).id()));
}

#[tokio::test(start_paused = true)]
async fn who_signs_in_while_another_team_is_looked_at_stays_in_front() {
    let world = World::joined().await;
    let trying = world.to_the_browser(None).await;
    let looking = world.provider.0.gate.lock().await;
    let before = world.provider.0.lookups.load(Ordering::Relaxed);
    let person = world.person.clone();
    let joining = tokio::spawn(async move { person.join(&file(1)).await });
    until("it is looked at", || world.provider.0.lookups.load(Ordering::Relaxed) > before).await;
    world.provider.brings(Ok(claims("ada", &[])));
    ended(trying).await.unwrap();
    drop(looking);
    ended(joining).await.unwrap_err();
    assert_eq!(world.person.in_front(), Some(workspace(0).id()), "else nobody could sign out there");
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_behind_another_team_is_given_up_and_shows_nowhere() {
    let world = World::joined().await;
    let hub = world.hubs.at(HUBS[0]);
    let asked = hub.gate.lock().await;
    let trying = world.to_the_browser(None).await;
    world.provider.brings(Ok(claims("ada", &[])));
    until("the hub is asked", || hub.asked.load(Ordering::Relaxed) > 0).await;
    world.person.join(&file(1)).await.unwrap();
    assert_eq!(ended(trying).await.unwrap_err().code(), ErrorCode::Cancelled);
    drop(asked);
    settled().await;
    assert!(world.sits().is_none());
    assert_eq!(world.provider.revoked(), ["refresh-1"]);
    let view = world.view();
    assert!(view.sign_in.is_none() && view.phase == Phase::SignedOut && view.hub.link == HubLink::Idle);
}

#[tokio::test(start_paused = true)]
async fn what_was_learned_at_one_team_never_shows_at_another() {
    let world = World::joined().await;
    let first = world.hubs.at(HUBS[0]);
    first.takes_any_name.store(true, Ordering::Relaxed);
    *first.ahead.lock().unwrap() = Some(-40);
    world.sign_in_as("ada").await.unwrap();
    let (mut here, number) = (world.person.sign_ins(&workspace(0).id()), world.sits().unwrap().number);
    world.sign_out().await.unwrap();
    world.person.join(&file(1)).await.unwrap();
    assert_eq!(world.notes(), "", "whose browser is still signed in is another team's to say");
    world.sign_in_as("bob").await.unwrap();
    let view = world.view();
    assert_eq!((view.user.unwrap().name.as_str(), view.clock_skew_ms), ("oidc:bob", None));
    assert_eq!(world.notes(), "");
    // What comes late of the first.
    world.person.hub_is(&workspace(0).id(), HubLink::Down, Some("gone".into()));
    assert_eq!(world.view().hub.link, HubLink::Live);
    assert!(world.person.hub_is_down(&workspace(0).id()) && !world.person.hub_is_down(&workspace(1).id()));
    here.mark_unchanged();
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(claims("bob", &[])));
    ended(trying).await.unwrap();
    assert!(!here.has_changed().unwrap(), "a step-up at the second wakes nobody at the first");
    let bob = world.person.is_signed_in_at(&workspace(1).id()).unwrap();
    assert_eq!(bob.number, number, "a seat counts for itself, so the number alone names nobody");
    assert!(world.sits().is_none());
}

#[tokio::test(start_paused = true)]
async fn attack_2_a_hub_with_another_certificate_is_not_joined_and_one_that_is_away_is() {
    let world = World::new().await;
    world.hubs.at(HUBS[0]).answers("probe", Some(Fault::Untrusted("another".into())));
    let error = world.person.join(&file(0)).await.unwrap_err();
    assert!(error.code() == ErrorCode::BadInput && error.view().hint.unwrap().contains("fingerprint"));
    assert!(world.person.in_front().is_none() && world.view().phase == Phase::FirstRun);
    world.hubs.at(HUBS[0]).answers("probe", Some(Fault::TimedOut));
    *world.provider.0.away.lock().unwrap() = Some(no_answer());
    world.person.join(&file(0)).await.unwrap();
    assert_eq!(world.view().phase, Phase::SignedOut);
}

#[tokio::test(start_paused = true)]
async fn how_strong_one_team_wants_a_sign_in_is_not_asked_of_another() {
    let world = World::signed_in().await;
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(claims("ada", &[])));
    ended(trying).await.unwrap();
    world.sign_out().await.unwrap();
    world.person.join(&file(1)).await.unwrap();
    world.sign_in_as("ada").await.unwrap();
    assert!(world.provider.0.asked.lock().unwrap().last().unwrap().acr_values.is_empty());
}
