use super::{DEADLINE, TEAM, an_ask, desk, hub, person, with_offer};
use anyhow::{Context as _, Result, bail, ensure};
use futures::{Stream, StreamExt as _};
use kube::{Api, ResourceExt as _};
use sallyport_api::AccessCluster;
use sallyport_hub::{Change, Hub, ProfileRights, Team};
use sallyport_model::Digest;
use sallyport_testkit::repository::deploy;
use sallyport_testkit::{Plane, PlaneOptions};
use serde_json::json;
use std::time::Duration;

async fn next<K>(changes: &mut (impl Stream<Item = Change<K>> + Unpin)) -> Result<Change<K>> {
    tokio::time::timeout(DEADLINE * 4, changes.next())
        .await
        .context("no change in time")?
        .context("the watch ended")
}

fn cluster(name: &str) -> Result<AccessCluster> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessCluster", "metadata": {"name": name},
        "spec": {"environment": "dev", "endpoints": ["https://x.example:6443"], "caBundle": "c"},
    }))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_and_profiles_are_listed_and_watched() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let mut changes = Box::pin(ada.watch_clusters());
    let Change::All { malformed, .. } = next(&mut changes).await? else { bail!("the list comes first") };
    ensure!(malformed.is_empty());
    let admin: Api<AccessCluster> = Api::all(hub().await?.admin()?);
    admin.create(&Default::default(), &cluster("watched-1")?).await?;
    // Other tests make and report clusters of theirs on this hub.
    loop {
        match next(&mut changes).await? {
            Change::Put(found) if found.name_any() == "watched-1" => break,
            Change::Put(_) | Change::Deleted(_) => {}
            _ => bail!("a new one"),
        }
    }
    ensure!(ada.clusters().await?.objects.iter().any(|c| c.name_any() == "watched-1"));
    admin.delete("watched-1", &Default::default()).await?;
    loop {
        match next(&mut changes).await? {
            Change::Deleted(gone) if gone.name == "watched-1" => break,
            Change::Put(_) | Change::Deleted(_) => {}
            _ => bail!("a deleted one"),
        }
    }

    let profiles = ada.profiles().await?;
    for object in &profiles.objects {
        sallyport_model::Profile::try_from(object)?;
    }
    ensure!(profiles.objects.iter().any(|p| p.name_any() == "debug-prod") && profiles.malformed.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_do_is_asked_once_and_told_for_every_profile() -> Result<()> {
    let profiles = ["view", "debug-prod", "operate"].map(|p| p.parse().expect("a profile name"));
    let ada = desk(&person("ada", "payments-dev")).await?;
    let mine = ada.rights(&profiles).await?.profiles;
    ensure!(
        mine.values().all(|r| *r == ProfileRights { request: true, approve: false, revoke: false }),
        "{mine:?}"
    );
    let lead = desk(&person("lee", "payments-leads")).await?.rights(&profiles).await?.profiles;
    ensure!(lead[&profiles[2]] == ProfileRights { request: true, approve: true, revoke: true }, "{lead:?}");
    ensure!(lead[&profiles[0]] == ProfileRights { request: true, approve: false, revoke: true }, "{lead:?}");
    let visitor = desk(&person("noor", "visitors")).await?.rights(&profiles).await?.profiles;
    ensure!(visitor.values().all(|r| *r == ProfileRights::default()), "{visitor:?}");

    let team =
        |name: &str, yes| Ok::<_, anyhow::Error>(Team { name: name.parse()?, may_ask: yes, may_read: yes });
    let mut teams = ada.teams().await?;
    teams.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(teams == [team(TEAM, true)?, team("team-platform", false)?], "{teams:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_watched_from_asking_to_its_offer() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
    let request = ada.ask(&ask).await?;
    let which = request.which()?;
    let mut changes = Box::pin(ada.watch_request(&which));
    let Change::All { objects, .. } = next(&mut changes).await? else { bail!("the list comes first") };
    ensure!(objects.len() == 1 && objects[0].uid() == request.uid());
    with_offer(&request, &Digest::of(b"o").to_string()).await?;
    let Change::Put(offered) = next(&mut changes).await? else { bail!("the offer") };
    ensure!(offered.status.and_then(|s| s.offer).is_some());
    // The team's list has it as well, and the broker's view selects by cluster.
    let team = ada.requests_of(&TEAM.parse()?).await?;
    ensure!(team.objects.iter().any(|r| r.uid() == request.uid()));
    let broker = Hub::new(hub().await?.admin()?, DEADLINE);
    let mut other = Box::pin(broker.watch_for_cluster(&"checkout-stage".parse()?));
    let Change::All { objects, .. } = next(&mut other).await? else { bail!("the list comes first") };
    ensure!(objects.is_empty());
    Ok(())
}

/// On a plane of its own, because it goes down.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlives_a_hub_that_goes_away() -> Result<()> {
    let plane = Plane::start(PlaneOptions::new("blinking").without_controllers()).await?;
    let crds = deploy("hub/crds.yaml");
    plane.kubectl().ok(&["apply", "--server-side", "-f", &crds.display().to_string()]).await?;
    plane.kubectl().ok(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]).await?;
    let hub = Hub::new(plane.admin()?, DEADLINE);
    let mut changes = Box::pin(hub.watch_clusters());
    let Change::All { .. } = next(&mut changes).await? else { bail!("the list comes first") };
    plane.stop_apiserver();
    let Change::Trouble(fault) = next(&mut changes).await? else { bail!("it is down") };
    ensure!(fault.may_pass(), "{fault:?}");
    plane.start_apiserver().await?;
    let api: Api<AccessCluster> = Api::all(plane.admin()?);
    let made = async {
        loop {
            match api.create(&Default::default(), &cluster("after")?).await {
                Ok(made) => break anyhow::Ok(made),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    tokio::time::timeout(DEADLINE * 2, made).await??;
    loop {
        match next(&mut changes).await? {
            Change::Put(found) if found.name_any() == "after" => return Ok(()),
            Change::All { objects, .. } if objects.iter().any(|c| c.name_any() == "after") => return Ok(()),
            Change::Trouble(_) | Change::All { .. } => {}
            other => bail!("{other:?}"),
        }
    }
}
