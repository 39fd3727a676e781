//! The main job, in the window.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, api::ListParams};
use sallyport_fleet::headless::{DEADLINE, id_token};
use sallyport_fleet::window::{LATER, SOON, Set};
use sallyport_fleet::window::{Window, key};
use sallyport_hub::Hub;
use sallyport_model::Phase;
use serde_json::json;
use std::time::{Duration, Instant};

/// The demo door, signing in, one cluster by Enter, a word echoed by its shell, leaving, both stages of the proof.
pub(crate) async fn in_and_out(set: &Set) -> Result<String> {
    let seat = set.signed_in().await?;
    let window = &seat.window;
    let open = set.open(window).await?.as_millis();
    window
        .until(
            "a prompt",
            "return (document.querySelector('.xterm-rows')?.textContent ?? '').trim().length > 0",
            SOON,
        )
        .await?;
    window.terminal_type("echo seen:$((40 + 2)); kubectl config current-context\n").await?;
    window.terminal_shows("seen:42", SOON).await?;
    ensure!(accounts(set).await?.len() == 1, "one session, one ServiceAccount");
    window.press(&[key::CONTROL, key::SHIFT, 'l']).await?;
    let proof = window.proven(set.cluster(), LATER).await?;
    for line in
        ["Streams cut", "Terminals ended", "Private kubeconfig deleted", "Rights gone", "Token refused"]
    {
        ensure!(proof.contains(line), "the proof lacks “{line}”:\n{proof}");
    }
    ensure!(accounts(set).await?.is_empty(), "a ServiceAccount is left on the target");
    Ok(format!("open {open} ms after Enter"))
}

/// Where the API server has forgotten the token already, the first probe is answered 401 and the heading between the
/// two stages of the proof is never on screen. The app sleeps while its request is withdrawn and carried out, so its
/// first probe comes after the account is gone; and nobody looks at the window until the proof is over.
pub(crate) async fn ends_together(set: &Set) -> Result<String> {
    let seat = set.in_session().await?;
    let window = &seat.window;
    let uid = view(window, "request").await?;
    let hub = Hub::new(set.fleet.hub.client_with_token(&id_token(&set.fleet, "dana").await?)?, DEADLINE);
    let team = "team-payments".parse()?;
    let requests = hub.requests_of(&team).await?.objects;
    let request = requests.iter().find(|r| r.metadata.uid.as_deref() == uid.as_str());
    let which = request.context("the session has a request on the hub")?.which()?;
    // Longer than the API server's cache keeps a token that was good.
    tokio::time::sleep(Duration::from_secs(11)).await;
    window.pause()?;
    let carried_out = async {
        hub.withdraw(&which).await?;
        let began = Instant::now();
        while hub.request(&which).await?.phase() != Phase::Closed {
            ensure!(began.elapsed() < LATER, "the broker did not carry out the withdrawal");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    let carried_out = carried_out.await;
    window.resume()?;
    carried_out?;
    let began = Instant::now();
    while view(window, "state").await? != json!("closed") {
        ensure!(began.elapsed() < LATER, "the session is not closed: {}", view(window, "proof").await?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let proof = view(window, "proof").await?;
    let ms = |kind: &str| {
        let lines = proof.as_array().into_iter().flatten();
        lines.filter(|line| line["kind"] == kind).find_map(|line| line["ms"].as_u64()).unwrap_or_default()
    };
    let apart = ms("tokenRefused").saturating_sub(ms("rightsGone"));
    ensure!(apart < 2000, "the stages were {apart} ms apart: {proof}");
    window.proven(set.cluster(), SOON).await?;
    // Only now: the page draws a moment after the app knows.
    ensure!(!window.has("section h2", "are gone").await?, "the heading between the stages stayed on screen");
    Ok(format!("both stages within {apart} ms"))
}

/// A field of the only session, as the page would read it.
async fn view(window: &Window, field: &str) -> Result<serde_json::Value> {
    let sessions = window.invoke("sessions_list", json!({})).await?;
    Ok(sessions["ok"][0][field].clone())
}

/// xterm colours its cells with styles it makes itself; a policy that forbids them shows as black text.
pub(crate) async fn colours(set: &Set) -> Result<String> {
    let seat = set.in_session().await?;
    seat.window.terminal_type("printf '\\033[31mred\\033[0m-\\033[38;2;10;200;30mtrue\\033[0m\\n'\n").await?;
    let colour = "const span = [...document.querySelectorAll('.xterm-rows span')].find((s) => s.textContent === arguments[0]);\
                  return span ? getComputedStyle(span).color : null";
    let word = |word: &str| format!("return (function() {{ {colour} }})({})", json!(word));
    let red = seat.window.until("a red word", &word("red"), SOON).await?;
    let exact = seat.window.until("a word in a colour of its own", &word("true"), SOON).await?;
    let plain = seat
        .window
        .run("return getComputedStyle(document.querySelector('.xterm-rows')).color", json!([]))
        .await?;
    ensure!(red != plain, "red is as plain text: {plain}");
    ensure!(exact == json!("rgb(10, 200, 30)"), "the exact colour became {exact}");
    let mono = seat.window.run("return document.fonts.check('13px \"IBM Plex Mono\"')", json!([])).await?;
    ensure!(mono == json!(true), "the terminal's font is not loaded");
    seat.window.click(".truth button", "Leave").await?;
    seat.window.rights_gone(set.cluster(), LATER).await?;
    Ok(format!("red is {}", red.as_str().context("a colour is text")?))
}

/// Quit from the menu: it says what ends, and nothing is left on the target when the process is gone.
pub(crate) async fn quits(set: &Set) -> Result<String> {
    // A window that was taken away leaves its session to its end; only this one's account counts here.
    let before = accounts(set).await?;
    let seat = set.in_session().await?;
    let own: Vec<String> = accounts(set).await?.into_iter().filter(|a| !before.contains(a)).collect();
    ensure!(own.len() == 1, "one session made {} accounts", own.len());
    let alive = async || Ok::<_, anyhow::Error>(accounts(set).await?.contains(&own[0]));
    seat.window.click(".who button", "dana").await?;
    seat.window.click(".menu .item", "Quit Sallyport").await?;
    seat.window.sees("dialog", "This ends 1 session", SOON).await?;
    seat.window.sees("dialog li", set.cluster(), SOON).await?;
    ensure!(alive().await?, "asking alone ended the session");
    let pressed = Instant::now();
    // The page goes with the app, so the click may get no answer.
    let _ = seat.window.click("dialog .btn", "Quit").await;
    seat.window.ended(SOON).await?;
    let took = pressed.elapsed().as_millis();
    let files = std::fs::read_dir(seat.desk.app_home().join("run"))?.count();
    ensure!(files == 0, "{files} entries are left in the runtime directory");
    let began = Instant::now();
    while alive().await? {
        ensure!(began.elapsed() < LATER, "a ServiceAccount is left on the target");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(format!("ended after {took} ms"))
}

/// The session accounts on the target.
async fn accounts(set: &Set) -> Result<Vec<String>> {
    let admin = set.fleet.target().plane.admin()?;
    let found =
        Api::<ServiceAccount>::namespaced(admin, "sallyport-sessions").list(&ListParams::default()).await?;
    Ok(found.items.into_iter().filter_map(|a| a.metadata.name).filter(|n| n.starts_with("s-")).collect())
}
