//! The ways a session ends, or does not begin twice.

use crate::lines::Lines;
use crate::way_in_and_out::one_click;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, id_token, input, proof, until};
use sallyport_ipc::{EndReason, ProofKind, ProofState, SessionState};
use sallyport_testkit::idp::Idp;
use serde_json::json;
use std::time::{Duration, Instant};

/// Two clicks at once are one session.
pub(crate) async fn two_clicks(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let cluster = fleet.target().spec.name;
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let (one, two) = tokio::join!(
        desktop.app.session_open(input(cluster, "view")),
        desktop.app.session_open(input(cluster, "view"))
    );
    let (one, two) = (one?, two?);
    lines.check("two clicks at once are one session", one.id == two.id, "");
    desktop.until(&one.id, |v| v.state == SessionState::Open).await?;
    let third = desktop.app.session_open(one_click(cluster)).await?;
    lines.check("a third click, with nothing but the name, shows it", third.id == one.id, "as last time");
    let account = fleet.target().account_of(&third).await;
    lines.check("its grant exists", account.is_ok(), account.unwrap_or_else(|error| format!("{error:#}")));
    desktop.app.session_leave(one.id.clone()).await?;
    desktop.until(&one.id, |v| v.state == SessionState::Closed).await?;
    desktop.app.shut_down().await;
    Ok(())
}

/// Someone else ends it.
pub(crate) async fn revoked(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let target = fleet.target();
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let session = desktop.open(target.spec.name, "debug-prod").await?;
    let mut watch = watching(fleet, &desktop, &session.id).await?;
    let lead = Desktop::signed_in(fleet, "lee").await?;
    let name = request_name(fleet, &session.request.clone().context("asked")?).await?;
    revoke_as_lee(fleet, &name).await?;
    let at = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(30), watch.wait()).await;
    lines.check(
        "revoking cuts the stream",
        ended.is_ok(),
        format!("{} ms after the revocation was written", at.elapsed().as_millis()),
    );
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    let said = closed.ended.clone().context("it says how it ended")?;
    lines.check(
        "it says by whom and why",
        said.reason == EndReason::Revoked && said.by.as_deref().is_some_and(|b| b.contains("lee")),
        format!("{said:?}"),
    );
    lines.check("and is proven", proof(&closed, ProofKind::TokenRefused).0 == Some(ProofState::Done), "");
    grant_removed(fleet, &desktop, lines).await?;
    lead.app.shut_down().await;
    desktop.app.shut_down().await;
    Ok(())
}

/// An admin of the target deletes the grant. The broker waits for a word on the hub before it closes the request; the
/// desktop waits for nothing, and does not say that its person left.
async fn grant_removed(fleet: &Fleet, desktop: &Desktop, lines: &mut Lines) -> Result<()> {
    let session = desktop.open(fleet.target().spec.name, "debug-prod").await?;
    let mut watch = watching(fleet, desktop, &session.id).await?;
    let name = request_name(fleet, &session.request.clone().context("asked")?).await?;
    let of = async |field: &str| {
        let field = format!("-o=jsonpath={{.status.{field}}}");
        fleet.hub.kubectl().ok(&["get", "accessrequest", &name, "-n", "team-payments", &field]).await
    };
    let grant = of("grant.name").await?;
    fleet.target().plane.kubectl().ok(&["delete", "accessgrant", &grant, "--wait=false"]).await?;
    let at = Instant::now();
    let cut = tokio::time::timeout(Duration::from_secs(30), watch.wait()).await;
    lines.check(
        "fault_a1_p13 a grant that is deleted on the cluster cuts the stream",
        cut.is_ok(),
        format!("{} ms after it was deleted", at.elapsed().as_millis()),
    );
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    let said = closed.ended.clone().context("it says how it ended")?;
    lines.check(
        "fault_a1 it says that somebody else ended it",
        said.reason == EndReason::Revoked
            && said.message.as_deref().is_some_and(|m| m.contains("its grant was removed on the cluster")),
        format!("{said:?}"),
    );
    let (phase, withdrawn) = (of("phase").await?, of("withdrawn").await?);
    lines.check(
        "fault_a1 and the hub was not told that its person left",
        phase == "Active" && withdrawn.is_empty(),
        format!("{phase} {withdrawn}"),
    );
    revoke_as_lee(fleet, &name).await?;
    let ended = until("the broker's word", Duration::from_secs(60), async || {
        (of("phase").await.ok()? == "Closed").then_some(())
    });
    ended.await?;
    let reason = of("conditions[?(@.type=='Ended')].reason").await?;
    lines.check("fault_a1 and whoever did it can say so afterwards", reason == "Revoked", reason);
    Ok(())
}

/// A watch through the session, once it streams.
async fn watching(fleet: &Fleet, desktop: &Desktop, session: &str) -> Result<tokio::process::Child> {
    let kubectl = fleet.target().plane.kubectl_with(&desktop.kubeconfig()?);
    let mut watch = kubectl.command(["get", "pods", "-n", "payments", "-w"]);
    let nowhere = std::process::Stdio::null;
    let watch = watch.stdout(nowhere()).stderr(nowhere()).kill_on_drop(true).spawn()?;
    until("a watch", Duration::from_secs(60), async || {
        (!desktop.session(session).await.ok()?.streams.is_empty()).then_some(())
    })
    .await?;
    Ok(watch)
}

async fn revoke_as_lee(fleet: &Fleet, request: &str) -> Result<()> {
    let revoke = json!({"status": {"revocation": {"by": "oidc:lee@meridian.example", "at": now(), "reason": "rollback in progress"}}});
    let token = id_token(fleet, "lee").await?;
    let as_lee = fleet.hub.kubectl_with(&fleet.hub.kubeconfig_with_token(&token)?);
    let patch = ["patch", "accessrequest", request, "-n", "team-payments", "--subresource=status"];
    let what = revoke.to_string();
    as_lee.ok(&[&patch[..], &["--type=merge", "-p", &what]].concat()).await.map(drop)
}

/// A bound role that grows closes every session that holds it (P11).
pub(crate) async fn role_grows(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let target = fleet.target();
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let session = desktop.open(target.spec.name, "debug-prod").await?;
    let kubectl = target.plane.kubectl();
    let before = kubectl.ok(&["get", "clusterrole", "sallyport:debug", "-o", "json"]).await?;
    let more = json!([{"op": "add", "path": "/rules/-", "value": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}}]);
    kubectl.ok(&["patch", "clusterrole", "sallyport:debug", "--type=json", "-p", &more.to_string()]).await?;
    let at = Instant::now();
    let closed = desktop.until(&session.id, |v| v.state != SessionState::Open).await?;
    let mut role: serde_json::Value = serde_json::from_str(&before)?;
    role["metadata"] = json!({"name": "sallyport:debug", "labels": role["metadata"]["labels"]});
    kubectl.run_with_stdin(&["replace", "-f", "-"], role.to_string().as_bytes()).await?;
    let said = closed.ended.clone().context("it says how it ended")?;
    lines.check(
        "a bound role that grows closes the session",
        said.reason == EndReason::Revoked,
        format!("{} ms later: {}", at.elapsed().as_millis(), said.message.unwrap_or_default()),
    );
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    // The next story needs the broker to have read the role as it was.
    tokio::time::sleep(Duration::from_secs(3)).await;
    desktop.app.shut_down().await;
    Ok(())
}

/// Signing out ends every session with proof and the sign-in at the provider.
pub(crate) async fn sign_out(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let before = live_refresh_tokens(&fleet.idp, "dana").await?;
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let signed_in = live_refresh_tokens(&fleet.idp, "dana").await?;
    lines.check("the provider gave a refresh token", signed_in == before + 1, "");
    let session = desktop.open(fleet.target().spec.name, "view").await?;
    let at = Instant::now();
    let state = desktop.app.sign_out().await?;
    lines.check("signed out", state.user.is_none(), format!("{} ms", at.elapsed().as_millis()));
    let view = desktop.session(&session.id).await?;
    lines.check(
        "the session's rights are gone by then",
        proof(&view, ProofKind::RightsGone).0 == Some(ProofState::Done),
        proof(&view, ProofKind::RightsGone).2,
    );
    let live = live_refresh_tokens(&fleet.idp, "dana").await?;
    lines.check(
        "the provider has revoked the refresh token",
        live == before,
        format!("{live} of dana's live on, of other desktops"),
    );
    let refused = desktop.app.session_open(input(fleet.target().spec.name, "view")).await;
    lines.check(
        "nothing opens any more",
        refused.is_err(),
        refused.err().map(|e| e.message().to_owned()).unwrap_or_default(),
    );
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    desktop.app.shut_down().await;
    Ok(())
}

async fn live_refresh_tokens(idp: &Idp, sub: &str) -> Result<usize> {
    let all = idp.refresh_tokens().await?;
    Ok(all.iter().filter(|t| t.account == sub && t.state == "live").count())
}

/// The name of the request with this UID.
pub(crate) async fn request_name(fleet: &Fleet, uid: &str) -> Result<String> {
    let jsonpath = format!("-o=jsonpath={{.items[?(@.metadata.uid=='{uid}')].metadata.name}}");
    fleet.hub.kubectl().ok(&["get", "accessrequests", "-n", "team-payments", &jsonpath]).await
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
