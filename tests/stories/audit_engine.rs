//! A control plane's own audit events on their way through a team's log store: sent by the API server's webhook, received,
//! handed on to a real VictoriaLogs, pulled from there, and counted on every side.

mod pages;
mod window;

use crate::lines::Lines;
use anyhow::{Context as _, Result, ensure};
use sallyport_archive::{Archive, Bounds, Filter, Options, Source};
use sallyport_collect::{Counts, Delivery, Door, Spool, deliver, serve, tls};
use sallyport_engine::{Access, Engine, Wanted};
use sallyport_feeds::{Pull, PulledIn, pull};
use sallyport_fleet::Fleet;
use sallyport_model::ClusterName;
use sallyport_testkit::pki::Authority;
use sallyport_testkit::process::{Scratch, wait_until};
use sallyport_testkit::{Plane, PlaneOptions, VictoriaLogs};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const CLUSTER: &str = "payments-eu-1";
/// Calls of each part.
const CALLS: usize = 12;
/// How long all of it may take to arrive.
const ARRIVES: Duration = Duration::from_secs(60);

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let mut logs = VictoriaLogs::start().await?;
    lines.seen("a VictoriaLogs, built from its Go module, is up", logs.url());
    let desk = Desk::new(&logs)?;

    // The receiver, between the plane and the store.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://{}/", listener.local_addr()?);
    let spool = Arc::new(Spool::open(&desk.scratch.path().join("waiting"), 64 << 20)?);
    let counts = Arc::new(Counts::default());
    let door = Door::new(spool.clone(), counts.clone());
    let authority = Authority::new("collect of a story")?;
    let server = authority.server(&["127.0.0.1"])?;
    let config = tls(&server.cert_pem, &server.key_pem, &authority.cert_pem())?;
    let serving = tokio::spawn(serve(listener, config, door.clone(), std::future::pending()));
    let delivery =
        Delivery { engine: desk.engine()?, cluster: desk.cluster.clone(), linger: Duration::from_secs(20) };
    let delivering =
        tokio::spawn(async move { deliver(door, &delivery, std::future::pending(), |_| ()).await });

    let client = authority.client("kube-apiserver", &[])?;
    let options = PlaneOptions::new("engine").audit_webhook(&url, &authority.cert_pem(), &client);
    let plane = Plane::start(options).await?;
    lines.seen(
        "a control plane sends its audit events to the receiver, which lets nobody in without a certificate",
        "",
    );

    calls(&plane, "before", CALLS).await?;
    let written = desk.arrived(&plane, &logs).await?;
    lines.seen_many(written, "events of the plane's log file are in the store, each of them", written);
    let first = desk.pull().await?;
    lines.check(
        "they are pulled into the archive",
        first.events >= written as u64 && first.counts.bad.is_empty(),
        format!("{} events of {} records", first.events, first.records),
    );

    logs.kill();
    calls(&plane, "while", CALLS).await?;
    let before = counts.now();
    wait_until("events that wait", ARRIVES, &[], async || counts.now().events > before.events).await?;
    lines.check("while the store is dead, what comes waits on the disk", spool.held() > 0, spool.held());
    logs.go_on().await?;
    calls(&plane, "after", CALLS).await?;
    let written = desk.arrived(&plane, &logs).await?;
    lines.seen_many(
        written,
        "once it is back it has every event of the log file, those of before included",
        written,
    );

    // Its controllers call without end: what two counts agree on stands still.
    plane.stop();
    wait_until("the receiver's disk to be empty", ARRIVES, &[], async || spool.held() == 0).await?;
    let second = desk.pull().await?;
    let (pulled, kept) = (first.events + second.events, desk.count()?);
    let in_store = desk.in_store(&logs).await?.len() as u64;
    lines.check(
        "another pull keeps what is new, and nothing twice",
        kept == pulled && kept == in_store,
        format!("{kept} in the archive, {in_store} in the store, {} looked at again", second.again),
    );
    let third = desk.count_of("while-3")?;
    lines.check("who made a call of that time is found there", third == 1, "create configmaps/while-3");

    let now = counts.now();
    lines.check(
        "what the store has taken is deleted from the receiver's disk",
        now.bad + now.foreign + now.unfit + now.strangers + now.rejected == 0,
        format!("{} events in {} bodies, {} handed on", now.events, now.bodies, now.handed_on),
    );
    serving.abort();
    delivering.abort();
    window::asks(fleet, desk.scratch.path(), &mut logs, lines).await
}

async fn calls(plane: &Plane, name: &str, many: usize) -> Result<()> {
    let kubectl = plane.kubectl();
    for number in 0..many {
        kubectl.ok(&["create", "configmap", &format!("{name}-{number}"), "--from-literal=a=b"]).await?;
    }
    Ok(())
}

/// Whoever asks the store and keeps what it has.
struct Desk {
    scratch: Scratch,
    target: String,
    cluster: ClusterName,
    began: i64,
}

impl Desk {
    fn new(logs: &VictoriaLogs) -> Result<Self> {
        let scratch = Scratch::new("audit-engine")?;
        scratch.write("ca.pem", std::fs::read(logs.ca_file())?)?;
        scratch.write("credential", std::fs::read(logs.credential_file())?)?;
        let target = format!("victorialogs:{}", logs.url());
        let began = jiff::Timestamp::now().as_second() - 60;
        Ok(Self { scratch, target, cluster: CLUSTER.parse()?, began: began * 1_000_000_000 })
    }

    fn engine(&self) -> Result<Engine> {
        let file = |name: &str| self.scratch.path().join(name);
        let access = Access::read(Some(&file("ca.pem")), Some(&file("credential")), "")?;
        Ok(Engine::new(self.target.parse()?, &access)?)
    }

    fn archive(&self) -> Result<Archive> {
        Ok(Archive::open(&self.scratch.path().join("archive"), Options::default())?)
    }

    async fn pull(&self) -> Result<PulledIn> {
        let (archive, engine) = (self.archive()?, self.engine()?);
        let source = Source { id: format!("{CLUSTER}.victorialogs"), cluster: self.cluster.clone() };
        let what = Pull {
            wanted: Wanted::of(CLUSTER),
            since: self.began,
            until: jiff::Timestamp::now().as_nanosecond().try_into()?,
            overlap: 900_000_000_000,
            again: None,
        };
        tokio::task::spawn_blocking(move || Ok(pull(&archive, &source, &engine, &what)?)).await?
    }

    fn count(&self) -> Result<u64> {
        Ok(self.archive()?.count(&Filter::default(), &Bounds::default())?.value)
    }

    fn count_of(&self, text: &str) -> Result<u64> {
        let filter = Filter::default().only(sallyport_archive::Column::Verb, "create").text(text);
        Ok(self.archive()?.count(&filter, &Bounds::default())?.value)
    }

    /// The events that the store has, each once.
    async fn in_store(&self, logs: &VictoriaLogs) -> Result<BTreeSet<String>> {
        let records = logs.ask(&format!("cluster:={CLUSTER} | fields _msg")).await?;
        events(records.iter().filter_map(|record| record["_msg"].as_str()))
    }

    /// Waits until the store has all that the plane's log file has by now; how many those are.
    async fn arrived(&self, plane: &Plane, logs: &VictoriaLogs) -> Result<usize> {
        let written = events(plane.audit_text()?.lines())?;
        ensure!(written.len() >= CALLS, "the plane wrote {} events", written.len());
        wait_until("all events in the store", ARRIVES, &[], async || {
            self.in_store(logs).await.is_ok_and(|there| written.is_subset(&there))
        })
        .await?;
        Ok(written.len())
    }
}

fn events<'a>(texts: impl Iterator<Item = &'a str>) -> Result<BTreeSet<String>> {
    texts
        .map(|text| {
            let event: Value = serde_json::from_str(text).context("an event")?;
            Ok(format!("{} {} {}", event["auditID"], event["stage"], event["stageTimestamp"]))
        })
        .collect()
}
