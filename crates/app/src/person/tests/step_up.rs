//! A stronger sign-in beside somebody who sits.

use super::world::{HUBS, World, claims, ended, settled, step_up, until};
use crate::person::workspace::WorkspaceId;
use sallyport_client::Fault;
use sallyport_ipc::{ErrorCode, SignInStep, StepUp};
use sallyport_oidc::{Error, IdClaims};
use std::sync::Arc;

fn here(world: &World) -> WorkspaceId {
    world.person.in_front().unwrap()
}

fn stronger() -> IdClaims {
    IdClaims { acr: Some("phrh".into()), ..claims("ada", &["payments"]) }
}

#[tokio::test(start_paused = true)]
async fn a_step_up_makes_the_same_sign_in_stronger_and_wakes_who_waits_for_it() {
    let world = World::signed_in().await;
    let (before, mut waits) = (world.sits().unwrap(), world.person.sign_ins(&here(&world)));
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    assert_eq!(world.provider.0.asked.lock().unwrap().last().unwrap().acr_values, ["phrh"]);
    assert_eq!(world.view().sign_in.unwrap().step_up.unwrap().acr, ["phrh"]);
    assert!(world.sits().is_some(), "who sits goes on meanwhile");
    world.provider.brings(Ok(stronger()));
    ended(trying).await.unwrap();
    let now = world.sits().unwrap();
    assert_eq!((now.number, &*now.who.acr), (before.number, &["phrh".to_owned()][..]));
    assert!(!now.stop.is_cancelled());
    assert_eq!(waits.borrow_and_update().step_ups, 1);
    assert_eq!(world.vault.tokens(), ["refresh-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_up_that_fails_keeps_the_old_sign_in() {
    let weak = || Error::MfaTooWeak { claim: "acr", wanted: vec!["phrh".into()], got: vec!["mfa".into()] };
    let cases = [
        (Err(Error::Denied { why: "no".into() }), false),
        (Err(weak()), true),
        (Ok(claims("mallory", &["admins"])), false),
    ];
    for (brought, is_in_vain) in cases {
        let world = World::signed_in().await;
        let (before, what) = (world.sits().unwrap(), format!("{brought:?}"));
        let trying = world.to_the_browser(Some(step_up("phrh"))).await;
        world.provider.brings(brought);
        ended(trying).await.unwrap_err();
        assert!(Arc::ptr_eq(&before, &world.sits().unwrap()), "{what}");
        assert_eq!(world.vault.tokens(), ["refresh-1"], "{what}");
        assert!(!world.provider.revoked().contains(&"refresh-1".to_owned()), "{what}");
        let told = world.person.sign_ins(&here(&world)).borrow().clone();
        assert_eq!((told.in_vain.is_some(), told.step_ups), (is_in_vain, 0), "{what}");
        assert_eq!(world.view().sign_in.unwrap().step, SignInStep::Failed, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_up_that_the_hub_does_not_answer_for_leaves_who_sits_as_they_were() {
    let world = World::signed_in().await;
    let before = world.sits().unwrap();
    world.hubs.at(HUBS[0]).answers("whoami", Some(Fault::TimedOut));
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(stronger()));
    let error = ended(trying).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unreachable);
    assert!(Arc::ptr_eq(&before, &world.sits().unwrap()));
    assert_eq!(world.person.sign_ins(&here(&world)).borrow().step_ups, 0, "the hub does not know of it yet");
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_will_not_say_is_not_asked_for_in_a_browser() {
    let world = World::joined().await;
    let trying = world.to_the_browser(None).await;
    world.provider.brings(Ok(IdClaims { auth_time: None, ..claims("ada", &[]) }));
    ended(trying).await.unwrap();
    let recent = StepUp { max_age_seconds: Some(900), ..step_up("mfa") };
    let error = world.person.sign_in(Some(recent)).await.unwrap_err();
    assert!(error.message().contains("auth_time"), "{error}");
    assert_eq!(world.host.opened.lock().unwrap().len(), 1, "the sign-in's");
    let told = world.person.sign_ins(&here(&world)).borrow().clone();
    assert!(told.in_vain.is_some(), "who waits for it waits no longer");
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_once_is_asked_for_at_the_next_sign_in_until_it_fails() {
    let world = World::signed_in().await;
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(stronger()));
    ended(trying).await.unwrap();
    world.sign_out().await.unwrap();
    let asked = || world.provider.0.asked.lock().unwrap().last().unwrap().acr_values.clone();
    let trying = world.to_the_browser(None).await;
    assert_eq!(asked(), ["phrh"]);
    world.provider.brings(Err(Error::MfaTooWeak { claim: "acr", wanted: asked(), got: Vec::new() }));
    let error = ended(trying).await.unwrap_err();
    assert!(error.view().hint.unwrap().contains("will not be asked for this time"));
    let trying = world.to_the_browser(None).await;
    assert_eq!(asked(), [""; 0]);
    world.person.give_up().await.unwrap();
    ended(trying).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn each_sign_in_begins_something_once_and_a_step_up_begins_nothing() {
    let world = World::joined().await;
    let begun: Arc<std::sync::Mutex<Vec<u64>>> = Arc::default();
    let (person, noted) = (world.person.clone(), begun.clone());
    tokio::spawn(
        async move { person.each_sign_in(|signed| noted.lock().unwrap().push(signed.number)).await },
    );
    world.sign_in_as("ada").await.unwrap();
    until("it is begun", || begun.lock().unwrap().len() == 1).await;
    let trying = world.to_the_browser(Some(step_up("phrh"))).await;
    world.provider.brings(Ok(stronger()));
    ended(trying).await.unwrap();
    world.person.has_sat(); // Somebody sits elsewhere.
    settled().await;
    assert_eq!(begun.lock().unwrap().len(), 1);
    world.sign_out().await.unwrap();
    settled().await;
    assert_eq!(begun.lock().unwrap().len(), 1);
    world.sign_in_as("ada").await.unwrap();
    until("it is begun anew", || begun.lock().unwrap().len() == 2).await;
    let begun = begun.lock().unwrap().clone();
    assert_ne!(begun[0], begun[1]);
}
