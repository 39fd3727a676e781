//! `make run`: a whole team on this machine and the app beside it.
//!
//! With a display the app opens and the terminal shows how to sign in; it ends with the window. Without one the whole
//! story is played in the real window under Xvfb, with a real sign-in page, and pictures are left in `target/demo`.

#[path = "demo/by_hand.rs"]
mod by_hand;
#[path = "demo/left.rs"]
mod left;
#[path = "demo/play.rs"]
mod play;
#[path = "demo/timeline.rs"]
mod timeline;

use anyhow::Result;
use sallyport_testkit::fleet::{Fleet, FleetOptions};
use std::process::ExitCode;
use timeline::Timeline;

/// Who may try what.
const PEOPLE: [(&str, &str); 3] = [
    ("dana", "develops payments: opens views and debugging at once"),
    (
        "pat",
        "develops payments too, signs in with the password alone and is asked for the code when production wants it",
    ),
    ("lee", "leads payments: may approve what others ask for"),
];

#[tokio::main]
async fn main() -> ExitCode {
    sallyport_testkit::plane::install_crypto();
    let display =
        ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|v| std::env::var_os(v).is_some_and(|d| !d.is_empty()));
    let played = tokio::select! {
        played = run(display) => played,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped")),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(display: bool) -> Result<()> {
    let mut timeline = Timeline::new();
    timeline.part("fleet");
    println!(
        "  starting an identity provider, a hub and two targets: some seconds, minutes the very first time"
    );
    let fleet = Fleet::start(FleetOptions {
        targets: 2,
        pods: true,
        inventory: true,
        shown: PEOPLE.to_vec(),
        ..FleetOptions::default()
    })
    .await?;
    timeline.step("identity provider, hub, two targets with simulated pods and their brokers are up");
    let ended = if display { by_hand::run(&fleet).await } else { play::run(&fleet, &mut timeline).await };
    drop(fleet);
    ended?;
    timeline.part("after the end");
    left::nothing_runs().await?;
    timeline.step("no process of the demo is left");
    timeline.total();
    Ok(())
}
