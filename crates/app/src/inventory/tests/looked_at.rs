//! What is read for the cluster in view alone.

use super::world::{World, cluster, preview};
use crate::person::tests::{ended, settled, until};
use sallyport_api::AccessPreviewSpec;
use sallyport_client::Fault;
use sallyport_hub::Change;
use sallyport_ipc::{ErrorCode, Rights};
use std::time::Duration;
use tokio::time::Instant;

fn has(world: &World, name: &str, preview: AccessPreviewSpec) {
    world.hubs[0].previews.lock().unwrap().insert(name.to_owned(), preview);
}

/// What the profile allows there, as shown: the rights, or why they are not known.
async fn rights(world: &World, name: &str) -> Result<usize, String> {
    match world.inventory.detail(name.into()).await.unwrap().profiles.remove(0).rights {
        Rights::Known { rights, .. } => Ok(rights.len()),
        Rights::Unknown { why } => Err(why.to_string()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_is_read_for_the_cluster_in_view_once_and_again_when_its_broker_names_another() {
    let world = World::heard().await;
    for name in ["eu", "us"] {
        has(&world, name, preview("get"));
    }
    assert!(world.hubs[0].previewed().is_empty(), "nobody looks");
    assert_eq!((rights(&world, "eu").await, rights(&world, "eu").await), (Ok(1), Ok(1)));
    assert_eq!(world.hubs[0].previewed(), ["eu"]);
    has(&world, "eu", preview("list"));
    world.hubs[0].clusters(Change::Put(cluster("eu", &preview("list"))));
    settled().await;
    assert_eq!(world.hubs[0].previewed(), ["eu"], "a change is read when somebody looks");
    assert_eq!(rights(&world, "eu").await, Ok(1));
    assert_eq!(world.hubs[0].previewed(), ["eu", "eu"]);
}

#[tokio::test(start_paused = true)]
async fn a_preview_that_is_not_the_named_one_shows_nothing() {
    let world = World::heard().await;
    has(&world, "eu", preview("list"));
    let why = rights(&world, "eu").await.unwrap_err();
    assert!(why.contains("just reporting something else"), "{why}");
    world.hubs[0].clusters(Change::Put(cluster("eu", &preview("list"))));
    settled().await;
    assert_eq!(rights(&world, "eu").await, Ok(1));
    assert_eq!(world.hubs[0].previewed().len(), 1, "it was read already");
}

#[tokio::test(start_paused = true)]
async fn who_looks_waits_three_seconds_at_most_and_not_at_all_while_the_hub_is_away() {
    let world = World::heard().await;
    has(&world, "eu", preview("get"));
    let answers = world.hubs[0].gate.lock().await;
    let begun = Instant::now();
    let why = rights(&world, "eu").await.unwrap_err();
    assert!(why.contains("did not answer in time") && begun.elapsed().as_secs() == 3, "{why}");
    drop(answers);
    world.hubs[0].clusters(Change::Trouble(Fault::TimedOut));
    settled().await;
    let (begun, reads) = (Instant::now(), world.hubs[0].previewed().len());
    let why = rights(&world, "eu").await.unwrap_err();
    assert!(why.contains("read when the hub is back") && begun.elapsed() < Duration::from_secs(1), "{why}");
    assert_eq!(world.hubs[0].previewed().len(), reads);
    world.hubs[0].clusters(Change::Put(cluster("us", &preview("get"))));
    settled().await;
    assert_eq!(rights(&world, "eu").await, Ok(1));
    world.hubs[0].clusters(Change::Trouble(Fault::TimedOut));
    settled().await;
    assert_eq!(rights(&world, "eu").await, Ok(1), "what was read goes on being so");
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_sign_out_is_not_kept() {
    let world = World::heard().await;
    has(&world, "eu", preview("get"));
    let answers = world.hubs[0].gate.lock().await;
    let inventory = world.inventory.clone();
    let looking = tokio::spawn(async move { inventory.detail("eu".into()).await });
    until("it is read", || !world.hubs[0].previewed().is_empty()).await;
    world.sign_out().await;
    drop(answers);
    assert_eq!(ended(looking).await.unwrap_err().code(), ErrorCode::BadInput, "there is no such cluster now");
    let kept = world.inventory.known.read().unwrap().len();
    assert_eq!(kept, 0);
}
