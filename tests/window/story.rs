//! The main job, in the window.

use crate::desk::{LATER, SOON, Set};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, api::ListParams};
use sallyport_testkit::window::key;
use serde_json::json;
use std::time::Instant;

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
    window.sees("section h2", "are gone", LATER).await?;
    window.sees("section h2", "is closed behind you", LATER).await?;
    let proof = window.text("[aria-label='Closing proof']").await?;
    for line in
        ["Streams cut", "Terminals ended", "Private kubeconfig deleted", "Rights gone", "Token refused"]
    {
        ensure!(proof.contains(line), "the proof lacks “{line}”:\n{proof}");
    }
    ensure!(accounts(set).await?.is_empty(), "a ServiceAccount is left on the target");
    Ok(format!("open {open} ms after Enter"))
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
    seat.window.sees("section h2", "are gone", LATER).await?;
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
