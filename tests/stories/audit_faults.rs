//! Reading logs on bad days: the command line is killed at any moment, and its disk is full. What it said is kept is
//! there, once; and a later run has it all.

use crate::dice::Dice;
use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use sallyport_testkit::Ran;
use sallyport_testkit::disk::SmallDisk;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;

/// How often it is killed.
const ROUNDS: u64 = 24;
/// Calls that are written in a round.
const CALLS: u64 = 1500;

pub(crate) async fn play(lines: &mut Lines) -> Result<()> {
    let sallyport = sallyport_fleet::program::sallyport().await?;
    let (mut dice, seed) = Dice::from_environment();
    lines.seen("dice", format!("SALLYPORT_SEED={seed}"));
    killed(&sallyport, &mut dice, lines).await?;
    full(&sallyport, lines).await
}

/// One archive, and the log that is read into it.
struct Desk<'a> {
    sallyport: &'a Path,
    archive: PathBuf,
    log: PathBuf,
    /// Lines of the log.
    written: u64,
}

impl Desk<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.sallyport);
        command.args(["audit", args[0], "--archive"]).arg(&self.archive).args(&args[1..]).kill_on_drop(true);
        command
    }

    fn import(&self) -> Command {
        let mut command = self.command(&["import", "--cluster", "eu-1", "-o", "json"]);
        command.arg(&self.log);
        command
    }

    /// Writes some more calls, as an API server does.
    fn write(&mut self, calls: u64) -> Result<()> {
        let mut file = std::fs::File::options().append(true).create(true).open(&self.log)?;
        let text: String = (self.written..self.written + calls).map(line).collect();
        file.write_all(text.as_bytes())?;
        self.written += calls;
        Ok(())
    }

    /// Events that are kept, after everything was read and compared with its checksums.
    async fn kept(&self) -> Result<u64> {
        let ran = Ran::of(self.command(&["status", "--verify", "-o", "json"])).await?;
        let status = ran.json()?;
        ensure!(
            ran.code == 0 && status["verified"] == status["events"],
            "the archive is not whole: {status}"
        );
        status["events"].as_u64().context("events")
    }

    /// The ids of all calls that are kept.
    async fn ids(&self) -> Result<Vec<String>> {
        let raw = self.command(&["query", "--raw", "--all-stages", "--limit", "1000000", "--within", "120"]);
        let ran = Ran::of(raw).await?;
        ensure!(ran.code == 0, "{}", ran.err);
        let id = |line: &str| {
            let event: Value = serde_json::from_str(line)?;
            Ok(event["auditID"].as_str().context("an id")?.to_owned())
        };
        ran.out.lines().map(id).collect()
    }
}

fn id(n: u64) -> String {
    format!("{n:08x}-0000-4000-8000-000000000000")
}

fn line(n: u64) -> String {
    let at = jiff::Timestamp::from_second(1_796_000_000 + n as i64).expect("a time of this century");
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/payments/pods/pod-{n}?timeout=32s","verb":"get","user":{{"username":"oidc:person-{}","groups":["oidc:payments-dev","system:authenticated"]}},"sourceIPs":["10.0.0.{}"],"userAgent":"kubectl/v1.37.2 (linux/amd64) kubernetes/abcdef0","objectRef":{{"resource":"pods","namespace":"payments","name":"pod-{n}","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#,
        id(n),
        n % 17,
        n % 200,
    ) + "\n"
}

async fn killed(sallyport: &Path, dice: &mut Dice, lines: &mut Lines) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (archive, log) = (dir.path().join("archive"), dir.path().join("audit.log"));
    let mut desk = Desk { sallyport, archive, log, written: 0 };
    desk.write(CALLS)?;
    let began = Instant::now();
    let first = Ran::of(desk.import()).await?;
    let usual = began.elapsed().as_millis() as u64;
    ensure!(first.code == 0 && first.json()?["events"] == CALLS, "{} {}", first.out, first.err);
    let (mut cut_short, mut shown) = (0, 0);
    for round in 0..ROUNDS {
        let acknowledged = desk.written;
        let told = if round % 3 == 2 {
            tailed(&mut desk, dice).await?
        } else {
            imported(&mut desk, dice, usual).await?
        };
        let kept = desk.kept().await?;
        ensure!(
            kept >= acknowledged + told && kept <= desk.written,
            "round {round}: {acknowledged} and {told} were acknowledged, {kept} are kept of {}",
            desk.written
        );
        cut_short += u64::from(kept < desk.written);
        shown += told;
        // A later run goes on from there, and has it all.
        let again = Ran::of(desk.import()).await?;
        ensure!(again.code == 0, "round {round}: {} {}", again.out, again.err);
        ensure!(again.json()?["events"] == desk.written - kept, "round {round}: {}", again.out);
        ensure!(desk.kept().await? == desk.written, "round {round}");
    }
    lines.check(
        "killed at random moments, it lost nothing that it had said was kept, and kept nothing twice",
        cut_short > 0 && shown > 0,
        format!(
            "{ROUNDS} kills, {cut_short} of them in the middle, {shown} calls shown before, {} kept",
            desk.written
        ),
    );
    let ids = desk.ids().await?;
    let all: BTreeSet<&String> = ids.iter().collect();
    lines.check(
        "after all of it every call is there once",
        ids.len() as u64 == desk.written && (0..desk.written).all(|n| all.contains(&id(n))),
        format!("{} of {}", all.len(), desk.written),
    );
    Ok(())
}

/// An import that is killed; it acknowledges with its answer, at its end, if it came so far.
async fn imported(desk: &mut Desk<'_>, dice: &mut Dice, usual: u64) -> Result<u64> {
    desk.write(CALLS)?;
    let mut import = desk.import().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    tokio::time::sleep(Duration::from_millis(dice.below(usual + 20))).await;
    // SIGKILL; one that had ended before has said that all is kept.
    let had_ended = import.try_wait()?.is_some_and(|status| status.success());
    import.kill().await?;
    Ok(if had_ended { CALLS } else { 0 })
}

/// A tail that is killed: it shows what is on the disk, call by call.
async fn tailed(desk: &mut Desk<'_>, dice: &mut Dice) -> Result<u64> {
    let log = desk.log.display().to_string();
    let mut tail = desk.command(&["tail", "--cluster", "eu-1", &log]);
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (out, err) = (tail.stdout.take().context("piped")?, tail.stderr.take().context("piped")?);
    let mut said = BufReader::new(err).lines();
    let began = tokio::time::timeout(Duration::from_secs(60), said.next_line()).await??;
    ensure!(began.as_deref().is_some_and(|said| said.contains("is followed")), "{began:?}");
    let mut shown = BufReader::new(out).lines();
    let mut count = 0;
    for _ in 0..5 {
        desk.write(CALLS / 5)?;
        let until = Instant::now() + Duration::from_millis(dice.below(400));
        while let Ok(Ok(Some(line))) =
            tokio::time::timeout(until.saturating_duration_since(Instant::now()), shown.next_line()).await
        {
            ensure!(line.contains("get pods payments/pod-"), "{line}");
            count += 1;
        }
    }
    tail.kill().await?;
    // What it had shown before counts as well; a line that breaks off was not.
    let mut rest = String::new();
    shown.into_inner().read_to_string(&mut rest).await?;
    Ok(count + rest.matches('\n').count() as u64)
}

async fn full(sallyport: &Path, lines: &mut Lines) -> Result<()> {
    let Some(disk) = SmallDisk::mount("6m")? else {
        lines.seen(
            "NOT TRIED: a full disk, since nothing can be mounted here",
            sallyport_testkit::disk::UNTRIED,
        );
        return Ok(());
    };
    let logs = tempfile::tempdir()?;
    let (archive, log) = (disk.path().join("archive"), logs.path().join("audit.log"));
    let mut desk = Desk { sallyport, archive, log, written: 0 };
    desk.write(CALLS)?;
    let first = Ran::of(desk.import()).await?;
    ensure!(first.code == 0, "{} {}", first.out, first.err);
    let acknowledged = desk.kept().await?;
    disk.fill()?;
    desk.write(12 * CALLS)?;
    let refused = Ran::of(desk.import()).await?;
    lines.check(
        "on a full disk an import ends with 2 and says why",
        refused.code == 2 && (refused.out.contains("full") || refused.out.contains("space")),
        refused.json()?["files"][0]["error"].as_str().unwrap_or(&refused.err).to_owned(),
    );
    let kept = Ran::of(desk.command(&["query", "--count"])).await?;
    let kept: u64 = kept.out.trim().parse().context("a count on a full disk")?;
    lines.check(
        "what was acknowledged before is there",
        kept >= acknowledged && acknowledged == CALLS,
        format!("{acknowledged} acknowledged, {kept} kept"),
    );
    disk.free()?;
    let again = Ran::of(desk.import()).await?;
    let kept = desk.kept().await?;
    lines.check(
        "with room again a later import goes on, and says what it kept",
        again.code == 0 && kept == desk.written,
        format!("{kept} of {}, ended with {}", desk.written, again.code),
    );
    let ids = desk.ids().await?;
    let all: BTreeSet<&String> = ids.iter().collect();
    lines.check(
        "each once, from the first on",
        all.len() == ids.len() && ids.len() as u64 == kept,
        ids.len(),
    );
    Ok(())
}
