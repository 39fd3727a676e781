//! What this desktop remembers of clusters: pins, how each was opened last, the reason that is carried.

use super::Inventory;
use super::known::Remembered;
use crate::desk::AppError;
use jiff::Timestamp;
use sallyport_ipc::{Carried, LastOpening, Shown};
use sallyport_model::{ClusterName, ErrorCode};
use sallyport_store::{Opening, Reason};
use std::collections::HashMap;

/// So many recents at most.
const RECENTS: usize = 200;

impl Inventory {
    /// Of all clusters.
    pub(super) async fn remembered(&self) -> HashMap<String, Remembered> {
        let mut known: HashMap<String, Remembered> = HashMap::new();
        for name in self.desk.prefs.pins().await.unwrap_or_default() {
            known.entry(name.to_string()).or_insert_with(|| self.of_none()).pinned = true;
        }
        for name in self.desk.prefs.recents(RECENTS).await.unwrap_or_default() {
            let last = self.last_opening(&name).await;
            let entry = known.entry(name.to_string()).or_insert_with(|| self.of_none());
            entry.last_used = last.as_ref().map(|l| l.at * 1000);
            entry.last = last.as_ref().map(last_view);
        }
        known
    }

    /// Of one that was never opened or pinned.
    pub(super) fn of_none(&self) -> Remembered {
        Remembered { default: self.desk.default_duration(), ..Remembered::default() }
    }

    /// Of one, with the reason that would be taken.
    pub(super) async fn remembered_of(&self, cluster: &ClusterName) -> Remembered {
        let prefs = &self.desk.prefs;
        let last = self.last_opening(cluster).await;
        let reason = prefs.last_reason(Timestamp::now().as_second()).await.ok().flatten();
        Remembered {
            pinned: prefs.pins().await.unwrap_or_default().contains(cluster),
            last_used: last.as_ref().map(|l| l.at * 1000),
            last: last.as_ref().map(last_view),
            reason: reason.map(|reason| Carried {
                text: Shown::from(&reason.text),
                until: (reason.at + Reason::CARRIED) * 1000,
            }),
            ..self.of_none()
        }
    }

    /// How a cluster was opened last.
    pub(crate) async fn last_opening(&self, cluster: &ClusterName) -> Option<Opening> {
        self.desk.prefs.last_opening(cluster.clone()).await.unwrap_or_default()
    }

    /// Pins or unpins a cluster.
    ///
    /// # Errors
    /// When it can't be remembered.
    pub(crate) async fn pin(&self, name: String, on: bool) -> Result<(), AppError> {
        let cluster: ClusterName = name
            .parse()
            .map_err(|e: sallyport_model::NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        let prefs = &self.desk.prefs;
        let done = if on { prefs.pin(cluster).await } else { prefs.unpin(cluster).await };
        done.map_err(|e| AppError::failed("the pin could not be remembered").because(e))?;
        self.changed();
        Ok(())
    }
}

/// How a cluster was opened last, for the window.
pub(super) fn last_view(opening: &Opening) -> LastOpening {
    LastOpening {
        profile: Shown::of(&opening.profile),
        namespaces: opening.scope.to_list().iter().map(Shown::of).collect(),
        duration_seconds: opening.duration.as_seconds_u32(),
    }
}
