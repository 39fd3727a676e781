//! The demo for a person at a display.

use crate::PEOPLE;
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use sallyport_fleet::Fleet;
use sallyport_fleet::window;
use sallyport_testkit::browser::Profile;
use sallyport_testkit::process::Scratch;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How to do by hand what is played where there is no display.
pub(crate) const HOW: &str = "with a display, `make run` opens the same app on the same kind of fleet, prints who may \
    sign in and their one-time codes, and stays until its window is closed. The story's steps, one line each, are in \
    tools/demo/src/play.rs.";

/// The app, in a process group of its own: Ctrl+C asks us, and we end it, with its terminals and its browser.
struct Opened {
    app: Child,
    profile: Profile,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let group = self.app.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            // Gone already is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.profile.wait_until_unused();
    }
}

/// Opens the app and shows how to sign in until its window is closed.
pub(crate) async fn run(fleet: &Fleet) -> Result<()> {
    let scratch = Scratch::new("demo")?;
    let workspace = scratch.write("workspace.json", fleet.workspace_file())?;
    let profile = Profile::new(fleet.idp.ca_pem())?;
    let kubectl = fleet.target().plane.assets().kubectl().parent().context("kubectl is in a folder")?;
    let app = Command::new(window::binary()?)
        .env("SALLYPORT_HOME", scratch.path().join("home"))
        .env("SALLYPORT_DEMO", &workspace)
        .env("SALLYPORT_KUBECTL_DIR", kubectl)
        .env("TMPDIR", scratch.path())
        .env("BROWSER", profile.write_launcher()?)
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("start the app")?;
    let mut opened = Opened { app, profile };
    println!(
        "\nThe app is open: choose “Try the demo”. The sign-in page opens in a browser that trusts this demo alone."
    );
    println!(
        "Control planes are real, pods are simulated. Everything is removed when you close the window or press Ctrl+C.\n"
    );
    for (sub, what) in PEOPLE {
        let account = fleet.idp.account(sub);
        println!("  {:<24} password {:<16} {what}", account.email, account.password);
    }
    println!("\nThe sign-in page shows these too. One-time codes (Enter shows them again):");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut listening = true;
    let mut shown = String::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = opened.app.wait() => {
                let ended = ended?;
                ensure!(ended.success(), "the app ended with {ended}");
                break;
            }
            line = lines.next_line(), if listening => match line {
                Ok(Some(_)) => shown.clear(),
                _ => listening = false,
            },
            _ = tick.tick() => {
                let codes = codes(fleet).await?;
                if codes != shown {
                    println!("  {codes}");
                    shown = codes;
                }
            }
        }
    }
    let home = scratch.path().to_owned();
    drop((opened, scratch));
    super::left::nothing_names(&home).await
}

async fn codes(fleet: &Fleet) -> Result<String> {
    let mut codes = Vec::new();
    for (sub, _) in PEOPLE {
        codes.push(format!("{sub} {}", fleet.idp.totp_now(sub).await?));
    }
    Ok(codes.join("   "))
}
