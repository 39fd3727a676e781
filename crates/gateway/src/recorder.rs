//! The way of finished calls into the history.

use crate::call::Call;
use crate::peer::PeerLookup;
use crate::refusal::Refusal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

/// How many finished calls may wait for the history before new ones wait too: its backpressure.
const BACKLOG: usize = 1024;

/// How long a call waits for the name of the program that made it.
const PEER_WAIT: Duration = Duration::from_secs(1);

/// The way into the history. Telling never waits and never loses; what may wait is a new call.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::UnboundedSender<Told>,
    backlog: Arc<Semaphore>,
}

struct Told {
    call: Call,
    peer: PeerLookup,
    /// Whether the call's place in the history is free again with this.
    frees: bool,
}

impl Recorder {
    /// Starts the task that hands calls on. It ends when the session is cut and the last call has been told, and
    /// with it `calls` closes.
    pub(crate) fn start(calls: mpsc::Sender<Call>) -> Self {
        let (queue, mut told) = mpsc::unbounded_channel::<Told>();
        let backlog = Arc::new(Semaphore::new(BACKLOG));
        let recorder = Self { queue, backlog: backlog.clone() };
        tokio::spawn(async move {
            while let Some(Told { mut call, peer, frees }) = told.recv().await {
                call.peer = timeout(PEER_WAIT, peer).await.ok().flatten();
                if calls.send(call).await.is_err() {
                    backlog.close();
                    tracing::error!("nobody records the calls of a session any more; it serves none");
                    return;
                }
                if frees {
                    backlog.add_permits(1);
                }
            }
        });
        recorder
    }

    /// Waits until entries reach the disk, and for a place among those that wait for it. No history, no call.
    pub(crate) async fn place(
        &self,
        recording: &watch::Receiver<bool>,
        within: Duration,
    ) -> Result<(), Refusal> {
        let waiting = async {
            if !*recording.borrow() {
                recording.clone().wait_for(|recording| *recording).await.ok()?;
            }
            self.backlog.acquire().await.ok()
        };
        match timeout(within, waiting).await {
            Ok(Some(place)) => {
                place.forget();
                Ok(())
            }
            Ok(None) | Err(_) => Err(Refusal::Unrecorded),
        }
    }

    pub(crate) fn tell(&self, call: Call, peer: PeerLookup, frees: bool) {
        // The receiving task ends early only when nobody listens, which `place` reports.
        let _ = self.queue.send(Told { call, peer, frees });
    }
}
