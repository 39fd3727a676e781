//! How long an archive keeps what it has: nothing is removed unsaid, and what was is counted for good.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::path::Path;

/// Lines of a log, an hour apart, the last of them so many days ago.
fn log(at: &Path, many: u32, days: i64) -> Result<()> {
    let end = Timestamp::now() - SignedDuration::from_hours(24 * days);
    let lines = (0..many).map(|n| {
        let at = end - SignedDuration::from_hours(i64::from(many - n));
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{days:08x}-0000-4000-8000-{n:012x}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/pay/pods/pod-{n}","verb":"get","user":{{"username":"dana"}},"objectRef":{{"resource":"pods","namespace":"pay","name":"pod-{n}","apiVersion":"v1"}},"requestReceivedTimestamp":"{at:.6}","stageTimestamp":"{at:.6}"}}"#
        ) + "\n"
    });
    Ok(fs::write(at, lines.collect::<String>())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_goes_is_said_and_stays_counted_and_nothing_goes_unasked() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let text =
        |name: &str| dir.path().join(name).to_str().map(str::to_owned).context("a path that is no text");
    let (archive, old, new) = (text("archive")?, text("old.log")?, text("new.log")?);
    log(Path::new(&old), 20, 200)?;
    log(Path::new(&new), 10, 1)?;
    let import = ["import", "--archive", &archive, "--cluster", "eu-1"];
    for (flag, wrong) in
        [("--keep-days", "0"), ("--keep-days", "-1"), ("--keep-mib", "1"), ("--keep-mib", "x")]
    {
        let refused = audit(&[&import[..], &[flag, wrong, &old]].concat()).await?;
        ensure!(refused.code == 2, "{flag} {wrong}: {} {}", refused.code, refused.out);
    }
    ensure!(!Path::new(&archive).exists(), "wrong words begin no archive");

    let all = audit(&[&import[..], &["-o", "json", &old]].concat()).await?.json()?;
    ensure!(all["events"] == 20 && all["removed"].is_null(), "nobody said that anything goes: {all}");
    let still =
        audit(&[&import[..], &["-o", "json", "--keep-days", "400", "--keep-mib", "64", &old]].concat())
            .await?;
    let still = still.json()?;
    ensure!(still["events"] == 0 && still["removed"]["events"] == 0, "{still}");

    let less = audit(&[&import[..], &["--keep-days", "100", &old]].concat()).await?;
    ensure!(
        less.code == 0 && less.out.contains("20 events removed, the oldest, in 1 file of"),
        "{}",
        less.out
    );
    let status = audit(&["status", "--archive", &archive]).await?;
    ensure!(
        status.out.contains("0 events in") && status.out.contains("20 older events were removed"),
        "{}",
        status.out
    );
    // What is young stays.
    let again = audit(&[&import[..], &["-o", "json", "--keep-days", "100", &new]].concat()).await?.json()?;
    ensure!(again["events"] == 10 && again["removed"]["events"] == 0, "{again}");
    let status = audit(&["status", "--archive", &archive, "-o", "json"]).await?.json()?;
    ensure!(status["events"] == 10 && status["removed"] == 20, "{status}");
    ensure!(status["sources"]["eu-1"]["events"] == 30, "what was counted stays counted: {status}");
    Ok(())
}
