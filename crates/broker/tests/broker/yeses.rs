//! What a yes is worth once it was taken.

use crate::refusals::make_profile;
use crate::widened::never_by_itself;
use crate::world::{Asked, Person, World, digest_of, eventually, get, grant_name, world};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use sallyport_api::{AccessGrant, AccessRequest};
use sallyport_model::{Limits, Phase, Ttl};
use sallyport_testkit::broker::BrokerOptions;
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const PROFILE: &str = "two-yeses";
const WIDE: &str = "less-than-all";

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
    let other = world.person("other", &["payments-leads", "payments-others"])?;
    world.hub.allow("test:two-yeses-leads", "oidc:payments-leads", &["approve"], &[PROFILE]).await?;
    world.hub.allow("test:two-yeses-others", "oidc:payments-others", &["approve"], &[PROFILE]).await?;
    let asked = ann.ask(world, PROFILE, &["payments"]).await?;
    let digest = digest_of(&ann, &asked).await?;
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
    ensure!(said.contains("by an approver under their own name"), "a no after that: {said}");

    let me = other.hub.whoami().await?;
    yes(&other.hub, &me).await.map_err(|refused| anyhow::anyhow!("the second yes: {refused}"))?;
    let open = ann.until(&asked, Phase::Active).await?;
    let by: Vec<String> = open.status.unwrap_or_default().approvals.into_iter().map(|yes| yes.by).collect();
    ensure!(by.len() == 2 && by.iter().any(|by| by.contains("lead")), "{by:?}");
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    profiles.delete(PROFILE, &DeleteParams::default()).await?;
    Ok(())
}

/// A yes that is taken as soon as the rights to give it count.
async fn yes(approver: &Person, asked: &Asked, limits: &Limits) -> Result<()> {
    let (me, digest) = (approver.hub.whoami().await?, digest_of(approver, asked).await?);
    let mut no = String::new();
    eventually("the yes is taken", SOON, async || {
        let now = jiff::Timestamp::now();
        let said = approver.hub.approve(&asked.which, &me, &digest, limits, now, None).await;
        no = said.as_ref().err().map(ToString::to_string).unwrap_or_default();
        Ok(said.is_ok())
    })
    .await
    .with_context(|| no.clone())
    .map(drop)
}

fn limits(minutes: Option<u64>, namespaces: &[&str]) -> Result<Limits> {
    let names = namespaces.iter().map(|name| Ok(name.parse()?)).collect::<Result<Vec<_>>>()?;
    Ok(Limits::new(minutes.map(Ttl::minutes), Some(names))?)
}

/// What stands of a request on the hub and of its grant on the target: where, for how long, and until when.
async fn given(world: &World, request: &AccessRequest) -> Result<(Vec<String>, String, i64)> {
    let grants: Api<AccessGrant> = Api::all(world.target.admin()?);
    let grant = grants.get(&grant_name(request)).await?;
    let status = request.status.clone().unwrap_or_default();
    let given = status.given.context("what is given is on record")?;
    ensure!(
        given.namespaces == grant.spec.namespaces && given.duration == grant.spec.duration,
        "{given:?} {grant:?}"
    );
    let made = grant.metadata.creation_timestamp.context("a time")?.0.as_second();
    Ok((given.namespaces, given.duration, status.grant.context("a grant")?.end.0.as_second() - made))
}

/// Asked for the whole cluster, and two people say yes to less of it, each to something else: what is given is what both
/// leave, no role that grows elsewhere ends it, and one that grows there does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_a8_p11_less_than_the_whole_cluster_is_given_and_what_grows_is_judged_by_that() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "maxDuration": "1h", "approvals": 2});
    let profiles = make_profile(world, WIDE, spec).await?;
    world.hub.allow("test:wide-leads", "oidc:payments-leads", &["approve"], &[WIDE]).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    let other = world.person("other", &["payments-leads"])?;
    let asked = ann.ask_with(world, WIDE, &[], |ask| ask.terms.duration = Ttl::minutes(60)).await?;
    yes(&lead, &asked, &limits(Some(20), &["payments", "checkout"])?).await?;
    yes(&other, &asked, &limits(None, &["payments"])?).await?;
    let request = ann.until(&asked, Phase::Active).await?;
    let (namespaces, duration, lasts) = given(world, &request).await?;
    ensure!(
        namespaces == ["payments"] && duration == "20m" && lasts == 1200,
        "{namespaces:?} {duration} {lasts}"
    );
    let left = world.left(&request).await?;
    ensure!(!left.iter().any(|one| one.starts_with("ClusterRoleBinding")), "{left:?}");
    let sealed = ann.unseal(&asked, &request)?;
    for (path, status) in [
        ("/api/v1/namespaces/payments/pods", 200),
        ("/api/v1/namespaces/checkout/pods", 403),
        ("/api/v1/pods", 403),
        ("/api/v1/nodes", 403),
    ] {
        ensure!(get(&sealed, path).await? == status, "GET {path} is not {status}");
    }

    // The same role for the whole cluster, for whoever grows what is given in no namespace.
    let whole = ann.ask(world, "view", &[]).await?;
    ann.until(&whole, Phase::Active).await?;
    let roles: Api<ClusterRole> = Api::all(world.target.admin()?);
    let before = serde_json::to_value(roles.get("sallyport:view").await?.rules)?;
    let grow = async |more: &[serde_json::Value]| {
        let mut rules = before.clone();
        rules.as_array_mut().context("rules")?.extend(more.iter().cloned());
        let patch = json!({"rules": rules});
        roles.patch("sallyport:view", &PatchParams::default(), &Patch::Merge(patch)).await?;
        anyhow::Ok(())
    };
    let path = json!({"nonResourceURLs": ["/test-grown"], "verbs": ["get"]});
    let things = json!({"apiGroups": ["example.org"], "resources": ["things"], "verbs": ["get"]});
    let seen = async {
        grow(std::slice::from_ref(&path)).await?;
        let wide = ann.end_of(&whole).await?;
        ensure!(get(&sealed, "/api/v1/namespaces/payments/pods").await? == 200, "it was closed along");
        grow(&[path, things]).await?;
        Ok((wide, ann.end_of(&asked).await?))
    }
    .await;
    grow(&[]).await?;
    let (wide, said) = seen?;
    ensure!(wide.starts_with("Revoked:") && wide.contains("/test-grown"), "{wide}");
    // Its own reason: had it been closed for what grew outside namespaces, it would say so.
    ensure!(
        said.starts_with("Revoked:") && said.contains("things") && !said.contains("/test-grown"),
        "{said}"
    );
    ensure!(world.left(&request).await?.is_empty());
    profiles.delete(WIDE, &DeleteParams::default()).await?;
    Ok(())
}
