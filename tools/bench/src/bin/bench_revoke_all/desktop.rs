//! One of the desktops: it opens its sessions when it is told to, and says when its streams had ended and its rights were gone.

use super::{LONG, PROFILES, profile};
use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use http_body_util::BodyExt as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sallyport_fleet::apart;
use sallyport_fleet::headless::{Desktop, input, proof, until, walk};
use sallyport_ipc::{ProofKind, ProofState, SessionState, SessionView};
use std::time::SystemTime;
use tokio::io::AsyncBufReadExt as _;

/// The argument that makes this program a desktop; what follows are the clusters on which it opens sessions.
pub(crate) const DESKTOP: &str = "desktop";

/// Until its input is closed.
pub(crate) async fn run(clusters: &[String]) -> Result<()> {
    let clusters: Vec<&str> = clusters.iter().map(String::as_str).collect();
    let desktop = apart::signed_in(&clusters).await?;
    println!("ready");
    let mut told = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    while let Some(word) = told.next_line().await? {
        match word.as_str() {
            "open" => held(&desktop, &clusters).await?,
            _ => go_on(&desktop).await?,
        }
    }
    desktop.app.shut_down().await;
    Ok(())
}

/// Opens everything, and says when it ends: nothing here does so.
async fn held(desktop: &Desktop, clusters: &[&str]) -> Result<()> {
    for cluster in clusters {
        for number in 0..PROFILES {
            let asked = input(cluster, &profile(number));
            let asking = async || desktop.app.session_open(asked.clone()).await.ok();
            let id = until("the profile", LONG, asking).await?.id;
            let view = desktop.until_within(&id, LONG, |view| view.state != SessionState::Opening).await?;
            ensure!(view.state == SessionState::Open, "{:?}", view.error);
        }
    }
    let mut streams = Vec::new();
    for file in walk(&desktop.home.path().join("run"))? {
        let text = std::fs::read_to_string(&file);
        if text.is_ok_and(|text| text.contains("client-key-data")) {
            streams.push(Stream::open(&file).await?);
        }
    }
    println!("opened {}", streams.len());
    let ends: Vec<String> = join_all(streams.into_iter().map(Stream::ended)).await;
    println!("cut {}", ends.join(" "));
    // Not before: whoever looks all the time takes turns from what it looks at.
    all(desktop, "the rights are gone", |view| is_done(view, ProofKind::RightsGone)).await?;
    println!("rights {}", micros());
    let over = all(desktop, "everything is over", |view| view.state == SessionState::Closed).await?;
    println!("closed {}", over.iter().filter(|view| is_done(view, ProofKind::TokenRefused)).count());
    Ok(())
}

/// Puts what is closed away, once nothing is held any more.
async fn go_on(desktop: &Desktop) -> Result<()> {
    until("nothing is held", LONG, async || {
        desktop.app.app_state().await.ok()?.holds.is_empty().then_some(())
    })
    .await?;
    for view in desktop.app.sessions_list().await? {
        desktop.app.session_dismiss(view.id).await?;
    }
    println!("ready");
    Ok(())
}

/// All sessions, as soon as each is as wanted.
async fn all(
    desktop: &Desktop,
    what: &str,
    wanted: impl Fn(&SessionView) -> bool,
) -> Result<Vec<SessionView>> {
    until(what, LONG, async || {
        let all = desktop.app.sessions_list().await.ok()?;
        all.iter().all(&wanted).then_some(all)
    })
    .await
}

fn is_done(view: &SessionView, kind: ProofKind) -> bool {
    proof(view, kind).0 == Some(ProofState::Done)
}

fn micros() -> String {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros().to_string()
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
        let first = tokio::time::timeout(LONG, answer.body_mut().frame()).await.context("a first frame")?;
        ensure!(first.is_some_and(|frame| frame.is_ok()), "the watch ended at once");
        Ok(Self(answer))
    }

    /// When its client saw its end.
    async fn ended(mut self) -> String {
        while let Some(Ok(_)) = self.0.body_mut().frame().await {}
        micros()
    }
}
