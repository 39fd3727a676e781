//! What the watches tell, and what is shown of it.

use super::world::{World, all, cluster, gone, malformed, one_click, preview, profile};
use crate::person::tests::settled;
use sallyport_client::Fault;
use sallyport_hub::Change;
use sallyport_ipc::{HubLink, Way};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn nothing_is_known_before_the_first_list_and_each_change_is_taken_over() {
    let world = World::new().await;
    world.sign_in(0).await;
    let list = world.inventory.list().await.unwrap();
    assert!(list.clusters.is_empty() && list.as_of.is_none(), "it says that nobody has said anything");
    let (hub, of) = (&world.hubs[0], preview("get"));
    hub.clusters(all(vec![cluster("eu", &of)]));
    settled().await;
    assert_eq!((world.names().await, world.ways().await), (vec!["eu".to_owned()], vec![Way::Unknown]));
    assert!(world.inventory.list().await.unwrap().as_of.is_some());
    hub.clusters(Change::Put(cluster("us", &of)));
    hub.clusters(Change::Deleted(gone("eu")));
    hub.profiles(all(vec![profile("debug")]));
    settled().await;
    assert_eq!((world.names().await, world.ways().await), (vec!["us".to_owned()], vec![one_click()]));
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_a_newer_list_is_newer_still_and_what_a_list_lacks_is_gone() {
    let world = World::heard().await;
    let (hub, of) = (&world.hubs[0], preview("get"));
    hub.clusters(all(vec![cluster("us", &of)]));
    settled().await;
    assert_eq!(world.names().await, ["us"], "a list is all there is");
    hub.clusters(Change::Put(cluster("eu", &of)));
    settled().await;
    assert_eq!(world.names().await, ["eu", "us"]);
    hub.clusters(Change::Deleted(gone("ap")));
    settled().await;
    assert_eq!(world.names().await, ["eu", "us"], "what nobody knew of takes nothing along");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_nobody_can_read_goes_by_itself_and_is_told() {
    let world = World::heard().await;
    world.hubs[0].clusters(Change::Malformed(malformed("AccessCluster", "eu"), gone("eu")));
    settled().await;
    assert_eq!(world.names().await, ["us"], "what was known of it no longer holds");
    assert_eq!(world.ways().await, [one_click()], "and of the others it does");
    assert_eq!(world.problems().await, ["AccessCluster `eu`: it makes no sense"]);
    assert_eq!(world.desk.view().hub.link, HubLink::Live, "the hub answers");
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_away_changes_nothing_of_what_is_shown_but_that_it_is_away() {
    let world = World::heard().await;
    let before = world.inventory.list().await.unwrap();
    world.hubs[0].beat(Err(Fault::TimedOut));
    world.hubs[0].clusters(Change::Trouble(Fault::Unreachable("no route".into())));
    settled().await;
    world.hubs[0].profiles(Change::Trouble(Fault::TimedOut));
    settled().await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    let now = world.inventory.list().await.unwrap();
    assert_eq!(now.clusters, before.clusters, "a click is told by the ask itself that nobody answers");
    assert_eq!(now.as_of, before.as_of, "it says of when it is");
    let hub = world.desk.view().hub;
    assert_eq!(hub.link, HubLink::Down);
    assert!(hub.message.unwrap().contains("did not answer"));
    world.hubs[0].clusters(all(Vec::new()));
    settled().await;
    assert_eq!(world.desk.view().hub.link, HubLink::Live);
    assert!(world.names().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_first_list_waits_for_the_signs_of_life_and_no_longer_than_a_second() {
    let world = World::new().await;
    *world.hubs[0].beats.lock().unwrap() = None;
    world.sign_in(0).await;
    let begun = Instant::now();
    world.hubs[0].clusters(all(vec![cluster("eu", &preview("get"))]));
    while world.names().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = begun.elapsed();
    assert!((990..1100).contains(&took.as_millis()), "{took:?}");
    let silent = world.list().await[0].broker.silent;
    assert!(!silent, "that nobody was asked says nothing about a broker");
}

#[tokio::test(start_paused = true)]
async fn the_window_is_told_at_once_and_then_once_a_second() {
    let world = World::heard().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let hints = || world.desk.host.hints.load(Ordering::Relaxed);
    let before = hints();
    for _ in 0..50 {
        world.hubs[0].clusters(Change::Put(cluster("eu", &preview("get"))));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(hints() - before, 1, "at once");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(hints() - before, 2, "and once for all that came meanwhile");
}
