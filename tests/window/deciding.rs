//! Saying no to somebody, by keys, in the window of whoever is asked.

use anyhow::{Context as _, Result, bail, ensure};
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_fleet::window::{LATER, SOON, Set, Window, key};
use sallyport_ipc::{EndReason, SessionState};
use std::time::{Duration, Instant};

/// How long a key is given to show what it does, before it is pressed again: a row that has just come takes none.
const AGAIN: Duration = Duration::from_secs(2);
const WHY: &str = "page the owner of checkout first";

/// Presses a key until the window shows what it does.
async fn press(window: &Window, key: char, css: &str, text: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        window.press(&[key]).await?;
        match window.sees(css, text, AGAIN).await {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() > LATER => return Err(error),
            Err(_) => {}
        }
    }
}

/// dana asks, and lee says no by D, a reason and Enter: dana's desktop hears by whom and why, and nothing had opened.
pub(crate) async fn denied(set: &Set) -> Result<String> {
    let seat = set.signed_in_as("lee").await?;
    let window = &seat.window;
    let dana = Desktop::signed_in(&set.fleet, "dana").await?;
    until("what dana may ask for", SOON, async || {
        let detail = dana.app.cluster_detail(set.cluster().to_owned()).await.ok()?;
        detail.profiles.iter().any(|profile| profile.name == "operate").then_some(())
    })
    .await?;
    let session = dana.app.session_open(input(set.cluster(), "operate")).await?.id;
    let request = dana.until_within(&session, LATER, |view| view.request.is_some()).await?.request;
    let request = request.context("it is asked")?;
    window.press(&['g']).await?;
    window.press(&['r']).await?;
    window.sees("nav button[aria-current=page]", "Requests", SOON).await?;
    window.sees(&format!("#request-{request}"), "yours to decide", LATER).await?;
    window.click(&format!("#request-{request}"), "").await?;
    window.sees("aside[aria-label='Selected request']", "What a yes would allow", SOON).await?;
    press(window, 'd', "label[for=decision-reason]", "Deny").await?;
    // Esc says nothing: the request goes on waiting.
    window.type_into("#decision-reason", "no").await?;
    press(window, key::ESCAPE, "aside footer", "Approve").await?;
    let still = dana.session(&session).await?;
    ensure!(still.state == SessionState::Opening, "going back denied it: {:?}", still.ended);
    press(window, 'd', "label[for=decision-reason]", "Deny").await?;
    window.type_into("#decision-reason", WHY).await?;
    let began = Instant::now();
    press(window, key::ENTER, "aside footer", "You said no").await?;
    let over = dana.until_within(&session, LATER, |view| view.state == SessionState::Closed).await?;
    let Some(ended) = over.ended else { bail!("it does not say how it ended: {:?}", over.error) };
    ensure!(
        ended.reason == EndReason::Denied
            && ended.by.as_deref().is_some_and(|by| by.contains("lee"))
            && ended.message.as_deref().is_some_and(|said| said.contains(WHY))
            && over.opened_at.is_none(),
        "{ended:?}"
    );
    dana.app.shut_down().await;
    Ok(format!("dana was told {} ms after Enter", began.elapsed().as_millis()))
}
