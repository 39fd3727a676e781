//! The guardrails' story: every attack on every rule under `deploy/`, against two real control planes.
//!
//! People are taken for who they are through the API server's authenticating-proxy headers, with groups and sign-in
//! extras as structured authentication maps them; brokers and sessions come with their real tokens, administrators with
//! a client certificate. Each line names the attack of the threat model or the promise that it belongs to, who tried, in
//! which forms, and the API server's own sentence. OPEN lines are what admission can't close, and say who does.
//!
//! `make story STORY=guardrails`, or with `K8S=1.34.4` against an older version.

mod approvals;
mod ask;
mod asking;
mod auto;
mod bindings;
mod board;
mod closing;
mod confined;
mod debugging;
mod ending;
mod events;
mod everyday;
mod forged;
mod forged_requests;
mod grants;
mod holds;
mod injected;
mod inputs;
mod leave;
mod less;
mod limits;
mod merged;
mod network;
mod patches;
mod reach;
mod reaffirm;
mod releases;
mod rights;
mod scans;
mod sessions;
mod signs;
mod status;
mod system;
mod verified;
mod volumes;
mod workloads;
mod world;

use crate::ask::Ask;
use crate::board::Board;
use crate::world::{API, World, until_refused};
use anyhow::Result;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let started = Instant::now();
    match story().await {
        Ok(passed) => {
            println!("in {:.1} s", started.elapsed().as_secs_f64());
            if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("the story could not be told: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn story() -> Result<bool> {
    let world = World::start().await?;
    let mut board = Board::default();
    // A new policy takes up to a second to bite; nothing is tried before the last one does.
    let probe = Ask::delete(&format!("{API}/accessprofiles/view")).dry();
    let hub = until_refused(&world.admin, &probe, Duration::from_secs(60)).await?;
    let own = sessions::grant("probe", &["payments"], "sallyport:view");
    let target = until_refused(
        &world.owner,
        &Ask::create(&format!("{API}/accessgrants"), &own).dry(),
        Duration::from_secs(60),
    )
    .await?;
    // The others were made with these two; a busy machine takes them up one after the other.
    tokio::time::sleep(Duration::from_secs(4)).await;
    println!(
        "policies bite after {} ms on the hub, {} ms on the target",
        hub.as_millis(),
        target.as_millis()
    );

    inputs::reads_as_written(&mut board);
    inputs::table(&mut board);
    asking::run(&world, &mut board).await?;
    scans::run(&world, &mut board).await?;
    status::run(&world, &mut board).await?;
    auto::run(&world, &mut board).await?;
    closing::run(&world, &mut board).await?;
    forged_requests::run(&world, &mut board).await?;
    merged::run(&world, &mut board).await?;
    patches::hub(&world, &mut board).await?;
    signs::run(&world, &mut board).await?;
    events::run(&world, &mut board).await?;
    // It enrols a broker anew, whose old token the API server knows for ten more seconds at most.
    system::run(&world, &mut board).await?;
    holds::run(&world, &mut board).await?;
    reaffirm::run(&world, &mut board).await?;
    sessions::run(&world, &mut board).await?;
    leave::run(&world, &mut board).await?;
    reach::run(&world, &mut board).await?;
    patches::target(&world, &mut board).await?;
    verified::verified(&world, &mut board).await?;
    asking::quota(&world, &mut board).await?;
    asking::without_profiles(&world, &mut board).await?;
    println!("\nCoverage");
    board.coverage();
    Ok(board.close())
}
