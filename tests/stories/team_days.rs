//! Bad days of a team, on a hub and two targets of its own: several say yes to less, each to another less; everything is held
//! while a broker is dead; the hub goes away between a hold and the word for it; an end is wanted that the hub can't hear.

use crate::approvals::shown;
use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use sallyport_fleet::headless::{Desktop, at_last, input, proof, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{
    Decide, EndReason, ErrorCode, HeldKind, HoldInput, LimitsInput, ProofKind, ProofState, RequestPhase,
    SessionState, SessionView,
};
use serde_json::json;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);
/// Wants two yeses.
const PAIR: &str = "pair";

pub(crate) async fn play(_: &Fleet, lines: &mut Lines) -> Result<()> {
    let fleet = Fleet::start(FleetOptions { targets: 2, ..FleetOptions::default() }).await?;
    pair(&fleet).await?;
    let dana = Desktop::signed_in(&fleet, "dana").await?;
    let lee = Desktop::signed_in(&fleet, "lee").await?;
    two_limits(&fleet, &dana, &lee, lines).await?;
    revoked_while_the_hub_hangs(&fleet, &dana, &lee, lines).await?;
    // Garbage collection learns of a new kind up to a minute after it was installed; by now it has.
    held_with_a_dead_broker(&fleet, &dana, &lee, lines).await?;
    hub_gone_after_a_hold(&fleet, &dana, &lee, lines).await?;
    for desktop in [dana, lee] {
        desktop.app.shut_down().await;
    }
    Ok(())
}

/// A profile that wants the yes of lee and of ines.
async fn pair(fleet: &Fleet) -> Result<()> {
    let profile = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": PAIR},
        "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments", "checkout"],
            "maxDuration": "1h", "approvals": 2},
    });
    fleet.hub.make_profile(&profile).await?;
    fleet.hub.allow("pair:ask", "oidc:payments-dev", &["request"], &[PAIR]).await?;
    fleet.hub.allow("pair:lee", "oidc:payments-leads", &["approve"], &[PAIR]).await?;
    fleet.hub.allow("pair:ines", "oidc:platform-admins", &["approve"], &[PAIR]).await
}

/// What is given is the narrowest of all yeses; where they leave nothing, that is a no.
async fn two_limits(fleet: &Fleet, dana: &Desktop, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let ines = Desktop::signed_in(fleet, "ines").await?;
    let cluster = fleet.target().spec.name;
    let asked = async || {
        let opened = async || dana.app.session_open(input(cluster, PAIR)).await.ok();
        let session = until("the profile", SOON, opened).await?.id;
        let view = dana.until_within(&session, SOON, |view| view.request.is_some()).await?;
        let request = view.request.context("it is asked")?.to_string();
        let offer = shown(lee, &request, |one| one.decide == Decide::Yes).await?.offer;
        anyhow::Ok((session, request, offer.context("there is an offer")?.digest.to_string()))
    };
    let less = |seconds: Option<u32>, names: Option<&[&str]>| {
        let namespaces = names.map(|names| names.iter().map(ToString::to_string).collect());
        Some(LimitsInput { duration_seconds: seconds, namespaces })
    };

    let (session, request, digest) = asked().await?;
    lee.app.request_approve(request.clone(), digest.clone(), less(None, Some(&["payments"]))).await?;
    let one = shown(&ines, &request, |one| one.approvals.len() == 1 && one.decide == Decide::Yes).await?;
    lines.check(
        "two have to say yes: the second reads what the first took off",
        one.needed == Some(2)
            && one.approvals[0].by.contains("lee")
            && one.approvals[0].limits.as_ref().is_some_and(|less| less.namespaces.is_some()),
        "",
    );
    ines.app.request_approve(request.clone(), digest, less(Some(1200), None)).await?;
    let open = dana.until(&session, |view| view.state != SessionState::Opening).await?;
    let given = shown(lee, &request, |one| one.phase == RequestPhase::Active).await?.given;
    lines.check(
        "what is given is the narrowest of both: payments by the one, 20 minutes by the other",
        open.state == SessionState::Open
            && open.namespaces == ["payments"]
            && open.duration_seconds == 1200
            && given
                .as_ref()
                .is_some_and(|given| given.namespaces == ["payments"] && given.duration_seconds == 1200),
        format!("{given:?}"),
    );
    dana.app.session_leave(session.clone()).await?;
    dana.until(&session, |view| view.state == SessionState::Closed).await?;

    let (session, request, digest) = asked().await?;
    let (lees, iness) = (less(None, Some(&["payments"])), less(None, Some(&["checkout"])));
    // At once: neither has seen the other's.
    let (first, second) = tokio::join!(
        lee.app.request_approve(request.clone(), digest.clone(), lees),
        ines.app.request_approve(request.clone(), digest, iness),
    );
    let over = dana.until(&session, |view| view.state == SessionState::Closed).await?;
    let said = over.ended.as_ref().and_then(|ended| ended.message.clone()).unwrap_or_default();
    lines.check(
        "two yeses at once that leave nothing are both kept, and are a no that says so",
        first.is_ok()
            && second.is_ok()
            && over.opened_at.is_none()
            && over.ended.as_ref().is_some_and(|ended| ended.reason == EndReason::Denied)
            && said.contains("leave nothing"),
        format!("{said:?}; {first:?} {second:?}"),
    );
    ines.app.shut_down().await;
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

/// lee revokes while the hub hangs: lee is told that nobody was told, and the session goes on until somebody is.
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
    let still = dana.session(&id).await?;
    fleet.hub.resume()?;
    let error = said.err().map(|error| (error.code(), error.to_string()));
    lines.check(
        "an end that the hub can't hear: lee is told so, and the session stays open",
        error.as_ref().is_some_and(|(code, _)| *code == ErrorCode::Unreachable)
            && still.state == SessionState::Open,
        format!("{error:?}"),
    );
    // What hung may have been taken in all the same; once more does no harm.
    let ending = async || match lee.app.request_revoke(request.clone(), "the incident is over".into()).await {
        Ok(()) => Some(()),
        Err(_) => shown(lee, &request, |one| !one.may_revoke).await.is_ok().then_some(()),
    };
    until("the hub hears", Duration::from_secs(60), ending).await?;
    let over = dana.until(&id, |view| view.state == SessionState::Closed && is_proven(view)).await?;
    lines.check(
        "said again once it answers, it ends and is proven",
        over.ended.as_ref().is_some_and(|ended| ended.by.as_deref().is_some_and(|by| by.contains("lee"))),
        format!("{:?}", over.ended),
    );
    Ok(())
}
