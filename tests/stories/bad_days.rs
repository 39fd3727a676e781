//! What garbage and hanging far ends get: a clear sentence within the deadline, nothing leaked, and a retry that works.

use crate::lines::Lines;
use anyhow::Result;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, Desktop, MAY_COME_IN, id_token, input, proof};
use sallyport_hub::Hub;
use sallyport_ipc::{ErrorCode, ProofKind, ProofState, SessionState, SessionView};
use sallyport_model::Phase;
use sallyport_testkit::idp::{Endpoint, Fault};
use serde_json::json;
use std::time::{Duration, Instant};

/// Everything a person or a file can hand in.
pub(crate) async fn bad_input(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let desktop = Desktop::at(fleet, "dana", tempfile::tempdir()?).await?;
    let mut wrong_ca: serde_json::Value = serde_json::from_str(&fleet.workspace_file())?;
    wrong_ca["hub"]["ca"] = json!(fleet.idp.ca_pem());
    let refused = desktop.app.workspace_join(wrong_ca.to_string()).await;
    let said = refused.err().map(|e| e.message().to_owned()).unwrap_or_default();
    lines.check(
        "a workspace file whose CA does not match is refused",
        said.contains("does not show a certificate"),
        said,
    );
    desktop.app.workspace_join(fleet.workspace_file()).await?;
    let mut second: serde_json::Value = serde_json::from_str(&fleet.workspace_file())?;
    second["hub"]["url"] = json!(fleet.target().plane.url());
    second["hub"]["ca"] = json!(fleet.target().plane.ca_pem());
    let refused = desktop.app.workspace_preview(second.to_string()).await;
    let said = refused.err().map(|e| e.message().to_owned()).unwrap_or_default();
    lines.check("a second hub for a known client is refused (attack 2)", said.contains("belong to"), said);
    desktop.app.sign_in(None).await?;
    desktop.until_listed(fleet).await?;
    let cluster = fleet.target().spec.name;
    for (what, name) in
        [("a path", "../../etc"), ("bidi", "pay\u{202e}ments"), ("10 kB", &"x".repeat(10_000))]
    {
        let refused = desktop.app.session_open(input(name, "view")).await;
        lines.check(
            &format!("a cluster name with {what} is refused"),
            refused.is_err(),
            refused.err().map(|e| e.message().to_owned()).unwrap_or_default(),
        );
    }
    let mut long = input(cluster, "view");
    long.reason = Some("r".repeat(10_000));
    let refused = desktop.app.session_open(long).await;
    lines.check(
        "a reason of 10 kB is refused",
        refused.is_err(),
        refused.err().map(|e| e.message().to_owned()).unwrap_or_default(),
    );
    let mut hostile = input(cluster, "view");
    hostile.reason = Some("fix\u{202e}\u{200b}\u{1b}[31m; rm -rf <b>x</b>".into());
    let session = desktop.app.session_open(hostile).await?;
    let view = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    lines.check(
        "a hostile reason is kept and shown harmlessly (P24)",
        view.state == SessionState::Open && view.reason.contains("⟨U+202E⟩"),
        view.reason.clone(),
    );
    desktop.app.session_leave(session.id.clone()).await?;
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    let mut wide = input(cluster, "debug-prod");
    wide.namespaces = Some(vec!["ledger".into()]);
    let refused = desktop.app.session_open(wide).await;
    lines.check(
        "a namespace outside the profile is refused here already",
        refused.is_err(),
        refused.err().map(|e| e.message().to_owned()).unwrap_or_default(),
    );
    let stranger = Desktop::joined(fleet, "noor").await?;
    let refused = stranger.app.sign_in(None).await;
    lines.check(
        "someone in no team is told so",
        refused.as_ref().err().is_some_and(|e| !e.message().is_empty()),
        refused.err().map(|e| e.message().to_owned()).unwrap_or_default(),
    );
    stranger.app.shut_down().await;
    desktop.app.shut_down().await;
    Ok(())
}

/// Each far end hangs in turn.
pub(crate) async fn bad_days(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let within = DEADLINE * 3;
    let desktop = Desktop::joined(fleet, "dana").await?;
    fleet.idp.fault(Endpoint::Discovery, Some(Fault::Hang)).await?;
    let at = Instant::now();
    let refused = desktop.app.sign_in(None).await;
    fleet.idp.fault(Endpoint::Discovery, None).await?;
    let said = refused.err().map(|e| e.message().to_owned()).unwrap_or_default();
    lines.check(
        "a provider that hangs: a clear state in time",
        at.elapsed() < within && !said.is_empty(),
        said,
    );
    desktop.app.sign_in(None).await?;
    desktop.until_listed(fleet).await?;
    lines.seen("and the next try works", "");

    fleet.hub.pause()?;
    let at = Instant::now();
    let session = desktop.app.session_open(input(cluster, "view")).await?;
    let failed = desktop.until(&session.id, |v| v.error.is_some()).await;
    fleet.hub.resume()?;
    let failed = failed?;
    let error = failed.error.clone().map(|e| (e.code, e.message));
    lines.check(
        "a hub that hangs: a clear state in time",
        at.elapsed() < within && error.as_ref().is_some_and(|e| e.0 == ErrorCode::Unreachable),
        format!("{error:?}"),
    );
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    // The hub took the ask in all the same, once it could; or it never will, which one look that finds nothing does not
    // show.
    let removed = |v: &SessionView| proof(v, ProofKind::AccountRemoved).0 == Some(ProofState::Done);
    let over = desktop.until(&session.id, removed).await;
    let waited = at.elapsed();
    let how = over.as_ref().map(|v| proof(v, ProofKind::AccountRemoved).2).unwrap_or_default();
    let lee = Hub::new(fleet.hub.client_with_token(&id_token(fleet, "lee").await?)?, DEADLINE);
    let listed = lee.requests_of(&"team-payments".parse()?).await?;
    let open = listed.objects.iter().filter(|r| r.phase() != Phase::Closed).count();
    lines.check(
        "an ask whose answer was lost is found and taken back",
        over.is_ok() && open == 0 && (how != "nothing was asked for" || waited >= MAY_COME_IN),
        format!("{open} open; {how}, known after {} s", waited.as_secs()),
    );
    let again = desktop.open(cluster, "view").await?;
    lines.seen("and the next try works", "");
    desktop.app.session_leave(again.id.clone()).await?;
    desktop.until(&again.id, |v| v.state == SessionState::Closed).await?;

    let open = desktop.open(cluster, "view").await?;
    fleet.hub.pause()?;
    let left = desktop.app.session_leave(open.id.clone()).await;
    tokio::time::sleep(DEADLINE * 3).await;
    fleet.hub.resume()?;
    left?;
    let over = desktop
        .until(&open.id, |v| {
            [ProofKind::RightsGone, ProofKind::AccountRemoved]
                .iter()
                .all(|kind| proof(v, *kind).0 == Some(ProofState::Done))
        })
        .await;
    lines.check("left while the hub hangs: told as soon as it answers, and proven (P13)", over.is_ok(), "");
    over?;

    fleet.target().broker.pause()?;
    let session = desktop.app.session_open(input(cluster, "view")).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    desktop.app.session_leave(session.id.clone()).await?;
    let stopped = desktop.until(&session.id, |v| v.state != SessionState::Opening).await;
    fleet.target().broker.resume()?;
    lines.check("a broker that hangs: the opening can be cancelled", stopped.is_ok(), "");
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;

    fleet.target().plane.pause()?;
    let at = Instant::now();
    let session = desktop.app.session_open(input(cluster, "view")).await?;
    let failed = desktop.until(&session.id, |v| v.state != SessionState::Opening).await;
    fleet.target().plane.resume()?;
    let said = failed?.error.map(|e| e.message).unwrap_or_default();
    lines.check(
        "a target that hangs: a clear state",
        !said.is_empty(),
        format!("after {} ms: {said}", at.elapsed().as_millis()),
    );
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    let again = desktop.open(cluster, "view").await?;
    lines.seen("and the next try works", "");
    desktop.app.session_leave(again.id.clone()).await?;
    desktop.until(&again.id, |v| v.state == SessionState::Closed).await?;
    desktop.app.shut_down().await;
    Ok(())
}
