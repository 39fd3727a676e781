//! The tools people have, through the gateway of an open session: a line per verb.
//!
//! Each verb is one that works without Sallyport. The kubectl of the planes is played by `make test`; an older one, the
//! official Python client and helm have to be built or installed first and are played by name.

mod helm;
mod kubectl;
mod provided;
mod python;

use crate::lines::Lines;
use anyhow::{Context, Result, bail};
use provided::Provided;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{DEADLINE, Desktop, id_token, input, until};
use sallyport_hub::Hub;
use sallyport_ipc::{SessionState, SessionView};
use sallyport_testkit::profiles::EDITOR;
use sallyport_testkit::repository::deploy;
use sallyport_testkit::{Kubectl, Pods};
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

/// How long one verb may take.
const VERB: Duration = Duration::from_secs(60);
/// The namespace everything is done in.
const NAMESPACE: &str = "payments";

/// The kubectl of the planes.
pub(crate) async fn kubectl(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let session = opened(fleet, &desktop, "operate").await?;
    let tool = of_the_planes(fleet, &desktop).await?;
    kubectl::verbs(&tool, lines).await;
    leave(&desktop, &session, lines).await?;
    desktop.app.shut_down().await;
    Ok(())
}

/// The same, and an older kubectl, the Python client and helm.
pub(crate) async fn all(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let provided = Provided::find().await?;
    let desktop = Desktop::joined(fleet, "dana").await?;
    allow_releases(fleet).await?;
    desktop.app.sign_in(None).await?;
    offered(fleet, &desktop, "releases").await?;
    let session = opened(fleet, &desktop, "operate").await?;
    let tool = of_the_planes(fleet, &desktop).await?;
    kubectl::verbs(&tool, lines).await;
    let home = tempfile::tempdir()?;
    let older = Kubectl::new(&provided.kubectl, &desktop.kubeconfig()?, home.path()).within(VERB);
    // Another pod: simulated ones start their first ephemeral container alone.
    let pod = pods(fleet).await?.pop().context("no pod")?;
    let older = Tool { name: "kubectl 1.32", kubectl: older, pod };
    kubectl::verbs(&older, lines).await;
    python::verbs(&provided.python, &tool, lines).await;
    helm::without_secrets(&provided.helm, &tool, lines).await;
    leave(&desktop, &session, lines).await?;

    let session = opened(fleet, &desktop, "releases").await?;
    let tool = of_the_planes(fleet, &desktop).await?;
    helm::verbs(&provided.helm, &tool, lines).await?;
    leave(&desktop, &session, lines).await?;
    desktop.app.shut_down().await;
    Ok(())
}

/// A kubectl with a session's private kubeconfig, and a pod to use it on.
struct Tool {
    name: &'static str,
    kubectl: Kubectl,
    pod: String,
}

async fn of_the_planes(fleet: &Fleet, desktop: &Desktop) -> Result<Tool> {
    let kubectl = fleet.target().plane.kubectl_with(&desktop.kubeconfig()?).within(VERB);
    Ok(Tool { name: "kubectl", kubectl, pod: pods(fleet).await?.swap_remove(0) })
}

async fn pods(fleet: &Fleet) -> Result<Vec<String>> {
    let plane = &fleet.target().plane;
    let mut pods = Pods::running(plane, NAMESPACE, "app=api", 3, Duration::from_secs(90)).await?;
    pods.sort();
    Ok(pods)
}

/// What deploy/demo/README.md says an admin does where releases are made in sessions (fault C9).
async fn allow_releases(fleet: &Fleet) -> Result<()> {
    let file = |name: &str| deploy("demo/releases").join(name).display().to_string();
    let apply = ["apply", "--server-side", "-f"];
    let target = fleet.target().plane.kubectl();
    target.ok(&[apply.as_slice(), &[&file("target.yaml")]].concat()).await?;
    let hub = fleet.hub.kubectl();
    hub.ok(&[apply.as_slice(), &[&file("hub.yaml")]].concat()).await?;
    hub.ok(&[apply.as_slice(), &[&file("profile.yaml")], &EDITOR].concat()).await?;
    Ok(())
}

/// Waits until a profile is offered for the target.
async fn offered(fleet: &Fleet, desktop: &Desktop, profile: &str) -> Result<()> {
    let cluster = fleet.target().spec.name;
    until(&format!("the profile {profile}"), Duration::from_secs(60), async || {
        let detail = desktop.app.cluster_detail(cluster.to_owned()).await.ok()?;
        detail.profiles.iter().any(|p| p.name == profile).then_some(())
    })
    .await
}

/// Opens the target under a profile; where that wants somebody's yes, lee gives it.
async fn opened(fleet: &Fleet, desktop: &Desktop, profile: &str) -> Result<SessionView> {
    let mut ask = input(fleet.target().spec.name, profile);
    ask.namespaces = Some(vec![NAMESPACE.to_owned()]);
    let session = desktop.app.session_open(ask).await?;
    let waits = |v: &SessionView| v.waiting_for.is_some() || v.state != SessionState::Opening;
    let view = desktop.until(&session.id, waits).await?;
    if view.state == SessionState::Opening {
        let lee = Hub::new(fleet.hub.client_with_token(&id_token(fleet, "lee").await?)?, DEADLINE);
        let uid = view.request.context("a request that waits has a UID")?;
        let requests = lee.requests_of(&"team-payments".parse()?).await?.objects;
        let request = requests.iter().find(|r| r.metadata.uid.as_deref() == Some(uid.as_str()));
        crate::waiting::approve(&lee, &request.context("it is on the hub")?.which()?).await?;
    }
    let view = desktop.until(&session.id, |v| v.state != SessionState::Opening).await?;
    if view.state != SessionState::Open {
        bail!("{profile} was not opened: {:?}", view.error);
    }
    Ok(view)
}

/// Leaves and waits for the end, so that the next session finds nothing of this one.
async fn leave(desktop: &Desktop, session: &SessionView, lines: &mut Lines) -> Result<()> {
    desktop.app.session_leave(session.id.clone()).await?;
    desktop.until(&session.id, |v| v.state == SessionState::Closed).await?;
    lines.seen(&format!("left {}", session.profile), "");
    Ok(())
}

/// One verb of one tool.
async fn verb(lines: &mut Lines, tool: &str, verb: &str, seen: impl Future<Output = Result<String>>) {
    let what = format!("{tool}: {verb}");
    match tokio::time::timeout(VERB, seen).await {
        Ok(Ok(detail)) => lines.seen(&what, one_line(&detail)),
        Ok(Err(error)) => lines.failed(&what, one_line(&format!("{error:#}"))),
        Err(_) => lines.failed(&what, format!("still running after {} s", VERB.as_secs())),
    }
}

/// The end of what was said, in one line: there the reason is.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skipped = line.chars().count().saturating_sub(400);
    line.chars().skip(skipped).collect()
}

/// A program of the story in a home of its own, with one kubeconfig.
fn program(path: &PathBuf, kubeconfig: &std::path::Path, home: &std::path::Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(path);
    command.env_clear().env("HOME", home).env("KUBECONFIG", kubeconfig).kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs a program to its end: its standard output, or an error with what it complained about.
async fn output(mut command: tokio::process::Command) -> Result<String> {
    let out = command.stdin(std::process::Stdio::null()).output().await?;
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if !out.status.success() {
        bail!("it ended with {}: {} {}", out.status, complained.trim(), said.trim());
    }
    Ok(said.into_owned())
}
