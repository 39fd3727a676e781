//! From the first release to this one, with sessions open throughout: the kinds first, then the brokers with their rights,
//! then the policies, then the desktops. Everything old is the real thing, built from this repository's history.

mod before;

use crate::lines::Lines;
use anyhow::{Context, Result};
use before::{Before, Desk};
use sallyport_fleet::headless::{Desktop, until};
use sallyport_fleet::{Fleet, FleetOptions};
use sallyport_ipc::{GuardrailProof, SessionState};
use sallyport_testkit::browser::FormBrowser;
use sallyport_testkit::repository::deploy;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn play(_: &Fleet, lines: &mut Lines) -> Result<()> {
    let before = Before::built().await?;
    lines.seen("the first release is built: its broker, and a desktop of it", "");
    let options = FleetOptions { release: before.release(), ..FleetOptions::default() };
    let mut fleet = Fleet::start(options).await?;
    lines.seen("a fleet of the first release is up", "");
    let home = tempfile::tempdir()?;
    plain(&fleet).await?;
    let mut desk = before.desk(FormBrowser::of(&fleet.idp, "dana")?, home.path()).await?;
    desk.does(json!({"do": "join", "text": fleet.workspace_file()})).await?;
    desk.does(json!({"do": "sign_in"})).await?;
    let cluster = fleet.target().spec.name;
    desk.listed(cluster).await?;
    let open = desk.open(cluster, "view").await?;
    let works = Works::begin(&fleet, kubeconfig(home.path())?);
    lines
        .seen("dana has a session open, by a desktop of the first release, and kubectl reads pods in it", "");

    kinds(&fleet).await?;
    goes_on(&mut desk, &open, &works, cluster, "with the new kinds", lines).await?;

    brokers(&mut fleet).await?;
    let (set, since) = reported(&fleet, |set| set.contains("set 1")).await?;
    lines.check(
        "p12 the new broker takes the hub's policies for the set before its own, and does not call them verified",
        set.contains("the one before this broker's") && since == json!(false),
        &set,
    );
    goes_on(&mut desk, &open, &works, cluster, "with the new broker", lines).await?;
    let refused = refusal_of(&fleet, "debug-prod").await?.unwrap_or_default();
    lines.check(
        "what nobody is held to is not taken for granted: a profile with MFA is not granted under the old policies, with why",
        refused.contains("set 1") && refused.contains("what they say of their sign-in"),
        &refused,
    );
    let refused = reaffirming(&fleet).await?;
    lines.check(
        "what the old policies hold nobody to is not granted: a profile with reaffirm is refused, with why",
        refused.contains("set 1") && refused.contains("reaffirming"),
        &refused,
    );

    policies(&fleet).await?;
    let (set, since) = reported(&fleet, |set| set.contains("set 2")).await?;
    lines.check("p12 with the new policies it verifies them", since == json!(true), &set);
    goes_on(&mut desk, &open, &works, cluster, "with the new policies", lines).await?;
    let refused = (refusal_of(&fleet, "vouched").await?, refusal_of(&fleet, "debug-prod").await?);
    lines.check(
        "the profiles with reaffirm and MFA are possible now",
        refused == (None, None),
        format!("{refused:?}"),
    );
    let refused =
        desk.open(cluster, "debug-prod").await.err().map(|error| error.to_string()).unwrap_or_default();
    lines.check(
        "an old desktop does not say how its person signed in, and is told so under a profile with MFA",
        refused.contains("needs a stronger sign-in"),
        &refused,
    );

    // Others have the new desktop before dana.
    let lee = Desktop::signed_in(&fleet, "lee").await?;
    let seen = until("lee sees dana's session", SOON, async || {
        let all = lee.app.requests_list().await.ok()?.requests;
        all.into_iter().find(|one| one.user.contains("dana") && one.ended.is_none())
    })
    .await;
    lines.check("a new desktop shows what an old one opened", seen.is_ok(), "");
    let ines = Desktop::signed_in(&fleet, "ines").await?;
    let hub = ines.app.who_can().await?.hub;
    lines.check(
        "and the hub's guardrails in force",
        matches!(hub, GuardrailProof::InForce { .. }),
        format!("{hub:?}"),
    );

    let (asked, failed) = works.end().await;
    lines.check(
        "through all of it kubectl worked in the session that was open",
        failed == 0 && asked > 10,
        format!("{asked} calls, {failed} failed"),
    );
    let closed = desk.leave(&open).await?;
    lines.check("dana leaves it, proven by her old desktop", proven(&closed), closed["proof"].to_string());
    let verified = desk.does(json!({"do": "verify"})).await?;
    desk.quit().await?;

    let dana = Desktop::at(&fleet, "dana", home).await?;
    let history = dana.app.audit_verify().await?;
    lines.check(
        "her new desktop goes on with what the old one kept: her team, and the history, whole",
        dana.app.app_state().await?.workspace.is_some()
            && history.first_bad.is_none()
            && verified["entries"].as_i64().is_some_and(|before| before > 100 && history.entries >= before),
        format!("before {verified}; now {history:?}"),
    );
    dana.app.sign_in(None).await?;
    dana.until_listed(&fleet).await?;
    let view = dana.open(cluster, "view").await?;
    dana.app.session_leave(view.id.clone()).await?;
    let closed = dana.until(&view.id, |view| view.state == SessionState::Closed).await?;
    lines.check("and opens and leaves as ever", closed.proof.iter().all(|line| line.ms.is_some()), "");
    for desktop in [dana, lee, ines] {
        desktop.app.shut_down().await;
    }
    Ok(())
}

/// The kinds of this version, on both sides.
async fn kinds(fleet: &Fleet) -> Result<()> {
    for (plane, side) in [(&fleet.hub, "hub"), (&fleet.target().plane, "target")] {
        let file = deploy(side).join("crds.yaml").display().to_string();
        plane.kubectl().ok(&["apply", "--server-side", "--force-conflicts", "-f", &file]).await?;
    }
    Ok(())
}

/// The brokers of this version, with the rights that they need on the hub.
async fn brokers(fleet: &mut Fleet) -> Result<()> {
    let rbac = deploy("hub/rbac.yaml").display().to_string();
    let hub = fleet.hub.kubectl();
    hub.ok(&["apply", "--server-side", "--force-conflicts", "-f", &rbac]).await?;
    let enrol = std::fs::read_to_string(deploy("hub/enrol.yaml"))?;
    hub.apply(&enrol.replace("CLUSTER", fleet.target().spec.name)).await?;
    fleet.upgrade_brokers().await
}

/// The policies of this version, on both sides, and what the demo's admin binds beside them.
async fn policies(fleet: &Fleet) -> Result<()> {
    fleet.hub.apply_kustomize(&deploy("hub")).await?;
    let target = &fleet.target().plane;
    // Where an older version is installed, its policy on bindings refuses the last one for up to a second.
    if target.apply_kustomize(&deploy("target")).await.is_err() {
        tokio::time::sleep(Duration::from_secs(2)).await;
        target.apply_kustomize(&deploy("target")).await?;
    }
    fleet.hub.apply_kustomize(&deploy("demo")).await.map(drop)
}

/// What the broker reports of the hub's guardrails, once it is as wanted: the words, and whether it is verified.
async fn reported(fleet: &Fleet, wanted: impl Fn(&str) -> bool) -> Result<(String, Value)> {
    until("the broker's report on the hub", SOON, async || {
        let report = status(fleet).await.ok()?["hubGuardrails"].take();
        let words = report["detail"].as_str().filter(|words| wanted(words))?;
        Some((words.to_owned(), report["verified"].clone()))
    })
    .await
}

async fn status(fleet: &Fleet) -> Result<Value> {
    let said = fleet.hub.kubectl().ok(&["get", "accesscluster", fleet.target().spec.name, "-o=json"]).await?;
    Ok(serde_json::from_str::<Value>(&said)?["status"].take())
}

/// Makes a profile that wants the provider's word again and again; why it is refused.
async fn reaffirming(fleet: &Fleet) -> Result<String> {
    let profile = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": "vouched"},
        "spec": {"roles": ["sallyport:view"], "clusters": ["*"], "namespaces": ["payments"], "maxDuration": "1h",
            "approvals": 0, "reaffirm": {"every": "5m", "grace": "1m"}},
    });
    fleet.hub.make_profile(&profile).await?;
    until("the broker's word on it", SOON, async || refusal_of(fleet, "vouched").await.ok().flatten()).await
}

async fn refusal_of(fleet: &Fleet, profile: &str) -> Result<Option<String>> {
    let status = status(fleet).await?;
    let found = status["profiles"].as_array().into_iter().flatten().find(|one| one["name"] == profile);
    Ok(found.context("it is reported")?["refused"].as_str().map(str::to_owned))
}

/// What was open is, and a second one can be opened and left, proven.
async fn goes_on(
    desk: &mut Desk,
    open: &str,
    works: &Works,
    cluster: &str,
    when: &str,
    lines: &mut Lines,
) -> Result<()> {
    let seen = works.asked();
    until("some more calls", SOON, async || (works.asked() > seen + 2).then_some(())).await?;
    let still = desk.session(open).await?;
    lines.check(
        &format!("{when}: what was open stays open, and kubectl works in it"),
        still["state"] == "open" && works.failed() == 0,
        works.said(),
    );
    let second = opened(desk, cluster).await?;
    let closed = desk.leave(&second).await?;
    lines.check(
        &format!("{when}: the old desktop opens another and leaves it, proven"),
        proven(&closed),
        closed["proof"].to_string(),
    );
    Ok(())
}

async fn opened(desk: &mut Desk, cluster: &str) -> Result<String> {
    desk.open(cluster, "plain").await
}

/// A profile that asks for no MFA: desktops of the first release say nothing of how their people signed in.
async fn plain(fleet: &Fleet) -> Result<()> {
    let profile = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": "plain"},
        "spec": {"roles": ["sallyport:view"], "clusters": ["*"], "namespaces": ["payments"], "maxDuration": "1h",
            "approvals": 0},
    });
    fleet.hub.make_profile(&profile).await?;
    fleet.hub.allow("story:ask", "oidc:payments-dev", &["request"], &["plain"]).await
}

/// Whether every line of the proof is done.
fn proven(view: &Value) -> bool {
    let lines = view["proof"].as_array();
    lines.is_some_and(|lines| !lines.is_empty() && lines.iter().all(|line| line["state"] == "done"))
}

/// The private kubeconfig of the first session.
fn kubeconfig(home: &Path) -> Result<PathBuf> {
    let files = sallyport_fleet::headless::walk(&home.join("run"))?;
    let is_kubeconfig =
        |path: &&PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text.contains("client-key-data"));
    files.iter().find(is_kubeconfig).cloned().context("a private kubeconfig")
}

/// kubectl, again and again, in a session.
struct Works {
    counts: Arc<Counts>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    asked: AtomicUsize,
    failed: AtomicUsize,
    over: AtomicBool,
    said: std::sync::Mutex<String>,
}

impl Works {
    fn begin(fleet: &Fleet, kubeconfig: PathBuf) -> Self {
        let (counts, kubectl) =
            (Arc::new(Counts::default()), fleet.target().plane.assets().kubectl().to_owned());
        let of = counts.clone();
        let task = tokio::spawn(async move {
            while !of.over.load(Ordering::Relaxed) {
                let mut get = tokio::process::Command::new(&kubectl);
                get.args(["get", "pods", "-n", "payments", "--request-timeout=5s"])
                    .env("KUBECONFIG", &kubeconfig);
                let ok = match get.kill_on_drop(true).output().await {
                    Ok(output) if output.status.success() => true,
                    Ok(output) => of.fails(&String::from_utf8_lossy(&output.stderr)),
                    Err(error) => of.fails(&error.to_string()),
                };
                of.asked.fetch_add(1, Ordering::Relaxed);
                of.failed.fetch_add(usize::from(!ok), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(400)).await;
            }
        });
        Self { counts, task }
    }

    fn asked(&self) -> usize {
        self.counts.asked.load(Ordering::Relaxed)
    }

    fn failed(&self) -> usize {
        self.counts.failed.load(Ordering::Relaxed)
    }

    fn said(&self) -> String {
        format!("{} calls so far {}", self.asked(), self.counts.said.lock().expect("nobody panics here"))
    }

    /// Ends it; how often it asked, and how often in vain.
    async fn end(self) -> (usize, usize) {
        self.counts.over.store(true, Ordering::Relaxed);
        let _ = self.task.await;
        (self.counts.asked.load(Ordering::Relaxed), self.counts.failed.load(Ordering::Relaxed))
    }
}

impl Counts {
    fn fails(&self, why: &str) -> bool {
        why.clone_into(&mut self.said.lock().expect("nobody panics here"));
        false
    }
}
