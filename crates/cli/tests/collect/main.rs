//! `sallyport audit collect` as a process, between a real API server and a real VictoriaLogs.

mod anchors;
mod bodies;
mod forward;
mod held_up;
mod pull;
mod query;

use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::pki::Authority;
use sallyport_testkit::ports::Port;
use sallyport_testkit::process::{Launch, Process, Scratch, wait_until};
use sallyport_testkit::{Plane, PlaneOptions, Ran, VictoriaLogs};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use tokio::process::Command;

const CLUSTER: &str = "payments-eu-1";

async fn audit(args: &[&str]) -> Result<Ran> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
    command.arg("audit").args(args);
    Ran::of(command).await
}

/// Reads a log of these lines into an archive, in a file of its own.
async fn import(
    scratch: &Scratch,
    archive: &str,
    lines: Range<usize>,
    line: fn(usize) -> String,
) -> Result<()> {
    let name = format!("{}.log", lines.start);
    scratch.write(&name, lines.map(line).collect::<Vec<_>>().join("\n") + "\n")?;
    let file = scratch.path().join(&name).display().to_string();
    let ran = audit(&["import", "--archive", archive, "--cluster", CLUSTER, &file]).await?;
    ensure!(ran.code == 0, "{} {}", ran.out, ran.err);
    Ok(())
}

/// The receiver's files, and how to start it.
struct Receiver {
    scratch: Scratch,
    authority: Authority,
    port: Port,
}

impl Receiver {
    fn new() -> Result<Self> {
        let (scratch, authority) = (Scratch::new("collect")?, Authority::new("collect of a test")?);
        let server = authority.server(&["127.0.0.1"])?;
        scratch.write("cert.pem", server.cert_pem)?;
        scratch.write("key.pem", server.key_pem)?;
        scratch.write("ca.pem", authority.cert_pem())?;
        Ok(Self { scratch, authority, port: Port::claim()? })
    }

    fn file(&self, name: &str) -> String {
        self.scratch.path().join(name).display().to_string()
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.port.number())
    }

    async fn start(&self, more: &[String]) -> Result<Process> {
        let process = Launch::new("collect", env!("CARGO_BIN_EXE_sallyport"), self.scratch.path())
            .args(["audit", "collect", "--cluster", CLUSTER])
            .arg(format!("--listen=127.0.0.1:{}", self.port.number()))
            .args(["--cert", &self.file("cert.pem"), "--key", &self.file("key.pem")])
            .args(["--client-ca", &self.file("ca.pem"), "--out", &self.file("waiting")])
            .args(more)
            .start()?;
        wait_until("the receiver", Duration::from_secs(60), &[&process], async || {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port.number())).await.is_ok()
        })
        .await?;
        Ok(process)
    }
}

/// How often each event (call and stage) stands in some lines.
fn events<'a>(lines: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, usize>> {
    let mut events = BTreeMap::new();
    for line in lines {
        let event: Value = serde_json::from_str(line).context("an event")?;
        let key = format!("{} {} {}", event["auditID"], event["stage"], event["stageTimestamp"]);
        *events.entry(key).or_default() += 1;
    }
    Ok(events)
}

async fn calls(plane: &Plane, from: usize, to: usize) -> Result<()> {
    for number in from..to {
        plane.kubectl().ok(&["create", "configmap", &format!("call-{number}"), "--from-literal=a=b"]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_api_server_wrote_is_with_the_store_though_receiver_and_store_die_in_between() -> Result<()> {
    let mut logs = VictoriaLogs::start().await?;
    let receiver = Receiver::new()?;
    let to = [
        format!("--to=victorialogs:{}", logs.url()),
        format!("--ca={}", logs.ca_file().display()),
        format!("--credential-file={}", logs.credential_file().display()),
    ];
    let collect = receiver.start(&to).await?;
    let client = receiver.authority.client("kube-apiserver", &[])?;
    let options = PlaneOptions::new("collected").without_controllers().audit_webhook(
        &receiver.url(),
        &receiver.authority.cert_pem(),
        &client,
    );
    let plane = Plane::start(options).await?;
    calls(&plane, 0, 10).await?;
    // SIGKILL, in the middle of whatever it does. What it has not acknowledged, the API server sends again.
    collect.kill();
    calls(&plane, 10, 20).await?;
    let collect = receiver.start(&to).await?;
    calls(&plane, 20, 30).await?;
    // The store dies with what it has in memory, and comes back.
    logs.kill();
    calls(&plane, 30, 40).await?;
    logs.go_on().await?;
    calls(&plane, 40, 50).await?;

    let written = events(plane.audit_text()?.lines())?;
    ensure!(written.len() > 50, "{} events", written.len());
    let mut there = BTreeMap::new();
    let running = [&collect];
    let is_all = wait_until("all events in the store", Duration::from_secs(90), &running, async || {
        let found = logs.ask("source:=sallyport | fields _msg").await.unwrap_or_default();
        there = events(found.iter().filter_map(|record| record["_msg"].as_str())).unwrap_or_default();
        written.keys().all(|event| there.contains_key(event))
    });
    is_all.await.with_context(|| {
        let lacks: Vec<_> = written.keys().filter(|event| !there.contains_key(*event)).collect();
        format!("{} of {} are missing: {lacks:?}\n{}", lacks.len(), written.len(), collect.log_tail(9))
    })?;
    let all = events(plane.audit_text()?.lines())?;
    let invented: Vec<_> = there.keys().filter(|event| !all.contains_key(*event)).collect();
    ensure!(invented.is_empty(), "{invented:?}");

    // The archive has each once, whatever was delivered twice.
    let archive = receiver.file("archive");
    let pull = [
        &["pull", "--archive", &archive, "--cluster", CLUSTER, "-o", "json", "--from"][..],
        &[to[0].strip_prefix("--to=").context("the store")?, &to[1], &to[2]],
    ]
    .concat();
    let pulled = audit(&pull).await?;
    ensure!(pulled.code == 0, "{} {} {}", pulled.code, pulled.out, pulled.err);
    let pulled = pulled.json()?;
    let kept = pulled["events"].as_u64().context("events")?;
    ensure!(kept >= written.len() as u64 && pulled["bad"].as_object().is_some_and(serde_json::Map::is_empty));
    let found =
        audit(&["query", "--archive", &archive, "--all-stages", "--raw", "--limit", "100000"]).await?;
    let found = events(found.out.lines())?;
    ensure!(found.values().all(|times| *times == 1), "{found:?}");
    ensure!(written.keys().all(|event| found.contains_key(event)));

    // Ended as an operator ends it: it says what it did, and what the store has taken is gone.
    tokio::time::sleep(Duration::from_secs(11)).await;
    collect.end(Duration::from_secs(60)).await?;
    let said = collect.log_tail(20);
    ensure!(said.contains("\"handedOn\"") && said.contains("\"bad\": 0"), "{said}");
    println!("{} events, {kept} pulled: {pulled}", written.len());
    Ok(())
}
