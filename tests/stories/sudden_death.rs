//! App and broker are killed with -9 at random moments of asking, approving, opening, extending and leaving; each next start
//! finds what was left and removes it, and nothing stays (P14). The seed is printed: `SALLYPORT_SEED` plays the same again.

use crate::crash::Restless;
use crate::dice::Dice;
use crate::lines::Lines;
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt, api::ListParams};
use sallyport_api::{AccessGrant, AccessRequest};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, until};
use sallyport_fleet::window::Desk;
use sallyport_ipc::Decide;
use sallyport_model::Phase;
use std::time::{Duration, Instant};

/// Leftovers are removed by the next start: its sign-in, the hub's word, the broker's flush.
const CLEAN: Duration = Duration::from_secs(40);
/// A step comes round again within this.
const STEP: Duration = Duration::from_secs(60);

/// What a restless desktop does, by what it says as it begins.
const STEPS: [&str; 4] = ["asking", "extending", "leaving", "waiting"];

/// What a person has on hub and target: requests that are not closed, and what belongs to grants.
async fn left(fleet: &Fleet) -> Result<Vec<String>> {
    let (hub, target) = (fleet.hub.admin()?, fleet.target().plane.admin()?);
    let all = ListParams::default();
    let mut left = Vec::new();
    let requests = Api::<AccessRequest>::all(hub).list(&all).await?;
    left.extend(
        requests
            .iter()
            .filter(|one| one.phase() != Phase::Closed)
            .map(|one| format!("request {} is {:?}", one.name_any(), one.phase())),
    );
    let grants = Api::<AccessGrant>::all(target.clone()).list(&all).await?;
    left.extend(grants.iter().map(|one| format!("grant {}", one.name_any())));
    let accounts = Api::<ServiceAccount>::namespaced(target.clone(), "sallyport-sessions").list(&all).await?;
    let ours = |name: &String| name.starts_with("s-");
    left.extend(
        accounts.iter().map(ResourceExt::name_any).filter(ours).map(|name| format!("account {name}")),
    );
    let of_grants = ListParams::default().labels("access.sallyport.dev/grant");
    let bindings = Api::<RoleBinding>::all(target).list(&of_grants).await?;
    left.extend(bindings.iter().map(|one| format!("binding {}", one.name_any())));
    Ok(left)
}

/// Says yes to whatever waits, for as long as it is polled.
async fn says_yes(lee: &Desktop) {
    loop {
        for one in lee.app.requests_list().await.map(|view| view.requests).unwrap_or_default() {
            if let Some(offer) = one.offer.filter(|_| one.decide == Decide::Yes) {
                // What was taken back meanwhile, or whose hub is busy, is refused; the next look finds what is left.
                let _ = lee.app.request_approve(one.id.to_string(), offer.digest.to_string(), None).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Ten rounds, for every run.
pub(crate) async fn ten(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    play(fleet, lines, 10).await
}

/// Fifty.
pub(crate) async fn fifty(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    play(fleet, lines, 50).await
}

async fn play(fleet: &Fleet, lines: &mut Lines, rounds: u32) -> Result<()> {
    let (dice, seed) = Dice::from_environment();
    lines.seen("the dice are thrown", format!("SALLYPORT_SEED={seed}"));
    let lee = Desktop::signed_in(fleet, "lee").await?;
    let played = tokio::select! {
        played = deaths(fleet, lines, rounds, dice) => played,
        () = says_yes(&lee) => Ok(()),
    };
    lee.app.shut_down().await;
    played
}

async fn deaths(fleet: &Fleet, lines: &mut Lines, rounds: u32, mut dice: Dice) -> Result<()> {
    let desk = Desk::start((64, 64)).await?;
    let bus = desk.env().into_iter().find(|(name, _)| name == "DBUS_SESSION_BUS_ADDRESS").context("a bus")?.1;
    let home = tempfile::tempdir()?;
    // Whatever stories before this one left is theirs to explain.
    until("a clean start", CLEAN, async || left(fleet).await.ok()?.is_empty().then_some(())).await?;
    for round in 1..=rounds {
        let mut desktop = Restless::spawn(fleet, home.path(), &bus).await?;
        clean(fleet, lines, round).await;
        desktop.go()?;
        let step = STEPS[dice.below(STEPS.len() as u64) as usize];
        let (dies, after) = (dice.below(3), Duration::from_millis(dice.below(400)));
        // Some steps into it, so that more than the first of each is met.
        for _ in 0..=dice.below(2) {
            desktop.hears(step, STEP).await?;
        }
        tokio::time::sleep(after).await;
        let who = ["the app", "the broker", "both"][dies as usize];
        if dies != 0 {
            fleet.target().broker.kill();
        }
        match dies {
            0 => desktop.kill().await?,
            1 => {
                fleet.target().broker.restart().await?;
                desktop.quits().await?;
            }
            _ => {
                desktop.kill().await?;
                fleet.target().broker.restart().await?;
            }
        }
        lines.seen(&format!("round {round}: {who} died {} ms into {step}", after.as_millis()), "");
    }
    let desktop = Restless::spawn(fleet, home.path(), &bus).await?;
    clean(fleet, lines, rounds + 1).await;
    desktop.quits().await
}

/// The start of a round has removed what the one before left.
async fn clean(fleet: &Fleet, lines: &mut Lines, round: u32) {
    let began = Instant::now();
    let is_clean =
        until("nothing left", CLEAN, async || left(fleet).await.ok()?.is_empty().then_some(())).await;
    let what = if is_clean.is_ok() { Vec::new() } else { left(fleet).await.unwrap_or_default() };
    lines.check(
        &format!("p14 round {round} begins with nothing of the one before"),
        is_clean.is_ok(),
        format!("after {} ms {}", began.elapsed().as_millis(), what.join(", ")),
    );
}
