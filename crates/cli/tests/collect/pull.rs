//! `sallyport audit pull` is killed again and again.

use super::{CLUSTER, audit};
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::VictoriaLogs;
use sallyport_testkit::process::{Launch, Scratch};
use std::time::Duration;

const EVENTS: usize = 20_000;

fn line(number: usize) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-{number}","stage":"ResponseComplete","verb":"get","user":{{"username":"dana"}},"requestReceivedTimestamp":"2026-11-30T02:{:02}:00.{:06}Z","stageTimestamp":"2026-11-30T02:{:02}:00.{:06}Z"}}"#,
        number % 60,
        number / 180,
        number % 60,
        number / 180
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_killed_goes_on_and_keeps_each_event_once() -> Result<()> {
    let logs = VictoriaLogs::start().await?;
    let scratch = Scratch::new("pull")?;
    let file = |name: &str| scratch.path().join(name).display().to_string();
    scratch.write("audit.log", (0..EVENTS).map(line).collect::<Vec<_>>().join("\n") + "\n")?;
    let (first, second) = (file("first"), file("second"));
    ensure!(
        audit(&["import", "--archive", &first, "--cluster", CLUSTER, &file("audit.log")]).await?.code == 0
    );
    let (ca, credential) =
        (logs.ca_file().display().to_string(), logs.credential_file().display().to_string());
    let store = ["--ca", &ca, "--credential-file", &credential];
    let target = format!("victorialogs:{}", logs.url());
    let sent = audit(&[&["forward", "--archive", &first, "--to", &target][..], &store].concat()).await?;
    ensure!(sent.code == 0, "{} {}", sent.out, sent.err);
    logs.ask("* | count()").await?;

    let pull = ["pull", "--archive", &second, "--cluster", CLUSTER, "--from", &target, "-o", "json"];
    let pull =
        [&pull[..], &["--since", "2026-11-30T02:00:00Z", "--until", "2026-11-30T03:00:00Z"], &store].concat();
    let (mut kills, mut after) = (0, 20);
    loop {
        let process = Launch::new("pull", env!("CARGO_BIN_EXE_sallyport"), scratch.path()).arg("audit");
        let process = process.args(&pull).start()?;
        tokio::time::sleep(Duration::from_millis(after)).await;
        if let Some(status) = process.exited() {
            ensure!(status.success(), "{status}: {}", process.log_tail(20));
            break;
        }
        process.kill();
        kills += 1;
        after += after / 2;
    }
    let count = audit(&["query", "--archive", &second, "--count"]).await?;
    ensure!(count.out.trim() == EVENTS.to_string(), "{} after {kills} kills: {}", count.out, count.err);
    let ids = audit(&["query", "--archive", &second, "--limit", "100000", "--raw"]).await?;
    let mut ids: Vec<&str> = ids.out.lines().collect();
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == EVENTS, "{} are different after {kills} kills", ids.len());
    let again = audit(&[&pull[..], &["--overlap", "24h"]].concat()).await?.json()?;
    ensure!(again["events"] == 0 && again["again"] == EVENTS, "{again}");
    ensure!(kills > 2, "it was killed {kills} times");
    println!("killed {kills} times");
    again["identity"].as_str().context("what the question is called").map(drop)
}
