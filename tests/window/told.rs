//! Being told on the desktop, with a notification service on the session bus.

use anyhow::{Context as _, Result, ensure};
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_fleet::window::{LATER, SOON, Set};
use sallyport_testkit::notifications::{Manner, NotificationService};
use serde_json::json;
use std::time::Instant;

/// dana asks lee, whose window shows something else: the desktop is told, and a click shows the request.
pub(crate) async fn asked(set: &Set) -> Result<String> {
    let seat = set.signed_in_as("lee").await?;
    let window = &seat.window;
    let service = NotificationService::start(&seat.desk.bus_address(), Manner::default()).await?;
    // Who looks at the window sees there who asks, and what is there at first is no news.
    seat.desk.look_away()?;
    until("the requests are listed", LATER, async || {
        let listed = window.invoke("requests_list", json!({})).await.ok()?;
        (!listed["ok"]["asOf"].is_null()).then_some(())
    })
    .await?;
    let dana = Desktop::signed_in(&set.fleet, "dana").await?;
    until("what dana may ask for", SOON, async || {
        let detail = dana.app.cluster_detail(set.cluster().to_owned()).await.ok()?;
        detail.profiles.iter().any(|profile| profile.name == "operate").then_some(())
    })
    .await?;
    let asked = Instant::now();
    let session = dana.app.session_open(input(set.cluster(), "operate")).await?.id;
    let request = dana.until_within(&session, SOON, |view| view.request.is_some()).await?.request;
    let request = request.context("it is asked")?;
    let told = service.until_told(LATER, |one| one.title.ends_with("asks you")).await?;
    let took = asked.elapsed().as_millis();
    ensure!(told.title.contains("dana") && told.body.contains(set.cluster()), "{told:?}");
    ensure!(!told.body.contains("INC-4312"), "a reason that nobody wanted told: {told:?}");
    service.click(told.id).await?;
    let row = format!("#request-{request}[aria-selected=true]");
    window.sees(&row, set.cluster(), SOON).await?;
    window.sees("aside[aria-label='Selected request']", "INC-4312", SOON).await?;
    ensure!(service.told().len() == 1, "told once: {:?}", service.told());
    dana.app.session_leave(session.clone()).await?;
    dana.until(&session, |view| view.ended.is_some()).await?;
    dana.app.shut_down().await;
    Ok(format!("told {took} ms after the ask"))
}
