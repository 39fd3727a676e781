//! Two people's desktops: dana asks, lee decides from the inbox.

mod two;
mod waits;

use crate::lines::Lines;
use anyhow::{Context, Result};
use k8s_openapi::api::events::v1::Event;
use kube::{Api, api::ListParams};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, input, proof, until};
use sallyport_ipc::{
    AuditFilter, ClosingState, Decide, EndReason, LimitsInput, ProofKind, ProofState, RequestPhase,
    RequestView, SessionState, StepKind,
};
use sallyport_model::ErrorCode;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// The request of a session as somebody's desktop shows it, once it is as wanted.
pub(crate) async fn shown(
    desktop: &Desktop,
    request: &str,
    wanted: impl Fn(&RequestView) -> bool,
) -> Result<RequestView> {
    until("the request", SOON, async || {
        let all = desktop.app.requests_list().await.ok()?.requests;
        all.into_iter().find(|one| one.id == request && wanted(one))
    })
    .await
}

/// dana asks to operate: her session and its request.
pub(crate) async fn ask(fleet: &Fleet, dana: &Desktop) -> Result<(String, String)> {
    let session = dana.app.session_open(input(fleet.target().spec.name, "operate")).await?.id;
    let asked = dana.until_within(&session, SOON, |view| view.request.is_some()).await?;
    Ok((session, asked.request.context("it is asked")?.to_string()))
}

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let (dana, lee) = (Desktop::signed_in(fleet, "dana").await?, Desktop::signed_in(fleet, "lee").await?);
    let (session, request) = ask(fleet, &dana).await?;
    let seen = shown(&lee, &request, |one| one.decide == Decide::Yes).await?;
    let offer = seen.offer.clone().context("there is an offer")?;
    lines.check(
        "the request is in lee's inbox: who, where, why, and what a yes would allow",
        seen.user.contains("dana")
            && seen.needed == Some(1)
            && seen.mfa_at.is_some()
            && seen.reason.contains("INC-4312")
            && offer.adds == offer.rights
            && offer.rights.iter().any(|right| right.writes),
        format!("{} asks for {} on {}", seen.user, seen.profile, seen.cluster),
    );
    let counted = until("the count", SOON, async || {
        let count = lee.app.app_state().await.ok()?.to_decide;
        (count == 1).then_some(count)
    })
    .await;
    lines.check("and counted on the rail", counted.is_ok(), "");

    let own = shown(&dana, &request, |one| one.own).await?;
    let refused = dana.app.request_approve(request.clone(), offer.digest.to_string(), None).await.err();
    lines.check(
        "p8 dana sees her own and can't decide on it",
        own.decide == Decide::Own && refused.as_ref().is_some_and(|e| e.code() == ErrorCode::Forbidden),
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    let refused = lee.app.request_approve(request.clone(), "0".repeat(64), None).await.err();
    let still = shown(&lee, &request, |_| true).await?;
    lines.check(
        "p8 a yes to another offer than the one on the hub is none",
        refused.as_ref().is_some_and(|e| e.code() == ErrorCode::ProfileChanged) && still.approvals.is_empty(),
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    let pat = Desktop::signed_in(fleet, "pat").await?;
    let theirs = shown(&pat, &request, |one| one.needed.is_some() && one.decide != Decide::NotKnown).await?;
    let refused = pat.app.request_approve(request.clone(), offer.digest.to_string(), None).await.err();
    lines.check(
        "p8 a teammate reads it and has no say: the hub refuses them",
        theirs.decide == Decide::NotYours
            && refused
                .as_ref()
                .is_some_and(|e| matches!(e.code(), ErrorCode::Forbidden | ErrorCode::StepUpNeeded)),
        refused.map(|e| e.to_string()).unwrap_or_default(),
    );
    pat.app.shut_down().await;

    lee.app.request_approve(request.clone(), offer.digest.to_string(), None).await?;
    let open = dana.until(&session, |view| view.state != SessionState::Opening).await?;
    lines.check(
        "lee's yes opens it",
        open.state == SessionState::Open,
        format!("{:?}", open.error.map(|e| e.message)),
    );
    let active = shown(&lee, &request, |one| one.phase == RequestPhase::Active).await?;
    lines.check(
        "lee sees it open, with the yes and its end, and may end it",
        active.may_revoke
            && active.decide == Decide::Over
            && active.ends_at.is_some()
            && active.approvals.len() == 1
            && active.approvals[0].counts,
        "",
    );

    let refused = lee.app.request_revoke(request.clone(), "  ".into()).await.err();
    lines.check("ending it takes a reason", refused.is_some_and(|e| e.code() == ErrorCode::BadInput), "");
    lee.app.request_revoke(request.clone(), "the incident is over".into()).await?;
    let over = dana.until(&session, |view| view.state == SessionState::Closed).await?;
    let ended = over.ended.context("it says how it ended")?;
    lines.check(
        "lee ends it, and dana is told by whom and why",
        ended.reason == EndReason::Revoked
            && ended.by.as_deref().is_some_and(|by| by.contains("lee"))
            && ended.message.as_deref().is_some_and(|why| why.contains("the incident is over")),
        format!("{:?} by {:?}: {:?}", ended.reason, ended.by.as_deref(), ended.message.as_deref()),
    );
    events(fleet, &request, lines).await?;
    let gone = until("the closed one leaves the list", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        all.iter().all(|one| one.id != request.as_str()).then_some(())
    })
    .await;
    lines.check("what is closed leaves the inbox", gone.is_ok(), "");
    let proven = until("what became of it", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.closed;
        let one = all.into_iter().find(|one| one.id == request.as_str())?.closing?;
        (one.state == ClosingState::Proven).then_some(one.said?)
    })
    .await?;
    lines.check(
        "p13 and stands beside it with its broker's word that nothing is left",
        proven.contains("seen to be gone"),
        &proven,
    );

    let (session, request) = ask(fleet, &dana).await?;
    shown(&lee, &request, |one| one.decide == Decide::Yes).await?;
    let before = lee.app.request_before(request.clone()).await?;
    lines.check(
        "lee reads what dana did under this profile before",
        before.opened >= 1 && before.last_ended.as_deref().is_some_and(|how| how.contains("revoked by")),
        format!("{} opened, last: {:?}", before.opened, before.last_ended.as_deref()),
    );
    lee.app.request_deny(request.clone(), Some("use debug first".into())).await?;
    let over = dana.until(&session, |view| view.state == SessionState::Closed).await?;
    let said = over.ended.as_ref().and_then(|ended| ended.message.clone()).unwrap_or_default();
    lines.check("lee's no closes it, with the reason", said.contains("use debug first"), &said);

    let entries = until("the entries", SOON, async || {
        let page = lee.app.audit_page(AuditFilter::default(), None, 200).await.ok()?;
        let of = |action: &str| page.entries.iter().filter(|e| e.action == action).count();
        let counts = [of("approve"), of("revoke"), of("deny")];
        // One of each that went through; a yes and an end that did not.
        (counts == [2, 2, 1]).then_some(counts)
    })
    .await;
    lines.check(
        "each is an entry of lee's history, what was refused too",
        entries.is_ok(),
        format!("{entries:?}"),
    );
    less(fleet, &dana, &lee, lines).await?;
    waits::taken_back(fleet, &dana, &lee, lines).await?;
    waits::offer_changes(fleet, &dana, &lee, lines).await?;
    waits::stepped_up(fleet, &dana, lines).await?;
    dana.app.shut_down().await;
    lee.app.shut_down().await;
    two::play(fleet, lines).await
}

/// What a team's event router hears of a request that was approved, opened and revoked.
async fn events(fleet: &Fleet, request: &str, lines: &mut Lines) -> Result<()> {
    let all = Api::<Event>::all(fleet.hub.admin()?);
    let told = until("the events", SOON, async || {
        let mut of: Vec<Event> = all.list(&ListParams::default()).await.ok()?.items;
        of.retain(|event| event.regarding.as_ref().is_some_and(|it| it.uid.as_deref() == Some(request)));
        of.sort_by_key(|event| event.event_time.clone());
        (of.len() == 3).then_some(of)
    })
    .await?;
    let said: Vec<_> = told.iter().filter_map(|event| event.reason.as_deref()).collect();
    let notes: Vec<_> = told.iter().filter_map(|event| event.note.as_deref()).collect();
    lines.check(
        "the broker tells each turn as an Event on the request, in the team's namespace",
        said == ["Requested", "Approved", "Closed"]
            && notes[0].contains("INC-4312")
            && notes[1].contains("lee")
            && notes[2].contains("the incident is over"),
        notes.join(" | "),
    );
    Ok(())
}

/// lee says yes to less: what is given is that, for everybody who looks.
async fn less(fleet: &Fleet, dana: &Desktop, lee: &Desktop, lines: &mut Lines) -> Result<()> {
    let (session, request) = ask(fleet, dana).await?;
    let seen = shown(lee, &request, |one| one.decide == Decide::Yes).await?;
    let offer = seen.offer.clone().context("there is an offer")?;
    let asked: Vec<&str> = seen.namespaces.iter().map(|name| name.as_str()).collect();
    let limits = |seconds: Option<u32>, names: Option<&[&str]>| {
        let namespaces = names.map(|names| names.iter().map(ToString::to_string).collect());
        Some(LimitsInput { duration_seconds: seconds, namespaces })
    };
    let digest = offer.digest.to_string();
    let mut refused = Vec::new();
    for nothing in [limits(None, Some(&[])), limits(Some(60), None), limits(None, Some(&["ledger"]))] {
        let said = lee.app.request_approve(request.clone(), digest.clone(), nothing).await.err();
        refused.push(said.is_some_and(|e| e.code() == ErrorCode::BadInput));
    }
    let still = shown(lee, &request, |_| true).await?;
    lines.check(
        "p8 a yes to nothing is none: no namespace, no time, another namespace",
        refused == [true; 3] && still.approvals.is_empty() && offer.takes_limits,
        "",
    );
    let narrow = limits(Some(900), Some(&["payments"]));
    lee.app.request_approve(request.clone(), digest, narrow).await?;
    let open = dana.until(&session, |view| view.state != SessionState::Opening).await?;
    let words =
        open.steps.iter().find(|step| step.kind == StepKind::Approved).map(|step| step.detail.to_string());
    lines.check(
        "lee's yes to less opens it: payments alone, a quarter of an hour of the hour that was asked for",
        open.state == SessionState::Open
            && asked.len() == 2
            && open.namespaces == ["payments"]
            && open.duration_seconds == 900
            && open.ends_in_ms.is_some_and(|left| left <= 902_000)
            && words.as_deref().is_some_and(|words| words.contains("payments for 15m")),
        format!("{words:?} of {asked:?}"),
    );
    let kubectl = Kubectl::new(fleet, &dana.kubeconfig()?);
    let (inside, outside) = (kubectl.get("payments").await?, kubectl.get("checkout").await?);
    lines.check("kubectl works in payments and is refused in checkout", inside && !outside, "");
    let active = shown(lee, &request, |one| one.phase == RequestPhase::Active).await?;
    let given = active.given.as_ref();
    lines.check(
        "the hub records what was given and who took what off",
        given.is_some_and(|given| given.namespaces == ["payments"] && given.duration_seconds == 900)
            && active.approvals[0].limits.as_ref().is_some_and(|less| less.duration_seconds == Some(900)),
        "",
    );
    dana.app.session_leave(session.clone()).await?;
    let over = dana.until(&session, |view| view.state == SessionState::Closed).await?;
    lines.check(
        "and it is proven closed where it was open",
        proof(&over, ProofKind::RightsGone).0 == Some(ProofState::Done)
            && proof(&over, ProofKind::TokenRefused).0 == Some(ProofState::Done),
        proof(&over, ProofKind::RightsGone).2,
    );
    Ok(())
}

/// kubectl with a session's kubeconfig.
pub(crate) struct Kubectl<'a>(&'a Fleet, std::path::PathBuf);

impl<'a> Kubectl<'a> {
    pub(crate) fn new(fleet: &'a Fleet, kubeconfig: &std::path::Path) -> Self {
        Self(fleet, kubeconfig.to_owned())
    }

    /// Whether it lists the pods of a namespace.
    pub(crate) async fn get(&self, namespace: &str) -> Result<bool> {
        let program = self.0.target().plane.assets().kubectl();
        let ran = tokio::process::Command::new(program)
            .args(["get", "pods", "-n", namespace, "--request-timeout=10s"])
            .env_clear()
            .env("KUBECONFIG", &self.1)
            .env("HOME", self.1.parent().context("it is in a folder")?)
            .output()
            .await?;
        Ok(ran.status.success())
    }
}
