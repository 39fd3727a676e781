//! Still who one was: the provider's word, and what follows from it.

use super::provider::no_answer;
use super::world::{HUBS, World, claims, settled};
use sallyport_client::Fault;
use sallyport_ipc::ErrorCode;
use sallyport_oidc::{Error, IdClaims};
use std::sync::atomic::Ordering;

/// Ada sits in the group payments, and whoever follows her groups does.
async fn followed() -> World {
    let world = World::signed_in().await;
    tokio::spawn(world.person.clone().follow_groups());
    settled().await;
    world
}

fn groups(world: &World) -> Vec<String> {
    world.sits().unwrap().who.groups.clone()
}

fn moves(world: &World) -> u64 {
    world.person.sign_ins(&world.person.in_front().unwrap()).borrow().moves
}

async fn renew(world: &World, with: Result<IdClaims, Error>) {
    world.provider.gives(with);
    let _ = world.sits().unwrap().tokens.vouch().await;
    settled().await;
}

#[tokio::test(start_paused = true)]
async fn groups_follow_a_renewal_and_one_that_changes_none_asks_nobody() {
    let world = followed().await;
    let (number, hub) = (world.sits().unwrap().number, world.hubs.at(HUBS[0]));
    let asked = hub.asked.load(Ordering::Relaxed);
    renew(&world, Ok(claims("ada", &["payments"]))).await;
    assert_eq!((hub.asked.load(Ordering::Relaxed), moves(&world)), (asked, 0));
    renew(&world, Ok(claims("ada", &["payments", "oncall"]))).await;
    assert_eq!(groups(&world), ["oidc:payments", "oidc:oncall"]);
    assert_eq!((world.sits().unwrap().number, moves(&world)), (number, 1), "it is the same sign-in");
    hub.answers("teams", Some(Fault::Forbidden("teams".into())));
    renew(&world, Ok(claims("ada", &[]))).await;
    assert!(groups(&world).is_empty());
    assert!(world.sits().unwrap().teams.is_empty(), "who is in no team may not list them");
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_does_not_say_of_a_renewal_is_asked_at_the_next() {
    let world = followed().await;
    let hub = world.hubs.at(HUBS[0]);
    hub.answers("whoami", Some(Fault::TimedOut));
    renew(&world, Ok(claims("ada", &["oncall"]))).await;
    assert_eq!((groups(&world), moves(&world)), (vec!["oidc:payments".to_owned()], 0));
    hub.answers("whoami", None);
    hub.answers("teams", Some(Fault::TimedOut));
    renew(&world, Ok(claims("ada", &["oncall"]))).await;
    assert_eq!((groups(&world), moves(&world)), (vec!["oidc:oncall".to_owned()], 1));
    assert_eq!(world.sits().unwrap().teams.len(), 1, "which teams is not known, so they stay");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_after_the_sign_out_is_nobodys() {
    let world = followed().await;
    let tokens = world.sits().unwrap().tokens.clone();
    world.sign_out().await.unwrap();
    world.sign_in_as("ada").await.unwrap();
    let asked = world.hubs.at(HUBS[0]).asked.load(Ordering::Relaxed);
    world.provider.gives(Ok(claims("ada", &["oncall"])));
    let _ = tokens.vouch().await;
    settled().await;
    assert_eq!(groups(&world), ["oidc:payments"], "who sits now is as their own tokens say");
    assert_eq!((world.hubs.at(HUBS[0]).asked.load(Ordering::Relaxed), moves(&world)), (asked, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_costs_nobody_their_sign_in_and_works_later() {
    let world = World::signed_in().await;
    let signed = world.sits().unwrap();
    let at = signed.tokens.claims().unwrap().issued_at.as_second();
    let vouched = async || world.person.vouched_for(&signed, at).await;
    assert_eq!(
        world.person.vouched_for(&signed, at - 1).await.unwrap().issued,
        at,
        "the one at hand will do"
    );
    world.provider.gives(Err(no_answer()));
    let error = vouched().await.unwrap_err();
    assert!(error.code() == ErrorCode::Unreachable && error.view().retry, "{error}");
    assert!(world.sits().is_some() && !world.view().hub.sign_in);
    assert_eq!(world.vault.tokens(), ["refresh-1"]);
    world.provider.gives(Ok(signed.tokens.claims().unwrap()));
    let error = vouched().await.unwrap_err();
    assert!(error.message().contains("the same ID token again"), "{error}");
    let later = IdClaims {
        issued_at: jiff::Timestamp::from_second(at + 60).unwrap(),
        ..claims("ada", &["payments", "oncall"])
    };
    world.provider.gives(Ok(later));
    let word = vouched().await.unwrap();
    assert_eq!((word.issued, word.groups.len()), (at + 60, 2), "in the hub's words");
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_does_not_say_when_a_token_was_issued_is_named() {
    let world = World::joined().await;
    world.hubs.at(HUBS[0]).hides_issued.store(true, Ordering::Relaxed);
    world.sign_in_as("ada").await.unwrap();
    let signed = world.sits().unwrap();
    assert!(!signed.who.says_issued);
    let error = world.person.vouched_for(&signed, 0).await.unwrap_err();
    assert!(error.view().hint.unwrap().contains("issued-at"));
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_ran_out_is_shown_as_one_to_do_again_and_who_sits_stays() {
    let world = World::signed_in().await;
    renew(&world, Err(Error::SignInAgain { why: "the session ended".into() })).await;
    let view = world.view();
    assert!(view.hub.sign_in, "the window asks for it");
    assert!(view.user.is_some(), "what is open still belongs to somebody");
    let error = world.person.vouched_for(&world.sits().unwrap(), i64::MAX).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignInNeeded);
}
