//! `sallyport audit tail` as a process: what comes is shown when it is kept, and it ends in order.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

const SOON: Duration = Duration::from_secs(60);

struct Tail {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Tail {
    fn start(archive: &str, log: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
        command.args(["audit", "tail", "--archive", archive, "--cluster", "eu-1", log]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (out, err) = (child.stdout.take().context("piped")?, child.stderr.take().context("piped")?);
        Ok(Self { child, out: BufReader::new(out).lines(), err: BufReader::new(err).lines() })
    }

    async fn shown(&mut self) -> Result<String> {
        let line = tokio::time::timeout(SOON, self.out.next_line()).await.context("nothing is shown")??;
        line.context("it has ended")
    }

    async fn said(&mut self) -> Result<String> {
        let line = tokio::time::timeout(SOON, self.err.next_line()).await.context("nothing is said")??;
        line.context("it has ended")
    }

    async fn end(mut self, signal: &str) -> Result<Option<i32>> {
        let id = self.child.id().context("it runs")?.to_string();
        ensure!(Command::new("kill").args([signal, &id]).status().await?.success(), "kill {signal}");
        Ok(tokio::time::timeout(SOON, self.child.wait()).await.context("it goes on")??.code())
    }
}

fn line(n: u64, verb: &str, stage: &str) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{n:08x}-0000-4000-8000-000000000000","stage":"{stage}","requestURI":"/api/v1/namespaces/pay/pods/pod-{n}","verb":"{verb}","user":{{"username":"dana"}},"sourceIPs":["10.0.0.1"],"userAgent":"evil\u001b[2J","objectRef":{{"resource":"pods","namespace":"pay","name":"pod-{n}","apiVersion":"v1"}},"requestReceivedTimestamp":"2026-11-29T12:00:00.000000Z","stageTimestamp":"2026-11-29T12:00:00.001000Z"}}"#
    ) + "\n"
}

fn append(log: &Path, text: &str) -> Result<()> {
    Ok(OpenOptions::new().append(true).create(true).open(log)?.write_all(text.as_bytes())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_shown_once_it_is_kept_over_a_rotation_and_until_a_signal() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (archive, log) = (dir.path().join("archive").display().to_string(), dir.path().join("audit.log"));
    let text = log.to_str().context("a path that is no text")?;
    let over = "ResponseComplete";
    append(&log, &(line(1, "get", over) + &line(2, "delete", over)))?;
    let mut tail = Tail::start(&archive, text, &["--verb", "delete", "--verb", "watch"])?;
    ensure!(tail.said().await?.contains("is followed from its beginning"), "what it does");
    // What was there before is kept and not shown; that a call arrived is not shown, that a long one began is.
    append(&log, &(line(3, "get", over) + &line(4, "delete", "RequestReceived") + &line(5, "delete", over)))?;
    append(&log, &line(6, "watch", "ResponseStarted"))?;
    let shown = tail.shown().await?;
    ensure!(shown.contains("dana  delete pods pay/pod-5") && !shown.contains('\u{1b}'), "{shown:?}");
    ensure!(tail.shown().await?.contains("watch pods pay/pod-6  (began)"), "the watch");
    // It has the archive for itself, and says so to others.
    let other = audit(&["query", "--archive", &archive]).await?;
    ensure!(other.code == 2 && other.err.contains("process"), "{}", other.err);

    let cut = line(7, "delete", over);
    append(&log, &cut[..60])?;
    fs::rename(&log, dir.path().join("audit-1.log"))?;
    append(&log, &line(8, "delete", over))?;
    append(&dir.path().join("audit-1.log"), &cut[60..])?;
    ensure!(tail.shown().await?.contains("pay/pod-7"), "the line that was cut by its rotation");
    ensure!(tail.said().await?.contains("was rotated, and is kept to its end"), "the rotation");
    ensure!(tail.shown().await?.contains("pay/pod-8"), "the first of the next file");
    ensure!(tail.end("-TERM").await? == Some(0), "it ends in order");

    // As JSON; a file that is written anew is said, and makes it end with 1.
    let mut tail = Tail::start(&archive, text, &["-o", "json"])?;
    ensure!(tail.said().await?.contains("is followed from byte"), "from where it is kept");
    append(&log, &line(9, "get", over))?;
    let shown: Value = serde_json::from_str(&tail.shown().await?)?;
    ensure!(shown["name"] == "pod-9" && shown["verb"] == "get" && shown["cluster"] == "eu-1", "{shown}");
    fs::write(&log, line(10, "get", over))?;
    ensure!(tail.said().await?.contains("copytruncate"), "that it was written anew");
    let shown: Value = serde_json::from_str(&tail.shown().await?)?;
    ensure!(shown["name"] == "pod-10", "{shown}");
    ensure!(tail.end("-INT").await? == Some(1), "it says that something may be missing");

    let count = audit(&["query", "--archive", &archive, "--count", "--all-stages"]).await?;
    ensure!(count.code == 0 && count.out.trim() == "10", "{} {}", count.out, count.err);
    // Whoever reads it has enough.
    let mut tail = Tail::start(&archive, text, &[])?;
    tail.said().await?;
    drop(tail.out);
    append(&log, &line(11, "get", over))?;
    let code =
        tokio::time::timeout(SOON, tail.child.wait()).await.context("it goes on without a reader")??.code();
    ensure!(code == Some(0), "{code:?}");

    for wrong in [
        &["tail", "--archive", &archive, text][..],
        &["tail", "--archive", &archive, "--cluster", "a", "--cluster", "b", text],
        &["tail", "--archive", &archive, "--cluster", "Not A Name", text],
        &["tail", "--archive", &archive, "--cluster", "eu-1", dir.path().to_str().context("a path")?],
    ] {
        let ran = audit(wrong).await?;
        ensure!(
            ran.code == 2 && !ran.err.is_empty() && !ran.err.contains("panicked"),
            "{wrong:?}: {}",
            ran.err
        );
    }
    Ok(())
}
