use crate::world::{ended, eventually, get, grant_name, no_token_in, world};
use anyhow::{Result, ensure};
use kube::Api;
use kube::api::PostParams;
use sallyport_api::AccessGrant;
use sallyport_model::Phase;
use sallyport_testkit::broker::BrokerOptions;
use sallyport_testkit::repository::deploy;
use std::time::Duration;
use tokio::time::Instant;

const PODS: &str = "/api/v1/namespaces/payments/pods";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_10_a_broker_out_of_touch_with_the_hub_closes_its_grants() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default().flag("--hub-silence=4s")).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    let sealed = ann.unseal(&asked, &request)?;
    world.hub.stop_apiserver();
    let start = Instant::now();
    let gone =
        eventually("a refusal", Duration::from_secs(60), async || Ok(get(&sealed, PODS).await? == 403)).await;
    println!("hub down to first 403: {} ms", start.elapsed().as_millis());
    world.hub.start_apiserver().await?;
    gone?;
    ensure!(start.elapsed() > Duration::from_secs(3), "it closed before the silence was long enough");
    // An API server that has just started refuses for up to 30 s whatever a policy with a parameter judges, and the broker
    // tries again ever more seldom.
    let closed = ann.until_within(&asked, Phase::Closed, Duration::from_secs(100)).await?;
    let said = ended(&closed);
    ensure!(said.starts_with("Revoked:"), "{said}");
    ensure!(world.left(&request).await?.is_empty());
    no_token_in(&broker.log())
}

/// An answer is not contact: here the hub answers, and lets the broker read nothing of its own any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_10_a_broker_that_the_hub_no_longer_lets_in_closes_its_grants() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default().flag("--hub-silence=4s")).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    let sealed = ann.unseal(&asked, &request)?;
    let binding = ["clusterrolebinding", "sallyport:broker-hub"];
    let deploy = deploy("hub");
    world.hub.kubectl().ok(&["delete", binding[0], binding[1]]).await?;
    let gone =
        eventually("a refusal", Duration::from_secs(60), async || Ok(get(&sealed, PODS).await? == 403)).await;
    world.hub.apply_kustomize(&deploy).await?;
    println!("let in no more to first 403: {} ms", gone?.as_millis());
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Revoked:"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_short_outage_of_the_hub_closes_nothing() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    let sealed = ann.unseal(&asked, &request)?;
    world.hub.stop_apiserver();
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.hub.start_apiserver().await?;
    ensure!(get(&sealed, PODS).await? == 200);
    ensure!(ann.hub.request(&asked.which).await?.phase() == Phase::Active);
    let start = Instant::now();
    let said = ann.leave(&asked).await?;
    println!("left after an outage of the hub: Closed in {} ms", start.elapsed().as_millis());
    ensure!(said.starts_with("Left:"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_leaving_while_the_target_is_down_is_made_up_for() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let (asked, request) = ann.open(world).await?;
    world.target.stop_apiserver();
    ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let waiting = ann.hub.request(&asked.which).await?;
    ensure!(waiting.phase() == Phase::Active, "it was called closed with nothing removed");
    world.target.start_apiserver().await?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Left:"), "{said}");
    ensure!(world.left(&request).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_asking_while_the_target_hangs_opens_once_it_answers() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let (warm, _) = ann.open(world).await?;
    ann.leave(&warm).await?;
    world.target.pause()?;
    let asked = ann.ask(world, "debug", &["payments"]).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.target.resume()?;
    let request = ann.until(&asked, Phase::Active).await?;
    ensure!(world.accounts_ever(&request)?.len() == 1);
    ensure!(get(&ann.unseal(&asked, &request)?, PODS).await? == 200);
    ann.leave(&asked).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_brokers_have_one_lease_and_the_second_takes_over() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    let quick = || BrokerOptions::default().flag("--lease-duration=8s").flag("--lease-renew=1s");
    let first = world.broker(quick().identity("broker-1")).await?;
    let (asked, request) = ann.open(world).await?;
    let second = world.broker(quick().identity("broker-2")).await?;
    // Longer than a lease that nobody renews lasts, and one lasts longer than a busy machine keeps its holder waiting.
    tokio::time::sleep(Duration::from_secs(9)).await;
    ensure!(!second.log().contains("serving"), "two leaders at once");
    let (other, _) = ann.open(world).await?;
    first.kill();
    let start = Instant::now();
    let said = ann.leave(&asked).await?;
    println!("leader killed to Closed by the other: {} ms", start.elapsed().as_millis());
    ensure!(said.starts_with("Left:"), "{said}");
    ensure!(world.left(&request).await?.is_empty());
    ensure!(second.log().contains("serving"));
    // The first one back is no leader and does not disturb.
    first.restart().await?;
    ensure!(ann.leave(&other).await?.starts_with("Left:"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_what_has_no_request_is_removed_at_the_start() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    let grants: Api<AccessGrant> = Api::all(world.target.client_with_token(world.enrolled.target_token())?);
    let orphan: AccessGrant = serde_json::from_value(serde_json::json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "metadata": {"name": "g-orphan1234"},
        "spec": {"request": {"namespace": "team-payments", "name": "never-was", "uid": "00000000-0000-4000-8000-000000000000"},
            "user": "oidc:nobody", "duration": "15m", "profile": "debug", "profileRevision": "aa/1",
            "roles": ["sallyport:debug"], "namespaces": ["payments"], "offer": "0".repeat(64)},
    }))?;
    grants.create(&PostParams::default(), &orphan).await?;
    // A session closed on the hub while no broker was there: withdrawn, then the broker comes back.
    let broker = world.broker(BrokerOptions::default()).await?;
    eventually("its removal", Duration::from_secs(60), async || {
        Ok(grants.get_opt("g-orphan1234").await?.is_none())
    })
    .await?;
    let (asked, request) = ann.open(world).await?;
    broker.kill();
    ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    ensure!(grants.get_opt(&grant_name(&request)).await?.is_some());
    broker.restart().await?;
    let said = ann.end_of(&asked).await?;
    ensure!(said.starts_with("Left:"), "{said}");
    ensure!(world.left(&request).await?.is_empty());
    Ok(())
}
