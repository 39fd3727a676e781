//! The log store of the demo's team: a VictoriaLogs that gets what all API servers, the hub's too, write to their audit logs, as a team's own
//! shipper would hand it on. Whoever names it in Audit sees the whole team's calls there.

use anyhow::Result;
use sallyport_fleet::Fleet;
use sallyport_testkit::VictoriaLogs;
use std::fmt;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What the hub is called there, beside its targets.
pub(crate) const HUB: &str = "hub";
/// How often it is looked for what is new.
const LOOK: Duration = Duration::from_secs(2);

/// What there is to say of it.
pub(crate) enum Told {
    /// It is up, and how to name it.
    Up(Named),
    /// Something else.
    Said(String),
}

/// How it is named in Audit.
pub(crate) struct Named {
    pub(crate) address: String,
    pub(crate) credential: PathBuf,
    pub(crate) authorities: PathBuf,
}

/// A store, or that there is none yet.
pub(crate) struct Logs {
    /// Clusters, and where their API servers write.
    logs: Vec<(String, PathBuf)>,
    /// The thread that ships, and what ends it when it is dropped.
    shipping: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
    tell: mpsc::UnboundedSender<Told>,
    told: mpsc::UnboundedReceiver<Told>,
}

impl Logs {
    /// Nothing yet.
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let targets = fleet.targets.iter().map(|target| (target.spec.name, &target.plane));
        let planes = targets.chain([(HUB, &fleet.hub)]);
        let logs = planes.filter_map(|(name, plane)| Some((name.to_owned(), plane.audit_log()?)));
        let (tell, told) = mpsc::unbounded_channel();
        Self { logs: logs.collect(), shipping: None, tell, told }
    }

    /// Starts it beside everything else, once; how to see it, or why there is none, is told.
    pub(crate) fn start(&mut self) {
        if self.shipping.as_ref().is_some_and(|(thread, _)| !thread.is_finished()) {
            let _ = self.tell.send(Told::Said("  The log store is there, or on its way.".to_owned()));
            return;
        }
        let (logs, tell) = (self.logs.clone(), self.tell.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let shipped = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
                runtime.block_on(async {
                    tokio::select! {
                        shipped = ship(logs, &tell) => shipped,
                        _ = stopped => Ok(()),
                    }
                })
            });
            if let Err(error) = shipped {
                let why = format!("  There is no log store: {error:#}. Type logs to try again.");
                let _ = tell.send(Told::Said(why));
            }
        });
        self.shipping = Some((thread, stop));
    }

    /// What there is to say next.
    pub(crate) async fn told(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            None => std::future::pending().await,
        }
    }

    /// Ends the store, and removes what it kept.
    pub(crate) async fn end(self) {
        let Some((thread, stop)) = self.shipping else { return };
        drop(stop);
        // That it ended is no news.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

async fn ship(logs: Vec<(String, PathBuf)>, tell: &mpsc::UnboundedSender<Told>) -> Result<()> {
    let store = VictoriaLogs::start().await?;
    let _ = tell.send(Told::Up(Named {
        address: format!("victorialogs:{}", store.url()),
        credential: store.credential_file(),
        authorities: store.ca_file(),
    }));
    let mut from = vec![0_u64; logs.len()];
    loop {
        for ((cluster, log), from) in logs.iter().zip(&mut from) {
            *from = store.ship(cluster, log, *from).await?;
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(text) => f.write_str(text),
            Self::Up(Named { address, credential, authorities }) => write!(
                f,
                "\n  The whole team's calls: the API servers of hub and targets write into a VictoriaLogs. In Audit (A, then \
                 S), \u{201c}A log store\u{201d}:\n    Store        {address}\n    Credential   {}\n    Authorities  {}\n",
                credential.display(),
                authorities.display()
            ),
        }
    }
}
