//! A profile that nobody can parse: under what waits, under what is open, and beside everything else.

use crate::refusals::make_profile;
use crate::world::{World, eventually, get, world};
use anyhow::{Context, Result, ensure};
use kube::api::DeleteParams;
use sallyport_api::{AccessProfile, AccessRequest};
use sallyport_model::Phase;
use sallyport_testkit::broker::BrokerOptions;
use sallyport_testkit::profiles::EDITOR;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);
const PODS: &str = "/api/v1/namespaces/payments/pods";
const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

/// The two ways in which it can't be: by its words, and by its shape.
const WORDS: &str = r#"{"spec":{"roles":[".."]}}"#;
const SHAPE: &str = r#"{"spec":{"approvals":"some"}}"#;

/// Lets anything stand in a profile, as a CRD of another release or one that somebody changed may; what it was.
async fn loosen(world: &World) -> Result<Value> {
    let kubectl = world.hub.kubectl();
    let crd = kubectl.ok(&["get", "crd", "accessprofiles.access.sallyport.dev", "-o", "json"]).await?;
    let crd: Value = serde_json::from_str(&crd)?;
    let spec = crd.pointer(SCHEMA).context("it has a schema")?.clone();
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    schema(world, &any).await?;
    Ok(spec)
}

async fn schema(world: &World, spec: &Value) -> Result<()> {
    let patch = json!([{"op": "replace", "path": SCHEMA, "value": spec}]).to_string();
    let crd = "accessprofiles.access.sallyport.dev";
    world.hub.kubectl().ok(&["patch", "crd", crd, "--type=json", "-p", &patch]).await.map(drop)
}

/// Writes it into a profile, as soon as the API server takes it.
async fn break_profile(world: &World, name: &str, patch: &str) -> Result<()> {
    let kubectl = world.hub.kubectl();
    let patch = [&["patch", "accessprofile", name, "--type=merge", "-p", patch], &EDITOR[..]].concat();
    let start = Instant::now();
    // A changed CRD is taken up a moment after it was written.
    while let Err(error) = kubectl.ok(&patch).await {
        ensure!(start.elapsed() < LONG, "{name} can't be broken: {error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

fn message(request: &AccessRequest) -> String {
    request.status.as_ref().and_then(|status| status.message.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_by_words_that_nobody_can_parse_grants_nothing_and_closes_what_waits_with_its_name()
-> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let spec = |approvals: u8| {
        json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"],
        "maxDuration": "1h", "approvals": approvals})
    };
    let profiles = make_profile(world, "odd-open", spec(0)).await?;
    make_profile(world, "odd-waits", spec(1)).await?;
    let open = ann.ask(world, "odd-open", &["payments"]).await?;
    let active = ann.until(&open, Phase::Active).await?;
    let sealed = ann.unseal(&open, &active)?;
    let waits = ann.ask(world, "odd-waits", &["payments"]).await?;
    eventually("an offer", LONG, async || Ok(ann.hub.request(&waits.which).await?.offer().is_some())).await?;
    for name in ["odd-open", "odd-waits"] {
        break_profile(world, name, WORDS).await?;
    }
    let said = ann.end_of(&waits).await?;
    ensure!(said.starts_with("Failed:") && said.contains("odd-waits"), "{said}");
    ensure!(world.left(&ann.hub.request(&waits.which).await?).await?.is_empty(), "something was left");
    // What was granted stands by the offer that was decided on, whatever has become of the profile since.
    drop(broker);
    let broker = world.broker(BrokerOptions::default()).await?;
    let (other, _) = ann.open(world).await?;
    ensure!(ann.hub.request(&open.which).await?.phase() == Phase::Active, "what is open stays open");
    ensure!(get(&sealed, PODS).await? == 200, "and of use");
    let again = ann.ask(world, "odd-open", &["payments"]).await?;
    let said = ann.end_of(&again).await?;
    ensure!(said.starts_with("Failed:") && said.contains("odd-open"), "{said}");
    // And can be left and is proven gone.
    let said = ann.leave(&open).await?;
    ensure!(said.starts_with("Left:") && said.contains("seen to be gone"), "{said}");
    ensure!(world.left(&active).await?.is_empty(), "something was left");
    ann.leave(&other).await?;
    ensure!(!broker.log().contains("eyJ"), "a token was logged");
    for name in ["odd-open", "odd-waits"] {
        profiles.delete(name, &DeleteParams::default()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_by_shape_that_nobody_can_read_blinds_nobody_to_the_others_and_grants_nothing() -> Result<()>
{
    let (world, _turn) = world().await?;
    let broker = world.broker(BrokerOptions::default()).await?;
    let ann = world.ann()?;
    let spec = json!({"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments"], "maxDuration": "1h",
        "approvals": 1});
    make_profile(world, "no-shape", spec).await?;
    let waits = ann.ask(world, "no-shape", &["payments"]).await?;
    eventually("an offer", LONG, async || Ok(ann.hub.request(&waits.which).await?.offer().is_some())).await?;
    let kept = loosen(world).await?;
    let played = played(world, broker, &waits).await;
    world.hub.remove_profiles(&["no-shape"]).await?;
    schema(world, &kept).await?;
    played?;
    // Without it the request ends by itself.
    let _broker = world.broker(BrokerOptions::default()).await?;
    let said = ann.end_of(&waits).await?;
    ensure!(said.starts_with("Denied: there is no profile no-shape"), "{said}");
    Ok(())
}

async fn played(
    world: &World,
    broker: sallyport_testkit::broker::Broker,
    waits: &crate::world::Asked,
) -> Result<()> {
    let ann = world.ann()?;
    break_profile(world, "no-shape", SHAPE).await?;
    let read: kube::Api<AccessProfile> = kube::Api::all(world.editor()?);
    ensure!(read.get("no-shape").await.is_err(), "it can be read after all");
    // One that watches already, and one that begins with it.
    let (first, _) = ann.open(world).await?;
    ann.leave(&first).await?;
    drop(broker);
    let broker = world.broker(BrokerOptions::default()).await?;
    let (second, _) = ann.open(world).await?;
    ann.leave(&second).await?;
    let request = ann.hub.request(&waits.which).await?;
    ensure!(matches!(request.phase(), Phase::Pending | Phase::Closed), "{:?}", request.phase());
    println!("under it: {} {:?}", request.phase(), message(&request));
    ensure!(world.left(&request).await?.is_empty(), "something was granted under it");
    ensure!(!broker.log().contains("eyJ"), "a token was logged");
    Ok(())
}
