//! What whoever holds sees of what it ends, until it is proven; and a hold that somebody makes on themselves.

use super::{SOON, ended, held, hold};
use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_ipc::{ClosingState, HeldKind, HoldView, RequestView, SessionState};
use sallyport_model::ErrorCode;
use std::time::Duration;

/// Nothing is held before and after.
pub(super) async fn play(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    user: &str,
    lines: &mut Lines,
) -> Result<()> {
    as_they_close(fleet, dana, lee, user, lines).await?;
    on_oneself(fleet, lee, lines).await
}

/// The requests of these sessions in lee's list: those that are open there, and those that lee ended and are closed.
async fn listed(lee: &Desktop, requests: &[String]) -> Option<(Vec<RequestView>, Vec<RequestView>)> {
    let view = lee.app.requests_list().await.ok()?;
    let of = |all: Vec<RequestView>| -> Vec<RequestView> {
        all.into_iter().filter(|one| requests.iter().any(|id| one.id == id.as_str())).collect()
    };
    Some((of(view.requests), of(view.closed)))
}

fn are(all: &[RequestView], state: ClosingState) -> bool {
    all.iter().all(|one| one.closing.as_ref().is_some_and(|closing| closing.state == state))
}

/// While its broker can't hear, each is being closed by lee's hold; then each is proven, and stays in lee's list.
async fn as_they_close(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    user: &str,
    lines: &mut Lines,
) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let mut requests = Vec::new();
    for profile in ["debug-prod", "view"] {
        let open = dana.open(cluster, profile).await?;
        requests.push(open.request.context("it was asked")?.to_string());
    }
    let known = async || (listed(lee, &requests).await?.0.len() == 2).then_some(());
    until("lee's list has both", SOON, known).await?;
    fleet.target().broker.pause()?;
    let told = async {
        lee.app.hold_create(hold(HeldKind::User, user)).await?;
        until("both are being closed", Duration::from_secs(30), async || {
            let (open, closed) = listed(lee, &requests).await?;
            (open.len() == 2 && closed.is_empty() && are(&open, ClosingState::Told)).then_some(open)
        })
        .await
    }
    .await;
    // Whatever came of it, the broker goes on.
    fleet.target().broker.resume()?;
    let bounded = |one: &RequestView| {
        let bound = one.closing.as_ref().and_then(|closing| closing.refused_from);
        bound.is_some() && bound == one.ends_at.map(|end| end + 75_000)
    };
    lines.check(
        "lee's list shows both sessions being closed by the hold, each with when its token is refused anyway (P10)",
        // Her own desktop, which cut both, may have told the hub that she left.
        told.as_ref().is_ok_and(|both| both.iter().all(|one| bounded(one) && one.ended.is_some())),
        format!("{:?}", told.map(|both| both.len())),
    );
    let proven = until("both are proven", Duration::from_secs(60), async || {
        let (open, closed) = listed(lee, &requests).await?;
        let whole = open.is_empty() && closed.len() == 2 && are(&closed, ClosingState::Proven);
        whole.then_some(closed)
    })
    .await;
    let said = |one: &RequestView| one.closing.as_ref().and_then(|closing| closing.said.clone());
    lines.check(
        "and each proven, with its broker's word that nothing is left",
        proven.as_ref().is_ok_and(|both| {
            both.iter().all(|one| said(one).is_some_and(|words| words.contains("seen to be gone")))
        }),
        format!("{:?}", proven.map(|both| both.iter().map(said).collect::<Vec<_>>())),
    );
    for hold in held(lee, |holds| holds.len() == 1).await? {
        lee.app.hold_remove(hold.id.to_string()).await?;
    }
    held(lee, <[HoldView]>::is_empty).await?;
    held(dana, <[HoldView]>::is_empty).await.map(drop)
}

/// lee fears for their own laptop: what lee has open closes, and lee alone can't end the hold.
async fn on_oneself(fleet: &Fleet, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let open = lee.open(cluster, "view").await?;
    let me = lee.app.app_state().await?.user.context("lee is signed in")?.name.to_string();
    lee.app.hold_create(hold(HeldKind::User, &me)).await?;
    let over = lee.until(&open.id, |view| view.state == SessionState::Closed).await?;
    lines.check(
        "lee holds lee: what lee has open is cut and proven",
        ended(&over),
        format!("{:?}", over.ended),
    );
    let seen = held(lee, |holds| holds.iter().any(|hold| hold.on_me)).await?;
    let asked = lee.app.session_open(input(cluster, "view")).await.err().map(|error| error.code());
    let hold = seen.first().context("it stands")?;
    let removed = lee.app.hold_remove(hold.id.to_string()).await.err();
    let stands = held(lee, |holds| holds.len() == 1).await;
    lines.check(
        "lee can't ask, is not offered to end it, and the hub refuses when lee tries",
        asked == Some(ErrorCode::Forbidden)
            && !hold.may_remove
            && removed.as_ref().is_some_and(|error| error.code() == ErrorCode::Forbidden)
            && stands.is_ok(),
        removed.map(|error| error.to_string()).unwrap_or_default(),
    );
    let ines = Desktop::signed_in(fleet, "ines").await?;
    let seen = until("ines may end it", Duration::from_secs(60), async || {
        let holds = ines.app.app_state().await.ok()?.holds;
        (holds.len() == 1 && holds[0].may_remove).then_some(holds)
    })
    .await?;
    ines.app.hold_remove(seen[0].id.to_string()).await?;
    ines.app.shut_down().await;
    held(lee, <[HoldView]>::is_empty).await?;
    let again = lee.open(cluster, "view").await?;
    lines.check("ines ends it, and lee opens again", again.state == SessionState::Open, "");
    lee.app.session_leave(again.id.to_string()).await?;
    lee.until(&again.id, |view| view.state == SessionState::Closed).await.map(drop)
}
