//! Bad days of a team, on a hub and two targets of its own: everything is held while a broker is dead; the hub goes away between
//! a hold and the word for it; an end is wanted that the hub can't hear.

use crate::approvals::shown;
use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use sallyport_fleet::headless::{Desktop, at_last, input, proof, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{
    AuditFilter, ClosingState, EndReason, EndTold, HeldKind, HoldInput, ProofKind, ProofState, RequestPhase,
    RequestView, SessionState, SessionView,
};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn play(_: &Fleet, lines: &mut Lines) -> Result<()> {
    let fleet = Fleet::start(FleetOptions { targets: 2, ..FleetOptions::default() }).await?;
    let dana = Desktop::signed_in(&fleet, "dana").await?;
    let lee = Desktop::signed_in(&fleet, "lee").await?;
    revoked_while_the_hub_hangs(&fleet, &dana, &lee, lines).await?;
    // Garbage collection learns of a new kind up to a minute after it was installed; by now it has.
    held_with_a_dead_broker(&fleet, &dana, &lee, lines).await?;
    hub_gone_after_a_hold(&fleet, &dana, &lee, lines).await?;
    for desktop in [dana, lee] {
        desktop.app.shut_down().await;
    }
    Ok(())
}

fn everything() -> HoldInput {
    HoldInput {
        on: HeldKind::Everything,
        name: String::new(),
        minutes: 60,
        reason: "we are being attacked".to_owned(),
    }
}

async fn open_on_both(fleet: &Fleet, dana: &Desktop) -> Result<Vec<SessionView>> {
    let mut open = Vec::new();
    for target in &fleet.targets {
        open.push(dana.open(target.spec.name, "view").await?);
    }
    ensure!(open.len() == 2, "two targets");
    Ok(open)
}

fn is_done(view: &SessionView, kind: ProofKind) -> bool {
    proof(view, kind).0 == Some(ProofState::Done)
}

/// Both stages, seen on the target itself.
fn is_proven(view: &SessionView) -> bool {
    is_done(view, ProofKind::RightsGone) && is_done(view, ProofKind::TokenRefused)
}

/// Waits until the hub has closed the requests of all these sessions, as lee's list shows.
async fn leave_the_list(lee: &Desktop, sessions: &[SessionView]) -> Result<()> {
    until("the requests are closed", Duration::from_secs(90), async || {
        let open = lee.app.requests_list().await.ok()?.requests;
        let is_open = |view: &SessionView| open.iter().any(|one| Some(&one.id) == view.request.as_ref());
        (!sessions.iter().any(is_open)).then_some(())
    })
    .await
}

/// Ends every hold, and waits until dana's desktop knows.
async fn nothing_is_held(dana: &Desktop, lee: &Desktop) -> Result<()> {
    let removed = async || {
        for hold in lee.app.app_state().await.ok()?.holds {
            lee.app.hold_remove(hold.id.to_string()).await.ok()?;
        }
        dana.app.app_state().await.ok()?.holds.is_empty().then_some(())
    };
    until("nothing is held", Duration::from_secs(60), removed).await
}

/// Grants that are left on a target.
async fn grants(fleet: &Fleet, target: usize) -> Result<usize> {
    let kubectl = fleet.targets[target].plane.kubectl();
    Ok(kubectl.ok(&["get", "accessgrants", "-o", "name"]).await?.lines().count())
}

/// One hold, two targets, and one of their brokers hears nothing.
async fn held_with_a_dead_broker(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    lines: &mut Lines,
) -> Result<()> {
    let open = open_on_both(fleet, dana).await?;
    until("lee may hold", SOON, async || lee.app.app_state().await.ok()?.may_hold.then_some(())).await?;
    fleet.targets[1].broker.pause()?;
    let began = Instant::now();
    lee.app.hold_create(everything()).await?;
    let mut over = Vec::new();
    for session in &open {
        over.push(dana.until(&session.id, is_proven).await?);
    }
    let took = began.elapsed();
    let read = async || Ok([grants(fleet, 0).await?, grants(fleet, 1).await?]);
    let left = at_last(SOON, read, |left| *left == [0, 0]).await?;
    lines.check(
        "everything is held: both sessions are proven closed, the one whose broker is dead by its own token",
        over.iter().all(|view| view.ended.as_ref().is_some_and(|ended| ended.reason == EndReason::Revoked))
            && left == [0, 0]
            && took < Duration::from_secs(40),
        format!("{took:?}"),
    );
    let waits = shown(lee, &open[1].request.clone().context("it was asked")?, |_| true).await?;
    lines.check(
        "lee sees which one no broker has closed yet",
        waits.phase == RequestPhase::Active,
        format!("{:?}", waits.phase),
    );
    fleet.targets[1].broker.resume()?;
    let closed = leave_the_list(lee, &open).await;
    lines.check("the broker comes back and closes it: none of the two is open any more", closed.is_ok(), "");
    nothing_is_held(dana, lee).await
}

/// The hub hangs the moment it has taken a hold in: whoever has seen it acts on it, and the end needs no hub.
async fn hub_gone_after_a_hold(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    lines: &mut Lines,
) -> Result<()> {
    let open = open_on_both(fleet, dana).await?;
    for target in &fleet.targets {
        target.broker.pause()?;
    }
    lee.app.hold_create(everything()).await?;
    let seen = until("dana's desktop knows", SOON, async || {
        (!dana.app.app_state().await.ok()?.holds.is_empty()).then_some(())
    })
    .await;
    fleet.hub.pause()?;
    seen?;
    let mut over = Vec::new();
    for session in &open {
        over.push(dana.until(&session.id, is_proven).await);
    }
    let said = |view: &SessionView| proof(view, ProofKind::AccountRemoved).2;
    let untold =
        over.iter().flatten().filter(|view| said(view).contains("told as soon as it can hear")).count();
    fleet.hub.resume()?;
    for target in &fleet.targets {
        target.broker.resume()?;
    }
    lines.check(
        "the hub hangs and both brokers are dead as a hold is seen: both are proven closed on their targets all the same",
        over.iter().all(Result::is_ok),
        "",
    );
    // One that told the hub in the moment before it hung says nothing of the kind.
    lines.seen("what the hub could not hear is said to be told later", format!("by {untold} of 2"));
    let closed = leave_the_list(lee, &open).await;
    lines.check("once it answers, it hears of both", closed.is_ok(), "");
    nothing_is_held(dana, lee).await
}

/// What lee's history says of ends, the newest first.
async fn ends_noted(lee: &Desktop) -> Result<Vec<String>> {
    let filter = AuditFilter { action: Some("revoke".into()), ..AuditFilter::default() };
    let entries = lee.app.audit_page(filter, None, 20).await?.entries;
    Ok(entries.iter().map(|entry| entry.sentence.to_string()).collect())
}

/// lee revokes while the hub hangs: lee is told that nobody was told, the session goes on, and ends once the hub hears, with
/// nobody pressing anything.
async fn revoked_while_the_hub_hangs(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    lines: &mut Lines,
) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let asking = async || dana.app.session_open(input(cluster, "view")).await.ok();
    let id = until("nothing is held", Duration::from_secs(60), asking).await?.id;
    let open = dana.until(&id, |view| view.state != SessionState::Opening).await?;
    ensure!(open.state == SessionState::Open, "{:?}", open.error);
    let request = open.request.clone().context("it was asked")?.to_string();
    shown(lee, &request, |one| one.may_revoke).await?;
    fleet.hub.pause()?;
    let said = lee.app.request_revoke(request.clone(), "the incident is over".into()).await;
    let untold = |one: &RequestView| {
        one.ended.is_none()
            && one.closing.as_ref().is_some_and(|closing| closing.state == ClosingState::Untold)
    };
    let row = shown(lee, &request, untold).await;
    let still = dana.session(&id).await?;
    let counted: u32 = lee.app.app_state().await?.untold.iter().map(|one| one.count).sum();
    // An entry is on disk a moment later.
    let noted = at_last(SOON, async || ends_noted(lee).await, |noted| noted.len() == 1).await;
    // Whatever happened until here, the hub goes on.
    fleet.hub.resume()?;
    let (row, noted) = (row?, noted?);
    let closing = row.closing.context("it is kept")?;
    let bound = row.ends_at.map(|end| end + 75_000);
    lines.check(
        "an end that the hub can't hear: its row says that nobody was told and until when the token is taken at most, and the session stays open",
        matches!(said, Ok(EndTold::NotYet))
            && closing.said.is_some()
            && closing.refused_from.is_some()
            && closing.refused_from == bound
            && counted == 1
            && still.state == SessionState::Open,
        format!("{said:?}; {:?}", closing.said),
    );
    lines.check(
        "the history does not claim it: a failed entry says that the hub could not be told",
        noted.len() == 1 && noted[0].contains("could not be told yet"),
        format!("{noted:?}"),
    );
    let began = Instant::now();
    let over = dana.until(&id, |view| view.state == SessionState::Closed && is_proven(view)).await?;
    lines.check(
        "once it answers, lee's desktop tells it by itself: the session ends and is proven",
        over.ended.as_ref().is_some_and(|ended| ended.by.as_deref().is_some_and(|by| by.contains("lee"))),
        format!("{:?} after the hub came back; {:?}", began.elapsed(), over.ended),
    );
    let told = until("nothing is kept any more", Duration::from_secs(60), async || {
        lee.app.app_state().await.ok()?.untold.is_empty().then_some(())
    })
    .await;
    let noted = at_last(SOON, async || ends_noted(lee).await, |noted| noted.len() == 2).await?;
    lines.check(
        "nothing is left to tell, and the history has the end that the hub took",
        told.is_ok() && noted.len() == 2 && noted[0].starts_with("Ended the access of"),
        format!("{noted:?}"),
    );
    let proven = until("what became of it", Duration::from_secs(60), async || {
        let closed = lee.app.requests_list().await.ok()?.closed;
        let one = closed.into_iter().find(|one| one.id.as_str() == request)?;
        one.closing.filter(|closing| closing.state == ClosingState::Proven).map(|_| ())
    })
    .await;
    lines.check("lee's row shows it closed, proven", proven.is_ok(), "");
    Ok(())
}
