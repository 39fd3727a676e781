//! Looking on live, in the window: a cluster's audit log grows by so many calls a second, and Audit follows it.

use anyhow::{Context, Result, ensure};
use sallyport_fleet::window::{LATER, SOON, Seat, Window, key};
use serde_json::json;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Calls a second.
pub(crate) const RATE: u64 = 1000;
/// Calls that are in the log at first.
const FIRST_CALLS: u64 = 500;
/// How long it is measured, after as long as it takes to become usual.
const LONG: Duration = Duration::from_secs(20);
const FIRST: Duration = Duration::from_secs(4);
/// Between two writes to the log.
const STEP: Duration = Duration::from_millis(50);
/// A frame of a display of 60 Hz, in milliseconds.
const FRAME: f64 = 1000.0 / 60.0;

/// What was seen.
pub(crate) struct Tail {
    /// How far apart the frames were, in milliseconds.
    pub(crate) frames: Vec<f64>,
    /// What each program took of a core, by its name.
    pub(crate) cores: BTreeMap<String, f64>,
    /// The foot of the list at the end.
    pub(crate) foot: String,
}

impl Tail {
    /// Frames that did not come in time: where two are further apart than one and a half, those that should lie between.
    pub(crate) fn dropped(&self) -> f64 {
        self.frames.iter().filter(|ms| **ms > FRAME * 1.5).map(|ms| (ms / FRAME).round() - 1.0).sum()
    }

    /// What all of it took of a core.
    pub(crate) fn core(&self) -> f64 {
        self.cores.values().sum()
    }
}

/// Looks on while the log grows. The seat is one that is signed in and looks at anything.
pub(crate) async fn tail(seat: &Seat) -> Result<Tail> {
    let window = &seat.window;
    let log = seat.desk.path().join("busy.log");
    let mut file = File::create(&log)?;
    write(&mut file, 0, FIRST_CALLS)?;
    follow(window, &log).await?;
    let measuring = async {
        tokio::time::sleep(FIRST).await;
        let (before, since) = (window.processor()?, Instant::now());
        window.run(COUNT, json!([])).await?;
        tokio::time::sleep(LONG).await;
        let frames = window.run("window.tailStops = true; return window.tailFrames", json!([])).await?;
        let (after, seconds) = (window.processor()?, since.elapsed().as_secs_f64());
        let frames: Vec<f64> =
            frames.as_array().context("frames")?.iter().filter_map(serde_json::Value::as_f64).collect();
        ensure!(frames.len() > 10, "{} frames in {seconds} s", frames.len());
        let cores = differences(&before, &after, seconds);
        anyhow::Ok(Tail { frames, cores, foot: window.text("section[aria-label=Audit] .foot").await? })
    };
    // The writer has no end of its own.
    tokio::select! {
        ended = grow(file) => match ended? {},
        seen = measuring => seen,
    }
}

/// Writes to the log at its rate.
async fn grow(mut file: File) -> Result<Infallible> {
    let (began, mut written) = (Instant::now(), FIRST_CALLS);
    loop {
        tokio::time::sleep(STEP).await;
        let due = FIRST_CALLS + u64::try_from(began.elapsed().as_millis())? * RATE / 1000;
        write(&mut file, written, due)?;
        written = due;
    }
}

/// Names the log in Audit, has it read and looks on live.
async fn follow(window: &Window, log: &Path) -> Result<()> {
    window.click("nav button", "Audit").await?;
    window.sees("#entries [role=row]", "", SOON).await?;
    window.press(&['s']).await?;
    window.sees("dialog", "Clusters' audit logs", SOON).await?;
    window.type_into("#source-cluster", "busy-1").await?;
    window.type_into("#source-path", &log.display().to_string()).await?;
    window.press(&[key::ENTER]).await?;
    window.sees("dialog .source", "new event", LATER).await?;
    window.press(&[key::ESCAPE]).await?;
    window.until("the dialog gone", "return document.querySelector('dialog') === null", SOON).await?;
    window.press(&['l']).await?;
    window.sees(".foot", "live", SOON).await
}

/// Lines as an API server writes them, at the level Metadata, with the time it is.
fn write(file: &mut File, from: u64, to: u64) -> Result<()> {
    let mut lines = Vec::new();
    let now = jiff::Timestamp::now();
    for n in from..to {
        let (verb, code) =
            [("get", 200), ("list", 200), ("update", 200), ("watch", 200), ("patch", 200), ("get", 403)]
                [usize::try_from(n % 6)?];
        let name = if verb == "list" || verb == "watch" {
            String::new()
        } else {
            format!(r#","name":"svc-{}""#, n % 1500)
        };
        writeln!(
            lines,
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"0195f0aa-0007-7000-8000-{n:012x}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/team-{ns}/configmaps/svc-{n}?timeout=10s","verb":"{verb}","user":{{"username":"system:serviceaccount:kube-system:controller-{who}","uid":"7d1c9f0e-1d5b-4c79-9f0e-000000000001","groups":["system:serviceaccounts","system:authenticated"]}},"sourceIPs":["10.1.2.3"],"userAgent":"kube-controller-manager/v1.37.2 (linux/amd64) kubernetes/9a8b7c6","objectRef":{{"resource":"configmaps","namespace":"team-{ns}"{name},"apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":{code}}},"requestReceivedTimestamp":"{now:.6}","stageTimestamp":"{now:.6}","annotations":{{"authorization.k8s.io/decision":"{decision}","authorization.k8s.io/reason":""}}}}"#,
            ns = n % 40,
            who = n % 12,
            decision = if code == 403 { "forbid" } else { "allow" },
        )?;
    }
    file.write_all(&lines).context("write to the log")
}

/// What each program took between two looks, of a core.
fn differences(
    before: &[(String, Duration)],
    after: &[(String, Duration)],
    seconds: f64,
) -> BTreeMap<String, f64> {
    let mut cores = BTreeMap::new();
    for (sign, all) in [(-1.0, before), (1.0, after)] {
        for (name, spent) in all {
            *cores.entry(name.clone()).or_default() += sign * spent.as_secs_f64() / seconds;
        }
    }
    cores
}

const COUNT: &str = "
    window.tailFrames = [];
    window.tailStops = false;
    let last = null;
    const look = (now) => {
        if (last !== null) window.tailFrames.push(now - last);
        last = now;
        if (!window.tailStops) requestAnimationFrame(look);
    };
    requestAnimationFrame(look)";
