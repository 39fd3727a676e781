//! Where a cluster is weak, in the window.

use anyhow::{Result, ensure};
use sallyport_fleet::window::{LATER, SOON, Set, key};
use serde_json::json;
use std::time::Instant;

/// ines scans the fleet by two keys, and reads the path from a group of developers to everything.
pub(crate) async fn scanned(set: &Set) -> Result<String> {
    set.fleet.plant().await?;
    let seat = set.signed_in_as("ines").await?;
    let window = &seat.window;
    window.click("nav button", "Posture").await?;
    window.sees("#posture", set.cluster(), SOON).await?;
    window.press(&['s']).await?;
    window.sees("dialog", "posture", SOON).await?;
    let pressed = Instant::now();
    window.press(&[key::ENTER]).await?;
    window.sees(&format!("[data-posture='{}']", set.cluster()), "critical", LATER).await?;
    let read = pressed.elapsed().as_millis();
    window.click("[data-weakness]", "oidc:payments-dev").await?;
    window.sees("aside", "Path", SOON).await?;
    window.sees("aside", "Fix", SOON).await?;
    // Proven closed, and put away: nothing of it is among the sessions.
    let done = format!("[data-posture='{}']", set.cluster());
    window.sees(&done, "done", LATER).await?;
    let sessions = window.invoke("sessions_list", json!({})).await?;
    ensure!(sessions["ok"] == json!([]), "a session is left: {sessions}");
    window.screenshot(&seat.desk.path().join("posture.png")).await?;
    Ok(format!("read and judged {read} ms after Enter"))
}
