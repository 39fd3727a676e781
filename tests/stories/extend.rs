//! More time in an open session: shells live on, the old grant is removed and proven, people are asked again.

use crate::approvals::Kubectl;
use crate::lines::Lines;
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, ResourceExt, api::ListParams};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, proof, until};
use sallyport_ipc::{
    AuditFilter, Decide, EndReason, LimitsInput, OpenInput, ProofKind, ProofState, RequestView, SessionState,
    SessionView,
};
use sallyport_model::ErrorCode;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

const SOON: Duration = Duration::from_secs(60);

/// The accounts of sessions on the target, as its admin sees them.
async fn accounts(fleet: &Fleet) -> Result<BTreeSet<String>> {
    let all = Api::<ServiceAccount>::namespaced(fleet.target().plane.admin()?, "sallyport-sessions");
    Ok(all.list(&ListParams::default()).await?.iter().map(ResourceExt::name_any).collect())
}

/// A watch of a namespace's pods by a real kubectl, which goes on until something ends it.
struct Watch(tokio::process::Child);

impl Watch {
    async fn begin(fleet: &Fleet, desktop: &Desktop, session: &str, namespace: &str) -> Result<Self> {
        let kubectl = fleet.target().plane.kubectl_with(&desktop.kubeconfig()?);
        let before = desktop.session(session).await?.streams.len();
        let mut command = kubectl.command(["get", "pods", "-n", namespace, "--watch-only"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        until("the watch", SOON, async || {
            let view = desktop.session(session).await.ok()?;
            (view.streams.len() > before).then_some(())
        })
        .await?;
        Ok(Self(child))
    }

    fn goes_on(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

/// Whether nothing of a grant is left, and that was seen.
fn is_proven(view: &SessionView) -> bool {
    [ProofKind::RightsGone, ProofKind::AccountRemoved, ProofKind::TokenRefused]
        .into_iter()
        .all(|kind| proof(view, kind).0 == Some(ProofState::Done))
}

/// The request for more time as lee's inbox shows it.
async fn asked(lee: &Desktop, request: &str) -> Result<RequestView> {
    until("the request", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        all.into_iter().find(|one| one.id == request && one.decide == Decide::Yes)
    })
    .await
}

/// Asks for more time; the extension, once its request is on the hub.
async fn more(dana: &Desktop, session: &str, minutes: u32) -> Result<SessionView> {
    let extension = dana.app.session_extend(session.to_owned(), Some(minutes * 60)).await?;
    dana.until_within(&extension.id, SOON, |view| view.request.is_some()).await
}

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let (dana, lee) = (Desktop::signed_in(fleet, "dana").await?, Desktop::signed_in(fleet, "lee").await?);
    one_key(fleet, &dana, lines).await?;
    people(fleet, &dana, &lee, lines).await?;
    dana.app.shut_down().await;
    lee.app.shut_down().await;
    Ok(())
}

/// Without people: one key, and the session goes on.
async fn one_key(fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let short = OpenInput { duration_seconds: Some(900), ..input(fleet.target().spec.name, "debug-prod") };
    let id = dana.app.session_open(short).await?.id;
    let first = dana.until(&id, |view| view.state == SessionState::Open).await?;
    let before = accounts(fleet).await?;
    let mut watch = Watch::begin(fleet, dana, &id, "payments").await?;
    let kubeconfig = dana.kubeconfig()?;

    let refused = dana.app.session_extend(id.clone(), None).await.err();
    lines.check(
        "as long again, right after it opened, is no later: refused in words",
        refused.as_ref().is_some_and(|e| e.code() == ErrorCode::BadInput),
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    let extension = more(dana, &id, 30).await?;
    lines.check(
        "one key asks for more time under the same profile",
        extension.extends.as_deref() == Some(id.as_str())
            && extension.profile == first.profile
            && extension.namespaces == first.namespaces,
        format!("request {:?}", extension.request.as_deref()),
    );
    let closed = dana.until(&extension.id, |view| view.state == SessionState::Closed).await?;
    let open = dana.session(&id).await?;
    lines.check(
        "the session goes on, later, under the new request and grant",
        open.state == SessionState::Open
            && open.request == extension.request
            && open.grant.is_some()
            && open.grant != first.grant
            && open.ends_at > first.ends_at,
        format!("{:?} ms later", open.ends_at.zip(first.ends_at).map(|(now, then)| now - then)),
    );
    lines.check(
        "p13 the old grant is removed and proven",
        is_proven(&closed) && closed.grant == first.grant && closed.request == first.request,
        proof(&closed, ProofKind::RightsGone).2,
    );
    let after = accounts(fleet).await?;
    let (gone, come) = (&before - &after, &after - &before);
    lines.check(
        "as the target's admin sees it: one account went, one came",
        gone.len() == 1 && come.len() == 1,
        format!("{gone:?} then {come:?}"),
    );
    let kubectl = Kubectl::new(fleet, &kubeconfig);
    lines.check("what streamed goes on streaming", watch.goes_on(), "kubectl get --watch");
    lines.check("and the same kubeconfig works", kubectl.get("payments").await?, "");
    let told = until("the entry", SOON, async || {
        let page = dana.app.audit_page(AuditFilter::default(), None, 200).await.ok()?;
        page.entries.into_iter().find(|entry| entry.action == "extended")
    })
    .await;
    lines.check("the history says so", told.is_ok(), "");

    dana.app.session_leave(id.clone()).await?;
    let over = dana.until(&id, |view| view.state == SessionState::Closed).await?;
    lines.check(
        "leaving ends the new grant as well, with proof",
        is_proven(&over)
            && accounts(fleet).await?.is_disjoint(&come)
            && !dana.everything_told().contains("eyJ"),
        "",
    );
    Ok(())
}

/// With people: they are asked again, and may say no, or less.
async fn people(fleet: &Fleet, dana: &Desktop, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let short = OpenInput { duration_seconds: Some(900), ..input(fleet.target().spec.name, "operate") };
    let id = dana.app.session_open(short).await?.id;
    let first = dana.until_within(&id, SOON, |view| view.request.is_some()).await?;
    let yes = async |request: &str, limits: Option<LimitsInput>| {
        let seen = asked(lee, request).await?;
        let digest = seen.offer.as_ref().context("there is an offer")?.digest.to_string();
        lee.app.request_approve(request.to_owned(), digest, limits).await?;
        Ok::<_, anyhow::Error>(seen)
    };
    yes(first.request.as_deref().context("it is asked")?, None).await?;
    let first = dana.until(&id, |view| view.state == SessionState::Open).await?;
    let (mut kept, mut lost) = (
        Watch::begin(fleet, dana, &id, "payments").await?,
        Watch::begin(fleet, dana, &id, "checkout").await?,
    );

    let extension = more(dana, &id, 30).await?;
    let request = extension.request.clone().context("it is asked")?.to_string();
    asked(lee, &request).await?;
    lee.app.request_deny(request, Some("finish first".into())).await?;
    let denied = dana.until(&extension.id, |view| view.state == SessionState::Closed).await?;
    let open = dana.session(&id).await?;
    lines.check(
        "lee's no to more time leaves what is open as it is",
        open.state == SessionState::Open
            && open.ends_at == first.ends_at
            && denied.ended.as_ref().is_some_and(|ended| ended.reason == EndReason::Denied),
        denied.ended.and_then(|ended| ended.message).unwrap_or_default(),
    );

    let extension = more(dana, &id, 30).await?;
    let request = extension.request.clone().context("it is asked")?.to_string();
    let narrow = LimitsInput { duration_seconds: None, namespaces: Some(vec!["payments".into()]) };
    let seen = yes(&request, Some(narrow)).await?;
    let adds = seen.offer.as_ref().map(|offer| offer.adds.len());
    lines.check("lee is asked again, and sees that it is for longer", adds.is_some_and(|adds| adds > 0), "");
    let closed = dana.until(&extension.id, |view| view.state == SessionState::Closed).await?;
    let open = dana.session(&id).await?;
    lines.check(
        "with lee's yes to less it goes on, in payments alone",
        open.state == SessionState::Open
            && open.namespaces == ["payments"]
            && open.ends_at > first.ends_at
            && is_proven(&closed),
        "",
    );
    let mut rest = String::new();
    let ended = tokio::time::timeout(SOON, lost.0.wait()).await;
    if let Some(stderr) = lost.0.stderr.as_mut() {
        stderr.read_to_string(&mut rest).await?;
    }
    lines.check("the stream in checkout is cut", ended.is_ok(), rest.trim());
    lines.check("the one in payments goes on", kept.goes_on(), "");
    let kubectl = Kubectl::new(fleet, &dana.kubeconfig()?);
    let (inside, outside) = (kubectl.get("payments").await?, kubectl.get("checkout").await?);
    lines.check("and kubectl works there and nowhere else", inside && !outside, "");

    lee.app.request_revoke(request, "enough".into()).await?;
    let over = dana.until(&id, |view| view.state == SessionState::Closed).await?;
    lines.check(
        "revoking the extended request ends the session, with proof",
        over.ended.as_ref().is_some_and(|ended| ended.reason == EndReason::Revoked) && is_proven(&over),
        "",
    );
    Ok(())
}
