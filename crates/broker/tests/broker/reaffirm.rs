//! Still who they were, as the broker sees to it: with nobody's desktop but what it wrote.

use crate::refusals::make_profile;
use crate::world::{Person, digest_of, eventually, world};
use anyhow::{Result, ensure};
use kube::api::DeleteParams;
use sallyport_api::Reaffirmed;
use sallyport_model::{Limits, Phase};
use sallyport_testkit::broker::BrokerOptions;
use serde_json::json;
use std::time::{Duration, Instant};

/// Shows the hub this person's token.
async fn reaffirm(person: &Person, asked: &crate::world::Asked) -> Result<()> {
    let me = person.hub.whoami().await?;
    let word = Reaffirmed { issued: me.issued_at.unwrap_or_default(), groups: me.groups };
    person.hub.reaffirm(&asked.which, &word).await.map(drop).map_err(|refused| anyhow::anyhow!("{refused}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_what_is_asked_with_an_old_token_waits_for_a_newer_word_and_what_nobody_vouches_for_is_closed()
-> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
        "reaffirm": {"every": "5m", "grace": "1m"}});
    let profiles = make_profile(world, "vouched", spec).await?;
    // Every + grace are 360 s.
    let ann = world.with_token("ann", &["payments-dev"], 500)?;
    let asked = ann.ask(world, "vouched", &["payments"]).await?;
    let waits = eventually("it waits for a newer word", Duration::from_secs(60), async || {
        let request = ann.hub.request(&asked.which).await?;
        let status = request.status.clone().unwrap_or_default();
        let says = status.message.is_some_and(|said| said.contains("has not vouched for the requester"));
        Ok(says && request.phase() == Phase::Pending && status.offer.is_some_and(|o| o.reaffirm.is_some()))
    });
    waits.await?;
    let pending = ann.hub.request(&asked.which).await?;
    ensure!(world.left(&pending).await?.is_empty(), "nothing is granted on an old word");
    // A newer one that is too old as well changes nothing; one that is not opens it.
    reaffirm(&world.with_token("ann", &["payments-dev"], 400)?, &asked).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(ann.hub.request(&asked.which).await?.phase() == Phase::Pending, "it was granted on an old word");
    let begun = Instant::now();
    reaffirm(&world.with_token("ann", &["payments-dev"], 345)?, &asked).await?;
    let open = ann.until(&asked, Phase::Active).await?;
    // The same token again is no newer word.
    ensure!(
        reaffirm(&world.with_token("ann", &["payments-dev"], 400)?, &asked).await.is_err(),
        "an older one"
    );
    let said = ann.end_of(&asked).await?;
    let took = begun.elapsed();
    ensure!(said.starts_with("Revoked: closed because") && said.contains("has not vouched"), "{said}");
    ensure!(took > Duration::from_secs(11) && took < Duration::from_secs(60), "15 s were left, not {took:?}");
    ensure!(world.left(&open).await?.is_empty(), "something was left");
    ensure!(!broker.log().contains("eyJ"), "a token was logged");
    profiles.delete("vouched", &DeleteParams::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_who_is_disabled_while_their_request_waits_is_granted_nothing_whoever_says_yes() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
        "approvals": 1, "reaffirm": {"every": "5m", "grace": "1m"}});
    let profiles = make_profile(world, "vouched-slow", spec).await?;
    world
        .hub
        .allow("test:vouched-slow-leads", "oidc:payments-leads", &["approve"], &["vouched-slow"])
        .await?;
    // Every + grace are 360 s, of which few are left; the provider vouches for them no more.
    let (ann, lead) = (world.with_token("ann", &["payments-dev"], 350)?, world.lead()?);
    let asked = ann.ask(world, "vouched-slow", &["payments"]).await?;
    let digest = digest_of(&ann, &asked).await?;
    tokio::time::sleep(Duration::from_secs(15)).await;
    let me = lead.hub.whoami().await?;
    let now = jiff::Timestamp::now();
    lead.hub.approve(&asked.which, &me, &digest, &Limits::default(), now, None).await?;
    eventually("it says whom nobody vouches for", Duration::from_secs(60), async || {
        let status = ann.hub.request(&asked.which).await?.status.unwrap_or_default();
        let says = status.message.is_some_and(|said| said.contains("has not vouched for the requester"));
        Ok(says && status.approvals.len() == 1)
    })
    .await?;
    // Nor in the seconds after: a yes is no word of the provider.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let request = ann.hub.request(&asked.which).await?;
    ensure!(request.phase() == Phase::Pending, "{:?}", request.status);
    ensure!(request.status.as_ref().is_some_and(|status| status.jtis.is_empty()), "a token was minted");
    ensure!(world.left(&request).await?.is_empty(), "something was granted");
    ann.leave(&asked).await?;
    profiles.delete("vouched-slow", &DeleteParams::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_who_may_not_ask_any_more_loses_what_is_open_and_what_waits() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default().flag("--rights-asked=1s")).await?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h"});
    let at_once = make_profile(world, "taken-away", spec.clone()).await?;
    let mut slow = spec;
    slow["approvals"] = json!(1);
    make_profile(world, "taken-away-too", slow).await?;
    let ann = world.ann()?;
    let (open, waits) = (
        ann.ask(world, "taken-away", &["payments"]).await?,
        ann.ask(world, "taken-away-too", &["payments"]).await?,
    );
    let other = ann.open(world).await?.0;
    let request = ann.until(&open, Phase::Active).await?;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    ensure!(ann.hub.request(&open.which).await?.phase() == Phase::Active, "who may ask keeps what is open");
    let rights = ["delete", "clusterrolebinding", "test:taken-away", "test:taken-away-too"];
    world.hub.kubectl().ok(&rights).await?;
    let said = ann.end_of(&open).await?;
    ensure!(
        said.starts_with("Revoked: closed because its requester may not ask under profile taken-away "),
        "{said}"
    );
    ensure!(world.left(&request).await?.is_empty(), "something was left");
    let said = ann.end_of(&waits).await?;
    ensure!(said.starts_with("Denied: its requester may not ask"), "{said}");
    ensure!(
        ann.hub.request(&other.which).await?.phase() == Phase::Active,
        "another profile is another question"
    );
    ann.leave(&other).await?;
    for name in ["taken-away", "taken-away-too"] {
        at_once.delete(name, &DeleteParams::default()).await?;
    }
    Ok(())
}
