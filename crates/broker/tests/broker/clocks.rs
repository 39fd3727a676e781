//! A target whose clock is another than the hub's.

use crate::world::{CLUSTER, World, eventually, world};
use anyhow::{Result, ensure};
use kube::Api;
use sallyport_api::AccessCluster;
use sallyport_testkit::another_clock::AnotherClock;
use sallyport_testkit::broker::BrokerOptions;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);

/// Waits until the report says of every profile that the clocks are apart, or of none.
async fn reported(world: &World, apart: bool) -> Result<()> {
    let clusters: Api<AccessCluster> = Api::all(world.hub.admin()?);
    eventually("the report on the clocks", WITHIN, async || {
        let status = clusters.get(CLUSTER).await?.status.unwrap_or_default();
        let says = |why: &Option<String>| why.as_deref().is_some_and(|why| why.contains("30 s apart"));
        let profiles = status.profiles;
        Ok(!profiles.is_empty() && profiles.iter().all(|profile| says(&profile.refused) == apart))
    })
    .await
    .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_nothing_is_granted_while_the_clocks_of_hub_and_target_are_far_apart() -> Result<()> {
    let (world, _turn) = world().await?;
    let clock = AnotherClock::before(&world.target).await?;
    clock.set_ahead(20);
    let enrolled = world.enrolled.reached_at(clock.url(), clock.ca_pem());
    let _broker = world.broker_of(&enrolled, BrokerOptions::default().flag("--heartbeat=1s")).await?;
    let ann = world.ann()?;
    let (asked, _) = ann.open(world).await?;
    ann.leave(&asked).await?;
    for ahead in [90, -90] {
        clock.set_ahead(ahead);
        reported(world, true).await?;
        let asked = ann.ask(world, "debug", &["payments"]).await?;
        let said = ann.end_of(&asked).await?;
        // Read to the second, and between two readings some may pass.
        let named = (80..=100).any(|seconds| said.contains(&format!("are {seconds} s apart")));
        ensure!(named && said.contains("at most 30 s"), "{ahead}: {said}");
        let request = ann.hub.request(&asked.which).await?;
        ensure!(world.left(&request).await?.is_empty(), "something was left");
    }
    clock.set_ahead(0);
    reported(world, false).await?;
    let (asked, _) = ann.open(world).await?;
    ann.leave(&asked).await.map(drop)
}
