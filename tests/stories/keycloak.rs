//! The same with a real Keycloak: sign in, step up, have the sign-in renewed, open, leave. On demand: it needs a JDK,
//! Maven's client and, the first time, Maven Central.

use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::headless::{Desktop, input, options, proof, step_up};
use sallyport_fleet::{CLIENT_ID, Fleet, FleetOptions};
use sallyport_ipc::{ProofKind, ProofState, SessionState};
use sallyport_testkit::keycloak::{Keycloak, RealmFor, VERSION};
use serde_json::{Value, json};
use std::time::Duration;

/// Short, so that renewals happen while the story is played.
const TOKEN_SECONDS: u32 = 20;

pub(crate) async fn play(_: &Fleet, lines: &mut Lines) -> Result<()> {
    let people = [("dana", "Dana Moreau", "payments-dev"), ("noor", "Noor Haddad", "visitors")];
    let realm = RealmFor { client_id: CLIENT_ID, people: &people, token_seconds: TOKEN_SECONDS };
    let keycloak = Keycloak::start(&realm).await?;
    lines.seen(&format!("Keycloak {VERSION} is up"), keycloak.issuer());
    let trust = Some(keycloak.trust(CLIENT_ID));
    let fleet = Fleet::start(FleetOptions { trust, ..FleetOptions::default() }).await?;
    lines.seen("a fleet whose hub trusts it is up", "");
    let mut file: Value = serde_json::from_str(&fleet.workspace_file())?;
    file["oidc"] = json!({ "issuer": keycloak.issuer(), "clientId": CLIENT_ID, "ca": keycloak.ca_pem(),
        "scopes": ["openid", "email", "profile", "groups"] });
    let joined = async |person: &str| -> Result<Desktop> {
        let browser = keycloak.browser(person)?;
        let desktop = Desktop::by(browser, tempfile::tempdir()?, options(&fleet)).await?;
        desktop.app.workspace_join(file.to_string()).await?;
        Ok(desktop)
    };
    let desktop = joined("dana").await?;
    works(&fleet, &desktop, lines).await?;
    let stranger = joined("noor").await?;
    let refused = stranger.app.sign_in(None).await.err().context("noor is in no team")?;
    let hint = refused.view().hint.unwrap_or_default();
    lines.check(
        "fault_b7 someone in no team sees the groups they have",
        hint.contains("oidc:visitors"),
        hint,
    );
    stranger.app.shut_down().await;
    Ok(())
}

async fn works(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let user = desktop.app.sign_in(None).await?.user.context("somebody is signed in")?;
    lines.check(
        "signed in with the password",
        user.amr == ["pwd"] && user.mfa_at.is_none(),
        user.amr.join("+"),
    );
    desktop.until_listed(fleet).await?;
    let session = desktop.app.session_open(input(cluster, "debug-prod")).await?;
    let waits = desktop.until(&session.id, |v| v.error.is_some() || v.state != SessionState::Opening).await?;
    let wanted = step_up(&waits).context("the hub asks for more")?;
    lines.seen("the hub asks for the second factor", waits.error.map(|e| e.message).unwrap_or_default());
    desktop.app.sign_in(Some(wanted)).await?;
    let open = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    let user = desktop.app.app_state().await?.user.context("somebody is signed in")?;
    lines.check(
        "fault_b0 after the step-up the opening goes on",
        open.state == SessionState::Open && user.amr.iter().any(|m| m == "otp"),
        format!("{} {}", user.acr.unwrap_or_default(), user.amr.join("+")),
    );
    // Past the life of the token the step-up brought: only a renewal can have made the next one.
    tokio::time::sleep(Duration::from_secs(u64::from(TOKEN_SECONDS) + 5)).await;
    let hub = desktop.app.app_state().await?.hub;
    lines.check("fault_b0 its sign-in is renewed", !hub.sign_in, hub.message.unwrap_or_default());
    desktop.app.session_leave(session.id.clone()).await?;
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    for kind in [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused] {
        let (state, ms, detail) = proof(&closed, kind);
        lines.check(&format!("leaving: {kind:?} after {ms} ms"), state == Some(ProofState::Done), detail);
    }
    let again = desktop.open(cluster, "debug-prod").await;
    let detail = again.as_ref().err().map(|e| format!("{e:#}")).unwrap_or_default();
    lines.check(
        "fault_b0 the next opening needs neither browser nor step-up",
        again.is_ok() && desktop.browsers_opened() == 2,
        detail,
    );
    let notes = desktop.app.app_state().await?.notes;
    lines.check("nothing is wrong with how it is set up", notes.is_empty(), notes.join(" "));
    let out = desktop.app.sign_out().await;
    lines.check(
        "signing out ends the sign-in there",
        out.is_ok(),
        out.err().map(|e| e.chain()).unwrap_or_default(),
    );
    desktop.app.shut_down().await;
    Ok(())
}
