//! Which brokers are alive, by signs of life that are listed and read.

use super::world::{World, beat, cluster, one_click, preview};
use crate::desk::now_ms;
use crate::person::tests::settled;
use sallyport_client::Fault;
use sallyport_hub::Change;
use sallyport_ipc::{HubLink, Way};
use std::sync::atomic::Ordering;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn listed(world: &World) -> usize {
    world.hubs[0].listed.load(Ordering::Relaxed)
}

/// What is shown of the brokers of both clusters: silent or not, and seen so many seconds ago.
async fn brokers(world: &World) -> Vec<(bool, Option<i64>)> {
    let brokers = world.list().await.into_iter().map(|cluster| cluster.broker);
    brokers.map(|broker| (broker.silent, broker.seen_at.map(|at| (now_ms() - at) / 1000))).collect()
}

#[tokio::test(start_paused = true)]
async fn an_old_beat_is_silence_by_the_hubs_clock_and_none_is_nobody_to_ask() {
    let world = World::heard().await;
    world.hubs[0].beat(Ok(vec![beat("eu", 91 * SECOND)]));
    tokio::time::sleep(145 * SECOND).await;
    assert_eq!(brokers(&world).await, [(true, Some(91)), (true, None)]);
    assert_eq!(world.ways().await, [one_click(), Way::Unknown], "one that was never there grants nothing");
    // Older than any clock, and of this moment: a date in the future is none, or as good as the present (`sallyport_hub`).
    world.hubs[0].beat(Ok(vec![beat("eu", Duration::MAX), beat("us", Duration::ZERO)]));
    tokio::time::sleep(145 * SECOND).await;
    let seen: Vec<Option<i64>> = world.list().await.iter().map(|cluster| cluster.broker.seen_at).collect();
    assert!(seen[0].unwrap() < 0 && seen[1].unwrap() <= now_ms(), "{seen:?}");
    assert!(!world.list().await[1].broker.silent);
}

#[tokio::test(start_paused = true)]
async fn they_are_listed_every_two_minutes_and_a_hub_that_is_away_is_looked_for_sooner() {
    let world = World::heard().await;
    let before = listed(&world);
    tokio::time::sleep(600 * SECOND).await;
    assert!((4..=6).contains(&(listed(&world) - before)), "{}", listed(&world) - before);
    world.hubs[0].clusters(Change::Trouble(Fault::TimedOut));
    settled().await;
    assert_eq!(world.desk.view().hub.link, HubLink::Down);
    let before = listed(&world);
    tokio::time::sleep(16 * SECOND).await;
    assert!(listed(&world) > before, "within 5 s until it is noticed, and 7.5 s");
    assert_eq!(world.desk.view().hub.link, HubLink::Live, "it answers, and its watches say nothing else");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_refused_stays_refused_whatever_else_the_hub_answers() {
    let world = World::heard().await;
    world.hubs[0].profiles(Change::Trouble(Fault::Forbidden("watch".into())));
    let before = listed(&world);
    tokio::time::sleep(300 * SECOND).await;
    assert!(listed(&world) > before);
    assert_eq!(world.desk.view().hub.link, HubLink::Down);
}

#[tokio::test(start_paused = true)]
async fn that_nobody_may_list_them_is_told_once_and_says_nothing_of_the_brokers() {
    let world = World::heard().await;
    world.hubs[0].beat(Err(Fault::Forbidden("leases".into())));
    tokio::time::sleep(300 * SECOND).await;
    let problems = world.problems().await;
    assert!(problems.len() == 1 && problems[0].contains("which brokers are alive"), "{problems:?}");
    assert_eq!(world.ways().await, [one_click(), one_click()]);
    world.hubs[0].beat(Err(Fault::TimedOut));
    tokio::time::sleep(300 * SECOND).await;
    assert!(world.problems().await.is_empty(), "what may pass is nobody's to mend");
    assert_eq!(world.ways().await, [one_click(), one_click()]);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_reports_though_it_was_silent_is_looked_for_once() {
    let world = World::heard().await;
    world.hubs[0].beat(Ok(vec![beat("us", Duration::ZERO)]));
    tokio::time::sleep(145 * SECOND).await;
    assert_eq!(brokers(&world).await[0], (true, None));
    let looked_for = || world.hubs[0].looked_for.lock().unwrap().clone();
    let before = looked_for().len();
    world.hubs[0].beat(Ok(vec![beat("eu", Duration::ZERO), beat("us", Duration::ZERO)]));
    for _ in 0..5 {
        world.hubs[0].clusters(Change::Put(cluster("eu", &preview("get"))));
        world.hubs[0].clusters(Change::Put(cluster("us", &preview("get"))));
    }
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(looked_for()[before..], ["eu"], "the other one was not silent");
    assert_eq!(brokers(&world).await[0], (false, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_of_one_broker_leaves_what_is_known() {
    let world = World::heard().await;
    world.hubs[0].beat(Err(Fault::TimedOut));
    let before = brokers(&world).await;
    assert!(world.inventory.detail("eu".into()).await.is_ok());
    assert_eq!(*world.hubs[0].looked_for.lock().unwrap(), ["eu"]);
    assert_eq!(brokers(&world).await, before);
    world.hubs[0].beat(Ok(Vec::new()));
    assert!(
        world.inventory.detail("eu".into()).await.unwrap().cluster.broker.silent,
        "that there is none is an answer"
    );
}
