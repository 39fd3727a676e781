//! `bench login_storm`: an incident at nine in the morning. 400 people ask within 60 s on one hub for one of two targets, a
//! third of them for what needs somebody's yes.
//!
//! Hub, targets and brokers are the real ones; brokers have the product's own defaults. A person is what their desktop is to
//! the hub: a connection of their own, the ask, a watch of the request, the seal opened, the credential cleared. Four
//! approvers look at the inbox and say yes as fast as it shows an offer. Measured is from the ask to the opened seal, and
//! from the yes where one was needed.

mod people;
mod tally;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use people::{Asked, Crowd};
use sallyport_fleet::{Fleet, FleetOptions};
use std::time::{Duration, Instant};

#[derive(Parser)]
struct Size {
    /// People who ask.
    #[arg(long, default_value_t = 400)]
    people: usize,
    /// Within so many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// How long after the last ask somebody may still wait.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let size = Size::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&size))
}

async fn run(size: &Size) -> Result<()> {
    let flags =
        ["--deadline=10s", "--heartbeat=30s", "--resync=60s", "--guardrails-every=5m", "--backoff-most=30s"];
    let options = FleetOptions {
        targets: 2,
        pods: false,
        broker_flags: flags.map(str::to_owned).into(),
        ..FleetOptions::default()
    };
    let fleet = Fleet::start(options).await?;
    let crowd = Crowd::gather(&fleet, size.people).await?;
    let before = tally::rss(&fleet)?;
    let began = Instant::now();
    let approvers = crowd.approvers(&fleet)?;
    let asked = crowd.ask(Duration::from_secs(size.seconds), PATIENCE).await;
    let took = began.elapsed();
    let yeses = approvers.end();
    let after = tally::rss(&fleet)?;

    let opened: Vec<&Asked> = asked.iter().filter_map(|one| one.as_ref().ok()).collect();
    for why in asked.iter().filter_map(|one| one.as_ref().err()).take(5) {
        println!("not opened: {why:#}");
    }
    let found = tally::grants(&fleet).await?;
    let lost = size.people - opened.len();
    let doubled = found.doubled(&opened);
    ensure!(yeses.failed == 0, "{} yeses failed, the last: {}", yeses.failed, yeses.said);
    let at_once = quantiles(opened.iter().filter(|one| one.yes.is_none()).map(|one| one.took));
    let by_people = quantiles(opened.iter().filter_map(|one| {
        one.yes.as_ref().map(|uid| one.at.duration_since(yeses.at(uid).unwrap_or(one.at)))
    }));
    println!(
        "{} people within {} s, all over after {:.1} s: {} opened at once (p50 {:.3} s, p95 {:.3} s), {} by a yes (from it p50 \
         {:.3} s, p95 {:.3} s)",
        size.people,
        size.seconds,
        took.as_secs_f64(),
        opened.iter().filter(|one| one.yes.is_none()).count(),
        at_once.0,
        at_once.1,
        opened.iter().filter(|one| one.yes.is_some()).count(),
        by_people.0,
        by_people.1,
    );
    println!(
        "grants on the targets: {}; brokers' memory before {before:.0} MB and at the end {after:.0} MB, the larger of the two; {} CPUs",
        found.count(),
        std::thread::available_parallelism().context("CPUs")?,
    );
    println!(
        "bench login_storm active={} p95_s={:.3} lost={lost} doubled={doubled} rss_mb={after:.0}",
        found.count(),
        at_once.1.max(by_people.1),
    );
    Ok(())
}

/// The median and the 95th of a hundred, in seconds.
fn quantiles(values: impl Iterator<Item = Duration>) -> (f64, f64) {
    let mut values: Vec<Duration> = values.collect();
    values.sort_unstable();
    let at = |part: f64| {
        let last = values.len().checked_sub(1)?;
        values.get(((last as f64) * part).round() as usize).map(Duration::as_secs_f64)
    };
    (at(0.5).unwrap_or_default(), at(0.95).unwrap_or_default())
}
