//! What a broker says of its cluster: its Lease at every beat, everything else when it changes.

use crate::world::{BINDINGS, CLUSTER, World, digest_of, eventually, world};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessCluster, AccessClusterStatus, AccessPreview, BrokerReport};
use sallyport_testkit::broker::BrokerOptions;
use serde_json::json;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);
const REPORTING: &str = "reporting";
const RESTORING: &str = "restoring";
const HINDERED: &str = "hindered";
const OVERLONG: &str = "overlong";
const PROBING: &str = "probing";

fn clusters(world: &World) -> Result<Api<AccessCluster>> {
    Ok(Api::all(world.hub.admin()?))
}

fn previews(world: &World) -> Result<Api<AccessPreview>> {
    Ok(Api::all(world.hub.admin()?))
}

/// The report of that instance once it is whole: profiles, guardrails, and the preview that it names.
async fn whole(world: &World, instance: &str) -> Result<(AccessClusterStatus, AccessPreview)> {
    let mut found = None;
    eventually("a report and its preview", WITHIN, async || {
        let status = clusters(world)?.get_opt(CLUSTER).await?.and_then(|cluster| cluster.status);
        let preview = previews(world)?.get_opt(CLUSTER).await?;
        let Some((status, preview)) = status.zip(preview) else { return Ok(false) };
        let complete = status.broker.as_ref().is_some_and(|broker| broker.instance == instance)
            && status.profiles.len() == 4
            && status.guardrails.is_some()
            && status.preview.as_deref() == Some(preview.spec.digest.as_str());
        found = Some((status, preview));
        Ok(complete)
    })
    .await?;
    found.context("a report")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_heard_at_every_beat_and_writes_its_report_only_when_it_changes() -> Result<()> {
    let (world, _turn) = world().await?;
    let options = BrokerOptions::default().flag("--heartbeat=1s").flag("--guardrails-every=2s");
    let _broker = world.broker(options.identity(REPORTING)).await?;
    let leases: Api<Lease> = Api::namespaced(world.hub.admin()?, "sallyport-brokers");
    let renewed = async || {
        let spec = leases.get_opt(CLUSTER).await?.and_then(|lease| lease.spec);
        let ours = spec.filter(|spec| spec.holder_identity.as_deref() == Some(REPORTING));
        anyhow::Ok(ours.and_then(|spec| spec.renew_time).map(|at| at.0))
    };
    eventually("a sign of life", WITHIN, async || Ok(renewed().await?.is_some())).await?;
    let (status, preview) = whole(world, REPORTING).await?;
    let shown = |name: &str| preview.spec.profiles.iter().find(|one| one.name == name).cloned();
    for profile in &status.profiles {
        let rules = shown(&profile.name).context("its preview")?;
        ensure!(rules.revision == profile.revision && rules.rules.len() == profile.rule_count as usize);
    }
    let light = serde_json::to_string(&status)?.len();
    let heavy = serde_json::to_string(&preview.spec)?.len();
    println!(
        "what every desktop watches: {light} bytes; what is read for the cluster in view: {heavy} bytes"
    );

    // Four beats and two checks of the guardrails later: heard of, and nothing written.
    let version = async || anyhow::Ok(clusters(world)?.get(CLUSTER).await?.resource_version());
    let (before, beat) = (version().await?, renewed().await?.context("a beat")?);
    eventually("four beats", WITHIN, async || {
        Ok(renewed().await?.is_some_and(|later| later.duration_since(beat).as_secs() >= 4))
    })
    .await?;
    ensure!(version().await? == before, "a report that says the same was written again");

    // A role that grows: another preview, and the report names it.
    let roles: Api<k8s_openapi::api::rbac::v1::ClusterRole> = Api::all(world.target.admin()?);
    let kept = roles.get("sallyport:view").await?;
    let mut rules = kept.rules.clone().context("rules")?;
    let more =
        json!({"apiGroups": [""], "resources": ["limitranges"], "verbs": ["get"], "resourceNames": ["seen"]});
    rules.push(serde_json::from_value(more)?);
    let set = async |rules: &serde_json::Value| {
        let patch = json!({"rules": rules});
        roles.patch("sallyport:view", &PatchParams::default(), &Patch::Merge(&patch)).await.map(drop)
    };
    set(&serde_json::to_value(&rules)?).await?;
    let grown = eventually("another preview", WITHIN, async || {
        let (now, beside) = whole(world, REPORTING).await?;
        Ok(now.preview != status.preview && serde_json::to_string(&beside.spec)?.contains("limitranges"))
    })
    .await;
    set(&serde_json::to_value(kept.rules)?).await?;
    grown.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_was_lost_is_written_again() -> Result<()> {
    let (world, _turn) = world().await?;
    let options =
        BrokerOptions::default().identity(RESTORING).flag("--heartbeat=1s").flag("--reports-compared=3s");
    let _broker = world.broker(options).await?;
    let (_, preview) = whole(world, RESTORING).await?;
    previews(world)?.delete(CLUSTER, &Default::default()).await?;
    let (status, again) = whole(world, RESTORING).await?;
    ensure!(again.spec == preview.spec && again.uid() != preview.uid());

    // The cluster is described anew, as by a restored backup: its report went with it.
    let kept = clusters(world)?.get(CLUSTER).await?;
    clusters(world)?.delete(CLUSTER, &Default::default()).await?;
    clusters(world)?.create(&Default::default(), &AccessCluster::new(CLUSTER, kept.spec)).await?;
    let (anew, _) = whole(world, RESTORING).await?;
    // When it was written is another time.
    let said = |status: AccessClusterStatus| {
        let broker = status.broker.map(|broker| BrokerReport { heartbeat: None, ..broker });
        AccessClusterStatus { broker, ..status }
    };
    ensure!(said(anew.clone()) == said(status), "{anew:?}");
    Ok(())
}

/// Waits for what that instance says of the guardrails.
async fn verified(world: &World, instance: &str, want: bool) -> Result<AccessClusterStatus> {
    let mut last = None;
    let seen = eventually("the guardrails' verdict on the hub", WITHIN, async || {
        let status = clusters(world)?.get_opt(CLUSTER).await?.and_then(|cluster| cluster.status);
        last = status.filter(|s| s.broker.as_ref().is_some_and(|broker| broker.instance == instance));
        Ok(last.as_ref().and_then(|s| s.guardrails.as_ref()).is_some_and(|said| said.verified == want))
    });
    seen.await?;
    last.context("a report")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_role_that_cannot_be_shown_hides_no_missing_guardrail() -> Result<()> {
    let (world, _turn) = world().await?;
    let options = BrokerOptions::default().identity(OVERLONG);
    let _broker = world.broker(options.flag("--heartbeat=1s").flag("--guardrails-every=2s")).await?;
    let (_, preview) = whole(world, OVERLONG).await?;
    verified(world, OVERLONG, true).await?;

    // No API server minds how long a resource's name is; the hub's CRD does.
    let roles: Api<k8s_openapi::api::rbac::v1::ClusterRole> = Api::all(world.target.admin()?);
    let kept = roles.get("sallyport:view").await?.rules;
    let rule = json!({"apiGroups": [""], "resources": ["r".repeat(300)], "verbs": ["get"]});
    let set = async |rules: serde_json::Value| {
        let patch = Patch::Merge(json!({"rules": rules}));
        roles.patch("sallyport:view", &PatchParams::default(), &patch).await.map(drop)
    };
    set(json!([rule])).await?;
    let hindered = async {
        world.without_guardrail(BINDINGS).await?;
        let status = verified(world, OVERLONG, false).await?;
        let (now, beside) = whole(world, OVERLONG).await?;
        let report = now.profiles.iter().find(|one| one.name == "view").context("its report")?;
        let shown = beside.spec.profiles.iter().find(|one| one.name == "view").context("its preview")?;
        ensure!(report.rule_count == 1 && shown.rules.is_empty(), "{report:?} {shown:?}");
        ensure!(report.refused.as_deref().is_some_and(|why| why.contains("overlong")), "{report:?}");
        // The others are shown as before.
        let others = |all: &AccessPreview| all.spec.profiles.iter().filter(|p| !p.rules.is_empty()).count();
        ensure!(others(&beside) + 1 >= others(&preview) && others(&beside) > 0, "{beside:?}");
        anyhow::Ok(status)
    }
    .await;
    set(serde_json::to_value(kept)?).await?;
    world.restore_guardrails().await?;
    hindered.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_preview_that_the_hub_refuses_hides_no_missing_guardrail() -> Result<()> {
    let (world, _turn) = world().await?;
    let options = BrokerOptions::default().identity(HINDERED);
    let role = format!("sallyport:broker:{CLUSTER}");
    let roles: Api<k8s_openapi::api::rbac::v1::ClusterRole> = Api::all(world.hub.admin()?);
    let kept = roles.get(&role).await?.rules.context("rules")?;
    let light = |rule: &k8s_openapi::api::rbac::v1::PolicyRule| {
        !rule.resources.iter().flatten().any(|resource| resource == "accesspreviews")
    };
    let set = async |rules: Vec<&k8s_openapi::api::rbac::v1::PolicyRule>| {
        let patch = Patch::Merge(json!({"rules": rules}));
        roles.patch(&role, &PatchParams::default(), &patch).await.map(drop)
    };
    let _broker = world.broker(options.flag("--heartbeat=1s").flag("--guardrails-every=2s")).await?;
    verified(world, HINDERED, true).await?;
    set(kept.iter().filter(|rule| light(rule)).collect()).await?;
    // Whatever the target's guardrails make of it, another preview has to be written by then.
    let hindered = async {
        previews(world)?.delete(CLUSTER, &Default::default()).await?;
        let target: Api<k8s_openapi::api::rbac::v1::ClusterRole> = Api::all(world.target.admin()?);
        let before = target.get("sallyport:view").await?.rules;
        let rule = json!([{"apiGroups": [""], "resources": ["limitranges"], "verbs": ["get"]}]);
        let change = async |rules: serde_json::Value| {
            let patch = Patch::Merge(json!({"rules": rules}));
            target.patch("sallyport:view", &PatchParams::default(), &patch).await.map(drop)
        };
        change(rule).await?;
        let seen = async {
            world.without_guardrail(BINDINGS).await?;
            verified(world, HINDERED, false).await
        }
        .await;
        change(serde_json::to_value(before)?).await?;
        let status = seen?;
        ensure!(status.preview.is_none(), "it names a preview that could not be written: {status:?}");
        anyhow::Ok(())
    }
    .await;
    set(kept.iter().collect()).await?;
    world.restore_guardrails().await?;
    hindered?;
    whole(world, HINDERED).await.map(drop)
}

/// What that instance says of the hub's guardrails, once it says so many refused.
async fn probes_refused(world: &World, instance: &str, count: usize) -> Result<()> {
    let wanted = format!(" as shipped, {count} probes refused, by ");
    let mut last = None;
    let seen = eventually("the probes of the hub's guardrails", WITHIN * 3, async || {
        let status = clusters(world)?.get_opt(CLUSTER).await?.and_then(|cluster| cluster.status);
        last = status.filter(|s| s.broker.as_ref().is_some_and(|broker| broker.instance == instance));
        let said = last.as_ref().and_then(|status| status.hub_guardrails.as_ref());
        Ok(said.is_some_and(|said| said.verified && said.detail.contains(&wanted)))
    });
    seen.await.with_context(|| format!("{last:?}")).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_while_a_request_waits_an_approval_of_the_brokers_own_is_seen_to_be_refused() -> Result<()> {
    let (world, _turn) = world().await?;
    // A verdict that is the same is not reported again for how many probes could be made, so each is a broker's first.
    let broker = world.broker(BrokerOptions::default().identity(PROBING)).await?;
    probes_refused(world, PROBING, 1).await?;
    let ann = world.ann()?;
    let asked = ann.ask(world, "operate", &["payments"]).await?;
    digest_of(&ann, &asked).await?;
    broker.restart().await?;
    probes_refused(world, PROBING, 2).await?;
    let waits = ann.hub.request(&asked.which).await?;
    ensure!(waits.status.is_some_and(|status| status.approvals.is_empty()), "it was no dry run");
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    Ok(())
}
