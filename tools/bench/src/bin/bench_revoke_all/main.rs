//! `bench revoke_all`: everything is held, at once: 100 open sessions of ten people over two targets, each with a stream.
//!
//! Ten desktops (the app without its window, all in this process), ten sessions each, half of them on either target; through
//! each session's gateway a watch of pods is open, by its private kubeconfig. Then somebody writes one AccessHold on
//! everything. Measured from before that write: until the last stream's client saw its end, and until the last session's own
//! probes, past the gateway, saw every right refused by its target.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use http_body_util::BodyExt as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sallyport_fleet::headless::{Desktop, input, proof, until, walk};
use sallyport_fleet::{Fleet, FleetOptions, people};
use sallyport_ipc::{HeldKind, HoldInput, ProofKind, ProofState, SessionState, SessionView};
use sallyport_testkit::idp::Account;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PEOPLE: usize = 10;
/// Sessions of each on each target: one under each profile.
const PROFILES: usize = 5;
const LONG: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let names: Vec<String> = (0..PEOPLE).map(|number| format!("dev-{number}")).collect();
    let devs = names.iter().map(|name| Account::person(name, name, &["payments-dev"]));
    let accounts = people().into_iter().chain(devs).collect();
    let fleet = Fleet::start(FleetOptions { targets: 2, accounts, ..FleetOptions::default() }).await?;
    profiles(&fleet).await?;
    let responder = Desktop::signed_in(&fleet, "lee").await?;
    let mut desktops = Vec::new();
    for name in &names {
        desktops.push(Desktop::signed_in(&fleet, name).await?);
    }
    // First with the brokers stopped, so that what the desktops do alone is told apart: they share this machine's CPUs with all
    // else, which begins at the same moment.
    let alone = {
        let streams = open_streams(&fleet, &desktops).await?;
        fleet.targets.iter().try_for_each(|target| target.broker.pause())?;
        let began = Instant::now();
        responder.app.hold_create(everything()).await?;
        let cut = last_cut(streams, began).await;
        fleet.targets.iter().try_for_each(|target| target.broker.resume())?;
        closed(&desktops).await?;
        go_on(&desktops, &responder).await?;
        cut?
    };
    let streams = open_streams(&fleet, &desktops).await?;
    let count = streams.len();
    let began = Instant::now();
    responder.app.hold_create(everything()).await?;
    let written = began.elapsed();
    let (cut, rights) = tokio::try_join!(last_cut(streams, began), last_right(&desktops, began))?;
    let over = closed(&desktops).await?;
    let proven = over.iter().filter(|view| is_done(view, ProofKind::TokenRefused)).count();
    println!(
        "{count} sessions of {PEOPLE} people over 2 targets; the hold was answered after {} ms, the last stream ended after {} ms \
         (with the brokers stopped after {} ms), the last right was refused after {} ms; {proven} proven closed; {} CPUs",
        written.as_millis(),
        cut.as_millis(),
        alone.as_millis(),
        rights.as_millis(),
        std::thread::available_parallelism()?,
    );
    println!("bench revoke_all cut_ms={} rights_ms={}", cut.as_millis(), rights.as_millis());
    for desktop in desktops.iter().chain([&responder]) {
        desktop.app.shut_down().await;
    }
    Ok(())
}

fn everything() -> HoldInput {
    HoldInput { on: HeldKind::Everything, name: String::new(), minutes: 60, reason: "a drill".to_owned() }
}

/// Opens all sessions, and a watch of pods through the gateway of each.
async fn open_streams(fleet: &Fleet, desktops: &[Desktop]) -> Result<JoinSet<Instant>> {
    for desktop in desktops {
        open_all(fleet, desktop).await?;
    }
    let mut streams = JoinSet::new();
    for desktop in desktops {
        for file in walk(&desktop.home.path().join("run"))? {
            let is_kubeconfig =
                std::fs::read_to_string(&file).is_ok_and(|text| text.contains("client-key-data"));
            if is_kubeconfig {
                let stream = Stream::open(&file).await?;
                streams.spawn(stream.ended());
            }
        }
    }
    ensure!(streams.len() == PEOPLE * PROFILES * 2, "{} streams are open", streams.len());
    Ok(streams)
}

/// Every session, once all are over.
async fn closed(desktops: &[Desktop]) -> Result<Vec<SessionView>> {
    until("the sessions are over", LONG, async || {
        let all = sessions(desktops).await.ok()?;
        all.iter().all(|view| view.state == SessionState::Closed).then_some(all)
    })
    .await
}

/// Ends every hold, and puts what is closed away.
async fn go_on(desktops: &[Desktop], responder: &Desktop) -> Result<()> {
    for hold in responder.app.app_state().await?.holds {
        responder.app.hold_remove(hold.id.to_string()).await?;
    }
    for desktop in desktops {
        until("nothing is held", LONG, async || {
            desktop.app.app_state().await.ok()?.holds.is_empty().then_some(())
        })
        .await?;
        for view in desktop.app.sessions_list().await? {
            desktop.app.session_dismiss(view.id).await?;
        }
    }
    Ok(())
}

/// When the last of the streams had ended.
async fn last_cut(streams: JoinSet<Instant>, began: Instant) -> Result<Duration> {
    let ends = tokio::time::timeout(LONG, streams.join_all()).await.context("a stream goes on")?;
    Ok(ends.into_iter().max().context("streams")? - began)
}

/// When the last of the sessions had seen every right refused.
async fn last_right(desktops: &[Desktop], began: Instant) -> Result<Duration> {
    let gone = until("the rights are gone", LONG, async || {
        let all = sessions(desktops).await.ok()?;
        all.iter().all(|view| is_done(view, ProofKind::RightsGone)).then(|| began.elapsed())
    });
    gone.await
}

fn is_done(view: &SessionView, kind: ProofKind) -> bool {
    proof(view, kind).0 == Some(ProofState::Done)
}

async fn sessions(desktops: &[Desktop]) -> Result<Vec<SessionView>> {
    let lists = desktops.iter().map(|desktop| desktop.app.sessions_list());
    Ok(try_join_all(lists).await?.into_iter().flatten().collect())
}

async fn open_all(fleet: &Fleet, desktop: &Desktop) -> Result<()> {
    for target in &fleet.targets {
        for number in 0..PROFILES {
            let profile = format!("drill-{number}");
            let asked = input(target.spec.name, &profile);
            let id = until("the profile", LONG, async || desktop.app.session_open(asked.clone()).await.ok())
                .await?
                .id;
            let view = desktop.until(&id, |view| view.state != SessionState::Opening).await?;
            ensure!(view.state == SessionState::Open, "{:?}", view.error);
        }
    }
    Ok(())
}

/// Five profiles that open at once: under one of them a second click shows the first session.
async fn profiles(fleet: &Fleet) -> Result<()> {
    let names: Vec<String> = (0..PROFILES).map(|number| format!("drill-{number}")).collect();
    for name in &names {
        let profile = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name},
            "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments", "checkout"],
                "maxDuration": "1h", "approvals": 0, "reasonRequired": false},
        });
        fleet.hub.make_profile(&profile).await?;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fleet.hub.allow("drill", "oidc:payments-dev", &["request"], &names).await
}

/// A watch of pods through a session's gateway.
struct Stream(http::Response<kube::client::Body>);

impl Stream {
    async fn open(kubeconfig: &std::path::Path) -> Result<Self> {
        let read = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        // With a first frame also where there are no pods.
        let query =
            "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        let path = format!("/api/v1/namespaces/{}/pods?{query}", config.default_namespace);
        let request = http::Request::get(path).body(kube::client::Body::empty())?;
        let mut answer = Client::try_from(config)?.send(request).await?;
        ensure!(answer.status().is_success(), "the watch answered {}", answer.status());
        let first = tokio::time::timeout(LONG, answer.body_mut().frame()).await?;
        ensure!(first.is_some_and(|frame| frame.is_ok()), "the watch ended at once");
        Ok(Self(answer))
    }

    /// When its client saw its end.
    async fn ended(mut self) -> Instant {
        while let Some(Ok(_)) = self.0.body_mut().frame().await {}
        Instant::now()
    }
}
