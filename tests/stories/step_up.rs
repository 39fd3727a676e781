//! Admission's refusal becomes a step-up: pat signs in with a password, and the production profile wants more.

use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, proof, step_up};
use sallyport_ipc::{ErrorCode, ProofKind, ProofState, SessionState};

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let desktop = Desktop::signed_in(fleet, "pat").await?;
    let user = desktop.app.app_state().await?.user.context("nobody is signed in")?;
    lines.check("signed in with a password alone", user.amr == ["pwd"], user.amr.join("+"));
    let session = desktop.app.session_open(input(cluster, "debug-prod")).await?;
    let refused =
        desktop.until(&session.id, |v| v.error.is_some() || v.state != SessionState::Opening).await?;
    let code = refused.error.as_ref().map(|e| e.code);
    lines.check(
        "the hub's admission asks for more",
        code == Some(ErrorCode::StepUpNeeded),
        refused.error.as_ref().map(|e| e.message.clone()).unwrap_or_default(),
    );
    lines.check("the opening waits instead of failing", refused.state == SessionState::Opening, "");
    lines.check("no browser opened by itself (P4)", desktop.browsers_opened() == 1, "");
    let wanted = step_up(&refused).context("the refusal names what it wants")?;
    lines.check(
        "it names what would do",
        wanted.acr.iter().any(|a| a.contains("mfa")),
        format!("{wanted:?}"),
    );
    desktop.app.sign_in(Some(wanted)).await?;
    let open = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    lines.check("after the second factor the same opening goes on", open.state == SessionState::Open, "");
    desktop.app.session_leave(session.id.clone()).await?;
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    lines.check(
        "and is left with proof",
        proof(&closed, ProofKind::TokenRefused).0 == Some(ProofState::Done),
        "",
    );
    desktop.app.sign_out().await?;
    desktop.app.sign_in(None).await?;
    desktop.until_listed(fleet).await?;
    let user = desktop.app.app_state().await?.user.context("nobody is signed in")?;
    lines.check(
        "the next sign-in proves it at once",
        user.amr.iter().any(|method| method == "otp"),
        user.amr.join("+"),
    );
    let again = desktop.open(cluster, "debug-prod").await?;
    lines.check(
        "so an incident takes one MFA and no step-up",
        again.state == SessionState::Open && desktop.browsers_opened() == 3,
        format!("{} ms after the click", again.click_to_prompt_ms.unwrap_or_default()),
    );
    desktop.app.shut_down().await;
    Ok(())
}
