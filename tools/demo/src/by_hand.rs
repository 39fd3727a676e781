//! The demo for a person at a display: a window for dana, and one for whoever else they name.
//!
//! One window opens by itself, since whoever tries this for the first time has one pair of eyes; the second is a word
//! away, once there is something for a second person to do.

use crate::PEOPLE;
use crate::beside::{Beside, names};
use crate::logs::Logs;
use anyhow::{Context as _, Result};
use sallyport_fleet::Fleet;
use sallyport_testkit::VictoriaLogs;
use sallyport_testkit::process::Scratch;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// How to do by hand what is played where there is no display.
pub(crate) const HOW: &str = "with a display, `make run` opens the same app on the same kind of fleet, prints who may \
    sign in and their one-time codes, opens a window for whoever is named, and stays until its windows are closed. The \
    story's steps, one line each, are in tools/demo/src/play.";

/// Whose window opens by itself.
const FIRST: &str = "dana";
/// How often windows and codes are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Opens the app and shows how to sign in until every window is closed.
pub(crate) async fn run(fleet: &Fleet) -> Result<()> {
    let scratch = Scratch::new("demo")?;
    let home = scratch.path().to_owned();
    let mut beside = Beside::new(fleet, scratch)?;
    beside.open(FIRST).await?;
    welcome(fleet);
    // Behind the first window, and never in its way.
    let mut logs = Logs::of(fleet);
    match VictoriaLogs::is_built() {
        true => logs.start(),
        false => println!(
            "  No log store yet: type logs and Enter to have one built from its Go module, about a minute, once."
        ),
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut listening = true;
    let mut shown = String::new();
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            line = lines.next_line(), if listening => match line {
                Ok(Some(line)) if line.trim() == "logs" => logs.start(),
                Ok(Some(line)) => {
                    println!("  {}", beside.asked(line.trim()).await?);
                    shown.clear();
                }
                _ => listening = false,
            },
            told = logs.told() => println!("{told}"),
            _ = tick.tick() => {
                for name in beside.closed()? {
                    println!("  {name}'s window is closed.{}", if beside.any() { " Type the name for it again." } else { "" });
                }
                if !beside.any() {
                    break;
                }
                let codes = codes(fleet).await?;
                if codes != shown {
                    println!("  {codes}");
                    shown = codes;
                }
            }
        }
    }
    logs.end().await;
    drop(beside);
    crate::left::nothing_names(&home).await
}

fn welcome(fleet: &Fleet) {
    println!(
        "\nThe app is open for {FIRST}: choose “Try the demo”. The sign-in page opens in a browser that trusts this demo alone."
    );
    println!(
        "Control planes are real, pods are simulated. Everything is removed when you close the last window or press Ctrl+C.\n"
    );
    for (sub, what) in PEOPLE {
        let account = fleet.idp.account(sub);
        println!("  {:<24} password {:<16} {what}", account.email, account.password);
    }
    println!(
        "\nTwo people: type lee and Enter for a window beside, with a browser, a keyring and data of its own."
    );
    println!(
        "Then ask for operate on payments-eu-1 as dana, and say yes as lee. Any of {} will do.",
        names()
    );
    println!("\nThe sign-in page shows passwords and codes too. One-time codes (Enter shows them again):");
}

async fn codes(fleet: &Fleet) -> Result<String> {
    let mut codes = Vec::new();
    for (sub, _) in PEOPLE {
        codes.push(format!("{sub} {}", fleet.idp.totp_now(sub).await.context("read a one-time code")?));
    }
    Ok(codes.join("   "))
}
