//! How much of an archive is kept by whoever writes to it, and what went for that.

use super::args::Keep;
use super::stop;
use crate::end::Stop;
use sallyport_archive::{Archive, Options, Retained};
use sallyport_report::words::count;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// Of how many files what may be kept is made at least: the oldest goes as a whole.
const FILES: u64 = 8;

/// What was removed, because it was too old or too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemovedView {
    /// Events.
    pub(crate) events: u64,
    /// The files they were in.
    segments: u64,
    /// Their bytes of disk.
    bytes: u64,
    /// Nothing was removed for its age: the clock is behind events that have arrived already.
    clock_went_back: bool,
}

impl Keep {
    /// As an archive is opened.
    pub(super) fn options(&self) -> Options {
        let options = Options::default();
        let bytes = self.keep_mib.map(|mib| u64::from(mib) << 20);
        Options {
            keep: self.keep_days.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            keep_bytes: bytes,
            segment_bytes: bytes
                .map_or(options.segment_bytes, |bytes| options.segment_bytes.min(bytes / FILES)),
            ..options
        }
    }

    fn is_said(&self) -> bool {
        self.keep_days.is_some() || self.keep_mib.is_some()
    }

    /// Removes what is too old or too much; `None` where nobody said what that is.
    pub(super) fn retain(&self, archive: &Archive) -> Result<Option<RemovedView>, Stop> {
        if !self.is_said() {
            return Ok(None);
        }
        let retained = archive.retain(jiff::Timestamp::now().as_microsecond()).map_err(stop)?;
        Ok(Some(RemovedView::of(&retained)))
    }
}

impl RemovedView {
    fn of(retained: &Retained) -> Self {
        let Retained { segments, events, bytes, clock_went_back } = *retained;
        Self { events, segments, bytes, clock_went_back }
    }

    /// With what was removed after it.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            segments: self.segments + other.segments,
            bytes: self.bytes + other.bytes,
            clock_went_back: self.clock_went_back || other.clock_went_back,
        }
    }

    /// In words; none where nothing is to be said.
    pub(super) fn told(&self) -> Option<String> {
        let removed = (self.events > 0).then(|| {
            format!(
                "{} removed, the oldest, in {} of {} MB: too old or too much",
                count(self.events as usize, "event"),
                count(self.segments as usize, "file"),
                self.bytes.div_ceil(1_000_000)
            )
        });
        let back = self.clock_went_back.then(|| {
            "nothing was removed for its age: the clock is behind events that have arrived already".to_owned()
        });
        let all: Vec<String> = removed.into_iter().chain(back).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_archive_is_made_of_small_files_and_nothing_said_keeps_all() {
        let none = Keep::default();
        assert_eq!((none.options().keep, none.options().keep_bytes), (None, None));
        let little = Keep { keep_days: Some(90), keep_mib: Some(64) }.options();
        assert_eq!(little.keep, Some(Duration::from_secs(90 * 86_400)));
        assert_eq!((little.keep_bytes, little.segment_bytes), (Some(64 << 20), 8 << 20));
        let much = Keep { keep_days: None, keep_mib: Some(u32::MAX) }.options();
        assert_eq!(much.segment_bytes, Options::default().segment_bytes);
    }

    #[test]
    fn what_went_is_said_and_nothing_where_nothing_went() {
        assert_eq!(RemovedView::default().told(), None);
        let some = RemovedView { events: 1200, segments: 1, bytes: 1_500_000, clock_went_back: false };
        assert_eq!(
            some.and(some).told().unwrap(),
            "2400 events removed, the oldest, in 2 files of 3 MB: too old or too much"
        );
        let back = RemovedView { clock_went_back: true, ..RemovedView::default() };
        assert!(back.told().unwrap().contains("clock"));
    }
}
