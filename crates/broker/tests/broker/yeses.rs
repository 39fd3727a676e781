//! What a yes is worth once it was taken.

use crate::refusals::make_profile;
use crate::world::{eventually, world};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use sallyport_model::{Digest, Limits, Phase};
use sallyport_testkit::broker::BrokerOptions;
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const PROFILE: &str = "two-yeses";

/// As docs/threat-model.md says: admission asked as the yes was given, and a broker can't ask again for somebody's groups, of
/// which an approval knows nothing. What they say from then on is worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_a_yes_stands_though_its_giver_loses_the_right_before_the_grant() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(BrokerOptions::default()).await?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
        "approvals": 2});
    let profiles = make_profile(world, PROFILE, spec).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    let other = world.person("other", &["payments-others"])?;
    world.hub.allow("test:two-yeses-leads", "oidc:payments-leads", &["approve"], &[PROFILE]).await?;
    world.hub.allow("test:two-yeses-others", "oidc:payments-others", &["approve"], &[PROFILE]).await?;
    let asked = ann.ask(world, PROFILE, &["payments"]).await?;
    let mut digest = None;
    eventually("an offer", SOON, async || {
        digest = ann.hub.request(&asked.which).await?.offer().map(|offer| offer.digest.clone());
        Ok(digest.is_some())
    })
    .await?;
    let digest: Digest = digest.context("an offer")?.parse()?;
    let (me, no_limits) = (lead.hub.whoami().await?, Limits::default());
    let yes = async |hub: &sallyport_hub::Hub, me| {
        hub.approve(&asked.which, me, &digest, &no_limits, jiff::Timestamp::now(), None).await
    };
    // A new binding takes a moment to count.
    eventually("lead's yes is taken", SOON, async || Ok(yes(&lead.hub, &me).await.is_ok())).await?;
    eventually("one yes is counted", SOON, async || {
        let status = ann.hub.request(&asked.which).await?.status.unwrap_or_default();
        Ok(status.approvals.len() == 1 && status.message.is_some_and(|said| said.contains("1 of 2")))
    })
    .await?;

    world.hub.kubectl().ok(&["delete", "clusterrolebinding", "test:two-yeses-leads"]).await?;
    eventually("lead may not approve any more", SOON, async || {
        let attributes = ResourceAttributes {
            group: Some("access.sallyport.dev".to_owned()),
            resource: Some("accessprofiles".to_owned()),
            name: Some(PROFILE.to_owned()),
            verb: Some("approve".to_owned()),
            ..ResourceAttributes::default()
        };
        let spec =
            SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(lead.client.clone());
        let said = reviews.create(&PostParams::default(), &review).await?;
        Ok(said.status.is_some_and(|status| !status.allowed))
    })
    .await?;
    let no = lead.hub.deny(&asked.which, &me, jiff::Timestamp::now(), Some("I changed my mind")).await;
    let said = no.err().map(|refused| refused.to_string()).unwrap_or_default();
    ensure!(said.contains("may not approve profile two-yeses"), "a no after that: {said}");

    let me = other.hub.whoami().await?;
    yes(&other.hub, &me).await.map_err(|refused| anyhow::anyhow!("the second yes: {refused}"))?;
    let open = ann.until(&asked, Phase::Active).await?;
    let by: Vec<String> = open.status.unwrap_or_default().approvals.into_iter().map(|yes| yes.by).collect();
    ensure!(by.len() == 2 && by.iter().any(|by| by.contains("lead")), "{by:?}");
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    profiles.delete(PROFILE, &DeleteParams::default()).await?;
    Ok(())
}
