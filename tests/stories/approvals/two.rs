//! Two have to say yes: whoever asks sees each as it comes, each may give another less, and two at once lose nothing.

use super::shown;
use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_ipc::{Decide, EndReason, LimitsInput, RequestPhase, SessionState, SessionView};
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
/// Wants two yeses.
const PAIR: &str = "pair";

/// On a hub that has the profile as long as this is played, by desktops that know it from the beginning.
pub(super) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    pair(fleet).await?;
    let (dana, lee) = (Desktop::signed_in(fleet, "dana").await?, Desktop::signed_in(fleet, "lee").await?);
    let played = limits(fleet, &dana, &lee, lines).await;
    for desktop in [dana, lee] {
        desktop.app.shut_down().await;
    }
    fleet.hub.remove_profiles(&[PAIR]).await?;
    let kubectl = fleet.hub.kubectl();
    for name in ["pair:ask", "pair:lee", "pair:ines"] {
        kubectl.ok(&["delete", "clusterrole,clusterrolebinding", name]).await?;
    }
    played
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
async fn limits(fleet: &Fleet, dana: &Desktop, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let ines = &Desktop::signed_in(fleet, "ines").await?;
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
    let one = shown(ines, &request, |one| one.approvals.len() == 1 && one.decide == Decide::Yes).await?;
    let waits = |view: &SessionView| {
        let said = view.waiting_for.as_ref().map(ToString::to_string).unwrap_or_default();
        said.contains("lee")
            && said.contains("only payments")
            && said.contains("waiting for 1 approval under pair")
    };
    let between = dana.until_within(&session, SOON, waits).await;
    let own = shown(dana, &request, |own| own.own && own.approvals.len() == 1).await;
    lines.check(
        "between two yeses dana sees whose came and how many are still wanted, at her session and in her list",
        between.as_ref().is_ok_and(|view| view.state == SessionState::Opening)
            && own.as_ref().is_ok_and(|own| {
                own.needed == Some(2) && own.approvals[0].counts && own.approvals[0].by.contains("lee")
            }),
        format!("{:?}", between.map(|view| view.waiting_for)),
    );
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
