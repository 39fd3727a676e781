//! What the history tells of a cluster: its calls, for whoever asks what was used there lately, and how sessions ended there.

use super::Recorder;
use super::recorder::unreadable;
use crate::desk::AppError;
use sallyport_audit::{Action, Entry};
use sallyport_model::ClusterName;
use sallyport_store::Filter;

/// Most entries that are looked at: with more, less far back is told, and said so.
const CALLS_MOST: usize = 20_000;
/// Entries of one page.
const PAGE: usize = 1_000;

/// Calls on a cluster.
pub(crate) struct Called {
    /// From when on all are there, in microseconds of Unix time; none: the history has no beginning yet.
    pub(crate) since: Option<i64>,
    /// Each moment of each, the newest first.
    pub(crate) entries: Vec<Entry>,
}

/// Entries of ends that are looked at: of the last few sessions.
const ENDS: usize = 40;
/// Gaps that are looked through for the last one in what the gateway sent.
const GAPS: usize = 1_000;

impl Recorder {
    /// What the newest entries say of how sessions on a cluster ended, the newest first: of rights and tokens that were seen to
    /// be refused, and of what was not proven.
    ///
    /// # Errors
    /// When the history can't be read.
    pub(crate) async fn ends(&self, cluster: &ClusterName) -> Result<Vec<Entry>, AppError> {
        let filter = Filter {
            cluster: Some(cluster.clone()),
            actions: vec![Action::RightsGone, Action::TokenRefused, Action::ProofUnproven],
            ..Filter::default()
        };
        Ok(self.history.page(filter, None, ENDS).await.map_err(unreadable)?.entries)
    }

    /// The newest calls on a cluster, as far back as the history is whole: not beyond its beginning, its last gap, a row that
    /// can't be read, or [`CALLS_MOST`] entries.
    ///
    /// # Errors
    /// When the history can't be read.
    pub(crate) async fn called(&self, cluster: &ClusterName) -> Result<Called, AppError> {
        let first = self.history.read_from(1, 1).await.map_err(unreadable)?;
        let mut since = first.first().map(|linked| linked.entry.at);
        let broken = Filter { actions: vec![Action::Gap, Action::ChainBegun], ..Filter::default() };
        let broken = self.history.page(broken, None, GAPS).await.map_err(unreadable)?;
        // Of the gaps those in what the gateway sent; where there are too many others, as far as they were looked at.
        let is_own = |entry: &&Entry| entry.action != Action::Gap || sallyport_events::hole(entry).is_some();
        let last = broken.entries.iter().find(is_own).or(broken.next.and(broken.entries.last()));
        since = since.max(last.map(|entry| entry.at));
        let filter = Filter {
            cluster: Some(cluster.clone()),
            actions: vec![Action::Call, Action::StreamStart, Action::StreamEnd],
            from: since,
            ..Filter::default()
        };
        let mut entries: Vec<Entry> = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.history.page(filter.clone(), cursor, PAGE).await.map_err(unreadable)?;
            let is_damaged = page.unreadable > 0;
            if !is_damaged {
                entries.extend(page.entries);
            }
            cursor = page.next;
            if cursor.is_none() && !is_damaged {
                break;
            }
            if is_damaged || entries.len() >= CALLS_MOST {
                // What is older was not looked at; with nothing read, nothing is known of before now.
                since = entries.last().map(|entry| entry.at).or(Some(i64::MAX));
                break;
            }
        }
        Ok(Called { since, entries })
    }
}
