//! Two teams, and two sign-ins after each other: nothing of one at the other.

use super::world::{World, all, cluster, preview, profile};
use crate::person::tests::{file, settled, workspace};
use sallyport_hub::Change;
use sallyport_ipc::HubLink;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn what_is_told_after_the_sign_out_is_not_shown() {
    let world = World::heard().await;
    world.sign_out().await;
    let of = preview("get");
    settled().await;
    assert!(!world.hubs[0].clusters(all(vec![cluster("eu", &of)])), "nobody listens any more");
    // One that was on its way.
    world.inventory.take(&world.first(), all(vec![cluster("eu", &of)]), |known| &mut known.clusters, true);
    assert!(world.names().await.is_empty() && world.inventory.list().await.unwrap().as_of.is_none());
    assert_eq!(world.desk.view().hub.link, HubLink::Idle, "nor does it say how the hub is");
    world.sign_in(0).await;
    assert!(world.names().await.is_empty(), "the next one sees what their own watches tell");
    world.hubs[0].clusters(all(vec![cluster("ap", &of)]));
    settled().await;
    assert_eq!(world.names().await, ["ap"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_begins_to_follow_a_sign_in_that_is_over_keeps_nothing() {
    let world = World::heard().await;
    let signed = world.desk.sits().unwrap();
    world.sign_out().await;
    for _ in 0..20 {
        world.inventory.clone().keep(signed.clone()).await;
        assert!(world.inventory.known.read().unwrap().is_empty(), "what would clear it has been here");
    }
}

#[tokio::test(start_paused = true)]
async fn one_teams_clusters_are_never_anothers() {
    let world = World::heard().await;
    // Of the first, everything stays known, as if its end had been missed.
    let ada = world.desk.sits().unwrap();
    world.desk.sign_out().await.unwrap();
    world.desk.person.join(&file(1)).await.unwrap();
    assert!(world.names().await.is_empty(), "in front is another team");
    assert!(world.inventory.detail("eu".into()).await.is_err());
    world.sign_in(1).await;
    let of = preview("list");
    world.hubs[1].clusters(all(vec![cluster("eu", &of), cluster("ap", &of)]));
    world.hubs[1].profiles(all(vec![profile("debug")]));
    settled().await;
    assert_eq!(world.names().await, ["ap", "eu"]);
    world.hubs[1].clusters(Change::Deleted(super::world::gone("eu")));
    settled().await;
    let first = world.inventory.known(&world.first(), |known| known.clusters.len());
    assert_eq!(first, 2, "the same name at another hub is another cluster");
    assert_eq!(world.names().await, ["ap"]);
    world.inventory.clear(&world.first());
    assert_eq!(world.names().await, ["ap"], "and the end of one clears one");
    assert!(ada.stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn what_could_be_asked_for_at_one_team_is_read_from_that_teams_hub_whatever_is_in_front() {
    let world = World::heard().await;
    world.hubs[0].previews.lock().unwrap().insert("eu".into(), preview("get"));
    let (ada, eu) = (world.desk.sits().unwrap(), "eu".parse().unwrap());
    world.desk.person.forget(&ada, &[], &[]).await.unwrap();
    world.desk.person.join(&file(1)).await.unwrap();
    world.sign_in(1).await;
    world.hubs[1].previews.lock().unwrap().insert("eu".into(), preview("delete"));
    world.hubs[1].clusters(all(vec![cluster("eu", &preview("delete"))]));
    world.hubs[1].profiles(all(vec![profile("debug")]));
    settled().await;
    world.inventory.detail("eu".into()).await.unwrap();
    let candidates = world.inventory.candidates(&ada, &eu).await;
    assert_eq!(format!("{:?}", candidates[0].rules[0].verbs), "[\"get\"]");
    let bob = world.desk.person.is_signed_in_at(&workspace(1).id()).unwrap();
    let candidates = world.inventory.candidates(&bob, &eu).await;
    assert_eq!(format!("{:?}", candidates[0].rules[0].verbs), "[\"delete\"]");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_was_about_to_be_looked_for_is_nobodys_after_the_sign_out() {
    let world = World::heard().await;
    world.hubs[0].beat(Ok(Vec::new()));
    tokio::time::sleep(Duration::from_secs(145)).await;
    world.hubs[0].clusters(Change::Put(cluster("eu", &preview("get"))));
    settled().await;
    world.sign_out().await;
    let looked_for = world.hubs[0].looked_for.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.hubs[0].looked_for.lock().unwrap().len(), looked_for);
}
