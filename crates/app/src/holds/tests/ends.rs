//! How one ends: by its time, by somebody, and behind a watch that broke off.

use super::hub::hold;
use super::world::{World, now};
use crate::person::tests::{ended, settled, until, workspace};
use sallyport_api::MalformedObject;
use sallyport_audit::Action;
use sallyport_client::Fault;
use sallyport_hub::{Change, Gone, Refused};
use sallyport_ipc::ErrorCode;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn dana(uid: &str, until: i64) -> sallyport_api::AccessHold {
    hold(uid, json!({"user": "oidc:dana"}), until)
}

fn gone(uid: &str) -> Gone {
    Gone { namespace: String::new(), name: format!("hold-{uid}"), uid: uid.to_owned() }
}

fn all(objects: Vec<sallyport_api::AccessHold>) -> Change<sallyport_api::AccessHold> {
    Change::All { objects, malformed: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn one_ends_by_the_hubs_clock_without_a_word_of_the_hub_and_the_window_is_told() {
    let world = World::lee().await;
    world.tell(all(vec![dana("short", now() + 600), dana("long", now() + 1200)])).await;
    assert_eq!(
        world.held("oidc:dana", "eu").map(|held| held.until > now() + 1000),
        Some(true),
        "the longest"
    );
    tokio::spawn(world.holds.clone().tell_ends());
    settled().await;
    let told = Arc::new(AtomicBool::new(false));
    let (desk, heard) = (world.desk.desk.clone(), told.clone());
    // What was told until now is not it.
    let listening = tokio::spawn(async move {
        desk.until_changed().await;
        desk.until_changed().await;
        heard.store(true, Ordering::Relaxed);
    });
    world.desk.hub_is_ahead(700);
    assert_eq!(world.ids(), ["long"]);
    tokio::time::sleep(Duration::from_secs(150)).await;
    assert!(told.load(Ordering::Relaxed), "a clock that jumped is seen within a minute");
    listening.abort();
    world.desk.hub_is_ahead(1300);
    assert!(world.ids().is_empty() && world.held("oidc:dana", "eu").is_none());
    let error = world.remove("gone").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadInput, "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_by_itself_while_it_is_removed_is_gone_once() {
    let world = World::lee().await;
    world.tell(all(vec![dana("u", now() + 600)])).await;
    let gate = world.hub.writes.lock().await;
    let holds = world.holds.clone();
    let pressed = tokio::spawn(async move { holds.remove("u".to_owned()).await });
    until("it was written", || world.hub.came.load(Ordering::Relaxed) > 0).await;
    world.tell(Change::Deleted(gone("u"))).await;
    assert!(world.ids().is_empty());
    drop(gate);
    // A hub that no longer has it says that this is fine.
    ended(pressed).await.unwrap();
    assert!(world.ids().is_empty());
    let error = world.remove("u").await.unwrap_err();
    assert!(error.to_string().contains("does not stand any more"), "{error}");
    assert_eq!(world.hub.came.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn the_one_that_was_seen_is_removed_and_the_history_says_whose_it_was() {
    let world = World::lee().await;
    world.tell(all(vec![dana("u", now() + 600), hold("c", json!({"cluster": "eu"}), now() + 600)])).await;
    world.remove("c").await.unwrap();
    assert_eq!(*world.hub.ended.lock().unwrap(), [("hold-c".to_owned(), "c".to_owned())], "by name and UID");
    assert_eq!(world.ids(), ["u"]);
    let noted = world.noted().await;
    assert_eq!((noted.len(), noted[0].action), (1, Action::HoldRemoved));
    assert_eq!(noted[0].cluster.as_ref().map(|name| name.as_str()), Some("eu"));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_let_go_where_the_hub_says_no_or_nothing() {
    let world = World::lee().await;
    let own = hold("own", json!({"user": "oidc:lee"}), now() + 600);
    world.tell(all(vec![own, hold("all", json!({"everything": true}), now() + 600)])).await;
    let mine = world.list().into_iter().find(|one| one.id.as_str() == "own").unwrap();
    assert!(mine.on_me && !mine.may_remove, "it is not offered");
    for refused in [
        Refused::Forbidden { message: "nobody removes a hold on themselves".into() },
        Refused::Fault(Fault::Unreachable("cut".into())),
    ] {
        world.hub.refuses(Some(refused));
        world.remove("own").await.unwrap_err();
    }
    assert!(world.held("oidc:lee", "eu").is_some() && world.ids().len() == 2, "it stands");
    assert!(world.noted().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_off_lets_nobody_go_and_its_new_list_is_the_truth() {
    let world = World::lee().await;
    world
        .tell(all(vec![dana("stays", now() + 600), hold("ends", json!({"cluster": "eu"}), now() + 600)]))
        .await;
    world.tell(Change::Trouble(Fault::Unreachable("cut".into()))).await;
    let bad = MalformedObject { kind: "AccessHold", name: "hold-stays".into(), why: "odd".into() };
    world.tell(Change::Malformed(bad, gone("stays"))).await;
    assert!(world.held("oidc:dana", "us").is_some() && world.held("oidc:mo", "eu").is_some());
    // 410: it is listed anew, and tells nothing of what happened in between.
    let came = hold("came", json!({"user": "oidc:mo"}), now() + 600);
    world.tell(all(vec![dana("stays", now() + 600), came])).await;
    assert!(world.held("oidc:ada", "eu").is_none(), "what ended in the gap holds nobody");
    assert!(world.held("oidc:mo", "us").is_some() && world.held("oidc:dana", "us").is_some());
    assert_eq!(world.remove("ends").await.unwrap_err().code(), ErrorCode::BadInput);
}

#[tokio::test(start_paused = true)]
async fn every_change_is_told_to_those_who_act_by_it() {
    let world = World::lee().await;
    let mut moves = world.holds.moves();
    moves.mark_unchanged();
    for change in
        [all(vec![dana("u", now() + 600)]), Change::Deleted(gone("u")), Change::Put(dana("v", now() + 600))]
    {
        world.tell(change).await;
        assert!(moves.has_changed().unwrap(), "a session under it is cut by this");
        moves.mark_unchanged();
    }
    world.leave().await;
    assert!(moves.has_changed().unwrap() && world.holds.kept().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_begins_to_follow_a_sign_in_that_is_over_keeps_nothing() {
    let world = World::lee().await;
    let signed = world.desk.sits().unwrap();
    world.tell(all(vec![dana("u", now() + 600)])).await;
    world.leave().await;
    for _ in 0..20 {
        world.holds.clone().keep(signed.clone()).await;
        assert!(world.holds.kept().is_empty(), "what would clear it has been here");
    }
    // One that was on its way.
    world.holds.take(&workspace(0).id(), Change::Put(dana("late", now() + 600)));
    assert!(world.held("oidc:dana", "eu").is_none());
}
