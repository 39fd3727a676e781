//! The receiver of API servers' audit webhooks, until it is ended.

use super::args::CollectArgs;
use super::{plain, pull, stop};
use crate::answer;
use crate::end::{End, Stop};
use sallyport_collect::{Counts, Delivery, Door, Spool, deliver, serve, tls};
use sallyport_model::visible;
use sallyport_report::words::shown;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A certificate or key is no longer than this, in bytes.
const PEM_MOST: u64 = 1 << 20;

pub(super) fn collect(args: &CollectArgs) -> Result<(String, End), Stop> {
    let tls = tls(&read(&args.cert)?, &read(&args.key)?, &read(&args.client_ca)?).map_err(stop)?;
    let delivery = args.to.as_ref().map(|target| {
        let engine = pull::engine(target, &args.store)?;
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
        let ended = ended()?;
        let (stopping, stopped) = tokio::sync::watch::channel(false);
        let on_end = async move {
            ended.await;
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
    let text = plain::json(&answer::json(&counts.now())?);
    Ok((text, End::Good))
}

/// Over when somebody wants us to end.
fn ended() -> Result<impl Future<Output = ()>, Stop> {
    let mut term = signal(SignalKind::terminate()).map_err(stop)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(stop)?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn say(what: &str) {
    // Where that fails there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "sallyport: {}", visible(what));
}

fn read(path: &Path) -> Result<String, Stop> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(PEM_MOST).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Stop(format!("{} can't be read: {error}", shown(&path.display().to_string())))),
    }
}
