//! The calls of all sessions, as the gateway tells them: into the history, and onto their sessions.

use super::Sessions;
use super::calls::{entry, line};
use super::session::Session;
use sallyport_gateway::{Call, Gateway};
use sallyport_model::SessionId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Calls that are written at once.
const BATCH: usize = 64;
/// Between two tellings of sessions that had calls.
const TOLD_EACH: Duration = Duration::from_millis(250);

/// Writes every call into the history and shows it; sessions that had calls are told at most so often.
pub(super) async fn take(sessions: Arc<Sessions>, gateway: Gateway, mut received: mpsc::Receiver<Call>) {
    let mut batch = Vec::with_capacity(BATCH);
    while received.recv_many(&mut batch, BATCH).await > 0 {
        sessions.history.calls(&gateway, batch.iter().map(entry).collect()).await;
        let mut touched: BTreeMap<SessionId, Arc<Session>> = BTreeMap::new();
        for call in batch.drain(..) {
            if let Ok(session) = sessions.get(call.session.as_str()) {
                session.change_if(|record| {
                    record.call(call.audit_id.as_str(), line(&call));
                    false
                });
                touched.insert(session.id.clone(), session);
            }
        }
        touched.values().for_each(|session| session.tell());
        tokio::time::sleep(TOLD_EACH).await;
    }
}
