//! The ways of providers that people have, on the real one with its ways changed: an odd but valid token signs in and the
//! hub takes it; what can't work is said by its claim or setting, once, and nothing is waited for.

use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, step_up, walk};
use sallyport_ipc::{ErrorCode, SessionState};
use sallyport_testkit::idp::{Quirks, RedirectRule};
use serde_json::{Value, json};

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let played = all(fleet, lines).await;
    // Other stories sign in here too.
    fleet.idp.imitate(&Quirks::default()).await?;
    fleet.idp.set_clock(0).await?;
    fleet.idp.weaken_acr(false).await?;
    played
}

async fn all(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    odd_but_valid(fleet, lines).await?;
    ports(fleet, lines).await?;
    no_auth_time(fleet, lines).await?;
    refused_by_the_hub(fleet, lines).await?;
    as_keycloak(fleet, lines).await?;
    step_up_in_vain(fleet, lines).await?;
    another_person(fleet, lines).await?;
    rogue(fleet, lines).await
}

fn claims(claims: Value) -> Quirks {
    Quirks { claims, ..Quirks::default() }
}

/// A desktop that has joined with changes to the `oidc` part of its workspace file.
async fn joined(fleet: &Fleet, sub: &str, changes: &Value) -> Result<Desktop> {
    let mut file: Value = serde_json::from_str(&fleet.workspace_file())?;
    for (name, value) in changes.as_object().context("an object")? {
        file["oidc"][name] = value.clone();
    }
    let desktop = Desktop::at(fleet, sub, tempfile::tempdir()?).await?;
    desktop.app.workspace_join(file.to_string()).await?;
    Ok(desktop)
}

/// What a sign-in that has to fail says: the sentence and what to do next.
async fn refusal(desktop: &Desktop) -> String {
    match desktop.app.sign_in(None).await {
        Ok(_) => "it signed in".to_owned(),
        Err(error) => format!("{} | {}", error.message(), error.view().hint.unwrap_or_default()),
    }
}

async fn odd_but_valid(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let exact = RedirectRule { host: "127.0.0.1", ports: vec![free], exact: true };
    let dex = json!({ "revocation_endpoint": null, "end_session_endpoint": null, "acr_values_supported": null,
        "claims_parameter_supported": null, "scopes_supported": ["openid", "email", "groups", "profile", "offline_access"] });
    let zitadel = Quirks { extra_audience: Some("287615471872".to_owned()), ..Quirks::default() };
    let auth0 =
        Quirks { redirect: Some(exact), ..claims(json!({ "updated_at": "2024-03-01T12:00:00.000Z" })) };
    for (what, quirks, file) in [
        (
            "fault_b2 Auth0: updated_at as text, an exact redirect address",
            auth0,
            json!({ "redirectPorts": [free] }),
        ),
        ("fault_b2 IdentityServer: one amr as text", claims(json!({ "amr": "otp" })), json!({})),
        (
            "fault_b6 Zitadel: a second audience, azp ours",
            zitadel,
            json!({ "extraAudiences": ["287615471872"] }),
        ),
        (
            "fault_b2 Dex: no iss in the answer, no revocation, little in its discovery",
            Quirks { no_iss: true, no_session_id: true, discovery: dex, ..Quirks::default() },
            json!({}),
        ),
    ] {
        fleet.idp.imitate(&quirks).await?;
        let desktop = joined(fleet, "dana", &file).await?;
        let signed_in = desktop.app.sign_in(None).await;
        let (holds, detail) = match signed_in {
            Ok(state) => (state.user.is_some(), state.user.map(|u| u.name.to_string()).unwrap_or_default()),
            Err(error) => (false, error.chain()),
        };
        lines.check(what, holds, detail);
        desktop.app.sign_out().await.ok();
        desktop.app.shut_down().await;
    }
    Ok(())
}

async fn ports(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let ports = vec![taken.local_addr()?.port(), free];
    let rule = RedirectRule { host: "localhost", ports: ports.clone(), exact: true };
    fleet.idp.imitate(&Quirks { redirect: Some(rule), ..Quirks::default() }).await?;
    let desktop =
        joined(fleet, "dana", &json!({ "redirectHost": "localhost", "redirectPorts": ports })).await?;
    let in_use = desktop.app.sign_in(None).await;
    lines.check(
        "fault_b3 Okta: exact addresses of localhost with their ports, the first one taken",
        in_use.is_ok(),
        in_use.err().map(|e| e.chain()).unwrap_or_default(),
    );
    desktop.app.sign_out().await?;
    let _both = std::net::TcpListener::bind(("127.0.0.1", free))?;
    let said = refusal(&desktop).await;
    lines.check("fault_b3 with none free they are named", said.contains(&free.to_string()), said);
    desktop.app.shut_down().await;
    Ok(())
}

async fn no_auth_time(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let silent = json!({ "auth_time": null, "acr": null, "amr": null });
    fleet.idp.imitate(&Quirks { no_iss: true, ..claims(silent) }).await?;
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let notes = desktop.app.app_state().await?.notes;
    lines.check(
        "fault_b4 Google, GitLab: the first sign-in says what is out of reach without auth_time",
        notes.iter().any(|note| note.contains("auth_time") && note.contains("debug-prod")),
        notes.join(" "),
    );
    let session = desktop.app.session_open(input(fleet.target().spec.name, "debug-prod")).await?;
    let waits = desktop.until(&session.id, |v| v.error.is_some() || v.state != SessionState::Opening).await?;
    let wanted = step_up(&waits).context("the hub asks for more")?;
    let said = desktop.app.sign_in(Some(wanted)).await.err().map(|e| e.message().to_owned());
    lines.check(
        "fault_b4 a step-up that can't succeed opens no browser",
        desktop.browsers_opened() == 1 && said.as_ref().is_some_and(|s| s.contains("auth_time")),
        said.unwrap_or_default(),
    );
    let over = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    lines.check("fault_b4 and the opening does not wait for another", over.state != SessionState::Open, "");
    desktop.app.sign_out().await?;
    desktop.app.shut_down().await;
    Ok(())
}

async fn refused_by_the_hub(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let elsewhere = json!({ "groups": null, "_claim_names": { "groups": "src1" } });
    for (what, quirks, words) in [
        ("fault_b5 Entra ID: over 200 groups", claims(elsewhere), &["too many", "assigned to"][..]),
        (
            "fault_b7 Keycloak: groups with a slash",
            claims(json!({ "groups": ["/payments-dev"] })),
            &["oidc:/payments-dev", "slash"],
        ),
        (
            "fault_b2 Cognito, Apple: email_verified as text, which the hub does not take",
            claims(json!({ "email_verified": "true" })),
            &["email_verified is text", "will not help"],
        ),
        (
            "fault_b7 an address that is not verified",
            claims(json!({ "email_verified": false })),
            &["dana@meridian.example", "email_verified", "will not help"],
        ),
    ] {
        fleet.idp.imitate(&quirks).await?;
        let desktop = Desktop::joined(fleet, "dana").await?;
        let said = refusal(&desktop).await;
        lines.check(what, words.iter().all(|word| said.contains(word)), said);
        desktop.app.shut_down().await;
    }
    let before = fleet.idp.refresh_tokens().await?.iter().filter(|fate| fate.state == "live").count();
    fleet.idp.imitate(&claims(json!({ "groups": [] }))).await?;
    let desktop = Desktop::joined(fleet, "dana").await?;
    refusal(&desktop).await;
    let live = fleet.idp.refresh_tokens().await?.iter().filter(|fate| fate.state == "live").count();
    lines.check(
        "fault_b7 a first sign-in that the hub refuses is ended at the provider",
        live == before,
        live,
    );
    desktop.app.shut_down().await;
    fleet.idp.imitate(&Quirks { no_date: true, ..Quirks::default() }).await?;
    fleet.idp.set_clock(120).await?;
    let desktop = Desktop::joined(fleet, "dana").await?;
    let said = refusal(&desktop).await;
    fleet.idp.set_clock(0).await?;
    lines.check(
        "fault_b7 no Date: a clock that is off is named",
        said.contains("behind the identity provider's"),
        said,
    );
    desktop.app.shut_down().await;
    Ok(())
}

/// Revocation by session, classes by session and client, no `Date`: the step-up everybody makes.
async fn as_keycloak(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let keycloak =
        Quirks { revoke_by_session: true, acr_by_session: true, no_date: true, ..Quirks::default() };
    fleet.idp.imitate(&keycloak).await?;
    fleet.idp.set_id_token_seconds(4).await?;
    let played = after_a_step_up(fleet, lines).await;
    fleet.idp.set_id_token_seconds(3600).await?;
    played
}

async fn after_a_step_up(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let desktop = Desktop::signed_in(fleet, "pat").await?;
    let user = desktop.app.app_state().await?.user.context("somebody is signed in")?;
    lines.check("fault_b7 no MFA is shown after a password alone", user.mfa_at.is_none(), user.amr.join("+"));
    let session = desktop.app.session_open(input(cluster, "debug-prod")).await?;
    let waits = desktop.until(&session.id, |v| v.error.is_some() || v.state != SessionState::Opening).await?;
    let wanted = step_up(&waits).context("the hub asks for more")?;
    desktop.app.sign_in(Some(wanted)).await?;
    let open = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    lines.check(
        "fault_b0 Keycloak: a step-up in the same session opens",
        open.state == SessionState::Open,
        "",
    );
    let user = desktop.app.app_state().await?.user.context("somebody is signed in")?;
    lines.check("fault_b7 and MFA is shown after it", user.mfa_at.is_some(), user.amr.join("+"));
    // Long enough for renewals with what the step-up brought.
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    desktop.app.session_leave(session.id.clone()).await?;
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    lines.check(
        "fault_b0 its sign-in is renewed after that, and leaving reaches the hub",
        closed.error.is_none(),
        "",
    );
    let again = desktop.open(cluster, "debug-prod").await;
    let detail = again.as_ref().err().map(|e| format!("{e:#}")).unwrap_or_default();
    lines.check(
        "fault_b0 and the next opening needs no browser",
        again.is_ok() && desktop.browsers_opened() == 2,
        detail,
    );
    desktop.app.sign_out().await?;
    let left = desktop.app.app_state().await?.notes;
    lines.check(
        "fault_b7 signing out says that the browser may still be signed in",
        left.iter().any(|note| note.contains(fleet.idp.issuer())),
        left.join(" "),
    );
    desktop.app.shut_down().await;
    Ok(())
}

async fn step_up_in_vain(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    fleet.idp.imitate(&Quirks::default()).await?;
    let desktop = Desktop::signed_in(fleet, "pat").await?;
    fleet.idp.weaken_acr(true).await?;
    let session = desktop.app.session_open(input(fleet.target().spec.name, "debug-prod")).await?;
    let waits = desktop.until(&session.id, |v| v.error.is_some() || v.state != SessionState::Opening).await?;
    let wanted = step_up(&waits).context("the hub asks for more")?;
    let error = desktop.app.sign_in(Some(wanted)).await.err().context("it is weaker than asked for")?;
    fleet.idp.weaken_acr(false).await?;
    let view = error.view();
    let hint = view.hint.clone().unwrap_or_default();
    lines.check(
        "fault_b7 a provider that does not do what it is asked: repeating will not help",
        view.code == ErrorCode::StepUpNeeded && hint.contains("will not help"),
        format!("{} {hint}", view.message),
    );
    let over = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    lines.check(
        "fault_b7 and the opening ends instead of asking again",
        over.state != SessionState::Open && desktop.browsers_opened() == 2,
        over.error.map(|e| e.message).unwrap_or_default(),
    );
    desktop.app.sign_out().await?;
    desktop.app.shut_down().await;
    Ok(())
}

async fn another_person(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let desktop = Desktop::joined(fleet, "dana").await?;
    desktop.app.sign_in(None).await?;
    desktop.app.sign_out().await?;
    // A desktop that remembers dana, and somebody else finishes the sign-in in the browser.
    let known = walk(desktop.home.path())?.into_iter().find(|path| path.ends_with("last-people.json"));
    let known = known.context("who signed in is remembered")?;
    let home = tempfile::tempdir()?;
    let copy = home.path().join(known.strip_prefix(desktop.home.path())?);
    std::fs::create_dir_all(copy.parent().context("a directory")?)?;
    std::fs::copy(&known, &copy)?;
    desktop.app.shut_down().await;
    let next = Desktop::at(fleet, "lee", home).await?;
    next.app.workspace_join(fleet.workspace_file()).await?;
    let said = refusal(&next).await;
    lines.check(
        "fault_b9 somebody else than last time is named first",
        said.contains("Lee Hartmann") && said.contains("Dana Moreau"),
        said,
    );
    let again = next.app.sign_in(None).await;
    lines.check(
        "fault_b9 and signs in when they do it again",
        again.is_ok(),
        again.err().map(|e| e.chain()).unwrap_or_default(),
    );
    next.app.sign_out().await?;
    next.app.shut_down().await;
    Ok(())
}

async fn rogue(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let desktop = Desktop::joined(fleet, "dana").await?;
    let mut file: Value = serde_json::from_str(&fleet.workspace_file())?;
    let preview = desktop.app.workspace_preview(file.to_string()).await?;
    lines.check(
        "fault_b1 joining prints the redirect address to register",
        preview.redirect_addresses == [fleet.idp.redirect()],
        preview.redirect_addresses.join(" "),
    );
    file["oidc"]["issuer"] = json!("https://evil.example.test");
    let refused = desktop.app.workspace_preview(file.to_string()).await;
    lines.check(
        "fault_b1 a known client id at another issuer is refused",
        refused.is_err(),
        refused.err().map(|e| e.message().to_owned()).unwrap_or_default(),
    );
    desktop.app.shut_down().await;
    Ok(())
}
