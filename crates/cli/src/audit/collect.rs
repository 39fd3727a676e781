//! The receiver of API servers' audit webhooks, until it is ended.

use super::args::CollectArgs;
use super::{plain, stop};
use crate::answer;
use crate::end::{End, Stop};
use crate::read::text;
use crate::say::say;
use crate::signals::Signals;
use sallyport_collect::{Counted, Counts, Delivery, Door, Spool, deliver, serve, tls};
use sallyport_report::words::shown;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A certificate or key is no longer than this, in bytes.
const PEM_MOST: u64 = 1 << 20;

/// What was counted from its start to its end.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CollectView {
    /// Bodies that were acknowledged: all of their events are on the disk.
    bodies: u64,
    /// Events in them.
    events: u64,
    /// Events of which something is missing.
    partial: u64,
    /// Secrets that were taken out.
    redactions: u64,
    /// What stood between the events and is none.
    foreign: u64,
    /// What ought to be an event and can't be read as one.
    bad: u64,
    /// Bodies that are no list of events, or too long.
    unfit: u64,
    /// Bodies that were put off, because disk or memory was used up, or they did not come in time.
    put_off: u64,
    /// Connections without a certificate of ours.
    strangers: u64,
    /// Events that the store said it has, again ones included.
    handed_on: u64,
    /// Events that were cut for the store.
    clipped: u64,
    /// Events that the store does not take; they stay in `refused.jsonl`.
    rejected: u64,
}

impl From<Counted> for CollectView {
    fn from(now: Counted) -> Self {
        // Each of them by its name: one that is added there is missed here.
        let Counted {
            bodies,
            events,
            partial,
            redactions,
            foreign,
            bad,
            unfit,
            put_off,
            strangers,
            handed_on,
            clipped,
            rejected,
        } = now;
        Self {
            bodies,
            events,
            partial,
            redactions,
            foreign,
            bad,
            unfit,
            put_off,
            strangers,
            handed_on,
            clipped,
            rejected,
        }
    }
}

pub(super) fn collect(args: &CollectArgs) -> Result<(String, End), Stop> {
    let tls = tls(&read(&args.cert)?, &read(&args.key)?, &read(&args.client_ca)?).map_err(stop)?;
    let delivery = args.to.as_ref().map(|target| {
        let engine = args.store.engine(target)?;
        let linger = Duration::from_secs(args.linger);
        Ok(Delivery { engine, cluster: args.cluster.clone(), linger })
    });
    let delivery = delivery.transpose()?;
    let spool = Arc::new(Spool::open(&args.out, u64::from(args.most) << 20).map_err(stop)?);
    let counts = Arc::new(Counts::default());
    let runtime = tokio::runtime::Runtime::new().map_err(stop)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .map_err(|error| stop(format!("{} can't be listened on: {error}", args.listen)))?;
        let at = listener.local_addr().map_err(stop)?;
        say(&format!("listening on {at}"));
        let door = Door::new(spool.clone(), counts.clone());
        let mut signals = Signals::new()?;
        let (stopping, stopped) = tokio::sync::watch::channel(false);
        let on_end = async move {
            signals.come().await;
            let _ = stopping.send(true);
        };
        let serving = serve(listener, tls, door.clone(), on_end);
        let delivering = async {
            let Some(delivery) = &delivery else { return };
            let mut stopped = stopped.clone();
            let stop = async move {
                // Also when nobody is left to say so.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            let target = delivery.engine.target().to_string();
            deliver(door.clone(), delivery, stop, |notice| say(&format!("{target}: {notice}"))).await;
        };
        // A task of its own: while what is handed on waits for the disk, API servers are let in.
        let serving = tokio::spawn(serving);
        delivering.await;
        serving.await.map_err(stop)
    })?;
    let text = plain::json(&answer::json(&CollectView::from(counts.now()))?);
    Ok((text, End::Good))
}

fn read(path: &Path) -> Result<String, Stop> {
    let failed = |why: String| Stop(format!("{} can't be read: {why}", shown(&path.display().to_string())));
    text(path, PEM_MOST).map_err(failed)
}
