//! `bench hub_idle`: what an idle hub costs: 90 brokers that beat, 400 desktops that look on, nobody who opens anything.
//!
//! One real hub (etcd, kube-apiserver, controllers). Each broker is what a broker does there while nothing happens, by the
//! functions it does it with: its two watches, at every beat the look at its own requests and its sign of life, its report and
//! preview once. Each desktop is what a signed-in desktop does, by the functions its inventory uses: the watches of clusters
//! and profiles, the question of what it may ask for, the list of signs of life at its interval. Desktops reach the hub
//! through a relay on loopback that counts what goes through it: TLS included, TCP and IP headers not.
//!
//! Afterwards the old way, for comparison: 90 objects of the size an AccessCluster had with its previews, each written anew
//! every 30 s, and a few desktops that watch them all.

mod brokers;
mod cost;
mod desktops;
mod reports;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use cost::{Cost, Relay};
use desktops::Desktops;
use sallyport_testkit::broker::install_hub;
use sallyport_testkit::repository::deploy;
use sallyport_testkit::{Plane, PlaneOptions};
use std::time::Duration;

/// What every call may take; many begin at one moment here.
const DEADLINE: Duration = Duration::from_secs(30);
/// As a broker beats in the product.
const BEAT: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Size {
    /// Clusters, each with a broker.
    #[arg(long, default_value_t = 90)]
    clusters: usize,
    /// Desktops.
    #[arg(long, default_value_t = 400)]
    desktops: usize,
    /// How long is measured, in seconds; at least two of a desktop's looks.
    #[arg(long, default_value_t = 240)]
    seconds: u64,
    /// Desktops that watch the old way, for as long as three beats.
    #[arg(long, default_value_t = 20)]
    old_desktops: usize,
}

fn main() -> Result<()> {
    let size = Size::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&size))
}

async fn run(size: &Size) -> Result<()> {
    let hub = Plane::start(PlaneOptions::new("hub")).await?;
    install_hub(&hub).await?;
    hub.apply_kustomize(&deploy("demo")).await?;
    hub.make_profiles(&deploy("demo/profiles")).await?;
    let brokers = brokers::enrol(&hub, size.clusters).await?;
    let token = desktops::token(&hub).await?;

    let (status, preview) = reports::of(brokers.first().context("a broker")?)?;
    let light = serde_json::to_string(&status)?.len();
    let heavy = serde_json::to_string(&preview)?.len();
    println!("a report is {light} bytes, its preview {heavy} bytes");
    let beats = brokers::begin(&brokers, BEAT).await?;
    let relay = Relay::start(hub.url()).await?;
    let desktops = Desktops::begin(&hub, &relay, &token, size.desktops)?;
    desktops.settled(size.clusters, Duration::from_secs(180)).await?;
    // The first lists are through; what is left of their garbage and queues is not the idle hub's.
    tokio::time::sleep(BEAT).await;

    let before = Cost::now(&relay)?;
    let looks = desktops.looks();
    tokio::time::sleep(Duration::from_secs(size.seconds)).await;
    let spent = Cost::now(&relay)?.since(&before);
    ensure!(beats.failed() == 0, "{} beats or looks of brokers failed", beats.failed());
    ensure!(desktops.failed() == 0, "{} lists of desktops failed", desktops.failed());
    let each = spent.kb_per_min() / size.desktops as f64;
    println!(
        "{} desktops, {} clusters, {} s: {:.1} kB for each desktop and minute ({:.2} lists of the signs of life), {:.3} MB/s from \
         the hub; kube-apiserver {:.3} and etcd {:.3} CPUs of {}",
        size.desktops,
        size.clusters,
        size.seconds,
        each,
        (desktops.looks() - looks) as f64 / spent.minutes() / size.desktops as f64,
        spent.kb_per_min() / 60_000.0,
        spent.apiserver,
        spent.etcd,
        std::thread::available_parallelism()?,
    );
    drop(desktops);

    let old = old_way(&hub, &token, &brokers, size).await?;
    println!(
        "the old way, {} desktops that watch {} objects of {heavy} bytes, each written every {} s: {:.0} kB for each desktop and \
         minute, {:.3} CPUs; at {} desktops that would be {:.1} MB/s",
        size.old_desktops,
        size.clusters,
        BEAT.as_secs(),
        old.0,
        old.1,
        size.desktops,
        old.0 * size.desktops as f64 / 60_000.0,
    );
    println!(
        "bench hub_idle kb_per_desktop_min={each:.1} hub_cpu={:.3} old_kb_per_desktop_min={:.0} old_desktops={} old_hub_cpu={:.3}",
        spent.apiserver + spent.etcd,
        old.0,
        size.old_desktops,
        old.1,
    );
    Ok(())
}

/// kB for each desktop and minute, and CPUs of the hub, as it was before.
async fn old_way(hub: &Plane, token: &str, brokers: &[brokers::Enrolled], size: &Size) -> Result<(f64, f64)> {
    let relay = Relay::start(hub.url()).await?;
    let watching = desktops::old(hub, &relay, token, size.old_desktops)?;
    let writing = brokers::old(brokers, BEAT);
    watching.settled(size.clusters, Duration::from_secs(60)).await?;
    tokio::time::sleep(BEAT).await;
    let before = Cost::now(&relay)?;
    tokio::time::sleep(BEAT * 3).await;
    let spent = Cost::now(&relay)?.since(&before);
    ensure!(writing.failed() == 0, "{} writes of the old way failed", writing.failed());
    Ok((spent.kb_per_min() / size.old_desktops as f64, spent.apiserver + spent.etcd))
}
