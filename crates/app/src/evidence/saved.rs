//! Filters that are kept under a name.

use super::Evidence;
use super::filter::{self, bad};
use crate::desk::AppError;
use sallyport_ipc::{SavedFilter, Shown, TimelineFilter};
use sallyport_model::visible;
use sallyport_store::StoreError;

/// How many are kept.
const MOST: usize = 50;
/// The longest name, in characters.
const NAME_MOST: usize = 60;

impl Evidence {
    pub(crate) async fn saved(&self) -> Result<Vec<SavedFilter>, AppError> {
        let kept = self.desk.prefs.audit_filters().await.map_err(unkept)?;
        // One that a newer version wrote and this one does not read is left where it is.
        let read = kept.into_iter().filter_map(|(name, filter)| {
            Some(SavedFilter { name: Shown::from(name), filter: serde_json::from_str(&filter).ok()? })
        });
        Ok(read.collect())
    }

    pub(crate) async fn save(&self, name: String, filter: TimelineFilter) -> Result<(), AppError> {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MOST || visible(&name) != name {
            return Err(bad(format!("a filter's name is 1 to {NAME_MOST} characters that can be seen")));
        }
        // What can't be asked is not kept.
        filter::parse(&filter, &[])?;
        let text = serde_json::to_string(&filter);
        let text = text.map_err(|e| AppError::failed("the filter could not be kept").because(e))?;
        if !self.desk.prefs.keep_audit_filter(name, text, MOST).await.map_err(unkept)? {
            return Err(bad(format!("{MOST} filters are kept already")).hint("Forget one first."));
        }
        Ok(())
    }

    pub(crate) async fn unsave(&self, name: String) -> Result<(), AppError> {
        self.desk.prefs.forget_audit_filter(name).await.map_err(unkept)
    }
}

pub(super) fn unkept(error: StoreError) -> AppError {
    AppError::failed("the preferences can't be used").hint("Check that the disk is not full.").because(error)
}
