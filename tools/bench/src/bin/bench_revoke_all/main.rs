//! `bench revoke_all`: everything is held, at once: 100 open sessions of ten people over two targets, each with a stream.
//!
//! Ten desktops (the app without its window), each a process of its own as each person has one, ten sessions each, half of them
//! on either target; through each session's gateway a watch of pods is open, by its private kubeconfig. Then somebody writes one
//! AccessHold on everything. Measured from before that write: until the last stream's client saw its end, and until the last
//! session's own probes, past the gateway, saw every right refused by its target.

mod desktop;
mod people;
mod spent;

use anyhow::{Context, Result, ensure};
use desktop::DESKTOP;
use people::{Ends, Person};
use sallyport_bench::Sorted;
use sallyport_fleet::headless::{Desktop, until};
use sallyport_fleet::{Fleet, FleetOptions, people as others};
use sallyport_ipc::{HeldKind, HoldInput};
use sallyport_testkit::idp::Account;
use serde_json::json;
use spent::Spent;
use std::time::{Duration, Instant, SystemTime};

const PEOPLE: usize = 10;
/// Sessions of each on each target: one under each profile.
const PROFILES: usize = 5;
const LONG: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let clusters: Vec<String> = std::env::args().skip(1).skip_while(|arg| arg != DESKTOP).skip(1).collect();
    if clusters.is_empty() { runtime.block_on(run()) } else { runtime.block_on(desktop::run(&clusters)) }
}

async fn run() -> Result<()> {
    let names: Vec<String> = (0..PEOPLE).map(|number| format!("dev-{number}")).collect();
    let devs = names.iter().map(|name| Account::person(name, name, &["payments-dev"]));
    let accounts = others().into_iter().chain(devs).collect();
    let fleet = Fleet::start(FleetOptions { targets: 2, accounts, ..FleetOptions::default() }).await?;
    profiles(&fleet).await?;
    let responder = Desktop::signed_in(&fleet, "lee").await?;
    let mut people = Vec::new();
    for name in &names {
        people.push(Person::sits_down(&fleet, name).await?);
    }
    // First with the brokers stopped, so that what the desktops do alone is told apart: they share this machine's CPUs with all
    // else, which begins at the same moment.
    let alone = {
        open(&mut people).await?;
        fleet.targets.iter().try_for_each(|target| target.broker.pause())?;
        let began = Moment::now()?;
        responder.app.hold_create(everything()).await?;
        let cuts = cuts(&mut people, &began).await;
        fleet.targets.iter().try_for_each(|target| target.broker.resume())?;
        for person in &mut people {
            person.all_closed().await?;
        }
        go_on(&mut people, &responder).await?;
        cuts?
    };
    open(&mut people).await?;
    let began = Moment::now()?;
    responder.app.hold_create(everything()).await?;
    let written = began.at.elapsed();
    let cuts = cuts(&mut people, &began).await?;
    let at_cut = Spent::now()?;
    let mut rights: f64 = 0.0;
    for person in &mut people {
        rights = rights.max(began.until(person.rights_gone().await?));
    }
    let at_end = Spent::now()?;
    let mut proven = 0;
    for person in &mut people {
        proven += person.all_closed().await?;
    }
    println!(
        "{} sessions of {PEOPLE} people over 2 targets; the hold was answered after {} ms, half of the streams ended after {:.0} \
         ms, the last after {:.0} ms (with the brokers stopped {:.0} and {:.0} ms), the last right was refused after {rights:.0} ms; \
         {proven} proven closed; {} CPUs",
        PEOPLE * PROFILES * 2,
        written.as_millis(),
        cuts.at(0.5),
        cuts.at(1.0),
        alone.at(0.5),
        alone.at(1.0),
        std::thread::available_parallelism()?,
    );
    println!("CPU time until the last stream ended: {}", at_cut.since(&began.spent));
    println!("CPU time until the last right was refused: {}", at_end.since(&began.spent));
    println!("bench revoke_all cut_ms={:.0} rights_ms={rights:.0}", cuts.at(1.0));
    for person in people {
        person.leaves().await?;
    }
    responder.app.shut_down().await;
    Ok(())
}

/// A moment on every process's clock, and what was spent until then.
struct Moment {
    at: Instant,
    clock: SystemTime,
    spent: Spent,
}

impl Moment {
    fn now() -> Result<Self> {
        let spent = Spent::now()?;
        Ok(Self { at: Instant::now(), clock: SystemTime::now(), spent })
    }

    /// Milliseconds until another.
    fn until(&self, other: SystemTime) -> f64 {
        other.duration_since(self.clock).unwrap_or_default().as_secs_f64() * 1000.0
    }
}

fn everything() -> HoldInput {
    HoldInput { on: HeldKind::Everything, name: String::new(), minutes: 60, reason: "a drill".to_owned() }
}

/// Opens all sessions, and a watch of pods through the gateway of each.
async fn open(people: &mut [Person]) -> Result<()> {
    for person in people {
        let count = person.opens().await?;
        ensure!(count == PROFILES * 2, "{count} streams are open");
    }
    Ok(())
}

/// When each stream had ended, milliseconds after the write began.
async fn cuts(people: &mut [Person], began: &Moment) -> Result<Sorted> {
    let mut all = Vec::new();
    for person in people {
        let Ends(ends) = person.streams_ended().await?;
        all.extend(ends.into_iter().map(|end| began.until(end)));
    }
    Ok(Sorted::new(all))
}

/// Ends every hold, and puts what is closed away.
async fn go_on(people: &mut [Person], responder: &Desktop) -> Result<()> {
    for hold in responder.app.app_state().await?.holds {
        responder.app.hold_remove(hold.id.to_string()).await?;
    }
    until("nothing is held", LONG, async || {
        responder.app.app_state().await.ok()?.holds.is_empty().then_some(())
    })
    .await?;
    for person in people {
        person.goes_on().await?;
    }
    Ok(())
}

/// The profile of that number.
fn profile(number: usize) -> String {
    format!("drill-{number}")
}

/// Five profiles that open at once: under one of them a second click shows the first session.
async fn profiles(fleet: &Fleet) -> Result<()> {
    let names: Vec<String> = (0..PROFILES).map(profile).collect();
    for name in &names {
        let profile = json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name},
            "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments", "checkout"],
                "maxDuration": "1h", "approvals": 0, "reasonRequired": false},
        });
        fleet.hub.make_profile(&profile).await?;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fleet.hub.allow("drill", "oidc:payments-dev", &["request"], &names).await.context("who may ask")
}
