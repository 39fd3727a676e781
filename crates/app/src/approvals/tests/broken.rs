//! A list that breaks off and comes back, of one team and of several, and whose it is.

use super::hub::FakeHub;
use super::world::{TEAM, World, digest_of, request, waits};
use crate::inventory::tests::all;
use crate::person::tests::{HUBS, settled, until, workspace};
use sallyport_client::Fault;
use sallyport_hub::{Change, Team};
use sallyport_ipc::{Decide, ErrorCode};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_off_keeps_what_was_known_and_its_new_list_is_the_truth() {
    let world = World::lee(vec![waits("stays", &["get"]), waits("ends", &["get"])]).await;
    world.tell(Change::Trouble(Fault::Unreachable("cut".into()))).await;
    assert_eq!(world.ids().await, ["ends", "stays"], "what was known is shown");
    // 410: it is listed anew, and tells nothing of what happened in between.
    world.tell(all(vec![waits("stays", &["get", "delete"]), waits("came", &["list"])])).await;
    assert_eq!(world.ids().await, ["came", "stays"]);
    let error = world.approve("ends", &digest_of(&["get"]), None).await.unwrap_err();
    assert!(error.to_string().contains("is not open any more"), "{error}");
    let error = world.approve("stays", &digest_of(&["get"]), None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ProfileChanged, "its offer changed in the gap: {error}");
    let asks: Vec<String> = world.approvals.asks().waiting.into_iter().map(|ask| ask.id).collect();
    assert_eq!(asks, ["came"], "and who came in the gap is told of");
    world.approve("came", &digest_of(&["list"]), None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_team_that_answers_again_without_a_word_is_asked_and_trusted_again() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    world.hub.closed.lock().unwrap().push_back(Err(Fault::TimedOut));
    world.tell(Change::Trouble(Fault::TimedOut)).await;
    let troubled = || !world.approvals.open()[&workspace(0).id()].troubled().is_empty();
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert!(troubled() && world.hub.paged.lock().unwrap().len() == 1, "asked once, and still away");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!troubled());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.hub.paged.lock().unwrap().len(), 2, "a watch that is well is not asked about");
}

#[tokio::test(start_paused = true)]
async fn who_may_read_no_team_is_told_so_and_who_loses_the_right_too() {
    let hub = Arc::<FakeHub>::default();
    let world = World::at(&hub).await;
    let team = |may_read| Team { name: TEAM.parse().unwrap(), may_ask: true, may_read };
    *world.desk.hubs.at(HUBS[0]).teams.lock().unwrap() = Some(vec![team(false)]);
    world.desk.sign_in_as("lee").await.unwrap();
    settled().await;
    let seen = world.approvals.list().await.unwrap();
    assert!(seen.none_to_read && seen.requests.is_empty(), "{seen:?}");
    assert_eq!(hub.watched(TEAM), 0);
    world.leave().await;
    *world.desk.hubs.at(HUBS[0]).teams.lock().unwrap() = None;
    world.come("lee").await;
    world.tell(all(vec![waits("r", &["get"])])).await;
    world.tell(Change::Trouble(Fault::Forbidden("lee can't list accessrequests".into()))).await;
    let seen = world.approvals.list().await.unwrap();
    assert!(seen.problems[0].as_str().contains("can't be read"), "{:?}", seen.problems);
}

#[tokio::test(start_paused = true)]
async fn of_two_teams_one_that_was_not_heard_of_makes_the_list_a_part() {
    let hub = Arc::<FakeHub>::default();
    let world = World::at(&hub).await;
    let team = |name: &str| Team { name: name.parse().unwrap(), may_ask: true, may_read: true };
    *world.desk.hubs.at(HUBS[0]).teams.lock().unwrap() = Some(vec![team(TEAM), team("team-shop")]);
    world.come("lee").await;
    world.tell(all(vec![waits("r", &["get"])])).await;
    assert_eq!(world.approvals.list().await.unwrap().as_of, None);
    let mut shop = waits("s", &["get"]);
    shop.metadata.namespace = Some("team-shop".into());
    hub.tell("team-shop", all(vec![shop]));
    settled().await;
    assert!(world.approvals.list().await.unwrap().as_of.is_some());
    assert_eq!(world.ids().await, ["r", "s"]);
    // One team's new list takes nothing from the other.
    world.tell(all(Vec::new())).await;
    assert_eq!(world.ids().await, ["s"]);
}

#[tokio::test(start_paused = true)]
async fn what_one_person_read_is_not_the_next_ones() {
    let world =
        World::lee(vec![waits("r", &["get"]), request("own", "oidc:mo", json!({"phase": "Active"}))]).await;
    world.leave().await;
    until("the watch has ended", || world.hub.watched(TEAM) == 0).await;
    assert!(world.ids().await.is_empty() && world.approvals.to_decide() == 0);
    // One that was on its way.
    let team = TEAM.parse().unwrap();
    world.approvals.take(&workspace(0).id(), &team, Change::Put(waits("late", &["get"])));
    assert!(world.approvals.open().is_empty());
    world.desk.sign_in_as("mo").await.expect_err("somebody else than last time signs in twice");
    world.come("mo").await;
    assert!(world.ids().await.is_empty(), "the next one sees what their own watches tell");
    world.tell(all(vec![waits("r", &["get"]), request("own", "oidc:mo", json!({"phase": "Active"}))])).await;
    assert_eq!((world.one("r").await.decide, world.one("own").await.own), (Decide::Yes, true));
    assert!(world.approvals.asks().waiting.is_empty(), "what waited when they came is not news to them");
}

#[tokio::test(start_paused = true)]
async fn one_that_begins_to_follow_a_sign_in_that_is_over_keeps_nothing() {
    let world = World::lee(Vec::new()).await;
    let signed = world.desk.sits().unwrap();
    world.leave().await;
    for _ in 0..20 {
        world.approvals.clone().keep(signed.clone()).await;
        assert!(world.approvals.open().is_empty(), "what would clear it has been here");
    }
}
