//! The closing report is green for what was seen, and for nothing else (fault A1): somebody else's policy keeps one of
//! the session's bindings.

use crate::leaving_alone::open_four;
use crate::lines::Lines;
use anyhow::Result;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, proof, until};
use sallyport_ipc::{ProofKind, ProofState, SessionState};
use std::time::{Duration, Instant};

const KEPT: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: keeps-bindings.example.org}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: checkout}}
    resourceRules:
    - {apiGroups: [rbac.authorization.k8s.io], apiVersions: ['*'], operations: [DELETE], resources: [rolebindings]}
  validations:
  - {expression: 'false', message: bindings of checkout are kept for the auditors}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: keeps-bindings.example.org}
spec: {policyName: keeps-bindings.example.org, validationActions: [Deny]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: kept, namespace: checkout}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
"#;

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    fleet.offer_four().await?;
    let played = kept(fleet, lines).await;
    let_go(fleet).await?;
    fleet.withdraw_four().await?;
    played
}

async fn let_go(fleet: &Fleet) -> Result<()> {
    let kubectl = fleet.target().plane.kubectl();
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        kubectl.ok(&["delete", kind, "keeps-bindings.example.org", "--ignore-not-found"]).await?;
    }
    until("the binding's end", Duration::from_secs(60), async || {
        kubectl.ok(&["delete", "rolebinding", "kept", "-n", "checkout", "--ignore-not-found"]).await.ok()
    })
    .await
    .map(drop)
}

async fn kept(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let kubectl = fleet.target().plane.kubectl();
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let (session, outside) = open_four(fleet, &desktop).await?;
    kubectl.apply(KEPT).await?;
    until("the other team's policy", Duration::from_secs(60), async || {
        let tried = kubectl
            .run(&["delete", "rolebinding", "kept", "-n", "checkout", "--dry-run=server"])
            .await
            .ok()?;
        tried.stderr.contains("kept for the auditors").then_some(())
    })
    .await?;
    desktop.app.session_leave(session.id.clone()).await?;
    let left = Instant::now();
    let half =
        desktop.until(&session.id, |v| proof(v, ProofKind::RightsGone).2.starts_with("2 of 4 refused")).await;
    let first = half?.proof.into_iter().find(|p| p.kind == ProofKind::RightsGone).and_then(|p| p.first_ms);
    lines.check(
        "fault_a1_p13 the first refusals show before the token could be forgotten",
        first.is_some_and(|ms| ms < 5_000),
        format!("{first:?} ms"),
    );
    // The tick for as long as a right of the session is allowed would be the fault; a refused token allows none.
    let mut ticks = Vec::new();
    while left.elapsed() < Duration::from_secs(4) {
        let (state, _, detail) = proof(&desktop.session(&session.id).await?, ProofKind::RightsGone);
        if state == Some(ProofState::Done) {
            ticks.push(detail);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let allowed = outside.allowed().await?;
    lines.check(
        "fault_a1_p13 no tick while two of four are allowed",
        ticks.iter().all(|tick| tick.contains("401")) && allowed == 2,
        format!("{allowed} of 4 allowed, {} ticks", ticks.len()),
    );
    let closed = desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    let (state, _, detail) = proof(&closed, ProofKind::AccountRemoved);
    lines.check(
        "fault_a1_p13 the binding that stays is not reported as removed, and named",
        state == Some(ProofState::Unproven) && detail.contains("kept for the auditors"),
        detail,
    );
    lines.check("fault_a1_p13 and is there", outside.allowed().await? == 2, "as seen from outside");
    let_go(fleet).await?;
    let over =
        desktop.until(&session.id, |v| proof(v, ProofKind::AccountRemoved).0 == Some(ProofState::Done)).await;
    lines.check(
        "fault_a1_p13 once it can go it goes, and the report says so",
        over.is_ok() && outside.allowed().await? == 0,
        over.map(|v| proof(&v, ProofKind::AccountRemoved).2).unwrap_or_default(),
    );
    desktop.app.shut_down().await;
    Ok(())
}
