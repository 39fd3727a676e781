//! How long the clusters' audit events are kept, and in how many bytes: as the person says, and not for ever.

use super::Evidence;
use super::filter::bad;
use super::saved::unkept;
use crate::desk::AppError;
use sallyport_archive::{Archive, Retained};
use sallyport_audit::{Action, Draft};
use sallyport_ipc::Event;
use sallyport_store::AuditKeep;
use std::time::Duration;

/// Bytes of disk that the archive may take where nobody said otherwise.
const BYTES: u64 = 16 << 30;
/// The least that may be said: a segment, which is removed as a whole, is a quarter of it.
const BYTES_LEAST: u64 = 1 << 30;
/// The most.
const BYTES_MOST: u64 = 4 << 40;
/// Ten years.
const DAYS_MOST: u32 = 3653;

/// What was said, with what holds where nothing was.
pub(super) fn bytes(keep: AuditKeep) -> u64 {
    keep.bytes.unwrap_or(BYTES)
}

/// As the archive takes it.
pub(super) fn said_to(archive: &Archive, keep: AuditKeep) {
    let days = keep.days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
    archive.keep(days, Some(bytes(keep)));
}

/// What was removed, in words; none where nothing was.
pub(super) fn removed(retained: &Retained) -> Option<String> {
    (retained.events > 0).then(|| {
        format!("{} of the oldest events were removed: they were too old or too many", retained.events)
    })
}

impl Evidence {
    pub(crate) async fn keep(&self, days: Option<u32>, bytes: i64) -> Result<(), AppError> {
        let keep = parsed(days, bytes)?;
        self.desk.prefs.set_audit_keep(keep).await.map_err(unkept)?;
        let draft = Draft::new(Action::SettingsChanged).detail("setting", "audit retention");
        let said = keep.days.map_or_else(|| "as long as it fits".to_owned(), |days| format!("{days} days"));
        self.history.note(draft.detail("keep", said).detail("bytes", super::keep::bytes(keep))).await;
        if let Some(archive) = self.archive(false).await? {
            said_to(&archive, keep);
            let retaining =
                tokio::task::spawn_blocking(move || archive.retain(jiff::Timestamp::now().as_microsecond()));
            let retained = retaining.await.map_err(|e| AppError::failed("nothing was removed").because(e))?;
            retained.map_err(super::unreadable)?;
        }
        self.desk.host.tell(Event::EvidenceChanged);
        Ok(())
    }
}

fn parsed(days: Option<u32>, bytes: i64) -> Result<AuditKeep, AppError> {
    if days.is_some_and(|days| !(1..=DAYS_MOST).contains(&days)) {
        return Err(bad(format!("events are kept for 1 to {DAYS_MOST} days"))
            .hint("Leave the days out to keep them as long as they fit."));
    }
    let bytes = u64::try_from(bytes).ok().filter(|bytes| (BYTES_LEAST..=BYTES_MOST).contains(bytes));
    let bytes = bytes
        .ok_or_else(|| bad("the archive takes between 1 and 4,096 GiB").hint("Say a number between."))?;
    Ok(AuditKeep { days, bytes: Some(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_and_how_much_have_bounds() {
        assert_eq!(parsed(Some(90), 1 << 34).unwrap(), AuditKeep { days: Some(90), bytes: Some(1 << 34) });
        assert_eq!(parsed(None, 1 << 30).unwrap().days, None);
        for (days, bytes) in [
            (Some(0), 1 << 34),
            (Some(u32::MAX), 1 << 34),
            (None, 0),
            (None, -1),
            (None, i64::MAX),
            (None, 1),
        ] {
            assert!(parsed(days, bytes).is_err(), "{days:?} {bytes}");
        }
    }
}
