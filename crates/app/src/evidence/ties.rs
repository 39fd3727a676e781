//! What the history knows of each cluster, to tie its calls to: read once, and read on as the history grows.

use crate::desk::AppError;
use crate::history::Recorder;
use sallyport_events::Known;
use std::collections::HashMap;

/// Entries of the history that are looked back at: older sessions are not tied, and calls of theirs say nothing of it.
const BACK: u64 = 200_000;
/// Entries that are read at once.
const CHUNK: usize = 5_000;

/// By cluster.
#[derive(Default)]
pub(super) struct Ties {
    known: HashMap<String, Known>,
    /// The first entry that was not read, and where reading began.
    next: u64,
    began: u64,
}

impl Ties {
    /// Reads what is new of the history.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) async fn read_on(&mut self, history: &Recorder) -> Result<(), AppError> {
        let tip = history.tip();
        // Memory is bounded: what is far back is forgotten, all at once and seldom.
        if self.next == 0 || self.next - self.began > 2 * BACK {
            *self = Self::default();
            self.began = tip.saturating_sub(BACK) + 1;
            self.next = self.began;
        }
        while self.next <= tip {
            let read = history.read_from(self.next, CHUNK).await?;
            // Rows that are no entries are left out; whatever follows them has a higher place.
            let Some(last) = read.last().map(|linked| linked.entry.sequence) else { break };
            for linked in &read {
                if let Some(cluster) = &linked.entry.cluster {
                    self.known.entry(cluster.to_string()).or_default().note(&linked.entry);
                }
            }
            self.next = last + 1;
        }
        Ok(())
    }

    /// What is known of a cluster; nothing of one that no entry names.
    pub(super) fn of(&self, cluster: &str) -> Option<&Known> {
        self.known.get(cluster)
    }
}
