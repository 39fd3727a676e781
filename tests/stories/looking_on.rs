//! Nobody opens anything: what the list and the detail know of a cluster, and when they hear of a change.

use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, Desktop, until};
use sallyport_hub::Hub;
use sallyport_ipc::{ClusterView, HubLink, Rights, Way};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let target = fleet.target();
    let name = target.spec.name;
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let listed = listed(&desktop, name).await?;
    let alive = listed.broker.seen_at.is_some() && !listed.broker.silent;
    lines.check("the list shows that the broker is alive", alive, format!("{:?}", listed.broker));
    let Way::OneClick { profile } = listed.way else { anyhow::bail!("one click: {:?}", listed.way) };

    let read = || previews_read(fleet);
    let before = read()?;
    let detail = desktop.app.cluster_detail(name.to_owned()).await?;
    let known = |rights: &Rights| matches!(rights, Rights::Known { rights, rules, .. } if !rights.is_empty() && *rules > 0);
    let all = detail.profiles.iter().all(|one| known(&one.rights));
    lines.check(
        "the detail says what each profile allows",
        all && !detail.profiles.is_empty(),
        format!("{} profiles", detail.profiles.len()),
    );
    lines.check(
        "and what one click takes is what the list says",
        detail.chosen.as_deref() == Some(profile.as_str()),
        &profile,
    );
    desktop.app.cluster_detail(name.to_owned()).await?;
    until("the audit log", SOON, async || read().ok().filter(|now| *now > before)).await?;
    let times = read()? - before;
    lines.check(
        "what was read is not read again while the broker names no other",
        times == 1,
        format!("{times} reads"),
    );

    fleet.hub.pause()?;
    let away = desktop.app.cluster_detail(name.to_owned()).await;
    fleet.hub.resume()?;
    let away = away?.profiles;
    lines.check(
        "a hub that hangs: the detail shows what was read",
        away.iter().all(|one| known(&one.rights)),
        "",
    );

    fall_silent(fleet).await?;
    let detail = desktop.app.cluster_detail(name.to_owned()).await?;
    let shown = self::listed(&desktop, name).await?.broker;
    let said = format!("{shown:?}");
    lines.check(
        "a silent broker is seen with the cluster in view",
        detail.cluster.broker.silent && shown.silent,
        said,
    );
    target.broker.restart().await?;
    let back = until("the broker is back", SOON * 2, async || {
        let broker = self::listed(&desktop, name).await.ok()?.broker;
        (!broker.silent).then_some(broker)
    })
    .await;
    lines.check("one that is back is seen by its report", back.is_ok(), "");

    fleet.hub.stop_apiserver();
    let down = link(&desktop, HubLink::Down).await;
    fleet.hub.start_apiserver().await?;
    let live = link(&desktop, HubLink::Live).await;
    lines.check(
        "a hub that went and came back is said to be there, though nothing changed",
        down.is_ok() && live.is_ok(),
        "",
    );
    desktop.app.shut_down().await;
    down.and(live)
}

async fn listed(desktop: &Desktop, name: &str) -> Result<ClusterView> {
    let view = desktop.app.clusters_list().await?;
    view.clusters.into_iter().find(|cluster| cluster.name == name).context("it is listed")
}

async fn link(desktop: &Desktop, wanted: HubLink) -> Result<()> {
    until("the hub's link", SOON * 2, async || {
        (desktop.app.app_state().await.ok()?.hub.link == wanted).then_some(())
    })
    .await
}

/// How often a person read a preview, by the hub's audit log.
fn previews_read(fleet: &Fleet) -> Result<usize> {
    let log = std::fs::read_to_string(fleet.hub.audit_log().context("it has one")?)?;
    let reads =
        log.lines().filter(|line| line.contains("/accesspreviews/") && line.contains("\"verb\":\"get\""));
    let by_people = reads.filter(|line| !line.contains("\"username\":\"system:serviceaccount:")).count();
    ensure!(!log.is_empty(), "the hub's audit log is empty");
    Ok(by_people)
}

/// Ends the broker, and leaves its sign of life as if it had been silent for an hour.
pub(crate) async fn fall_silent(fleet: &Fleet) -> Result<()> {
    let target = fleet.target();
    let name = target.spec.name;
    target.broker.kill();
    let args = ["create", "token", name, "-n", "sallyport-brokers", "--duration", "10m"];
    let token = fleet.hub.kubectl().ok(&args).await?;
    let broker = Hub::new(fleet.hub.client_with_token(token.trim())?, DEADLINE);
    let hour_ago = Timestamp::now().checked_sub(SignedDuration::from_hours(1))?;
    broker.beat(&name.parse()?, "gone", Duration::from_secs(90), hour_ago).await?;
    Ok(())
}
