//! `bench leaving`: from the click on Leave to the refusals, for a session of four (role × namespace).
//!
//! Two ways in turn: with hub and broker up, and with both stopped where they are (SIGSTOP), so that the session ends
//! its rights alone. Times are those of the closing report: milliseconds since leaving was asked, until the first and
//! until the last of the four was seen to be refused, past the gateway, by the target's API server itself.

use anyhow::{Context, Result, ensure};
use sallyport_fleet::four::FOUR;
use sallyport_fleet::headless::{Desktop, input, proof, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{Proof, ProofKind, ProofState, SessionState};
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;
const WARM_UP: usize = 2;

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let fleet = Fleet::start(FleetOptions { pods: false, ..FleetOptions::default() }).await?;
    fleet.offer_four().await?;
    let desktop = Desktop::signed_in(&fleet, "dana").await?;
    collected(&fleet, &desktop).await?;
    let (mut first, mut all, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let up =
            leave(&fleet, &desktop, false).await.with_context(|| format!("with all up, round {round}"))?;
        let by_itself =
            leave(&fleet, &desktop, true).await.with_context(|| format!("alone, round {round}"))?;
        eprintln!("round {round}: first {} ms, all {} ms; alone all {} ms", up.0, up.1, by_itself.1);
        if round >= WARM_UP {
            first.push(up.0);
            all.push(up.1);
            alone.push(by_itself.1);
        }
    }
    desktop.app.shut_down().await;
    println!("{ROUNDS} rounds of each in turn, {} CPUs", std::thread::available_parallelism()?);
    for (what, values) in
        [("first refusal", &mut first), ("all four refused", &mut all), ("all four, alone", &mut alone)]
    {
        println!("leave to {what}: p50 {} ms, p95 {} ms", quantile(values, 0.5), quantile(values, 0.95));
    }
    println!(
        "bench leaving first_p95_ms={} alone_p95_ms={} all_p95_ms={}",
        quantile(&mut first, 0.95),
        quantile(&mut alone, 0.95),
        quantile(&mut all, 0.95)
    );
    Ok(())
}

/// Garbage collection looks every 30 s for kinds it does not know yet; ours is new to this cluster, and until it is known
/// nothing that hangs on a grant goes with it.
async fn collected(fleet: &Fleet, desktop: &Desktop) -> Result<()> {
    let began = Instant::now();
    while let Err(error) = leave(fleet, desktop, true).await {
        ensure!(began.elapsed() < Duration::from_secs(120), "garbage collection removes nothing: {error:#}");
    }
    Ok(())
}

/// One session and its end: milliseconds to the first and to the last refusal.
async fn leave(fleet: &Fleet, desktop: &Desktop, alone: bool) -> Result<(u32, u32)> {
    let cluster = fleet.target().spec.name;
    let started = until("the profile", Duration::from_secs(20), async || {
        desktop.app.session_open(input(cluster, FOUR)).await.ok()
    })
    .await?;
    let open = desktop.until(&started.id, |v| v.state != SessionState::Opening).await?;
    ensure!(open.state == SessionState::Open, "it did not open: {:?}", open.error);
    // The witnesses are looked for in the background; a person is never this quick.
    tokio::time::sleep(Duration::from_millis(300)).await;
    if alone {
        fleet.hub.pause()?;
        fleet.target().broker.pause()?;
    }
    let seen = shown(desktop, &open.id).await;
    if alone {
        fleet.hub.resume()?;
        fleet.target().broker.resume()?;
    }
    let line = seen?;
    until("the flush", Duration::from_secs(30), async || {
        let view = desktop.session(&open.id).await.ok()?;
        (proof(&view, ProofKind::AccountRemoved).0 == Some(ProofState::Done)).then_some(())
    })
    .await?;
    ensure!(line.state == ProofState::Done && line.detail.contains("all 4"), "{line:?}");
    Ok((line.first_ms.context("a first refusal")?, line.ms.context("a last refusal")?))
}

/// Leaves, and the line of the report once it is settled.
async fn shown(desktop: &Desktop, id: &str) -> Result<Proof> {
    desktop.app.session_leave(id.to_owned()).await?;
    let settled = |state| matches!(state, Some(ProofState::Done | ProofState::Unproven));
    let view = desktop.until(id, |v| settled(proof(v, ProofKind::RightsGone).0)).await?;
    view.proof.into_iter().find(|line| line.kind == ProofKind::RightsGone).context("it has the line")
}

fn quantile(values: &mut [u32], at: f64) -> u32 {
    values.sort_unstable();
    let last = values.len() - 1;
    values[((last as f64) * at).round() as usize]
}
