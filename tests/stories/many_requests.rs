//! A hub that remembers very many requests: none of them is open, all are kept for whoever asks later. Nobody who asks, decides or
//! looks on today may pay for them.

use crate::approvals::{ask, shown};
use crate::lines::Lines;
use anyhow::{Context, Result};
use futures::StreamExt as _;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use sallyport_api::AccessRequest;
use sallyport_fleet::headless::{Desktop, input, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{Decide, SessionState};
use sallyport_model::Phase;
use sallyport_testkit::memory::resident;
use sallyport_testkit::repository::deploy;
use serde_json::json;
use std::time::{Duration, Instant};

const TEAM: &str = "team-payments";
const LATER: Duration = Duration::from_secs(60);
/// How long each thing that a person waits for may take with all of them, on a machine that does other work beside it.
const MAY_TAKE: Duration = Duration::from_secs(15);
/// What a broker may hold of memory with all of them, in MB.
const MEMORY: u64 = 150;

/// As many as `make test` has time for.
pub(crate) async fn some(_: &Fleet, lines: &mut Lines) -> Result<()> {
    play(2_000, lines).await
}

/// As many as a large team has in a month.
pub(crate) async fn most(_: &Fleet, lines: &mut Lines) -> Result<()> {
    play(10_000, lines).await
}

async fn play(count: usize, lines: &mut Lines) -> Result<()> {
    let fleet = Fleet::start(FleetOptions { pods: false, ..FleetOptions::default() }).await?;
    let dana = Desktop::signed_in(&fleet, "dana").await?;
    let before = in_and_out(&fleet, &dana).await?;
    let took = remember(&fleet, count).await?;
    lines.seen(&format!("a hub that remembers {count} requests"), format!("made in {took:?}"));

    // The hub's policies were away; until its broker has seen them whole again, nothing is granted, and what is asked meanwhile
    // waits for that. So the first time says when they are whole, and how long it takes is told by the next.
    until("the hub's policies are whole", LATER, async || in_and_out(&fleet, &dana).await.ok()).await?;
    let after = in_and_out(&fleet, &dana).await?;
    lines.check(
        "dana opens and leaves as before",
        after < MAY_TAKE,
        format!("{before:?} before, {after:?} with all of them"),
    );
    let began = Instant::now();
    let lee = Desktop::signed_in(&fleet, "lee").await?;
    lee.until_listed(&fleet).await?;
    let waiting = lee.app.requests_list().await?.requests.len();
    let listed = began.elapsed();
    lines.check(
        "lee signs in, and what is closed is not in the list",
        waiting == 0 && listed < MAY_TAKE * 2,
        format!("{listed:?}"),
    );
    let (session, request) = ask(&fleet, &dana).await?;
    let seen = shown(&lee, &request, |one| one.decide == Decide::Yes).await?;
    let began = Instant::now();
    let told = lee.app.request_before(request.clone()).await?;
    let looked = began.elapsed();
    lines.check(
        "what dana did before under this profile is counted, or said to be more than what was read",
        (told.opened as usize >= count / 4 || told.more && told.opened > 1_000) && looked < MAY_TAKE,
        format!("{}{} opened, in {looked:?}", if told.more { "at least " } else { "" }, told.opened),
    );
    let began = Instant::now();
    let digest = seen.offer.context("there is an offer")?.digest.to_string();
    lee.app.request_approve(request, digest, None).await?;
    let open = dana.until(&session, |view| view.state != SessionState::Opening).await?;
    let opened = began.elapsed();
    lines.check(
        "lee's yes opens it",
        open.state == SessionState::Open && opened < MAY_TAKE,
        format!("{opened:?}"),
    );
    dana.app.session_leave(session.clone()).await?;
    dana.until(&session, |view| view.state == SessionState::Closed).await?;
    let memory = resident(fleet.target().broker.pid().context("the broker runs")?)? / 1_000_000;
    lines.check("the broker holds little of them", memory <= MEMORY, format!("{memory} MB"));
    for desktop in [dana, lee] {
        desktop.app.shut_down().await;
    }
    Ok(())
}

/// From the click to an open session, which is left again.
async fn in_and_out(fleet: &Fleet, dana: &Desktop) -> Result<Duration> {
    let began = Instant::now();
    let id = dana.app.session_open(input(fleet.target().spec.name, "view")).await?.id;
    let view = dana.until(&id, |view| view.state != SessionState::Opening).await?;
    let took = began.elapsed();
    dana.app.session_leave(id.clone()).await?;
    dana.until(&id, |view| view.state == SessionState::Closed).await?;
    anyhow::ensure!(view.state == SessionState::Open, "{:?}", view.error);
    Ok(took)
}

/// Writes closed requests as the hub keeps them, a quarter of them dana's under `operate`. Admission would not let anybody,
/// so it is away meanwhile, and the broker with it.
async fn remember(fleet: &Fleet, count: usize) -> Result<Duration> {
    let began = Instant::now();
    let requests = Api::<AccessRequest>::namespaced(fleet.hub.admin()?, TEAM);
    let closed = async || {
        let all = requests.list(&kube::api::ListParams::default()).await.ok()?;
        all.items.into_iter().find(|one| one.phase() == Phase::Closed)
    };
    let model = until("a closed request", LATER, closed).await?;
    fleet.target().broker.pause()?;
    let policies = ["delete", "validatingadmissionpolicybinding", "--all"];
    fleet.hub.kubectl().ok(&policies).await?;
    let one = async |number: usize| {
        let mut request = model.clone();
        request.metadata = kube::core::ObjectMeta {
            name: Some(format!("{}-{number:05}", model.name_any())),
            labels: model.metadata.labels.clone(),
            annotations: model.metadata.annotations.clone(),
            finalizers: model.metadata.finalizers.clone(),
            ..Default::default()
        };
        request.spec.user = match number % 4 {
            0 => model.spec.user.clone(),
            other => format!("oidc:dev-{}-{other}@example.org", number % 100),
        };
        request.spec.profile = "operate".to_owned();
        let status = request.status.take();
        // Admission is forgotten a moment after its bindings are gone.
        let name = request.name_any();
        let made = async || requests.create(&PostParams::default(), &request).await.ok();
        until("a request is taken in", LATER, made).await?;
        let patch = json!({"status": status});
        let written =
            async || requests.patch_status(&name, &PatchParams::default(), &Patch::Merge(&patch)).await.ok();
        until("its end is taken in", LATER, written).await?;
        anyhow::Ok(())
    };
    let mut all = futures::stream::iter((0..count).map(one)).buffer_unordered(24);
    while let Some(made) = all.next().await {
        made?;
    }
    drop(all);
    fleet.hub.apply_kustomize(&deploy("hub")).await?;
    fleet.target().broker.resume()?;
    Ok(began.elapsed())
}
