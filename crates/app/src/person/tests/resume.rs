//! Going on with a stored sign-in, without a browser.

use super::provider::no_answer;
use super::world::{HUBS, World, claims, ended, settled, until};
use sallyport_ipc::{ErrorCode, HubLink, Phase};
use sallyport_oidc::Error;
use std::sync::atomic::Ordering;

/// Ada signed in once and the app started anew.
async fn kept() -> World {
    let world = World::joined().await;
    let client = ("https://id.example.test".to_owned(), "sallyport-0".to_owned());
    world.vault.kept.lock().unwrap().insert(client, "refresh-0".to_owned());
    world
}

fn lookups(world: &World) -> usize {
    world.provider.0.lookups.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn a_stored_sign_in_goes_on_without_a_browser() {
    let world = kept().await;
    world.provider.gives(Ok(claims("ada", &["payments"])));
    world.person.resume().await;
    assert_eq!(world.sits().unwrap().who.user.as_str(), "oidc:ada");
    assert!(world.view().phase == Phase::Ready && world.view().sign_in.is_none());
    assert!(world.host.opened.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_stored_sign_in_and_behind_a_locked_vault_nobody_is_asked() {
    let world = kept().await;
    let before = lookups(&world);
    world.vault.is_locked.store(true, Ordering::Relaxed);
    world.person.resume().await;
    assert_eq!(lookups(&world), before);
    assert!(world.sits().is_none() && world.view().sign_in.is_none());
    assert_eq!(world.vault.tokens(), ["refresh-0"], "it is there when the vault is open");
    world.vault.is_locked.store(false, Ordering::Relaxed);
    world.vault.kept.lock().unwrap().clear();
    world.person.resume().await;
    assert_eq!(lookups(&world), before);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_at_the_start_costs_nobody_their_sign_in() {
    let world = kept().await;
    *world.provider.0.away.lock().unwrap() = Some(no_answer());
    world.person.resume().await;
    assert!(world.sits().is_none());
    assert!(world.view().sign_in.is_none(), "nobody clicked, so nothing has failed");
    *world.provider.0.away.lock().unwrap() = None;
    world.person.resume().await;
    assert!(world.sits().is_none(), "it is up, and does not answer the refresh");
    assert_eq!(world.hubs.at(HUBS[0]).asked.load(Ordering::Relaxed), 0);
    assert_eq!(world.vault.tokens(), ["refresh-0"]);
    world.provider.gives(Ok(claims("ada", &[])));
    world.person.resume().await;
    assert!(world.sits().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_is_not_renewed_any_more_is_over_and_the_next_is_the_persons() {
    let world = kept().await;
    world.provider.gives(Err(Error::SignInAgain { why: "it was revoked".into() }));
    world.person.resume().await;
    assert!(world.sits().is_none() && world.view().sign_in.is_none());
    assert_eq!(world.hubs.at(HUBS[0]).asked.load(Ordering::Relaxed), 0, "the hub sees no such token");
    assert_eq!(world.vault.tokens(), [""; 0]);
    world.sign_in_as("ada").await.unwrap();
    assert_eq!(world.vault.tokens(), ["refresh-1"]);
}

#[tokio::test(start_paused = true)]
async fn one_who_clicks_while_it_goes_on_is_told_so_and_it_can_be_given_up() {
    let world = kept().await;
    world.provider.gives(Ok(claims("ada", &[])));
    let hub = world.hubs.at(HUBS[0]);
    let asked = hub.gate.lock().await;
    let person = world.person.clone();
    let resuming = tokio::spawn(async move { person.resume().await });
    until("the hub is asked", || hub.asked.load(Ordering::Relaxed) > 0).await;
    assert_eq!(world.person.sign_in(None).await.unwrap_err().code(), ErrorCode::Cancelled);
    assert!(world.host.opened.lock().unwrap().is_empty());
    world.person.give_up().await.unwrap();
    ended(resuming).await;
    drop(asked);
    settled().await;
    assert!(world.sits().is_none(), "the hub's word that comes now is nobody's");
    assert_eq!(world.view().hub.link, HubLink::Idle, "and nobody connects to it any more");
    assert_eq!(world.vault.tokens(), ["refresh-0"], "who only gave up may go on at the next start");
}

#[tokio::test(start_paused = true)]
async fn one_who_clicks_once_it_went_on_sits_and_the_hub_is_there() {
    let world = kept().await;
    world.provider.gives(Ok(claims("ada", &[])));
    let probing = world.hubs.at(HUBS[0]).probing.lock().await;
    let person = world.person.clone();
    let resuming = tokio::spawn(async move { person.resume().await });
    until("they sit", || world.sits().is_some()).await;
    world.person.give_up().await.unwrap();
    settled().await;
    drop(probing);
    ended(resuming).await;
    assert!(world.sits().is_some());
    assert_eq!(world.view().hub.link, HubLink::Live);
}
