//! A request that waits for somebody's yes outlives the app; without a keyring it is taken back and the person told.

use crate::crash::{hears, spawn};
use crate::lines::Lines;
use anyhow::{Context, Result, bail};
use sallyport_app::{Keyring, Options};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, Desktop, id_token, options, proof, until};
use sallyport_fleet::window::Desk;
use sallyport_hub::Hub;
use sallyport_ipc::{CleanupProof, ProofKind, ProofState, SessionState, SessionView};
use sallyport_model::{Phase, RequestRef};
use std::time::Duration;

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let desk = Desk::start((64, 64)).await?;
    let bus = desk.env().into_iter().find(|(name, _)| name == "DBUS_SESSION_BUS_ADDRESS").context("a bus")?.1;
    let home = tempfile::tempdir()?;
    let lee = Hub::new(fleet.hub.client_with_token(&id_token(fleet, "lee").await?)?, DEADLINE);

    let mut child = spawn(fleet, home.path(), "operate", &bus).await?;
    let said = hears(&mut child, "waits").await?;
    lines.check("it says whom it waits for", said.contains("1 approval"), said);
    drop(child.stdin.take());
    let ended = tokio::task::spawn_blocking(move || child.wait()).await??;
    let which = the_one(&lee, Phase::Pending).await?;
    lines.check("the app quits and the request goes on", ended.success(), &which.name);

    let with_keyring = Options { keyring: Keyring::Bus(bus.clone()), ..options(fleet) };
    let desktop = Desktop::with(fleet, "dana", home, with_keyring.clone()).await?;
    let session = taken_up(&desktop, &which).await?;
    lines.check(
        "the next start takes it up again, without a browser",
        desktop.browsers_opened() == 0 && session.state == SessionState::Opening,
        session.waiting_for.clone().unwrap_or_default(),
    );
    let state = desktop.app.app_state().await?;
    lines.check("and calls nothing left over", state.cleanup.is_empty(), format!("{:?}", state.cleanup));
    approve(&lee, &which).await?;
    let open = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    lines.check(
        "somebody else's yes opens it",
        open.state == SessionState::Open,
        format!("{:?}", open.error),
    );
    desktop.app.session_leave(session.id.clone()).await?;
    let over =
        desktop.until(&session.id, |v| proof(v, ProofKind::AccountRemoved).0 == Some(ProofState::Done)).await;
    lines.check("and leaving it is proven", over.is_ok(), "");
    desktop.app.shut_down().await;

    let home = tempfile::tempdir()?;
    let mut child = spawn(fleet, home.path(), "operate", "").await?;
    hears(&mut child, "waits").await?;
    child.kill()?;
    child.wait()?;
    let which = the_one(&lee, Phase::Pending).await?;
    let desktop = Desktop::at(fleet, "dana", home).await?;
    desktop.app.sign_in(None).await?;
    let told = until("the cleanup", Duration::from_secs(60), async || {
        let state = desktop.app.app_state().await.ok()?;
        let line = state.cleanup.into_iter().find(|c| c.what.contains("waited for approval"))?;
        (line.proof == CleanupProof::ByBroker).then_some(line.what)
    })
    .await?;
    let phase = lee.request(&which).await?.phase();
    lines.check("without a keyring it is taken back, and the person told", phase == Phase::Closed, told);
    desktop.app.shut_down().await;
    Ok(())
}

/// The only request of the team in a phase.
async fn the_one(hub: &Hub, phase: Phase) -> Result<RequestRef> {
    let listed = hub.requests_of(&"team-payments".parse()?).await?;
    let mut found = listed.objects.iter().filter(|r| r.phase() == phase);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.which()?),
        (first, _) => bail!("{} requests are {phase}", if first.is_some() { "several" } else { "no" }),
    }
}

async fn taken_up(desktop: &Desktop, which: &RequestRef) -> Result<SessionView> {
    until("the request", Duration::from_secs(60), async || {
        let all = desktop.app.sessions_list().await.ok()?;
        all.into_iter().find(|s| s.request.as_deref() == Some(which.uid.as_str()) && s.waiting_for.is_some())
    })
    .await
}

/// A yes to the offer as it stands.
pub(crate) async fn approve(hub: &Hub, which: &RequestRef) -> Result<()> {
    let offer = hub.request(which).await?.status.and_then(|s| s.offer).context("an offer")?;
    let me = hub.whoami().await?;
    hub.approve(
        which,
        &me,
        &offer.digest.parse()?,
        &sallyport_model::Limits::default(),
        jiff::Timestamp::now(),
        None,
    )
    .await
    .map_err(|refused| anyhow::anyhow!("the approval was refused: {refused}"))?;
    Ok(())
}
