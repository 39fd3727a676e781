//! What is counted of a person's day, by a broker that can and by one that can't (attack 20).

use crate::refusals::make_profile;
use crate::world::{CLUSTER, eventually, world};
use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use kube::Api;
use kube::api::DeleteParams;
use sallyport_api::AccessCluster;
use sallyport_model::Phase;
use sallyport_testkit::broker::BrokerOptions;
use serde_json::json;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);

/// Six asks at once where two a day open without people: the workers decide one after the other, and each counts the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_20_what_is_asked_for_in_one_instant_is_decided_one_after_the_other() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
        "approvals": 1, "maxPerDay": "1h", "autoApprovals": [{"name": "seldom", "perDay": 2}]});
    let profiles = make_profile(world, "seldom", spec).await?;
    // All of them are there before anybody decides.
    let asked = try_join_all((0..6).map(|_| ann.ask(world, "seldom", &["payments"]))).await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let mut seen = Vec::new();
    eventually("all are decided or wait", WITHIN, async || {
        let all = try_join_all(asked.iter().map(|one| ann.hub.request(&one.which))).await?;
        seen = all.into_iter().map(|request| (request.phase(), request.status.unwrap_or_default())).collect();
        Ok(seen.iter().all(|(phase, status)| match phase {
            Phase::Pending => status.offer.is_some(),
            phase => *phase == Phase::Active,
        }))
    })
    .await
    .with_context(|| broker.log())?;
    let open = seen.iter().filter(|(phase, _)| *phase == Phase::Active);
    let saw: Vec<String> =
        open.filter_map(|(_, status)| Some(status.auto_approval.as_ref()?.saw.clone())).collect();
    ensure!(
        saw.len() == 2
            && saw.iter().any(|saw| saw == "1 of 2 within 24 hours")
            && saw.iter().any(|saw| saw == "2 of 2 within 24 hours"),
        "{saw:?}"
    );
    let waits = seen.iter().filter(|(phase, _)| *phase == Phase::Pending);
    let told: Vec<String> = waits.filter_map(|(_, status)| status.message.clone()).collect();
    ensure!(
        told.len() == 4
            && told.iter().all(|told| told
                == "waiting for approvals: 0 of 1; seldom: it was met 2 of 2 times within 24 hours"),
        "{told:?}"
    );
    let left =
        seen.iter().all(|(_, status)| status.offer.as_ref().is_some_and(|offer| offer.left_today.is_some()));
    ensure!(left, "what is left stands in each offer");
    for one in &asked {
        ann.leave(one).await?;
    }
    profiles.delete("seldom", &DeleteParams::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_20_a_broker_that_forgets_too_soon_refuses_to_count_and_says_so() -> Result<()> {
    let (world, _turn) = world().await?;
    let ann = world.ann()?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
        "maxPerDay": "2h"});
    let profiles = make_profile(world, "counted", spec).await?;
    let _broker = world.broker(BrokerOptions::default().flag("--retention=47h59m")).await?;
    let asked = ann.ask(world, "counted", &["payments"]).await?;
    let said = ann.end_of(&asked).await?;
    let why =
        "profile counted counts a person's time per day, and the broker keeps closed requests for 47h59m";
    ensure!(said.starts_with(&format!("Failed: {why}")), "{said}");
    let clusters: Api<AccessCluster> = Api::all(world.hub.admin()?);
    eventually("the report", WITHIN, async || {
        let status = clusters.get_opt(CLUSTER).await?.and_then(|cluster| cluster.status);
        let reports = status.map(|status| status.profiles).unwrap_or_default();
        let refused = reports.into_iter().find(|one| one.name == "counted").and_then(|one| one.refused);
        Ok(refused.is_some_and(|refused| refused.starts_with(why)))
    })
    .await?;
    profiles.delete("counted", &DeleteParams::default()).await?;
    Ok(())
}
