//! What becomes of a request while it waits: taken back, no longer what was offered, and a yes of somebody who signed in too weakly.

use super::{SOON, ask, shown};
use crate::ends::request_name;
use crate::lines::Lines;
use anyhow::{Context, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, proof, until};
use sallyport_ipc::{Decide, ProofKind, ProofState, SessionState};
use sallyport_model::ErrorCode;
use serde_json::json;
use std::time::Duration;

/// pat's say over `operate`, for as long as the story needs it.
const PATS_SAY: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: 'story:pat-approves'}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'sallyport:demo:approve'}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: 'oidc:pat@meridian.example'}]
"#;

/// dana takes back what waits for lee.
pub(super) async fn taken_back(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    lines: &mut Lines,
) -> Result<()> {
    let (session, request) = ask(fleet, dana).await?;
    let seen = shown(lee, &request, |one| one.decide == Decide::Yes).await?;
    let digest = seen.offer.context("there is an offer")?.digest.to_string();
    let name = request_name(fleet, &request).await?;
    dana.app.session_leave(session.clone()).await?;
    let over = dana.until(&session, |view| view.state == SessionState::Closed).await?;
    let gone = until("the request leaves the inbox", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        all.iter().all(|one| one.id != request.as_str()).then_some(())
    })
    .await;
    let late = lee.app.request_approve(request.clone(), digest, None).await.err();
    let status = [
        "get",
        "accessrequest",
        &name,
        "-n",
        "team-payments",
        "-o=jsonpath={.status.phase} {.status.approvals}",
    ];
    let status = fleet.hub.kubectl().ok(&status).await?;
    lines.check(
        "dana takes a waiting request back: it leaves lee's inbox, takes no yes any more, and nothing had opened",
        gone.is_ok() && late.is_some() && over.opened_at.is_none() && status.trim() == "Closed",
        format!("{status}, {:?}", late.map(|e| e.to_string())),
    );
    Ok(())
}

/// What a role allows changes while its request waits: what lee read is not what a yes would give by now.
pub(super) async fn offer_changes(
    fleet: &Fleet,
    dana: &Desktop,
    lee: &Desktop,
    lines: &mut Lines,
) -> Result<()> {
    const ROLE: &str = "sallyport:operate";
    let (session, request) = ask(fleet, dana).await?;
    let read = shown(lee, &request, |one| one.decide == Decide::Yes).await?.offer.context("an offer")?;
    let kubectl = fleet.target().plane.kubectl();
    let before = kubectl.ok(&["get", "clusterrole", ROLE, "-o", "json"]).await?;
    let more = json!([{"op": "add", "path": "/rules/-",
        "value": {"apiGroups": ["stable.example.dev"], "resources": ["crontabs"], "verbs": ["list"]}}]);
    kubectl.ok(&["patch", "clusterrole", ROLE, "--type=json", "-p", &more.to_string()]).await?;
    let over = dana.until_within(&session, SOON, |view| view.state == SessionState::Closed).await;
    let late = lee.app.request_approve(request.clone(), read.digest.to_string(), None).await.err();
    let mut role: serde_json::Value = serde_json::from_str(&before)?;
    role["metadata"] = json!({"name": ROLE, "labels": role["metadata"]["labels"]});
    kubectl.run_with_stdin(&["replace", "-f", "-"], role.to_string().as_bytes()).await?;
    let over = over?;
    let said = over.ended.as_ref().and_then(|ended| ended.message.clone()).unwrap_or_default();
    lines.check(
        "p8 the role grows while it waits: the offer that lee read is no more, and nothing opens by it",
        over.opened_at.is_none() && late.is_some() && said.contains("has changed since it was offered"),
        said,
    );
    // The next one needs the broker to have read the role as it was.
    tokio::time::sleep(Duration::from_secs(3)).await;
    Ok(())
}

/// pat may say yes and signed in with a password alone.
pub(super) async fn stepped_up(fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    fleet.hub.kubectl().apply(PATS_SAY).await?;
    let pat = Desktop::signed_in(fleet, "pat").await?;
    let (session, request) = ask(fleet, dana).await?;
    let seen = shown(&pat, &request, |one| one.decide == Decide::Yes).await?;
    let digest = seen.offer.context("there is an offer")?.digest.to_string();
    let refused = pat.app.request_approve(request.clone(), digest.clone(), None).await.err();
    let wanted = refused.as_ref().and_then(|e| e.view().step_up);
    let waits = shown(dana, &request, |_| true).await?;
    lines.check(
        "pat's yes after a password alone is none: the hub wants a second factor of the approver",
        refused.as_ref().is_some_and(|e| e.code() == ErrorCode::StepUpNeeded)
            && waits.approvals.is_empty()
            && pat.browsers_opened() == 1,
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    pat.app.sign_in(Some(wanted.context("the refusal names what it wants")?)).await?;
    pat.app.request_approve(request.clone(), digest, None).await?;
    let open = dana.until(&session, |view| view.state != SessionState::Opening).await?;
    lines.check(
        "after the second factor the same yes counts, and dana's session opens",
        open.state == SessionState::Open,
        format!("{:?}", open.error.map(|e| e.message)),
    );
    dana.app.session_leave(session.clone()).await?;
    let over = dana.until(&session, |view| view.state == SessionState::Closed).await?;
    lines.check(
        "and is left with proof",
        proof(&over, ProofKind::TokenRefused).0 == Some(ProofState::Done),
        "",
    );
    pat.app.shut_down().await;
    fleet.hub.kubectl().ok(&["delete", "clusterrolebinding", "story:pat-approves"]).await?;
    Ok(())
}
