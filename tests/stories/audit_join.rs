//! Every API-server event of a session's token is tied to its gateway's entry, its request and its approval; and a call
//! that was made around the gateway is found. A real plane with the audit policy that `sallyport audit policy` prints,
//! real kubectl, and the real command line on the history of a desktop that was used.

mod chain;
mod siem;

use crate::approvals::{ask, shown};
use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sallyport_fleet::headless::{Desktop, until};
use sallyport_fleet::{Fleet, FleetOptions, Target};
use sallyport_ipc::{Decide, SessionState};
use sallyport_testkit::Ran;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn play(_: &Fleet, lines: &mut Lines) -> Result<()> {
    let sallyport = sallyport_fleet::program::sallyport().await?;
    let policy = audit(&sallyport, &["policy"]).await?.out;
    let options = FleetOptions { audit_policy: Some(policy.clone()), ..FleetOptions::default() };
    let fleet = Fleet::start(options).await?;
    lines.seen("a target's API server runs what `sallyport audit policy` prints", "");
    let target = fleet.target();
    let (dana, lee) = (Desktop::signed_in(&fleet, "dana").await?, Desktop::signed_in(&fleet, "lee").await?);
    let desk = Desk::new(sallyport, &dana, &policy)?;

    let (session, request) = ask(&fleet, &dana).await?;
    let seen = shown(&lee, &request, |one| one.decide == Decide::Yes).await?;
    let offer = seen.offer.context("there is an offer")?;
    lee.app.request_approve(request.clone(), offer.digest.to_string(), None).await?;
    let open = dana.until(&session, |view| view.state != SessionState::Opening).await?;
    lines.check("dana's session is open, by lee's yes", open.state == SessionState::Open, "");
    let account = target.account_of(&open).await?;
    work(target, &dana.kubeconfig()?, lines).await?;
    dana.app.session_leave(session.clone()).await?;
    dana.until(&session, |view| view.state == SessionState::Closed).await?;
    every_event(&desk, target, &request, &account, lines).await?;
    chain::shown(&dana, target, &request, &account, lines).await?;
    siem::excluded(target, lines).await?;

    around(&desk, &fleet, &dana, lines).await?;
    lee.app.shut_down().await;
    Ok(())
}

/// The command line beside dana's desktop.
struct Desk {
    sallyport: PathBuf,
    data: String,
    dir: tempfile::TempDir,
}

impl Desk {
    fn new(sallyport: PathBuf, dana: &Desktop, policy: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("policy.yaml"), policy)?;
        Ok(Self { sallyport, data: dana.home.path().join("data").display().to_string(), dir })
    }

    /// Reads the target's log into the archive, and compares.
    async fn reconcile(&self, target: &Target, args: &[&str]) -> Result<Ran> {
        let archive = self.dir.path().join("archive").display().to_string();
        let policy = self.dir.path().join("policy.yaml").display().to_string();
        let log = target.plane.audit_log().context("the target keeps an audit log")?.display().to_string();
        let import = ["import", "--archive", &archive, "--cluster", target.spec.name, &log];
        let import = audit(&self.sallyport, &import).await?;
        ensure!(import.code == 0, "{} {}", import.out, import.err);
        let all = [
            "reconcile",
            "--archive",
            &archive,
            "--history",
            &self.data,
            "--policy",
            &policy,
            "--every-server",
        ];
        audit(&self.sallyport, &[&all[..], args].concat()).await
    }
}

async fn audit(sallyport: &Path, args: &[&str]) -> Result<Ran> {
    let mut command = Command::new(sallyport);
    command.arg("audit").args(args);
    Ran::of(command).await
}

/// Calls of an account, as the target's log has them: one event for each, the last.
fn logged(target: &Target, account: &str) -> Result<BTreeMap<String, Value>> {
    let user = format!("system:serviceaccount:sallyport-sessions:{account}");
    let mut all = BTreeMap::new();
    for line in target.plane.audit_text()?.lines() {
        let event: Value = serde_json::from_str(line)?;
        if event["user"]["username"] == user.as_str() {
            all.insert(event["auditID"].as_str().context("an id")?.to_owned(), event);
        }
    }
    Ok(all)
}

/// Whether Sallyport itself made a call: it sees that its token's rights are there and gone, and removes its own grant.
fn is_own(event: &Value) -> bool {
    let (resource, name) = (&event["objectRef"]["resource"], &event["objectRef"]["name"]);
    name == "sallyport-proof"
        || resource == "selfsubjectaccessreviews"
        || resource == "accessgrants" && event["verb"] == "delete"
}

async fn every_event(
    desk: &Desk,
    target: &Target,
    request: &str,
    account: &str,
    lines: &mut Lines,
) -> Result<()> {
    // The app runs all the while, and goes on writing.
    let ran = desk.reconcile(target, &["--calls", "-o", "json"]).await?;
    lines.check(
        "`sallyport audit reconcile` ends with 0 beside the app that runs",
        ran.code == 0,
        format!("{} {}", ran.code, ran.err),
    );
    let view = ran.json()?;
    ensure!(ran.code == 0, "{}", ran.out);
    let sessions = view["clusters"][0]["sessions"].as_array().context("sessions")?;
    let mine = sessions.iter().find(|one| one["request"] == request).context("the session is not in it")?;
    let mut tied = BTreeMap::new();
    let mut names = BTreeSet::new();
    for command in mine["commands"].as_array().context("--calls lists them")? {
        let name = command["command"].as_str().unwrap_or("no command");
        names.insert(name.to_owned());
        for call in command["calls"].as_array().context("calls")? {
            tied.insert(call["auditId"].as_str().context("an id")?.to_owned(), (name, call));
        }
    }
    let (mut own, mut linked) = (0, 0);
    let all = logged(target, account)?;
    for (id, event) in &all {
        let about = format!(
            "{} {}",
            event["verb"].as_str().unwrap_or("?"),
            event["requestURI"].as_str().unwrap_or("?")
        );
        if is_own(event) && !tied.contains_key(id) {
            own += 1;
            continue;
        }
        let Some((name, call)) = tied.get(id) else {
            lines.failed("an event of the token is tied to nothing", about);
            continue;
        };
        let is_whole = call["key"] == "auditId"
            && call["sequence"].as_u64().is_some_and(|sequence| sequence > 0)
            && mine["approvedBy"].as_str().is_some_and(|by| by.contains("lee"));
        linked += usize::from(is_whole);
        lines.check(
            &format!("{about} → entry {}, {name}", call["sequence"]),
            is_whole,
            format!("by {}, request {request}, approved {}", call["key"], mine["approvedBy"]),
        );
    }
    lines.check(
        "every API-server event of the token is tied to its gateway's entry, request and approval (P17)",
        linked > 10 && linked + own == all.len() && own as u64 == mine["own"].as_u64().unwrap_or_default(),
        format!("{linked} of {}, and {own} of Sallyport's own", all.len() - own),
    );
    let wanted = ["kubectl get", "kubectl exec", "kubectl apply"];
    lines.check(
        "calls of one command of kubectl stand together, by what the gateway recorded",
        wanted.iter().all(|name| names.contains(*name)),
        names.into_iter().collect::<Vec<_>>().join(", "),
    );
    Ok(())
}

/// One call with the session's own token that no gateway sent, and one of somebody else with an id that it minted.
async fn around(desk: &Desk, fleet: &Fleet, dana: &Desktop, lines: &mut Lines) -> Result<()> {
    let target = fleet.target();
    let session = dana.open(target.spec.name, "debug-prod").await?;
    let account = target.account_of(&session).await?;
    let kubectl = target.plane.kubectl_with(&dana.kubeconfig()?);
    kubectl.ok(&["get", "pods", "-n", "payments"]).await?;
    // Of what was freed a part may be written over already: such a copy is a 401, and nobody's call. Where another moves while
    // it is looked at, it is there at the next look.
    let looks = until("a copy of the token that is one", SOON, async || {
        for token in own_tokens(&account).ok()? {
            let around =
                http::Request::get("/api/v1/namespaces/payments/configmaps").body(Vec::new()).ok()?;
            if target.plane.client_with_token(&token).ok()?.request_text(around).await.is_ok() {
                return Some(());
            }
        }
        None
    });
    looks.await?;
    lines.seen(
        "the token is taken out of the app's memory, as whoever may debug the process can",
        "the gateway gives it to nobody",
    );
    let minted = logged(target, &account)?.into_iter().find(|(_, event)| {
        let uri = event["requestURI"].as_str().unwrap_or_default();
        uri.starts_with("/api/v1/namespaces/payments/pods")
    });
    let (minted, _) = minted.context("a call of the gateway is in the log")?;
    let borrowed = http::Request::get("/api/v1/namespaces/payments/secrets").header("Audit-ID", &minted);
    target.plane.admin()?.request_text(borrowed.body(Vec::new())?).await?;

    dana.app.session_leave(session.id.clone()).await?;
    dana.until(&session.id, |view| view.state == SessionState::Closed).await?;
    dana.app.shut_down().await;
    let ran = desk.reconcile(target, &[]).await?;
    lines.check("a call around the gateway makes it end with 1", ran.code == 1, ran.code);
    for said in [": this one came from elsewhere.", "the gateway minted no such Audit-ID", "BYPASS"] {
        let line = ran.out.lines().find(|line| line.contains(said));
        lines.check(&format!("it says `{said}`"), line.is_some(), line.map_or(&*ran.out, str::trim));
    }
    let view = desk.reconcile(target, &["-o", "json"]).await?.json()?;
    let cluster = &view["clusters"][0];
    let bypasses = cluster["sessions"].as_array().context("sessions")?.iter();
    let bypasses: Vec<&Value> =
        bypasses.flat_map(|one| one["bypass"].as_array().into_iter().flatten()).collect();
    lines.check(
        "it is that call, that one alone, and its token",
        bypasses.len() == 1
            && bypasses[0]["verb"] == "list"
            && bypasses[0]["what"] == "configmaps"
            && bypasses[0]["person"] == account.as_str()
            && bypasses[0]["credential"].as_str().is_some_and(|id| id.starts_with("JTI=")),
        bypasses.iter().map(ToString::to_string).collect::<String>(),
    );
    lines.check(
        "an admin who sends the gateway's Audit-ID along is tied to nothing, and said",
        cluster["borrowed"][0]["what"] == "secrets"
            && cluster["borrowed"][0]["auditId"] == minted.as_str()
            && cluster["borrowed"][1].is_null(),
        &cluster["borrowed"],
    );
    Ok(())
}

/// What dana does, as kubectl does it.
async fn work(target: &Target, kubeconfig: &Path, lines: &mut Lines) -> Result<()> {
    let kubectl = target.plane.kubectl_with(kubeconfig);
    let pods = kubectl.ok(&["get", "pods", "-n", "payments", "-o", "name"]).await?;
    let pod = pods.lines().find(|pod| pod.contains("api-")).context("no api pod")?;
    let pod = pod.trim_start_matches("pod/").to_owned();
    let ran = kubectl.run(&["exec", "-n", "payments", &pod, "--", "sh", "-c", "echo inside"]).await?;
    ensure!(ran.code == Some(0) && ran.text().contains("inside"), "exec: {}", ran.stderr);
    let map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: joined, namespace: payments}\ndata: {a: b}\n";
    kubectl.apply(map).await?;
    let refused = kubectl.run(&["get", "secrets", "-n", "payments"]).await?;
    ensure!(refused.code != Some(0) && refused.stderr.contains("forbidden"), "{}", refused.stderr);
    let mut watch = kubectl.command(["get", "pods", "-n", "payments", "--watch", "--request-timeout=2s"]);
    let watched = watch.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
    tokio::time::timeout(SOON, watched).await.context("the watch ends")??;
    lines.seen("kubectl get, exec, apply, a Secret that is refused, and a watch", "through the gateway");
    Ok(())
}

/// What looks like a token of this account in the memory of this process, in which the desktop runs.
fn own_tokens(account: &str) -> Result<Vec<String>> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let memory = std::fs::File::open("/proc/self/mem")?;
    let of = format!("system:serviceaccount:sallyport-sessions:{account}");
    let mut found = Vec::new();
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap_or_default();
        let Some((from, to)) = range.split_once('-') else { continue };
        let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16)) else {
            continue;
        };
        if !rest.starts_with("rw") || to - from > 1 << 30 {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(to - from)?];
        // Some mappings are no memory that can be read.
        if memory.read_exact_at(&mut bytes, from).is_err() {
            continue;
        }
        let mut at = 0;
        while let Some(further) = bytes[at..].windows(5).position(|part| part == b"eyJhb") {
            at += further;
            let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            let token: Vec<u8> = bytes[at..].iter().take_while(is_token).take(8192).copied().collect();
            at += 5;
            let token = String::from_utf8(token)?;
            let parts: Vec<&str> = token.split('.').collect();
            let Some(claims) = parts.get(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok()) else {
                continue;
            };
            let Ok(claims) = serde_json::from_slice::<Value>(&claims) else { continue };
            if claims["sub"] == of.as_str()
                && parts.len() == 3
                && parts[2].len() > 40
                && !found.contains(&token)
            {
                found.push(token);
            }
        }
    }
    Ok(found)
}
