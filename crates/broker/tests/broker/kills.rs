use crate::world::{eventually, get, no_token_in, world};
use anyhow::{Context, Result, ensure};
use sallyport_model::Phase;
use sallyport_testkit::broker::BrokerOptions;
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/payments/pods";

/// Offer, grant, record, account, token, binding, JTI, the grant's status, Active: whichever write was the last one,
/// the next broker goes on to the same account and the same end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_broker_killed_after_any_write_of_the_way_in_is_taken_up_where_it_was() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    for writes in 1..=10 {
        let asked = ann.ask(world, "debug", &["payments"]).await?;
        let options = BrokerOptions { exit_after_writes: Some(writes), ..BrokerOptions::default() };
        let broker = world.broker(options).await?;
        let died = eventually("its death", Duration::from_secs(60), async || {
            Ok(!broker.runs() || ann.hub.request(&asked.which).await?.phase() == Phase::Active)
        })
        .await;
        let log = broker.log();
        died.with_context(|| log.clone())?;
        let died = !broker.runs();
        // Once more in the same place, then for good.
        broker.restart_with(Some(1)).await?;
        eventually("its second death", Duration::from_secs(60), async || {
            Ok(!broker.runs() || ann.hub.request(&asked.which).await?.phase() == Phase::Active)
        })
        .await?;
        broker.restart().await?;
        let request = ann.until(&asked, Phase::Active).await.with_context(|| broker.log())?;
        let ever = world.accounts_ever(&request)?;
        let status = request.status.clone().context("a status")?;
        let record = status.grant.context("a record")?;
        println!(
            "killed after write {writes} ({}): {} token(s) minted",
            if died { "died" } else { "done before" },
            status.jtis.len()
        );
        ensure!(
            ever == [record.account.clone()],
            "after write {writes}: {ever:?}, recorded {}",
            record.account
        );
        let sealed = ann.unseal(&asked, &request)?;
        ensure!(status.jtis.contains(&sealed.jti.to_string()), "the token in the seal is not on record");
        ensure!(get(&sealed, PODS).await? == 200);
        let said = ann.leave(&asked).await?;
        ensure!(said.starts_with("Left:"), "{said}");
        ensure!(
            world.left(&request).await?.is_empty(),
            "after write {writes}: {:?}",
            world.left(&request).await?
        );
        no_token_in(&broker.log())?;
    }
    Ok(())
}

/// Two bindings, the account, the grant, the end on the hub.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_broker_killed_after_any_write_of_the_way_out_leaves_nothing_in_the_end() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    for writes in 1..=5 {
        let broker = world.broker(BrokerOptions::default()).await?;
        let asked = ann.ask(world, "debug", &["payments", "checkout"]).await?;
        let request = ann.until(&asked, Phase::Active).await?;
        let sealed = ann.unseal(&asked, &request)?;
        broker.restart_with(Some(writes)).await?;
        ann.hub.withdraw(&asked.which).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
        eventually("its death", Duration::from_secs(60), async || {
            Ok(!broker.runs() || ann.hub.request(&asked.which).await?.phase() == Phase::Closed)
        })
        .await?;
        broker.restart().await?;
        let said = ann.end_of(&asked).await?;
        ensure!(said.starts_with("Left:"), "{said}");
        ensure!(
            world.left(&request).await?.is_empty(),
            "after write {writes}: {:?}",
            world.left(&request).await?
        );
        ensure!(matches!(get(&sealed, PODS).await?, 401 | 403));
    }
    Ok(())
}
