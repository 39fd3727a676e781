//! What a hold ends, and when it ends itself. Nobody here is at a desktop: where rights go, the broker took them.

use crate::refusals::refused;
use crate::widened::never_by_itself;
use crate::world::{
    Asked, CLUSTER, Person, World, digest_of, eventually, get, no_token_in, until_taken, world,
};
use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use sallyport_api::AccessHold;
use sallyport_model::{Held, Limits, Phase};
use sallyport_testkit::broker::BrokerOptions;
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/payments/pods";
const SOON: Duration = Duration::from_secs(60);
/// What every broker may do on the hub.
const BROKERS: &str = "sallyport:broker-hub";

/// How lead's holds end what they are on; the text that came with it is shown as text.
const BY_LEAD: &str = "by oidc:lead@example.org: laptop⟨U+202E⟩ stolen";

async fn hold(lead: &Person, held: Held, until: Timestamp) -> Result<AccessHold> {
    let me = lead.hub.whoami().await?;
    let made = until_taken(async || lead.hub.hold(&held, &me, until, "laptop\u{202e} stolen").await).await;
    made.map_err(|refused| anyhow::anyhow!("{held:?}: {refused}"))
}

fn in_an_hour() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(1)
}

/// Plays `work`; whatever came of it, no hold is left to the tests that come after.
async fn then_release(world: &World, ann: &Person, work: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let played = work().await;
    release(world).await?;
    let (open, _) = ann.open_again(world).await.with_context(|| format!("nothing is held; {played:?}"))?;
    ann.leave(&open).await?;
    played
}

async fn release(world: &World) -> Result<()> {
    let holds: Api<AccessHold> = Api::all(world.hub.admin()?);
    holds.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
    Ok(())
}

/// A request of theirs that waits for somebody's yes, as the hub has let it in.
async fn waiting(person: &Person, world: &World) -> Result<Asked> {
    let asked = person.ask(world, "operate", &["payments"]).await?;
    digest_of(person, &asked).await?;
    Ok(asked)
}

/// For whom a hold is made: the person's laptop is gone, so that nothing of theirs cuts, leaves or withdraws.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_hold_ends_what_is_open_and_what_waits_with_no_desktop_to_hear_of_it() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(never_by_itself()).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    let bob = world.person("bob", &["payments-dev"])?;
    then_release(world, &ann, async || {
        // A broker hears of holds in the order in which they are made: that these end nothing is seen by what the next one ends.
        for (user, cluster) in [("oidc:an@example.org", "sandbox-10"), ("oidc:ann", "sandbox")] {
            hold(&lead, Held::User(user.to_owned()), in_an_hour()).await?;
            hold(&lead, Held::Cluster(cluster.to_owned()), in_an_hour()).await?;
        }
        let held = [
            (Held::User(ann.name.clone()), "oidc:ann@example.org is held", false),
            (Held::Cluster(CLUSTER.to_owned()), "cluster sandbox-1 is held", true),
            (Held::Everything, "everything is held", true),
        ];
        for (held, named, bobs_too) in held {
            let (asked, request) = ann.open_again(world).await?;
            let (bobs, of_bob) = bob.open_again(world).await?;
            let (sealed, bobs_sealed) = (ann.unseal(&asked, &request)?, bob.unseal(&bobs, &of_bob)?);
            let waits = waiting(&ann, world).await?;
            ensure!(get(&sealed, PODS).await? == 200 && get(&bobs_sealed, PODS).await? == 200);
            let made = hold(&lead, held, in_an_hour()).await?;
            let gone = eventually("a refusal", SOON, async || Ok(get(&sealed, PODS).await? == 403)).await?;
            println!("{named}: first 403 after {} ms", gone.as_millis());
            let said = ann.end_of(&asked).await?;
            ensure!(
                said.starts_with(&format!("Revoked: {named} {BY_LEAD}; 1 binding and 1 account removed")),
                "{said}"
            );
            ensure!(world.left(&request).await?.is_empty(), "{:?}", world.left(&request).await?);
            let closed = ann.hub.request(&asked.which).await?.status.context("a status")?;
            ensure!(closed.credential.is_none() && closed.withdrawn != Some(true), "{closed:?}");
            let said = refused(world, &ann, &waits).await?;
            ensure!(said == format!("Denied: {named} {BY_LEAD}"), "{said}");
            if bobs_too {
                let said = bob.end_of(&bobs).await?;
                ensure!(said.starts_with(&format!("Revoked: {named} {BY_LEAD}")), "{said}");
                ensure!(get(&bobs_sealed, PODS).await? == 403 && world.left(&of_bob).await?.is_empty());
            } else {
                ensure!(get(&bobs_sealed, PODS).await? == 200, "somebody else's rights went along");
                ensure!(
                    bob.hub.request(&bobs.which).await?.phase() == Phase::Active,
                    "somebody else's ended"
                );
                bob.leave(&bobs).await?;
            }
            let holds: Api<AccessHold> = Api::all(world.hub.admin()?);
            holds.delete(made.metadata.name.as_deref().context("a name")?, &DeleteParams::default()).await?;
        }
        Ok(())
    })
    .await?;
    no_token_in(&broker.log())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_what_was_held_while_no_broker_ran_ends_when_one_does() -> Result<()> {
    let (world, _turn) = world().await?;
    let broker = world.broker(never_by_itself()).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    then_release(world, &ann, async || {
        let (asked, request) = ann.open(world).await?;
        let (sealed, waits) = (ann.unseal(&asked, &request)?, waiting(&ann, world).await?);
        broker.kill();
        hold(&lead, Held::User(ann.name.clone()), in_an_hour()).await?;
        // Nobody but the broker ends anything in these tests.
        ensure!(get(&sealed, PODS).await? == 200, "its rights are gone, and by no broker");
        broker.restart().await?;
        eventually("a refusal", SOON, async || Ok(get(&sealed, PODS).await? == 403)).await?;
        let said = ann.end_of(&asked).await?;
        ensure!(said.starts_with(&format!("Revoked: oidc:ann@example.org is held {BY_LEAD}")), "{said}");
        ensure!(world.left(&request).await?.is_empty());
        let said = refused(world, &ann, &waits).await?;
        ensure!(said.starts_with("Denied: oidc:ann@example.org is held"), "{said}");
        Ok(())
    })
    .await
}

/// Whether what was asked for is held can't be known by a broker that may not read holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_a_broker_that_does_not_know_what_is_held_grants_nothing() -> Result<()> {
    let (world, _turn) = world().await?;
    let kubectl = world.hub.kubectl();
    let read = ["get", "clusterrole", BROKERS, "-o", "json", "--show-managed-fields=false"];
    let role: serde_json::Value = serde_json::from_str(&kubectl.ok(&read).await?)?;
    let kept = role["rules"].clone();
    let set = async |rules: serde_json::Value| {
        let patch = serde_json::json!({"rules": rules}).to_string();
        kubectl.ok(&["patch", "clusterrole", BROKERS, "--type=merge", "-p", &patch]).await.map(drop)
    };
    let mut without = kept.clone();
    for rule in without.as_array_mut().context("rules")? {
        if let Some(resources) = rule["resources"].as_array_mut() {
            resources.retain(|one| one != "accessholds");
        }
    }
    ensure!(without != kept, "it may read holds");
    set(without).await?;
    let user = format!("--as=system:serviceaccount:sallyport-brokers:{CLUSTER}");
    let group = "--as-group=system:serviceaccounts:sallyport-brokers";
    let may = ["auth", "can-i", "list", "accessholds.access.sallyport.dev", &user, group];
    let seen = async {
        eventually("the broker may not", SOON, async || Ok(kubectl.run(&may).await?.code != Some(0))).await?;
        let broker = world.broker(BrokerOptions::default()).await?;
        let ann = world.ann()?;
        let asked = ann.ask(world, "debug", &["payments"]).await?;
        eventually("it says why nothing is granted", SOON, async || {
            let said = ann.hub.request(&asked.which).await?.status.and_then(|status| status.message);
            Ok(said.is_some_and(|said| said.ends_with("what is held on the hub is not known yet")))
        })
        .await?;
        let waits = ann.hub.request(&asked.which).await?;
        ensure!(waits.phase() == Phase::Pending && waits.offer().is_none(), "{:?}", waits.status);
        ensure!(waits.status.as_ref().is_some_and(|status| status.jtis.is_empty()), "a token was minted");
        ensure!(world.left(&waits).await?.is_empty(), "something was granted");
        anyhow::Ok((broker, ann, asked))
    }
    .await;
    set(kept).await?;
    // As soon as it is known, and with nobody asking again.
    let (_broker, ann, asked) = seen?;
    ann.until_within(&asked, Phase::Active, SOON).await?;
    ensure!(ann.leave(&asked).await?.starts_with("Left:"));
    Ok(())
}

/// Nobody removes it: asking, a yes and the grant are taken again as its time is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_hold_ends_by_itself_and_nothing_is_refused_by_it_any_more() -> Result<()> {
    let (world, _turn) = world().await?;
    let _broker = world.broker(never_by_itself()).await?;
    let (ann, lead) = (world.ann()?, world.lead()?);
    then_release(world, &ann, async || {
        let (asked, _) = ann.open(world).await?;
        let until = Timestamp::from_second(Timestamp::now().as_second() + 30)?;
        let made = hold(&lead, Held::Everything, until).await?;
        let said = ann.end_of(&asked).await?;
        ensure!(said.starts_with(&format!("Revoked: everything is held {BY_LEAD}")), "{said}");
        // Admission hears of it by a watch of its own.
        loop {
            let asked = ann.ask(world, "operate", &["payments"]).await;
            ensure!(Timestamp::now() < until, "its time was over before the hub refused anything");
            match asked {
                Ok(asked) => ensure!(ann.end_of(&asked).await?.starts_with("Denied: everything is held")),
                Err(no) if no.to_string().contains("it is held by oidc:lead@example.org until") => break,
                Err(other) => return Err(other),
            }
        }
        let mut taken = None;
        eventually("asking again", SOON, async || match ann.ask(world, "operate", &["payments"]).await {
            Ok(asked) => {
                taken = Some(asked);
                Ok(true)
            }
            Err(no) => {
                ensure!(no.to_string().contains("it is held by"), "{no}");
                Ok(false)
            }
        })
        .await?;
        let asked = taken.context("a request")?;
        let created = ann.hub.request(&asked.which).await?.metadata.creation_timestamp.context("a time")?;
        ensure!(created.0 >= until, "taken at {}, and held until {until}", created.0);
        println!("asked again {} s after its end", created.0.duration_since(until).as_secs());
        let digest = digest_of(&ann, &asked).await?;
        let me = lead.hub.whoami().await?;
        let yes =
            lead.hub.approve(&asked.which, &me, &digest, &Limits::default(), Timestamp::now(), None).await;
        yes.map_err(|refused| anyhow::anyhow!("a yes after its end: {refused}"))?;
        ann.until(&asked, Phase::Active).await?;
        // It is still there, and holds nothing.
        let holds: Api<AccessHold> = Api::all(world.hub.admin()?);
        let there = holds.get(made.metadata.name.as_deref().context("a name")?).await?;
        ensure!(there.metadata.uid == made.metadata.uid);
        ensure!(ann.leave(&asked).await?.starts_with("Left:"));
        Ok(())
    })
    .await
}
