//! Making one: the hub has the last word, and nothing stands that it did not take.

use super::world::{World, now, on};
use crate::person::tests::{ended, settled, until};
use sallyport_audit::Action;
use sallyport_client::Fault;
use sallyport_hub::{Change, HoldRights, Refused, StepUp};
use sallyport_ipc::{ErrorCode, HeldKind, HoldInput};
use sallyport_model::Held;
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn a_hold_is_by_the_hubs_clock_seen_at_once_and_once_and_in_the_history() {
    let world = World::lee().await;
    world.tell(Change::All { objects: Vec::new(), malformed: Vec::new() }).await;
    world.desk.hub_is_ahead(1000);
    let before = now();
    world.holds.create(HoldInput { reason: " stolen \n".into(), ..on(" oidc:dana ") }).await.unwrap();
    let made = world.hub.made.lock().unwrap().clone();
    let [(by, held, until, why)] = &made[..] else { panic!("{made:?}") };
    assert_eq!((by.as_str(), why.as_str()), ("oidc:lee", "stolen"));
    assert_eq!(*held, Held::User("oidc:dana".into()));
    assert!((before + 4600..before + 4900).contains(until), "an hour by the hub's clock: {until}");
    // Its watch has said nothing yet.
    assert_eq!(world.ids(), ["made-1"]);
    assert!(world.held("oidc:dana", "eu").is_some() && world.held("oidc:mo", "eu").is_none());
    let again = super::hub::hold("made-1", json!({"user": "oidc:dana"}), *until);
    world.tell(Change::Put(again)).await;
    assert_eq!(world.ids(), ["made-1"], "it is one");
    let noted = world.noted().await;
    assert_eq!((noted.len(), noted[0].action), (1, Action::Hold));
    assert_eq!(noted[0].detail.get("for"), Some(&json!("oidc:dana")));
    assert_eq!(noted[0].detail.get("why"), Some(&json!("stolen")));
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_said_before_anybody_is_asked() {
    let world = World::lee().await;
    for wrong in [
        on(" \n"),
        HoldInput { on: HeldKind::Cluster, ..on("") },
        HoldInput { on: HeldKind::Cluster, ..on("../eu") },
        HoldInput { on: HeldKind::Cluster, ..on("e\u{202e}u") },
        HoldInput { reason: " \u{a0}".into(), ..on("oidc:dana") },
        HoldInput { reason: "x".repeat(2000), ..on("oidc:dana") },
        HoldInput { minutes: 0, ..on("oidc:dana") },
        HoldInput { minutes: 7 * 24 * 60 + 1, ..on("oidc:dana") },
        HoldInput { minutes: u32::MAX, ..on("oidc:dana") },
    ] {
        let error = world.holds.create(wrong.clone()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadInput, "{wrong:?}: {error}");
    }
    assert_eq!(world.hub.asked.load(Ordering::Relaxed) + world.hub.came.load(Ordering::Relaxed), 0);
    world.holds.create(HoldInput { minutes: 7 * 24 * 60, ..on("oidc:dana") }).await.unwrap();
    // Everything has no name, whatever stands in the field.
    world.holds.create(HoldInput { on: HeldKind::Everything, ..on("oidc:dana") }).await.unwrap();
    assert_eq!(world.hub.made.lock().unwrap()[1].1, Held::Everything);
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_did_not_take_does_not_stand_and_is_no_entry() {
    let world = World::lee().await;
    world.hub.refuses(Some(Refused::Forbidden { message: "lee can't create accessholds".into() }));
    let view = world.holds.create(on("oidc:dana")).await.unwrap_err().view();
    assert_eq!((view.code, view.message.as_str()), (ErrorCode::Forbidden, "lee can't create accessholds"));
    assert!(view.hint.unwrap().as_str().contains("sallyport:responder"));
    world.hub.refuses(Some(Refused::StepUp(StepUp { max_age: Some(900), ..StepUp::default() })));
    let view = world.holds.create(on("oidc:dana")).await.unwrap_err().view();
    assert_eq!(view.step_up.and_then(|step| step.max_age_seconds), Some(900));
    let gate = world.hub.writes.lock().await;
    let came = world.hub.came.load(Ordering::Relaxed);
    let holds = world.holds.clone();
    let pressed = tokio::spawn(async move { holds.create(on("oidc:dana")).await });
    until("it was written", || world.hub.came.load(Ordering::Relaxed) > came).await;
    world.hub.refuses(Some(Refused::Fault(Fault::TimedOut)));
    drop(gate);
    let error = ended(pressed).await.unwrap_err();
    assert!(error.view().retry, "{error}");
    world.hub.answers("whoami", Fault::Unreachable("cut".into()));
    let error = world.holds.create(on("oidc:dana")).await.unwrap_err();
    assert!(error.view().retry, "{error}");
    assert!(world.ids().is_empty() && world.held("oidc:dana", "eu").is_none());
    assert!(world.noted().await.is_empty(), "what was not done is not said to be");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_taken_though_its_answer_was_lost_stands_when_the_watch_tells() {
    let world = World::lee().await;
    world.hub.refuses(Some(Refused::Fault(Fault::TimedOut)));
    world.holds.create(on("oidc:dana")).await.unwrap_err();
    world.tell(Change::Put(super::hub::hold("u", json!({"user": "oidc:dana"}), now() + 3600))).await;
    assert_eq!(world.ids(), ["u"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_window_is_told_of_rights_forbids_nothing() {
    let world = World::with(HoldRights::default()).await;
    world.tell(Change::Put(super::hub::hold("u", json!({"user": "oidc:dana"}), now() + 3600))).await;
    assert!(!world.holds.view().1 && !world.list()[0].may_remove);
    // Somebody gave them the right since: the hub knows.
    world.holds.create(on("oidc:mo")).await.unwrap();
    world.remove("u").await.unwrap();
    assert_eq!(world.ids(), ["made-1"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_taken_after_its_maker_signed_out_is_kept_for_nobody_here() {
    let world = World::lee().await;
    let gate = world.hub.writes.lock().await;
    let holds = world.holds.clone();
    let pressed = tokio::spawn(async move { holds.create(on("oidc:dana")).await });
    until("it was written", || world.hub.came.load(Ordering::Relaxed) > 0).await;
    world.leave().await;
    drop(gate);
    ended(pressed).await.unwrap();
    settled().await;
    assert!(world.held("oidc:dana", "eu").is_none() && world.holds.kept().is_empty());
    assert_eq!(world.noted().await.len(), 1, "it was done, and the history says so");
    assert_eq!(world.holds.create(on("oidc:mo")).await.unwrap_err().code(), ErrorCode::SignInNeeded);
}
