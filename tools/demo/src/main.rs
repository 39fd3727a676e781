//! `make run`: a whole team on this machine and the app beside it.
//!
//! With a display the app opens, and the terminal shows how to sign in and how to open a window for somebody else; it
//! ends with the last window, or with Ctrl+C. Without one the whole story is played in two real windows under Xvfb,
//! with a real sign-in page, and pictures are left in `target/demo`.

mod beside;
mod by_hand;
mod foreground;
mod left;
mod logs;
mod play;
mod stop;
mod timeline;

use anyhow::{Error, Result};
use foreground::Foreground;
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_testkit::process::Scratch;
use std::io::Write as _;
use std::process::ExitCode;
use stop::Stop;
use timeline::Timeline;

/// Who may try what.
const PEOPLE: [(&str, &str); 4] = [
    ("dana", "develops payments: opens views and debugging at once"),
    (
        "pat",
        "develops payments too, signs in with the password alone and is asked for the code when production wants it",
    ),
    ("lee", "leads payments: says yes to what others ask for, ends it, and holds"),
    ("ines", "looks after the hub: sees who can ask for what, and scans clusters for what is weak"),
];

/// How long after a failure the signal that made it may still be on its way.
const HEARD: std::time::Duration = std::time::Duration::from_millis(500);

/// How it ended.
enum Ended {
    Played,
    Stopped(&'static str),
    Failed(Error),
}

fn main() -> ExitCode {
    let terminal = Foreground::take();
    sallyport_testkit::plane::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = runtime.map_err(Error::from).and_then(|runtime| {
        let ended = runtime.block_on(demo());
        // Somebody may still read from the terminal, and would until Enter is pressed.
        runtime.shutdown_background();
        ended
    });
    drop(terminal);
    match ended {
        Ok(code) => code,
        Err(error) => {
            tell(&format!("demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn demo() -> Result<ExitCode> {
    let mut stop = Stop::hear()?;
    // Every file of the demo is in here, so that what is left at the end is seen.
    let folder = Scratch::new("demo")?;
    // It can be set once, and nobody did before.
    let _ = tempfile::env::override_temp_dir(folder.path());
    let display =
        ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|v| std::env::var_os(v).is_some_and(|d| !d.is_empty()));
    let mut timeline = Timeline::new();
    let ended = tokio::select! {
        biased;
        by = stop.asked() => Ended::Stopped(by),
        played = run(display, &mut timeline) => match played {
            Ok(()) => Ended::Played,
            // A story that fails because Ctrl+C reached its programs first (one that is just being started is in our
            // group of processes for a moment) was stopped; the signal itself may be heard a little later.
            Err(error) => tokio::time::timeout(HEARD, stop.asked()).await.map_or(Ended::Failed(error), Ended::Stopped),
        },
    };
    let left = left::nothing(folder).await;
    match (ended, left) {
        (Ended::Played, Ok(())) => {
            timeline.part("after the end");
            timeline.step("no process, port or file of the demo is left");
            timeline.total();
            if !display {
                println!("The whole story was played.");
            }
            Ok(ExitCode::SUCCESS)
        }
        (Ended::Stopped(by), Ok(())) => {
            tell(&format!(
                "\nStopped by {by}. Everything the demo made was removed: no process, port or file is left."
            ));
            Ok(ExitCode::SUCCESS)
        }
        (Ended::Failed(error), left) => {
            tell(&format!("demo: it stopped {}: {error:#}", timeline.place()));
            tell(&format!("\nTo go on by hand: {}", by_hand::HOW));
            if let Err(left) = left {
                tell(&format!("demo: and not everything was removed: {left:#}"));
            }
            Ok(ExitCode::FAILURE)
        }
        (Ended::Played | Ended::Stopped(_), Err(left)) => {
            Err(left.context("it ended, and not everything was removed"))
        }
    }
}

/// Says something on standard error, where that is still read: the terminal may be what ended.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

async fn run(display: bool, timeline: &mut Timeline) -> Result<()> {
    timeline.part("fleet");
    println!(
        "  starting an identity provider, a hub and two targets: some seconds, minutes the very first time"
    );
    let fleet = Fleet::start(FleetOptions {
        targets: 2,
        pods: true,
        inventory: true,
        weak: true,
        shown: PEOPLE.to_vec(),
        ..FleetOptions::default()
    })
    .await?;
    timeline.step("identity provider, hub, two targets with simulated pods and their brokers are up");
    if display { by_hand::run(&fleet).await } else { play::run(&fleet, timeline).await }
}
